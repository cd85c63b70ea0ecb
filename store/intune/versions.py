"""What a policy was from which run to which: bodies as Microsoft Graph gave them, each stored once, with assignments and
what is missing of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from store.db.engine import Database
from store.intune import content_store, inventory, kind_reads
from store.intune.content_store import Content
from store.intune.inventory import storable
from store.model.tables import COMPLETENESS, contents, policies, policy_versions
from store.model.types import among, now_after

_version = policy_versions.c
_COMPARED: Final[tuple[sa.Column[Any], ...]] = (
    _version.id,
    _version.policy_id,
    _version.canonical_hash,
    _version.assignments_hash,
    _version.completeness,
    _version.gaps,
    _version.gone_at,
)


@dataclass(frozen=True, slots=True)
class ReadPolicy:
    """A policy as it was read whole."""

    #: Its id in Microsoft Graph.
    external_id: str
    #: Without assignments and annotations.
    body: Mapping[str, Any]
    content_hash: str
    #: Equal for two bodies that mean the same.
    canonical_hash: str
    #: None: they could not be read.
    assignments: Sequence[Mapping[str, Any]] | None
    assignments_hash: str | None
    #: What Graph did not give, as (code, detail); the codes are those of COMPLETENESS.
    gaps: Sequence[tuple[str, str]] = ()

    @property
    def completeness(self) -> str:
        """The worst of its gaps; `whole` if it has none."""
        return max((code for code, _ in self.gaps), key=COMPLETENESS.index, default="whole")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of the policies that were read: numbers of each."""

    #: The first version of a policy.
    new: int = 0
    #: Another version than the last one.
    changed: int = 0
    unchanged: int = 0
    #: Marked as missing.
    gone: int = 0

    def __add__(self, other: Recorded) -> Recorded:
        return Recorded(
            self.new + other.new,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.gone + other.gone,
        )


def known_contents(db: Database, content_hashes: Collection[str]) -> dict[str, str]:
    """The canonical hashes of the bodies that are stored already, by content hash; others are left out."""
    query = sa.select(contents.c.content_hash, contents.c.canonical_hash)
    with db.read_one() as connection:
        found = connection.execute(query.where(among(contents.c.content_hash, content_hashes)))
        return {row.content_hash: row.canonical_hash for row in found}


def record(
    db: Database,
    tenant_id: int,
    run_id: int,
    seen: inventory.ByKind,
    read: Mapping[str, Sequence[ReadPolicy]],
    complete: Collection[str] = (),
) -> Mapping[str, Recorded]:
    """Store what was read, in one transaction: those `seen` in the inventory, and of those `read` whole a new version where
    meaning, assignments or completeness differ from the last one, else the last one is seen again.

    A policy that is not in the inventory has no version. `complete` are the kinds that the run has now read whole: what it
    did not see of them is missing. Returns what became of the policies, by kind. Raises DatabaseAway.
    """
    latest = {(kind, policy.external_id): policy for kind, some in read.items() for policy in some}
    recorded: dict[str, Recorded] = defaultdict(Recorded)
    with db.write() as connection:
        kind_reads.one_at_a_time(connection, tenant_id)
        ids = inventory.put(connection, tenant_id, run_id, seen)
        # Two runs may read the same kind at the same time: the rows are locked.
        rest = inventory.find(connection, tenant_id, latest.keys() - ids.keys())
        ids |= {key: row.id for key, row in rest.items()}
        by_id = {ids[key]: policy for key, policy in latest.items() if key in ids}
        last = _last_versions(connection, by_id)
        same = {id_ for id_, policy in by_id.items() if id_ in last and _same(last[id_], policy)}
        _insert(connection, run_id, {id_: policy for id_, policy in by_id.items() if id_ not in same})
        if same:
            seen_again = sa.update(policy_versions).where(among(_version.id, [last[id_].id for id_ in same]))
            connection.execute(seen_again.values(last_seen_at=now_after(_version.last_seen_at)))
        gone = inventory.mark_missing(connection, tenant_id, run_id, complete)
        for kind in sorted(complete):
            read_id = kind_reads.note(connection, tenant_id, run_id, kind)
            _end_versions(connection, tenant_id, run_id, kind, read_id)
    for kind, external_id in latest.keys() & ids.keys():
        id_ = ids[kind, external_id]
        what = "unchanged" if id_ in same else "changed" if id_ in last else "new"
        recorded[kind] += Recorded(**{what: 1})
    for kind, number in gone.items():
        recorded[kind] += Recorded(gone=number)
    return recorded


def _last_versions(connection: sa.Connection, policy_ids: Mapping[int, ReadPolicy]) -> dict[int, sa.Row[Any]]:
    newest = (
        sa.select(sa.func.max(_version.id)).where(among(_version.policy_id, policy_ids)).group_by(_version.policy_id)
    )
    found = connection.execute(sa.select(*_COMPARED).where(_version.id.in_(newest)))
    return {row.policy_id: row for row in found}


def _same(version: sa.Row[Any], policy: ReadPolicy) -> bool:
    return bool(
        version.gone_at is None
        and version.canonical_hash == policy.canonical_hash
        and version.assignments_hash == policy.assignments_hash
        and version.completeness == policy.completeness
        and version.gaps == _gaps(policy)
    )


def _end_versions(connection: sa.Connection, tenant_id: int, run_id: int, kind: str, read_id: int) -> None:
    """End the last versions of the policies of a kind that are missing, whichever run found them so."""
    missing = (policies.c.tenant_id == tenant_id, policies.c.kind == kind, policies.c.missing_since.is_not(None))
    last = (
        sa.select(sa.func.max(_version.id)).join(policies, policies.c.id == _version.policy_id).where(*missing)
    ).group_by(_version.policy_id)
    connection.execute(
        sa.update(policy_versions)
        .where(_version.id.in_(last), _version.gone_at.is_(None))
        .values(gone_at=now_after(_version.last_seen_at), gone_run_id=run_id, gone_read_id=read_id)
    )


def _gaps(policy: ReadPolicy) -> list[dict[str, str]]:
    return [{"code": code, "detail": detail} for code, detail in policy.gaps]


def _insert(connection: sa.Connection, run_id: int, fresh: Mapping[int, ReadPolicy]) -> None:
    if not fresh:
        return
    content_store.put(connection, {one.content_hash: Content(one.canonical_hash, one.body) for one in fresh.values()})
    connection.execute(
        sa.insert(policy_versions),
        [
            {
                "policy_id": id_,
                "content_hash": policy.content_hash,
                "canonical_hash": policy.canonical_hash,
                "assignments": None if policy.assignments is None else storable(list(policy.assignments)),
                "assignments_hash": policy.assignments_hash,
                "completeness": policy.completeness,
                "gaps": _gaps(policy),
                "first_run_id": run_id,
            }
            for id_, policy in sorted(fresh.items())
        ],
    )
