"""Backup sets, their items, and which kinds were looked at."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from store.model.tables.base import metadata
from store.model.tables.intune import COMPLETENESS
from store.model.types import BigId, Json, UtcTime, utcnow

backup_sets = Table(
    "backup_sets",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("tenant_id", BigId, ForeignKey("tenants.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("initiator_name", Text, nullable=False),
    # The run that wrote to it last: a retry of that one goes on where it ended.
    Column("run_id", BigId, ForeignKey("operation_runs.id", ondelete="SET NULL")),
    # The number of the schedule that it was made for. The schedule may have been removed since.
    Column("schedule_id", BigId),
    # What was asked for: kinds, policies and filter; for an import, where it came from.
    Column("selection", Json, nullable=False),
    Column("created_at", UtcTime, nullable=False, server_default=utcnow()),
    # When everything had been looked at; None: it was not, or not yet.
    Column("completed_at", UtcTime),
    # Since when something stands on it, so that it takes no more.
    Column("sealed_at", UtcTime),
    Column("sealed_by", Text),
    CheckConstraint("source IN ('graph', 'import')", name="source"),
    CheckConstraint("(sealed_at IS NULL) = (sealed_by IS NULL)", name="sealed"),
    Index(None, "tenant_id", "id"),
    Index(None, "run_id"),
    Index(None, "schedule_id"),
    sqlite_autoincrement=True,
)

#: A kind that is not here was not looked at.
backup_set_kinds = Table(
    "backup_set_kinds",
    metadata,
    Column("set_id", BigId, ForeignKey("backup_sets.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, primary_key=True),
    # Objects that were asked for and are there, and those of them that are in the set.
    Column("found", Integer, nullable=False),
    Column("kept", Integer, nullable=False),
    # Only chosen policies of the kind were asked for: what is not in the set may have been there.
    Column("narrowed", Boolean, nullable=False, server_default=false()),
    # Why it could not be read to its end, or not all of it.
    Column("failure_code", Text),
    Column("failure_message", Text),
    CheckConstraint("found >= 0 AND kept >= 0", name="numbers"),
    CheckConstraint("(failure_code IS NULL) = (failure_message IS NULL)", name="failure"),
    CheckConstraint("failure_code IS NOT NULL OR kept >= found", name="all_or_failure"),
)

#: Triggers refuse to change an item. It goes with its set.
backup_items = Table(
    "backup_items",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("set_id", BigId, ForeignKey("backup_sets.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("platform", Text),
    Column("content_hash", Text, ForeignKey("contents.content_hash"), nullable=False),
    Column("canonical_hash", Text, nullable=False),
    Column("assignments", Json),
    Column("assignments_hash", Text),
    # Objects with `kind`, `id` and `name`.
    Column("references", Json, nullable=False),
    Column("completeness", Text, nullable=False),
    Column("gaps", Json, nullable=False),
    Column("created_at", UtcTime, nullable=False, server_default=utcnow()),
    UniqueConstraint("set_id", "kind", "external_id"),
    CheckConstraint(f"completeness IN ({', '.join(repr(one) for one in COMPLETENESS)})", name="completeness"),
    CheckConstraint("(assignments IS NULL) = (assignments_hash IS NULL)", name="assignments"),
    CheckConstraint("completeness <> 'whole' OR assignments IS NOT NULL", name="whole_has_assignments"),
    Index(None, "content_hash"),
    sqlite_autoincrement=True,
)
