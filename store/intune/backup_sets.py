"""Backup sets as a person goes through them: the sets of tenants, one set with its kinds, its items, and one item.

Only members of a tenant find anything of it: for others neither the set nor its items exist (NotFound). Numbers are counted
by the database: bodies are read for one item, or for an export, alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from store.db.engine import Database
from store.errors import NotFound
from store.intune import backups
from store.intune.backup_records import BackupItem, BackupKind
from store.intune.backup_rows import WHOLE, Numbers, numbers, whole
from store.model.records import Tenant
from store.model.tables import IS_ACTIVE, backup_items, backup_set_kinds, backup_sets, contents, operation_runs
from store.model.types import at_most
from store.people.access import Membership

#: Sets and items that are read at once.
PAGE: Final = 200
_EXPORTED: Final = 100

#: A place among the items of a set: the kind, the folded name and the id of the item before it.
Place = tuple[str, str, int]

_set = backup_sets.c
_kind = backup_set_kinds.c
_item = backup_items.c


@dataclass(frozen=True, slots=True)
class BackupSet:
    """A backup set, with its numbers."""

    id: int
    tenant_id: int
    #: The tenant's slug.
    tenant: str
    name: str
    #: `graph` or `import`.
    source: str
    initiator_name: str
    #: The run that wrote to it last; None if it was imported, or its run was deleted.
    run_id: int | None
    #: Whether that run is still queued or running.
    is_active: bool
    schedule_id: int | None
    #: What was asked for, as JSON.
    selection: Any
    created_at: dt.datetime
    #: None while not everything was looked at.
    completed_at: dt.datetime | None
    #: What stands on it, so that it takes no more; None if nothing does.
    sealed_by: str | None
    #: Numbers of its items, by completeness.
    items: Mapping[str, int] = field(default_factory=dict)
    #: Numbers of the kinds that were looked at, and of those that are not complete.
    kinds: int = 0
    failed_kinds: int = 0

    @property
    def state(self) -> str:
        """`making`, `unfinished` (its run is over, and not everything was looked at), `incomplete` (not everything could
        be read) or `complete`.
        """
        if self.completed_at is None:
            return "making" if self.is_active else "unfinished"
        return "incomplete" if self.failed_kinds else "complete"


@dataclass(frozen=True, slots=True)
class SetsWanted:
    """Asks for the newest sets of the tenant with this slug."""

    tenant: str


@dataclass(frozen=True, slots=True)
class SetWanted:
    """Asks for a set and a page of its items: of one kind if it is named, behind the item `after`, with `text` in the name;
    with `lacking`, only items that are not whole.
    """

    set_id: int
    kind: str = ""
    text: str = ""
    after: Place | None = None
    lacking: bool = False


@dataclass(frozen=True, slots=True)
class ListedItem:
    """An item in a list."""

    id: int
    kind: str
    external_id: str
    name: str
    platform: str | None
    completeness: str
    #: What is missing of it, as objects with `code` and `detail`.
    gaps: tuple[Any, ...]
    #: As Microsoft Graph gives them; None if they are unknown.
    assignments: tuple[Any, ...] | None
    #: Objects with `kind`, `id` and `name`.
    references: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class BackupSets:
    """The newest sets of a tenant, the newest first."""

    tenant: Tenant
    sets: tuple[BackupSet, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class BackupSetDetail:
    """A set with its kinds and a page of its items, by kind and name."""

    found: BackupSet
    kinds: tuple[BackupKind, ...]
    items: tuple[ListedItem, ...]
    has_more: bool
    #: The place of the next page; None if this is the last one.
    next: Place | None = None


def sets(
    connection: sa.Connection,
    members: Sequence[Membership],
    tenant: str,
    limit: int = PAGE,
    known: Sequence[BackupSet] = (),
) -> BackupSets:
    """The newest sets of a tenant. Raises NotFound for the tenant.

    The items of sets that are `known`, and have been ended since before they were, are not counted again.
    """
    found = next((member.tenant for member in members if member.tenant.slug == tenant), None)
    if found is None:
        raise NotFound(f"no tenant '{tenant}'", "'opsmon tenants list' shows yours")
    newest = _sets(members).where(_set.tenant_id == found.id).order_by(_set.id.desc()).limit(at_most(limit + 1))
    rows = connection.execute(newest).mappings().all()
    return BackupSets(found, _with_numbers(connection, members, rows[:limit], known), len(rows) > limit)


def newest(connection: sa.Connection, members: Sequence[Membership], limit: int) -> tuple[BackupSet, ...]:
    """The newest sets of all tenants of these memberships."""
    rows = connection.execute(_sets(members).order_by(_set.id.desc()).limit(at_most(limit))).mappings().all()
    return _with_numbers(connection, members, rows)


def one(connection: sa.Connection, members: Sequence[Membership], set_id: int) -> BackupSet:
    """A set. Raises NotFound."""
    rows = connection.execute(_sets(members).where(_set.id == set_id)).mappings().all()
    if not rows:
        raise NotFound(f"no backup set {set_id}", "'opsmon backups list' shows yours")
    return _with_numbers(connection, members, rows)[0]


def detail(connection: sa.Connection, members: Sequence[Membership], wanted: SetWanted) -> BackupSetDetail:
    """A set with its kinds and a page of its items. Raises NotFound."""
    found = one(connection, members, wanted.set_id)
    kinds = tuple(backups.kinds_of(connection, found.id).values())
    rows = connection.execute(_items(wanted)).all()
    has_more = len(rows) > PAGE
    following = (rows[PAGE - 1].kind, rows[PAGE - 1].folded, rows[PAGE - 1].id) if has_more else None
    return BackupSetDetail(found, kinds, tuple(map(listed, rows[:PAGE])), has_more, following)


def set_of(connection: sa.Connection, members: Sequence[Membership], item_id: int) -> BackupSet:
    """The set of an item. Raises NotFound."""
    set_id = connection.execute(sa.select(_item.set_id).where(_item.id == item_id)).scalar()
    if set_id is None:
        raise _no_item(item_id)
    return one(connection, members, set_id)


def item(connection: sa.Connection, members: Sequence[Membership], item_id: int) -> tuple[BackupSet, BackupItem]:
    """An item with its body, and its set. Raises NotFound."""
    query = sa.select(_item.set_id, *WHOLE).join(contents, contents.c.content_hash == _item.content_hash)
    row = connection.execute(query.where(_item.id == item_id)).first()
    if row is None:
        raise _no_item(item_id)
    return one(connection, members, row.set_id), whole(row)


def _no_item(item_id: int) -> NotFound:
    return NotFound(f"no item {item_id} of a backup set", "its set lists its items")


def whole_items(db: Database, set_id: int) -> Iterator[BackupItem]:
    """All items of a set with their bodies, a few at a time. Checks no right: the caller has read the set."""
    query = sa.select(_item.id, *WHOLE).join(contents, contents.c.content_hash == _item.content_hash)
    query = query.where(_item.set_id == set_id).order_by(_item.id).limit(_EXPORTED)
    last = 0
    while True:
        with db.read() as connection:
            rows = connection.execute(query.where(_item.id > last)).all()
        yield from map(whole, rows)
        if len(rows) < _EXPORTED:
            return
        last = rows[-1].id


# ---- parts


def _sets(members: Sequence[Membership]) -> sa.Select[Any]:
    active = sa.exists().where(operation_runs.c.id == _set.run_id, IS_ACTIVE)
    return sa.select(backup_sets, active.label("is_active")).where(
        _set.tenant_id.in_([member.tenant.id for member in members])
    )


def _with_numbers(
    connection: sa.Connection,
    members: Sequence[Membership],
    rows: Sequence[sa.RowMapping],
    known: Sequence[BackupSet] = (),
) -> tuple[BackupSet, ...]:
    ended = {(one.id, one.completed_at): one for one in known if one.completed_at is not None}
    before = {row["id"]: one for row in rows if (one := ended.get((row["id"], row["completed_at"])))}
    counted = numbers(connection, [row["id"] for row in rows if row["id"] not in before])
    counted |= {set_id: Numbers(one.items, one.kinds, one.failed_kinds) for set_id, one in before.items()}
    slugs = {member.tenant.id: member.tenant.slug for member in members}
    return tuple(
        BackupSet(
            **{name: row[name] for name in _OF_THE_ROW},
            **counted[row["id"]]._asdict(),
            tenant=slugs[row["tenant_id"]],
            is_active=bool(row["is_active"]),
        )
        for row in rows
    )


_OF_THE_ROW: Final = (
    "id", "tenant_id", "name", "source", "initiator_name", "run_id", "schedule_id", "selection", "created_at",
    "completed_at", "sealed_by",
)  # fmt: skip


#: What `listed` takes, in its order.
LISTED: Final[tuple[sa.ColumnElement[Any], ...]] = (
    *(_item.id, _item.kind, _item.external_id, _item.name, _item.platform),
    *(_item.completeness, _item.gaps, _item.assignments, _item.references),
)


def _items(wanted: SetWanted) -> sa.Select[Any]:
    folded = sa.func.lower(_item.name)
    query = sa.select(*LISTED, folded.label("folded")).where(_item.set_id == wanted.set_id)
    if wanted.lacking:
        query = query.where(_item.completeness != "whole")
    if wanted.kind:
        query = query.where(_item.kind == wanted.kind)
    if text := wanted.text.strip()[:100]:
        escaped = "".join(f"/{char}" if char in "/%_" else char for char in text)
        query = query.where(folded.like(sa.func.lower(f"%{escaped}%"), escape="/"))
    if wanted.after is not None:
        place = sa.tuple_(*(sa.literal(one) for one in wanted.after))
        query = query.where(sa.tuple_(_item.kind, folded, _item.id) > place)
    return query.order_by(_item.kind, folded, _item.id).limit(at_most(PAGE + 1))


def listed(row: sa.Row[Any]) -> ListedItem:
    """An item in a list, from a row of LISTED."""
    return ListedItem(
        row.id,
        row.kind,
        row.external_id,
        row.name,
        row.platform,
        row.completeness,
        tuple(row.gaps) if isinstance(row.gaps, list) else (),
        tuple(row.assignments) if isinstance(row.assignments, list) else None,
        tuple(row.references) if isinstance(row.references, list) else (),
    )
