"""The table of runs: reads the list in windows around the cursor, and knows which run is painted under it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from screens.runs import paging
from screens.runs.columns import RunRow
from screens.runs.position import End, Position, Step
from screens.runs.still import list_of
from screens.widgets.row_diff import Line
from screens.widgets.row_table import RowTable
from store.model.records import Run
from store.search.keyset import THE_END, Cursor
from store.search.pages import Order
from store.snapshot import Request, Snapshot


class RunTable(RowTable):
    """A window of the list. It moves on with the cursor in the list's own order; other orders have one window alone."""

    def __init__(self, order: Order, moved: Callable[[], None]) -> None:
        """`moved` is called when another window is to be read."""
        super().__init__(id="runs", beyond=self._go_beyond)
        self.position = Position()
        self._order = order
        self._moved = moved
        #: What the rows are of; the rows still painted when another list arrived: keys no longer act on them.
        self._shown: Snapshot | None = None
        self._before: Sequence[Line] | None = None

    def restart(self, order: Order) -> None:
        """Go to the top of another list. Pending moves of the previous one are dropped."""
        self._order = order
        self.position.restart()

    def window(self, request: Request, height: int) -> Request:
        """The request, for the window that the cursor is in, on a screen of `height` lines."""
        place = self.position.place
        return replace(request, order=self._order, cursor=place, limit=paging.window(place, height))

    def show_window(
        self, snapshot: Snapshot, rows: Sequence[Line], header: str, *, is_wanted: bool, may_follow: bool
    ) -> None:
        """Show the runs of the snapshot as these rows. `is_wanted`: it is of the list and window that was asked for last; a
        pending jump is made then.
        """
        if self._shown is None or list_of(snapshot.request) != list_of(self._shown.request):
            self._before = self.painted_rows or None
        self._shown, position = snapshot, self.position
        go_to = position.jump if is_wanted else None
        position.jump = None if go_to else position.jump
        on_top = position.place is None and self._order is Order.CREATED
        self.show(rows, header, may_follow=may_follow and on_top, go_to=go_to)
        self._go_on()

    @property
    def cursor_row(self) -> RunRow | None:
        """The row under the cursor, painted or not."""
        row = next((row for row in self.rows if row.key == self.cursor_key), None)
        return row if isinstance(row, RunRow) else None

    @property
    def painted_run(self) -> Run | None:
        """The run painted under the cursor, in its painted state."""
        key = self.painted_key
        row = next((row for row in self.painted_rows if row.key == key), None)
        return row.run if isinstance(row, RunRow) else None

    @property
    def is_of_before(self) -> bool:
        """Whether the rows still painted are those of the previous list."""
        return self.painted_rows is self._before

    def on_row_table_cursor_moved(self) -> None:
        if self._shown and self._order is Order.CREATED and not self.position.jump:
            place = paging.next_place(self.position.place, self._shown.page, self.cursor_line, self.size.height)
            self._go_to(place)

    def _go_beyond(self, by: int, to_end: bool) -> None:
        if not self._shown or self._order is not Order.CREATED:
            return
        page, position = self._shown.page, self.position
        if not to_end:
            if position.jump:
                return  # the previous list is still painted
            position.owe(self.cursor_key, by)
            if by > 0:
                self._go_to(paging.beyond(position.place, page))
            self._go_on()
        elif by < 0:
            self._go_to(None, "first")
        elif page.has_older:
            self._go_to(THE_END, "last")

    def _go_to(self, place: Cursor | None, jump: End | None = None) -> None:
        if place != self.position.place:
            self.position.place, self.position.jump = place, jump
            self._moved()

    def _go_on(self, may_paint: bool = True) -> None:
        """Finish a pending move, once its rows have arrived and are painted."""
        if self._shown is None:
            return
        step = self.position.step(
            self._shown.request.cursor,
            self._shown.page,
            self.cursor_key,
            self.cursor_line,
            len(self.rows),
            self.painted_rows is self.rows,
        )
        if step is Step.MOVE:
            self.action_move(self.position.settle())
        elif step is Step.PAINT and may_paint:
            self.refresh()
            self.call_after_refresh(self._go_on, False)
