"""When each kind was read to its end, and drift: what differs between two reads, and what of it was accepted."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text

from store.model.tables.base import metadata
from store.model.types import BigId, Json, UtcTime, utcnow

#: A read of all policies of a kind, whole, to its end.
kind_reads = Table(
    "kind_reads",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("tenant_id", BigId, ForeignKey("tenants.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("run_id", BigId, ForeignKey("operation_runs.id", ondelete="SET NULL")),
    Column("read_at", UtcTime, nullable=False, server_default=utcnow()),
    # Versions up to this id are what it found; none at all is 0.
    Column("last_version_id", BigId, nullable=False),
    Column("policies", Integer, nullable=False),
    Index(None, "tenant_id", "kind", "id"),
    Index(None, "run_id"),
    sqlite_autoincrement=True,
)

drift_reports = Table(
    "drift_reports",
    metadata,
    Column("run_id", BigId, ForeignKey("operation_runs.id", ondelete="CASCADE"), primary_key=True),
    Column("tenant_id", BigId, ForeignKey("tenants.id"), nullable=False),
    # What the newest reads were compared with; None: with those before them.
    Column("backup_set_id", BigId, ForeignKey("backup_sets.id", ondelete="SET NULL")),
    # Objects with `kind`, `policies`, `findings`, `before` and `after` (instants), or with `kind` and `reason`.
    Column("kinds", Json, nullable=False),
    Column("created_at", UtcTime, nullable=False, server_default=utcnow()),
    Index(None, "tenant_id", "run_id"),
    Index(None, "backup_set_id"),
)

CHANGES = ("added", "removed", "modified", "assignment", "order")

drift_findings = Table(
    "drift_findings",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("run_id", BigId, ForeignKey("drift_reports.run_id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("policy_name", Text, nullable=False),
    Column("change", Text, nullable=False),
    # Where in the policy; empty for the policy as a whole.
    Column("path", Text, nullable=False),
    # None: it was not there. A canonical body has no null.
    Column("old", Json),
    Column("new", Json),
    # For people, where old and new alone say little.
    Column("words", Text),
    # Equal for findings of the same change, whichever run found it: what is accepted is that change.
    Column("fingerprint", Text, nullable=False),
    CheckConstraint(f"change IN ({', '.join(repr(one) for one in CHANGES)})", name="change"),
    Index(None, "run_id", "id"),
    sqlite_autoincrement=True,
)

drift_acceptances = Table(
    "drift_acceptances",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("tenant_id", BigId, ForeignKey("tenants.id"), nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("user_id", BigId, ForeignKey("users.id")),
    Column("user_name", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False, server_default=utcnow()),
    # When it ends; None: it does not.
    Column("until", UtcTime),
    CheckConstraint("until IS NULL OR until > created_at", name="until"),
    Index(None, "tenant_id", "fingerprint", "id"),
    sqlite_autoincrement=True,
)
