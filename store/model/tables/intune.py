"""The inventory read from Microsoft Intune."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, Text, UniqueConstraint

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
    Column("body", Json, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("modified_at", UtcTime),
    Column("first_seen_at", UtcTime, nullable=False, server_default=utcnow()),
    Column("last_seen_at", UtcTime, nullable=False, server_default=utcnow()),
    Column("last_seen_run_id", BigId, ForeignKey("operation_runs.id", ondelete="SET NULL")),
    Column("missing_since", UtcTime),
    UniqueConstraint("tenant_id", "kind", "external_id"),
    Index(None, "last_seen_run_id"),
)
