"""Backup sets, their items, and which kinds were looked at.

Revision: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.model.types import BigId, Json, UtcTime, utcnow

revision = "0007"
down_revision = "0006"

SETS, KINDS, ITEMS = "backup_sets", "backup_set_kinds", "backup_items"
REFUSAL = "backup_items are not changed"
COMPLETENESS = "'whole', 'secret_unreadable', 'reference_lost', 'assignments_unknown', 'content_missing'"


def upgrade() -> None:
    _create_sets()
    _create_items()
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {ITEMS}_update BEFORE UPDATE ON {ITEMS} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )
        return
    op.execute(
        f"CREATE FUNCTION {ITEMS}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {ITEMS}_refuse BEFORE UPDATE ON {ITEMS} FOR EACH STATEMENT EXECUTE FUNCTION {ITEMS}_refuse()"
    )


def _create_sets() -> None:
    op.create_table(
        SETS,
        sa.Column("id", BigId, nullable=False),
        sa.Column("tenant_id", BigId, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("initiator_name", sa.Text(), nullable=False),
        sa.Column("run_id", BigId, nullable=True),
        sa.Column("schedule_id", BigId, nullable=True),
        sa.Column("selection", Json, nullable=False),
        sa.Column("created_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.Column("completed_at", UtcTime(), nullable=True),
        sa.Column("sealed_at", UtcTime(), nullable=True),
        sa.Column("sealed_by", sa.Text(), nullable=True),
        sa.CheckConstraint("source IN ('graph', 'import')", name=op.f("ck_backup_sets_source")),
        sa.CheckConstraint("(sealed_at IS NULL) = (sealed_by IS NULL)", name=op.f("ck_backup_sets_sealed")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_backup_sets_tenant_id")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["operation_runs.id"], name=op.f("fk_backup_sets_run_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backup_sets")),
        sqlite_autoincrement=True,
    )
    for columns in (["tenant_id", "id"], ["run_id"], ["schedule_id"]):
        op.create_index(op.f(f"ix_{SETS}_{'_'.join(columns)}"), SETS, columns)
    op.create_table(
        KINDS,
        sa.Column("set_id", BigId, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("narrowed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_message", sa.Text(), nullable=True),
        sa.CheckConstraint("found >= 0 AND kept >= 0", name=op.f("ck_backup_set_kinds_numbers")),
        sa.CheckConstraint(
            "(failure_code IS NULL) = (failure_message IS NULL)", name=op.f("ck_backup_set_kinds_failure")
        ),
        sa.CheckConstraint(
            "failure_code IS NOT NULL OR kept >= found", name=op.f("ck_backup_set_kinds_all_or_failure")
        ),
        sa.ForeignKeyConstraint(
            ["set_id"], ["backup_sets.id"], name=op.f("fk_backup_set_kinds_set_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("set_id", "kind", name=op.f("pk_backup_set_kinds")),
    )


def _create_items() -> None:
    op.create_table(
        ITEMS,
        sa.Column("id", BigId, nullable=False),
        sa.Column("set_id", BigId, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("canonical_hash", sa.Text(), nullable=False),
        sa.Column("assignments", Json, nullable=True),
        sa.Column("assignments_hash", sa.Text(), nullable=True),
        sa.Column("references", Json, nullable=False),
        sa.Column("completeness", sa.Text(), nullable=False),
        sa.Column("gaps", Json, nullable=False),
        sa.Column("created_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.CheckConstraint(f"completeness IN ({COMPLETENESS})", name=op.f("ck_backup_items_completeness")),
        sa.CheckConstraint(
            "(assignments IS NULL) = (assignments_hash IS NULL)", name=op.f("ck_backup_items_assignments")
        ),
        sa.CheckConstraint(
            "completeness <> 'whole' OR assignments IS NOT NULL", name=op.f("ck_backup_items_whole_has_assignments")
        ),
        sa.ForeignKeyConstraint(
            ["set_id"], ["backup_sets.id"], name=op.f("fk_backup_items_set_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["content_hash"], ["contents.content_hash"], name=op.f("fk_backup_items_content_hash")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backup_items")),
        sa.UniqueConstraint("set_id", "kind", "external_id", name=op.f("uq_backup_items_set_id_kind_external_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_backup_items_content_hash"), ITEMS, ["content_hash"])


def downgrade() -> None:
    for table in (ITEMS, KINDS, SETS):
        op.drop_table(table)
    if op.get_bind().dialect.name != "sqlite":
        op.execute(f"DROP FUNCTION {ITEMS}_refuse()")
