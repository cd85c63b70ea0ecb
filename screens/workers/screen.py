"""Workers and queue: who works on what, what waits, how the last hours went, and what rescuers put right."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from screens.base import PolledScreen
from screens.text import format as fmt
from screens.text.themes import palette_of
from screens.widgets import header_lines
from screens.widgets.plots import Bars, HoursPlot
from screens.widgets.row_table import RowTable
from screens.workers import lines as told
from store.snapshot import Request, Snapshot
from store.workers.load import SystemLoad
from store.workers.throughput import HourlyThroughput

#: From this size on there are plots; below it the hours are told as text.
PLOTS_FROM = (80, 24)


class WorkersScreen(PolledScreen[None]):
    """Enter opens a worker's first run; P pauses and resumes the queue."""

    DEFAULT_CSS = """
    WorkersScreen { layout: vertical; }
    WorkersScreen RowTable { height: 1fr; min-height: 3; }
    WorkersScreen #plots { height: 9; display: none; }
    WorkersScreen.plots #plots { display: block; }
    WorkersScreen.plots #hours { display: none; }
    WorkersScreen #hours { height: auto; }
    WorkersScreen #since { display: none; }
    WorkersScreen #since.shown { display: block; }
    WorkersScreen #rescues { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("P", "pause_queue", "Pause queue", id="pause_queue"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._load: SystemLoad | None = None
        self._texts: dict[str, Content] = {}

    def compose_body(self) -> ComposeResult:
        yield header_lines.Line(id="queue")
        yield RowTable(id="workers")
        with Horizontal(id="plots"):
            yield HoursPlot(id="throughput")
            yield HoursPlot(id="durations")
        yield Static(id="hours", markup=False)
        yield header_lines.Line(id="since")
        yield Static(id="rescues", markup=False)

    def on_mount(self) -> None:
        self.query_one(RowTable).focus()
        self.query_one("#queue", header_lines.Line).put(Content(f" {fmt.WAITING}"))
        self._make_room()

    def contribute(self, request: Request) -> Request:
        return replace(request, load=True)

    # -- what is shown ----------------------------------------------------------------------------------------------------

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.load is None:
            return
        load = self._load = snapshot.load
        ascii_only, width = self.shell.ascii_only, self.size.width - 1
        rows = [told.row(one, snapshot.at, width, ascii_only, self.shell.backend.silent_after) for one in load.workers]
        self.query_one(RowTable).show(rows, told.header(width), may_follow=False)
        self._put_line("queue", told.queue_line(load, snapshot.at, ascii_only))
        self._show_hours(load.hours)
        self._put("rescues", told.rescues(load.rescues, self._room_for_rescues, width))
        self.refresh_keys()

    def _show_hours(self, hours: HourlyThroughput) -> None:
        since = told.looked_back(hours)
        self._put_line("since", Content(f" {since}" if since else ""))
        is_empty = not any(hour.completed for hour in hours.each)
        self.set_class(self._has_room_for_plots and not is_empty, "plots")
        nothing = Content(" No run has ended in the last 12 hours.")
        self._put("hours", nothing if is_empty else told.hours_table(hours, self.size.width))
        if self.has_class("plots"):
            self._plot(hours)

    def _plot(self, hours: HourlyThroughput) -> None:
        names, ascii_only, each = told.clock(hours.each), self.shell.ascii_only, hours.each
        completed = Bars("ended", "▒", ":", "done", tuple(hour.completed for hour in each))
        failed = Bars("failed", "x", "x", "failed", tuple(hour.failed for hour in each))
        p95 = Bars("p95", "░", ".", "partial", tuple(hour.p95 for hour in each))
        median = Bars("median", "█", "#", "accent", tuple(hour.median for hour in each))
        self.query_one("#throughput", HoursPlot).show("Runs/h (UTC)", names, (completed, failed), ascii_only)
        self.query_one("#durations", HoursPlot).show("Seconds", names, (p95, median), ascii_only)

    def _put_line(self, name: str, content: Content) -> None:
        line = self.query_one(f"#{name}", header_lines.Line)
        line.set_class(bool(content.plain), "shown")
        line.put(content)

    def _put(self, name: str, content: Content) -> None:
        shown = self._texts.get(name)
        if shown is None or shown != content or shown.spans != content.spans:
            self._texts[name] = content
            self.query_one(f"#{name}", Static).update(header_lines.in_colours(content, palette_of(self.app)))

    @property
    def _room_for_rescues(self) -> int:
        return max(2, min(21, (self.size.height - 14) // 3))

    @property
    def _has_room_for_plots(self) -> bool:
        return self.size.width >= PLOTS_FROM[0] and self.size.height >= PLOTS_FROM[1]

    def _make_room(self) -> None:
        self.query_one("#plots").styles.height = max(7, min(14, self.size.height // 3))

    @property
    def place(self) -> str:
        return "workers and queue"

    def on_resize(self) -> None:
        self._make_room()

    # -- what is done -----------------------------------------------------------------------------------------------------

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        chosen = next((one for one in self._load.workers if one.worker.id == message.key), None) if self._load else None
        if chosen is None:
            return
        if chosen.runs:
            self.shell.navigator.run(chosen.runs[0].run_id)
        else:
            self.shell.message(f"Worker {message.key} has no run in hand that you may see.", "warning")

    def disabled_reason(self, action: str) -> str | None:
        if action != "pause_queue":
            return None
        return "The queue has not been read yet." if self._load is None else self.shell.actions.why_no_pause()

    def action_pause_queue(self) -> None:
        if self._load:
            self.shell.actions.set_queue_paused(self._load.paused is None)
