"""The first schema: tenants, users, memberships, workers, runs with log lines and notifications, policies, Huey's tables.

Revision: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.model.types import BigId, Json, UtcTime, utcnow

revision = "0001"
down_revision = None

TABLES = ("run_events", "policies", "notifications", "operation_runs", "memberships", "workers", "users", "tenants")

# Huey's tables, as its storage would create them. Created here, so that opsmon needs no right to create tables at run time.
HUEY_POSTGRESQL = (
    "CREATE TABLE huey_kv (queue text NOT NULL, key text NOT NULL, value bytea NOT NULL, PRIMARY KEY (queue, key))",
    "CREATE TABLE huey_schedule (id bigserial PRIMARY KEY, queue text NOT NULL, data bytea NOT NULL, "
    "timestamp double precision NOT NULL)",
    "CREATE INDEX huey_schedule_queue_timestamp ON huey_schedule (queue, timestamp)",
    "CREATE TABLE huey_task (id bigserial PRIMARY KEY, queue text NOT NULL, data bytea NOT NULL, "
    "priority double precision NOT NULL DEFAULT 0.0)",
    "CREATE INDEX huey_task_queue_priority_id ON huey_task (queue, priority DESC, id)",
    "CREATE TABLE huey_counter (queue text NOT NULL, key text NOT NULL, value bigint NOT NULL DEFAULT 0, PRIMARY KEY (queue, key))",
)
HUEY_SQLITE = (
    "CREATE TABLE kv (queue text NOT NULL, key text NOT NULL, value blob NOT NULL, PRIMARY KEY (queue, key))",
    "CREATE TABLE schedule (id integer NOT NULL PRIMARY KEY, queue text NOT NULL, data blob NOT NULL, timestamp real NOT NULL)",
    "CREATE INDEX schedule_queue_timestamp ON schedule (queue, timestamp)",
    "CREATE TABLE task (id integer NOT NULL PRIMARY KEY, queue text NOT NULL, data blob NOT NULL, "
    "priority real NOT NULL DEFAULT 0.0)",
    "CREATE INDEX task_queue_priority_id ON task (queue, priority DESC, id)",
    "CREATE TABLE counter (queue text NOT NULL, key text NOT NULL, value integer NOT NULL DEFAULT 0, PRIMARY KEY (queue, key))",
)


def upgrade() -> None:
    op.create_table(
        "tenants",
        sa.Column("id", BigId, nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("slug", name=op.f("uq_tenants_slug")),
    )
    op.create_table(
        "users",
        sa.Column("id", BigId, nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("login", name=op.f("uq_users_login")),
    )
    op.create_table(
        "workers",
        sa.Column("id", BigId, nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("stuck_slots", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("embedded", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("started_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.Column("beat_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.Column("stopped_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_workers_alive",
        "workers",
        ["beat_at"],
        unique=False,
        postgresql_where=sa.text("stopped_at IS NULL"),
        sqlite_where=sa.text("stopped_at IS NULL"),
    )
    op.create_table(
        "memberships",
        sa.Column("user_id", BigId, nullable=False),
        sa.Column("tenant_id", BigId, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.CheckConstraint("role IN ('owner', 'manager', 'operator', 'readonly')", name=op.f("ck_memberships_role")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_memberships_tenant_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_memberships_user_id")),
        sa.PrimaryKeyConstraint("user_id", "tenant_id", name=op.f("pk_memberships")),
    )
    op.create_index(op.f("ix_memberships_tenant_id"), "memberships", ["tenant_id"], unique=False)
    op.create_table(
        "operation_runs",
        sa.Column("id", BigId, nullable=False),
        sa.Column("tenant_id", BigId, nullable=False),
        sa.Column("user_id", BigId, nullable=True),
        sa.Column("initiator_name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default="queued", nullable=False),
        sa.Column("outcome", sa.Text(), server_default="pending", nullable=False),
        sa.Column("run_identity_hash", sa.Text(), nullable=False),
        sa.Column("summary_counts", Json, nullable=True),
        sa.Column("failure_summary", Json, nullable=True),
        sa.Column("context", Json, nullable=True),
        sa.Column("retry_of_id", BigId, nullable=True),
        sa.Column("worker_id", BigId, nullable=True),
        sa.Column("dispatched_at", UtcTime(), nullable=True),
        sa.Column("started_at", UtcTime(), nullable=True),
        sa.Column("completed_at", UtcTime(), nullable=True),
        sa.Column("created_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.Column("updated_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.CheckConstraint(
            "(completed_at IS NOT NULL) = (status = 'completed')",
            name=op.f("ck_operation_runs_completed_at_when_completed"),
        ),
        sa.CheckConstraint(
            "(outcome = 'pending') = (status <> 'completed')", name=op.f("ck_operation_runs_outcome_when_completed")
        ),
        sa.CheckConstraint(
            "outcome IN ('pending', 'succeeded', 'partially_succeeded', 'failed', 'cancelled')",
            name=op.f("ck_operation_runs_outcome"),
        ),
        sa.CheckConstraint(
            "status <> 'running' OR (started_at IS NOT NULL AND worker_id IS NOT NULL)",
            name=op.f("ck_operation_runs_started_when_running"),
        ),
        sa.CheckConstraint("status IN ('queued', 'running', 'completed')", name=op.f("ck_operation_runs_status")),
        sa.ForeignKeyConstraint(["retry_of_id"], ["operation_runs.id"], name=op.f("fk_operation_runs_retry_of_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_operation_runs_tenant_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_operation_runs_user_id")),
        sa.ForeignKeyConstraint(["worker_id"], ["workers.id"], name=op.f("fk_operation_runs_worker_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operation_runs")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_operation_runs_active",
        "operation_runs",
        ["status", "worker_id"],
        unique=False,
        postgresql_where=sa.text("status IN ('queued', 'running')"),
        sqlite_where=sa.text("status IN ('queued', 'running')"),
    )
    op.create_index(op.f("ix_operation_runs_retry_of_id"), "operation_runs", ["retry_of_id"], unique=False)
    op.create_index(
        op.f("ix_operation_runs_tenant_id_created_at_id"),
        "operation_runs",
        ["tenant_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_operation_runs_tenant_id_outcome_created_at_id"),
        "operation_runs",
        ["tenant_id", "outcome", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_operation_runs_tenant_id_type_created_at"),
        "operation_runs",
        ["tenant_id", "type", "created_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_operation_runs_tenant_id_user_id_created_at_id"),
        "operation_runs",
        ["tenant_id", "user_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "uq_operation_runs_active_identity",
        "operation_runs",
        ["tenant_id", "run_identity_hash"],
        unique=True,
        postgresql_where=sa.text("status IN ('queued', 'running')"),
        sqlite_where=sa.text("status IN ('queued', 'running')"),
    )
    op.create_table(
        "notifications",
        sa.Column("id", BigId, nullable=False),
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("user_id", BigId, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.Column("read_at", UtcTime(), nullable=True),
        sa.CheckConstraint("kind IN ('queued', 'completed')", name=op.f("ck_notifications_kind")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["operation_runs.id"], name=op.f("fk_notifications_run_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notifications_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint("run_id", "kind", name=op.f("uq_notifications_run_id_kind")),
    )
    op.create_index(op.f("ix_notifications_user_id_id"), "notifications", ["user_id", "id"], unique=False)
    # Created last: of indexes with the same cost, SQLite chooses the newest.
    op.create_index(
        "ix_notifications_unread",
        "notifications",
        ["user_id", "id"],
        unique=False,
        postgresql_where=sa.text("read_at IS NULL"),
        sqlite_where=sa.text("read_at IS NULL"),
    )
    op.create_table(
        "policies",
        sa.Column("id", BigId, nullable=False),
        sa.Column("tenant_id", BigId, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("body", Json, nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("modified_at", UtcTime(), nullable=True),
        sa.Column("first_seen_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.Column("last_seen_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.Column("last_seen_run_id", BigId, nullable=True),
        sa.Column("missing_since", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["last_seen_run_id"], ["operation_runs.id"], name=op.f("fk_policies_last_seen_run_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_policies_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policies")),
        sa.UniqueConstraint("tenant_id", "kind", "external_id", name=op.f("uq_policies_tenant_id_kind_external_id")),
    )
    op.create_index(op.f("ix_policies_last_seen_run_id"), "policies", ["last_seen_run_id"], unique=False)
    op.create_table(
        "run_events",
        sa.Column("id", BigId, nullable=False),
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.CheckConstraint("level IN ('debug', 'info', 'warning', 'error')", name=op.f("ck_run_events_level")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["operation_runs.id"], name=op.f("fk_run_events_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_events")),
    )
    op.create_index(op.f("ix_run_events_run_id_id"), "run_events", ["run_id", "id"], unique=False)

    for statement in HUEY_SQLITE if _sqlite() else HUEY_POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    for name in ("task", "schedule", "kv", "counter"):
        op.drop_table(name if _sqlite() else f"huey_{name}")
    for name in TABLES:
        op.drop_table(name)


def _sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"
