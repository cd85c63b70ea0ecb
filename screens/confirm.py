"""One question before something that others will notice."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from screens.live import LiveModal
from screens.text import clean, plain


class ConfirmScreen(LiveModal):
    """Enter or y does it, esc or n does not."""

    DEFAULT_CSS = """
    ConfirmScreen { align: center middle; }
    ConfirmScreen Static { width: 64; max-width: 100%; padding: 0 1; background: $panel; }
    ConfirmScreen #question { text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,y", "confirm", "Yes"),
        Binding("n", "back", "No", show=False),
    ]

    def __init__(self, question: str, consequence: str, then: Callable[[], None]) -> None:
        super().__init__()
        self._question = question
        self._consequence = consequence
        self._then = then

    def compose(self) -> ComposeResult:
        yield Static(plain(f"{clean(self._question)}  (enter: yes, esc: no)"), id="question", markup=False)
        yield Static(plain(self._consequence), markup=False)

    def action_confirm(self) -> None:
        self.dismiss()
        self._then()
