"""The cached directory: groups, the words of their names, and how far the cache is.

Revision: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.model.types import BigId, BytewiseText, Json, UtcTime, utcnow

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "directory_groups",
        sa.Column("id", BigId, nullable=False),
        sa.Column("tenant_id", BigId, nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("group_types", Json, nullable=False),
        sa.Column("security_enabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("mail_enabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("membership_rule", sa.Text(), nullable=True),
        sa.Column("synced", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("seen_round", BigId, nullable=False),
        sa.Column("first_seen_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.Column("changed_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.Column("removed_at", UtcTime(), nullable=True),
        sa.Column("removed_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("(removed_at IS NULL) = (removed_reason IS NULL)", name=op.f("ck_directory_groups_removed")),
        sa.CheckConstraint(
            "removed_reason IN ('changed', 'deleted', 'unseen')", name=op.f("ck_directory_groups_removed_reason")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_directory_groups_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_groups")),
        sa.UniqueConstraint("tenant_id", "group_id", name=op.f("uq_directory_groups_tenant_id_group_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_directory_groups_tenant_id_removed_at"), "directory_groups", ["tenant_id", "removed_at"])
    op.create_table(
        "directory_group_words",
        sa.Column("tenant_id", BigId, nullable=False),
        sa.Column("word", BytewiseText, nullable=False),
        sa.Column("group_row_id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["group_row_id"],
            ["directory_groups.id"],
            name=op.f("fk_directory_group_words_group_row_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_directory_group_words_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "word", "group_row_id", name=op.f("pk_directory_group_words")),
    )
    op.create_index(op.f("ix_directory_group_words_group_row_id"), "directory_group_words", ["group_row_id"])
    op.create_table(
        "directory_state",
        sa.Column("tenant_id", BigId, nullable=False),
        sa.Column("delta_link", sa.Text(), nullable=True),
        sa.Column("delta_link_at", UtcTime(), nullable=True),
        sa.Column("round", BigId, nullable=False),
        sa.Column("read_at", UtcTime(), nullable=True),
        sa.Column("complete_at", UtcTime(), nullable=True),
        sa.Column("run_id", BigId, nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["operation_runs.id"], name=op.f("fk_directory_state_run_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_directory_state_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_directory_state")),
    )
    op.create_index(op.f("ix_directory_state_run_id"), "directory_state", ["run_id"])


def downgrade() -> None:
    for table in ("directory_state", "directory_group_words", "directory_groups"):
        op.drop_table(table)
