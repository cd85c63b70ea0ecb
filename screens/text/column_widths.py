"""Which columns of a table have room on a line, and how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """What a column asks for: the width that it wants and the least that is of use, which of a value is all of it.

    The columns with the highest `goes` are left out first, and narrowed first. `grow` is the share of what is left.
    """

    wants: int
    least: int
    goes: int
    grow: int = 0


def column_widths(parts: Sequence[ColumnSpec], width: int) -> list[int]:
    """The columns' widths, which with one blank between two are at most `width` together; 0 for a column that is left out.

    No column is ever cut by the terminal's edge: the beginning of a number or of a time is another one, and looks true.
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
