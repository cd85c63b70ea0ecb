"""`python -m tests.benchmarks.plain ROWS`: a plain DataTable, for comparison. `u` updates five rows, `d` pages down."""

from __future__ import annotations

import sys
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import DataTable, Footer, Header

COLUMNS = ("State", "Run", "Operation", "Tenant", "By", "Progress", "Age", "Took", "First failure")


class Plain(App[None]):
    """As one writes it first."""

    BINDINGS: ClassVar[list[BindingType]] = [("u", "change", "Change"), ("d", "page", "Page"), ("q", "quit", "Quit")]

    def __init__(self, rows: int) -> None:
        super().__init__()
        self._rows = rows
        self._step = 0

    def compose(self) -> ComposeResult:
        yield Header()
        yield DataTable(cursor_type="row")
        yield Footer()

    def on_mount(self) -> None:
        table: DataTable[Any] = self.query_one(DataTable)
        for title in COLUMNS:
            table.add_column(title, key=title, width=12)
        for number in range(self._rows):
            words = ("● running", str(700000 - number), "Nothing", "bench", "ann", "0/100 0%", "2d", "2d", "")
            table.add_row(*words, key=str(number))
        table.focus()

    def action_change(self) -> None:
        self._step += 1
        table: DataTable[Any] = self.query_one(DataTable)
        for number in range(0, 10, 2):
            table.update_cell(str(number), "Progress", f"{self._step}/100 {self._step}%")

    def action_page(self) -> None:
        self.query_one(DataTable).action_page_down()


if __name__ == "__main__":
    Plain(int(sys.argv[1])).run()
