"""How many runs wait for a worker, and since when."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from store.db.engine import Database
from store.model.records import COUNT_CAP, Status
from store.model.tables import IS_ACTIVE, operation_runs
from store.model.types import utcnow
from store.people.access import member_tenants

_run = operation_runs.c
#: It waits for a worker, or for its message to be queued.
IS_QUEUED = sa.and_(IS_ACTIVE, _run.status == Status.QUEUED.value)

#: More than this many waiting runs are "at least" so many.
CAP: Final = COUNT_CAP


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """Queued runs of somebody's tenants: how many, CAP + 1 meaning more than CAP, and the seconds since the oldest was opened."""

    count: int
    oldest: float | None


def waiting(db: Database, user_id: int) -> QueueDepth:
    """What waits in the user's tenants. Raises DatabaseAway or SchemaMismatch."""
    queued = sa.select(_run.created_at).where(IS_QUEUED, _run.tenant_id.in_(member_tenants(user_id)))
    some = queued.limit(CAP + 1).subquery()
    oldest = sa.select(sa.func.min(queued.subquery().c.created_at)).scalar_subquery()
    with db.read() as connection:
        count, since, now = connection.execute(
            sa.select(sa.select(sa.func.count()).select_from(some).scalar_subquery(), oldest, utcnow())
        ).one()
    return QueueDepth(int(count), None if since is None else waited(now, since))


def lag(db: Database) -> float | None:
    """Seconds for which the first of the queue has waited for a worker, whoever's it is; None when nothing is in the queue.

    Raises DatabaseAway or SchemaMismatch.
    """
    first = sa.select(sa.func.min(_run.dispatched_at)).where(IS_QUEUED).scalar_subquery()
    with db.read() as connection:
        since, now = connection.execute(sa.select(first, utcnow())).one()
    return None if since is None else waited(now, since)


def waited(now: dt.datetime, since: dt.datetime) -> float:
    """Seconds from then to now. On PostgreSQL now is when the transaction began, and a run may be younger than that."""
    return max(0.0, (now - since).total_seconds())
