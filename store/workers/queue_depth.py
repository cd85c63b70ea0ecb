"""The queue depth: how many runs wait for a worker, and since when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from store.db.engine import Database
from store.model.records import COUNT_CAP, Count, Outcome, Status
from store.model.tables import IS_QUEUED, operation_runs, tenants
from store.model.types import at_most, utcnow
from store.people.access import read_memberships

_run = operation_runs.c


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """The queued runs of some tenants."""

    #: The instant of reading, by the database's clock.
    at: dt.datetime
    #: The number of queued runs, capped at COUNT_CAP.
    count: Count
    #: The run that was created first, and when; None if none is queued.
    oldest_run_id: int | None = None
    oldest_since: dt.datetime | None = None

    @property
    def oldest(self) -> float | None:
        """Seconds since the creation of the oldest queued run; None if there is none."""
        return None if self.oldest_since is None else waited(self.at, self.oldest_since)


def waiting(db: Database, user_id: int) -> QueueDepth:
    """The queue depth of the user's tenants. Raises DatabaseAway or SchemaMismatch."""
    with db.read() as connection:
        return read(connection, [member.tenant.id for member in read_memberships(connection, user_id)])


def read(connection: sa.Connection, tenant_ids: Sequence[int]) -> QueueDepth:
    """The queue depth of the tenants, in bounded time whatever the depth."""
    mine = {"p_tenant_ids": list(tenant_ids)}
    now, depth = connection.execute(_DEPTH, mine).one()
    since, run_id = connection.execute(_OLDEST, mine).first() or (None, None)
    return QueueDepth(now, Count(COUNT_CAP, True) if depth > COUNT_CAP else Count(int(depth)), run_id, since)


_MINE: sa.BindParameter[int] = sa.bindparam("p_tenant_ids", expanding=True)
_SOME = sa.select(_run.id).where(IS_QUEUED, _run.tenant_id.in_(_MINE)).limit(at_most(COUNT_CAP + 1)).subquery()
_DEPTH = sa.select(utcnow(), sa.select(sa.func.count()).select_from(_SOME).scalar_subquery())
# One index lookup per tenant: otherwise finding the oldest run would mean reading all queued runs.
_OLDEST_OF_A_TENANT = (
    sa.select(_run.id)
    .where(_run.tenant_id == tenants.c.id, _run.outcome == Outcome.PENDING.value, _run.status == Status.QUEUED.value)
    .where(_run.held == sa.literal_column("false"))
    .order_by(_run.created_at, _run.id)
    .limit(at_most(1))
    .scalar_subquery()
)
_OLDEST_IDS = sa.select(_OLDEST_OF_A_TENANT.label("id")).where(tenants.c.id.in_(_MINE)).subquery("oldest")
_OLDEST = (
    sa.select(_run.created_at, _run.id)
    .join_from(_OLDEST_IDS, operation_runs, _run.id == _OLDEST_IDS.c.id)
    .order_by(_run.created_at, _run.id)
    .limit(at_most(1))
)


def lag(db: Database) -> float | None:
    """The queue's lag: seconds since the oldest waiting message of any tenant was queued; None if none waits.

    Raises DatabaseAway or SchemaMismatch.
    """
    first = sa.select(sa.func.min(_run.dispatched_at)).where(IS_QUEUED).scalar_subquery()
    with db.read() as connection:
        since, now = connection.execute(sa.select(first, utcnow())).one()
    return None if since is None else waited(now, since)


def waited(now: dt.datetime, since: dt.datetime) -> float:
    """Seconds from `since` to `now`, at least 0.0: on PostgreSQL, now is the start of the transaction, and a run may be newer."""
    return max(0.0, (now - since).total_seconds())
