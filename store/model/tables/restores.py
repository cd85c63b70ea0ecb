"""Restores of backup sets, their items, and the decisions on groups; and what a tenant's members keep for it."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
    true,
)

from store.model.tables.base import metadata
from store.model.types import BigId, Json, UtcTime, utcnow

#: The states of a restore. From `queued` on it has that of the run that carries it out.
RESTORE_STATES = (
    "draft",
    "scoped",
    "checked",
    "previewed",
    "queued",
    "running",
    "waiting_for_approval",
    "completed",
    "partial",
    "failed",
)
#: What a preview says will be done with an item.
ACTIONS = ("create", "update", "same", "exists", "blocked", "ambiguous")
#: What became of an item.
RESULTS = ("done", "skipped", "failed", "waiting")


def _among(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(one) for one in values)})"


restore_runs = Table(
    "restore_runs",
    metadata,
    Column("id", BigId, primary_key=True),
    # Where it writes, and where the backup was made.
    Column("tenant_id", BigId, ForeignKey("tenants.id"), nullable=False),
    Column("source_tenant_id", BigId, ForeignKey("tenants.id"), nullable=False),
    Column("backup_set_id", BigId, ForeignKey("backup_sets.id"), nullable=False),
    Column("status", Text, nullable=False, server_default="draft"),
    # Only what is missing is created; or what differs is updated, too.
    Column("mode", Text, nullable=False, server_default="create"),
    Column("dry_run", Boolean, nullable=False, server_default=true()),
    # Objects `kinds` and `items`: names of kinds, and ids of items of the set; null for all.
    Column("scope", Json, nullable=False),
    # What a person has agreed to by a tick of its own.
    Column("ticks", Json, nullable=False),
    # Why, for the audit trail and for those who approve.
    Column("reason", Text),
    Column("user_id", BigId, ForeignKey("users.id")),
    Column("initiator_name", Text, nullable=False),
    # The run that carries it out, or would: held while it is only previewed.
    Column("run_id", BigId, ForeignKey("operation_runs.id", ondelete="SET NULL")),
    # The run that reads the target for the preview, or did.
    Column("preview_run_id", BigId, ForeignKey("operation_runs.id", ondelete="SET NULL")),
    Column("previewed_at", UtcTime),
    # What it has overwritten, as it was before.
    Column("undo_set_id", BigId, ForeignKey("backup_sets.id", ondelete="SET NULL")),
    Column("created_at", UtcTime, nullable=False, server_default=utcnow()),
    Column("updated_at", UtcTime, nullable=False, server_default=utcnow()),
    CheckConstraint(_among("status", RESTORE_STATES), name="status"),
    CheckConstraint("mode IN ('create', 'update')", name="mode"),
    CheckConstraint("previewed_at IS NOT NULL OR status IN ('draft', 'scoped', 'checked')", name="previewed"),
    Index(None, "tenant_id", "id"),
    Index(None, "source_tenant_id", "id"),
    Index(None, "backup_set_id"),
    Index(None, "run_id"),
    Index(None, "preview_run_id"),
    Index(None, "undo_set_id"),
    # Few restores are previewed: workers look for old ones.
    Index(
        "ix_restore_runs_previewed",
        "previewed_at",
        postgresql_where=text("status = 'previewed'"),
        sqlite_where=text("status = 'previewed'"),
    ),
    sqlite_autoincrement=True,
)

restore_items = Table(
    "restore_items",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("restore_id", BigId, ForeignKey("restore_runs.id", ondelete="CASCADE"), nullable=False),
    Column("backup_item_id", BigId, ForeignKey("backup_items.id"), nullable=False),
    # What others refer to comes first.
    Column("position", Integer, nullable=False),
    # What the preview found; None before it.
    Column("action", Text),
    # The object in the target tenant.
    Column("target_id", Text),
    # The details of the preview: reasons, differences, assignments, what the target was like.
    Column("plan", Json),
    # What a person chose: objects with `target_id`, or with `skip`.
    Column("choice", Json),
    # What is about to be sent, noted before it is; and what of it was carried out.
    Column("intent", Json),
    Column("result", Text),
    Column("result_code", Text),
    Column("result_message", Text),
    # Graph's id of the last request.
    Column("request_id", Text),
    Column("done_at", UtcTime),
    UniqueConstraint("restore_id", "backup_item_id"),
    CheckConstraint(_among("action", ACTIONS), name="action"),
    CheckConstraint(_among("result", RESULTS), name="result"),
    CheckConstraint("(result IS NULL) = (done_at IS NULL)", name="done"),
    CheckConstraint("result IS NULL OR result <> 'failed' OR result_code IS NOT NULL", name="failure"),
    Index(None, "restore_id", "position", "id"),
    Index(None, "backup_item_id"),
    sqlite_autoincrement=True,
)

DECISIONS = ("map", "skip", "unresolved")
FOUND_BY = ("id", "name", "choice")

restore_mappings = Table(
    "restore_mappings",
    metadata,
    Column("restore_id", BigId, ForeignKey("restore_runs.id", ondelete="CASCADE"), primary_key=True),
    # The group in the source tenant, in lower case, and its name in the backup; None if it had none.
    Column("source_id", Text, primary_key=True),
    Column("source_name", Text),
    # How many assignments and other places name it.
    Column("uses", Integer, nullable=False),
    Column("decision", Text, nullable=False),
    Column("target_id", Text),
    Column("target_name", Text),
    # By what it was found: it has the same id, or the same name, or somebody chose it.
    Column("found_by", Text),
    Column("decided_by", Text),
    Column("decided_at", UtcTime, nullable=False, server_default=utcnow()),
    CheckConstraint(_among("decision", DECISIONS), name="decision"),
    CheckConstraint(_among("found_by", FOUND_BY), name="found_by"),
    CheckConstraint("(decision = 'map') = (target_id IS NOT NULL)", name="target"),
)

#: What the members of a tenant keep for it, such as the group that its roles are for.
tenant_settings = Table(
    "tenant_settings",
    metadata,
    Column("tenant_id", BigId, ForeignKey("tenants.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Json, nullable=False),
    Column("user_id", BigId, ForeignKey("users.id")),
    Column("user_name", Text, nullable=False),
    Column("updated_at", UtcTime, nullable=False, server_default=utcnow()),
)
