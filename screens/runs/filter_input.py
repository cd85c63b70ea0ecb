"""The input field for a filter: completes terms, shows hints, and marks errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input
from textual.widgets.input import Selection

from screens.runs import completion
from screens.runs.completion import Known
from screens.widgets.line_input import LineInput
from store.errors import FilterInvalid
from store.search.filter import parse_line, tokens


class FilterInput(LineInput):
    """Enter applies the filter; esc keeps the previous one. Hidden while not in use."""

    DEFAULT_CSS = """
    FilterInput { display: none; height: 1; border: none; padding: 0 1; background: $surface; }
    FilterInput:focus { border: none; }
    FilterInput.editing { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", show=False),
        Binding("up", "earlier(1)", "Earlier filter", show=False),
        Binding("down", "earlier(-1)", "Later filter", show=False),
    ]

    class Applied(Message):
        """The line is a valid filter, and the user applied it."""

        def __init__(self, terms: str) -> None:
            self.terms = terms
            super().__init__()

    class Left(Message):
        """The user left the line; the previous filter stays. `typed` is what was written and not applied."""

        def __init__(self, typed: str) -> None:
            self.typed = typed
            super().__init__()

    class Refused(Message):
        """The line is not a valid filter: `words` say why and where."""

        def __init__(self, words: str) -> None:
            self.words = words
            super().__init__()

    class Hinted(Message):
        """A new hint to show, in `words`."""

        def __init__(self, words: str) -> None:
            self.words = words
            super().__init__()

    def __init__(self, known: Callable[[], Known]) -> None:
        self._known = known
        self._opened_with = ""
        #: The line as tab left it: a comma typed then goes behind the value, and not behind the blank after it.
        self._completed: str | None = None
        #: What ↑ goes back through: the line as it is, then earlier ones; and how far it has gone.
        self._earlier: list[str] = []
        self._at = 0
        super().__init__(
            placeholder="status:running outcome:failed type:inventory.* by:NAME since:2h mine -code:graph.* words",
            suggester=_Completed(known),
        )

    def open(self, terms: str, history: Sequence[str] = ()) -> None:
        """Show the field, filled with these terms; ↑ goes back through the history, whose first is the newest."""
        self._opened_with = terms
        self._earlier, self._at = [terms, *(one for one in history if one != terms)], 0
        self.value = terms
        self.cursor_position = len(terms)
        self.add_class("editing")
        self.focus()
        self._hint()

    def close(self) -> None:
        """Hide the field."""
        self.remove_class("editing")

    def action_complete(self) -> None:
        """Complete the last term. A blank follows a whole term, for the next one; a name goes on with its value."""
        whole = completion.completed(self.value, self._known())
        if whole is not None:
            self.value = self._completed = whole if whole.endswith(":") else f"{whole} "
            self.cursor_position = len(self.value)

    def action_earlier(self, by: int) -> None:
        """Show an earlier filter, or a later one. What was typed stays where it was."""
        self._earlier[self._at] = self.value
        self._at = max(0, min(len(self._earlier) - 1, self._at + by))
        self.value = self._earlier[self._at]
        self.cursor_position = len(self.value)

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        if self.has_focus:
            self._hint()

    def _hint(self) -> None:
        self.post_message(self.Hinted(completion.hint(self.value, self._known())))

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        try:
            parse_line(self.value)
        except FilterInvalid as error:
            self.selection = Selection(error.start, error.end)
            self.post_message(self.Refused(completion.where(error)))
            return
        self.post_message(self.Applied(" ".join(token.text for token in tokens(self.value))))

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            typed = self.value.strip()
            self.post_message(self.Left("" if typed == self._opened_with else typed))
        elif event.key == "comma" and self.value == self._completed and self.cursor_position == len(self.value):
            self.value = self.value.rstrip(" ")


class _Completed(Suggester):
    """Shows after the cursor what tab or the right arrow would insert."""

    def __init__(self, known: Callable[[], Known]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._known = known

    async def get_suggestion(self, value: str) -> str | None:
        return completion.completed(value, self._known())
