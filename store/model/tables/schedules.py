"""Schedules of backups, and what became of each minute in which one was due."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, true

from store.model.tables.base import metadata
from store.model.types import BigId, Json, UtcTime, utcnow

backup_schedules = Table(
    "backup_schedules",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("tenant_id", BigId, ForeignKey("tenants.id"), nullable=False),
    Column("name", Text, nullable=False),
    #: Five fields, read in the zone, a name of the tz database.
    Column("cron", Text, nullable=False),
    Column("zone", Text, nullable=False),
    #: The kinds of policy to back up; NULL: all.
    Column("kinds", Json),
    #: How many of its backups are kept; NULL: all.
    Column("keep", Integer),
    Column("enabled", Boolean, nullable=False, server_default=true()),
    Column("created_by_id", BigId, ForeignKey("users.id")),
    Column("created_by_name", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False, server_default=utcnow()),
    Column("changed_at", UtcTime, nullable=False, server_default=utcnow()),
    #: The whole minute up to which, itself included, somebody has looked whether it is due.
    Column("ticked_to", UtcTime, nullable=False),
    UniqueConstraint("tenant_id", "name"),
    CheckConstraint("keep >= 1", name="keep"),
    # Runs name their schedule by its id: a new one must not get the id of one that was removed.
    sqlite_autoincrement=True,
)

#: One row for a minute in which a schedule was due, or for the first of several that were missed in a row.
schedule_ticks = Table(
    "schedule_ticks",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("schedule_id", BigId, ForeignKey("backup_schedules.id", ondelete="CASCADE"), nullable=False),
    Column("minute", UtcTime, nullable=False),
    #: The run that it opened, or the active one that it met.
    Column("run_id", BigId, ForeignKey("operation_runs.id", ondelete="SET NULL")),
    Column("what", Text, nullable=False),
    Column("detail", Text),
    Column("created_at", UtcTime, nullable=False, server_default=utcnow()),
    UniqueConstraint("schedule_id", "minute"),
    CheckConstraint("what IN ('opened', 'joined', 'missed', 'failed')", name="what"),
    Index(None, "run_id"),
)
