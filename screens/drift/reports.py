"""The drift reports of a tenant: what was compared with what, and how much was found."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from screens.base import TableScreen
from screens.syncing import CanSync
from screens.text import format as fmt
from screens.text.changes import compared_with
from screens.text.column_widths import ColumnSpec, column_widths
from screens.text.safe import figure, fit
from screens.widgets.row_diff import Cell, Row
from screens.widgets.row_table import RowTable
from store.intune.drift_page import DriftReport, DriftReports, ReportsWanted
from store.snapshot import Request, Snapshot

#: The columns: state, run, compared with, kinds, findings, by, age.
_PARTS: Final = (
    ColumnSpec(13, 13, 0),
    ColumnSpec(8, 6, 1),
    ColumnSpec(20, 16, 2, grow=1),
    ColumnSpec(8, 6, 5),
    ColumnSpec(9, 9, 3),
    ColumnSpec(18, 10, 6, grow=1),
    ColumnSpec(6, 5, 4),
)


class DriftReportsScreen(CanSync, TableScreen[None]):
    """Enter shows a report."""

    SYNC = "drift.generate"
    SYNC_LABEL = "a comparison"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sync", "Compare", id="start"),
    ]

    def __init__(self, tenant: str) -> None:
        super().__init__()
        self.tenant = tenant

    @property
    def place(self) -> str:
        return f"{self.tenant}, drift"

    @property
    def _wanted(self) -> ReportsWanted:
        return ReportsWanted(self.tenant)

    def contribute(self, request: Request) -> Request:
        return replace(request, drift=self._wanted)

    def tenant_chosen(self) -> None:
        self.tenant = self.shell.tenant or self.tenant

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.request.drift != self._wanted:
            return
        found = snapshot.drift if isinstance(snapshot.drift, DriftReports) else None
        rows = [self._row(one, snapshot.at) for one in found.reports] if found else []
        self.table.show(rows, self._header if rows else "", may_follow=True)
        self.put_words(self._told(found))
        self.refresh_keys()

    def _told(self, found: DriftReports | None) -> str:
        if found is None:
            return f"There is no tenant {self.tenant}."
        if not found.reports:
            return f"No report yet: one compares two complete syncs of policies. {self.how_to_sync}"
        number = len(found.reports)
        many = f"The newest {number:,} reports." if found.has_more else f"{number} report{'s' if number > 1 else ''}."
        return f"{many} Enter shows what was found."

    @property
    def _rooms(self) -> list[int]:
        *others, age = _PARTS
        return column_widths([*others, self.shell.times.room(age)], self.size.width - 2)

    @property
    def _header(self) -> str:
        rooms = self._rooms
        titles = ("State", "Run", "Compared with", "Kinds", "Findings", "By", self.shell.times.heading())
        right = (1, 3, 4, 6)
        cells = [
            f"{title:>{room}}" if place in right else fit(title, room)
            for place, (title, room) in enumerate(zip(titles, rooms, strict=True))
            if room
        ]
        return " ".join(cells)

    def _row(self, report: DriftReport, now: dt.datetime) -> Row:
        rooms = self._rooms
        state = fmt.state_of(report)
        compared = sum(not kind.reason for kind in report.kinds)
        glyph = state.ascii if self.shell.ascii_only else state.glyph
        texts = (
            fit(f"{glyph} {state.word}", rooms[0]),
            figure(f"{report.run_id:>{rooms[1]}}", rooms[1]),
            fit(compared_with(report), rooms[2]),
            figure(f"{compared:>{rooms[3]}}", rooms[3]),
            figure(f"{report.findings:>{rooms[4]},}", rooms[4]),
            fit(report.initiator_name, rooms[5]),
            figure(f"{self.shell.times.told(report.created_at, now):>{rooms[6]}}", rooms[6]),
        )
        styles = (state.style, "quiet", "", "quiet", "bold" if report.findings else "quiet", "quiet", "quiet")
        cells = (Cell(text, style) for text, style, room in zip(texts, styles, rooms, strict=True) if room)
        return Row(report.run_id, tuple(cells))

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        self.shell.navigator.drift_report(message.key)
