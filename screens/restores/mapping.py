"""The groups that a restore names, and which groups of the target tenant stand for them. Read from the cached directory alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from screens.base import TableScreen
from screens.restores import mapping_words as words
from screens.restores import refusals
from screens.restores.acting import ChangesRestores
from screens.syncing import CanSync
from screens.text import format as fmt
from screens.text.column_widths import ColumnSpec, column_widths
from screens.text.policy_words import with_glyph
from screens.text.safe import figure, fit, plain, wrap
from screens.widgets.line_view import Line, LineView
from screens.widgets.row_diff import Cell, Row
from screens.widgets.row_table import RowTable
from store.intune.group_search import DirectoryGroup
from store.intune.restore_mapping_page import MappedGroup
from store.intune.restore_mapping_poll import MappingFound, MappingWanted
from store.intune.restore_mappings import Decision
from store.intune.restore_records import Mapped
from store.snapshot import Request, Snapshot

#: The columns: state; name in the backup, what it is, uses; name in the tenant, what it is, how it was found.
_PARTS: Final = (
    ColumnSpec(12, 12, 0),
    ColumnSpec(15, 12, 0, grow=2),
    ColumnSpec(22, 8, 4),
    ColumnSpec(5, 5, 5),
    ColumnSpec(22, 12, 0, grow=3),
    ColumnSpec(22, 8, 3),
    ColumnSpec(9, 9, 2),
)
_USES: Final = 3
#: From this column on a group for which nothing stands says why.
_TARGET: Final = 4
#: Lines for the group under the cursor, at least: so many that the table rarely changes its height.
_IN_FULL: Final = 4


class MappingScreen(CanSync, ChangesRestores, TableScreen[None]):
    """Enter searches for a group of the tenant. Nothing here asks Microsoft Graph: a sync is a run of its own."""

    SYNC = "directory_groups.sync"
    SYNC_LABEL = "Sync groups"
    DEFAULT_CSS = f"""
    MappingScreen #directory {{ height: auto; padding: 0 1; }}
    MappingScreen #under {{ height: {_IN_FULL}; padding: 0 1; scrollbar-size-vertical: 0; }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "skip_group", "Skip", id="skip_group"),
        Binding("u", "unresolve", "Unresolve", show=False, id="unresolve_group"),
        Binding("b", "only", "Unresolved", id="only_blocked"),
        Binding("A", "skip_all", "Skip all unresolved", show=False, id="skip_unresolved"),
        Binding("f", "find_again", "Find again", id="find_groups"),
        Binding("s", "sync", "Sync groups", id="start"),
    ]

    def __init__(self, restore_id: int) -> None:
        super().__init__()
        self.restore_id = restore_id
        self._found: MappingFound | None = None
        self._only_unresolved = False
        #: The groups on the screen by the table's keys; a group keeps its key from poll to poll.
        self._groups: dict[int, MappedGroup] = {}
        self._keys: dict[str, int] = {}

    def compose_body(self) -> ComposeResult:
        yield Static("", id="directory", markup=False)
        yield from super().compose_body()
        under = LineView(id="under")
        under.can_focus = False
        yield under

    @property
    def _wanted(self) -> MappingWanted:
        return MappingWanted(self.restore_id)

    def contribute(self, request: Request) -> Request:
        return replace(request, restore_mapping=self._wanted)

    @property
    def place(self) -> str:
        into = f"{self.tenant}, " if self.tenant else ""
        return f"{into}groups of restore {self.restore_id}"

    # -- what is shown ----------------------------------------------------------------------------------------------------

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.request.restore_mapping != self._wanted:
            return
        self._found = found = snapshot.restore_mapping
        self.tenant = found.page.restore.tenant if found else self.tenant
        self._groups = {self._key(one): one for one in self._chosen_few}
        rows = [self._row(key, one) for key, one in self._groups.items()]
        self.table.show(rows, self._header if rows else "", may_follow=False)
        self.query_one("#directory", Static).update(plain(self._directory(snapshot)))
        self.put_words(words.told(found.page, self._only_unresolved) if found else self._gone)
        self._tell_of_the_one_under_the_cursor()
        self.paint_header()
        self.refresh_keys()

    @property
    def _chosen_few(self) -> Sequence[MappedGroup]:
        every = self._found.page.groups if self._found else ()
        return [one for one in every if one.decision.decision == "unresolved"] if self._only_unresolved else every

    def _key(self, group: MappedGroup) -> int:
        return self._keys.setdefault(group.decision.source_id, len(self._keys) + 1)

    @property
    def _gone(self) -> str:
        return f"There is no restore {self.restore_id} any more, or it is not yours to see."

    def _directory(self, snapshot: Snapshot) -> str:
        if self._found is None:
            return ""
        may_sync = self.why_no_sync() is None
        ascii_only, times = self.shell.ascii_only, self.shell.times
        return words.directory(self._found.page, snapshot.at, may_sync=may_sync, ascii_only=ascii_only, times=times)

    def on_row_table_cursor_moved(self) -> None:
        self._tell_of_the_one_under_the_cursor()
        self.refresh_keys()

    def _tell_of_the_one_under_the_cursor(self) -> None:
        """What the columns have no room for."""
        group, snapshot = self._groups.get(self.table.cursor_key or 0), self.shell.snapshot
        told = words.in_full(group, snapshot.at, self.shell.ascii_only, self.shell.times) if group and snapshot else ()
        width = max(20, self.size.width - 2)
        lines = [
            Line((number, part), (Cell(text, style),))
            for number, (sentence, style) in enumerate(told)
            for part, text in enumerate(wrap(sentence, width))
        ]
        under, most = self.query_one("#under", LineView), max(_IN_FULL, self.size.height // 3)
        shown = lines[:most]
        if (room := max(_IN_FULL, len(shown))) != (under.styles.height and under.styles.height.value):
            under.styles.height = room
        under.show(shown)

    # -- rows -------------------------------------------------------------------------------------------------------------

    @property
    def _rooms(self) -> list[int]:
        return column_widths(_PARTS, self.size.width - 2)

    def _rooms_of(self, group: Mapped) -> list[int]:
        """The widths for a row: why nothing stands for a group has the room of all that would be told of its target."""
        rooms = self._rooms
        if group.decision == "map":
            return rooms
        rest = [room for room in rooms[_TARGET:] if room]
        return [*rooms[:_TARGET], sum(rest) + len(rest) - 1, *(0 for _ in rooms[_TARGET + 1 :])]

    @property
    def _header(self) -> str:
        return " ".join(_fitted(n, title, room) for n, (title, room) in enumerate(self._titles) if room)

    @property
    def _titles(self) -> Sequence[tuple[str, int]]:
        titles = ("State", "In the backup", "Is", "Uses", f"In {self.tenant}", "Is", "Found by")
        return list(zip(titles, self._rooms, strict=True))

    def _row(self, key: int, group: MappedGroup) -> Row:
        state, found = words.state(group), group.decision
        name, kind, found_by = words.target(group, self.shell.ascii_only)
        texts = (
            with_glyph(state, self.shell.ascii_only),
            words.source_name(found),
            words.types(group.source_types),
            f"{found.uses:,}",
            name,
            kind,
            found_by,
        )
        differs = "partial" if group.warnings else "quiet"
        stands = {"map": "", "skip": "quiet", "unresolved": "partial"}[found.decision]
        styles = (state.style, "", differs, "quiet", stands, differs, "quiet")
        shown = enumerate(zip(texts, self._rooms_of(found), styles, strict=True))
        return Row(key, tuple(Cell(_fitted(n, text, room), style) for n, (text, room, style) in shown if room))

    # -- rights -----------------------------------------------------------------------------------------------------------

    def disabled_reason(self, action: str) -> str | None:
        if action in refusals.DECIDES and self._found and (reason := self.why_no_right(self.tenant)):
            return reason
        group = self._under_cursor
        return super().disabled_reason(action) or refusals.why_not_decide(
            action, self._found, group.decision if group else None
        )

    @property
    def _under_cursor(self) -> MappedGroup | None:
        """The group that is painted under the cursor."""
        return self._groups.get(self.table.painted_key or 0) if self.is_mounted else None

    # -- keys -------------------------------------------------------------------------------------------------------------

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        """Search for what stands for the group."""
        group = self._groups.get(message.key)
        if reason := self.disabled_reason("map"):
            self.shell.message(reason, "warning")
        elif group:
            self.shell.navigator.group_choice(self.tenant, group, lambda chosen: self._map(group, chosen))

    def _map(self, group: MappedGroup, chosen: DirectoryGroup) -> None:
        name, target = _name(group), words.short(words.chosen_name(chosen))
        decision = Decision(group.decision.source_id, "map", chosen.group_id)
        self._decide([decision], f"Map {name} to {target}?", f"{name} is mapped to {target}.")

    def action_skip_group(self) -> None:
        """Skip the group; one that is skipped is undecided again."""
        if (group := self._under_cursor) and group.decision.decision == "skip":
            self.action_unresolve()
        elif group:
            decision = Decision(group.decision.source_id, "skip")
            done = f"{_name(group)} is skipped: assignments to it are left out."
            self._decide([decision], f"Skip {_name(group)}?", done)

    def action_unresolve(self) -> None:
        """Take back what was decided on the group."""
        if group := self._under_cursor:
            decision = Decision(group.decision.source_id, "unresolved")
            done = f"{_name(group)} is unresolved again: f looks for what fits."
            self._decide([decision], f"Take back what stands for {_name(group)}?", done)

    def action_skip_all(self) -> None:
        """Skip all groups that are unresolved, shown or not. Asks in any case."""
        groups = self._found.page.groups if self._found else ()
        decisions = [
            Decision(one.decision.source_id, "skip") for one in groups if one.decision.decision == "unresolved"
        ]
        many = fmt.several(len(decisions), "group")
        question = f"Skip {many}, all that are unresolved? Assignments to them are left out."
        self._decide(decisions, question, f"{many} skipped.", asks=True)

    def action_find_again(self) -> None:
        """Look in the cached directory for groups that nobody decided on, as it is now."""
        id_, suggest = self.restore_id, self.shell.backend.restores.suggest
        question = "Look again for all groups that nobody decided on?"
        self._ask(question, lambda: self.do(lambda: suggest(id_), "The groups were looked for again."))

    def action_only(self) -> None:
        """Show only the groups that are unresolved; if only they are shown, show all."""
        self._only_unresolved = not self._only_unresolved
        self.show_again()

    def action_back(self) -> None:
        """Show all again; if all are shown, go back."""
        if self._only_unresolved:
            self.action_only()
        else:
            super().action_back()

    # -- parts ------------------------------------------------------------------------------------------------------------

    def _decide(self, decisions: Sequence[Decision], question: str, done: str, *, asks: bool = False) -> None:
        id_, decide = self.restore_id, self.shell.backend.restores.decide
        self._ask(question, lambda: self.do(lambda: decide(id_, decisions), done), asks=asks)

    def _ask(self, question: str, then: Callable[[], None], *, asks: bool = False) -> None:
        """Ask if it undoes more than a decision, as long as there is a preview or an end; else do it at once."""
        costs = words.costs(self._found) if self._found else ""
        if costs or asks:
            self.shell.ask(f"{question} {costs}".strip(), then)
        else:
            then()


def _name(group: MappedGroup) -> str:
    return words.short(words.source_name(group.decision))


def _fitted(number: int, text: str, room: int) -> str:
    return figure(f"{text:>{room}}", room) if number == _USES else fit(text, room)
