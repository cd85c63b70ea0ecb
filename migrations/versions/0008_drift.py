"""When each kind was read to its end; drift reports, findings and acceptances.

Revision: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.model.types import BigId, Json, UtcTime, utcnow

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("policy_versions", sa.Column("gone_read_id", BigId, nullable=True))
    op.create_table(
        "kind_reads",
        sa.Column("id", BigId, nullable=False),
        sa.Column("tenant_id", BigId, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("run_id", BigId, nullable=True),
        sa.Column("read_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.Column("last_version_id", BigId, nullable=False),
        sa.Column("policies", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_kind_reads_tenant_id")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["operation_runs.id"], name=op.f("fk_kind_reads_run_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kind_reads")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_kind_reads_tenant_id_kind_id"), "kind_reads", ["tenant_id", "kind", "id"])
    op.create_index(op.f("ix_kind_reads_run_id"), "kind_reads", ["run_id"])
    _create_reports()
    _create_findings()
    _create_acceptances()


def _create_reports() -> None:
    op.create_table(
        "drift_reports",
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("tenant_id", BigId, nullable=False),
        sa.Column("backup_set_id", BigId, nullable=True),
        sa.Column("kinds", Json, nullable=False),
        sa.Column("created_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["operation_runs.id"], name=op.f("fk_drift_reports_run_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_drift_reports_tenant_id")),
        sa.ForeignKeyConstraint(
            ["backup_set_id"], ["backup_sets.id"], name=op.f("fk_drift_reports_backup_set_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_drift_reports")),
    )
    op.create_index(op.f("ix_drift_reports_tenant_id_run_id"), "drift_reports", ["tenant_id", "run_id"])
    op.create_index(op.f("ix_drift_reports_backup_set_id"), "drift_reports", ["backup_set_id"])


def _create_findings() -> None:
    op.create_table(
        "drift_findings",
        sa.Column("id", BigId, nullable=False),
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("policy_name", sa.Text(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("old", Json, nullable=True),
        sa.Column("new", Json, nullable=True),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "change IN ('added', 'removed', 'modified', 'assignment', 'order')", name=op.f("ck_drift_findings_change")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["drift_reports.run_id"], name=op.f("fk_drift_findings_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drift_findings")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_drift_findings_run_id_id"), "drift_findings", ["run_id", "id"])


def _create_acceptances() -> None:
    op.create_table(
        "drift_acceptances",
        sa.Column("id", BigId, nullable=False),
        sa.Column("tenant_id", BigId, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("user_id", BigId, nullable=True),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", UtcTime(), server_default=utcnow(), nullable=False),
        sa.Column("until", UtcTime(), nullable=True),
        sa.CheckConstraint("until IS NULL OR until > created_at", name=op.f("ck_drift_acceptances_until")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_drift_acceptances_tenant_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_drift_acceptances_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drift_acceptances")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_drift_acceptances_tenant_id_fingerprint_id"),
        "drift_acceptances",
        ["tenant_id", "fingerprint", "id"],
    )


def downgrade() -> None:
    for table in ("drift_acceptances", "drift_findings", "drift_reports", "kind_reads"):
        op.drop_table(table)
    op.drop_column("policy_versions", "gone_read_id")
