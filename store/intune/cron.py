"""Cron arithmetic: when a cron expression fires in a time zone, by the rules of Debian's cron. Pure: it reads no clock.

A job at fixed times whose hour is skipped in spring runs right after the gap, and one whose hour comes twice in autumn runs
in the first of the two. A job whose minute or hour begins with `*` runs by the clock on the wall: never in a skipped hour, and
in both of a doubled one. (Vixie cron, Debian's crontab(5) and cron(8): changes of the clock of less than three hours.)

The package cronsim parses expressions and matches days by these rules. The walk over instants is ours: cronsim's own loses
times where clocks change by half an hour, and goes back in time if it begins within a doubled hour.
"""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from cronsim import CronSim, CronSimError

from store.errors import InputInvalid
from store.sanitizer.sanitize import visible

#: Characters of a cron expression, and of a zone's name.
MAX_CRON: Final = 100
MAX_ZONE: Final = 64
#: The fields, in their order.
FIELDS: Final = ("minute", "hour", "day of month", "month", "day of week")

_HINT: Final = "give minute, hour, day of month, month and day of week, such as '30 2 * * 1-5'"
_ZONE_HINT: Final = "use a name of the tz database, such as Europe/Berlin"
#: A larger change of the clock is a correction, after which Debian's cron makes up for nothing.
_LARGEST_CHANGE: Final = dt.timedelta(hours=3)
_MINUTE: Final = dt.timedelta(minutes=1)
_DAY: Final = dt.timedelta(days=1)
#: February 29 falls on a given weekday after 40 years at the latest; what does not fire in 50 never does.
_HORIZON: Final = 50 * 366 * _DAY
#: Any instant: what never fires after it never fires at all.
_BEGINNING: Final = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def check(cron: str, zone: str) -> None:
    """Raise InputInvalid, which names the field, unless the expression can be read, fires at times, and the zone is known."""
    if zone not in zoneinfo.available_timezones():  # also no `right/…`, whose clocks count leap seconds
        raise InputInvalid(f"the zone '{visible(zone[:MAX_ZONE])}' is unknown here", _ZONE_HINT)
    if not next_times(cron, zone, _BEGINNING, 1):
        raise _never()


def next_times(cron: str, zone: str, after: dt.datetime, n: int) -> tuple[dt.datetime, ...]:
    """The next `n` instants after `after` at which it fires, in UTC; fewer if there are none within 50 years.

    Raises InputInvalid if the expression or the zone cannot be read.
    """
    return tuple(islice(due(cron, zone, after, after + _HORIZON), n))


def due(cron: str, zone: str, after: dt.datetime, until: dt.datetime) -> Iterator[dt.datetime]:
    """The instants in (after, until] at which it fires, in UTC, in order, each once. They are found as they are asked for.

    `after` and `until` are aware. Raises InputInvalid if the expression or the zone cannot be read.
    """
    plan = _plan(cron, zone)
    after, until = after.astimezone(dt.UTC), until.astimezone(dt.UTC)
    while after < until:
        end = min(after + _DAY, until)
        yield from plan.between(after, end)
        after = end


@dataclass(frozen=True)
class _Plan:
    """An expression in a zone. A wall time is naive: what a clock in the zone shows."""

    rules: CronSim
    zone: zoneinfo.ZoneInfo

    @functools.cached_property
    def is_fixed(self) -> bool:
        """Whether it runs at fixed times, and not by the clock on the wall."""
        _, minute, hour, *_ = self.rules.parts
        return not (minute.startswith("*") or hour.startswith("*"))

    def between(self, after: dt.datetime, until: dt.datetime) -> list[dt.datetime]:
        """The instants in (after, until], which is at most a day."""
        first, last = self._wall(after) - _LARGEST_CHANGE, self._wall(until) + _LARGEST_CHANGE
        found = {instant for wall in self._walls(first, last) for instant in self._instants(wall)}
        return sorted(instant for instant in found if after < instant <= until)

    def _wall(self, instant: dt.datetime) -> dt.datetime:
        return instant.astimezone(self.zone).replace(tzinfo=None, fold=0)

    def _walls(self, first: dt.datetime, last: dt.datetime) -> Iterator[dt.datetime]:
        """The wall times that the expression names in [first, last], in no order."""
        for number in range((last.date() - first.date()).days + 1):
            day = first.date() + number * _DAY
            if day.month not in self.rules.months or not self.rules.match_day(day):
                continue
            for hour in self.rules.hours:
                for minute in self.rules.minutes:
                    if first <= (wall := dt.datetime.combine(day, dt.time(hour, minute))) <= last:
                        yield wall

    def _instants(self, wall: dt.datetime) -> list[dt.datetime]:
        """When a job of that wall time runs: never, once or twice."""
        if not self.is_fixed:
            both = (self._instant(wall, fold) for fold in (0, 1))
            return [instant for instant in both if instant]
        waits = dt.timedelta(0)
        while waits <= _LARGEST_CHANGE:
            if instant := self._instant(wall + waits):
                return [instant]
            waits += _MINUTE
        return []

    def _instant(self, wall: dt.datetime, fold: int = 0) -> dt.datetime | None:
        """The instant at which clocks show it for the first time (fold 0) or the last; None if they skip it."""
        instant = wall.replace(tzinfo=self.zone, fold=fold).astimezone(dt.UTC)
        return instant if self._wall(instant) == wall else None


@functools.lru_cache(maxsize=256)
def _plan(cron: str, zone: str) -> _Plan:
    return _Plan(_rules(cron), _zone(zone))


def _rules(cron: str) -> CronSim:
    if len(cron) > MAX_CRON:
        raise InputInvalid("the cron is too long", f"use at most {MAX_CRON} characters")
    fields = cron.split()
    if len(fields) != len(FIELDS):
        raise InputInvalid(f"a cron has {len(FIELDS)} fields, and this one {len(fields)}", _HINT)
    for place, (name, field) in enumerate(zip(FIELDS, fields, strict=True)):
        # Each alone: together, a good day of a month that has none is refused too.
        if _parsed(" ".join(field if place == other else "*" for other in range(len(FIELDS)))) is None:
            raise InputInvalid(f"the cron's {name} cannot be '{visible(field)}'", _HINT)
    rules = _parsed(cron)
    if rules is None:
        raise _never()
    return rules


def _parsed(cron: str) -> CronSim | None:
    try:
        return CronSim(cron, _BEGINNING)
    except (CronSimError, ValueError, AssertionError):
        return None


def _zone(zone: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # a folder's name, too long a name, no file of a zone
        raise InputInvalid(f"the zone '{visible(zone[:MAX_ZONE])}' is unknown here", _ZONE_HINT) from None


def _never() -> InputInvalid:
    return InputInvalid("the cron never fires", "its months have no such day")
