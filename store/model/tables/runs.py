"""Runs, and the tables that refer to them: log lines, notifications, rescues."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Table,
    Text,
    UniqueConstraint,
    and_,
    false,
    literal_column,
    text,
)

from store.model.tables.base import metadata
from store.model.types import BigId, Json, UtcTime, utcnow

#: The conditions of the partial indexes.
ACTIVE = "status IN ('queued', 'running')"
FAILURES = "failure_summary IS NOT NULL"
RETRIES = "retry_of_id IS NOT NULL"
#: What went wrong, and nobody has acknowledged; what somebody has.
OPEN_FAILURE = "outcome IN ('failed', 'partially_succeeded') AND acknowledged_at IS NULL"
ACKNOWLEDGED = "acknowledged_at IS NOT NULL"


def _partial(name: str, condition: str, *columns: str) -> Index:
    return Index(name, *columns, postgresql_where=text(condition), sqlite_where=text(condition))


operation_runs = Table(
    "operation_runs",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("tenant_id", BigId, ForeignKey("tenants.id"), nullable=False),
    Column("user_id", BigId, ForeignKey("users.id")),
    Column("initiator_name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("label", Text),
    Column("status", Text, nullable=False, server_default="queued"),
    Column("outcome", Text, nullable=False, server_default="pending"),
    Column("run_identity_hash", Text, nullable=False),
    Column("summary_counts", Json),
    Column("failure_summary", Json),
    Column("context", Json),
    Column("retry_of_id", BigId, ForeignKey("operation_runs.id")),
    Column("worker_id", BigId, ForeignKey("workers.id")),
    # A previewed restore: it waits for a person, and has no message.
    Column(
        "held",
        Boolean,
        CheckConstraint("NOT held OR status = 'queued'", name="held"),
        nullable=False,
        server_default=false(),
    ),
    Column("dispatched_at", UtcTime),
    Column("started_at", UtcTime),
    Column("completed_at", UtcTime),
    Column("created_at", UtcTime, nullable=False, server_default=utcnow()),
    Column("updated_at", UtcTime, nullable=False, server_default=utcnow()),
    # When somebody acknowledged it, as in `run_acknowledgements`: here, so that the tab Failed can leave it out along an index.
    Column(
        "acknowledged_at",
        UtcTime,
        CheckConstraint("acknowledged_at IS NULL OR outcome IN ('failed', 'partially_succeeded')", name="acknowledged"),
    ),
    CheckConstraint("status IN ('queued', 'running', 'completed')", name="status"),
    CheckConstraint(
        "outcome IN ('pending', 'succeeded', 'partially_succeeded', 'failed', 'cancelled')", name="outcome"
    ),
    CheckConstraint("(outcome = 'pending') = (status <> 'completed')", name="outcome_when_completed"),
    CheckConstraint(
        "status <> 'running' OR (started_at IS NOT NULL AND worker_id IS NOT NULL)", name="started_when_running"
    ),
    CheckConstraint("(completed_at IS NOT NULL) = (status = 'completed')", name="completed_at_when_completed"),
    Index(
        "uq_operation_runs_active_identity",
        "tenant_id",
        "run_identity_hash",
        unique=True,
        postgresql_where=text(ACTIVE),
        sqlite_where=text(ACTIVE),
    ),
    Index(None, "tenant_id", "type", "created_at"),
    # The id breaks ties in keyset pagination, so it is the last column of each index that is paged along.
    Index(None, "tenant_id", "created_at", "id"),
    Index(None, "tenant_id", "outcome", "created_at", "id"),
    Index(None, "tenant_id", "user_id", "outcome", "created_at", "id"),
    Index(None, "tenant_id", "type", "outcome", "created_at", "id"),
    Index(
        "ix_operation_runs_failures",
        "tenant_id",
        "outcome",
        "created_at",
        "id",
        postgresql_where=text(FAILURES),
        sqlite_where=text(FAILURES),
    ),
    Index(None, "retry_of_id", postgresql_where=text(RETRIES), sqlite_where=text(RETRIES)),
    # Each as the index of all runs by the same columns: however many are acknowledged, those that are not are next to each other.
    _partial("ix_operation_runs_open", OPEN_FAILURE, "tenant_id", "outcome", "created_at", "id"),
    _partial("ix_operation_runs_open_user", OPEN_FAILURE, "tenant_id", "user_id", "outcome", "created_at", "id"),
    _partial("ix_operation_runs_open_type", OPEN_FAILURE, "tenant_id", "type", "outcome", "created_at", "id"),
    _partial("ix_operation_runs_acknowledged", ACKNOWLEDGED, "tenant_id", "outcome", "created_at", "id"),
    # Few of millions of runs are active. The rescuer, the workers' screen and the Active tab read only this index.
    Index("ix_operation_runs_active", "status", "worker_id", postgresql_where=text(ACTIVE), sqlite_where=text(ACTIVE)),
    # Without this, SQLite would reuse the id of a deleted run, and a late message would start the wrong run.
    sqlite_autoincrement=True,
)

#: With literals, like the conditions of the partial indexes: with bind parameters neither database could use those indexes.
IS_ACTIVE = operation_runs.c.status.in_([literal_column("'queued'"), literal_column("'running'")])
#: A queued run that waits for a worker, or for its message to be queued, and not for a person.
IS_QUEUED = and_(
    IS_ACTIVE, operation_runs.c.status == literal_column("'queued'"), operation_runs.c.held == literal_column("false")
)

run_events = Table(
    "run_events",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("run_id", BigId, ForeignKey("operation_runs.id", ondelete="CASCADE"), nullable=False),
    Column("at", UtcTime, nullable=False, server_default=utcnow()),
    Column("level", Text, nullable=False),
    Column("message", Text, nullable=False),
    CheckConstraint("level IN ('debug', 'info', 'warning', 'error')", name="level"),
    Index(None, "run_id", "id"),
)

notifications = Table(
    "notifications",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("run_id", BigId, ForeignKey("operation_runs.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", BigId, ForeignKey("users.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False, server_default=utcnow()),
    Column("read_at", UtcTime),
    CheckConstraint("kind IN ('queued', 'completed')", name="kind"),
    UniqueConstraint("run_id", "kind"),
    Index(None, "user_id", "id"),
    Index(
        "ix_notifications_unread",
        "user_id",
        "id",
        postgresql_where=text("read_at IS NULL"),
        sqlite_where=text("read_at IS NULL"),
    ),
)

#: A rescuer's changes of runs. `worker_id` is the lost worker; NULL unless `what` is 'lost'.
rescues = Table(
    "rescues",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("run_id", BigId, ForeignKey("operation_runs.id", ondelete="CASCADE"), nullable=False),
    Column("at", UtcTime, nullable=False, server_default=utcnow()),
    Column("what", Text, nullable=False),
    Column("worker_id", BigId, ForeignKey("workers.id")),
    CheckConstraint("what IN ('lost', 'queued', 'queued_again')", name="what"),
    Index(None, "run_id"),
)

#: Who acknowledged a run that went wrong, and what they wrote. While there is a row, `operation_runs.acknowledged_at` is set.
run_acknowledgements = Table(
    "run_acknowledgements",
    metadata,
    Column("run_id", BigId, ForeignKey("operation_runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("user_id", BigId, ForeignKey("users.id"), nullable=False),
    Column("at", UtcTime, nullable=False, server_default=utcnow()),
    Column("note", Text, nullable=False, server_default=""),
    CheckConstraint("length(note) <= 500", name="note"),
)

#: Who wants to be told of the end of somebody else's run. `told_at` is NULL until they were.
run_watches = Table(
    "run_watches",
    metadata,
    Column("run_id", BigId, ForeignKey("operation_runs.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", BigId, ForeignKey("users.id"), primary_key=True),
    Column("at", UtcTime, nullable=False, server_default=utcnow()),
    Column("told_at", UtcTime),
    Index(None, "user_id", "at"),
    _partial("ix_run_watches_untold", "told_at IS NULL", "user_id", "run_id"),
)
