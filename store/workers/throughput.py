"""How the last hours went: completed runs by the hour in which they ended, and how long they took."""

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

HOURS: Final = 12
#: Runs that are opened so long before the first hour may end within it, and are looked at, too.
BEFORE: Final = dt.timedelta(hours=12)
#: At most so many runs are looked at, shared equally by one's tenants: the newest of each.
LOOK_AT: Final = 10_000

#: Seconds for which hours that were read are good enough: on SQLite, LOOK_AT runs take 40 ms, too much for every poll.
KEEP: Final = 60.0

_run = operation_runs.c
_hour = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the clock in UTC: `completed` runs ended in it, of which `failed` failed.

    `median` and `p95` are of how long they ran, in seconds, by nearest rank; None when none of them was ever started.
    """

    at: dt.datetime
    completed: int = 0
    failed: int = 0
    median: float | None = None
    p95: float | None = None


@dataclass(frozen=True, slots=True)
class HourlyThroughput:
    """The last HOURS hours of some tenants as they were at an instant, oldest first; the last one is not over yet.

    `looked_back_to` is None when every run was looked at; otherwise there were too many, and those that were opened before
    that instant are not in the hours.
    """

    at: dt.datetime
    tenant_ids: tuple[int, ...]
    each: tuple[Hour, ...]
    looked_back_to: dt.datetime | None = None

    def is_fresh(self, tenant_ids: tuple[int, ...], now: dt.datetime) -> bool:
        """Whether they are still good enough for these tenants."""
        same_hour = bool(self.each) and dt.timedelta(0) <= now - self.each[-1].at < _hour
        return self.tenant_ids == tenant_ids and same_hour and 0 <= (now - self.at).total_seconds() < KEEP


def last_hours(
    connection: sa.Connection, of: Sequence[Membership], now: dt.datetime, known: HourlyThroughput | None = None
) -> HourlyThroughput:
    """The last hours of these tenants; those that are known already while they hold."""
    within = tuple(member.tenant.id for member in of)
    if known is not None and known.is_fresh(within, now):
        return known
    first = now.replace(minute=0, second=0, microsecond=0) - (HOURS - 1) * _hour
    wanted = {first + number * _hour: Hour(first + number * _hour) for number in range(HOURS)}
    if not within:
        return HourlyThroughput(now, within, tuple(wanted.values()))
    share = max(1, LOOK_AT // len(within))
    rows = connection.execute(_by_hour(within, share), {"p_since": first - BEFORE, "p_first": first}).all()
    found = {row.at: Hour(row.at, int(row.completed), int(row.failed), row.median, row.p95) for row in rows}
    back_to = connection.execute(_bounds(within, share), {"p_since": first - BEFORE}).scalar_one_or_none()
    return HourlyThroughput(now, within, tuple(found.get(at, hour) for at, hour in wanted.items()), back_to)


def _newest(tenant_id: int, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """The tenant's runs that were opened late enough, newest first, in the order of the index."""
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
    # By nearest rank, which both databases can do with one pass over the hour's runs in their order.
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
    """The latest instant at which a tenant's share was used up: the oldest run of a share that another run lies behind."""
    edges = [_newest(id_, _run.created_at).offset(at_most(share - 1)).limit(at_most(2)).subquery() for id_ in within]
    used_up = [sa.select(sa.func.max(edge.c.created_at).label("at")).having(sa.func.count() > 1) for edge in edges]
    return sa.select(sa.func.max(sa.union_all(*used_up).subquery("used_up").c.at))
