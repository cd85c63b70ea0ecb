"""Worker processes, and the pauses of the queue."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, text

from store.model.tables.base import metadata
from store.model.types import BigId, UtcTime, utcnow

workers = Table(
    "workers",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", Text, nullable=False),
    Column("slots", Integer, nullable=False),
    Column("stuck_slots", Integer, nullable=False, server_default=text("0")),
    Column("embedded", Boolean(create_constraint=False), nullable=False, server_default=text("false")),
    Column("started_at", UtcTime, nullable=False, server_default=utcnow()),
    Column("beat_at", UtcTime, nullable=False, server_default=utcnow()),
    Column("stopped_at", UtcTime),
    # Workers that are alive are read every second; the rows of stopped ones accumulate with each restart.
    Index(
        "ix_workers_alive",
        "beat_at",
        postgresql_where=text("stopped_at IS NULL"),
        sqlite_where=text("stopped_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)

#: The queue is paused while a row has no `resumed_at`: workers take no messages. There is at most one such row.
queue_pauses = Table(
    "queue_pauses",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("queue", Text, nullable=False, server_default="opsmon"),
    Column("user_id", BigId, ForeignKey("users.id"), nullable=False),
    Column("paused_at", UtcTime, nullable=False, server_default=utcnow()),
    Column("resumed_at", UtcTime),
    Index(
        "uq_queue_pauses_one",
        "queue",
        unique=True,
        postgresql_where=text("resumed_at IS NULL"),
        sqlite_where=text("resumed_at IS NULL"),
    ),
)


_pause = queue_pauses.c
#: With literals, like the condition of the partial index: with bind parameters neither database could use that index.
PAUSE_HOLDS = sa.and_(_pause.queue == sa.literal_column("'opsmon'"), _pause.resumed_at.is_(None))

#: Whether the queue is paused: an expression that any statement can include.
IS_PAUSED = sa.exists().where(PAUSE_HOLDS)
