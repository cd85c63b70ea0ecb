"""The list of runs: the screen that operators look at all night."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Footer, Input

from screens import columns
from screens.live import LiveScreen
from screens.text import clean
from screens.widgets import bars
from screens.widgets.table import RowTable
from store.errors import OpsmonError
from store.filters import RunFilter, parse
from store.queries import TABS
from store.records import Run
from store.snapshot import Request, Snapshot


class RunsScreen(LiveScreen):
    """Header, tabs, filter line, table. Actions apply to the run that was painted under the cursor."""

    DEFAULT_CSS = """
    RunsScreen { layout: vertical; }
    RunsScreen #edit { display: none; height: 1; border: none; padding: 0 1; background: $surface; }
    RunsScreen #edit.editing { display: block; }
    RunsScreen #empty { display: none; height: 1; padding: 0 2; }
    RunsScreen #empty.empty { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "app.start", "Start"),
        Binding("r", "retry", "Retry"),
        Binding("space", "mark", "Mark", show=False),
        Binding("slash", "edit_filter", "Filter"),
        *(Binding(str(n), f"tab({name!r})", name, show=False) for n, name in enumerate(TABS, 1)),
        Binding("y", "copy", "Copy id", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.tab = "All"
        self.terms = ""
        self._wanted = RunFilter()
        self._snapshot: Snapshot | None = None
        self._marked: frozenset[int] = frozenset()
        self._freshness = "loading"

    def compose(self) -> ComposeResult:
        yield bars.Line(id="header")
        yield bars.Line(id="tabs")
        yield bars.Line(id="filter")
        edit = Input(
            id="edit",
            placeholder="status:running outcome:failed type:inventory.* tenant:NAME since:2h mine",
            select_on_focus=False,
        )
        edit.cursor_blink = False
        yield edit
        yield bars.Line(id="empty")
        yield RowTable(id="runs")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one(RowTable).focus()
        self._paint()

    # -- what is shown ----------------------------------------------------------------------------------------------------

    def asks(self, request: Request) -> Request:
        return replace(request, wanted=self.monitor.in_tenant(self._wanted), tab=self.tab)

    def show(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._marked &= {run.id for run in snapshot.runs}
        self._paint()
        self.refresh_keys()

    def show_freshness(self, words: str) -> None:
        self._freshness = words
        self._paint_bars()

    def on_resize(self) -> None:
        self._paint()

    def _paint(self) -> None:
        self._paint_bars()
        if self._snapshot is None:
            return
        shape = columns.layout(self.size.width - 1)
        rows = columns.rows(self._snapshot.runs, self._snapshot.at, shape, self._marked, self.monitor.ascii_only)
        self.query_one(RowTable).show(rows, shape.header, may_follow=not self._marked)

    def _paint_bars(self) -> None:
        if not self.is_mounted:
            return
        snapshot, monitor = self._snapshot, self.monitor
        monitor.put_header(self, monitor.tenant or "all tenants", self._freshness)
        counts: Mapping[str, int | None] = snapshot.counts if snapshot else dict.fromkeys(TABS)
        self.query_one("#tabs", bars.Line).put(bars.tabs(counts, self.tab, self.size.width))
        shown = len(snapshot.runs) if snapshot else 0
        self.query_one("#filter", bars.Line).put(
            bars.filter_line(self.terms, shown, counts[self.tab], len(self._marked))
        )
        self._paint_empty(shown)

    def _paint_empty(self, shown: int) -> None:
        line = self.query_one("#empty", bars.Line)
        line.set_class(not shown, "empty")
        narrowed = self.terms or self.tab != "All"
        nothing = (
            "No run matches. Esc clears the filter, 1 shows all."
            if narrowed
            else "No runs in the last 30 days. Press s to start one."
        )
        line.put(Content(nothing if self._snapshot else "Waiting for the database."))

    # -- what is done -----------------------------------------------------------------------------------------------------

    @property
    def painted_run(self) -> Run | None:
        """The run that was painted under the cursor, as it was painted."""
        key = self.query_one(RowTable).painted_key
        return next((run for run in self._snapshot.runs if run.id == key), None) if self._snapshot else None

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        self.monitor.open_run(message.key)

    def on_row_table_cursor_moved(self) -> None:
        self.refresh_keys()

    def why_not(self, action: str) -> str | None:
        if action != "retry" or self._marked:
            return None
        run = self.painted_run if self.is_mounted else None
        return self.monitor.why_no_retry(run) if run else "There is no run to retry."

    def action_retry(self) -> None:
        chosen = self._marked or {self.query_one(RowTable).painted_key}
        runs = [run for run in self._snapshot.runs if run.id in chosen] if self._snapshot else []
        self._marked = frozenset()
        self._paint()
        for run in runs:
            self.monitor.retry(run)

    def action_mark(self) -> None:
        run = self.painted_run
        if run:
            self._marked ^= {run.id}
            self._paint()
            self.query_one(RowTable).action_move(1)

    def action_tab(self, name: str) -> None:
        self.tab = name
        self.monitor.refocus()
        self._paint_bars()

    def action_copy(self) -> None:
        run = self.painted_run
        if run:
            self.app.copy_to_clipboard(str(run.id))
            self.monitor.say(f"{run.id} sent to terminal")

    def action_back(self) -> None:
        if self.terms:
            self._set_filter("")
        self._marked = frozenset()
        self._paint()

    # -- the filter -------------------------------------------------------------------------------------------------------

    def action_edit_filter(self) -> None:
        edit = self.query_one("#edit", Input)
        edit.value = self.terms
        edit.cursor_position = len(edit.value)
        edit.add_class("editing")
        edit.focus()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        if self._set_filter(message.value):
            self._close_edit()

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape" and self.query_one("#edit", Input).has_focus:
            event.stop()
            self._close_edit()
        elif not self.query_one("#edit", Input).has_focus:
            self.explain(event)

    def _close_edit(self) -> None:
        self.query_one("#edit", Input).remove_class("editing")
        self.query_one(RowTable).focus()

    def _set_filter(self, terms: str) -> bool:
        try:
            self._wanted = parse(terms.split())
        except OpsmonError as error:
            self.monitor.say(clean(str(error)), "error")
            return False
        self.terms = " ".join(terms.split())
        self.monitor.refocus()
        self._paint_bars()
        return True
