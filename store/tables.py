"""The tables, as docs/data-model.md describes them. Migrations create them; a test holds both equal."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)

from store.types import BigId, Json, UtcTime, utcnow

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

ACTIVE = "status IN ('queued', 'running')"
FAILURES = "failure_summary IS NOT NULL"
RETRIES = "retry_of_id IS NOT NULL"

tenants = Table(
    "tenants",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False, server_default=utcnow()),
    UniqueConstraint("slug"),
)

users = Table(
    "users",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("login", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False, server_default=utcnow()),
    UniqueConstraint("login"),
)

memberships = Table(
    "memberships",
    metadata,
    Column("user_id", BigId, ForeignKey("users.id"), primary_key=True),
    Column("tenant_id", BigId, ForeignKey("tenants.id"), primary_key=True),
    Column("role", Text, nullable=False),
    CheckConstraint("role IN ('owner', 'manager', 'operator', 'readonly')", name="role"),
    Index(None, "tenant_id"),
)

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
    # Only the living are asked for every second; the dead pile up with each restart.
    Index(
        "ix_workers_alive",
        "beat_at",
        postgresql_where=text("stopped_at IS NULL"),
        sqlite_where=text("stopped_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)

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
    Column("dispatched_at", UtcTime),
    Column("started_at", UtcTime),
    Column("completed_at", UtcTime),
    Column("created_at", UtcTime, nullable=False, server_default=utcnow()),
    Column("updated_at", UtcTime, nullable=False, server_default=utcnow()),
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
    # The id is the tie-break of every keyset page, so it stands behind each order that is paged.
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
    # What is active is few among millions: the rescuer, the workers' screen and the Active tab read only this.
    Index("ix_operation_runs_active", "status", "worker_id", postgresql_where=text(ACTIVE), sqlite_where=text(ACTIVE)),
    # SQLite would otherwise give a deleted run's id to a new one, and a late message would start the wrong run.
    sqlite_autoincrement=True,
)

#: As the partial indexes say it, in literals: with parameters neither database can tell that it may use them.
IS_ACTIVE = operation_runs.c.status.in_([literal_column("'queued'"), literal_column("'running'")])

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

#: What a rescuer did to a run; `worker_id` is the worker that was lost.
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

user_settings = Table(
    "user_settings",
    metadata,
    Column("user_id", BigId, ForeignKey("users.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Json, nullable=False),
    Column("updated_at", UtcTime, nullable=False, server_default=utcnow()),
)

#: While a row has no `resumed_at`, workers take no messages. There is at most one such row.
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

#: Who did what, and from where. Triggers refuse to change or delete a row.
audit_events = Table(
    "audit_events",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("at", UtcTime, nullable=False, server_default=utcnow()),
    Column("user_id", BigId, ForeignKey("users.id")),
    Column("login", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("tenant_id", BigId, ForeignKey("tenants.id")),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Json),
    Column("reason", Text),
    Index(None, "tenant_id", "id"),
    # SQLite would otherwise give the id of the newest row, deleted by a hand, to another one.
    sqlite_autoincrement=True,
)

policies = Table(
    "policies",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("tenant_id", BigId, ForeignKey("tenants.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("body", Json, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("modified_at", UtcTime),
    Column("first_seen_at", UtcTime, nullable=False, server_default=utcnow()),
    Column("last_seen_at", UtcTime, nullable=False, server_default=utcnow()),
    Column("last_seen_run_id", BigId, ForeignKey("operation_runs.id", ondelete="SET NULL")),
    Column("missing_since", UtcTime),
    UniqueConstraint("tenant_id", "kind", "external_id"),
    Index(None, "last_seen_run_id"),
)
