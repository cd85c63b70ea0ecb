"""A line to write in, into which several lines can be pasted."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.widgets import Input


class LineInput(Input):
    """Of a paste nothing is lost and nothing is taken for enter: its lines become one, with `joint` between them.

    Textual's own keeps the first line, and says nothing of the others.
    """

    def __init__(self, value: str | None = None, *, joint: str = " ", **options: Any) -> None:
        super().__init__(value, select_on_focus=False, **options)
        self.cursor_blink = False
        self._joint = joint

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        lines = (" ".join(line.split("\t")).strip() for line in event.text.splitlines())
        if text := self._joint.join(filter(None, lines)):
            self.replace(text, *sorted(self.selection))
