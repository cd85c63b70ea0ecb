"""The incident card: a run as plain text, to read, copy to the clipboard, or write to a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from screens.base import PolledModal
from screens.text.incident_card import WIDTH, card, save
from screens.text.safe import clean
from screens.widgets import header_lines
from screens.widgets.line_view import Line, LineView
from screens.widgets.row_diff import Cell
from store.runs.detail import RunDetail


class IncidentCardModal(PolledModal[None]):
    """The card of a run, as of the moment when it was opened."""

    DEFAULT_CSS = f"""
    IncidentCardModal {{ align: center middle; }}
    IncidentCardModal Vertical {{ width: {WIDTH + 4}; max-width: 100%; height: 90%; background: $panel; padding: 0 1; }}
    IncidentCardModal LineView {{ background: $panel; }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "copy", "To the clipboard", priority=True),
        Binding("w", "write", "To a file"),
    ]

    def __init__(self, of: RunDetail) -> None:
        super().__init__()
        self._of = of
        self._text = ""

    def compose(self) -> ComposeResult:
        with Vertical():
            yield header_lines.Line(id="words")
            yield LineView()

    def on_mount(self) -> None:
        backend, snapshot = self.shell.backend, self.shell.snapshot
        now = snapshot.at if snapshot else dt.datetime.now(dt.UTC)
        self._text = card(self._of, now, backend.database, backend.user.login)
        words = "y: to the clipboard   w: to a file   esc: close"
        self.query_one("#words", header_lines.Line).put(Content.styled(words, "bold"))
        lines = (Line(number, (Cell(clean(text)),)) for number, text in enumerate(self._text.splitlines()))
        self.query_one(LineView).show(list(lines))
        self.query_one(LineView).focus()

    @property
    def text(self) -> str:
        """The card's text."""
        return self._text

    def action_copy(self) -> None:
        """Copy the card to the clipboard; if it is too long for that, write it to a file."""
        send: Callable[[str], object] = self.app.copy_to_clipboard
        if send(self._text) is False:
            self.shell.message("The card is too long for this terminal's clipboard: it goes to a file.", "warning")
            self.action_write()
            return
        self.shell.message("The card was sent to the terminal.")
        self.dismiss()

    def action_write(self) -> None:
        """Write the card to a new file in the working directory, in the background."""
        text, run_id, shell = self._text, self._of.run.id, self.shell

        def then(result: Path | Exception) -> None:
            if isinstance(result, Exception):
                reason = (isinstance(result, OSError) and result.strerror) or str(result)
                shell.message(f"The card was not written: {reason}", "error")
            else:
                shell.message(f"The card is in {result}")

        shell.background.run(lambda: save(text, run_id, Path.cwd()), then)
        self.dismiss()
