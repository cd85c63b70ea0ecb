"""The RBAC group search: the one screen that asks Microsoft Graph, with the sign-in of the person who searches.

Without a sign-in it searches the cached directory instead, and says why.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from screens.base import TableScreen
from screens.text import group_words
from screens.text.column_widths import ColumnSpec, column_widths
from screens.text.safe import clean, fit
from screens.widgets import header_lines
from screens.widgets.name_search import NameSearch
from screens.widgets.row_diff import Cell, Row
from screens.widgets.row_table import RowTable
from store.intune.directory_page import Directory, DirectoryWanted
from store.intune.tenant_settings import ChosenGroup
from store.snapshot import Request, Snapshot

if TYPE_CHECKING:
    from store.intune.group_search import DirectoryGroup
    from tasks.graph.group_search import FoundGroup, GroupSearch, SearchAnswer

#: The columns: name, types, id.
_PARTS: Final = (ColumnSpec(30, 12, 0, grow=3), ColumnSpec(22, 8, 2), ColumnSpec(36, 8, 1))
_READY: Final = "ready"


@dataclass(frozen=True, slots=True)
class Found:
    """A group to choose, wherever it was found."""

    group_id: str
    name: str
    types: tuple[str, ...]


class GroupSearchScreen(TableScreen[None]):
    """Enter chooses the group under the cursor for the tenant. Leaving the screen signs out."""

    DEFAULT_CSS = "GroupSearchScreen #where { height: auto; padding: 0 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", id="filter"),
        Binding("s", "sign_in", "Sign in", id="sign_in"),
    ]

    def __init__(self, tenant: str) -> None:
        super().__init__()
        self.tenant = tenant
        self.text = ""
        self._search: GroupSearch | None = None
        self._problem = ""
        self._answer: SearchAnswer | None = None
        self._is_asking = False
        self._cached: Directory | None = None
        self._rows: dict[int, Found] = {}
        #: The keys of rows, by the ids of groups: a group keeps its key from search to search.
        self._keys: dict[str, int] = {}

    @property
    def place(self) -> str:
        return f"{self.tenant}, RBAC group"

    def compose_body(self) -> ComposeResult:
        yield Static("", id="where", markup=False)
        yield header_lines.Line(id="words")
        yield NameSearch("beginnings of words of the name; enter keeps, esc leaves")
        yield RowTable()

    def on_mount(self) -> None:
        super().on_mount()
        tenants, slug = self.shell.backend.tenants, self.tenant
        self.in_background(lambda: tenants.group_search(slug), self._opened)

    def _opened(self, found: GroupSearch | Exception) -> None:
        if isinstance(found, Exception):
            self._problem = str(found)
        else:
            self._search = found
        self.show_again()

    def on_unmount(self) -> None:
        if self._search is not None:
            self._search.sign_out()

    # -- what is shown ----------------------------------------------------------------------------------------------------

    @property
    def _wanted(self) -> DirectoryWanted:
        return DirectoryWanted(self.tenant, self.text)

    def contribute(self, request: Request) -> Request:
        return replace(request, directory=self._wanted)

    @property
    def _is_ready(self) -> bool:
        return self._search is not None and self._search.state.status == _READY

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.request.directory == self._wanted:
            self._cached = snapshot.directory
        self._show(snapshot.at)
        self.refresh_keys()

    def _show(self, now: dt.datetime) -> None:
        self.query_one("#where", Static).update(clean(self._where(now)))
        found = [_found(one) for one in self._answer.groups] if self._is_ready and self._answer else []
        if not self._is_ready and self._cached:
            found = [_found(one) for one in self._cached.groups]
        self._rows = {self._keys.setdefault(one.group_id, len(self._keys)): one for one in found}
        rows = [self._row(key, one) for key, one in self._rows.items()]
        self.table.show(rows, self._header if rows else "", may_follow=False)
        self.put_words(self._told())

    def _where(self, now: dt.datetime) -> str:
        """Where it searches, and why not in the directory itself."""
        if self._is_ready:
            return f"Searches the directory of {self.tenant} itself, as you: your sign-in ends with this screen."
        reason = self._problem or (self._search.state.reason if self._search else "looking whether you can sign in")
        read = self._cached.read_at if self._cached else None
        age = f"read {self.shell.times.ago(read, now)}" if read else "never read; 'Sync groups' reads it"
        return f"Searches the cached directory of {self.tenant}, {age}. The directory itself: {reason}."

    def _told(self) -> str:
        if self._is_ready and self._is_asking:
            return "Searching."
        if self._is_ready:
            reason = self._answer.reason if self._answer else "/ searches as you type"
            return clean(f"{reason}." if reason else f"{len(self._rows)} groups. enter chooses.")
        return f"{len(self._rows)} groups. / searches, enter chooses." if self._rows else "No groups. / searches."

    @property
    def _header(self) -> str:
        rooms = column_widths(_PARTS, self.size.width - 2)
        return " ".join(fit(title, room) for title, room in zip(("Name", "Types", "Id"), rooms, strict=True) if room)

    def _row(self, key: int, one: Found) -> Row:
        rooms = column_widths(_PARTS, self.size.width - 2)
        texts = (clean(one.name) or "(without a name)", group_words.types(one.types), clean(one.group_id))
        cut = (fit(text, room) for text, room in zip(texts, rooms, strict=True))
        shown = zip(cut, ("", "", "quiet"), strict=True)
        return Row(key, tuple(Cell(text, style) for text, style in shown if text))

    # -- the search -------------------------------------------------------------------------------------------------------

    def action_search(self) -> None:
        self.query_one(NameSearch).open(self.text)

    def on_input_changed(self, message: Input.Changed) -> None:
        self.text = message.value.strip()
        self._ask()
        self.shell.update_request()

    def on_input_submitted(self) -> None:
        self._leave_search()

    def on_name_search_left(self) -> None:
        self._leave_search()

    def _leave_search(self) -> None:
        self.query_one(NameSearch).close()
        self.table.focus()

    def _ask(self) -> None:
        """Ask the directory itself. An answer to what was typed before is dropped by the search."""
        search, text = self._search, self.text
        if search is None or not self._is_ready:
            return
        key = search.new_key()
        self._is_asking = True
        self.in_background(lambda: search.search(text, key), self._answered)

    def _answered(self, answer: SearchAnswer | Exception | None) -> None:
        if answer is None:
            return
        self._is_asking = False
        if isinstance(answer, Exception):
            self.shell.message("The search did not work.", "warning")
        else:
            self._answer = answer
        self.show_again()

    # -- keys -------------------------------------------------------------------------------------------------------------

    def disabled_reason(self, action: str) -> str | None:
        if action != "sign_in":
            return None
        if self._search is None:
            return self._problem or "It is being looked up whether you can sign in."
        if self._is_ready:
            return "You are signed in."
        return None if self._search.can_sign_in else f"You cannot sign in: {self._search.state.reason}."

    def action_sign_in(self) -> None:
        if self._search is not None:
            self.shell.navigator.sign_in(self._search, self._signed_in)

    def _signed_in(self, words: str) -> None:
        if self._is_ready:
            self._ask()
        else:
            self.shell.message(f"Not signed in: {clean(words)}.", "warning")
        self.show_again()

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        chosen = self._rows.get(message.key)
        if chosen is None:
            return
        name = clean(chosen.name) or chosen.group_id
        question = f"Keep {fit(name, 40).rstrip()} as the RBAC group of {self.tenant}?"
        self.shell.ask(question, lambda: self._choose(chosen))

    def _choose(self, chosen: Found) -> None:
        shell, slug = self.shell, self.tenant

        def then(result: ChosenGroup | Exception) -> None:
            if isinstance(result, Exception):
                shell.error(result)
                return
            shell.message(f"{clean(result.name) or result.group_id} is the RBAC group of {slug}.")
            shell.poll_now()
            if self.is_attached:
                self.dismiss()

        shell.background.run(lambda: shell.backend.tenants.choose_group(slug, chosen.group_id, chosen.name), then)


def _found(one: FoundGroup | DirectoryGroup) -> Found:
    return Found(one.group_id, one.name, one.types)
