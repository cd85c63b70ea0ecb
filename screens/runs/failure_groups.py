"""Failure groups: the failed runs of the list, grouped by operation and code, with a retry of a whole group."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType

from screens.base import TableScreen
from screens.runs.completion import contradiction
from screens.text import format as fmt
from screens.text.column_widths import ColumnSpec, column_widths, heading
from screens.text.safe import figure, fit
from screens.text.times import TimeStyle
from screens.widgets.row_diff import Cell, Row
from screens.widgets.row_table import RowTable
from store.search import failure_groups
from store.search.failure_groups import Group
from store.search.filter import RunFilter
from store.snapshot import Request, Snapshot


def _rooms(width: int, times: TimeStyle) -> list[int]:
    """The widths of the columns count, operation, code, last, first and message, in cells."""
    type_, code = (24, 22) if width >= 100 else (17, 17)
    names = ColumnSpec(type_, 10, 1), ColumnSpec(code, 10, 2)
    when = times.room(ColumnSpec(6, 6, 3), "Last"), times.room(ColumnSpec(6, 6, 5), "First")
    return column_widths([ColumnSpec(7, 7, 0), *names, *when, ColumnSpec(8, 8, 4, grow=1)], width - 3)


class FailureGroupsScreen(TableScreen[Group]):
    """The failed runs that match a filter, in groups. Enter shows a group's runs; `r` retries them after a dry run."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "retry", "Retry the group", id="retry"),
    ]

    def __init__(self, wanted: RunFilter, terms: str) -> None:
        super().__init__()
        self._wanted = wanted
        self._terms = terms
        #: The row key of each group, which stays the same while the screen is open.
        self._keys: dict[tuple[str, str], int] = {}
        self._groups: dict[int, Group] = {}

    def contribute(self, request: Request) -> Request:
        return replace(request, groups_of=self._in_tenant)

    @property
    def _in_tenant(self) -> RunFilter:
        return self.shell.in_tenant(self._wanted)

    def tenant_chosen(self) -> None:
        self._groups = {}
        self.table.show((), "", may_follow=False)
        self.put_words(fmt.WAITING)
        self.paint_header()

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.groups is None or snapshot.request.groups_of != self._in_tenant:
            return
        found = snapshot.groups.groups
        self._groups = {self._key(group): group for group in found}
        times = self.shell.times
        titles = ("   Runs", "Operation", "Code", times.heading("Last"), times.heading("First"), "Message")
        header = heading(titles, _rooms(self.size.width, times))
        rows = [self._row(key, group, snapshot.at) for key, group in self._groups.items()]
        self.table.show(rows, header, may_follow=False)
        reached = snapshot.groups.scanned_to
        self._put_words(len(found), times.minute(reached.created_at) if reached else "")
        self.refresh_keys()

    def _key(self, group: Group) -> int:
        return self._keys.setdefault((group.type, group.code), len(self._keys) + 1)

    def _row(self, key: int, group: Group, now: dt.datetime) -> Row:
        of_count, of_type, of_code, of_last, of_first, of_message = _rooms(self.size.width, self.shell.times)
        told = self.shell.times.told
        texts = [figure(f"{group.count:>7}", of_count), fit(group.type, of_type), fit(group.code, of_code)]
        texts += [figure(told(group.last_at, now), of_last), figure(told(group.first_at, now), of_first)]
        return Row(key, tuple(Cell(text) for text in [*texts, fit(group.message, of_message)] if text))

    def _put_words(self, many: int, back_to: str) -> None:
        words = "No failed runs" if not many else f"{many} group{'s' if many > 1 else ''} of failed runs"
        words = f"The {many} largest groups of failed runs" if many == failure_groups.MOST else words
        words += f"   filter: {self._terms}" if self._terms else ""
        if chosen := contradiction(self._in_tenant, self.shell.no_member):
            words = chosen
        words += f"   of the newest {failure_groups.GROUPED:,}, back to {back_to}" if back_to else ""
        self.put_words(words)

    @property
    def place(self) -> str:
        return f"failure groups in {self.shell.tenant or 'all tenants'}"

    # -- what is done -----------------------------------------------------------------------------------------------------

    @property
    def _painted(self) -> Group | None:
        return self._groups.get(self.table.painted_key or 0)

    def disabled_reason(self, action: str) -> str | None:
        return "There is no group." if action == "retry" and self.is_mounted and not self._painted else None

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        if group := self._groups.get(message.key):
            self.dismiss(group)

    def action_retry(self) -> None:
        if group := self._painted:
            words = f"{group.type} failed with {group.code}"
            self.shell.actions.retry_matching(failure_groups.narrow_to(self._in_tenant, group), "All", words)
