"""Computes which columns of a table fit into a line, and how wide they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from screens.text.safe import fit


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """The space that a column needs: its preferred width (`wants`) and its minimum (`least`), in cells.

    Columns with the highest `goes` are narrowed and dropped first. `grow` is the column's share of the space left over.
    """

    wants: int
    least: int
    goes: int
    grow: int = 0


def column_widths(parts: Sequence[ColumnSpec], width: int) -> list[int]:
    """The width of each column, or 0 for a dropped one. Together, with a blank between two, they take at most `width`
    cells.

    No column is cut by the terminal's edge: a truncated number or time would read as a different, plausible one.
    """
    shown = sorted(range(len(parts)), key=lambda place: parts[place].goes)
    while shown and sum(parts[place].least + 1 for place in shown) - 1 > width:
        shown.pop()
    widths = [parts[place].wants if place in shown else 0 for place in range(len(parts))]
    left = width - (sum(widths) + len(shown) - 1)
    for place in reversed(shown):
        taken = min(max(0, -left), widths[place] - parts[place].least)
        widths[place] -= taken
        left += taken
    shares = sum(parts[place].grow for place in shown)
    for place in shown if shares else ():
        widths[place] += left * parts[place].grow // shares
    return widths


def heading(titles: Sequence[str], widths: Sequence[int]) -> str:
    """The titles as a table's heading, each in its width. A column of width 0 is left out."""
    return " ".join(fit(title, width) for title, width in zip(titles, widths, strict=True) if width)
