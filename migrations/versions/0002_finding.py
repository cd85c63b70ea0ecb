"""Indexes for searching millions of runs; tables for preferences, rescues and pauses of the queue.

Revision: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.model.types import BigId, Json, UtcTime, utcnow

revision = "0002"
down_revision = "0001"

RUNS = "operation_runs"


def upgrade() -> None:
    # Every tab, for "mine" or for one type, is one index range. Without the outcome in it, a tab with few runs would scan all.
    op.create_index(
        op.f("ix_operation_runs_tenant_id_user_id_outcome_created_at_id"),
        RUNS,
        ["tenant_id", "user_id", "outcome", "created_at", "id"],
    )
    op.drop_index(op.f("ix_operation_runs_tenant_id_user_id_created_at_id"), RUNS)
    op.create_index(
        op.f("ix_operation_runs_tenant_id_type_outcome_created_at_id"),
        RUNS,
        ["tenant_id", "type", "outcome", "created_at", "id"],
    )
    # Few runs have failures, and searches for failures read only those.
    op.create_index(
        "ix_operation_runs_failures",
        RUNS,
        ["tenant_id", "outcome", "created_at", "id"],
        postgresql_where=sa.text("failure_summary IS NOT NULL"),
        sqlite_where=sa.text("failure_summary IS NOT NULL"),
    )
    # Few runs are retries: a partial index leaves out all others.
    op.drop_index(op.f("ix_operation_runs_retry_of_id"), RUNS)
    op.create_index(
        op.f("ix_operation_runs_retry_of_id"),
        RUNS,
        ["retry_of_id"],
        postgresql_where=sa.text("retry_of_id IS NOT NULL"),
        sqlite_where=sa.text("retry_of_id IS NOT NULL"),
    )
    op.create_table(
        "rescues",
        sa.Column("id", BigId, nullable=False),
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("worker_id", BigId, nullable=True),
        sa.CheckConstraint("what IN ('lost', 'queued', 'queued_again')", name=op.f("ck_rescues_what")),
        sa.ForeignKeyConstraint(["run_id"], ["operation_runs.id"], name=op.f("fk_rescues_run_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["worker_id"], ["workers.id"], name=op.f("fk_rescues_worker_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rescues")),
    )
    op.create_index(op.f("ix_rescues_run_id"), "rescues", ["run_id"])
    op.create_table(
        "user_settings",
        sa.Column("user_id", BigId, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", Json, nullable=False),
        sa.Column("updated_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_settings_user_id")),
        sa.PrimaryKeyConstraint("user_id", "name", name=op.f("pk_user_settings")),
    )
    op.create_table(
        "queue_pauses",
        sa.Column("id", BigId, nullable=False),
        sa.Column("queue", sa.Text(), server_default="opsmon", nullable=False),
        sa.Column("user_id", BigId, nullable=False),
        sa.Column("paused_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.Column("resumed_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_queue_pauses_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_pauses")),
    )
    # A queue has at most one pause in effect.
    op.create_index(
        "uq_queue_pauses_one",
        "queue_pauses",
        ["queue"],
        unique=True,
        postgresql_where=sa.text("resumed_at IS NULL"),
        sqlite_where=sa.text("resumed_at IS NULL"),
    )


def downgrade() -> None:
    for name in ("queue_pauses", "user_settings", "rescues"):
        op.drop_table(name)
    op.drop_index(op.f("ix_operation_runs_retry_of_id"), RUNS)
    op.create_index(op.f("ix_operation_runs_retry_of_id"), RUNS, ["retry_of_id"])
    op.drop_index("ix_operation_runs_failures", RUNS)
    op.drop_index(op.f("ix_operation_runs_tenant_id_type_outcome_created_at_id"), RUNS)
    op.create_index(
        op.f("ix_operation_runs_tenant_id_user_id_created_at_id"), RUNS, ["tenant_id", "user_id", "created_at", "id"]
    )
    op.drop_index(op.f("ix_operation_runs_tenant_id_user_id_outcome_created_at_id"), RUNS)
