"""The columns of the list of runs: which fit a terminal's width, and what stands in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from screens import format as fmt
from screens.diff import Cell, Row
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


def layout(width: int) -> Layout:
    """The columns that fit into `width` cells; the growing ones share what is left."""
    shown = [column for column in COLUMNS if column.from_width <= width]
    fixed = _MARK_WIDTH + 1 + _STATE_WIDTH + sum(column.width + 1 for column in shown)
    shares = sum(column.grow for column in shown)
    left = max(0, width - fixed)
    widths = [column.width + left * column.grow // shares for column in shown]
    return Layout(tuple(zip(shown, widths, strict=True)))


def rows(
    runs: Sequence[Run], now: dt.datetime, shape: Layout, marked: frozenset[int], ascii_only: bool
) -> tuple[Row, ...]:
    return tuple(_row(run, now, shape, run.id in marked, ascii_only) for run in runs)


def _row(run: Run, now: dt.datetime, shape: Layout, is_marked: bool, ascii_only: bool) -> Row:
    state = fmt.state_of(run)
    glyph = state.ascii if ascii_only else state.glyph
    mark = Cell("+" if ascii_only else "▪", "bold yellow") if is_marked else Cell(" ")
    cells = [mark, Cell(fit(f"{glyph} {state.word}", _STATE_WIDTH), state.style)]
    cells += [Cell(fit(column.text(run, now), width)) for column, width in shape.columns]
    return Row(run.id, tuple(cells))
