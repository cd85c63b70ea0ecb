"""Bodies of policies, and what each policy was from which run to which.

Revision: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.model.types import BigId, Json, UtcTime, utcnow

revision = "0004"
down_revision = "0003"

COMPLETENESS = "'whole', 'secret_unreadable', 'reference_lost', 'assignments_unknown', 'content_missing'"


def upgrade() -> None:
    op.add_column("policies", sa.Column("platform", sa.Text(), nullable=True))
    # The hash of what a list shows was never read; a body has a hash in `contents`.
    op.drop_column("policies", "content_hash")
    op.create_table(
        "contents",
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("canonical_hash", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.PrimaryKeyConstraint("content_hash", name=op.f("pk_contents")),
    )
    op.create_table(
        "policy_versions",
        sa.Column("id", BigId, nullable=False),
        sa.Column("policy_id", BigId, nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("canonical_hash", sa.Text(), nullable=False),
        sa.Column("assignments", Json, nullable=True),
        sa.Column("assignments_hash", sa.Text(), nullable=True),
        sa.Column("completeness", sa.Text(), nullable=False),
        sa.Column("gaps", Json, nullable=False),
        sa.Column("first_run_id", BigId, nullable=True),
        sa.Column("last_run_id", BigId, nullable=True),
        sa.Column("first_seen_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.Column("last_seen_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.CheckConstraint(f"completeness IN ({COMPLETENESS})", name=op.f("ck_policy_versions_completeness")),
        sa.CheckConstraint(
            "(assignments IS NULL) = (assignments_hash IS NULL)", name=op.f("ck_policy_versions_assignments")
        ),
        sa.CheckConstraint(
            "completeness <> 'whole' OR assignments IS NOT NULL",
            name=op.f("ck_policy_versions_whole_has_assignments"),
        ),
        sa.ForeignKeyConstraint(["policy_id"], ["policies.id"], name=op.f("fk_policy_versions_policy_id")),
        sa.ForeignKeyConstraint(
            ["content_hash"], ["contents.content_hash"], name=op.f("fk_policy_versions_content_hash")
        ),
        sa.ForeignKeyConstraint(
            ["first_run_id"], ["operation_runs.id"], name=op.f("fk_policy_versions_first_run_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["last_run_id"], ["operation_runs.id"], name=op.f("fk_policy_versions_last_run_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_versions")),
        sqlite_autoincrement=True,
    )
    for columns in (["policy_id", "id"], ["content_hash"], ["first_run_id"], ["last_run_id"]):
        op.create_index(op.f(f"ix_policy_versions_{'_'.join(columns)}"), "policy_versions", columns)


def downgrade() -> None:
    op.drop_table("policy_versions")
    op.drop_table("contents")
    # The older program writes the hash again with the next sync.
    op.add_column("policies", sa.Column("content_hash", sa.Text(), server_default="", nullable=False))
    op.drop_column("policies", "platform")
