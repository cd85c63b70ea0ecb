"""Workers and queue: who works on what, what waits, how the last hours went, and what rescuers put right."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from screens.base import PolledScreen
from screens.text import format as fmt
from screens.text.hour_plots import HEIGHT, signs_for
from screens.text.themes import palette_of
from screens.widgets import header_lines
from screens.widgets.row_table import RowTable
from screens.workers import lines as told
from store.snapshot import Request, Snapshot
from store.workers.load import SystemLoad
from store.workers.throughput import HOURS

#: From this size on there are plots; below it the hours are told as text.
PLOTS_FROM = (80, 24)
#: From this height on what is in flight is listed.
ROOMY_FROM = 30
#: Blank lines between the parts, but for one more before what is in flight.
_GAPS = 3
#: Lines of header, last hour, queue and footer.
_AROUND = 4


class WorkersScreen(PolledScreen[None]):
    """Enter opens a worker's first run; P pauses and resumes the queue."""

    DEFAULT_CSS = """
    WorkersScreen { layout: vertical; }
    WorkersScreen RowTable { height: 1fr; min-height: 3; max-height: 3; }
    WorkersScreen #plots { height: auto; margin-left: 1; display: none; }
    WorkersScreen.plots #plots { display: block; }
    WorkersScreen.plots #hours { display: none; }
    WorkersScreen #hours { height: auto; }
    WorkersScreen #flight { height: auto; display: none; }
    WorkersScreen.roomy #flight { display: block; }
    WorkersScreen.spaced #flight, WorkersScreen.spaced #plots, WorkersScreen.spaced #hours { margin-top: 1; }
    WorkersScreen.spaced #queue, WorkersScreen.spaced #rescues { margin-top: 1; }
    WorkersScreen #since { display: none; }
    WorkersScreen #since.shown { display: block; }
    WorkersScreen #rescues { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("P", "pause_queue", "Pause queue", id="pause_queue"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._load: SystemLoad | None = None
        self._texts: dict[str, Content] = {}
        self._plotted: object = None

    def compose_body(self) -> ComposeResult:
        yield header_lines.Line(id="recent")
        yield RowTable(id="workers")
        yield header_lines.Line(id="queue")
        yield Static(id="flight", markup=False)
        yield Static(id="plots", markup=False)
        yield Static(id="hours", markup=False)
        yield header_lines.Line(id="since")
        yield Static(id="rescues", markup=False)

    def on_mount(self) -> None:
        self.query_one(RowTable).focus()
        self.query_one("#recent", header_lines.Line).put(Content(f" {fmt.WAITING}"))

    def contribute(self, request: Request) -> Request:
        return replace(request, load=True)

    # -- what is shown ----------------------------------------------------------------------------------------------------

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.load is None:
            return
        load = self._load = snapshot.load
        ascii_only, width = self.shell.ascii_only, self.size.width - 1
        rows = [told.row(one, snapshot.at, width, ascii_only, self.shell.backend.silent_after) for one in load.workers]
        table = self.query_one(RowTable)
        table.show(rows, told.header(width), may_follow=False)
        table.styles.max_height = max(3, len(rows) + 1)
        self._put_line("recent", told.last_hour(load.hours, ascii_only))
        self._put_line("queue", told.queue_line(load, snapshot.at, ascii_only))
        self._show_hours(load)
        rescues = told.rescues(load.rescues, self._room_for_rescues, width, self.shell.times)
        self._put("rescues", rescues)
        left = self._lines_left(rescues)
        is_roomy = self.size.height >= ROOMY_FROM
        self.set_class(is_roomy, "roomy")
        self.set_class(is_roomy or left >= _GAPS, "spaced")
        if is_roomy:
            flight = told.in_flight(load.workers, snapshot.at, max(6, left - _GAPS - 1), width)
            self._put("flight", flight)
        self.refresh_keys()

    def _lines_left(self, rescues: Content) -> int:
        """The lines that workers, queue, hours and rescues leave, without gaps and without what is in flight."""
        told_apart = HEIGHT if self.has_class("plots") else self._texts["hours"].plain.count("\n") + 1
        more = [self.query_one(f"#{name}").has_class("shown") for name in ("banner", "since")]
        table = len(self.query_one(RowTable).rows) + 1
        return self.size.height - _AROUND - table - told_apart - sum(more) - rescues.plain.count("\n") - 1

    def _show_hours(self, load: SystemLoad) -> None:
        hours = load.hours
        since = told.looked_back(hours, self.shell.times)
        self._put_line("since", Content(f" {since}" if since else ""))
        is_empty = not any(hour.completed or hour.waited for hour in hours.each)
        self.set_class(self._has_room_for_plots and not is_empty, "plots")
        nothing = Content(f" No run has ended in the last {HOURS} hours.")
        self._put("hours", nothing if is_empty else told.hours_table(hours, self.size.width, self.shell.times))
        if self.has_class("plots"):
            self._plot(load)

    def _plot(self, load: SystemLoad) -> None:
        """Draw the plots, if their numbers or their room are others than before."""
        signs = signs_for(self.shell.ascii_only, self.app.no_color)
        oldest = load.waiting.oldest
        drawn_from = (load.hours, None if oldest is None else int(oldest), self.size.width, signs, self.shell.times)
        if drawn_from != self._plotted:
            self._plotted = drawn_from
            self._put("plots", told.plots(load, self.size.width, signs, self.shell.times))

    def _put_line(self, name: str, content: Content) -> None:
        line = self.query_one(f"#{name}", header_lines.Line)
        line.set_class(bool(content.plain), "shown")
        line.put(content.truncate(self.size.width, ellipsis=True))

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

    @property
    def place(self) -> str:
        return "workers and queue"

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
