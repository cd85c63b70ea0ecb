"""What the screens ask of restores, and what they get: the restores of a tenant, one restore with a page of its items, one item.

A restore is visible to the members of both of its tenants; for others it does not exist. A poll asks again and again: the items
of a restore that no run carries out are not counted again, since every change of them changes `updated_at`, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import sqlalchemy as sa

from store.errors import NotFound
from store.intune import restore_mappings, restores
from store.intune.restore_numbers import BLOCKING, NEEDS, SKIP, Numbers, RestoresRun, needs, numbers, runs, ticks
from store.intune.restore_records import Restore, RestoreItem, RestoreState
from store.model.records import Tenant
from store.model.tables import backup_items, backup_sets, restore_items, restore_runs
from store.model.types import at_most
from store.people.access import Membership

#: Restores and items that are read at once.
PAGE: Final = 200

#: Which items: all, those that are blocked or ambiguous, or those that have failed or wait for approval.
Which = Literal["all", "blocked", "failed"]
#: A place among the items of a restore: the position and the id of the item before it.
Place = tuple[int, int]

_restore = restore_runs.c
_item = restore_items.c
_backup = backup_items.c


@dataclass(frozen=True, slots=True)
class RestoresWanted:
    """Asks for the newest restores into the tenant with this slug."""

    tenant: str


@dataclass(frozen=True, slots=True)
class RestoreWanted:
    """Asks for a restore and a page of its items, in its order, behind the item `after`."""

    restore_id: int
    which: Which = "all"
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class RestoreItemWanted:
    """Asks for one item of a restore, with its plan."""

    restore_id: int
    item_id: int


@dataclass(frozen=True, slots=True)
class ListedRestore:
    """A restore with its numbers and the states of its runs; None for a run that is not there."""

    restore: Restore
    numbers: Numbers
    run: RestoresRun | None
    preview_run: RestoresRun | None


@dataclass(frozen=True, slots=True)
class Restores:
    """The newest restores into a tenant, the newest first."""

    tenant: Tenant
    restores: tuple[ListedRestore, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class ListedRestoreItem:
    """An item in a list."""

    id: int
    kind: str
    name: str
    position: int
    action: str | None
    result: str | None
    #: Whether a person chose to leave it out.
    is_skipped: bool
    #: What there is to say of it: what became of it, else why it is blocked; "" if nothing is.
    told: str
    #: The ticks that it wants.
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RestoreDetail:
    """A restore with a page of its items."""

    found: ListedRestore
    #: How many items want a tick that nobody has given, by tick; empty unless it is previewed.
    missing_ticks: Mapping[str, int]
    #: How many of its groups nobody has decided on.
    undecided: int
    #: The name of the backup set of what it has overwritten; None if there is none.
    undo_set: str | None
    items: tuple[ListedRestoreItem, ...]
    #: The place of the next page; None if this is the last one.
    next: Place | None = None
    #: How many items want which tick, by tick, whether it was given or not.
    needs: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RestoreItemDetail:
    """An item with its plan, and its restore."""

    restore: Restore
    item: RestoreItem


AnyRestoreWanted = RestoresWanted | RestoreWanted | RestoreItemWanted
AnyRestoreFound = Restores | RestoreDetail | RestoreItemDetail


def read(
    connection: sa.Connection,
    members: Sequence[Membership],
    wanted: AnyRestoreWanted | None,
    last: AnyRestoreFound | None = None,
) -> AnyRestoreFound | None:
    """What is wanted; None if nothing is, or if it does not exist for a user with these memberships.

    `last` is the answer before this one: what it counted is taken over while it holds.
    """
    try:
        match wanted:
            case RestoresWanted():
                return _restores(
                    connection, members, wanted.tenant, last.restores if isinstance(last, Restores) else ()
                )
            case RestoreWanted():
                return _detail(connection, members, wanted, last if isinstance(last, RestoreDetail) else None)
            case RestoreItemWanted():
                return _one_item(connection, members, wanted)
    except NotFound:
        return None
    return None


# ---- restores


def _restores(
    connection: sa.Connection, members: Sequence[Membership], tenant: str, known: Sequence[ListedRestore]
) -> Restores:
    found = next((member.tenant for member in members if member.tenant.slug == tenant), None)
    if found is None:
        raise NotFound(f"no tenant '{tenant}'", "'opsmon tenants list' shows yours")
    query = _visible(members).where(_restore.tenant_id == found.id).order_by(_restore.id.desc())
    rows = connection.execute(query.limit(at_most(PAGE + 1))).mappings().all()
    shown = listed(connection, [restores.restore_from_row(row) for row in rows[:PAGE]], known)
    return Restores(found, shown, len(rows) > PAGE)


def visible(connection: sa.Connection, members: Sequence[Membership], restore_id: int) -> Restore:
    """The restore. Raises NotFound unless both of its tenants are among those of the memberships."""
    row = connection.execute(_visible(members).where(_restore.id == restore_id)).mappings().first()
    if row is None:
        raise NotFound(f"no restore {restore_id}", "'opsmon restore list' shows yours")
    return restores.restore_from_row(row)


def _visible(members: Sequence[Membership]) -> sa.Select[Any]:
    """The restores whose tenants are both among those of the memberships."""
    mine = [member.tenant.id for member in members]
    return restores.select_restores().where(_restore.tenant_id.in_(mine), _restore.source_tenant_id.in_(mine))


def listed(
    connection: sa.Connection, found: Sequence[Restore], known: Sequence[ListedRestore]
) -> tuple[ListedRestore, ...]:
    """The restores with their numbers and the states of their runs. `known`: those that were counted before."""
    before = {one.restore.id: one for one in known}
    counted = {one.id: before[one.id].numbers for one in found if _is_as_before(one, before.get(one.id))}
    counted |= numbers(connection, [one.id for one in found if one.id not in counted])
    found_runs = runs(connection, {id_ for one in found for id_ in (one.run_id, one.preview_run_id) if id_ is not None})
    return tuple(
        ListedRestore(one, counted[one.id], found_runs.get(one.run_id or 0), found_runs.get(one.preview_run_id or 0))
        for one in found
    )


def _is_as_before(now: Restore, before: ListedRestore | None) -> bool:
    """Whether nothing has changed of the items since they were counted."""
    if before is None or now.status.is_under_way:
        return False
    return (now.updated_at, now.status) == (before.restore.updated_at, before.restore.status)


# ---- one restore


def _detail(
    connection: sa.Connection, members: Sequence[Membership], wanted: RestoreWanted, last: RestoreDetail | None
) -> RestoreDetail:
    restore = visible(connection, members, wanted.restore_id)
    before = last if last and last.found.restore.id == restore.id else None
    (found,) = listed(connection, [restore], [before.found] if before else [])
    wants = _wants(connection, restore, before)
    rows = connection.execute(_items(wanted)).all()
    return RestoreDetail(
        found,
        {tick: number for tick, number in wants.items() if tick not in restore.ticks},
        restore_mappings.unresolved(connection, restore.id),
        _undo_set(connection, restore),
        tuple(map(_listed_item, rows[:PAGE])),
        (rows[PAGE - 1].position, rows[PAGE - 1].id) if len(rows) > PAGE else None,
        wants,
    )


def _wants(connection: sa.Connection, restore: Restore, before: RestoreDetail | None) -> Mapping[str, int]:
    """How many items want which tick; nothing unless it is previewed."""
    if restore.status is not RestoreState.PREVIEWED:
        return {}
    return before.needs if before and _is_as_before(restore, before.found) else needs(connection, restore.id)


def _undo_set(connection: sa.Connection, restore: Restore) -> str | None:
    if restore.undo_set_id is None:
        return None
    query = sa.select(backup_sets.c.name).where(backup_sets.c.id == restore.undo_set_id)
    return connection.execute(query).scalar()


def _items(wanted: RestoreWanted) -> sa.Select[Any]:
    """A page, and one more. Of a plan, which may be large, only what a list shows is read."""
    columns = (_item.id, _backup.kind, _backup.name, _item.position, _item.action, _item.result, SKIP.label("skip"))
    told = (_item.result_code, _item.result_message, *(_reason(part).label(part) for part in ("words", "code")))
    query = sa.select(*columns, *told, NEEDS.label("needs")).join(backup_items, _backup.id == _item.backup_item_id)
    query = query.where(_item.restore_id == wanted.restore_id, *_only(wanted.which))
    if wanted.after is not None:
        place = sa.tuple_(*(sa.literal(one) for one in wanted.after))
        query = query.where(sa.tuple_(_item.position, _item.id) > place)
    return query.order_by(_item.position, _item.id).limit(at_most(PAGE + 1))


def _reason(part: str) -> sa.ColumnElement[Any]:
    """A part of the first reason of a plan."""
    found: sa.ColumnElement[Any] = _item.plan[("reasons", 0, part)].as_string()
    return found


def _only(which: Which) -> Iterator[sa.ColumnElement[bool]]:
    if which == "blocked":
        yield _item.action.in_(BLOCKING)
        yield _item.result.is_(None)
    elif which == "failed":
        yield _item.result.in_(("failed", "waiting"))


def _listed_item(row: sa.Row[Any]) -> ListedRestoreItem:
    became = row.result_message or row.result_code if row.result else None
    return ListedRestoreItem(
        row.id,
        row.kind,
        row.name,
        row.position,
        row.action,
        row.result,
        bool(row.skip),
        became or ("" if row.result else row.words or row.code) or "",
        ticks(row.needs),
    )


def _one_item(
    connection: sa.Connection, members: Sequence[Membership], wanted: RestoreItemWanted
) -> RestoreItemDetail | None:
    restore = visible(connection, members, wanted.restore_id)
    query = sa.select(*restores.LISTED).join(backup_items, _backup.id == _item.backup_item_id)
    row = connection.execute(query.where(_item.id == wanted.item_id, _item.restore_id == restore.id)).mappings().first()
    return None if row is None else RestoreItemDetail(restore, restores.item_from_row(row))
