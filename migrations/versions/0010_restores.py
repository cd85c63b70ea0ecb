"""Restores with their items and the decisions on groups, settings of tenants, runs that wait for a person, and groups by their
whole name.

Revision: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.model.types import BigId, Json, UtcTime, utcnow

revision = "0010"
down_revision = "0009"

RUNS, RESTORES, ITEMS, MAPPINGS, SETTINGS = (
    "operation_runs",
    "restore_runs",
    "restore_items",
    "restore_mappings",
    "tenant_settings",
)
GROUPS = "directory_groups"
NAMED = "removed_at IS NULL AND length(display_name) <= 256"
STATES = (
    "'draft', 'scoped', 'checked', 'previewed', 'queued', 'running', "
    "'waiting_for_approval', 'completed', 'partial', 'failed'"
)


def upgrade() -> None:
    # In one statement: SQLite adds no CHECK to a table that is there, but one with a column.
    no = "0" if op.get_bind().dialect.name == "sqlite" else "false"
    op.execute(
        f"ALTER TABLE {RUNS} ADD COLUMN held BOOLEAN DEFAULT {no} NOT NULL "
        f"CONSTRAINT ck_{RUNS}_held CHECK (NOT held OR status = 'queued')"
    )
    _create_restores()
    _create_items()
    _create_mappings()
    _create_settings()
    op.create_index(
        op.f(f"ix_{GROUPS}_tenant_id_display_name"),
        GROUPS,
        ["tenant_id", "display_name"],
        postgresql_where=sa.text(NAMED),
        sqlite_where=sa.text(NAMED),
    )


def _reference(table: str, column: str, to: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"), ondelete=ondelete)


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _create_restores() -> None:
    op.create_table(
        RESTORES,
        sa.Column("id", BigId, nullable=False),
        sa.Column("tenant_id", BigId, nullable=False),
        sa.Column("source_tenant_id", BigId, nullable=False),
        sa.Column("backup_set_id", BigId, nullable=False),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("mode", sa.Text(), server_default="create", nullable=False),
        sa.Column("dry_run", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("scope", Json, nullable=False),
        sa.Column("ticks", Json, nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("user_id", BigId, nullable=True),
        sa.Column("initiator_name", sa.Text(), nullable=False),
        sa.Column("run_id", BigId, nullable=True),
        sa.Column("preview_run_id", BigId, nullable=True),
        sa.Column("previewed_at", UtcTime(), nullable=True),
        sa.Column("undo_set_id", BigId, nullable=True),
        sa.Column("created_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.Column("updated_at", UtcTime(), server_default=utcnow(), nullable=False),
        _check(RESTORES, "status", f"status IN ({STATES})"),
        _check(RESTORES, "mode", "mode IN ('create', 'update')"),
        _check(RESTORES, "previewed", "previewed_at IS NOT NULL OR status IN ('draft', 'scoped', 'checked')"),
        _reference(RESTORES, "tenant_id", "tenants"),
        _reference(RESTORES, "source_tenant_id", "tenants"),
        _reference(RESTORES, "backup_set_id", "backup_sets"),
        _reference(RESTORES, "user_id", "users"),
        _reference(RESTORES, "run_id", RUNS, "SET NULL"),
        _reference(RESTORES, "preview_run_id", RUNS, "SET NULL"),
        _reference(RESTORES, "undo_set_id", "backup_sets", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{RESTORES}")),
        sqlite_autoincrement=True,
    )
    for columns in (
        ["tenant_id", "id"],
        ["source_tenant_id", "id"],
        ["backup_set_id"],
        ["run_id"],
        ["preview_run_id"],
        ["undo_set_id"],
    ):
        op.create_index(op.f(f"ix_{RESTORES}_{'_'.join(columns)}"), RESTORES, columns)
    previewed = sa.text("status = 'previewed'")
    name = op.f(f"ix_{RESTORES}_previewed")
    op.create_index(name, RESTORES, ["previewed_at"], postgresql_where=previewed, sqlite_where=previewed)


def _create_items() -> None:
    op.create_table(
        ITEMS,
        sa.Column("id", BigId, nullable=False),
        sa.Column("restore_id", BigId, nullable=False),
        sa.Column("backup_item_id", BigId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("target_id", sa.Text(), nullable=True),
        sa.Column("plan", Json, nullable=True),
        sa.Column("choice", Json, nullable=True),
        sa.Column("intent", Json, nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("result_code", sa.Text(), nullable=True),
        sa.Column("result_message", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("done_at", UtcTime(), nullable=True),
        _check(ITEMS, "action", "action IN ('create', 'update', 'same', 'exists', 'blocked', 'ambiguous')"),
        _check(ITEMS, "result", "result IN ('done', 'skipped', 'failed', 'waiting')"),
        _check(ITEMS, "done", "(result IS NULL) = (done_at IS NULL)"),
        _check(ITEMS, "failure", "result IS NULL OR result <> 'failed' OR result_code IS NOT NULL"),
        _reference(ITEMS, "restore_id", RESTORES, "CASCADE"),
        _reference(ITEMS, "backup_item_id", "backup_items"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{ITEMS}")),
        sa.UniqueConstraint("restore_id", "backup_item_id", name=op.f(f"uq_{ITEMS}_restore_id_backup_item_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f(f"ix_{ITEMS}_restore_id_position_id"), ITEMS, ["restore_id", "position", "id"])
    op.create_index(op.f(f"ix_{ITEMS}_backup_item_id"), ITEMS, ["backup_item_id"])


def _create_mappings() -> None:
    op.create_table(
        MAPPINGS,
        sa.Column("restore_id", BigId, nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("source_name", sa.Text(), nullable=True),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("target_id", sa.Text(), nullable=True),
        sa.Column("target_name", sa.Text(), nullable=True),
        sa.Column("found_by", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", UtcTime(), server_default=utcnow(), nullable=False),
        _check(MAPPINGS, "decision", "decision IN ('map', 'skip', 'unresolved')"),
        _check(MAPPINGS, "found_by", "found_by IN ('id', 'name', 'choice')"),
        _check(MAPPINGS, "target", "(decision = 'map') = (target_id IS NOT NULL)"),
        _reference(MAPPINGS, "restore_id", RESTORES, "CASCADE"),
        sa.PrimaryKeyConstraint("restore_id", "source_id", name=op.f(f"pk_{MAPPINGS}")),
    )


def _create_settings() -> None:
    op.create_table(
        SETTINGS,
        sa.Column("tenant_id", BigId, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", Json, nullable=False),
        sa.Column("user_id", BigId, nullable=True),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("updated_at", UtcTime(), server_default=utcnow(), nullable=False),
        _reference(SETTINGS, "tenant_id", "tenants"),
        _reference(SETTINGS, "user_id", "users"),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f(f"pk_{SETTINGS}")),
    )


def downgrade() -> None:
    op.drop_index(op.f(f"ix_{GROUPS}_tenant_id_display_name"), GROUPS)
    for table in (SETTINGS, MAPPINGS, ITEMS, RESTORES):
        op.drop_table(table)
    # A run that waits for a person would be taken for one that waits for a worker.
    runs = sa.table(RUNS, *map(sa.column, ("status", "outcome", "completed_at", "held")))
    ended = {"status": "completed", "outcome": "failed", "completed_at": utcnow(), "held": sa.false()}
    op.execute(sa.update(runs).where(runs.c.held).values(ended))
    op.execute(f"ALTER TABLE {RUNS} DROP COLUMN held")
