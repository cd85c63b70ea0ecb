"""Health checks for `opsmon doctor`: the database server, its clock, and the workers that are alive."""

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
    """The database server."""

    #: PostgreSQL or SQLite.
    kind: str
    version: str
    #: The file, or host/database, without credentials.
    place: str
    #: Its clock minus this machine's, in seconds.
    offset: float
    #: Whether it refuses every change.
    only_reads: bool = False


def server(db: Database) -> Server:
    """Describe the database server. Raises DatabaseAway, also for a missing SQLite file: connecting would create an empty one."""
    if db.is_sqlite and not Path(db.url.database or "").exists():
        raise DatabaseAway(f"there is no database {db.url.database}", "run 'opsmon' or 'opsmon db upgrade'")
    version = "sqlite_version()" if db.is_sqlite else "current_setting('server_version')"
    query = sa.select(sa.literal_column(version, sa.Text), utcnow(), only_reads())
    with db.read() as connection:
        # A first statement makes the connection: that time would count as an offset of the clock.
        connection.execute(sa.select(1))
        before = time.time()
        version_text, now, reads = connection.execute(query).one()
        after = time.time()
    # PostgreSQL's now() is the start of the transaction, just before the query.
    offset = now.timestamp() - (before + after) / 2
    kind = "SQLite" if db.is_sqlite else "PostgreSQL"
    return Server(kind, str(version_text).split()[0], _place(db), offset, bool(reads))


def _place(db: Database) -> str:
    if db.is_sqlite:
        return str(Path(db.url.database or "").absolute())
    host = db.url.host or db.url.query.get("host") or "localhost"
    return f"{host}/{db.url.database}"


def workers_alive(db: Database, within: float) -> tuple[Worker, ...]:
    """Workers with a heartbeat in the last `within` seconds. Raises DatabaseAway or SchemaMismatch."""
    with db.read() as connection:
        return heartbeats.alive(connection, within)
