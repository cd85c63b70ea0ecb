"""Where in the list the user is, and a cursor move that waits for rows not read yet.

Pure state: no widget, no database.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from store.search.keyset import Cursor
from store.search.pages import Page

End = Literal["first", "last"]


class Step(Enum):
    """What to do next about a pending move."""

    NOTHING = "nothing"
    #: The rows have arrived but are not painted yet; the table moves by painted rows.
    PAINT = "paint"
    MOVE = "move"


@dataclass
class Position:
    """The window to read, and the cursor move that waits for it."""

    #: The window is around this place; None is the top of the list.
    place: Cursor | None = None
    #: The end of the list that the cursor jumps to once the window arrives.
    jump: End | None = None
    #: Pending cursor move: the id of the edge row, and the lines still to move once the next window arrives (up: negative).
    edge: int | None = None
    lines: int = 0

    def restart(self) -> None:
        """Start at the top of another list, and drop pending moves."""
        self.place, self.jump = None, "first"
        self.settle()

    def owe(self, edge: int | None, lines: int) -> None:
        """Record a move that stopped at the row `edge`, with `lines` still to go (up: negative)."""
        self.edge, self.lines = edge, lines

    def settle(self) -> int:
        """Clear the pending move. Returns how many lines it had left."""
        lines, self.edge, self.lines = self.lines, None, 0
        return lines

    @property
    def waits(self) -> bool:
        """Whether a move or a jump is pending."""
        return bool(self.jump or self.lines)

    def step(self, shown: Cursor | None, page: Page, key: int | None, line: int, rows: int, is_painted: bool) -> Step:
        """Decide about the pending move: the cursor is on the row `key`, at `line` of `rows`, in the window around
        `shown`.

        The move is dropped if the cursor has since gone to another row, or if the list ends there.
        """
        if not self.lines or shown != self.place:
            return Step.NOTHING
        is_there = 0 <= line + (1 if self.lines > 0 else -1) < rows
        if is_there and self.edge == key:
            return Step.MOVE if is_painted else Step.PAINT
        if self.edge != key or not (page.has_older if self.lines > 0 else page.has_newer):
            self.settle()
        return Step.NOTHING
