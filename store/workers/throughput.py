"""Hourly throughput: runs by the hour in which they were completed, and their durations."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from store.model.records import Outcome, Status
from store.model.tables import operation_runs
from store.model.types import UtcTime, at_most, hour_of, seconds_between
from store.people.access import Membership

#: The number of hours.
HOURS: Final = 12
#: Runs created up to this long before the first hour are read too, because they may have been completed within it.
BEFORE: Final = dt.timedelta(hours=12)
#: The maximum number of runs that are read: the newest of each tenant, in equal shares.
LOOK_AT: Final = 10_000

#: Seconds for which a throughput is fresh: on SQLite, reading LOOK_AT runs takes 40 ms, too long for every poll.
KEEP: Final = 60.0

_run = operation_runs.c
_hour = dt.timedelta(hours=1)


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
    rows = connection.execute(_by_hour(within, share), {"p_since": first - BEFORE, "p_first": first}).all()
    hours = {row.at: Hour(row.at, int(row.completed), int(row.failed), row.median, row.p95) for row in rows}
    back_to = connection.execute(_bounds(within, share), {"p_since": first - BEFORE}).scalar_one_or_none()
    return HourlyThroughput(now, within, tuple(hours.get(at, hour) for at, hour in empty_hours.items()), back_to)


def _newest(tenant_id: int, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """The tenant's runs created after `p_since`, newest first, in the order of the index."""
    since = sa.bindparam("p_since", type_=UtcTime)
    query = sa.select(*columns).where(_run.tenant_id == tenant_id, _run.created_at > since)
    return query.order_by(_run.created_at.desc(), _run.id.desc())


@functools.lru_cache(maxsize=32)
def _by_hour(within: tuple[int, ...], share: int) -> sa.Select[Any]:
    columns = (_run.status, _run.outcome, _run.started_at, _run.completed_at)
    parts = [sa.select(_newest(id_, *columns).limit(at_most(share)).subquery()) for id_ in within]
    run = sa.union_all(*parts).subquery("looked_at").c
    ended = sa.select(
        hour_of(run.completed_at).label("at"),
        run.outcome,
        seconds_between(run.started_at, run.completed_at).label("took"),
    ).where(run.status == Status.COMPLETED.value, run.completed_at >= sa.bindparam("p_first", type_=UtcTime))
    return _grouped(ended.subquery("ended"))


def _grouped(ended: sa.Subquery) -> sa.Select[Any]:
    run = ended.c
    # Percentiles by nearest rank: both databases compute them in one pass over the sorted runs of the hour.
    place = sa.func.row_number().over(partition_by=run.at, order_by=sa.nulls_last(run.took)).label("place")
    timed = sa.func.count(run.took).over(partition_by=run.at).label("timed")
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
