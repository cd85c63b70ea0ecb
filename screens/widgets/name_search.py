"""The input field for a part of a name."""

from __future__ import annotations

from textual import events, on
from textual.message import Message

from screens.widgets.line_input import LineInput
from store.intune.browse import MAX_TEXT


class NameSearch(LineInput):
    """Enter keeps what is found; esc leaves the field, which has what was typed when it is opened again. Hidden while not in
    use. The screen decides when it searches.
    """

    DEFAULT_CSS = """
    NameSearch { display: none; height: 1; border: none; padding: 0 1; background: $surface; }
    NameSearch:focus { border: none; }
    NameSearch.editing { display: block; }
    """

    class Left(Message):
        """The user left the field without a search."""

    def __init__(self, placeholder: str, longest: int = MAX_TEXT) -> None:
        super().__init__(placeholder=placeholder, max_length=longest)
        #: What was typed when the field was left without a search.
        self._left = ""

    def open(self, text: str) -> None:
        """Show the field with what was typed and left, else with the text of the last search."""
        self.value = self._left or text
        self.cursor_position = len(self.value)
        self.add_class("editing")
        self.focus()

    def close(self) -> None:
        """Hide the field."""
        self.remove_class("editing")

    @on(LineInput.Submitted)
    def _searched(self) -> None:
        self._left = ""

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            self._left = self.value
            self.post_message(self.Left())
