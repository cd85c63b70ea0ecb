"""A check box that shows its state by a sign. Textual's own shows the same X, in another colour, when it is off."""

from __future__ import annotations

from collections.abc import Mapping

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

    def __init__(
        self,
        choices: tuple[str, ...],
        chosen: frozenset[str],
        labels: Mapping[str, str] | None = None,
        id: str | None = None,  # noqa: A002 (Textual's name for it)
    ) -> None:
        """`labels` are what people call the choices, where that differs."""
        called = labels or {}
        self._checks = {one: Check(plain(called.get(one, one)), value=one in chosen) for one in choices}
        super().__init__(*self._checks.values(), id=id)

    @property
    def chosen(self) -> list[str]:
        """The checked choices, in their order."""
        return [choice for choice, check in self._checks.items() if check.value]
