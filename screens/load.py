"""The texts of the workers' screen, as pure functions of what was read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from textual.content import Content

from screens import format as fmt
from screens.diff import Cell, Row
from screens.format import State
from screens.text import fit
from store.hours import Hour, LastHours
from store.load import Load, WorkerLoad
from store.rescues import Rescue

_ALIVE = State("●", "*", "alive", "green")
_STUCK = State("◐", "~", "stuck", "bold yellow")
_SILENT = State("✗", "x", "silent", "bold red")
_STOPPED = State("○", ".", "stopped", "")
_STATE, _ID, _SLOTS, _SINCE, _BEAT, _PID, _VERSION = 9, 6, 7, 5, 6, 8, 8
#: From this width on, process id and version are shown.
_WIDE = 100


def state_of(one: WorkerLoad) -> State:
    if one.alive:
        return _STUCK if one.worker.stuck_slots else _ALIVE
    return _STOPPED if one.worker.stopped_at else _SILENT


def header(width: int) -> str:
    names, widths = _columns(width)
    return " ".join(fit(name, room) for name, room in zip(names, widths, strict=True))


def row(one: WorkerLoad, now: dt.datetime, width: int, ascii_only: bool) -> Row:
    """A worker's line. Its last beat is told in minutes: a living one's is `now`, and does not tick."""
    worker, state = one.worker, state_of(one)
    held = f"{len(one.runs)}{'+' if one.has_others else ''}"
    slots = f"{held}/{worker.slots}" + (f" !{worker.stuck_slots}" if worker.stuck_slots else "")
    host = worker.host + (" (embedded)" if worker.embedded else "")
    texts = [f"{state.ascii if ascii_only else state.glyph} {state.word}", str(worker.id), host]
    texts += [str(worker.pid), worker.version] if width >= _WIDE else []
    texts += [slots, fmt.age(worker.started_at, now), fmt.age(worker.stopped_at or worker.beat_at, now), in_hand(one)]
    _, widths = _columns(width)
    first, *rest = (fit(text, room) for text, room in zip(texts, widths, strict=True))
    return Row(worker.id, (Cell(first, state.style), *(Cell(text) for text in rest)))


def _columns(width: int) -> tuple[list[str], list[int]]:
    names, widths = ["State", "Worker", "Host"], [_STATE, _ID, 0]
    if width >= _WIDE:
        names, widths = [*names, "Process", "Version"], [*widths, _PID, _VERSION]
    names += ["Slots", "Up", "Beat", "Runs"]
    widths += [_SLOTS, _SINCE, _BEAT, 0]
    left = max(16, width - sum(widths) - len(widths))
    widths[2] = min(30, left * 2 // 5)
    widths[-1] = left - widths[2]
    return names, widths


def in_hand(one: WorkerLoad) -> str:
    """The runs in one's own tenants by name, and that there are others."""
    named = [f"{run.run_id} {run.title}" for run in one.runs]
    more = ["others' runs"] if one.has_others else []
    return ", ".join([*named, *more])


# ---- the queue


def queue_line(load: Load, now: dt.datetime, ascii_only: bool) -> Content:
    """What waits, and whether workers take it."""
    waiting = f"{fmt.count(load.depth, ascii_only)} waiting"
    if load.oldest_since:
        waiting += f", the oldest (run {load.oldest_run_id}) {_for(load.oldest_since, now)}"
    if load.paused is None:
        return Content.assemble((" Queue  ", "bold"), waiting, "  ", ("workers take messages", "dim"))
    login = fit(load.paused.login, min(16, len(load.paused.login)))
    pause = f" PAUSED by {login} {_for(load.paused.paused_at, now)} "
    return Content.assemble((" Queue  ", "bold"), (pause, "bold reverse"), f"  {waiting}  what runs goes on")


def _for(since: dt.datetime, now: dt.datetime) -> str:
    age = fmt.age(since, now)
    return "just now" if age == "now" else f"for {age}"


def nobody_line(load: Load) -> str:
    """What to do when nobody works; nothing otherwise."""
    return "" if any(one.alive for one in load.workers) else " No worker is alive: start one with 'opsmon worker'."


# ---- the last hours


def looked_back(hours: LastHours) -> str:
    """Which runs are not counted; nothing when all are."""
    if hours.looked_back_to is None:
        return ""
    return f"only runs opened since {hours.looked_back_to:%H:%M}: there were too many to count"


def hours_table(hours: LastHours, width: int) -> Content:
    """The hours as text, for a terminal that has no room for plots: as many of the newest as fit."""
    shown = hours.each[-max(1, (width - 11) // 5) :]
    lines = [_hours_line("Hour (UTC)", [f"{hour.at:%H}" for hour in shown], "bold")]
    lines.append(_hours_line("Completed", [str(hour.completed) for hour in shown]))
    lines.append(_hours_line("Failed", [str(hour.failed) for hour in shown]))
    lines.append(_hours_line("Median", [_took(hour.median) for hour in shown]))
    lines.append(_hours_line("p95", [_took(hour.p95) for hour in shown]))
    return Content("\n").join(lines)


def _hours_line(name: str, values: Sequence[str], style: str = "") -> Content:
    cells = "".join(f"{value[:5]:>5}" for value in values)
    return Content.assemble((f" {name:<10}", "bold"), (cells, style))


def _took(seconds: float | None) -> str:
    return "-" if seconds is None else fmt.duration(seconds)


def clock(hours: Sequence[Hour]) -> tuple[str, ...]:
    return tuple(f"{hour.at:%H}" for hour in hours)


# ---- what rescuers did

_WHAT = {
    "lost": "completed as failed: worker {worker} was lost",
    "queued": "queued: its dispatcher had died before it could",
    "queued_again": "queued again: its message was lost",
}


def rescues(found: Sequence[Rescue], lines: int, width: int) -> Content:
    """The newest rescues, one a line, under a heading."""
    heading = Content.styled(" Rescued", "bold")
    if not found:
        return Content.assemble(heading, ("  nothing, among what you may see", "dim"))
    told = [Content(fit(_rescue(one), width).rstrip()) for one in found[: max(1, lines - 1)]]
    return Content("\n").join([heading, *told])


def _rescue(one: Rescue) -> str:
    words = _WHAT.get(one.what)
    # A newer version may put more right.
    what = words.format(worker=one.worker_id) if words else one.what
    return f" {one.at:%m-%d %H:%M}  {one.tenant}  run {one.run_id} {what}  ({one.title})"
