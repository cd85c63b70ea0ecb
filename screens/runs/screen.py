"""The list of runs, the main screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from screens.acting import ActsOnRun
from screens.base import PolledScreen
from screens.runs import columns, completion, lines
from screens.runs.completion import contradiction
from screens.runs.filter_input import FilterInput
from screens.runs.list_head import ListHead
from screens.runs.run_table import RunTable
from screens.runs.steps import ALL, Steps
from screens.runs.still import list_of, looks_the_same
from screens.text import format as fmt
from screens.text.times import TimeStyle
from screens.widgets import header_lines
from screens.widgets.row_table import RowTable
from store.errors import OpsmonError
from store.model.records import Run
from store.search.failure_groups import Group
from store.search.pages import Order
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
#: From this width on a row has room for all that there is to say of its run, and below this height no line is spared.
_WIDE: Final = 112
_HIGH: Final = 16


class RunsScreen(ActsOnRun, PolledScreen[None], inherit_bindings=False):  # tab changes tabs, and q quits
    """Header, tabs, filter line and table. Actions apply to the run painted under the cursor."""

    DEFAULT_CSS = """
    RunsScreen { layout: vertical; }
    RunsScreen #under { display: none; }
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
        #: What the list shows, without a name, and its terms as a filter.
        self.view = replace(view, name="")
        self._wanted = view.wanted
        self._steps = Steps()
        self._head = ListHead()
        self._table = RunTable(view.order, self._window_moved)
        self._snapshot: Snapshot | None = None
        #: What was painted last, and how instants were shown.
        self._painted: tuple[Snapshot, TimeStyle] | None = None
        #: Ids of the marked runs, in the order of marking.
        self._marked: dict[int, None] = {}

    def compose_body(self) -> ComposeResult:
        yield self._head
        yield self._table
        yield header_lines.Line(id="under")

    def on_mount(self) -> None:
        self._table.focus()
        self._paint()

    # -- what is shown ----------------------------------------------------------------------------------------------------

    def contribute(self, request: Request) -> Request:
        request = replace(request, wanted=self.shell.in_tenant(self._wanted), tab=self.view.tab)
        return self._table.window(request, self.size.height)

    def on_snapshot(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        if not self._is_still(snapshot):
            self._paint()
            self.refresh_keys()

    def _is_still(self, new: Snapshot) -> bool:
        """Whether the list would look the same as when it was painted, and no move is pending."""
        if self._painted is None or self._table.position.waits:
            return False
        painted, times = self._painted
        return times == self.shell.times and looks_the_same(painted, new)

    def show_freshness(self) -> None:
        self._paint_bars()

    def show_again(self) -> None:
        self._paint()

    def on_resize(self) -> None:
        self.shell.update_request()

    @property
    def _layout(self) -> columns.Layout:
        width, silent = self.size.width - 2, bool(self._snapshot and self._snapshot.silences)
        return columns.layout(width, self.view.tab, self.view.order, silent=silent, times=self.shell.times)

    def _paint(self) -> None:
        self._paint_bars()
        snapshot = self._snapshot
        if snapshot is None:
            return
        self._painted = snapshot, self.shell.times
        request, shape = snapshot.request, self._layout
        rows = columns.rows(snapshot.runs, snapshot.at, shape, self._marked, self.shell.ascii_only, snapshot.silences)
        is_wanted = replace(self.contribute(request), limit=request.limit) == request
        self._table.show_window(snapshot, rows, shape.header, is_wanted=is_wanted, may_follow=not self._marked)
        self._paint_under()

    def _paint_under(self) -> None:
        """Tell of the run under the cursor in full, where the terminal has no room for it in its row."""
        self.set_class(self.size.width < _WIDE and self.size.height >= _HIGH, "narrow")
        row = self._table.cursor_row
        told = lines.under(row.run, row.now, row.silence, self.size.width, self.shell.times) if row else Content("")
        self.query_one("#under", header_lines.Line).put(told)

    @property
    def place(self) -> str:
        return self.shell.tenant or "all tenants"

    def _paint_bars(self) -> None:
        if not self.is_mounted:
            return
        self.paint_header()
        contradicted = contradiction(self.shell.in_tenant(self._wanted), self.shell.no_member)
        is_below_top = self._table.position.place is not None
        self._head.tell(self._snapshot, self.view, contradicted, len(self._marked), is_below_top)

    def on_row_table_cursor_moved(self) -> None:
        self.refresh_keys()
        self._paint_under()

    def _window_moved(self) -> None:
        self.shell.update_request()
        self._paint_bars()

    # -- which list is shown ----------------------------------------------------------------------------------------------

    def _show(self, view: SavedView) -> None:
        """Show another list from its top. Raises FilterInvalid if another version of the program saved the view."""
        self._wanted = view.wanted
        self.view = replace(view, name="")
        self.shell.memory.note(view=self.view)
        self._table.restart(view.order)
        self._window_moved()

    def action_order(self) -> None:
        orders = tuple(Order)
        self._show_in(orders[(orders.index(self.view.order) + 1) % len(orders)])

    def _show_in(self, order: Order) -> None:
        self._show(replace(self.view, order=order))
        self.shell.message(lines.ORDERED[order])

    def on_row_table_head_clicked(self, message: RowTable.HeadClicked) -> None:
        if order := columns.order_at(self._layout, message.x):
            self._show_in(order)

    @on(header_lines.Tabs.Chosen)
    def _tab_chosen(self, message: header_lines.Tabs.Chosen) -> None:
        self.action_tab(message.name)

    def action_tab(self, name: str) -> None:
        self._show(replace(self.view, tab=name))

    def action_next_tab(self, by: int) -> None:
        names = list(TABS)
        self.action_tab(names[(names.index(self.view.tab) + by) % len(names)])

    def tenant_chosen(self) -> None:
        if self._marked:
            self._marked = {}
            self.shell.message("Another tenant: nothing is marked any more.")
        self._show(self.view)

    def action_edit_filter(self) -> None:
        self._head.open_filter(self.view.terms)

    @on(FilterInput.Applied)
    def _applied(self, message: FilterInput.Applied) -> None:
        self._table.focus()
        self._steps.take(self.view)
        self._show(replace(self.view, terms=message.terms))

    @on(FilterInput.Left)
    def _left(self) -> None:
        self._table.focus()

    def action_groups(self) -> None:
        self.shell.navigator.failure_groups(self._wanted, self.view.terms, self._narrow_to)

    def _narrow_to(self, group: Group) -> None:
        """Show the runs of a failure group: its type and code replace those terms in the filter."""
        line = completion.replaced(self.view.terms, {"type": group.type, "code": group.code})
        self._steps.take(self.view, is_groups=True)
        self._show(replace(self.view, terms=line, tab="Failed"))

    def show_view(self, view: SavedView) -> None:
        """Show the view; an error if its filter is not valid in this version."""
        before = self.view
        try:
            self._show(view)
            self._steps.take(before)
        except OpsmonError as error:
            self.shell.error(error)

    def action_views(self) -> None:
        self.shell.navigator.saved_views(self.view, self.show_view)

    def action_view(self, number: int) -> None:
        if view := self.shell.saved_views.numbered(number):
            self.show_view(view)

    def action_back(self) -> None:
        """Go one step back: marks, then what was filtered for last. The list itself is never left."""
        if self._marked:
            self._marked = {}
        elif step := self._steps.back(self.view):
            self._show(step.view)
            if step.is_groups:
                self.action_groups()
        self._paint()

    # -- what is done -----------------------------------------------------------------------------------------------------

    @property
    def painted_run(self) -> Run | None:
        """The run painted under the cursor, in its painted state. None while the previous list is still painted."""
        return None if self._is_being_read else self._table.painted_run

    @property
    def _is_being_read(self) -> bool:
        """Whether another list (filter, tab, order or tenant) was requested than the one still painted."""
        if self._snapshot is None:
            return False
        request = self._snapshot.request
        return list_of(self.contribute(request)) != list_of(request) or self._table.is_of_before

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
        return self.why_not(action, run) if run else _ON_A_RUN[action]

    def action_retry(self) -> None:
        """Retry the marked runs after a dry run; without marks, the run under the cursor."""
        if self._marked:
            marked, self._marked = list(self._marked), {}
            self._paint()
            self.shell.actions.bulk_retry(marked, fmt.several(len(marked), "marked run"))
        else:
            super().action_retry()

    def action_acknowledge(self) -> None:
        """Acknowledge the marked runs; without marks, the run under the cursor, or take that back."""
        if self._marked:
            marked = list(self._marked)
            words = fmt.several(len(marked), "marked run")
            self.shell.attending.acknowledge_many(marked, words, lambda: self._unmark(marked))
        else:
            super().action_acknowledge()

    def _unmark(self, run_ids: Sequence[int]) -> None:
        self._marked = {id_: None for id_ in self._marked if id_ not in run_ids}
        self._paint()

    def action_mark(self) -> None:
        if run := self.painted_run:
            if run.id in self._marked:
                del self._marked[run.id]
            else:
                self._marked[run.id] = None
            self._paint()
            self._table.action_move(1)

    def action_retry_all(self) -> None:
        """Retry all runs of the list, after a dry run."""
        self.shell.actions.retry_matching(self.shell.in_tenant(self._wanted), self.view.tab, lines.matching(self.view))

    def action_copy(self) -> None:
        if run := self.painted_run:
            self.copy_id(run.id)
