"""The schedules of backups of a tenant: when each fires next, and what became of its last time."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import ClassVar, Final

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from screens.base import TableScreen
from screens.schedules import words
from screens.schedules.changing import ChangesSchedules
from screens.text import format as fmt
from screens.text.column_widths import ColumnSpec, column_widths, heading
from screens.text.safe import figure, fit, wrap
from screens.widgets import header_lines
from screens.widgets.row_diff import Cell, Row
from screens.widgets.row_table import RowTable
from store.intune.schedule_page import ListedSchedule, SchedulePage, SchedulesWanted
from store.intune.schedule_records import Schedule
from store.snapshot import Request, Snapshot

_TITLES: Final = ("On", "Name", "Cron", "Zone", "Kinds", " Keep", "Next", "   In", "Last", "Age")
#: The columns, in the order of the titles. The description under the table tells what has no room.
_PARTS: Final = (
    ColumnSpec(3, 3, 0),
    ColumnSpec(13, 12, 1, grow=2),
    ColumnSpec(14, 13, 6),
    ColumnSpec(16, 10, 8),
    ColumnSpec(12, 9, 9, grow=1),
    ColumnSpec(5, 5, 7),
    ColumnSpec(21, 21, 5),
    ColumnSpec(5, 5, 2),
    ColumnSpec(12, 11, 3),
    ColumnSpec(5, 5, 4),
)


class SchedulesScreen(ChangesSchedules, TableScreen[None]):
    """Enter shows the history of a schedule. The schedule under the cursor is told in full under the table."""

    DEFAULT_CSS = """
    SchedulesScreen #description { height: auto; max-height: 7; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "run_now", "Run now", id="start"),
        Binding("a", "add", "Add", id="add_schedule"),
        Binding("e", "edit", "Edit", id="edit_schedule"),
        Binding("x", "switch", "On/off", id="switch_schedule"),
        Binding("delete,ctrl+x", "remove", "Remove", tooltip="Remove the schedule", id="remove_schedule"),
    ]

    def __init__(self, tenant: str) -> None:
        super().__init__()
        self.tenant = tenant
        self._found: SchedulePage | None = None

    def compose_body(self) -> ComposeResult:
        yield header_lines.Line(id="words")
        yield RowTable()
        yield Static("", id="description", markup=False)

    @property
    def _wanted(self) -> SchedulesWanted:
        return SchedulesWanted(self.tenant)

    def contribute(self, request: Request) -> Request:
        return replace(request, schedules=self._wanted)

    @property
    def place(self) -> str:
        return f"{self.tenant}, schedules"

    @property
    def schedules(self) -> tuple[Schedule, ...]:
        """The schedules as they were read last."""
        return tuple(listed.schedule for listed in self._found.schedules) if self._found else ()

    # -- what is shown ----------------------------------------------------------------------------------------------------

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.request.schedules != self._wanted:
            return
        self._found = snapshot.schedules
        view = self._view(snapshot)
        rows = [self._row(listed, view) for listed in self._found.schedules] if self._found else []
        self.table.show(rows, self._header if rows else "", may_follow=False)
        self.put_words(self._told())
        self._describe(view)
        self.refresh_keys()

    def _told(self) -> str:
        if self._found is None:
            return f"There is no tenant {self.tenant}."
        return words.told(self._found, self.how_to_add, self.size.width - 1)

    def _view(self, snapshot: Snapshot) -> words.View:
        shell = self.shell
        return words.View(snapshot.at, shell.ascii_only, snapshot.silences, shell.backend.kind_label, shell.times)

    @property
    def _rooms(self) -> list[int]:
        *others, age = _PARTS
        return column_widths([*others, self.shell.times.room(age)], self.size.width - 2)

    @property
    def _header(self) -> str:
        rooms = self._rooms
        return heading((*_TITLES[:-1], f"{self.shell.times.heading():>{rooms[-1]}}"), rooms)

    def _row(self, listed: ListedSchedule, view: words.View) -> Row:
        settings, rooms = listed.schedule.settings, self._rooms
        on = "on" if settings.enabled else "off"
        covered = words.kinds(listed.schedule, view.kind_label)
        texts = (on, settings.name, settings.cron, settings.zone, covered)
        cells = [Cell(fit(text, room), "") for text, room in zip(texts, rooms, strict=False)]
        cells.append(Cell(_right(words.keep(listed.schedule), rooms[5])))
        cells += _next_cells(listed, rooms[6], rooms[7], view.now)
        cells += _last_cells(listed, rooms[8], rooms[9], view)
        if not settings.enabled:
            cells[:8] = [Cell(cell.text, "quiet") for cell in cells[:8]]
        return Row(listed.schedule.id, tuple(cell for cell, room in zip(cells, rooms, strict=True) if room))

    def on_row_table_cursor_moved(self) -> None:
        if self.shell.snapshot:
            self._describe(self._view(self.shell.snapshot))

    def _describe(self, view: words.View) -> None:
        """Tell of the schedule under the cursor in full."""
        listed = self._under(self.table.cursor_key)
        width = max(20, self.size.width - 2)
        lines = [line for told in words.described(listed, view) for line in wrap(told, width)] if listed else []
        self.query_one("#description", Static).update(Content("\n".join(lines)))

    def _under(self, key: int | None) -> ListedSchedule | None:
        found = self._found.schedules if self._found else ()
        return next((listed for listed in found if listed.schedule.id == key), None)

    def tenant_chosen(self) -> None:
        if self.shell.tenant and self.shell.tenant != self.tenant:
            self.tenant, self._found = self.shell.tenant, None
            self.table.show([], "", may_follow=False)
            self.query_one("#description", Static).update("")
            self.put_words(fmt.WAITING)
            self.shell.update_request()
            self.shell.poll_now()

    # -- keys -------------------------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> Schedule | None:
        """The schedule that is painted under the cursor."""
        listed = self._under(self.table.painted_key) if self.is_mounted else None
        return listed.schedule if listed else None

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        if listed := self._under(message.key):
            self.shell.navigator.schedule_ticks(listed.schedule)


def _right(text: str, room: int) -> str:
    return figure(" " * (room - cell_len(text)) + text, room)


def _next_cells(listed: ListedSchedule, of_clock: int, of_span: int, now: dt.datetime) -> list[Cell]:
    """When it fires next, by the clock of its zone, and how long it is until then."""
    following = listed.next
    if following is None:
        return [Cell(fit("off", of_clock), "quiet"), Cell(fit("", of_span))]
    if following.at is None:
        return [
            Cell(fit("unknown" if following.problem else "never", of_clock), "failed"),
            Cell(_right("?", of_span)),
        ]
    shown = words.clock(following.at, listed.schedule.settings.zone, now)
    return [Cell(figure(shown, of_clock)), Cell(_right(words.until(following.at, now), of_span))]


def _last_cells(listed: ListedSchedule, of_state: int, of_age: int, view: words.View) -> list[Cell]:
    """What became of its last time, and how long ago that was."""
    if listed.last is None:
        return [Cell(fit("", of_state)), Cell(fit("", of_age))]
    state = words.state(listed.last, view)
    shown = fit(words.with_glyph(state, view.ascii_only), of_state)
    return [Cell(shown, state.style), Cell(_right(view.times.told(listed.last.tick.minute, view.now), of_age), "quiet")]
