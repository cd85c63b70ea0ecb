"""One restore: how it stands, what comes next, and its items, a page at a time. While its run runs, they move."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from screens.paged import PagedScreen
from screens.restores import steps, words
from screens.restores.acting import ActsOnRestores
from screens.text import format as fmt
from screens.text.column_widths import ColumnSpec, column_widths, heading
from screens.text.policy_words import capitalised, with_glyph
from screens.text.safe import fit, wrap
from screens.widgets import header_lines
from screens.widgets.line_view import Line, LineView, cut
from screens.widgets.row_diff import Cell, Row
from screens.widgets.row_table import RowTable
from store.intune.restore_page import PAGE, ListedRestore, ListedRestoreItem, RestoreDetail, RestoreWanted, Which
from store.snapshot import Request, Snapshot

#: The columns: what is done, what became of it, kind, name, why. What is done and what became of it are never cut.
_PARTS: Final = (
    ColumnSpec(12, 12, 0),
    ColumnSpec(10, 10, 1),
    ColumnSpec(22, 14, 4),
    ColumnSpec(26, 12, 0, grow=2),
    ColumnSpec(24, 16, 3, grow=3),
)
_TITLES: Final = ("Preview", "Result", "Kind", "Name", "Why")
_ONLY: Final = {"all": "", "blocked": " blocked or ambiguous", "failed": " failed or waiting for approval"}


class RestoreScreen(ActsOnRestores, PagedScreen):
    """Enter shows an item; moving past an end of the page shows the page there."""

    DEFAULT_CSS = """
    RestoreScreen #about { padding: 0 1; height: 3; scrollbar-size-vertical: 0; }
    RestoreScreen #under { color: $text-warning; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "groups", "Groups", id="map_groups"),
        Binding("p", "preview", "Preview", id="preview"),
        Binding("E", "execute", "Execute", id="execute_restore"),
        Binding("x", "skip", "Leave out", id="skip_item"),
        Binding("A", "skip_blocked", "Leave out all that is blocked", show=False, id="skip_blocked"),
        Binding("c", "choose", "Choose", id="choose_item"),
        Binding("b", "only('blocked')", "Blocked", id="only_blocked"),
        Binding("f", "only('failed')", "Failed", id="only_failed"),
        Binding("e", "edit", "Scope", show=False, id="change_restore"),
        Binding("C", "go_on", "Go on", show=False, id="go_on"),
        Binding("D", "discard", "Discard the preview", show=False, id="discard_preview"),
        Binding("u", "undo", "Undo", show=False, id="undo"),
        Binding("v", "run", "Run", show=False, id="view_run"),
        Binding("z", "fold", "Unfold or fold what is above the items", show=False, id="fold"),
    ]

    def __init__(self, restore_id: int) -> None:
        super().__init__()
        self.restore_id = restore_id
        self._which: Which = "all"
        self._is_unfolded = False
        self._detail: RestoreDetail | None = None

    def compose_body(self) -> ComposeResult:
        above = LineView(id="about")
        above.can_focus = False
        yield above
        yield from super().compose_body()
        yield header_lines.Line(id="under")

    @property
    def _wanted(self) -> RestoreWanted:
        return RestoreWanted(self.restore_id, self._which, self.after)

    def contribute(self, request: Request) -> Request:
        return replace(request, restores=self._wanted)

    @property
    def place(self) -> str:
        into = f"{self._detail.found.restore.tenant}, " if self._detail else ""
        return f"{into}restore {self.restore_id}"

    def chosen_restore(self) -> ListedRestore | None:
        return self._detail.found if self._detail else None

    def chosen_item(self) -> ListedRestoreItem | None:
        return self._item(self.table.painted_key) if self.is_mounted else None

    def _item(self, key: int | None) -> ListedRestoreItem | None:
        items = self._detail.items if self._detail else ()
        return next((one for one in items if one.id == key), None)

    # -- what is shown ----------------------------------------------------------------------------------------------------

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.request.restores != self._wanted:
            return
        detail = self._detail = snapshot.restores if isinstance(snapshot.restores, RestoreDetail) else None
        self._show_above(snapshot)
        rows = [self._row(one) for one in detail.items] if detail else []
        self.show_page(rows, heading(_TITLES, self._rooms), detail.next if detail else None)
        self.put_words(self._told(detail))
        self._tell_of_the_one_under_the_cursor()
        self.paint_header()
        self.refresh_keys()

    def _show_above(self, snapshot: Snapshot) -> None:
        width, height = max(20, self.size.width - 2), self.size.height
        found = [
            Line((number, part), (Cell(text, style),))
            for number, (told, style) in enumerate(self._about(snapshot))
            for part, text in enumerate(wrap(told, width))
        ]
        if detail := self._detail:
            cells = steps.line(detail.found, detail.undecided, width, self.shell.ascii_only)
            found[1:1] = [Line("steps", cells)] if cells else []
        shown = cut(found, max(4, height - 10 if self._is_unfolded else height // 4))
        above = self.query_one("#about", LineView)
        if above.styles.height is None or above.styles.height.value != len(shown):
            above.styles.height = len(shown)
        above.show(shown)

    def _about(self, snapshot: Snapshot) -> Iterator[tuple[str, str]]:
        """What is told above the items, the most important first, with its styles."""
        detail, ascii_only = self._detail, self.shell.ascii_only
        if detail is None:
            return
        state = words.state(detail.found)
        yield f"{with_glyph(state, ascii_only)}  restore {self.restore_id}", f"bold {state.style}".strip()
        yield words.comes_next(detail.found, detail.undecided, detail.missing_ticks), "bold"
        yield from words.facts(detail.found, detail.undo_set, snapshot.at, ascii_only, self.shell.times)

    def _told(self, detail: RestoreDetail | None) -> str:
        """The line above the table."""
        if detail is None:
            return f"There is no restore {self.restore_id} any more, or it is not yours to see."
        only = _ONLY[self._which]
        if not detail.items:
            return f"No objects{only}.{' esc shows all.' if only else ''}"
        first = self.pages_before * PAGE + 1
        if not detail.next and first == 1:
            return f"{fmt.several(len(detail.items), 'object')}{only}."
        of = "" if only else f" of {detail.found.numbers.objects:,}"
        more = " j on the last goes on." if detail.next else ""
        return f"Objects {first:,} to {first + len(detail.items) - 1:,}{of}{only}.{more}"

    def on_row_table_cursor_moved(self) -> None:
        self._tell_of_the_one_under_the_cursor()
        self.refresh_keys()

    def _tell_of_the_one_under_the_cursor(self) -> None:
        """Why it is blocked, or what became of it: more than its column has room for."""
        item = self._item(self.table.cursor_key)
        self.query_one("#under", header_lines.Line).put(
            Content(fit(f" {_why(item) if item else ''}", self.size.width).rstrip())
        )

    # -- rows -------------------------------------------------------------------------------------------------------------

    @property
    def _rooms(self) -> list[int]:
        return column_widths(_PARTS, self.size.width - 2)

    def _row(self, item: ListedRestoreItem) -> Row:
        action, result = words.action(item.action), words.result(item.result, item.is_skipped)
        texts = (
            with_glyph(action, self.shell.ascii_only),
            with_glyph(result, self.shell.ascii_only).strip(),
            capitalised(self.shell.backend.kind_label(item.kind)),
            item.name or "(without a name)",
            _why(item),
        )
        is_out = item.result in ("done", "skipped") or item.is_skipped
        styles = ("quiet" if is_out else action.style, result.style, "quiet", "", "quiet" if is_out else "partial")
        shown = zip(texts, self._rooms, styles, strict=True)
        return Row(item.id, tuple(Cell(fit(text, room), style) for text, room, style in shown if room))

    # -- keys -------------------------------------------------------------------------------------------------------------

    def action_only(self, which: Which) -> None:
        """Show only these items; if only they are shown, show all."""
        self._which = "all" if self._which == which else which
        self.show_from_start()

    def action_fold(self) -> None:
        """Show all that is known of the restore above its items, or only the first lines."""
        self._is_unfolded = not self._is_unfolded
        self.show_again()

    def action_back(self) -> None:
        """Show all again; if all are shown, go back."""
        if self._which == "all":
            super().action_back()
        else:
            self.action_only(self._which)

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        self.shell.navigator.restore_item(self.restore_id, message.key)


def _why(item: ListedRestoreItem) -> str:
    """What there is to say of an item; of one that is neither blocked nor ended, what it wants to be agreed to."""
    return item.told or ("" if item.result else "; ".join(words.wants(item.needs)))
