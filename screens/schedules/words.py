"""Words for schedules of backups and for what became of their minutes. Pure functions."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from screens.text import format as fmt
from screens.text.format import State
from screens.text.times import AGES, TimeStyle
from store.intune.schedule_page import ListedSchedule, SchedulePage, Ticked
from store.intune.schedule_records import Schedule, What
from store.model.records import NO_TIME, UNREADABLE

#: From so long on a time is told with its year.
_FAR: Final = dt.timedelta(days=300)
#: What became of a minute that has no run to tell of.
_MISSED: Final = State("!", "!", "missed", "warn")
_UNREADABLE: Final = State("✗", "x", "not read", "failed")
_GONE: Final = State("?", "?", "removed", "quiet")
#: Names of kinds that are told before the rest is only counted.
_KINDS: Final = 3


@dataclass(frozen=True, slots=True)
class View:
    """What the words depend on besides the schedule: the database's time, the terminal, silent workers, names of kinds, and
    how instants are shown where no schedule's zone is meant.
    """

    now: dt.datetime
    ascii_only: bool = False
    silences: Mapping[int, float] = field(default_factory=dict)
    kind_label: Callable[[str], str] = str
    times: TimeStyle = AGES


def clock(then: dt.datetime, zone: str, now: dt.datetime) -> str:
    """What a clock in the zone shows, with the zone's abbreviation: `Mon  2 Mar 02:30 CET`, and with the year if it is far."""
    if then == NO_TIME:
        return UNREADABLE
    there = then.astimezone(_zone(zone))
    day = f"{there:%a} {there.day:>2} {there:%b}" if abs(then - now) < _FAR else f"{there.day} {there:%b %Y}"
    return f"{day} {there:%H:%M} {there.tzname()}"


def _zone(name: str) -> dt.tzinfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return dt.UTC


def until(then: dt.datetime, now: dt.datetime) -> str:
    """How long it is until then, in whole minutes or more: `4m`, `1h07`, `3d`; below a minute `now`."""
    seconds = (then - now).total_seconds()
    return "now" if seconds < 60 else fmt.coarse_span(seconds)


def in_time(then: dt.datetime, now: dt.datetime) -> str:
    """The same for a sentence: `in 4m`, `within a minute`."""
    words = until(then, now)
    return "within a minute" if words == "now" else f"in {words}"


def kinds(schedule: Schedule, label: Callable[[str], str]) -> str:
    """Which kinds of policy it backs up: `all kinds`, or their names."""
    named = schedule.settings.kinds
    if named is None:
        return "all kinds"
    told = ", ".join(label(kind) for kind in named[:_KINDS])
    return f"{told} and {len(named) - _KINDS} more" if len(named) > _KINDS else told


def keep(schedule: Schedule) -> str:
    """How many of its backups are kept."""
    return "all" if schedule.settings.keep is None else f"{schedule.settings.keep:,}"


def state(last: Ticked, view: View) -> State:
    """What became of a minute: the state of its run, if it has one."""
    if last.run:
        return fmt.state_of(last.run, view.silences.get(last.run.id))
    return {What.MISSED: _MISSED, What.FAILED: _UNREADABLE}.get(last.tick.what, _GONE)


def with_glyph(one: State, ascii_only: bool) -> str:
    """The state's glyph and word."""
    return f"{one.ascii if ascii_only else one.glyph} {one.word}"


def became(last: Ticked, view: View) -> str:
    """What became of a minute, as a part of a sentence: `opened run 12: ✓ succeeded`, `3 times missed, …`."""
    tick = last.tick
    if tick.what is What.MISSED:
        return tick.detail or "missed"
    if tick.what is What.FAILED:
        return f"failed: {tick.detail or 'it could not be read'}"
    if last.run is None:
        return f"{tick.what} a run that was removed since"
    what = f"opened run {last.run.id}" if tick.what is What.OPENED else f"joined run {last.run.id}, which was active"
    failure = f", {first}" if (first := fmt.first_failure(last.run)) else ""
    return f"{what}: {with_glyph(state(last, view), view.ascii_only)}{failure}"


def told(found: SchedulePage, how_to_add: str, width: int) -> str:
    """The line above the schedules. A sentence that does not fit is left out."""
    if not found.schedules:
        return f"No schedules yet. {how_to_add}"
    off = sum(not listed.schedule.settings.enabled for listed in found.schedules)
    many = f"{len(found.schedules)} schedule{'s' if len(found.schedules) > 1 else ''}"
    line = f"{many} of backups{f', {off} off' if off else ''}."
    longer = f"{line} Enter shows the history of one."
    return longer if len(longer) <= width else line


def described(listed: ListedSchedule, view: View) -> Iterator[str]:
    """All of a schedule, in sentences, one each."""
    settings = listed.schedule.settings
    kept = "all are kept" if settings.keep is None else f"the last {settings.keep:,} are kept"
    covered = kinds(listed.schedule, view.kind_label)
    yield f"{settings.name}: {settings.cron} in {settings.zone}, {covered}, {kept}."
    yield f"Next: {_next(listed, view.now)}."
    if listed.last:
        yield f"Last: {_told_clock(listed.last.tick.minute, settings.zone, view.now)}, {became(listed.last, view)}."
    else:
        yield "Last: it has not been due yet."


def _next(listed: ListedSchedule, now: dt.datetime) -> str:
    if listed.next is None:
        return "never, it is off"
    if listed.next.problem:
        return f"unknown, {listed.next.problem}"
    if listed.next.at is None:
        return "not within 50 years"
    return f"{_told_clock(listed.next.at, listed.schedule.settings.zone, now)}, {in_time(listed.next.at, now)}"


def _told_clock(then: dt.datetime, zone: str, now: dt.datetime) -> str:
    """As `clock`, without the blank that aligns days."""
    return clock(then, zone, now).replace("  ", " ")


def upcoming(times: Sequence[dt.datetime], zone: str, now: dt.datetime) -> Iterator[str]:
    """The next times under each other, each with how long it is until then."""
    clocks = [clock(then, zone, now) for then in times]
    width = max(map(len, clocks), default=0)
    for then, shown in zip(times, clocks, strict=True):
        yield f"{shown:<{width}}  {in_time(then, now)}"
