"""The texts of the workers' screen. Pure functions of the data read."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Final

from textual.content import Content

from screens.text import format as fmt
from screens.text import hour_plots
from screens.text.column_widths import ColumnSpec, column_widths, heading
from screens.text.format import State
from screens.text.hour_plots import Durations, Plot, Signs, Spans, Stacked
from screens.text.safe import figure, fit
from screens.text.times import AGES, TimeStyle
from screens.widgets.row_diff import Cell, Row
from store.model.records import NO_CODE, NO_TIME
from store.workers.load import InFlightRun, SystemLoad, WorkerLoad
from store.workers.rescues import Rescue
from store.workers.throughput import HourlyThroughput

_ALIVE = State("●", "*", "alive", "done")
_LATE = State("!", "!", "late", "warn")
_STUCK = State("◐", "~", "stuck", "warn")
_SILENT = State("✗", "x", "silent", "failed")
_STOPPED = State("○", ".", "stopped", "")
_STATE, _ID, _SLOTS = ColumnSpec(9, 9, 0), ColumnSpec(6, 6, 1), ColumnSpec(15, 9, 2)
_SINCE, _BEAT, _PID, _VERSION = ColumnSpec(5, 5, 5), ColumnSpec(6, 6, 3), ColumnSpec(8, 8, 6), ColumnSpec(8, 8, 7)
_HELD_BY, _HELD_RUN, _HELD_TENANT = ColumnSpec(13, 13, 0), ColumnSpec(8, 8, 1), ColumnSpec(18, 8, 3)
_HELD_TITLE, _HELD_FOR = ColumnSpec(30, 10, 2), ColumnSpec(6, 6, 4)
#: Host and runs share the space left over.
_REST = ColumnSpec(17, 12, 4, grow=1)
#: The maximum number of slots that are drawn as cells.
_CELLS: Final = 8
#: Minimum width, in cells, for the columns of process id and version.
_WIDE = 100
#: From this width on there are three plots, otherwise two.
_THREE_FROM: Final = 120


def state_of(one: WorkerLoad, silent_after: float = math.inf) -> State:
    """The worker's state to show. An alive worker is late after `silent_after` seconds without a heartbeat."""
    if one.alive and one.worker.beat_age > silent_after:
        return _LATE
    if one.alive:
        return _STUCK if one.worker.stuck_slots else _ALIVE
    return _STOPPED if one.worker.stopped_at else _SILENT


def header(width: int) -> str:
    """The table's header line."""
    return heading(*_columns(width))


def row(one: WorkerLoad, now: dt.datetime, width: int, ascii_only: bool, silent_after: float = math.inf) -> Row:
    """A worker's row. A heartbeat's age below a minute is shown in seconds, because it shows whether the worker is alive."""
    worker, state = one.worker, state_of(one, silent_after)
    # fmt.age says "now" below a minute, which would hide whether the worker is alive.
    lives = worker.stopped_at is None and worker.beat_at != NO_TIME
    beat = (
        fmt.coarse_span((now - worker.beat_at).total_seconds())
        if lives
        else fmt.age(worker.stopped_at or worker.beat_at, now)
    )
    host = worker.host + (" (embedded)" if worker.embedded else "")
    texts = [f"{state.ascii if ascii_only else state.glyph} {state.word}", str(worker.id), host]
    texts += [str(worker.pid), worker.version] if width >= _WIDE else []
    titles, widths = _columns(width)
    room_of_slots = widths[titles.index("Slots")] if "Slots" in titles else 0
    texts += [slots(one, room_of_slots), fmt.age(worker.started_at, now), beat, in_hand(one)]
    names = ("State", "Host", "Runs")
    cells = [
        Cell((fit if title in names else figure)(text, room), "" if title != "State" else state.style)
        for title, text, room in zip(titles, texts, widths, strict=True)
        if room
    ]
    return Row(worker.id, tuple(cells))


def slots(one: WorkerLoad, room: int) -> str:
    """The worker's slots as cells, if they fit into the room, with their number: `■■□□ 2 of 4`, or `2/4`.

    Where there are runs of others, too, whose number is withheld, what may be theirs is `░`, and the number has a `+`. Slots
    that are stuck are told as `!2`.
    """
    worker, mine = one.worker, len(one.runs)
    more, stuck = "+" if one.has_others else "", f" !{worker.stuck_slots}" if worker.stuck_slots else ""
    drawn = ("■" * mine + ("░" if one.has_others else "□") * (worker.slots - mine))[: worker.slots]
    told = f"{drawn} {mine}{more} of {worker.slots}{stuck}"
    return told if worker.slots <= _CELLS and len(told) <= room else f"{mine}{more}/{worker.slots}{stuck}"


def _columns(width: int) -> tuple[list[str], list[int]]:
    more = {"Process": _PID, "Version": _VERSION} if width >= _WIDE else {}
    parts = {"State": _STATE, "Worker": _ID, **more, "Slots": _SLOTS, "Up": _SINCE, "Beat": _BEAT, "Runs": _REST}
    names, widths = list(parts), column_widths(list(parts.values()), width - 2)
    rest = widths.pop()
    host = min(30, max(0, rest - 1) * 2 // 5)
    runs = max(0, rest - 1 - host)
    return [*names[:2], "Host", *names[2:]], [*widths[:2], host, *widths[2:], runs]


def in_hand(one: WorkerLoad) -> str:
    """The worker's runs in the user's tenants, and whether it has runs of others."""
    named = [f"{run.run_id} {run.title}" for run in one.runs]
    more = ["others' runs"] if one.has_others else []
    return ", ".join([*named, *more])


# ---- the last hour


def last_hour(hours: HourlyThroughput, ascii_only: bool) -> Content:
    """The runs that ended in the last hour: a column for each five minutes, how many there were, and how long they took."""
    name, found = (" Last hour  ", "bold"), hours.last_hour
    if not any(found.completed):
        return Content.assemble(name, ("no run has ended", "quiet"))
    drawn = hour_plots.sparkline(found.completed, found.failed, ascii_only)
    told = Content.assemble(name, drawn, "  ", fmt.several(sum(found.completed), "run"))
    if any(found.failed):
        told = Content.assemble(told, ", ", (f"{sum(found.failed):,} failed", "failed"))
    return told if found.p95 is None else Content.assemble(told, f", p95 {fmt.span(found.p95)}")


# ---- what is in flight


def in_flight(workers: Sequence[WorkerLoad], now: dt.datetime, lines: int, width: int) -> Content:
    """The runs that workers carry out, in the workers' order: one per line, at most `lines` with the heading."""
    listed = [(one.worker.id, run) for one in workers for run in one.runs]
    name = Content.styled(" In flight", "bold")
    if not listed:
        return Content.assemble(name, ("  nothing, among what you may see", "quiet"))
    room = max(1, lines - 1)
    shown = listed if len(listed) <= room else listed[: room - 1]
    rows = [Content(_held(id_, run, now, width)) for id_, run in shown]
    if len(shown) < len(listed):
        rows.append(Content.styled(f" and {len(listed) - len(shown):,} more", "quiet"))
    return Content("\n").join([Content.assemble(name, ("  by worker", "quiet")), *rows])


def _held(worker_id: int, run: InFlightRun, now: dt.datetime, width: int) -> str:
    widths = column_widths((_HELD_BY, _HELD_RUN, _HELD_TITLE, _HELD_TENANT, _HELD_FOR), width - 1)
    texts = (
        (figure, f"worker {worker_id}"),
        (_to_the_right, str(run.run_id)),
        (fit, run.title),
        (fit, run.tenant),
        (_to_the_right, _held_for(run, now)),
    )
    cells = [shape(text, room) for (shape, text), room in zip(texts, widths, strict=True) if room]
    return (" " + " ".join(cells)).rstrip()


def _held_for(run: InFlightRun, now: dt.datetime) -> str:
    """For how long a worker has carried the run out: what lives has seconds."""
    if run.started_at is None:
        return ""
    return NO_CODE if run.started_at == NO_TIME else fmt.coarse_span((now - run.started_at).total_seconds())


def _to_the_right(text: str, room: int) -> str:
    return figure(f"{text:>{room}}", room)


# ---- the queue


def queue_line(load: SystemLoad, now: dt.datetime, ascii_only: bool) -> Content:
    """How many runs wait, since when, and whether the queue is paused."""
    waiting = f"{fmt.count(load.waiting.count, ascii_only)} waiting"
    if load.waiting.oldest_since:
        waiting += f", the oldest (run {load.waiting.oldest_run_id}) {fmt.since(load.waiting.oldest_since, now)}"
    if load.paused is None:
        return Content.assemble((" Queue  ", "bold"), waiting, "  ", ("workers take messages", "quiet"))
    login = fit(load.paused.login, min(16, len(load.paused.login)))
    pause = f" PAUSED by {login} {fmt.since(load.paused.paused_at, now)} "
    return Content.assemble((" Queue  ", "bold"), (pause, "bold reverse"), f"  {waiting}  what runs goes on")


# ---- the last hours


def looked_back(hours: HourlyThroughput, times: TimeStyle = AGES) -> str:
    """Says which runs are not counted because of the scan limit; "" if all are counted."""
    if hours.looked_back_to is None:
        return ""
    return f"only runs opened since {times.there(hours.looked_back_to):%m-%d %H:%M}: there were too many to count"


def hours_table(hours: HourlyThroughput, width: int, times: TimeStyle = AGES) -> Content:
    """The hours as a text table, for a terminal too small for plots: as many of the newest as fit into the width."""
    columns = [
        [f"{times.there(hour.at):%H}", str(hour.completed), str(hour.failed), _took(hour.median), _took(hour.p95)]
        for hour in hours.each
    ]
    room = max(5, 1 + max((len(text) for column in columns for text in column), default=0))
    shown = columns[-max(1, (width - 11) // room) :]
    zone = _zone(hours, times)
    # The names have ten cells: an offset and brackets do not fit.
    named = "Hour (UTC)" if zone == "UTC" else f"At {zone}"
    lines = []
    for line, name in enumerate((named, "Completed", "Failed", "Median", "p95")):
        cells = "".join(f"{column[line]:>{room}}" for column in shown)
        lines.append(Content.assemble((f" {name:<10}", "bold"), (cells, "" if line else "bold")))
    return Content("\n").join(lines)


def _zone(hours: HourlyThroughput, times: TimeStyle) -> str:
    """What the zone of the hours is called at the end of them."""
    return times.zone(hours.each[-1].at) if hours.each else ""


def _took(seconds: float | None) -> str:
    return "-" if seconds is None else fmt.coarse_span(seconds)


def plots(load: SystemLoad, width: int, signs: Signs, times: TimeStyle = AGES) -> Content:
    """The hours as plots side by side: what ended, how long runs waited, how long they took. On a narrow terminal without waits.

    The last hour's wait counts what is still waiting, too.
    """
    hours = load.hours.each
    waits = [hour.waited for hour in hours]
    if load.waiting.oldest is not None and waits:
        waits[-1] = max(waits[-1] or 0.0, load.waiting.oldest)
    each: list[Plot] = [
        Stacked(
            f"Ended an hour ({_zone(load.hours, times)})",
            tuple(one.completed for one in hours),
            tuple(one.failed for one in hours),
        ),
        Spans("Longest wait", tuple(waits)),
        Durations("Took", tuple(one.median for one in hours), tuple(one.p95 for one in hours)),
    ]
    if width < _THREE_FROM:
        each.pop(1)
    room = (width - 2 * len(each)) // len(each)  # two cells between plots, one at each edge of the screen
    clock = [times.there(hour.at) for hour in hours]
    return hour_plots.side_by_side([hour_plots.draw(one, clock, room, signs) for one in each])


# ---- what rescuers did

_WHAT = {
    "lost": "completed as failed: worker {worker} was lost",
    "queued": "queued: its dispatcher had died before it could",
    "queued_again": "queued again: its message was lost",
}


def rescues(found: Sequence[Rescue], lines: int, width: int, times: TimeStyle = AGES) -> Content:
    """The newest rescues, one per line, under a heading."""
    heading = Content.styled(" Rescued", "bold")
    if not found:
        return Content.assemble(heading, ("  nothing, among what you may see", "quiet"))
    listed = [Content(fit(_rescue(one, times), width).rstrip()) for one in found[: max(1, lines - 1)]]
    return Content("\n").join([heading, *listed])


def _rescue(one: Rescue, times: TimeStyle) -> str:
    words = _WHAT.get(one.what)
    # A newer version of opsmon may record further kinds of rescues.
    what = words.format(worker=one.worker_id) if words else one.what
    return f" {times.there(one.at):%m-%d %H:%M}  {one.tenant}  run {one.run_id} {what}  ({one.title})"
