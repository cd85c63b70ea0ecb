"""Where in the list a person is, and where a key wanted to go that has no rows yet. No widget, no database: state alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from store.search.keyset import Cursor
from store.search.pages import Page

End = Literal["first", "last"]


class Step(Enum):
    """What is to be done about a move that is pending."""

    NOTHING = "nothing"
    #: The rows are there, and not painted yet: the table moves by what is painted.
    PAINT = "paint"
    MOVE = "move"


@dataclass
class Position:
    """The window that is asked for, and the cursor move that waits for it."""

    #: The window is around this place; None is the top of the list.
    place: Cursor | None = None
    #: The end that the cursor goes to once the window with it is there.
    jump: End | None = None
    #: A pending move: the row at the window's edge that the cursor came to, and how many lines a key wanted to go on from there.
    edge: int | None = None
    lines: int = 0

    def restart(self) -> None:
        """Another list, from its top. What a key wanted of the list before is of no concern here."""
        self.place, self.jump = None, "first"
        self.settle()

    def owe(self, edge: int | None, lines: int) -> None:
        """A key wanted to go on from the row `edge`, by so many lines (up: negative)."""
        self.edge, self.lines = edge, lines

    def settle(self) -> int:
        """Nothing is pending any more. Returns how many lines were."""
        lines, self.edge, self.lines = self.lines, None, 0
        return lines

    @property
    def waits(self) -> bool:
        """Whether a key has not yet got all that it wanted."""
        return bool(self.jump or self.lines)

    def step(self, shown: Cursor | None, page: Page, key: int | None, line: int, rows: int, is_painted: bool) -> Step:
        """What to do about the pending move, with the cursor on the row `key` in `line` of so many `rows` around `shown`.

        A move is dropped when the cursor has gone elsewhere meanwhile, or when the list ends there.
        """
        if not self.lines or shown != self.place:
            return Step.NOTHING
        is_there = 0 <= line + (1 if self.lines > 0 else -1) < rows
        if is_there and self.edge == key:
            return Step.MOVE if is_painted else Step.PAINT
        if self.edge != key or not (page.has_older if self.lines > 0 else page.has_newer):
            self.settle()
        return Step.NOTHING
