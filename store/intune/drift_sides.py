"""The two sides that drift compares: reads of a kind, or a backup set and a read; and what they hold of policies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from store.db.engine import Database
from store.errors import InputInvalid
from store.intune import backups, drift_names, kind_reads, policy_states
from store.intune.policy_states import PolicyState
from store.model.tables import backup_items, policy_versions


@dataclass(frozen=True)
class Sides:
    """The two sides of a kind, or why there are not two."""

    kind: str
    #: Empty if there are two.
    reason: str = ""
    #: Policies by external id.
    before: Mapping[str, PolicyState] = field(default_factory=dict)
    after: Mapping[str, PolicyState] = field(default_factory=dict)
    before_at: dt.datetime | None = None
    after_at: dt.datetime | None = None
    #: The side before is a backup set.
    of_set: bool = False
    #: Some policies may have been there without being on the side before: none can be called added.
    narrowed: bool = False


@dataclass(frozen=True)
class Contents:
    """What two sides hold of some policies."""

    #: By content hash.
    bodies: Mapping[str, Any]
    #: By the ids of the states.
    before: Mapping[int, Sequence[Any] | None]
    after: Mapping[int, Sequence[Any] | None]
    #: Names of groups and filters in the assignments, by ids in lower case.
    names: Mapping[str, str]


def between_reads(db: Database, tenant_id: int, kinds: Sequence[str]) -> list[Sides]:
    """The two newest complete reads of each kind."""
    with db.read() as connection:
        return [_between_reads(connection, tenant_id, kind) for kind in kinds]


def _between_reads(connection: sa.Connection, tenant_id: int, kind: str) -> Sides:
    reads = kind_reads.latest(connection, tenant_id, kind, 2)
    if len(reads) < 2:
        return Sides(kind, "read whole once" if reads else "never read whole")
    after, before = reads
    then, now = (policy_states.at_read(connection, tenant_id, read) for read in (before, after))
    return Sides(kind, "", then, now, before.read_at, after.read_at)


def since_backup(db: Database, tenant_id: int, set_id: int, kinds: Sequence[str]) -> list[Sides]:
    """What the set has of each kind, and the newest complete read. Raises InputInvalid if the tenant has no such set."""
    with db.read() as connection:
        found = backups.of_tenant(connection, tenant_id, set_id)
        if found is None:
            raise InputInvalid(f"no backup set {set_id}", "'opsmon backups list' shows them")
        return [_since_backup(connection, tenant_id, set_id, found, kind) for kind in kinds]


def _since_backup(connection: sa.Connection, tenant_id: int, set_id: int, found: backups.SetKinds, kind: str) -> Sides:
    in_set, reads = found.kinds.get(kind), kind_reads.latest(connection, tenant_id, kind, 1)
    if in_set is None:
        return Sides(kind, f"not in backup set {set_id}")
    # A set takes more after it was begun: a sync in between came before what it is to be compared with.
    kept_at = policy_states.kept_at(connection, set_id, kind) or found.created_at
    if not reads or reads[0].read_at < kept_at:
        return Sides(kind, "not read whole since the backup")
    before = policy_states.in_set(connection, set_id, kind)
    after = policy_states.at_read(connection, tenant_id, reads[0])
    narrowed = in_set.narrowed or not in_set.is_complete
    return Sides(kind, "", before, after, kept_at, reads[0].read_at, of_set=True, narrowed=narrowed)


def contents(db: Database, tenant_id: int, sides: Sides, some: Sequence[tuple[PolicyState, PolicyState]]) -> Contents:
    """What the sides hold of these policies, as (before, after)."""
    with db.read() as connection:
        bodies = policy_states.bodies(connection, {one.content_hash for pair in some for one in pair})
        table = backup_items if sides.of_set else policy_versions
        before = policy_states.assignments(connection, table, [pair[0].id for pair in some])
        after = policy_states.assignments(connection, policy_versions, [pair[1].id for pair in some])
        return Contents(
            bodies,
            before,
            after,
            drift_names.names_of(connection, tenant_id, _targets([*before.values(), *after.values()])),
        )


def _targets(assignments: Sequence[Sequence[Any] | None]) -> list[Mapping[str, Any]]:
    found = [one.get("target") for given in assignments for one in given or () if isinstance(one, dict)]
    return [target for target in found if isinstance(target, dict)]
