"""A check box that shows its state by a sign. Textual's own shows the same X, in another colour, when it is off."""

from __future__ import annotations

from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Checkbox

from screens.text.safe import plain


class Check(Checkbox):
    """`[x]` or `[ ]`, in every terminal."""

    @property
    def _button(self) -> Content:
        return Content("[x]" if self.value else "[ ]")


class Checks(Vertical):
    """A group of check boxes: any number of the choices."""

    DEFAULT_CSS = "Checks { height: auto; }"

    def __init__(self, choices: tuple[str, ...], chosen: frozenset[str]) -> None:
        self._checks = {choice: Check(plain(choice), value=choice in chosen) for choice in choices}
        super().__init__(*self._checks.values())

    @property
    def chosen(self) -> list[str]:
        """The checked choices, in their order."""
        return [choice for choice, check in self._checks.items() if check.value]
