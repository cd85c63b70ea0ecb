"""How the database is: what serves it, what time it has, and which workers live. For `opsmon doctor`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from store.db.engine import Database
from store.errors import DatabaseAway
from store.model.records import Worker
from store.model.types import only_reads, utcnow
from store.workers import heartbeats


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


def server(db: Database) -> Server:
    """Raises DatabaseAway, also for an SQLite file that is not there: connecting would make an empty one."""
    if db.is_sqlite and not Path(db.url.database or "").exists():
        raise DatabaseAway(f"there is no database {db.url.database}", "run 'opsmon' or 'opsmon db upgrade'")
    version = "sqlite_version()" if db.is_sqlite else "current_setting('server_version')"
    query = sa.select(sa.literal_column(version, sa.Text), utcnow(), only_reads())
    with db.read() as connection:
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


def workers_alive(db: Database, within: float) -> tuple[Worker, ...]:
    """Workers that have beaten within so many seconds. Raises DatabaseAway or SchemaMismatch."""
    with db.read() as connection:
        return heartbeats.alive(connection, within)
