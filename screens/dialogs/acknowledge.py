"""The dialog that acknowledges runs: a question and a line for a note, above the footer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from screens.background import Keys
from screens.base import PolledModal
from screens.text.safe import clean
from screens.widgets.header_lines import Line
from screens.widgets.line_input import LineInput
from store.runs.acknowledging import Receipt


class AcknowledgeModal(PolledModal[tuple[Receipt, ...]]):
    """Enter acknowledges, with or without a note; esc leaves. The note stays until it is accepted or left."""

    DEFAULT_CSS = """
    AcknowledgeModal { align: left bottom; background: transparent; }
    AcknowledgeModal > Vertical:ansi, AcknowledgeModal > Vertical:nocolor { border: none; padding: 0 1; }
    AcknowledgeModal Vertical { width: 100%; height: auto; background: $panel; padding: 0 1; }
    AcknowledgeModal Input, AcknowledgeModal Input:focus { border: none; height: 1; padding: 0; background: $surface; }
    AcknowledgeModal #problem { display: none; }
    AcknowledgeModal #problem.shown { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Close")]

    def __init__(self, run_ids: Sequence[int], question: str) -> None:
        super().__init__()
        self._run_ids = tuple(run_ids)
        self._question = clean(question)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Line(id="question")
            yield LineInput(placeholder="a note for colleagues, or nothing; enter acknowledges, esc leaves")
            yield Line(id="problem")

    def on_mount(self) -> None:
        self.on_resize()
        self.query_one(LineInput).focus()

    @property
    def would_lose(self) -> bool:
        return bool(self.query_one(LineInput).value.strip())

    def on_resize(self) -> None:
        """Fit the question into the line."""
        width = max(10, self.size.width - 2)
        self.query_one("#question", Line).put(Content.styled(self._question, "bold").truncate(width, ellipsis=True))

    def on_input_submitted(self, message: Input.Submitted) -> None:
        attention, run_ids, note = self.shell.backend.attention, self._run_ids, message.value.strip()
        self.in_background(lambda: attention.acknowledge(run_ids, note), self._acknowledged, Keys.WAIT)

    def _acknowledged(self, result: tuple[Receipt, ...] | Exception) -> None:
        if not isinstance(result, Exception):
            self.dismiss(result)
            return
        problem = self.query_one("#problem", Line)
        problem.set_class(True, "shown")
        problem.put(Content.styled(clean(str(result)), "failed").truncate(max(10, self.size.width - 2), ellipsis=True))
