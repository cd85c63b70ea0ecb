"""The bulk retry on screen: dry run, receipts as they arrive, and earlier jobs. A job continues without the screen."""

from __future__ import annotations

from collections import Counter
from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content

from screens.base import PolledScreen
from screens.bulk_retry import RECEIPTS, BulkRetry, Item, Kind, Phase
from screens.text.column_widths import ColumnSpec, column_widths, heading
from screens.text.safe import clean, figure, fit
from screens.widgets import header_lines
from screens.widgets.row_diff import Cell
from screens.widgets.row_table import RowTable
from store.model.records import Count
from store.snapshot import Snapshot

#: Seconds between two checks of the job for changes.
LOOK_EVERY: Final = 0.25
_KIND, _RUN, _OPERATION = ColumnSpec(20, 20, 0), ColumnSpec(8, 8, 1), ColumnSpec(22, 22, 4)
_TENANT, _WHAT = ColumnSpec(12, 8, 3), ColumnSpec(8, 8, 2, grow=1)
#: Minimum width, in cells, for the operation's column. In a narrower terminal only the line below the table names it.
_WIDE: Final = 100
_STYLES: Final = {
    Kind.QUEUED: ("✓", "+", "done"),
    Kind.ATTACHED: ("●", "*", "running"),
    Kind.JOINS: ("●", "*", "running"),
    Kind.ELIGIBLE: ("○", ".", "accent"),
    Kind.FORBIDDEN: ("✗", "x", "failed"),
    Kind.REFUSED: ("✗", "x", "failed"),
    Kind.DISPATCH_FAILED: ("✗", "x", "failed"),
    Kind.NOT_TRIED: ("\N{EN DASH}", "-", "partial"),
    Kind.UNKNOWN: ("·", " ", "quiet"),
}
#: The tabs, and the kinds of items that each lists.
GROUPS: Final = {
    "All": frozenset(Kind),
    "Eligible": frozenset({Kind.ELIGIBLE}),
    "Queued": frozenset({Kind.QUEUED}),
    "Twins": frozenset({Kind.JOINS, Kind.ATTACHED}),
    "Not done": frozenset({Kind.FORBIDDEN, Kind.REFUSED, Kind.DISPATCH_FAILED, Kind.NOT_TRIED}),
}
_COUNTED: Final = {Kind.JOINS: "with active twin"}
_PHASES: Final = {
    Phase.REHEARSING: "Dry run: checking the runs.",
    Phase.READY: "Dry run: ",
    Phase.STOPPED: "Stopped: ",
    Phase.DONE: "Done: ",
}


class ItemRow:
    """A run of the job as a table row. Its cells are computed when they are painted."""

    __slots__ = ("ascii_only", "item", "key", "width")

    def __init__(self, item: Item, width: int, ascii_only: bool) -> None:
        self.key = item.run_id
        self.item = item
        self.width = width
        self.ascii_only = ascii_only

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ItemRow) and self.item is other.item and self.width == other.width

    __hash__ = None  # type: ignore[assignment]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Receipt, run, operation, tenant and details, each as wide as its column."""
        item, run = self.item, self.item.run
        glyph, plain_glyph, style = _STYLES[item.kind]
        of_kind, of_run, of_operation, of_tenant, of_words = _rooms(self.width)
        cells = (
            Cell(fit(f"{plain_glyph if self.ascii_only else glyph} {item.kind}", of_kind), style),
            Cell(figure(str(item.run_id), of_run)),
            Cell(fit(run.title if run else "", of_operation)),
            Cell(fit(run.tenant if run else "", of_tenant)),
            Cell(fit(_words(item), of_words)),
        )
        return tuple(cell for cell in cells if cell.text)


def _words(item: Item) -> str:
    return f"run {item.new_id}" if item.new_id and not item.words else item.words


def _about(item: Item) -> str:
    """Everything about the item, for the line below the table."""
    run = item.run
    what = f", {run.title} on {run.tenant}" if run else ""
    words = f": {_words(item)}" if _words(item) else ""
    return f"Run {item.run_id}{what}: {item.kind}{words}"


def _header(width: int) -> str:
    return heading(("Receipt", "Run", "Operation", "Tenant", "What"), _rooms(width))


def _rooms(width: int) -> list[int]:
    operation = _OPERATION if width >= _WIDE else ColumnSpec(0, 0, 9)
    return column_widths([_KIND, _RUN, operation, _TENANT, _WHAT], width - 2)


class BulkScreen(PolledScreen[None]):
    """Shows one job at a time, the newest first. Esc leaves the screen, and the job continues; `b` returns to it."""

    DEFAULT_CSS = """
    BulkScreen #state { height: auto; max-height: 2; padding: 0 1; }
    BulkScreen #about { height: 2; padding: 0 1; color: $text-muted; }
    """
    BINDINGS = [
        Binding("r", "start", "Retry", id="retry"),
        Binding("a", "join_twins", "Join twins", id="join_twins"),
        Binding("x", "stop", "Stop", id="stop"),
        *(Binding(str(n), f"tab({name!r})", name, show=False, id=f"tab_{n}") for n, name in enumerate(GROUPS, 1)),
        Binding("left_square_bracket", "other(-1)", "Older", show=False, id="older_job"),
        Binding("right_square_bracket", "other(1)", "Newer", show=False, id="newer_job"),
    ]

    def __init__(self, job: BulkRetry) -> None:
        super().__init__()
        self.job = job
        self._tab = "All"
        self._joins_too = False
        self._asked_to_stop = False
        self._rows: list[ItemRow] = []
        #: The job and width that the rows were made for, and the position in the job's changes that they include.
        self._made_for: tuple[object, ...] = ()
        self._since = 0
        self._seen: tuple[object, ...] = ()

    def compose_body(self) -> ComposeResult:
        yield header_lines.Line(id="words")
        yield header_lines.Line(id="state")
        yield header_lines.Tabs(id="tabs")
        yield RowTable()
        yield header_lines.Line(id="about")

    def on_mount(self) -> None:
        self.query_one(RowTable).focus()
        self.set_interval(LOOK_EVERY, self._look)
        self._look()

    def on_snapshot(self, snapshot: Snapshot) -> None:
        self._look()

    @property
    def place(self) -> str:
        jobs = self.shell.actions.jobs
        return f"bulk retry {jobs.index(self.job) + 1} of {len(jobs)}" if self.job in jobs else "bulk retry"

    def show_again(self) -> None:
        self._look()

    # -- what is shown ----------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Update the screen with what changed in the job since the last check."""
        if not self.is_current:
            return
        job = self.job
        state = (job.phase, job.trouble, job.is_stopping)
        changed = self._make_rows()
        now = (*state, self._tab, self._joins_too)
        if not changed and now == self._seen:
            return
        self._seen = now
        self.query_one(RowTable).show(self._listed(), _header(self.size.width), may_follow=False)
        counts = job.counts
        begun = "" if job.phase not in (Phase.REHEARSING, Phase.READY) else "Nothing is started yet. "
        self.query_one("#words", header_lines.Line).put(Content(clean(f" {begun}Retry of {job.words}")))
        self.query_one("#state", header_lines.Line).put(Content(clean(self._sentence(counts))))
        numbers = {name: Count(sum(counts[kind] for kind in kinds)) for name, kinds in GROUPS.items()}
        self.query_one(header_lines.Tabs).show(numbers, self._tab, self.size.width, self.shell.ascii_only)
        self._put_about()
        self.refresh_keys()

    def on_row_table_cursor_moved(self) -> None:
        self._put_about()

    def _put_about(self) -> None:
        """Show the details of the run under the cursor: a column is too narrow for a reason."""
        table = self.query_one(RowTable)
        row = table.rows[table.cursor_line] if table.rows else None
        about = _about(row.item) if isinstance(row, ItemRow) else ""
        self.query_one("#about", header_lines.Line).put(Content(clean(about)))

    def _make_rows(self) -> bool:
        """Rebuild the rows of changed items, or all rows for another job or width. Returns whether any row changed."""
        width, ascii_only = self.size.width, self.shell.ascii_only
        made_for = (self.job, width)
        if made_for != self._made_for:
            self._made_for = made_for
            self._since, _ = self.job.changes(0)
            self._rows = [ItemRow(item, width, ascii_only) for item in self.job.items]
            return True
        self._since, changed = self.job.changes(self._since)
        for place, item in changed:
            self._rows[place] = ItemRow(item, width, ascii_only)
        return bool(changed)

    def _listed(self) -> list[ItemRow]:
        kinds = GROUPS[self._tab]
        return self._rows if self._tab == "All" else [row for row in self._rows if row.item.kind in kinds]

    def _sentence(self, counts: Counter[Kind]) -> str:
        job = self.job
        if job.trouble:
            return f"Not possible: {job.trouble}" if job.phase is Phase.FAILED else job.trouble
        has_begun = job.phase is not Phase.READY
        kinds = ", ".join(
            f"{counts[kind]:,} {_COUNTED.get(kind, kind)}"
            for kind in Kind
            if counts[kind] and not (has_begun and kind not in RECEIPTS)
        )
        if job.phase is Phase.RUNNING:
            done = sum(counts[kind] for kind in RECEIPTS)
            stopping = "Stopping after " if job.is_stopping else ""
            return f"{stopping}{done:,} of {counts.total():,}: {kinds}"
        twins = "; they are joined, too" if self._joins_too and not has_begun else ""
        return _PHASES[job.phase] + ("" if job.phase is Phase.REHEARSING else kinds + twins)

    # -- what is done -----------------------------------------------------------------------------------------------------

    def disabled_reason(self, action: str) -> str | None:
        phase, counts = self.job.phase, self.job.counts
        if action in ("start", "join_twins") and phase is not Phase.READY:
            return "The dry run is not complete yet." if phase is Phase.REHEARSING else f"It is {phase} already."
        if action == "join_twins" and not counts[Kind.JOINS]:
            return "None of them has an active twin."
        if action == "start" and not counts[Kind.ELIGIBLE] and not (self._joins_too and counts[Kind.JOINS]):
            return "None of them can be retried."
        return "Nothing is being retried." if action == "stop" and phase is not Phase.RUNNING else None

    def action_start(self) -> None:
        if reason := self.shell.actions.why_no_bulk():
            self.shell.message(reason, "warning")
            return
        self.job.start(joins_too=self._joins_too)
        self._look()

    def action_join_twins(self) -> None:
        self._joins_too = not self._joins_too
        self._look()

    def action_stop(self) -> None:
        """Ask for the key again at the first press; stop the job at the second."""
        if self._asked_to_stop:
            self.job.stop()
            self._look()
        else:
            self._asked_to_stop = True
            self.shell.message("x again stops it: what was not tried is listed as such.", "warning")

    @on(header_lines.Tabs.Chosen)
    def _tab_chosen(self, message: header_lines.Tabs.Chosen) -> None:
        self.action_tab(message.name)

    def action_tab(self, name: str) -> None:
        self._tab = name
        self._look()

    def action_other(self, by: int) -> None:
        """Show an older (-1) or newer (1) job."""
        jobs = self.shell.actions.jobs
        number = jobs.index(self.job) + by if self.job in jobs else len(jobs) - 1
        if 0 <= number < len(jobs):
            self.job, self._tab, self._joins_too, self._asked_to_stop = jobs[number], "All", False, False
            self.paint_header()
            self._look()
        else:
            self.shell.message("There is no older one." if by < 0 else "There is no newer one.", "warning")

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        """Open the retry of the run; the run itself while there is no retry."""
        item = next((item for item in self.job.items if item.run_id == message.key), None)
        if item:
            self.shell.navigator.run(item.new_id or item.run_id)
