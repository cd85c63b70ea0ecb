"""The decisions on groups of a restore as a person reviews them: with what each group is, why one is unresolved, what to beware
of, and how old the cached directory is that all this is taken from.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from store.intune import directory, directory_page, group_search, restore_mappings
from store.intune.directory_page import Counted
from store.intune.group_search import DirectoryGroup, SameName
from store.intune.restore_mappings import CHOICE, known_name
from store.intune.restore_records import Mapped, Restore

_Groups = Mapping[str, DirectoryGroup]


@dataclass(frozen=True, slots=True)
class MappedGroup:
    """A group of the source tenant, and what stands for it."""

    decision: Mapped
    #: Some of `microsoft365`, `dynamic` and `synced`, or `assigned`: what the group is in the source tenant, as far as its
    #: cached directory knows, and what the group is that stands for it. None: not known, or none.
    source_types: tuple[str, ...] | None = None
    target_types: tuple[str, ...] | None = None
    #: Why it is unresolved, in words; None if it is not.
    why: str | None = None
    #: What to beware of if it is mapped, in words.
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MappingPage:
    """The groups of a restore, and the state of the cached directory of its target tenant."""

    restore: Restore
    groups: tuple[MappedGroup, ...]
    #: How many groups that directory has.
    counted: Counted
    #: The end of the last round, and of the last one that read everything; None if there was none: it was never read.
    read_at: dt.datetime | None
    complete_at: dt.datetime | None

    @property
    def unresolved(self) -> int:
        """How many groups block the restore."""
        return sum(one.decision.decision == "unresolved" for one in self.groups)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the cached directories know of the groups of a restore."""

    #: Of the source tenant and of the target tenant, by their ids, removed ones included.
    source: _Groups
    target: _Groups
    #: The groups of the target tenant that have the names of unresolved ones.
    named: Mapping[str, SameName]
    same_tenant: bool
    was_read: bool
    #: For how many groups a group of the target tenant stands.
    stands_for: Counter[str]


def page(connection: sa.Connection, restore: Restore, now: dt.datetime, counted: Counted | None = None) -> MappingPage:
    """The groups of a restore that the caller has found to be visible (`restores.read_visible`).

    `now` is the database's clock; `counted` is what an earlier call counted, and is taken over while it holds.
    """
    groups = restore_mappings.mapped(connection, restore.id)
    state = directory.read_state(connection, restore.tenant_id)
    known = _known(connection, restore, groups, was_read=state.complete_at is not None)
    number = directory_page.count(connection, restore.tenant_id, state.read_at, now, counted)
    return MappingPage(restore, tuple(_shown(one, known) for one in groups), number, state.read_at, state.complete_at)


def _known(connection: sa.Connection, restore: Restore, groups: Collection[Mapped], *, was_read: bool) -> _Known:
    sources, targets = [one.source_id for one in groups], [one.target_id for one in groups if one.target_id]
    names = {name for one in groups if one.decision == "unresolved" and (name := known_name(one)) is not None}
    return _Known(
        source=group_search.by_group_ids(connection, restore.source_tenant_id, sources),
        target=group_search.by_group_ids(connection, restore.tenant_id, targets),
        named=group_search.by_names(connection, restore.tenant_id, names),
        same_tenant=restore.is_same_tenant,
        was_read=was_read,
        stands_for=Counter(targets),
    )


def _shown(group: Mapped, known: _Known) -> MappedGroup:
    source, target = known.source.get(group.source_id), known.target.get(group.target_id or "")
    return MappedGroup(
        group,
        source.types if source else None,
        target.types if target else None,
        _why(group, source, known) if group.decision == "unresolved" else None,
        _warnings(group, source, target, known) if group.decision == "map" else (),
    )


def _why(group: Mapped, source: DirectoryGroup | None, known: _Known) -> str:
    """Why a group is unresolved. In the same tenant the group itself may be gone, or there again since this was looked at."""
    if group.found_by == CHOICE:
        return f"the chosen group was removed: it was called {group.target_name!r}"
    if not known.was_read:
        return "the directory was never read to its end"
    name = known_name(group)
    same_name = None if name is None else known.named.get(name)
    several = f"{same_name.many} groups have this name" if same_name is not None and same_name.many > 1 else None
    itself = source if known.same_tenant else None
    if several is None and (same_name is not None or (itself is not None and itself.removed_at is None)):
        return "a group is there that fits, and nobody chose it"
    if itself is not None and itself.removed_at is not None:
        removed = f"the group was removed: it was called {itself.name!r}"
        return f"{removed}, and {several}" if several else removed
    return several or ("its name is not known" if name is None else "no group has this name")


def _warnings(
    group: Mapped, source: DirectoryGroup | None, target: DirectoryGroup | None, known: _Known
) -> tuple[str, ...]:
    found = []
    if target is None or target.removed_at is not None:
        found.append("the group was removed since")
    if source is not None and target is not None and set(source.types) != set(target.types):
        found.append(f"the types differ: {' and '.join(source.types)} there, {' and '.join(target.types)} here")
    if (many := known.stands_for[group.target_id or ""]) > 1:
        found.append(f"{many} groups of the backup are mapped to this one")
    return tuple(found)
