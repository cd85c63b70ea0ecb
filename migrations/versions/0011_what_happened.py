"""Acknowledged runs, watches of others' runs, and the runs that events of the audit trail are about.

Revision: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.model.types import BigId, UtcTime, utcnow

revision = "0011"
down_revision = "0010"

RUNS, ACKNOWLEDGEMENTS, WATCHES, AUDIT = "operation_runs", "run_acknowledgements", "run_watches", "audit_events"
OPEN_FAILURE = "outcome IN ('failed', 'partially_succeeded') AND acknowledged_at IS NULL"
ACKNOWLEDGED = "acknowledged_at IS NOT NULL"
UNTOLD = "told_at IS NULL"
ABOUT_A_RUN = "run_id IS NOT NULL"
#: The indexes of failures that nobody has acknowledged: name and columns, as those of all runs.
OPEN_INDEXES = {
    "ix_operation_runs_open": ["tenant_id", "outcome", "created_at", "id"],
    "ix_operation_runs_open_user": ["tenant_id", "user_id", "outcome", "created_at", "id"],
    "ix_operation_runs_open_type": ["tenant_id", "type", "outcome", "created_at", "id"],
}


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    # In one statement: SQLite adds no CHECK to a table that is there, but one with a column.
    op.execute(
        f"ALTER TABLE {RUNS} ADD COLUMN acknowledged_at {'VARCHAR' if is_sqlite else 'TIMESTAMP WITH TIME ZONE'} "
        f"CONSTRAINT ck_{RUNS}_acknowledged "
        "CHECK (acknowledged_at IS NULL OR outcome IN ('failed', 'partially_succeeded'))"
    )
    if not is_sqlite:
        # Of all runs few are acknowledged, of those that failed nearly all: with both taken for independent, the planner would
        # walk along the failed ones. Dropped with the column.
        op.execute(f"CREATE STATISTICS st_{RUNS}_acknowledged (mcv) ON outcome, acknowledged_at FROM {RUNS}")
    for name, columns in OPEN_INDEXES.items():
        _index(name, RUNS, columns, OPEN_FAILURE)
    _index("ix_operation_runs_acknowledged", RUNS, ["tenant_id", "outcome", "created_at", "id"], ACKNOWLEDGED)
    _create_acknowledgements()
    _create_watches()
    # No reference: the trail outlives the runs, and its rows are never changed.
    op.add_column(AUDIT, sa.Column("run_id", BigId, nullable=True))
    _index("ix_audit_events_run_id_id", AUDIT, ["run_id", "id"], ABOUT_A_RUN)


def _index(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(op.f(name), table, columns, postgresql_where=where, sqlite_where=where)


def _reference(table: str, column: str, to: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"), ondelete=ondelete)


def _create_acknowledgements() -> None:
    op.create_table(
        ACKNOWLEDGEMENTS,
        sa.Column("run_id", BigId, autoincrement=False, nullable=False),
        sa.Column("user_id", BigId, nullable=False),
        sa.Column("at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("length(note) <= 500", name=op.f(f"ck_{ACKNOWLEDGEMENTS}_note")),
        _reference(ACKNOWLEDGEMENTS, "run_id", RUNS, "CASCADE"),
        _reference(ACKNOWLEDGEMENTS, "user_id", "users"),
        sa.PrimaryKeyConstraint("run_id", name=op.f(f"pk_{ACKNOWLEDGEMENTS}")),
    )


def _create_watches() -> None:
    op.create_table(
        WATCHES,
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("user_id", BigId, nullable=False),
        sa.Column("at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.Column("told_at", UtcTime(), nullable=True),
        _reference(WATCHES, "run_id", RUNS, "CASCADE"),
        _reference(WATCHES, "user_id", "users"),
        sa.PrimaryKeyConstraint("run_id", "user_id", name=op.f(f"pk_{WATCHES}")),
    )
    op.create_index(op.f("ix_run_watches_user_id_at"), WATCHES, ["user_id", "at"])
    _index("ix_run_watches_untold", WATCHES, ["user_id", "run_id"], UNTOLD)


def downgrade() -> None:
    op.drop_index(op.f("ix_audit_events_run_id_id"), AUDIT)
    op.drop_column(AUDIT, "run_id")
    op.drop_table(WATCHES)
    op.drop_table(ACKNOWLEDGEMENTS)
    for name in (*OPEN_INDEXES, "ix_operation_runs_acknowledged"):
        op.drop_index(op.f(name), RUNS)
    op.execute(f"ALTER TABLE {RUNS} DROP COLUMN acknowledged_at")
