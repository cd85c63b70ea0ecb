"""How the database is: what serves it, what time it has, and what waits in it. For `opsmon doctor`."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from store import workers
from store.access import member_tenants
from store.database import Database
from store.errors import DatabaseAway
from store.queries import COUNT_CAP
from store.records import Status, Worker
from store.tables import IS_ACTIVE, operation_runs
from store.types import only_reads, utcnow

_run = operation_runs.c
_IS_QUEUED = sa.and_(IS_ACTIVE, _run.status == Status.QUEUED.value)

#: More than this many waiting runs are "at least" so many.
CAP: Final = COUNT_CAP


@dataclass(frozen=True, slots=True)
class Server:
    """What serves the database, and where, without credentials.

    `offset` is its clock minus this machine's, in seconds; `only_reads` means that it refuses every change.
    """

    kind: str
    version: str
    place: str
    offset: float
    only_reads: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """Queued runs of somebody's tenants: how many, CAP + 1 meaning more than CAP, and the seconds since the oldest was opened."""

    count: int
    oldest: float | None


def server(db: Database) -> Server:
    """Raises DatabaseAway, also for an SQLite file that is not there: connecting would make an empty one."""
    if db.is_sqlite and not Path(db.url.database or "").exists():
        raise DatabaseAway(f"there is no database {db.url.database}", "run 'opsmon' or 'opsmon db upgrade'")
    version = "sqlite_version()" if db.is_sqlite else "current_setting('server_version')"
    query = sa.select(sa.literal_column(version, sa.Text), utcnow(), only_reads())
    with db.reading() as connection:
        # Twice: the first answer also paid for making the connection, which would count as a wrong clock.
        connection.execute(sa.select(1))
        before = time.time()
        told, now, reads = connection.execute(query).one()
        after = time.time()
    # PostgreSQL's now() is when the transaction began, just before.
    offset = now.timestamp() - (before + after) / 2
    kind = "SQLite" if db.is_sqlite else "PostgreSQL"
    return Server(kind, str(told).split()[0], _place(db), offset, bool(reads))


def _place(db: Database) -> str:
    if db.is_sqlite:
        return str(Path(db.url.database or "").absolute())
    host = db.url.host or db.url.query.get("host") or "localhost"
    return f"{host}/{db.url.database}"


def waiting(db: Database, user_id: int) -> Waiting:
    """What waits in the user's tenants. Raises DatabaseAway or SchemaMismatch."""
    queued = sa.select(_run.created_at).where(_IS_QUEUED, _run.tenant_id.in_(member_tenants(user_id)))
    some = queued.limit(CAP + 1).subquery()
    oldest = sa.select(sa.func.min(queued.subquery().c.created_at)).scalar_subquery()
    with db.reading() as connection:
        count, since, now = connection.execute(
            sa.select(sa.select(sa.func.count()).select_from(some).scalar_subquery(), oldest, utcnow())
        ).one()
    return Waiting(int(count), None if since is None else _seconds(now, since))


def lag(db: Database) -> float | None:
    """Seconds for which the first of the queue has waited for a worker, whoever's it is; None when nothing is in the queue.

    Raises DatabaseAway or SchemaMismatch.
    """
    first = sa.select(sa.func.min(_run.dispatched_at)).where(_IS_QUEUED).scalar_subquery()
    with db.reading() as connection:
        since, now = connection.execute(sa.select(first, utcnow())).one()
    return None if since is None else _seconds(now, since)


def _seconds(now: dt.datetime, since: dt.datetime) -> float:
    return max(0.0, (now - since).total_seconds())


def workers_alive(db: Database, within: float) -> tuple[Worker, ...]:
    """Workers that have beaten within so many seconds. Raises DatabaseAway or SchemaMismatch."""
    with db.reading() as connection:
        return workers.alive(connection, within)
