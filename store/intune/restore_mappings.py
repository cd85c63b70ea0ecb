"""The decisions on groups of a restore: which group of the target tenant stands for each group that the backup names.

They are made from the cached directory alone. In the same tenant a group stands for itself, whatever it is called by now. Else
the one group that is there and has exactly the name in the backup is suggested; a group's id means nothing in another tenant. A
group that is not decided on is unresolved, which blocks. What a person has decided stays, however often suggestions are made.

All functions work within a transaction of the caller, who has checked the right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import sqlalchemy as sa

from store.errors import InputInvalid
from store.intune import directory, group_search, restores
from store.intune.folding import fold
from store.intune.group_search import DirectoryGroup, SameName
from store.intune.inventory import storable
from store.intune.restore_records import Mapped
from store.model.tables import restore_mappings
from store.model.types import utcnow

_mapping = restore_mappings.c
#: What somebody chose is found by this.
CHOICE: Final = "choice"
_SYNC: Final = "sync groups of the tenant, and choose one that is there"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decides on a group of the source tenant."""

    source_id: str
    #: `unresolved` takes a decision back.
    decision: Literal["map", "skip", "unresolved"]
    #: The group of the target tenant; for `map` alone.
    target_id: str | None = None


# ---- suggesting


def put(
    connection: sa.Connection,
    restore_id: int,
    tenant_id: int,
    source_tenant_id: int,
    uses: Mapping[str, tuple[int, str | None]],
) -> None:
    """Make the decisions on the groups that the items of a restore name (`restores.group_uses`), and forget all others.

    What a person decided is kept, unless the chosen group is not there any more: then the group is unresolved until somebody
    decides again. All others are suggested anew. Raises NotFound if there is no such restore.
    """
    restores.lock(connection, restore_id)
    decided = {one.source_id: one for one in mapped(connection, restore_id) if _is_decided(one)}
    new = [Mapped(id_, name, many, "unresolved") for id_, (many, name) in uses.items() if id_ not in decided]
    kept = [replace(decided[id_], uses=many, source_name=name) for id_, (many, name) in uses.items() if id_ in decided]
    connection.execute(sa.delete(restore_mappings).where(_mapping.restore_id == restore_id))
    same_tenant = tenant_id == source_tenant_id
    _insert(connection, restore_id, _suggested(connection, tenant_id, new, same_tenant))
    _insert(connection, restore_id, _still_there(connection, tenant_id, kept))


def known_name(group: Mapped) -> str | None:
    """The name to look for; None if it is not known. The directory calls a group without a name by its id."""
    name = group.source_name
    return None if name is None or name.lower() == group.source_id else name


def _is_decided(group: Mapped) -> bool:
    """Whether a person decided; also if what was chosen has been removed since."""
    return group.decision == "skip" or group.found_by == CHOICE


def _suggested(connection: sa.Connection, tenant_id: int, groups: Sequence[Mapped], same_tenant: bool) -> list[Mapped]:
    """The groups with what is suggested for each."""
    themselves = _there(connection, tenant_id, [one.source_id for one in groups]) if same_tenant else {}
    named = _named(connection, tenant_id, [one for one in groups if one.source_id not in themselves])
    return [_suggest(one, themselves.get(one.source_id), named) for one in groups]


def _named(connection: sa.Connection, tenant_id: int, groups: Sequence[Mapped]) -> Mapping[str, SameName]:
    """The groups that are there with the names of these. None before the directory was once read to its end: what has one name
    so far may not be the only one.
    """
    if directory.read_state(connection, tenant_id).complete_at is None:
        return {}
    names = {name for one in groups if (name := known_name(one)) is not None}
    return group_search.by_names(connection, tenant_id, names)


def _suggest(group: Mapped, itself: DirectoryGroup | None, named: Mapping[str, SameName]) -> Mapped:
    name = known_name(group)
    same_name = None if name is None else named.get(name)
    if itself is not None:
        return _mapped_to(group, itself.group_id, itself.name, "id")
    if same_name is not None and same_name.many == 1:
        return _mapped_to(group, same_name.group_id, name, "name")
    return group


def _mapped_to(group: Mapped, target_id: str, target_name: str | None, found_by: str) -> Mapped:
    return replace(group, decision="map", target_id=target_id, target_name=target_name, found_by=found_by)


def _still_there(connection: sa.Connection, tenant_id: int, groups: Sequence[Mapped]) -> list[Mapped]:
    """Decided groups, with the present names of those that were chosen; unresolved where the chosen one was removed."""
    there = _there(connection, tenant_id, [one.target_id for one in groups if one.target_id is not None])
    return [_checked(one, there.get(one.target_id or "")) for one in groups]


def _checked(group: Mapped, target: DirectoryGroup | None) -> Mapped:
    if group.decision != "map":
        return group
    if target is None:
        return replace(group, decision="unresolved", target_id=None)
    return replace(group, target_name=target.name)


def _there(connection: sa.Connection, tenant_id: int, ids: Sequence[str]) -> dict[str, DirectoryGroup]:
    """The groups with these ids that were not removed."""
    found = group_search.by_group_ids(connection, tenant_id, ids) if ids else {}
    return {id_: group for id_, group in found.items() if group.removed_at is None}


def _insert(connection: sa.Connection, restore_id: int, groups: Sequence[Mapped]) -> None:
    rows = [{"restore_id": restore_id, **_values(one)} for one in groups]
    if rows:
        connection.execute(sa.insert(restore_mappings), rows)


def _values(group: Mapped) -> dict[str, Any]:
    """The columns of a row; the instant only if it has one, else the database gives it."""
    values: dict[str, Any] = {name: getattr(group, name) for name in Mapped.__dataclass_fields__}
    if values["decided_at"] is None:
        del values["decided_at"]
    return values


# ---- deciding


def decide(connection: sa.Connection, restore_id: int, tenant_id: int, decisions: Sequence[Decision], who: str) -> None:
    """Store what the person called `who` decides, all of it or nothing.

    Raises InputInvalid for a group that the restore does not name or that is decided on twice, and for a target that the
    cached directory does not have; NotFound if there is no such restore.
    """
    restores.lock(connection, restore_id)
    _check_sources(connection, restore_id, decisions)
    targets = {one.target_id.lower() for one in decisions if one.target_id is not None}
    known = group_search.by_group_ids(connection, tenant_id, storable(sorted(targets))) if targets else {}
    rows = [_decided(one, known, who) for one in decisions]
    names = ("decision", "target_id", "target_name", "found_by", "decided_by")
    change = sa.update(restore_mappings).where(
        _mapping.restore_id == restore_id, _mapping.source_id == sa.bindparam("p_source_id")
    )
    if rows:
        values: dict[str, Any] = {name: sa.bindparam(f"p_{name}") for name in names}
        connection.execute(change.values(**values, decided_at=utcnow()), rows)


def _check_sources(connection: sa.Connection, restore_id: int, decisions: Sequence[Decision]) -> None:
    query = sa.select(_mapping.source_id).where(_mapping.restore_id == restore_id)
    named = set(connection.execute(query).scalars())
    decided: set[str] = set()
    for one in decisions:
        id_ = one.source_id.lower()
        if id_ not in named:
            raise InputInvalid(f"the restore names no group {one.source_id!r}", "it lists the groups that it names")
        if id_ in decided:
            raise InputInvalid(f"group {one.source_id!r} is decided on twice", "give one decision for each group")
        decided.add(id_)


def _decided(one: Decision, known: Mapping[str, DirectoryGroup], who: str) -> dict[str, Any]:
    """The parameters of the change that stores a decision. Raises InputInvalid."""
    target = _target(one, known)
    return {
        "p_source_id": one.source_id.lower(),
        "p_decision": one.decision,
        "p_target_id": target and target.group_id,
        "p_target_name": target and target.name,
        "p_found_by": target and CHOICE,
        "p_decided_by": storable(who),
    }


def _target(one: Decision, known: Mapping[str, DirectoryGroup]) -> DirectoryGroup | None:
    """The group that is chosen; None if none is. Raises InputInvalid if it is not there, or does not go with the decision."""
    if (one.decision == "map") != (one.target_id is not None):
        raise InputInvalid(f"group {one.source_id!r} needs a target to be mapped, else none", "'skip' leaves it out")
    if one.target_id is None:
        return None
    target = known.get(one.target_id.lower())
    if target is None:
        raise InputInvalid(f"the cached directory has no group {one.target_id!r}", _SYNC)
    if target.removed_at is not None:
        raise InputInvalid(f"group {target.name!r} was removed", _SYNC)
    return target


# ---- reading


def unresolved(connection: sa.Connection, restore_id: int) -> int:
    """How many groups of a restore nobody and nothing has decided on."""
    query = sa.select(sa.func.count()).where(_mapping.restore_id == restore_id, _mapping.decision == "unresolved")
    return int(connection.execute(query).scalar_one())


def mapped(connection: sa.Connection, restore_id: int) -> list[Mapped]:
    """The decisions on all groups of a restore, by the groups' names without regard to case; those without a name last."""
    columns = [_mapping[name] for name in Mapped.__dataclass_fields__]
    rows = connection.execute(sa.select(*columns).where(_mapping.restore_id == restore_id)).mappings()
    return sorted((Mapped(**row) for row in rows), key=_by_name)


def _by_name(group: Mapped) -> tuple[bool, str, str, str]:
    name = group.source_name
    return (name is None, fold(name or ""), name or "", group.source_id)
