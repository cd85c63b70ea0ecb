"""The retry of many runs: the dry run, the receipts as they come, and the jobs of before. The job goes on without the screen."""

from __future__ import annotations

from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widgets import Footer

from screens.bulk_job import RECEIPTS, BulkRetry, Item, Kind, Phase
from screens.diff import Cell
from screens.live import LiveScreen
from screens.text import clean, fit
from screens.widgets import bars
from screens.widgets.table import RowTable
from store.snapshot import Snapshot

#: Seconds between two looks at the job.
LOOK_EVERY: Final = 0.25
_RUN, _OPERATION, _TENANT, _KIND = 8, 22, 12, 16
#: Where the operation gets less room and the tenant none: what came of a run matters more.
_NARROW, _SHORT_OPERATION = 100, 16
_STYLES: Final = {
    Kind.QUEUED: ("✓", "+", "green"),
    Kind.ATTACHED: ("●", "*", "blue"),
    Kind.JOINS: ("●", "*", "blue"),
    Kind.ELIGIBLE: ("○", ".", "cyan"),
    Kind.REFUSED: ("✗", "x", "red"),
    Kind.DISPATCH_FAILED: ("✗", "x", "bold red"),
    Kind.STOPPED: ("\N{EN DASH}", "-", "yellow"),
    Kind.UNKNOWN: ("·", " ", "dim"),
}
#: Receipts first.
_TOLD: Final = (*RECEIPTS, Kind.REFUSED, Kind.JOINS, Kind.ELIGIBLE, Kind.UNKNOWN)


def _columns(width: int) -> list[tuple[str, int]]:
    """The titles of the columns, and their widths."""
    fixed = [("Receipt", _KIND + 2), ("Run", _RUN)]
    fixed += [("Operation", _SHORT_OPERATION)] if width < _NARROW else [("Operation", _OPERATION), ("Tenant", _TENANT)]
    used = sum(size + 1 for _, size in fixed)
    return [*fixed, ("What", max(8, width - used - 2))]


class ItemRow:
    """A run of the job as a row. Its cells are made when it is painted."""

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
        item, run = self.item, self.item.run
        glyph, plain_glyph, style = _STYLES[item.kind]
        words = f"run {item.new_id}" if item.new_id and not item.words else item.words
        texts = {
            "Receipt": f"{plain_glyph if self.ascii_only else glyph} {item.kind}",
            "Run": str(item.run_id),
            "Operation": run.title if run else "",
            "Tenant": run.tenant if run else "",
            "What": words,
        }
        styles = {"Receipt": style}
        return tuple(Cell(fit(texts[title], size), styles.get(title, "")) for title, size in _columns(self.width))


class BulkScreen(LiveScreen):
    """One job at a time, the newest first. Esc leaves it, and it goes on; `b` finds it again."""

    BINDINGS = [
        Binding("escape", "back", "Back"),
        Binding("r", "start", "Retry what is eligible", id="retry"),
        Binding("x", "stop", "Stop", id="stop"),
        Binding("left_square_bracket", "other(-1)", "Older", show=False, id="older_job"),
        Binding("right_square_bracket", "other(1)", "Newer", show=False, id="newer_job"),
    ]

    def __init__(self, job: BulkRetry) -> None:
        super().__init__()
        self.job = job
        self._seen: tuple[object, ...] = ()
        self._asked_to_stop = False
        self._freshness = "live"

    def compose(self) -> ComposeResult:
        yield bars.Line(id="header")
        yield bars.Line(id="words")
        yield bars.Line(id="counts")
        yield RowTable()
        yield bars.Line(id="chosen")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one(RowTable).focus()
        self.set_interval(LOOK_EVERY, self._look)
        self._look()

    def show(self, snapshot: Snapshot) -> None:
        self._look()

    def show_freshness(self, words: str) -> None:
        self._freshness = words
        jobs = self.monitor.bulk_jobs
        place = f"bulk retry {jobs.index(self.job) + 1} of {len(jobs)}" if self.job in jobs else "bulk retry"
        self.monitor.put_header(self, place, words)

    def on_resize(self) -> None:
        self.show_freshness(self._freshness)
        self._look()

    def _look(self) -> None:
        """Show what has changed of the job since the last look."""
        now = (self.job, self.job.changed, self.job.phase, self.size.width)
        if not self.is_current or now == self._seen:
            return
        self._seen = now
        ascii_only, width = self.monitor.ascii_only, self.size.width
        rows = [ItemRow(item, width, ascii_only) for item in self.job.items]
        header = " ".join(fit(title, size) for title, size in _columns(width))
        self.query_one(RowTable).show(rows, header, may_follow=False)
        self.query_one("#words", bars.Line).put(Content(clean(f" {self._sentence()}")))
        self.query_one("#counts", bars.Line).put(Content(clean(f" {self._counts()}")))
        self._tell_chosen()
        self.refresh_keys()

    def on_row_table_cursor_moved(self) -> None:
        self._tell_chosen()

    def _tell_chosen(self) -> None:
        """The words of the run under the cursor, for which the table may lack the room."""
        key = self.query_one(RowTable).cursor_key
        item = next((item for item in self.job.items if item.run_id == key), None)
        self.query_one("#chosen", bars.Line).put(Content(clean(f" {item.words}" if item else "")))

    def _sentence(self) -> str:
        job = self.job
        eligible = job.counts[Kind.ELIGIBLE]
        says = {
            Phase.REHEARSING: f"Dry run: nothing is started yet. Retry of {job.words}",
            Phase.READY: f"Dry run. r retries {eligible:,}, esc leaves it. Retry of {job.words}",
            Phase.RUNNING: f"Under way. x stops it, esc leaves it going on. Retry of {job.words}",
            Phase.STOPPED: f"Stopped. Retry of {job.words}",
            Phase.DONE: f"Done. Enter opens a run. Retry of {job.words}",
            Phase.FAILED: f"Not possible. Retry of {job.words}",
        }
        return f"{job.trouble}. {says[job.phase]}" if job.trouble else says[job.phase]

    def _counts(self) -> str:
        counts = self.job.counts
        done = sum(counts[kind] for kind in RECEIPTS)
        progress = (
            f"{done:,} of {done + counts[Kind.ELIGIBLE]:,}: " if self.job.phase is not Phase.READY and done else ""
        )
        # What is left to do is in the progress already, and a narrow line has no room to say it twice.
        told = [kind for kind in _TOLD if counts[kind] and not (progress and kind is Kind.ELIGIBLE)]
        return progress + "  ".join(f"{counts[kind]:,} {kind}" for kind in told)

    # -- what is done -----------------------------------------------------------------------------------------------------

    def why_not(self, action: str) -> str | None:
        phase = self.job.phase
        if action == "start" and phase is not Phase.READY:
            return "The dry run is not complete yet." if phase is Phase.REHEARSING else f"It is {phase} already."
        if action == "start" and not self.job.counts[Kind.ELIGIBLE]:
            return "None of them can be retried."
        return "Nothing is being retried." if action == "stop" and phase is not Phase.RUNNING else None

    def on_key(self, event: events.Key) -> None:
        self.explain(event)

    def action_start(self) -> None:
        if reason := self.monitor.why_no_bulk():
            self.monitor.say(reason, "warning")
            return
        self.job.start()
        self._look()

    def action_stop(self) -> None:
        if self._asked_to_stop:
            self.job.stop()
        else:
            self._asked_to_stop = True
            self.monitor.say("x again stops it: what was not tried is listed as such.", "warning")

    def action_other(self, by: int) -> None:
        jobs = self.monitor.bulk_jobs
        number = jobs.index(self.job) + by if self.job in jobs else len(jobs) - 1
        if 0 <= number < len(jobs):
            self.job, self._asked_to_stop = jobs[number], False
            self.show_freshness(self._freshness)
            self._look()
        else:
            self.monitor.say("There is no older one." if by < 0 else "There is no newer one.", "warning")

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        item = next((item for item in self.job.items if item.run_id == message.key), None)
        if item:
            self.monitor.open_run(item.new_id or item.run_id)
