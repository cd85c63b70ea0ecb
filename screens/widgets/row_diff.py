"""From one list of rows to the next: what has to be painted, and where the cursor is then. Pure functions.

The cursor belongs to a row's key, not to its place. These few lines are what keeps an action on the run that it was meant for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's text, already fit for the terminal, and its style."""

    text: str
    style: str = ""


class Line(Protocol):
    """A row of a table. Two that are equal look alike; `cells` are made when they are painted, if need be."""

    @property
    def key(self) -> int:
        """The row's own for ever: a run's id."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """What stands in it."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row under a key that is its own for ever: a run's id."""

    key: int
    cells: tuple[Cell, ...]


def changed_lines(old: Sequence[Line], new: Sequence[Line]) -> list[int]:
    """The lines of `new` that look otherwise than the same lines of `old`; lines that are gone are listed, too."""
    longest = max(len(old), len(new))
    return [
        line
        for line in range(longest)
        if (old[line] if line < len(old) else None) != (new[line] if line < len(new) else None)
    ]


@dataclass(frozen=True, slots=True)
class CursorAnchor:
    """Where the cursor is: on the row `key`, last seen at `line`. It follows the newest row while `following`."""

    key: int | None = None
    line: int = 0
    following: bool = True


def reanchor(pin: CursorAnchor, new: Sequence[Line], old: Sequence[Line] = ()) -> CursorAnchor:
    """The cursor after the rows have become `new`.

    Following, it is on the first row. Otherwise it stays on its row wherever that went; when its row has left the list, it
    goes to the next one below that is still there, or above, or to the row that is now in its place.
    """
    if not new:
        return CursorAnchor(None, 0, pin.following)
    if pin.following or pin.key is None:
        return CursorAnchor(new[0].key, 0, pin.following)
    lines = {row.key: number for number, row in enumerate(new)}
    if pin.key in lines:
        return CursorAnchor(pin.key, lines[pin.key], False)
    near = (row.key for row in (*old[pin.line + 1 :], *reversed(old[: pin.line])) if row.key in lines)
    line = lines[key] if (key := next(near, None)) is not None else min(pin.line, len(new) - 1)
    return CursorAnchor(new[line].key, line, False)


def move(pin: CursorAnchor, rows: Sequence[Line], line: int, *, follow: bool) -> CursorAnchor:
    """The cursor after a person has moved it to `line`; on the first row it follows the newest again, if it may."""
    if not rows:
        return pin
    line = max(0, min(line, len(rows) - 1))
    return CursorAnchor(rows[line].key, line, follow and line == 0)
