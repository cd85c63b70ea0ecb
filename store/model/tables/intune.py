"""What was read from Microsoft Intune: the inventory, bodies of policies, and what each policy was when."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, Column, ForeignKey, Index, Table, Text, UniqueConstraint

from store.model.tables.base import metadata
from store.model.types import BigId, Json, UtcTime, utcnow

policies = Table(
    "policies",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("tenant_id", BigId, ForeignKey("tenants.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("platform", Text),
    Column("body", Json, nullable=False),
    Column("modified_at", UtcTime),
    Column("first_seen_at", UtcTime, nullable=False, server_default=utcnow()),
    Column("last_seen_at", UtcTime, nullable=False, server_default=utcnow()),
    # Of what a list shows of it. None: it was read by an older program.
    Column("listed_hash", Text),
    # Who read it as it is now. Not the last run that saw it: an index would have to follow each time that it is seen.
    Column(
        "changed_run_id",
        BigId,
        # The column's first name: SQLite cannot rename a constraint.
        ForeignKey("operation_runs.id", name="fk_policies_last_seen_run_id", ondelete="SET NULL"),
    ),
    Column("missing_since", UtcTime),
    UniqueConstraint("tenant_id", "kind", "external_id"),
    Index(None, "changed_run_id"),
)

#: A body is stored once, however many versions of however many policies refer to it, and never changed.
contents = Table(
    "contents",
    metadata,
    Column("content_hash", Text, primary_key=True),
    Column("canonical_hash", Text, nullable=False),
    # As text: jsonb would sort the keys, and a body is kept as Graph gave it. None is a value of JSON, not NULL.
    Column("body", JSON, nullable=False),
    Column("created_at", UtcTime, nullable=False, server_default=utcnow()),
)

#: From good to bad.
COMPLETENESS = ("whole", "secret_unreadable", "reference_lost", "assignments_unknown", "content_missing")

policy_versions = Table(
    "policy_versions",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("policy_id", BigId, ForeignKey("policies.id"), nullable=False),
    Column("content_hash", Text, ForeignKey("contents.content_hash"), nullable=False),
    Column("canonical_hash", Text, nullable=False),
    Column("assignments", Json),
    Column("assignments_hash", Text),
    Column("completeness", Text, nullable=False),
    Column("gaps", Json, nullable=False),
    Column("first_run_id", BigId, ForeignKey("operation_runs.id", ondelete="SET NULL")),
    Column("first_seen_at", UtcTime, nullable=False, server_default=utcnow()),
    Column("last_seen_at", UtcTime, nullable=False, server_default=utcnow()),
    # When a complete read did not find the policy any more, and whose. If it comes back, another version begins.
    Column("gone_at", UtcTime),
    # Of kind_reads, where it may be gone as well: older reads are forgotten.
    Column("gone_read_id", BigId),
    Column(
        "gone_run_id",
        BigId,
        ForeignKey("operation_runs.id", name="fk_policy_versions_last_run_id", ondelete="SET NULL"),
    ),
    CheckConstraint(f"completeness IN ({', '.join(repr(one) for one in COMPLETENESS)})", name="completeness"),
    # Assignments are unknown, or known and hashed: unknown never passes for none.
    CheckConstraint("(assignments IS NULL) = (assignments_hash IS NULL)", name="assignments"),
    CheckConstraint("completeness <> 'whole' OR assignments IS NOT NULL", name="whole_has_assignments"),
    Index(None, "policy_id", "id"),
    Index(None, "content_hash"),
    Index(None, "first_run_id"),
    Index(None, "gone_run_id"),
    sqlite_autoincrement=True,
)
