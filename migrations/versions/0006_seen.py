"""Policies: a hash of what a list shows instead of bodies to compare; a version ends when its policy is gone.

Revision: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.model.types import UtcTime

revision = "0006"
down_revision = "0005"

#: Table, the column's name before and after.
RENAMED = (("policies", "last_seen_run_id", "changed_run_id"), ("policy_versions", "last_run_id", "gone_run_id"))


def upgrade() -> None:
    for table, before, after in RENAMED:
        _rename(table, before, after)
    op.add_column("policies", sa.Column("listed_hash", sa.Text(), nullable=True))
    op.add_column("policy_versions", sa.Column("gone_at", UtcTime(), nullable=True))
    op.execute("UPDATE policy_versions SET gone_run_id = NULL")


def downgrade() -> None:
    op.execute("UPDATE policy_versions SET gone_run_id = first_run_id")
    op.drop_column("policy_versions", "gone_at")
    op.drop_column("policies", "listed_hash")
    for table, before, after in RENAMED:
        _rename(table, after, before)


def _rename(table: str, before: str, after: str) -> None:
    op.drop_index(op.f(f"ix_{table}_{before}"), table)
    op.execute(f"ALTER TABLE {table} RENAME COLUMN {before} TO {after}")
    op.create_index(op.f(f"ix_{table}_{after}"), table, [after])
