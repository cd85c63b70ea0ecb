"""The newest restores into a tenant: how they stand, what they restore, what became of it, and who planned them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from screens.base import TableScreen
from screens.restores import words
from screens.restores.acting import ActsOnRestores
from screens.text import format as fmt
from screens.text.column_widths import ColumnSpec, column_widths
from screens.text.policy_words import with_glyph
from screens.text.safe import figure, fit
from screens.widgets import header_lines
from screens.widgets.row_diff import Cell, Row
from screens.widgets.row_table import RowTable
from store.intune.restore_page import ListedRestore, Restores, RestoresWanted
from store.snapshot import Request, Snapshot

#: The columns: state, number, set, from where to where, mode, objects, done, failed, skipped, age, by whom. No state is cut.
_PARTS: Final = (
    ColumnSpec(20, 20, 0),
    ColumnSpec(5, 4, 0),
    ColumnSpec(18, 10, 1, grow=3),
    ColumnSpec(20, 18, 8, grow=2),
    ColumnSpec(15, 15, 9),
    ColumnSpec(7, 7, 5),
    ColumnSpec(6, 5, 3),
    ColumnSpec(6, 6, 2),
    ColumnSpec(7, 7, 7),
    ColumnSpec(7, 7, 4),
    ColumnSpec(12, 8, 6, grow=1),
)
_TITLES: Final = (
    "State", "No.", "Backup set", "From, into", "Mode", "Objects", "Done", "Failed", "Skipped", "Planned", "By",
)  # fmt: skip
_AGE: Final = 9
#: The columns of numbers and ages: right-aligned, and never cut.
_FIGURES: Final = (1, 5, 6, 7, 8, 9)


class RestoresScreen(ActsOnRestores, TableScreen[None]):
    """Enter shows a restore."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "groups", "Groups", id="map_groups"),
        Binding("p", "preview", "Preview", id="preview"),
        Binding("C", "go_on", "Go on", id="go_on"),
        Binding("u", "undo", "Undo", id="undo"),
        Binding("D", "discard", "Discard", show=False, id="discard_preview"),
        Binding("v", "run", "Run", id="view_run"),
    ]

    def __init__(self, tenant: str) -> None:
        super().__init__()
        self.tenant = tenant
        self._restores: dict[int, ListedRestore] = {}
        self._now: dt.datetime | None = None

    def compose_body(self) -> ComposeResult:
        yield from super().compose_body()
        yield header_lines.Line(id="how")
        yield header_lines.Line(id="under")

    @property
    def _wanted(self) -> RestoresWanted:
        return RestoresWanted(self.tenant)

    def contribute(self, request: Request) -> Request:
        return replace(request, restores=self._wanted)

    @property
    def place(self) -> str:
        return f"{self.tenant}, restores"

    def tenant_chosen(self) -> None:
        self.tenant = self.shell.tenant or self.tenant

    def chosen_restore(self) -> ListedRestore | None:
        return self._restores.get(self.table.painted_key or 0) if self._restores else None

    # -- what is shown ----------------------------------------------------------------------------------------------------

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.request.restores != self._wanted:
            return
        found = snapshot.restores if isinstance(snapshot.restores, Restores) else None
        self._restores = {one.restore.id: one for one in found.restores} if found else {}
        self._now = snapshot.at
        rows = [self._row(one, snapshot.at) for one in self._restores.values()]
        self.table.show(rows, self._header if rows else "", may_follow=False)
        self.put_words(self._told(found))
        self._tell_of_the_one_under_the_cursor()
        self.refresh_keys()

    def _told(self, found: Restores | None) -> str:
        """The line above the table."""
        if found is None:
            return f"There is no tenant {self.tenant}."
        if not found.restores:
            return f"No restore into {self.tenant} yet: B shows backup sets, r on one plans its restore."
        which = "The newest " if found.has_more else ""
        return f"{which}{fmt.several(len(found.restores), 'restore')} into {self.tenant}."

    def on_row_table_cursor_moved(self) -> None:
        self._tell_of_the_one_under_the_cursor()
        self.refresh_keys()

    def _tell_of_the_one_under_the_cursor(self) -> None:
        """What the columns have no room for."""
        chosen = self._restores.get(self.table.cursor_key or 0)
        told = ("", "")
        if chosen and self._now:
            told = words.comes_next(chosen), words.made(chosen.restore, self._now, self.shell.times)
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
        return " ".join(
            _fitted(number, title, room)
            for number, (title, room) in enumerate(zip(titles, self._rooms, strict=True))
            if room
        )

    def _row(self, one: ListedRestore, now: dt.datetime) -> Row:
        state, restore = words.state(one), one.restore
        done, failed, skipped = (one.numbers.results.get(name, 0) for name in ("done", "failed", "skipped"))
        texts = (
            with_glyph(state, self.shell.ascii_only),
            str(restore.id),
            words.set_name(restore),
            words.way(restore, self.shell.ascii_only),
            words.mode(restore),
            f"{one.numbers.objects:,}",
            f"{done:,}",
            f"{failed:,}",
            f"{skipped + one.numbers.left_out:,}",
            self.shell.times.told(restore.created_at, now),
            restore.initiator_name,
        )
        is_dry = "accent" if words.is_dry(restore) else "quiet"
        styles = (
            state.style,
            "",
            "",
            "",
            is_dry,
            "quiet",
            "",
            "failed" if failed else "quiet",
            "quiet",
            "quiet",
            "quiet",
        )
        shown = zip(texts, self._rooms, styles, strict=True)
        cells = (Cell(_fitted(n, text, room), style) for n, (text, room, style) in enumerate(shown) if room)
        return Row(restore.id, tuple(cells))

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        self.shell.navigator.restore(message.key)


def _fitted(number: int, text: str, room: int) -> str:
    return figure(f"{text:>{room}}", room) if number in _FIGURES else fit(text, room)
