"""Schedules of backups, and what became of each minute in which one was due.

Revision: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.model.types import BigId, Json, UtcTime, utcnow

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "backup_schedules",
        sa.Column("id", BigId, nullable=False),
        sa.Column("tenant_id", BigId, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cron", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("kinds", Json, nullable=True),
        sa.Column("keep", sa.Integer(), nullable=True),
        sa.Column("enabled", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_by_id", BigId, nullable=True),
        sa.Column("created_by_name", sa.Text(), nullable=False),
        sa.Column("created_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.Column("changed_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.Column("ticked_to", UtcTime(), nullable=False),
        sa.CheckConstraint("keep >= 1", name=op.f("ck_backup_schedules_keep")),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_backup_schedules_created_by_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_backup_schedules_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backup_schedules")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_backup_schedules_tenant_id_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "schedule_ticks",
        sa.Column("id", BigId, nullable=False),
        sa.Column("schedule_id", BigId, nullable=False),
        sa.Column("minute", UtcTime(), nullable=False),
        sa.Column("run_id", BigId, nullable=True),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("created_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.CheckConstraint("what IN ('opened', 'joined', 'missed', 'failed')", name=op.f("ck_schedule_ticks_what")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["operation_runs.id"], name=op.f("fk_schedule_ticks_run_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["backup_schedules.id"],
            name=op.f("fk_schedule_ticks_schedule_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_ticks")),
        sa.UniqueConstraint("schedule_id", "minute", name=op.f("uq_schedule_ticks_schedule_id_minute")),
    )
    op.create_index(op.f("ix_schedule_ticks_run_id"), "schedule_ticks", ["run_id"])


def downgrade() -> None:
    op.drop_table("schedule_ticks")
    op.drop_table("backup_schedules")
