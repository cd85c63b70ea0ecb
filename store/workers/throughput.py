"""Throughput: runs by the hour in which they were completed, their durations and waits, and the last hour more closely."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from store.model.records import Outcome, Status
from store.model.tables import operation_runs
from store.model.types import UtcTime, at_most, five_minutes_of, hour_of, seconds_between
from store.people.access import Membership

#: The number of hours.
HOURS: Final = 24
#: The number of slices of the last hour, of five minutes of the clock each.
SLICES: Final = 12
#: Runs created up to this long before the first hour are read too, because they may have been completed within it.
BEFORE: Final = dt.timedelta(hours=12)
#: The maximum number of runs that are read: the newest of each tenant, in equal shares.
LOOK_AT: Final = 10_000

#: Seconds for which a throughput is fresh: on SQLite, reading LOOK_AT runs takes 100 to 150 ms, too long for every poll.
KEEP: Final = 60.0

_run = operation_runs.c
_hour = dt.timedelta(hours=1)
_slice = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Hour:
    """The throughput of one hour."""

    #: The start of the hour, in UTC.
    at: dt.datetime
    #: The number of runs completed in it, and of those that failed.
    completed: int = 0
    failed: int = 0
    #: Percentiles of their durations in seconds, by nearest rank; None if none of them was ever started.
    median: float | None = None
    p95: float | None = None
    #: The longest wait in seconds, from queueing to start, among the runs that started in it; None if none did.
    waited: float | None = None


@dataclass(frozen=True, slots=True)
class LastHour:
    """The throughput of the last SLICES times five minutes of the clock, oldest first. The last ones are not over yet."""

    #: The numbers of runs completed in each, and of those that failed.
    completed: tuple[int, ...] = (0,) * SLICES
    failed: tuple[int, ...] = (0,) * SLICES
    #: The 95th percentile of the durations of all of them in seconds, by nearest rank; None if none was ever started.
    p95: float | None = None


@dataclass(frozen=True, slots=True)
class HourlyThroughput:
    """The throughput of some tenants in the last HOURS hours."""

    #: The instant of reading, by the database's clock.
    at: dt.datetime
    tenant_ids: tuple[int, ...]
    #: The hours, oldest first. The last one is not over yet.
    each: tuple[Hour, ...]
    #: None if all runs were read. Otherwise there were too many: runs created before this instant are not counted.
    looked_back_to: dt.datetime | None = None
    last_hour: LastHour = LastHour()

    def is_fresh(self, tenant_ids: tuple[int, ...], now: dt.datetime) -> bool:
        """Whether this can be shown again at `now`: for the same tenants, in the same hour, and at most KEEP seconds old."""
        same_hour = bool(self.each) and dt.timedelta(0) <= now - self.each[-1].at < _hour
        return self.tenant_ids == tenant_ids and same_hour and 0 <= (now - self.at).total_seconds() < KEEP


def last_hours(
    connection: sa.Connection, of: Sequence[Membership], now: dt.datetime, known: HourlyThroughput | None = None
) -> HourlyThroughput:
    """Read the throughput of the tenants, or return `known` while it is fresh."""
    within = tuple(member.tenant.id for member in of)
    if known is not None and known.is_fresh(within, now):
        return known
    first = now.replace(minute=0, second=0, microsecond=0) - (HOURS - 1) * _hour
    empty_hours = {first + number * _hour: Hour(first + number * _hour) for number in range(HOURS)}
    if not within:
        return HourlyThroughput(now, within, tuple(empty_hours.values()))
    share = max(1, LOOK_AT // len(within))
    since = {"p_since": first - BEFORE}
    hours = _hours(connection, _by_hour(within, share), {**since, "p_first": first})
    back_to = connection.execute(_bounds(within, share), since).scalar_one_or_none()
    each = tuple(hours.get(at, hour) for at, hour in empty_hours.items())
    return HourlyThroughput(now, within, each, back_to, _last_hour(connection, within, share, now))


def _hours(connection: sa.Connection, query: sa.Select[Any], since: dict[str, dt.datetime]) -> dict[dt.datetime, Hour]:
    """The hours in which runs were completed or started, by their start."""
    found: dict[dt.datetime, Hour] = {}
    for row in connection.execute(query, since):
        hour = found.get(row.at, Hour(row.at))
        if row.completed:
            hour = replace(hour, completed=int(row.completed), failed=int(row.failed), median=row.median, p95=row.p95)
        else:
            hour = replace(hour, waited=max(0.0, row.waited or 0.0))
        found[row.at] = hour
    return found


def _last_hour(connection: sa.Connection, within: tuple[int, ...], share: int, now: dt.datetime) -> LastHour:
    minute = now.minute // 5 * 5
    first = now.replace(minute=minute, second=0, microsecond=0) - (SLICES - 1) * _slice
    rows = connection.execute(_by_slice(within, share), {"p_since": first - BEFORE, "p_first": first}).all()
    slices = {row.at: row for row in rows}
    each = [slices.get(first + number * _slice) for number in range(SLICES)]
    # A slice has the shortest of its durations that are no shorter than the percentile of all: the least of them is it.
    longest = [row.p95 for row in rows if row.p95 is not None]
    return LastHour(
        tuple(int(row.completed) if row else 0 for row in each),
        tuple(int(row.failed) if row else 0 for row in each),
        min(longest, default=None),
    )


def _newest(tenant_id: int, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """The tenant's runs created after `p_since`, newest first, in the order of the index."""
    since = sa.bindparam("p_since", type_=UtcTime)
    query = sa.select(*columns).where(_run.tenant_id == tenant_id, _run.created_at > since)
    return query.order_by(_run.created_at.desc(), _run.id.desc())


def _looked_at(within: tuple[int, ...], share: int) -> sa.CTE:
    """The runs that are read. A statement that uses them twice reads them once."""
    columns = (
        _run.status, _run.outcome, sa.func.coalesce(_run.dispatched_at, _run.created_at).label("queued_at"),
        _run.started_at, _run.completed_at,
    )  # fmt: skip
    parts = [sa.select(_newest(id_, *columns).limit(at_most(share)).subquery()) for id_ in within]
    return sa.union_all(*parts).cte("looked_at")


_FIRST: Final = sa.bindparam("p_first", type_=UtcTime)


@functools.lru_cache(maxsize=32)
def _by_hour(within: tuple[int, ...], share: int) -> sa.Select[Any]:
    """The hours since `p_first` in which runs were completed, and those in which runs were started: a row for each."""
    looked_at = _looked_at(within, share)
    run, none = looked_at.c, sa.null()
    ended = _ended(looked_at, hour_of(run.completed_at))
    begun = hour_of(run.started_at).label("at")
    wait = sa.func.max(seconds_between(run.queued_at, run.started_at)).label("waited")
    waits = sa.select(begun, *(none.label(name) for name in ("completed", "failed", "median", "p95")), wait)
    either = sa.union_all(
        _grouped(ended, ended.c.at).add_columns(none.label("waited")),
        waits.where(run.started_at >= _FIRST).group_by(begun),
    ).subquery("either")
    return sa.select(either)


@functools.lru_cache(maxsize=32)
def _by_slice(within: tuple[int, ...], share: int) -> sa.Select[Any]:
    """The five minutes since `p_first` in which runs were completed; percentiles are ranked among all of them."""
    looked_at = _looked_at(within, share)
    return _grouped(_ended(looked_at, five_minutes_of(looked_at.c.completed_at)))


def _ended(looked_at: sa.CTE, at: sa.ColumnElement[dt.datetime]) -> sa.Subquery:
    """The runs that were completed since `p_first`, each at `at`."""
    run = looked_at.c
    took = seconds_between(run.started_at, run.completed_at).label("took")
    query = sa.select(at.label("at"), run.outcome, took)
    return query.where(run.status == Status.COMPLETED.value, run.completed_at >= _FIRST).subquery("ended")


def _grouped(ended: sa.Subquery, among: sa.ColumnElement[Any] | None = None) -> sa.Select[Any]:
    """The runs by `at`. Percentiles are ranked among those with the same `among`; None: among all."""
    run = ended.c
    # Percentiles by nearest rank: both databases compute them in one pass over the sorted runs.
    place = sa.func.row_number().over(partition_by=among, order_by=sa.nulls_last(run.took)).label("place")
    timed = sa.func.count(run.took).over(partition_by=among).label("timed")
    ranked = sa.select(run.at, run.outcome, run.took, place, timed).subquery("ranked").c

    def percentile(percent: int) -> sa.ColumnElement[Any]:
        return sa.func.min(sa.case((ranked.place * 100 >= ranked.timed * percent, ranked.took)))

    failed = sa.func.sum(sa.case((ranked.outcome == Outcome.FAILED.value, 1), else_=0))
    return sa.select(
        ranked.at,
        sa.func.count().label("completed"),
        failed.label("failed"),
        percentile(50).label("median"),
        percentile(95).label("p95"),
    ).group_by(ranked.at)


@functools.lru_cache(maxsize=32)
def _bounds(within: tuple[int, ...], share: int) -> sa.Select[Any]:
    """The creation of the oldest run read of a tenant that has more runs than its share; of several tenants the latest one."""
    edges = [_newest(id_, _run.created_at).offset(at_most(share - 1)).limit(at_most(2)).subquery() for id_ in within]
    used_up = [sa.select(sa.func.max(edge.c.created_at).label("at")).having(sa.func.count() > 1) for edge in edges]
    return sa.select(sa.func.max(sa.union_all(*used_up).subquery("used_up").c.at))
