"""What the policies of a kind were, when a read of it ended or in a backup set: the sides that drift compares."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from store.intune.kind_reads import KindRead
from store.model.tables import backup_items, contents, policies, policy_versions
from store.model.types import among

_version = policy_versions.c
_item = backup_items.c


@dataclass(frozen=True, slots=True)
class PolicyState:
    """A policy at an instant. Bodies and assignments are read apart, where they differ: see `bodies` and `assignments`."""

    #: Of its version, or of its item in a backup set.
    id: int
    external_id: str
    name: str
    content_hash: str
    canonical_hash: str
    #: None: its assignments could not be read.
    assignments_hash: str | None
    completeness: str


def at_read(connection: sa.Connection, tenant_id: int, read: KindRead) -> dict[str, PolicyState]:
    """What the policies of the kind were when the read ended, by external id."""
    of_kind = (policies.c.tenant_id == tenant_id, policies.c.kind == read.kind)
    earlier = policy_versions.alias("earlier").c
    # One step into the index of (policy, version) for each policy, however many versions it has.
    newest = sa.select(sa.func.max(earlier.id)).where(
        earlier.policy_id == policies.c.id, earlier.id <= read.last_version_id
    )
    newest = newest.correlate(policies)
    # A version that an older program ended does not say by which read: it was before all that are known.
    was_gone = sa.and_(_version.gone_at.is_not(None), sa.func.coalesce(_version.gone_read_id, 0) <= read.id)
    query = (
        sa.select(
            _version.id,
            policies.c.external_id,
            policies.c.name,
            _version.content_hash,
            _version.canonical_hash,
            _version.assignments_hash,
            _version.completeness,
        )
        .select_from(policies)
        .join(policy_versions, _version.id == newest.scalar_subquery())
        .where(*of_kind, ~was_gone)
    )
    return {row.external_id: PolicyState(*row) for row in connection.execute(query)}


def in_set(connection: sa.Connection, set_id: int, kind: str) -> dict[str, PolicyState]:
    """The policies of a kind in a backup set, by external id."""
    query = sa.select(
        _item.id,
        _item.external_id,
        _item.name,
        _item.content_hash,
        _item.canonical_hash,
        _item.assignments_hash,
        _item.completeness,
    ).where(_item.set_id == set_id, _item.kind == kind)
    return {row.external_id: PolicyState(*row) for row in connection.execute(query)}


def kept_at(connection: sa.Connection, set_id: int, kind: str) -> dt.datetime | None:
    """When the last policy of a kind came into a backup set; None if it has none of the kind."""
    newest = sa.func.max(_item.created_at, type_=_item.created_at.type)
    return connection.execute(sa.select(newest).where(_item.set_id == set_id, _item.kind == kind)).scalar()


def bodies(connection: sa.Connection, content_hashes: Collection[str]) -> dict[str, Any]:
    """Bodies by their hashes."""
    query = sa.select(contents.c.content_hash, contents.c.body)
    found = connection.execute(query.where(among(contents.c.content_hash, content_hashes)))
    return {row.content_hash: row.body for row in found}


def assignments(connection: sa.Connection, table: sa.Table, ids: Collection[int]) -> Mapping[int, Sequence[Any] | None]:
    """Assignments by the ids of versions or of items: `table` says of which."""
    query = sa.select(table.c.id, table.c.assignments).where(among(table.c.id, ids))
    return {row.id: row.assignments for row in connection.execute(query)}
