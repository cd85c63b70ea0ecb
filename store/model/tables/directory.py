"""The cached directory: a tenant's groups, without their members."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Table, Text, UniqueConstraint, false, text

from store.model.tables.base import metadata
from store.model.types import BigId, BytewiseText, Json, UtcTime, utcnow

#: Characters of a group's name, at most, in Microsoft Graph. PostgreSQL refuses rows of indexes beyond 2,704 bytes.
MAX_GROUP_NAME = 256
#: The groups that are found by their whole name.
NAMED = f"removed_at IS NULL AND length(display_name) <= {MAX_GROUP_NAME}"

directory_groups = Table(
    "directory_groups",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("tenant_id", BigId, ForeignKey("tenants.id"), nullable=False),
    Column("group_id", Text, nullable=False),
    # As it is: names are not unique, and may end with a blank.
    Column("display_name", Text, nullable=False),
    Column("description", Text),
    Column("group_types", Json, nullable=False),
    Column("security_enabled", Boolean, nullable=False, server_default=false()),
    Column("mail_enabled", Boolean, nullable=False, server_default=false()),
    Column("membership_rule", Text),
    Column("synced", Boolean, nullable=False, server_default=false()),
    #: The number of the complete round, see directory_state, that saw it last.
    Column("seen_round", BigId, nullable=False),
    Column("first_seen_at", UtcTime, nullable=False, server_default=utcnow()),
    Column("changed_at", UtcTime, nullable=False, server_default=utcnow()),
    Column("removed_at", UtcTime),
    Column("removed_reason", Text),
    UniqueConstraint("tenant_id", "group_id"),
    CheckConstraint("(removed_at IS NULL) = (removed_reason IS NULL)", name="removed"),
    CheckConstraint("removed_reason IN ('changed', 'deleted', 'unseen')", name="removed_reason"),
    Index(None, "tenant_id", "removed_at"),
    Index(None, "tenant_id", "display_name", postgresql_where=text(NAMED), sqlite_where=text(NAMED)),
    sqlite_autoincrement=True,
)

#: One row a word of a name, folded, so that the beginnings of words are found along an index.
directory_group_words = Table(
    "directory_group_words",
    metadata,
    Column("tenant_id", BigId, ForeignKey("tenants.id"), primary_key=True),
    Column("word", BytewiseText, primary_key=True),
    Column("group_row_id", BigId, ForeignKey("directory_groups.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "group_row_id"),
)

directory_state = Table(
    "directory_state",
    metadata,
    Column("tenant_id", BigId, ForeignKey("tenants.id"), primary_key=True),
    #: Where the next round goes on; NULL: it begins from the beginning.
    Column("delta_link", Text),
    Column("delta_link_at", UtcTime),
    #: Counts the rounds that began from the beginning.
    Column("round", BigId, nullable=False),
    #: The end of the last round of any kind, and of the last complete one.
    Column("read_at", UtcTime),
    Column("complete_at", UtcTime),
    Column("run_id", BigId, ForeignKey("operation_runs.id", ondelete="SET NULL")),
    Index(None, "run_id"),
)
