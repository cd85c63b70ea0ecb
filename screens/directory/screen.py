"""The groups of a tenant as the cached directory has them, searched as one types."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import ClassVar, Final, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from screens.base import TableScreen
from screens.directory import words
from screens.syncing import CanSync
from screens.text import format as fmt
from screens.text.column_widths import ColumnSpec, column_widths
from screens.text.safe import figure, fit
from screens.widgets import header_lines
from screens.widgets.name_search import NameSearch
from screens.widgets.row_diff import Cell, Row
from screens.widgets.row_table import RowTable
from store.intune.directory_page import Directory, DirectoryWanted
from store.intune.group_search import DirectoryGroup
from store.snapshot import Request, Snapshot

#: The columns: name, types, purpose, age. Types have room for `dynamic, Microsoft 365`.
_PARTS: Final = (ColumnSpec(30, 12, 0, grow=3), ColumnSpec(22, 8, 2), ColumnSpec(14, 8, 3), ColumnSpec(7, 7, 1))
_TITLES: Final = ("Name", "Types", "For")


class DirectoryScreen(CanSync, TableScreen[None]):
    """Enter shows all of a group. Each letter of a search asks the database at once."""

    SYNC = "directory_groups.sync"
    SYNC_LABEL = "Sync groups"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", id="filter"),
        Binding("s", "sync", "Sync groups", id="start"),
        Binding("y", "copy", "Copy id", show=False, id="copy"),
    ]

    def __init__(self, tenant: str) -> None:
        super().__init__()
        self.tenant = tenant
        self.text = ""
        #: The text from before the search line was opened, which esc brings back.
        self._before = ""
        self._jump: Literal["first"] | None = None
        #: The groups on the screen by the table's keys, and whether they are the answer to what is asked now.
        self._groups: dict[int, DirectoryGroup] = {}
        self._is_answered = False

    def compose_body(self) -> ComposeResult:
        yield header_lines.Line(id="words")
        yield NameSearch("beginnings of words of the name; enter keeps, esc leaves")
        yield RowTable()

    @property
    def _wanted(self) -> DirectoryWanted:
        return DirectoryWanted(self.tenant, self.text)

    def contribute(self, request: Request) -> Request:
        return replace(request, directory=self._wanted)

    @property
    def place(self) -> str:
        return f"{self.tenant}, directory"

    # -- what is shown ----------------------------------------------------------------------------------------------------

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.request.directory != self._wanted:
            return
        found, self._is_answered = snapshot.directory, True
        self._groups = {group.id: group for group in found.groups} if found else {}
        rows = [self._row(group, snapshot.at) for group in self._groups.values()]
        self.table.show(rows, self._header if rows else "", may_follow=False, go_to=self._jump)
        self._jump = None
        self.put_words(self._told(found, snapshot.at))
        self.refresh_keys()

    def _told(self, found: Directory | None, now: dt.datetime) -> str:
        if found is None:
            return f"There is no tenant {self.tenant}."
        may_sync, shell = not self.why_no_sync(), self.shell
        view = words.View(now, self.size.width - 1, self.how_to_sync, may_sync, shell.ascii_only, shell.times)
        return words.told(found, self.text, view)

    @property
    def _rooms(self) -> list[int]:
        *others, age = _PARTS
        return column_widths([*others, self.shell.times.room(age, "Changed")], self.size.width - 2)

    @property
    def _header(self) -> str:
        *rooms, of_age = self._rooms
        titles = [fit(title, room) for title, room in zip(_TITLES, rooms, strict=True) if room]
        return " ".join([*titles, f"{self.shell.times.heading('Changed'):>{of_age}}"])

    def _row(self, group: DirectoryGroup, now: dt.datetime) -> Row:
        *rooms, of_age = self._rooms
        texts = (words.name(group), words.types(group), words.purpose(group))
        cut = [fit(text, room) for text, room in zip(texts, rooms, strict=True)]
        cut.append(figure(f"{self.shell.times.told(group.changed_at, now):>{of_age}}", of_age))
        shown = zip(cut, ("", "", "quiet", "quiet"), strict=True)
        return Row(group.id, tuple(Cell(text, style) for text, style in shown if text))

    # -- the search -------------------------------------------------------------------------------------------------------

    def action_search(self) -> None:
        self._before = self.text
        self.query_one(NameSearch).open(self.text)

    def on_input_changed(self, message: Input.Changed) -> None:
        self._search(message.value.strip())

    def on_input_submitted(self) -> None:
        self._leave_search()

    def on_name_search_left(self) -> None:
        self._leave_search()
        self._search(self._before)

    def _leave_search(self) -> None:
        self.query_one(NameSearch).close()
        self.table.focus()

    def _search(self, text: str) -> None:
        if text != self.text:
            self.text = text
            self._ask()

    def _ask(self) -> None:
        """Ask the database at once. What is on the screen stays there, and is not the answer."""
        self._jump, self._is_answered = "first", False
        self.put_words(f"Searching '{self.text}'." if self.text else fmt.WAITING)
        self.shell.update_request()
        self.shell.poll_now()

    def tenant_chosen(self) -> None:
        if self.shell.tenant and self.shell.tenant != self.tenant:
            self.tenant = self.shell.tenant
            self._groups = {}
            self.table.show([], "", may_follow=False)
            self._ask()

    # -- keys -------------------------------------------------------------------------------------------------------------

    def _under_cursor(self) -> DirectoryGroup | None:
        """The group that is painted under the cursor; None, with a message, while another search waits for its answer."""
        if not self._is_answered:
            self.shell.message("The search has not been answered yet.", "warning")
            return None
        return self._groups.get(self.table.painted_key or 0)

    def on_row_table_opened(self) -> None:
        if group := self._under_cursor():
            self.shell.navigator.group(group)

    def action_copy(self) -> None:
        if (group := self._under_cursor()) and self.shell.copy_to_clipboard(group.group_id):
            self.shell.message("The id was sent to the terminal.")

    def action_back(self) -> None:
        """Show all again; if all are shown, go back."""
        if self.text:
            self._search("")
        else:
            super().action_back()
