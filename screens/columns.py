"""The columns of the list of runs: which fit a terminal's width, and what stands in them."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Final

from screens import format as fmt
from screens.diff import Cell
from screens.text import fit
from store.records import Run


@dataclass(frozen=True, slots=True)
class Column:
    """`grow` shares what is left of the width; the column is dropped when the terminal is narrower than `from_width`."""

    title: str
    width: int
    from_width: int
    text: Callable[[Run, dt.datetime], str]
    grow: int = 0


COLUMNS: Final = (
    Column("Run", 7, 0, lambda run, now: str(run.id)),
    Column("Operation", 14, 0, lambda run, now: run.title, grow=2),
    Column("Tenant", 9, 60, lambda run, now: run.tenant, grow=1),
    Column("By", 9, 100, lambda run, now: run.initiator_name),
    Column("Progress", 13, 72, lambda run, now: fmt.progress(run)),
    Column("Age", 5, 0, lambda run, now: fmt.age(run.created_at, now)),
    Column("Took", 5, 50, fmt.run_duration),
    Column("First failure", 12, 110, lambda run, now: fmt.first_failure(run), grow=6),
)
_STATE_WIDTH: Final = 11
_MARK_WIDTH: Final = 1


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns with their widths for one terminal width."""

    columns: tuple[tuple[Column, int], ...]

    @property
    def header(self) -> str:
        titles = [
            " " * _MARK_WIDTH,
            fit("State", _STATE_WIDTH),
            *(fit(column.title, width) for column, width in self.columns),
        ]
        return " ".join(titles)


@functools.lru_cache(maxsize=8)
def layout(width: int) -> Layout:
    """The columns that fit into `width` cells; the growing ones share what is left."""
    shown = [column for column in COLUMNS if column.from_width <= width]
    fixed = _MARK_WIDTH + 1 + _STATE_WIDTH + sum(column.width + 1 for column in shown)
    shares = sum(column.grow for column in shown)
    left = max(0, width - fixed)
    widths = [column.width + left * column.grow // shares for column in shown]
    return Layout(tuple(zip(shown, widths, strict=True)))


class RunRow:
    """A run's row. Its cells are made when it is painted: of a window of hundreds a screen shows forty."""

    __slots__ = ("_cells", "_shape", "ascii_only", "is_marked", "key", "now", "run")

    def __init__(self, run: Run, now: dt.datetime, shape: Layout, is_marked: bool, ascii_only: bool) -> None:
        self.key = run.id
        self.run = run
        self.now = now
        self.is_marked = is_marked
        self.ascii_only = ascii_only
        self._shape = shape
        self._cells: tuple[Cell, ...] | None = None

    def __eq__(self, other: object) -> bool:
        """Whether both look alike. Time changes what a row says of a run only now and then."""
        if not isinstance(other, RunRow):
            return NotImplemented
        if self.run != other.run or self.is_marked is not other.is_marked or self._shape is not other._shape:
            return False
        return self.now == other.now or self._times() == other._times()

    __hash__ = None  # type: ignore[assignment]

    def _times(self) -> tuple[str, str]:
        return fmt.age(self.run.created_at, self.now), fmt.run_duration(self.run, self.now)

    @property
    def cells(self) -> tuple[Cell, ...]:
        if self._cells is None:
            self._cells = self._made()
        return self._cells

    def _made(self) -> tuple[Cell, ...]:
        state = fmt.state_of(self.run)
        glyph = state.ascii if self.ascii_only else state.glyph
        mark = Cell("+" if self.ascii_only else "▪", "bold yellow") if self.is_marked else Cell(" ")
        cells = [mark, Cell(fit(f"{glyph} {state.word}", _STATE_WIDTH), state.style)]
        cells += [Cell(fit(column.text(self.run, self.now), width)) for column, width in self._shape.columns]
        return tuple(cells)


def rows(
    runs: Sequence[Run], now: dt.datetime, shape: Layout, marked: Container[int], ascii_only: bool
) -> tuple[RunRow, ...]:
    return tuple(RunRow(run, now, shape, run.id in marked, ascii_only) for run in runs)
