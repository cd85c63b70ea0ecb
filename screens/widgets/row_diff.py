"""From one list of rows to the next: which lines to paint, and where the cursor goes. Pure functions.

The cursor belongs to a row's key, not to its line. That is what keeps an action on the run that it was meant for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's `text`, cleaned and fitted, and its Rich `style`."""

    text: str
    style: str = ""


class Line(Protocol):
    """A row of a table. Equal rows look the same; `cells` may be computed only when they are painted."""

    @property
    def key(self) -> int:
        """The row's permanent key, such as a run's id."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The row's contents."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row with a permanent `key`, such as a run's id, and its `cells`."""

    key: int
    cells: tuple[Cell, ...]


def changed_lines(old: Sequence[Line], new: Sequence[Line]) -> list[int]:
    """The line numbers at which `old` and `new` look different, including lines that one of them does not have."""
    longest = max(len(old), len(new))
    return [
        line
        for line in range(longest)
        if (old[line] if line < len(old) else None) != (new[line] if line < len(new) else None)
    ]


@dataclass(frozen=True, slots=True)
class CursorAnchor:
    """Where the cursor is: on the row `key`, last seen at `line`. While `following`, it stays on the newest row."""

    key: int | None = None
    line: int = 0
    following: bool = True


def reanchor(pin: CursorAnchor, new: Sequence[Line], old: Sequence[Line] = ()) -> CursorAnchor:
    """The cursor after the rows became `new`.

    A following cursor goes to the first row. Otherwise it stays on its row, wherever that moved. If the row is gone,
    the cursor goes to the nearest row below it that is still there, or else above it, or else to the same line.
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
    """The cursor after the user moved it to `line`. On the first row it follows the newest again, if `follow` allows it."""
    if not rows:
        return pin
    line = max(0, min(line, len(rows) - 1))
    return CursorAnchor(rows[line].key, line, follow and line == 0)
