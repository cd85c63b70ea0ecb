"""The newest backup sets of a tenant: how they stand, when and by whom they were made, and what they lack."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from screens.backups import words
from screens.backups.acting import ActsOnSets
from screens.base import TableScreen
from screens.text import format as fmt
from screens.text.column_widths import ColumnSpec, column_widths
from screens.text.policy_words import with_glyph
from screens.text.safe import figure, fit
from screens.widgets import header_lines
from screens.widgets.row_diff import Cell, Row
from screens.widgets.row_table import RowTable
from store.intune.backup_sets import BackupSet, BackupSets, SetsWanted
from store.snapshot import Request, Snapshot

#: The columns: state, number, name, age, items, not whole, kinds, by whom, what stands on it.
_PARTS: Final = (
    ColumnSpec(12, 12, 0),
    ColumnSpec(5, 4, 0),
    ColumnSpec(20, 12, 0, grow=3),
    ColumnSpec(6, 5, 1),
    ColumnSpec(7, 5, 2),
    ColumnSpec(9, 9, 3),
    ColumnSpec(8, 8, 4),
    ColumnSpec(12, 8, 5, grow=1),
    ColumnSpec(16, 12, 6, grow=1),
)
_TITLES: Final = ("State", "No.", "Name", "Made", "Items", "Not whole", "Kinds", "By", "Stands on it")
_AGE: Final = 3
#: The columns of numbers and ages: right-aligned, and never cut.
_FIGURES: Final = (1, 3, 4, 5, 6)


class BackupSetsScreen(ActsOnSets, TableScreen[None]):
    """Enter shows a set."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sync", "Back up", id="start"),
        Binding("r", "plan", "Restore", id="plan_restore"),
        Binding("a", "add", "Add more", id="add_policies"),
        Binding("o", "run", "Run", id="its_run"),
    ]

    def __init__(self, tenant: str) -> None:
        super().__init__()
        self.tenant = tenant
        self._sets: dict[int, BackupSet] = {}
        self._now: dt.datetime | None = None

    def compose_body(self) -> ComposeResult:
        yield from super().compose_body()
        yield header_lines.Line(id="how")
        yield header_lines.Line(id="under")

    @property
    def _wanted(self) -> SetsWanted:
        return SetsWanted(self.tenant)

    def contribute(self, request: Request) -> Request:
        return replace(request, backups=self._wanted)

    @property
    def place(self) -> str:
        return f"{self.tenant}, backups"

    def tenant_chosen(self) -> None:
        self.tenant = self.shell.tenant or self.tenant

    def chosen_set(self) -> BackupSet | None:
        return self._sets.get(self.table.painted_key or 0) if self._sets else None

    def show_kinds(self) -> None:
        self.show_again()

    # -- what is shown ----------------------------------------------------------------------------------------------------

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.request.backups != self._wanted:
            return
        found = snapshot.backups if isinstance(snapshot.backups, BackupSets) else None
        self._sets, self._now = {one.id: one for one in found.sets} if found else {}, snapshot.at
        rows = [self._row(one, snapshot.at) for one in self._sets.values()]
        self.table.show(rows, self._header if rows else "", may_follow=False)
        self.put_words(self._told(found))
        self._tell_of_the_one_under_the_cursor()
        self.refresh_keys()

    def _told(self, found: BackupSets | None) -> str:
        """The line above the table."""
        if found is None:
            return f"There is no tenant {self.tenant}."
        if not found.sets:
            return f"No backup set yet. {self.how_to_sync}"
        which = "The newest " if found.has_more else ""
        return f"{which}{fmt.several(len(found.sets), 'backup set')}."

    def on_row_table_cursor_moved(self) -> None:
        self._tell_of_the_one_under_the_cursor()
        self.refresh_keys()

    def _tell_of_the_one_under_the_cursor(self) -> None:
        """What the columns have no room for."""
        chosen = self._sets.get(self.table.cursor_key or 0)
        told = (
            (words.sentence(chosen), words.made(chosen, self._now, self.shell.times))
            if chosen and self._now
            else ("", "")
        )
        for place, text in zip(("#how", "#under"), told, strict=True):
            self.query_one(place, header_lines.Line).put(Content(fit(f" {text}", self.size.width).rstrip()))

    # -- rows -------------------------------------------------------------------------------------------------------------

    @property
    def _rooms(self) -> list[int]:
        parts = list(_PARTS)
        parts[_AGE] = self.shell.times.room(parts[_AGE], _TITLES[_AGE])
        return column_widths(parts, self.size.width - 2)

    @property
    def _header(self) -> str:
        titles = list(_TITLES)
        titles[_AGE] = self.shell.times.heading(titles[_AGE])
        shown = (
            _fitted(number, title, room)
            for number, (title, room) in enumerate(zip(titles, self._rooms, strict=True))
            if room
        )
        return " ".join(shown)

    def _row(self, one: BackupSet, now: dt.datetime) -> Row:
        state, lacking = words.state(one), words.not_whole(one)
        texts = (
            with_glyph(state, self.shell.ascii_only),
            str(one.id),
            words.name(one),
            self.shell.times.told(one.created_at, now),
            f"{words.items_of(one):,}",
            f"{lacking:,}",
            words.kinds(one, len(self.all_kinds)),
            one.initiator_name,
            one.sealed_by or "",
        )
        of_kinds = "partial" if one.failed_kinds else "quiet"
        styles = (state.style, "", "", "quiet", "", "partial" if lacking else "quiet", of_kinds, "quiet", "quiet")
        shown = zip(texts, self._rooms, styles, strict=True)
        return Row(
            one.id, tuple(Cell(_fitted(n, text, room), style) for n, (text, room, style) in enumerate(shown) if room)
        )

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        self.shell.navigator.backup_set(message.key)


def _fitted(number: int, text: str, room: int) -> str:
    return figure(f"{text:>{room}}", room) if number in _FIGURES else fit(text, room)
