"""An input field that accepts a paste of several lines."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.widgets import Input


class LineInput(Input):
    """Joins the lines of a paste with `joint`: nothing is lost, and no line break acts as enter.

    Textual's Input keeps the first line and silently drops the others.
    """

    def __init__(
        self, value: str | None = None, *, joint: str = " ", select_on_focus: bool = False, **options: Any
    ) -> None:
        super().__init__(value, select_on_focus=select_on_focus, **options)
        self.cursor_blink = False
        self._joint = joint

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        lines = (" ".join(line.split("\t")).strip() for line in event.text.splitlines())
        if text := self._joint.join(filter(None, lines)):
            self.replace(text, *sorted(self.selection))
