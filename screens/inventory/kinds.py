"""The kinds of a tenant's policies: how many are there, how many are missing, and when they were last seen."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from screens.base import TableScreen
from screens.inventory.syncing import SyncsPolicies
from screens.text import policy_words as words
from screens.text.column_widths import ColumnSpec, column_widths
from screens.text.safe import figure, fit
from screens.text.times import TimeStyle
from screens.widgets.row_diff import Cell, Row
from screens.widgets.row_table import RowTable
from store.intune.browsed import Kinds, KindState, KindsWanted
from store.snapshot import Request, Snapshot

#: The columns: kind, there, missing, age.
_PARTS: Final = (ColumnSpec(44, 12, 0), ColumnSpec(9, 7, 1), ColumnSpec(9, 7, 2), ColumnSpec(9, 6, 3))
_TITLES: Final = ("There", "Missing", "Seen")


class KindsScreen(SyncsPolicies, TableScreen[None]):
    """Enter shows the policies of a kind."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sync", "Sync policies", id="start"),
    ]

    def __init__(self, tenant: str) -> None:
        super().__init__()
        self.tenant = tenant
        #: A number for each kind, for the table's keys.
        self._numbers: dict[str, int] = {}

    @property
    def _wanted(self) -> KindsWanted:
        return KindsWanted(self.tenant)

    def contribute(self, request: Request) -> Request:
        return replace(request, inventory=self._wanted)

    def tenant_chosen(self) -> None:
        self.tenant = self.shell.tenant or self.tenant

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.request.inventory != self._wanted:
            return
        found = snapshot.inventory if isinstance(snapshot.inventory, Kinds) else None
        rows = [self._row(kind, snapshot.at) for kind in self._in_order(found)]
        self.table.show(rows, self._header if rows else "", may_follow=False)
        nobody = f"There is no tenant {self.tenant}."
        self.put_words(_told(found, snapshot.at, self.how_to_sync, self.shell.times) if found else nobody)
        self.refresh_keys()

    def _in_order(self, found: Kinds | None) -> list[KindState]:
        label = self.shell.backend.kind_label
        return sorted(found.kinds if found else (), key=lambda kind: (label(kind.kind).lower(), kind.kind))

    @property
    def _rooms(self) -> list[int]:
        *others, age = _PARTS
        return column_widths([*others, self.shell.times.room(age, _TITLES[-1])], self.size.width - 2)

    @property
    def _header(self) -> str:
        of_kind, *rooms = self._rooms
        named = (*_TITLES[:-1], self.shell.times.heading(_TITLES[-1]))
        titles = [f"{title:>{room}}" for title, room in zip(named, rooms, strict=True) if room]
        return " ".join([fit("Kind", of_kind), *titles])

    def _row(self, kind: KindState, now: dt.datetime) -> Row:
        of_kind, of_there, of_missing, of_age = self._rooms
        label = words.capitalised(self.shell.backend.kind_label(kind.kind))
        age = self.shell.times.told(kind.last_seen_at, now)
        figures = ((f"{kind.present:,}", of_there), (f"{kind.missing:,}", of_missing), (age, of_age))
        texts = [fit(label, of_kind), *(_right(text, room) for text, room in figures)]
        styles = ("", "", "partial" if kind.missing else "quiet", "quiet")
        cells = (Cell(text, style) for text, style in zip(texts, styles, strict=True) if text)
        return Row(self._numbers.setdefault(kind.kind, len(self._numbers)), tuple(cells))

    @property
    def place(self) -> str:
        return f"{self.tenant}, inventory"

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        kind = next(kind for kind, number in self._numbers.items() if number == message.key)
        self.shell.navigator.policies(self.tenant, kind)


def _right(text: str, room: int) -> str:
    return figure(f"{text:>{room}}", room)


def _told(found: Kinds, now: dt.datetime, how_to_sync: str, times: TimeStyle) -> str:
    """The line above the table."""
    if not found.kinds:
        return f"No inventory yet. {how_to_sync}"
    present = sum(kind.present for kind in found.kinds)
    missing = sum(kind.missing for kind in found.kinds)
    seen = times.ago(max(kind.last_seen_at for kind in found.kinds), now)
    return f"{len(found.kinds)} kinds, {present:,} policies, {missing:,} missing. Last seen {seen}."
