"""The history of a schedule: what became of each minute in which it was due."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from screens.base import TableScreen
from screens.schedules import words
from screens.text import format as fmt
from screens.text.column_widths import ColumnSpec, column_widths, heading
from screens.text.safe import figure, fit
from screens.widgets.row_diff import Cell, Row
from screens.widgets.row_table import RowTable
from store.intune.schedule_page import LISTED, SchedulePage, SchedulesWanted, Ticked
from store.intune.schedule_records import Schedule, What
from store.snapshot import Request, Snapshot

_TITLES: Final = ("Time", "Age", "What", "    Run", "State", "Details")
_PARTS: Final = (
    ColumnSpec(21, 21, 0),
    ColumnSpec(5, 5, 5),
    ColumnSpec(6, 6, 2),
    ColumnSpec(7, 7, 3),
    ColumnSpec(12, 11, 1),
    ColumnSpec(26, 26, 4, grow=1),
)


class TicksScreen(TableScreen[None]):
    """Enter opens the run of a minute."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Back")]

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self._schedule = schedule
        self._ticks: dict[int, Ticked] = {}

    @property
    def _wanted(self) -> SchedulesWanted:
        return SchedulesWanted(self._schedule.tenant, self._schedule.id)

    def contribute(self, request: Request) -> Request:
        return replace(request, schedules=self._wanted)

    @property
    def place(self) -> str:
        return f"{self._schedule.tenant}, history of {self._schedule.settings.name}"

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.request.schedules != self._wanted:
            return
        found = snapshot.schedules
        self._ticks = {int(one.tick.minute.timestamp()): one for one in found.ticks} if found else {}
        times = self.shell.times
        view = words.View(snapshot.at, self.shell.ascii_only, snapshot.silences, times=times)
        time, age, *others = _PARTS
        rooms = column_widths([time, times.room(age), *others], self.size.width - 2)
        titles = (_TITLES[0], f"{times.heading():>{rooms[1]}}", *_TITLES[2:])
        rows = [self._row(key, one, rooms, view) for key, one in self._ticks.items()]
        self.table.show(rows, heading(titles, rooms) if rows else "")
        self.put_words(self._told(found))

    def _told(self, found: SchedulePage | None) -> str:
        newest = (
            next((one.schedule for one in found.schedules if one.schedule.id == self._schedule.id), None)
            if found
            else None
        )
        if newest is None:
            return "The schedule was removed."
        self._schedule = newest
        when = f"{newest.settings.cron} in {newest.settings.zone}"
        if not self._ticks:
            return f"{when}: it has not been due yet."
        is_cut = found is not None and found.has_more
        return f"{when}: {f'the newest {LISTED}' if is_cut else len(self._ticks)} times, newest first."

    def _row(self, key: int, one: Ticked, rooms: list[int], view: words.View) -> Row:
        state = words.state(one, view)
        cells = [
            Cell(figure(words.clock(one.tick.minute, self._schedule.settings.zone, view.now), rooms[0])),
            Cell(figure(f"{view.times.told(one.tick.minute, view.now):>{rooms[1]}}", rooms[1]), "quiet"),
            Cell(fit(one.tick.what, rooms[2])),
            Cell(figure(f"{one.tick.run_id or '':>7}", rooms[3])),
            Cell(fit(words.with_glyph(state, view.ascii_only), rooms[4]), state.style),
            Cell(fit(_details(one), rooms[5])),
        ]
        return Row(key, tuple(cell for cell, room in zip(cells, rooms, strict=True) if room))

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        one = self._ticks.get(message.key)
        if one and one.run:
            self.shell.navigator.run(one.run.id)
        elif one:
            self.shell.message(f"There is no run to show. {_details(one)}".rstrip(), "warning")


def _details(one: Ticked) -> str:
    """Why there is no run, or the first failure of the run."""
    if one.run:
        return fmt.first_failure(one.run)
    if one.tick.what in (What.OPENED, What.JOINED):
        return "its run was removed since"
    return one.tick.detail or ""
