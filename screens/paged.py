"""What screens have in common that show a long list by name: a page at a time, and a search by a part of the name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from textual.app import ComposeResult
from textual.widgets import Input

from screens.base import TableScreen
from screens.widgets import header_lines
from screens.widgets.name_search import NameSearch
from screens.widgets.row_diff import Row
from screens.widgets.row_table import RowTable
from store.errors import InputInvalid

_Jump = Literal["first", "last"] | None


class PagedScreen(TableScreen[None]):
    """Moving past an end of the page shows the page there; esc takes a search back before it leaves the screen.

    A screen reads the page behind `after` whose names have `text` in them, and shows it with `show_page`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        #: Where this page and those before it begin, and where the next one does; None: at the start, and nowhere.
        self._places: tuple[Any, ...] = (None,)
        self._next: Any = None
        self._jump: _Jump = None

    def compose_body(self) -> ComposeResult:
        yield header_lines.Line(id="words")
        yield NameSearch("a part of the name; enter searches, esc leaves")
        yield RowTable(beyond=self._beyond)

    # -- pages ------------------------------------------------------------------------------------------------------------

    @property
    def after(self) -> Any:
        """The place that the page begins behind; None for the first page."""
        return self._places[-1]

    @property
    def pages_before(self) -> int:
        """How many pages there are before this one."""
        return len(self._places) - 1

    def show_page(self, rows: Sequence[Row], header: str, following: Any) -> None:
        """Show the page that was asked for; `following` is the place of the next one, None if this is the last."""
        self._next = following
        self.table.show(rows, header if rows else "", may_follow=False, go_to=self._jump)
        self._jump = None

    def show_from_start(self) -> None:
        """Something else is asked for than before: show its first page."""
        self._go((None,), "first")

    def _beyond(self, by: int, to_end: bool) -> None:
        if by > 0 and not to_end and self._next:
            self._go((*self._places, self._next), "first")
        elif by < 0 and len(self._places) > 1:
            self._go((None,) if to_end else self._places[:-1], "first" if to_end else "last")

    def _go(self, places: tuple[Any, ...], jump: _Jump) -> None:
        # Until the page is there, no key goes further.
        self._places, self._jump, self._next = places, jump, None
        self.shell.update_request()

    # -- the search -------------------------------------------------------------------------------------------------------

    def search_for(self, text: str) -> None:
        """Show what has this text in its name, from the first. A screen that wants more of the text raises InputInvalid."""
        self.text = text
        self.show_from_start()

    def action_search(self) -> None:
        """Open the line for the search."""
        self.query_one(NameSearch).open(self.text)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        try:
            self.search_for(message.value.strip())
        except InputInvalid as error:
            self.shell.error(error)  # what was typed stays, to be mended
        else:
            self._leave_search()

    def on_name_search_left(self) -> None:
        self._leave_search()

    def _leave_search(self) -> None:
        self.query_one(NameSearch).close()
        self.table.focus()

    def action_back(self) -> None:
        """Show all again; if all are shown, go back."""
        if self.text:
            self.search_for("")
        else:
            super().action_back()
