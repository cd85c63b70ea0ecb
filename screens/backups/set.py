"""One backup set: how it stands, and its items, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from screens.backups import about, words
from screens.backups.acting import ActsOnSets
from screens.paged import PagedScreen
from screens.text import assigned, policy_words
from screens.text import format as fmt
from screens.text.column_widths import ColumnSpec, column_widths, heading
from screens.text.safe import fit
from screens.widgets import header_lines
from screens.widgets.line_view import LineView, cut
from screens.widgets.row_diff import Cell, Row
from screens.widgets.row_table import RowTable
from store.intune.backup_sets import PAGE, BackupSet, BackupSetDetail, ListedItem, SetWanted
from store.snapshot import Request, Snapshot

#: The columns: state, kind, name, assigned to, platform. A state is never cut. A platform has room for
#: `androidWorkProfile`, or none.
_PARTS: Final = (
    ColumnSpec(21, 21, 1),
    ColumnSpec(24, 16, 2),
    ColumnSpec(30, 12, 0, grow=3),
    ColumnSpec(18, 16, 3, grow=2),
    ColumnSpec(18, 18, 4),
)
_TITLES: Final = ("State", "Kind", "Name", "Assigned to", "Platform")


class BackupSetScreen(ActsOnSets, PagedScreen):
    """Enter shows an item; moving past an end of the page shows the page there."""

    DEFAULT_CSS = """
    BackupSetScreen #about { padding: 0 1; height: 3; scrollbar-size-vertical: 0; }
    BackupSetScreen #under { color: $text-warning; }
    BackupSetScreen #under.loud { color: $text-error; text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", id="filter"),
        Binding("f", "lacking", "Not whole", id="only_lacking"),
        Binding("r", "plan", "Restore", id="plan_restore"),
        Binding("a", "add", "Add more", id="add_policies"),
        Binding("o", "run", "Run", show=False, id="its_run"),
        Binding("z", "fold", "Unfold or fold what is above the items", show=False, id="fold"),
    ]

    def __init__(self, set_id: int) -> None:
        super().__init__()
        self.set_id = set_id
        self._lacking = False
        self._is_unfolded = False
        self._detail: BackupSetDetail | None = None

    def compose_body(self) -> ComposeResult:
        above = LineView(id="about")
        above.can_focus = False
        yield above
        yield from super().compose_body()
        yield header_lines.Line(id="under")

    @property
    def _wanted(self) -> SetWanted:
        return SetWanted(self.set_id, text=self.text, after=self.after, lacking=self._lacking)

    def contribute(self, request: Request) -> Request:
        return replace(request, backups=self._wanted)

    @property
    def place(self) -> str:
        of = f"{self.tenant}, " if self.tenant else ""
        return f"{of}backup set {self.set_id}"

    def chosen_set(self) -> BackupSet | None:
        return self._detail.found if self._detail else None

    def show_kinds(self) -> None:
        self.show_again()

    # -- what is shown ----------------------------------------------------------------------------------------------------

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.request.backups != self._wanted:
            return
        detail = self._detail = snapshot.backups if isinstance(snapshot.backups, BackupSetDetail) else None
        self.tenant = detail.found.tenant if detail else self.tenant
        self._show_above(snapshot)
        rows = [self._row(one) for one in detail.items] if detail else []
        self.show_page(rows, heading(_TITLES, self._rooms), detail.next if detail else None)
        self.put_words(self._told(detail))
        self._tell_of_the_one_under_the_cursor()
        self.paint_header()
        self.refresh_keys()

    def _show_above(self, snapshot: Snapshot) -> None:
        width, height = max(20, self.size.width - 2), self.size.height
        shell = self.shell
        label, ascii_only = shell.backend.kind_label, shell.ascii_only
        view = about.View(snapshot.at, width, label, self.all_kinds, ascii_only, shell.times)
        found = about.lines(self._detail, view) if self._detail else []
        shown = cut(found, max(4, height - 10 if self._is_unfolded else height // 4))
        above = self.query_one("#about", LineView)
        if above.styles.height is None or above.styles.height.value != len(shown):
            above.styles.height = len(shown)
        above.show(shown)

    def _told(self, detail: BackupSetDetail | None) -> str:
        """The line above the table."""
        if detail is None:
            return f"There is no backup set {self.set_id} any more, or it is not yours to see."
        that = f" with '{self.text}' in the name" if self.text else ""
        that += " that are not whole" if self._lacking else ""
        if not detail.items:
            return f"No items{that}. {'esc shows all.' if that else ''}".rstrip()
        first = self.pages_before * PAGE + 1
        which = f"Items {first:,} to {first + len(detail.items) - 1:,}{self._of(detail.found)}{that}."
        more = " j on the last goes on." if detail.next else ""
        is_all = not detail.next and first == 1
        return f"{fmt.several(len(detail.items), 'item')}{that}." if is_all else which + more

    def _of(self, found: BackupSet) -> str:
        """How many there are in all, where that is known."""
        if self.text:
            return ""
        return f" of {words.not_whole(found) if self._lacking else words.items_of(found):,}"

    def on_row_table_cursor_moved(self) -> None:
        self._tell_of_the_one_under_the_cursor()

    def _tell_of_the_one_under_the_cursor(self) -> None:
        """What is missing of the item."""
        items = self._detail.items if self._detail else ()
        item = next((one for one in items if one.id == self.table.cursor_key), None)
        told = words.lacks(item, self.shell.ascii_only) if item else ""
        under = self.query_one("#under", header_lines.Line)
        under.set_class(item is not None and policy_words.is_loud(item.completeness), "loud")
        under.put(Content(fit(f" {told}", self.size.width).rstrip()))

    # -- rows -------------------------------------------------------------------------------------------------------------

    @property
    def _rooms(self) -> list[int]:
        return column_widths(_PARTS, self.size.width - 2)

    def _row(self, item: ListedItem) -> Row:
        state = policy_words.completeness(item.completeness)
        whom = assigned.short(item.assignments, groups_of(item.references))
        texts = (
            policy_words.with_glyph(state, self.shell.ascii_only),
            policy_words.capitalised(self.shell.backend.kind_label(item.kind)),
            item.name or "(without a name)",
            whom,
            item.platform or "",
        )
        styles = (state.style, "quiet", "", "partial" if whom == assigned.UNKNOWN else "", "quiet")
        shown = zip(texts, self._rooms, styles, strict=True)
        return Row(item.id, tuple(Cell(fit(text, room), style) for text, room, style in shown if room))

    # -- keys -------------------------------------------------------------------------------------------------------------

    def action_plan(self) -> None:
        """Open the form that plans a restore of the item under the cursor; without one, of the set."""
        items = self._detail.items if self._detail else ()
        item = next((one for one in items if one.id == self.table.painted_key), None)
        if chosen := self.chosen_set():
            self.shell.navigator.plan_restore(chosen, (item.id, item.name) if item else None)

    def action_lacking(self) -> None:
        """Show only items that are not whole; if only these are shown, show all."""
        self._lacking = not self._lacking
        self.show_from_start()

    def action_fold(self) -> None:
        """Show all that is known of the set above its items, or only the first lines."""
        self._is_unfolded = not self._is_unfolded
        self.show_again()

    def action_back(self) -> None:
        """Show all again; if all are shown, go back."""
        if self._lacking and not self.text:
            self.action_lacking()
        else:
            super().action_back()

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        self.shell.navigator.backup_item(message.key)


def groups_of(references: tuple[Any, ...]) -> dict[str, str]:
    """The names that groups had, by their ids."""
    known = (one for one in references if isinstance(one, Mapping) and one.get("kind") == "groups")
    return {str(one.get("id")): str(one["name"]) for one in known if one.get("name")}
