"""Plots over hours, drawn with signs: a column an hour, with a gap of one cell. Pure functions: numbers in, lines out.

A plot is a title, ROWS lines of columns beside an axis, the hours below them, and the dates below those. It takes at most
HEIGHT lines, each exactly as wide as its room.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from textual.content import Content

from screens.text import axis
from screens.text.safe import fit

#: Lines of columns. Odd, so that the middle number of the axis stands in the middle.
ROWS: Final = 5
#: Lines of a whole plot.
HEIGHT: Final = ROWS + 3
#: Cells from one column to the next: the column and its gap.
_STEP: Final = 2
#: The number of levels that a cell of a column can be filled to.
_LEVELS: Final = 8
#: Of the clock's hours, those that this divides are named.
_LABEL_EVERY: Final = 3
#: Cells for the labels of an axis, so that plots side by side begin at the same hour; a longer label takes more.
_LABEL_ROOM: Final = 4

#: A cell: its sign and its role.
Cell = tuple[str, str]
_BLANK: Final[Cell] = (" ", "")


@dataclass(frozen=True, slots=True)
class Signs:
    """What plots are drawn with. `levels` are the signs of a cell that is filled by one to eight eighths."""

    levels: str
    #: Those of what failed.
    failed: str
    #: The foot of an hour without a value.
    nothing: str
    median: str
    p95: str
    #: Median and p95 in the same cell, and what lies between them.
    both: str
    between: str


#: Failures differ in colour alone.
COLOURED: Final = Signs("▁▂▃▄▅▆▇█", "▁▂▃▄▅▆▇█", "·", "●", "━", "◉", "│")
#: For terminals without colour: failures have a sign of their own.
PLAIN: Final = Signs("▁▂▃▄▅▆▇█", "xxxxxxxx", "·", "●", "━", "◉", "│")
#: In ASCII a cell is filled by a third, by two, or wholly.
ASCII: Final = Signs("...:::##", "xxxxxxxx", "-", "o", "=", "@", "|")


def signs_for(ascii_only: bool, no_color: bool) -> Signs:
    """The signs for a terminal."""
    return ASCII if ascii_only else PLAIN if no_color else COLOURED


@dataclass(frozen=True, slots=True)
class Stacked:
    """Columns of whole numbers, one for each hour. Of each, the last `failed` are drawn on top, in their role."""

    title: str
    numbers: tuple[int, ...]
    failed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Spans:
    """Columns of seconds, one for each hour; None: no value."""

    title: str
    seconds: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Durations:
    """For each hour the median of durations as a dot and their 95th percentile as a tick, in seconds; None: no value."""

    title: str
    median: tuple[float | None, ...]
    p95: tuple[float | None, ...]


Plot = Stacked | Spans | Durations


def draw(plot: Plot, hours: Sequence[dt.datetime], width: int, signs: Signs) -> list[Content]:
    """The plot in HEIGHT lines of exactly `width` cells: as many of the newest hours as fit. `hours` are in the zone that
    names them.

    The plot has a value for each hour. Where not even one column fits, only the title is left.
    """
    scale, columns_of = _drawing(plot, signs)
    labels = _labels(scale)
    left = max(_LABEL_ROOM, *map(len, labels)) + 1
    shown = min(len(hours), (width - left) // _STEP)
    head = _title(plot, width, signs)
    if shown < 1:
        return [head, *[Content(" " * width)] * (HEIGHT - 1)]
    columns = columns_of(len(hours) - shown)
    lines = [_line(labels[row], left, [column[row] for column in columns], width) for row in range(ROWS)]
    return [head, *lines, *_feet(hours[-shown:], left, width)]


def _drawing(plot: Plot, signs: Signs) -> tuple[axis.Scale, Callable[[int], list[list[Cell]]]]:
    """The plot's axis, and what draws its columns from a place on: each a list of ROWS cells, from the top."""
    if isinstance(plot, Stacked):
        scale = axis.counts(max(plot.numbers, default=0))
        pairs = list(zip(plot.numbers, plot.failed, strict=True))
        return scale, lambda first: [stacked(many, bad, scale.top, signs) for many, bad in pairs[first:]]
    if isinstance(plot, Spans):
        scale = axis.seconds(max((one for one in plot.seconds if one is not None), default=0.0))
        return scale, lambda first: [column(one, scale.top, signs) for one in plot.seconds[first:]]
    both = list(zip(plot.median, plot.p95, strict=True))
    scale = axis.seconds(max((one for pair in both for one in pair if one is not None), default=0.0))
    return scale, lambda first: [marks(median, p95, scale.top, signs) for median, p95 in both[first:]]


# ---- columns, from the top to the foot


def stacked(number: int, failed: int, top: float, signs: Signs) -> list[Cell]:
    """A column of `number`, the last `failed` of which are on top in their role: at least an eighth of a cell, if any.

    A cell has one role, so the border between both is rounded to a whole cell. Where that would leave failures no room, the
    column is drawn higher, by at most half a cell and an eighth.
    """
    eighths = _eighths(number, top)
    if not eighths:
        return _empty(signs)
    if not failed:
        return _filled(eighths, lambda _: (signs.levels, "done"))
    border = min(ROWS - 1, round(_eighths(number - failed, top) / _LEVELS))
    eighths = max(eighths, border * _LEVELS + 1)
    return _filled(eighths, lambda cell: (signs.levels, "done") if cell < border else (signs.failed, "failed"))


def column(value: float | None, top: float, signs: Signs) -> list[Cell]:
    """A column of a value; one above zero takes at least an eighth of a cell."""
    eighths = _eighths(value or 0.0, top)
    return _filled(eighths, lambda _: (signs.levels, "accent")) if eighths else _empty(signs)


def marks(median: float | None, p95: float | None, top: float, signs: Signs) -> list[Cell]:
    """A dot at the median, a tick at the 95th percentile, and a quiet line between them."""
    if median is None or p95 is None:
        return _empty(signs)
    low, high = (max(0, min(ROWS - 1, int(value / top * ROWS))) for value in (median, max(median, p95)))
    drawn = dict.fromkeys(range(low + 1, high), (signs.between, "line"))
    drawn |= {high: (signs.p95, "partial"), low: (signs.median if high > low else signs.both, "accent")}
    return [drawn.get(row, _BLANK) for row in reversed(range(ROWS))]


def _eighths(value: float, top: float) -> int:
    """The value's height in eighths of a cell: at least 1 above zero."""
    return max(1, min(ROWS * _LEVELS, round(value / top * ROWS * _LEVELS))) if value > 0 else 0


def _filled(eighths: int, looks: Callable[[int], tuple[str, str]]) -> list[Cell]:
    """Cells filled up to `eighths`; `looks` gives the levels and the role of a cell, counted from the foot."""
    cells = []
    for cell in reversed(range(ROWS)):
        level = min(_LEVELS, eighths - cell * _LEVELS)
        levels, role = looks(cell)
        cells.append((levels[level - 1], role) if level > 0 else _BLANK)
    return cells


def _empty(signs: Signs) -> list[Cell]:
    return [*[_BLANK] * (ROWS - 1), (signs.nothing, "line")]


# ---- what stands around the columns


def _labels(scale: axis.Scale) -> list[str]:
    """The axis: its top, its middle, and 0; a label for each line of columns."""
    return [scale.top_label, *[""] * (ROWS // 2 - 1), scale.middle_label, *[""] * (ROWS // 2 - 1), "0"]


def _line(label: str, left: int, cells: Sequence[Cell], width: int) -> Content:
    parts: list[tuple[str, str]] = [(" " * (left - 1 - len(label)), ""), (label, "quiet")]
    for cell in cells:
        parts += [(" ", ""), cell]
    drawn = Content.assemble(*parts)
    return drawn + " " * (width - drawn.cell_length)


def _title(plot: Plot, width: int, signs: Signs) -> Content:
    named: list[tuple[str, str]] = [(plot.title, "bold")]
    if isinstance(plot, Stacked) and any(plot.failed):
        named += [("  ", ""), (f"{signs.failed[-1]} failed", "failed")]
    if isinstance(plot, Durations):
        named += [("  ", ""), (f"{signs.median} median", "accent"), ("  ", ""), (f"{signs.p95} p95", "partial")]
        named += [("  ", ""), (f"{signs.both} both", "accent")]
    while sum(len(text) for text, _ in named) > width and len(named) > 1:
        named = named[:-2]
    if len(named) == 1:
        return Content.styled(fit(plot.title, width), "bold")
    told = Content.assemble(*named)
    return told + " " * (width - told.cell_length)


def _feet(hours: Sequence[dt.datetime], left: int, width: int) -> list[Content]:
    """Below the columns: every third hour of the clock, and at midnight the date. The first date is told, too."""
    clock, dates = [" "] * width, [" "] * width
    midnights = [number for number, hour in enumerate(hours) if hour.hour == 0]
    for number, hour in enumerate(hours):
        if hour.hour % _LABEL_EVERY == 0:
            _write(clock, left + number * _STEP, f"{hour:%H}")
    for number in midnights:
        _write(dates, left + number * _STEP, f"{hours[number]:%m-%d}")
    if left + 5 <= width:
        _write(dates, left, f"{hours[0]:%m-%d}")
    return [Content.assemble(" " * left, ("".join(line[left:]), "quiet")) for line in (clock, dates)]


def _write(line: list[str], place: int, text: str) -> None:
    """Write the text at the place, or further left if the line ends before; not where it would touch another one."""
    place = min(place, len(line) - len(text))
    around = line[max(0, place - 1) : place + len(text) + 1]
    if place >= 0 and not "".join(around).strip():
        line[place : place + len(text)] = text


def side_by_side(plots: Sequence[list[Content]]) -> Content:
    """The lines of several plots, one plot beside the other, with a gap of two cells."""
    return Content("\n").join([Content("  ").join(lines) for lines in zip(*plots, strict=True)])


# ---- in one line


def sparkline(numbers: Sequence[int], failed: Sequence[int], ascii_only: bool) -> Content:
    """The numbers as one line, a cell each, against the largest of them. Where some failed it has their role."""
    levels, nothing = ("_.:-=+*#", " ") if ascii_only else (COLOURED.levels, COLOURED.nothing)
    top = max(numbers, default=0)
    parts = []
    for number, bad in zip(numbers, failed, strict=True):
        level = max(1, round(number / top * _LEVELS)) if number else 0
        parts.append((levels[level - 1], "failed" if bad else "done") if level else (nothing, "line"))
    return Content.assemble(*parts)
