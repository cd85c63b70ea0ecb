"""The confirmation of an action that affects others or cannot be undone: one line above the footer, if it fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from screens.base import PolledModal
from screens.text.safe import clean


class ConfirmModal(PolledModal[None]):
    """Enter or y confirms; esc or n cancels. The screen below stays visible."""

    DEFAULT_CSS = """
    ConfirmModal { align: left bottom; background: transparent; }
    ConfirmModal Static { width: 100%; height: auto; max-height: 100%; padding: 0 1; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,y", "confirm", "Yes"),
        Binding("n,q", "back", "No", show=False),
    ]

    def __init__(self, question: str, then: Callable[[], None]) -> None:
        super().__init__()
        self.question = clean(question)
        self._then = then

    def compose(self) -> ComposeResult:
        yield Static(Content.assemble((self.question, "bold reverse"), "  enter: yes  esc: no"), markup=False)

    def action_confirm(self) -> None:
        self.dismiss()
        self._then()
