"""The columns of the list of runs: which of them fit a terminal's width, and their contents."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from screens.text import format as fmt
from screens.text.column_widths import ColumnSpec, column_widths
from screens.text.safe import figure, fit
from screens.text.times import AGES, TimeStyle
from screens.widgets.row_diff import Cell
from store.model.records import Outcome, Run, Status
from store.search.pages import Order


@dataclass(frozen=True, slots=True)
class Column:
    """A column: shown from a terminal width of `from_width` cells, if `room` fits.

    `title` is its header, and `text` formats a run at the database's present instant. A column that `is_figure` is
    never cut.
    """

    title: str
    from_width: int
    room: ColumnSpec
    text: Callable[[Run, dt.datetime], str]
    is_figure: bool = False


def _progress(run: Run) -> str:
    """A bar and a percentage while it runs with a known total; afterwards how much of how much."""
    counts = run.summary_counts
    if counts is None or not counts.total:
        return ""
    if run.status is not Status.RUNNING:
        return f"{counts.success} / {counts.total}"
    if counts.done >= counts.total:
        return str(counts.done)  # the operation does not know the total in advance
    share = counts.done / counts.total
    return f"{fmt.gauge(share, _BAR)} {100 * counts.done // counts.total:>3}%"


def remark(run: Run) -> str:
    """What is to be said of the run: that it waits for a person, or its first failure, and whether somebody has seen to that; ""
    if nothing is.
    """
    if run.held:
        return "waits for you"
    failure = fmt.first_failure(run)
    return f"acked: {failure}".removesuffix(": ") if run.acknowledged_at else failure


COLUMNS: Final = (
    Column("Run", 0, ColumnSpec(7, 7, 1), lambda run, now: str(run.id), is_figure=True),
    Column("Operation", 0, ColumnSpec(14, 8, 2, grow=2), lambda run, now: run.title),
    Column("Tenant", 60, ColumnSpec(9, 9, 6, grow=1), lambda run, now: run.tenant),
    Column("By", 100, ColumnSpec(9, 9, 8), lambda run, now: run.initiator_name),
    Column("Progress", 72, ColumnSpec(13, 13, 7), lambda run, now: _progress(run), is_figure=True),
    Column("Age", 0, ColumnSpec(5, 5, 3), lambda run, now: fmt.age(run.created_at, now), is_figure=True),
    Column("Took", 50, ColumnSpec(5, 5, 5), fmt.run_duration, is_figure=True),
    Column("First failure", 110, ColumnSpec(12, 12, 9, grow=6), lambda run, now: remark(run)),
)
#: Cells of a running run's bar.
_BAR: Final = 8
_STATE: Final = ColumnSpec(11, 7, 0)
#: The wider state column while some run's worker is silent: it shows for how long.
_SILENT: Final = ColumnSpec(13, 13, 0)
_MARK: Final = ColumnSpec(1, 1, 0)
#: On these tabs the first failure is shown from _FAILURE_FROM cells on; the columns in its place need a wide terminal.
_FAILING: Final = frozenset({"Failed", "Partial"})
_IN_THE_FAILURES_PLACE: Final = ("Progress", "Took")
_FAILURE_FROM: Final = 49


@dataclass(frozen=True, slots=True)
class Layout:
    """`columns` with their widths, for one terminal width; `state` is the width of the state column, and `times` how instants
    are shown.
    """

    columns: tuple[tuple[Column, int], ...]
    state: int
    times: TimeStyle = AGES

    @property
    def header(self) -> str:
        """The table's header line."""
        titles = [
            " " * _MARK.wants,
            fit("State", self.state),
            *(
                f"{column.title:>{width}}" if column.is_figure else fit(column.title, width)
                for column, width in self.columns
            ),
        ]
        return " ".join(titles)


@functools.lru_cache(maxsize=8)
def layout(
    width: int, tab: str = "All", order: Order = Order.CREATED, silent: bool = False, times: TimeStyle = AGES
) -> Layout:
    """The columns that fit into `width` cells. The column that the tab or the order is about is always among them.

    `silent`: some run's worker is silent, so the state column needs room to show for how long.
    """
    shown = [column for column in _wanted(tab, order, times) if column.from_width <= width]
    _, state, *widths = column_widths([_MARK, _SILENT if silent else _STATE, *(column.room for column in shown)], width)
    return Layout(tuple((column, room) for column, room in zip(shown, widths, strict=True) if room), state, times)


#: What a click on a column's title orders by.
_ORDERS: Final = MappingProxyType(
    {
        "Run": Order.CREATED,
        "Age": Order.CREATED,
        "At": Order.CREATED,
        "At (UTC)": Order.CREATED,
        "Operation": Order.TYPE,
        "Took": Order.DURATION,
        "Progress": Order.STARTED,
    }
)


def order_at(shape: Layout, x: int) -> Order | None:
    """The order that the title at column `x` of the header stands for; None if it stands for none."""
    begin = _MARK.wants + 1 + shape.state + 1
    if _MARK.wants < x < begin:
        return Order.STARTED
    for column, width in shape.columns:
        if begin <= x < begin + width:
            return _ORDERS.get(column.title)
        begin += width + 1
    return None


def _wanted(tab: str, order: Order, times: TimeStyle) -> Iterator[Column]:
    for column in COLUMNS:
        if column.title == "First failure" and tab in _FAILING:
            yield replace(column, from_width=_FAILURE_FROM, room=replace(column.room, goes=4))
        elif column.title == "Took" and order is Order.DURATION:
            yield replace(column, from_width=0, room=replace(column.room, goes=1))
        elif column.title == "Age":
            yield _created(column, times)
        elif column.title in _IN_THE_FAILURES_PLACE and tab in _FAILING:
            yield replace(column, from_width=110)
        else:
            yield column


def _created(column: Column, times: TimeStyle) -> Column:
    """The column of ages; of clock times in its place."""
    return replace(
        column,
        title=times.heading(column.title),
        room=times.room(column.room),
        text=lambda run, now: times.told(run.created_at, now),
    )


class RunRow:
    """A run as a table row. Its cells are computed when painted: a window holds hundreds of runs, a screen shows forty."""

    __slots__ = ("_cells", "_shape", "ascii_only", "is_marked", "key", "now", "run", "silence")

    def __init__(
        self,
        run: Run,
        now: dt.datetime,
        shape: Layout,
        is_marked: bool,
        ascii_only: bool,
        silence: float | None = None,
    ) -> None:
        self.key = run.id
        self.run = run
        self.now = now
        self.is_marked = is_marked
        self.ascii_only = ascii_only
        self.silence = silence
        self._shape = shape
        self._cells: tuple[Cell, ...] | None = None

    def __eq__(self, other: object) -> bool:
        """Whether both rows look the same. The texts that depend on time are compared only if the time differs."""
        if not isinstance(other, RunRow):
            return NotImplemented
        if self.run != other.run or self.is_marked is not other.is_marked or self._shape is not other._shape:
            return False
        return (self.now, self.silence) == (other.now, other.silence) or self._times() == other._times()

    __hash__ = None  # type: ignore[assignment]

    def _times(self) -> tuple[str, str, str]:
        state = fmt.state_of(self.run, self.silence).word
        return self._shape.times.told(self.run.created_at, self.now), fmt.run_duration(self.run, self.now), state

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Mark, state and the layout's columns."""
        if self._cells is None:
            self._cells = self._made()
        return self._cells

    def _made(self) -> tuple[Cell, ...]:
        state = fmt.state_of(self.run, self.silence)
        glyph = state.ascii if self.ascii_only else state.glyph
        seen_to = self.run.acknowledged_at is not None
        word = f"{glyph} {state.word}{(' +' if self.ascii_only else ' ✓') if seen_to else ''}"
        mark = Cell("+" if self.ascii_only else "▪", "accent") if self.is_marked else Cell(" ")
        cells = [mark, Cell(fit(word, self._shape.state), "quiet" if seen_to else state.style)]
        # What went well is quiet, and what somebody has seen to.
        style = "quiet" if seen_to or self.run.outcome is Outcome.SUCCEEDED else ""
        for column, width in self._shape.columns:
            text = column.text(self.run, self.now)
            cells.append(Cell(figure(f"{text:>{width}}", width) if column.is_figure else fit(text, width), style))
        return tuple(cells)


def rows(
    runs: Sequence[Run],
    now: dt.datetime,
    shape: Layout,
    marked: Container[int],
    ascii_only: bool,
    silences: Mapping[int, float] = MappingProxyType({}),
) -> tuple[RunRow, ...]:
    """The rows of the runs. `silences`: seconds since a run's worker was last heard of, by run id, if it is silent."""
    return tuple(RunRow(run, now, shape, run.id in marked, ascii_only, silences.get(run.id)) for run in runs)
