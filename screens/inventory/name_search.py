"""The input field for a part of a name."""

from __future__ import annotations

from textual import events
from textual.message import Message

from screens.widgets.line_input import LineInput
from store.intune.browse import MAX_TEXT


class NameSearch(LineInput):
    """Enter searches; esc keeps what is shown. Hidden while not in use."""

    DEFAULT_CSS = """
    NameSearch { display: none; height: 1; border: none; padding: 0 1; background: $surface; }
    NameSearch:focus { border: none; }
    NameSearch.editing { display: block; }
    """

    class Left(Message):
        """The user left the field without a search."""

    def __init__(self) -> None:
        super().__init__(placeholder="a part of the name; enter searches, esc leaves", max_length=MAX_TEXT)

    def open(self, text: str) -> None:
        """Show the field with the text of the last search in it."""
        self.value = text
        self.cursor_position = len(text)
        self.add_class("editing")
        self.focus()

    def close(self) -> None:
        """Hide the field."""
        self.remove_class("editing")

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            self.post_message(self.Left())
