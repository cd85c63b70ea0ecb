"""Tenants, users, their roles and settings, and the audit trail."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text, UniqueConstraint, text

from store.model.tables.base import metadata
from store.model.types import BigId, Json, UtcTime, utcnow

tenants = Table(
    "tenants",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False, server_default=utcnow()),
    UniqueConstraint("slug"),
)

users = Table(
    "users",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("login", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False, server_default=utcnow()),
    UniqueConstraint("login"),
)

memberships = Table(
    "memberships",
    metadata,
    Column("user_id", BigId, ForeignKey("users.id"), primary_key=True),
    Column("tenant_id", BigId, ForeignKey("tenants.id"), primary_key=True),
    Column("role", Text, nullable=False),
    CheckConstraint("role IN ('owner', 'manager', 'operator', 'readonly')", name="role"),
    Index(None, "tenant_id"),
)

user_settings = Table(
    "user_settings",
    metadata,
    Column("user_id", BigId, ForeignKey("users.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Json, nullable=False),
    Column("updated_at", UtcTime, nullable=False, server_default=utcnow()),
)

#: The audit trail: who did what, and from where. Triggers reject updates and deletes.
audit_events = Table(
    "audit_events",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("at", UtcTime, nullable=False, server_default=utcnow()),
    Column("user_id", BigId, ForeignKey("users.id")),
    Column("login", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("tenant_id", BigId, ForeignKey("tenants.id")),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Json),
    Column("reason", Text),
    # The run that the event is about. No reference: the trail outlives the runs, and its rows are never changed.
    Column("run_id", BigId),
    Index(None, "tenant_id", "id"),
    Index(
        None,
        "run_id",
        "id",
        postgresql_where=text("run_id IS NOT NULL"),
        sqlite_where=text("run_id IS NOT NULL"),
    ),
    # Without this, SQLite would reuse the id of the newest row if somebody deleted it by hand.
    sqlite_autoincrement=True,
)
