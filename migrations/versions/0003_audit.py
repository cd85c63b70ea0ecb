"""The audit trail of tenants, users, roles and pauses. Its rows cannot be changed or deleted.

Revision: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.model.types import BigId, Json, UtcTime, utcnow

revision = "0003"
down_revision = "0002"

TABLE = "audit_events"
REFUSAL = "audit_events are neither changed nor deleted"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", BigId, nullable=False),
        sa.Column("at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.Column("user_id", BigId, nullable=True),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("tenant_id", BigId, nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", Json, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_audit_events_tenant_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_audit_events_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_audit_events_tenant_id_id"), TABLE, ["tenant_id", "id"])
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {TABLE}_{change.lower()} BEFORE {change} ON {TABLE} "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {TABLE}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    # For each statement, not for each row: this also rejects statements that match no row, and TRUNCATE, which has no row triggers.
    op.execute(
        f"CREATE TRIGGER {TABLE}_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON {TABLE} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_refuse()"
    )


def downgrade() -> None:
    op.drop_table(TABLE)
    if op.get_bind().dialect.name != "sqlite":
        op.execute(f"DROP FUNCTION {TABLE}_refuse()")
