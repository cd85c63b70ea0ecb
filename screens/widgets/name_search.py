"""The input field for a part of a name."""

from __future__ import annotations

from textual import events
from textual.message import Message

from screens.widgets.line_input import LineInput
from store.intune.browse import MAX_TEXT


class NameSearch(LineInput):
    """Enter keeps what is found; esc leaves the field. Hidden while not in use. The screen decides when it searches."""

    DEFAULT_CSS = """
    NameSearch { display: none; height: 1; border: none; padding: 0 1; background: $surface; }
    NameSearch:focus { border: none; }
    NameSearch.editing { display: block; }
    """

    class Left(Message):
        """The user left the field without a search."""

    def __init__(self, placeholder: str, longest: int = MAX_TEXT) -> None:
        super().__init__(placeholder=placeholder, max_length=longest)

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
