"""The list of runs, the main screen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from screens.base import PolledScreen
from screens.runs import columns, completion, lines, paging
from screens.runs.completion import Known, contradiction, known_from
from screens.runs.filter_input import FilterInput
from screens.runs.position import End, Position, Step
from screens.runs.steps import ALL, Steps
from screens.text import format as fmt
from screens.text.safe import clean
from screens.widgets import header_lines
from screens.widgets.row_diff import Line
from screens.widgets.row_table import RowTable
from store.errors import OpsmonError
from store.model.records import Count, Run, Status
from store.search.failure_groups import Group
from store.search.filter import RunFilter, parse_line, tokens
from store.search.keyset import THE_END, Cursor
from store.search.pages import Order, Page
from store.search.saved_views import SavedView
from store.search.tabs import TABS
from store.snapshot import Request, Snapshot

#: Actions on one run, each with the reason shown if there is none.
_ON_A_RUN: Final = {
    "retry": "There is no run to retry.",
    "edit_retry": "There is no run to retry.",
    "acknowledge": "There is no run to acknowledge.",
    "watch": "There is no run to watch.",
    "mark": "",
    "copy": "",
}
#: Seconds before an unchanged list is repainted: the times in it are shown in minutes.
STILL: Final = 10.0
#: From this width on a row has room for all that there is to say of its run, and below this height no line is spared.
_WIDE: Final = 112
_HIGH: Final = 16


class RunsScreen(PolledScreen[None], inherit_bindings=False):  # tab changes tabs, and q quits
    """Header, tabs, filter line and table. Actions apply to the run painted under the cursor."""

    DEFAULT_CSS = """
    RunsScreen { layout: vertical; }
    RunsScreen #empty { display: none; height: 1; padding: 0 2; }
    RunsScreen #empty.empty { display: block; }
    RunsScreen #under, RunsScreen #greeting { display: none; }
    RunsScreen #greeting.shown { display: block; }
    RunsScreen.narrow #under { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", show=False),
        Binding("s", "app.start", "Start", tooltip="Start an operation", id="start"),
        Binding("r", "retry", "Retry", tooltip="Retry the run, or all marked ones", id="retry"),
        Binding("e", "edit_retry", "Retry the run with changed parameters", show=False, id="edit_retry"),
        Binding("A", "retry_all", "Retry all that match", show=False, id="retry_all"),
        Binding("space", "mark", "Mark the run", show=False, id="mark"),
        Binding("a", "acknowledge", "Acknowledge what went wrong", show=False, id="acknowledge"),
        Binding("W", "watch", "Watch the run of a colleague", show=False, id="watch"),
        Binding("slash", "edit_filter", "Filter", tooltip="Filter the runs", id="filter"),
        Binding("F", "groups", "Failures in groups", show=False, id="groups"),
        Binding("V", "views", "Saved views", show=False, id="views"),
        Binding("o", "order", "Change the order", show=False, id="order"),
        *(
            Binding(
                "0,1" if n == 1 else str(n),
                f"tab({name!r})",
                f"Tab {name}",
                show=False,
                tooltip="Tab of that number",
                id=f"tab_{n}",
            )
            for n, name in enumerate(TABS, 1)
        ),
        Binding("l,right,tab", "next_tab(1)", "Next tab", show=False, id="next_tab"),
        Binding("h,left,shift+tab", "next_tab(-1)", "Previous tab", show=False, id="previous_tab"),
        *(
            Binding(f"f{n}", f"view({n})", f"View {n}", show=False, tooltip="Saved view of that number", id=f"view_{n}")
            for n in range(1, 10)
        ),
        Binding("y", "copy", "Copy the run's id", show=False, id="copy"),
        Binding("q", "app.quit", "Quit", tooltip="Quit opsmon", id="quit"),
    ]

    def __init__(self, view: SavedView = ALL) -> None:
        super().__init__()
        self.tab = view.tab
        self.terms = view.terms
        self.order = view.order
        self._wanted = view.wanted
        self._steps = Steps()
        self._position = Position()
        self._snapshot: Snapshot | None = None
        self._painted_at: dt.datetime | None = None
        self._painted_list: object = None
        self._painted_times: object = None
        #: Ids of the marked runs, in the order of marking.
        self._marked: dict[int, None] = {}
        #: Types of all operations, for completion; read when the filter is first opened.
        self.types: tuple[str, ...] = ()
        self._hint: str | None = None
        #: The rows still painted when another list arrived: keys no longer act on them.
        self._before: Sequence[Line] | None = None

    def compose_body(self) -> ComposeResult:
        yield header_lines.Tabs(id="tabs")
        yield header_lines.Line(id="filter")
        yield FilterInput(self._known)
        yield header_lines.Line(id="greeting")
        yield header_lines.Line(id="empty")
        yield RowTable(id="runs", beyond=self._beyond)
        yield header_lines.Line(id="under")

    def on_mount(self) -> None:
        self._table.focus()
        self._paint()

    @property
    def _table(self) -> RowTable:
        return self.query_one(RowTable)

    # -- what is shown ----------------------------------------------------------------------------------------------------

    def contribute(self, request: Request) -> Request:
        limit = paging.window(self._position.place, self.size.height)
        wanted = self.shell.in_tenant(self._wanted)
        return replace(request, wanted=wanted, tab=self.tab, order=self.order, cursor=self._position.place, limit=limit)

    def on_snapshot(self, snapshot: Snapshot) -> None:
        is_still = self._is_still(snapshot)
        self._snapshot = snapshot
        if not is_still:
            self._paint()
            self.refresh_keys()

    def _is_still(self, new: Snapshot) -> bool:
        """Whether the list would look the same as when it was painted, and no move is pending."""
        old = self._snapshot
        if (
            self._position.waits
            or self._painted_times != self.shell.times
            or old is None
            or self._painted_at is None
            or (new.at - self._painted_at).total_seconds() >= STILL
        ):
            return False
        shown = [(one.request, one.page, one.counts, one.total, one.memberships, one.unread) for one in (old, new)]
        ticks = old.silences or new.silences or any(_tells_seconds(run, new.at) for run in new.runs)
        return shown[0] == shown[1] and not ticks

    def show_freshness(self) -> None:
        self._paint_bars()

    def show_again(self) -> None:
        self._paint()

    def on_resize(self) -> None:
        self.shell.update_request()

    @property
    def _is_silent(self) -> bool:
        return bool(self._snapshot and self._snapshot.silences)

    @property
    def _layout(self) -> columns.Layout:
        width, times = self.size.width - 2, self.shell.times
        return columns.layout(width, self.tab, self.order, silent=self._is_silent, times=times)

    def _paint(self) -> None:
        self._paint_bars()
        snapshot = self._snapshot
        if snapshot is None:
            return
        self._painted_at = snapshot.at
        self._painted_times, shape = self.shell.times, self._layout
        rows = columns.rows(snapshot.runs, snapshot.at, shape, self._marked, self.shell.ascii_only, snapshot.silences)
        # A pending jump is made once its window has arrived.
        request = snapshot.request
        if _list_of(request) != self._painted_list:
            self._painted_list, self._before = _list_of(request), self._table.painted_rows or None
        position = self._position
        go_to = position.jump if replace(self.contribute(request), limit=request.limit) == request else None
        position.jump = None if go_to else position.jump
        on_top = position.place is None and self.order is Order.CREATED
        self._table.show(rows, shape.header, may_follow=on_top and not self._marked, go_to=go_to)
        self._paint_under()
        self._go_on()

    def _paint_under(self) -> None:
        """Tell of the run under the cursor in full, where the terminal has no room for it in its row."""
        self.set_class(self.size.width < _WIDE and self.size.height >= _HIGH, "narrow")
        row = next((row for row in self._table.rows if row.key == self._table.cursor_key), None)
        told = Content("")
        if isinstance(row, columns.RunRow):
            told = lines.under(row.run, row.now, row.silence, self.size.width, self.shell.times)
        self.query_one("#under", header_lines.Line).put(told)

    def _go_on(self, may_paint: bool = True) -> None:
        """Finish a pending move, once its rows have arrived and are painted."""
        if self._snapshot is None:
            return
        table, snapshot = self._table, self._snapshot
        step = self._position.step(
            snapshot.request.cursor,
            snapshot.page,
            table.cursor_key,
            table.cursor_line,
            len(table.rows),
            table.painted_rows is table.rows,
        )
        if step is Step.MOVE:
            table.action_move(self._position.settle())
        elif step is Step.PAINT and may_paint:
            table.refresh()
            self.call_after_refresh(self._go_on, False)

    @property
    def place(self) -> str:
        return self.shell.tenant or "all tenants"

    def _paint_bars(self) -> None:
        if not self.is_mounted:
            return
        snapshot, ascii_only = self._snapshot, self.shell.ascii_only
        self.paint_header()
        counts: Mapping[str, Count | None] = snapshot.counts if snapshot else dict.fromkeys(TABS)
        self.query_one(header_lines.Tabs).show(counts, self.tab, self.size.width, ascii_only)
        total = snapshot.total if snapshot else None
        page = snapshot.page if snapshot else None
        more = lines.more(page, len(self._marked), self.order, self._position.place is not None, self.shell.times)
        line = header_lines.filter_line(self.terms, counts[self.tab], total, more, ascii_only, self.size.width)
        self.query_one("#filter", header_lines.Line).put(
            line if self._hint is None else Content(clean(f" {self._hint}"))
        )
        greeting = self.query_one("#greeting", header_lines.Line)
        greeting.set_class(self.shell.memory.is_new, "shown")
        greeting.put(Content.styled(lines.GREETING, "accent"))
        self._paint_empty(page)

    def _paint_empty(self, page: Page | None) -> None:
        line = self.query_one("#empty", header_lines.Line)
        line.set_class(not (page and page.runs), "empty")
        contradicted = contradiction(self.shell.in_tenant(self._wanted), self.shell.no_member)
        line.put(Content(lines.nothing(page, contradicted, self.tab, self.terms)))

    # -- where in the list ------------------------------------------------------------------------------------------------

    def on_row_table_cursor_moved(self) -> None:
        self.refresh_keys()
        self._paint_under()
        if self._snapshot and self.order is Order.CREATED and not self._position.jump:
            table = self._table
            self._go_to(
                paging.next_place(self._position.place, self._snapshot.page, table.cursor_line, table.size.height)
            )

    def _beyond(self, by: int, to_end: bool) -> None:
        if not self._snapshot or self.order is not Order.CREATED:
            return
        if not to_end:
            if self._position.jump:
                return  # the previous list is still painted
            self._position.owe(self._table.cursor_key, by)
            if by > 0:
                self._go_to(paging.beyond(self._position.place, self._snapshot.page))
            self._go_on()
        elif by < 0:
            self._go_to(None, "first")
        elif self._snapshot.page.has_older:
            self._go_to(THE_END, "last")

    def _go_to(self, place: Cursor | None, jump: End | None = None) -> None:
        if place != self._position.place:
            self._position.place, self._position.jump = place, jump
            self.shell.update_request()
            self._paint_bars()

    def action_order(self) -> None:
        orders = tuple(Order)
        self._show_in(orders[(orders.index(self.order) + 1) % len(orders)])

    def _show_in(self, order: Order) -> None:
        self._show_list(self.terms, self._wanted, self.tab, order)
        self.shell.message(lines.ORDERED[self.order])

    def on_row_table_head_clicked(self, message: RowTable.HeadClicked) -> None:
        if order := columns.order_at(self._layout, message.x):
            self._show_in(order)

    @on(header_lines.Tabs.Chosen)
    def _tab_chosen(self, message: header_lines.Tabs.Chosen) -> None:
        self.action_tab(message.name)

    def tenant_chosen(self) -> None:
        if self._marked:
            self._marked = {}
            self.shell.message("Another tenant: nothing is marked any more.")
        self._show_list(self.terms, self._wanted, self.tab, self.order)

    def _show_list(self, terms: str, wanted: RunFilter, tab: str, order: Order) -> None:
        """Show another list from its top. Pending moves of the previous list are dropped."""
        self.terms, self._wanted, self.tab, self.order = terms, wanted, tab, order
        self.shell.memory.note(view=self.view)
        self._position.restart()
        self.shell.update_request()
        self._paint_bars()

    # -- what is done -----------------------------------------------------------------------------------------------------

    @property
    def painted_run(self) -> Run | None:
        """The run painted under the cursor, in its painted state. None while the previous list is still painted."""
        if self._is_being_read:
            return None
        key = self._table.painted_key
        row = next((row for row in self._table.painted_rows if row.key == key), None)
        return row.run if isinstance(row, columns.RunRow) else None

    @property
    def _is_being_read(self) -> bool:
        """Whether another list (filter, tab, order or tenant) was requested than the one still painted."""
        snapshot = self._snapshot
        if snapshot is None:
            return False
        return (
            _list_of(self.contribute(snapshot.request)) != _list_of(snapshot.request)
            or self._table.painted_rows is self._before
        )

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        if self._is_being_read:
            self.shell.message(lines.STILL_READ, "warning")
        else:
            self.shell.navigator.run(message.key)

    def disabled_reason(self, action: str) -> str | None:
        if action not in _ON_A_RUN or (self._marked and action in ("retry", "acknowledge")):
            return None
        if self.is_mounted and self._is_being_read:
            return lines.STILL_READ
        if action in ("mark", "copy"):
            return None
        run = self.painted_run if self.is_mounted else None
        if run is None:
            return _ON_A_RUN[action]
        if action == "acknowledge":
            return self.shell.attending.why_no_acknowledgement(run)
        return self.shell.attending.why_no_watch(run) if action == "watch" else self.shell.actions.why_no_retry(run)

    def action_retry(self) -> None:
        """Retry the marked runs after a dry run; without marks, the run under the cursor."""
        if self._marked:
            marked, self._marked = list(self._marked), {}
            self._paint()
            self.shell.actions.bulk_retry(marked, f"{len(marked)} marked runs" if len(marked) > 1 else "1 marked run")
        elif run := self.painted_run:
            self.shell.actions.retry(run)

    def action_edit_retry(self) -> None:
        if run := self.painted_run:
            self.shell.actions.edit_retry(run)

    def action_acknowledge(self) -> None:
        """Acknowledge the marked runs; without marks, the run under the cursor, or take that back."""
        if self._marked:
            marked = list(self._marked)
            words = fmt.several(len(marked), "marked run")
            self.shell.attending.acknowledge_many(marked, words, lambda: self._unmark(marked))
        elif run := self.painted_run:
            self.shell.attending.acknowledge(run)

    def _unmark(self, run_ids: Sequence[int]) -> None:
        self._marked = {id_: None for id_ in self._marked if id_ not in run_ids}
        self._paint()

    def action_watch(self) -> None:
        if run := self.painted_run:
            self.shell.attending.watch(run)

    def action_retry_all(self) -> None:
        """Retry all runs of the list, after a dry run."""
        words = self.terms or "no filter"
        words += "" if self.tab == "All" else f" on the tab {self.tab}"
        self.shell.actions.retry_matching(self.shell.in_tenant(self._wanted), self.tab, words)

    def action_mark(self) -> None:
        if run := self.painted_run:
            if run.id in self._marked:
                del self._marked[run.id]
            else:
                self._marked[run.id] = None
            self._paint()
            self._table.action_move(1)

    def action_next_tab(self, by: int) -> None:
        names = list(TABS)
        self.action_tab(names[(names.index(self.tab) + by) % len(names)])

    def action_tab(self, name: str) -> None:
        self._show_list(self.terms, self._wanted, name, self.order)

    def action_copy(self) -> None:
        if run := self.painted_run:
            self.app.copy_to_clipboard(str(run.id))
            self.shell.message(f"{run.id} sent to terminal")

    def action_back(self) -> None:
        """Go one step back: marks, then what was filtered for last. The list itself is never left."""
        if self._marked:
            self._marked = {}
        elif step := self._steps.back(self.view):
            self._show_list(step.view.terms, step.view.wanted, step.view.tab, step.view.order)
            if step.is_groups:
                self.action_groups()
        self._paint()

    def action_groups(self) -> None:
        self.shell.navigator.failure_groups(self._wanted, self.terms, self._narrow_to)

    # -- the filter and views -----------------------------------------------------------------------------------------------

    def action_edit_filter(self) -> None:
        if not self.types:
            self.in_background(lambda: tuple(self.shell.backend.dispatcher().registry.operations), self._have_types)
        self.query_one(FilterInput).open(self.terms, self.shell.memory.last.history)

    def _have_types(self, found: tuple[str, ...] | Exception) -> None:
        self.types = () if isinstance(found, Exception) else found

    def _known(self) -> Known:
        runs = self._snapshot.runs if self._snapshot else ()
        tenants = [member.tenant.slug for member in self._snapshot.memberships] if self._snapshot else []
        return known_from(runs, tenants, self.types, self.shell.tenant)

    @on(FilterInput.Hinted)
    def _hinted(self, message: FilterInput.Hinted) -> None:
        self._hint = message.words
        self._paint_bars()

    @on(FilterInput.Refused)
    def _refused(self, message: FilterInput.Refused) -> None:
        self.shell.message(message.words, "error")

    @on(FilterInput.Applied)
    def _applied(self, message: FilterInput.Applied) -> None:
        self._close_filter()
        self.shell.memory.note_filter(message.terms)
        self._steps.take(self.view)
        self._show_list(message.terms, message.wanted, self.tab, self.order)

    @on(FilterInput.Left)
    def _left(self, message: FilterInput.Left) -> None:
        self.shell.memory.note_filter(message.typed)
        self._close_filter()

    def _close_filter(self) -> None:
        self._hint = None
        self.query_one(FilterInput).close()
        self._table.focus()
        self._paint_bars()

    def _narrow_to(self, group: Group) -> None:
        """Show the runs of a failure group: its type and code replace those terms in the filter."""
        terms = {"type": group.type, "code": group.code}
        others = (token.text for token in tokens(self.terms))
        kept = [one for one in others if one.partition(":")[0] not in terms]
        line = " ".join([*kept, *(completion.term(name, value) for name, value in terms.items())])
        self._steps.take(self.view, is_groups=True)
        self._show_list(line, parse_line(line), "Failed", self.order)

    @property
    def view(self) -> SavedView:
        """The list's present view, without a name."""
        return SavedView("", self.terms, self.tab, self.order)

    def show_view(self, view: SavedView) -> None:
        """Show the view; an error if its filter is not valid in this version."""
        before = self.view
        try:
            self._show_list(view.terms, view.wanted, view.tab, view.order)
            self._steps.take(before)
        except OpsmonError as error:
            self.shell.error(error)

    def action_views(self) -> None:
        self.shell.navigator.saved_views(self.view, self.show_view)

    def action_view(self, number: int) -> None:
        if view := self.shell.saved_views.numbered(number):
            self.show_view(view)


def _tells_seconds(run: Run, at: dt.datetime) -> bool:
    """Whether the run's duration is shown in seconds, or was at the last paint."""
    return bool(run.status is Status.RUNNING and run.started_at and (at - run.started_at).total_seconds() < 60 + STILL)


def _list_of(request: Request) -> object:
    """The part of a request that identifies the list."""
    return request.wanted, request.tab, request.order
