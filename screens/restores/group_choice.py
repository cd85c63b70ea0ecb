"""The search for the group of the target tenant that stands for a group of the backup, in the cached directory, as one types."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Final, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from screens.base import PolledModal
from screens.restores import mapping_words as words
from screens.text.column_widths import ColumnSpec, column_widths, heading
from screens.text.group_words import types
from screens.text.safe import clean, fit
from screens.widgets import header_lines
from screens.widgets.name_search import NameSearch
from screens.widgets.row_diff import Cell, Row
from screens.widgets.row_table import RowTable
from store.intune.browse import MAX_TEXT
from store.intune.directory_page import DirectoryWanted
from store.intune.group_search import DirectoryGroup
from store.intune.restore_mapping_page import MappedGroup
from store.intune.restore_mappings import known_name
from store.snapshot import Request, Snapshot

#: The columns: name, types, id.
_PARTS: Final = (ColumnSpec(24, 14, 0, grow=3), ColumnSpec(22, 8, 1), ColumnSpec(36, 8, 2))
#: Cells that the search takes at most: that of the tenant's groups in a wide table.
_WIDTH: Final = 92


class GroupChoiceModal(PolledModal[DirectoryGroup]):
    """Dismissed with the chosen group. Begins with the name in the backup; each letter asks the database at once."""

    DEFAULT_CSS = f"""
    GroupChoiceModal {{ align: right bottom; }}
    GroupChoiceModal Vertical {{
        width: {_WIDTH}; max-width: 100%; height: 60%; min-height: 10; background: $panel; margin-bottom: 1;
    }}
    GroupChoiceModal > Vertical:ansi, GroupChoiceModal > Vertical:nocolor {{ border: none; border-top: solid $line; }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", "Down", show=False, id="down"),
        Binding("up", "move(-1)", "Up", show=False, id="up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="page_down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="page_up"),
    ]

    def __init__(self, tenant: str, group: MappedGroup) -> None:
        super().__init__()
        self._tenant = tenant
        self._group = group
        self._text = clean(known_name(group.decision) or "").strip()[:MAX_TEXT]
        self._jump: Literal["first"] | None = None
        #: The groups on the screen by the table's keys, and whether they are the answer to what is asked now.
        self._groups: dict[int, DirectoryGroup] = {}
        self._is_answered = False

    def compose(self) -> ComposeResult:
        with Vertical():
            yield header_lines.Line(id="what")
            yield NameSearch("beginnings of words of the name")
            yield header_lines.Line(id="words")
            table = RowTable()
            table.can_focus = False
            yield table

    def on_mount(self) -> None:
        self.query_one(NameSearch).open(self._text)
        self._say(f"Searching '{fit(self._text, 30).rstrip()}'." if self._text else "Waiting for the database.")

    def on_resize(self) -> None:
        self.show_again()

    @property
    def _wanted(self) -> DirectoryWanted:
        return DirectoryWanted(self._tenant, self._text)

    def contribute(self, request: Request) -> Request:
        return replace(request, directory=self._wanted)

    # -- what is shown ----------------------------------------------------------------------------------------------------

    def on_snapshot(self, snapshot: Snapshot) -> None:
        self._ask_which()
        if snapshot.request.directory != self._wanted:
            return
        found, self._is_answered = snapshot.directory, True
        self._groups = {group.id: group for group in found.groups} if found else {}
        rows = [self._row(group) for group in self._groups.values()]
        header = heading(("Name", "Is", "Id"), self._rooms) if rows else ""
        self.query_one(RowTable).show(rows, header, may_follow=False, go_to=self._jump)
        self._jump = None
        gone = f"There is no tenant {self._tenant}."
        self._say(words.searched(found, self._text, self.shell.ascii_only) if found else gone)

    def _ask_which(self) -> None:
        name, kind = words.short(words.source_name(self._group.decision)), words.types(self._group.source_types)
        told = f" What stands for {name} ({kind})?  (enter chooses, esc closes)"
        self.query_one("#what", header_lines.Line).put(Content.styled(fit(told, self._width).rstrip(), "bold"))

    def _say(self, told: str) -> None:
        self.query_one("#words", header_lines.Line).put(Content(fit(f" {told}", self._width).rstrip()))

    @property
    def _width(self) -> int:
        return max(20, min(_WIDTH, self.size.width))

    @property
    def _rooms(self) -> list[int]:
        return column_widths(_PARTS, self._width - 2)

    def _row(self, group: DirectoryGroup) -> Row:
        texts = (words.chosen_name(group), types(group.types), group.group_id)
        shown = zip(texts, self._rooms, ("", "", "quiet"), strict=True)
        return Row(group.id, tuple(Cell(fit(text, room), style) for text, room, style in shown if room))

    # -- keys -------------------------------------------------------------------------------------------------------------

    def on_input_changed(self, message: Input.Changed) -> None:
        if (text := message.value.strip()) != self._text:
            self._text, self._jump, self._is_answered = text, "first", False
            self._say(f"Searching '{fit(text, 30).rstrip()}'." if text else "Searching.")
            self.shell.update_request()
            self.shell.poll_now()

    def on_input_submitted(self) -> None:
        self._choose(self.query_one(RowTable).painted_key)

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        self._choose(message.key)

    def _choose(self, key: int | None) -> None:
        """Choose what is painted there; not while another search waits for its answer."""
        if not self._is_answered:
            self.shell.message("The search has not been answered yet.", "warning")
        elif chosen := self._groups.get(key or 0):
            self.dismiss(chosen)

    def on_name_search_left(self) -> None:
        self.dismiss()

    def action_move(self, by: int) -> None:
        self.query_one(RowTable).action_move(by)

    def action_page(self, by: int) -> None:
        self.query_one(RowTable).action_page(by)
