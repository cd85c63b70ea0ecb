"""Restores as rows: who may see and change them, their scope, and their items. store/runs/restoring.py takes them from state to
state, together with the runs that carry them out.

A restore is visible to those who are members of both tenants, the one that it writes to and the one that the backup is of. For
others it does not exist (NotFound).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from store.db.engine import Database
from store.errors import InputInvalid, NotFound
from store.intune.backup_records import BackupItem
from store.intune.backup_rows import WHOLE, whole
from store.intune.inventory import storable
from store.intune.restore_records import PlannedItem, Restore, RestoreItem, RestoreState, Scope, WorkItem
from store.model.records import User
from store.model.tables import backup_items, backup_sets, contents, restore_items, restore_runs, tenants
from store.model.types import among, now_after
from store.people.access import Right, member_tenants, require_right

_restore = restore_runs.c
_item = restore_items.c
_backup = backup_items.c
_source = tenants.alias("source")

#: Items of a restore, at most: more could not be reviewed by anybody.
MAX_ITEMS: Final = 20_000
RESTORE: Final = "restore"


# ---- reading


def visible(db: Database, user: User, restore_id: int) -> Restore:
    """The restore, if the user is a member of both tenants. Raises NotFound."""
    with db.read_one() as connection:
        return read_visible(connection, user.id, restore_id)


def read_visible(connection: sa.Connection, user_id: int, restore_id: int) -> Restore:
    """The same within a transaction. Raises NotFound."""
    mine = member_tenants(user_id)
    query = select_restores().where(
        _restore.id == restore_id, _restore.tenant_id.in_(mine), _restore.source_tenant_id.in_(mine)
    )
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound(f"no restore {restore_id}", "'opsmon restore list' shows yours")
    return restore_from_row(row)


def changeable(db: Database, user: User, restore_id: int) -> Restore:
    """The restore, if the user may restore into its tenant. Raises NotFound and Forbidden."""
    found = visible(db, user, restore_id)
    require_right(db, user, found.tenant, Right.RESTORE, RESTORE)
    return found


def select_restores() -> sa.Select[Any]:
    """All restores, with the slugs of their tenants and the names of their sets."""
    columns = [
        tenants.c.slug.label("tenant"),
        tenants.c.name.label("tenant_name"),
        _source.c.slug.label("source_tenant"),
        backup_sets.c.name.label("backup_set"),
    ]
    return (
        sa.select(*restore_runs.c, *columns)
        .join(tenants, tenants.c.id == _restore.tenant_id)
        .join(_source, _source.c.id == _restore.source_tenant_id)
        .join(backup_sets, backup_sets.c.id == _restore.backup_set_id)
    )


def restore_from_row(row: Mapping[Any, Any]) -> Restore:
    """A row of `select_restores` as a record."""
    values = {name: row[name] for name in Restore.__dataclass_fields__}
    values["status"] = RestoreState(values["status"])
    values["scope"] = values["scope"] if isinstance(values["scope"], dict) else {}
    ticks = values["ticks"]
    values["ticks"] = tuple(one for one in ticks if isinstance(one, str)) if isinstance(ticks, list) else ()
    return Restore(**values)


#: The columns of an item as it is listed.
LISTED: Final[tuple[sa.ColumnElement[Any], ...]] = (
    *restore_items.c,
    _backup.kind,
    _backup.external_id,
    _backup.name,
)


def items_of(connection: sa.Connection, restore_id: int, ids: Iterable[int] | None = None) -> list[RestoreItem]:
    """The items of a restore, in its order; those with these ids alone, if they are given."""
    query = sa.select(*LISTED).join(backup_items, _backup.id == _item.backup_item_id)
    query = query.where(_item.restore_id == restore_id).order_by(_item.position, _item.id)
    if ids is not None:
        query = query.where(among(_item.id, list(ids)))
    return [item_from_row(row) for row in connection.execute(query).mappings()]


def work_items(connection: sa.Connection, restore_id: int, ids: Iterable[int] | None = None) -> list[WorkItem]:
    """The items of a restore with their bodies, in its order; those with these ids alone, if they are given."""
    query = (
        sa.select(*restore_items.c, *(column.label(f"b_{column.name}") for column in _NAMED))
        .join(backup_items, _backup.id == _item.backup_item_id)
        .join(contents, contents.c.content_hash == _backup.content_hash)
        .where(_item.restore_id == restore_id)
        .order_by(_item.position, _item.id)
    )
    if ids is not None:
        query = query.where(among(_item.id, list(ids)))
    return [_work_item(row) for row in connection.execute(query).mappings()]


_NAMED: Final = tuple(WHOLE)


class _Row:
    """A row whose columns have lost the beginning that tells them from those of the item."""

    def __init__(self, row: Mapping[Any, Any]) -> None:
        self._row = row

    def __getattr__(self, name: str) -> Any:
        return self._row[f"b_{name}"]


def _work_item(row: Mapping[Any, Any]) -> WorkItem:
    backup = whole(_Row(row))  # type: ignore[arg-type]
    own = {**row, "kind": backup.kind, "external_id": backup.external_id, "name": backup.name}
    return WorkItem(item_from_row(own), backup)


def has_left(connection: sa.Connection, restore_id: int) -> bool:
    """Whether the restore has an item of which nothing became yet, or that failed."""
    is_left = sa.or_(_item.result.is_(None), _item.result == "failed")
    query = sa.select(sa.exists().where(_item.restore_id == restore_id, is_left))
    return bool(connection.execute(query).scalar_one())


def filters_of(connection: sa.Connection, set_id: int) -> list[BackupItem]:
    """All assignment filters of a set, with their bodies."""
    query = sa.select(*WHOLE).join(contents, contents.c.content_hash == _backup.content_hash)
    query = query.where(_backup.set_id == set_id, _backup.kind == "assignment_filters").order_by(_backup.id)
    return [whole(row) for row in connection.execute(query)]


def item_from_row(row: Mapping[Any, Any]) -> RestoreItem:
    """A row of LISTED as a record."""
    values = {name: row[name] for name in RestoreItem.__dataclass_fields__}
    for name in ("plan", "choice", "intent"):
        values[name] = values[name] if isinstance(values[name], dict) else {}
    return RestoreItem(**values)


# ---- changing, within a transaction of the caller, who has checked the right


def lock(connection: sa.Connection, restore_id: int) -> RestoreState:
    """Lock the restore until the end of the transaction, and return its state. Raises NotFound."""
    query = sa.select(_restore.status).where(_restore.id == restore_id).with_for_update()
    found = connection.execute(query).scalar()
    if found is None:
        raise NotFound(f"no restore {restore_id}", "'opsmon restore list' shows yours")
    return RestoreState(found)


def set_values(connection: sa.Connection, restore_id: int, **values: Any) -> None:
    """Set columns of a restore."""
    change = sa.update(restore_runs).where(_restore.id == restore_id)
    connection.execute(change.values(**values, updated_at=now_after(_restore.updated_at)))


def insert(
    connection: sa.Connection, user: User, tenant_id: int, source_tenant_id: int, set_id: int, reason: str
) -> int:
    """Insert a draft of a restore, and return its id."""
    values: dict[str, Any] = {
        "tenant_id": tenant_id,
        "source_tenant_id": source_tenant_id,
        "backup_set_id": set_id,
        "scope": Scope().as_json(),
        "ticks": [],
        "reason": storable(reason.strip()[:MAX_REASON]) or None,
        "user_id": user.id,
        "initiator_name": user.name,
    }
    return int(connection.execute(sa.insert(restore_runs).values(**values).returning(_restore.id)).scalar_one())


#: Characters of a reason: as many as Multi Admin Approval takes.
MAX_REASON: Final = 1024


def put_items(connection: sa.Connection, restore_id: int, set_id: int, scope: Scope) -> int:
    """Replace the items of a restore by those of the set that are in the scope; returns how many they are.

    Raises InputInvalid if the scope names what the set does not have, or nothing, or too much.
    """
    query = sa.select(_backup.id).where(_backup.set_id == set_id)
    if scope.kinds is not None:
        query = query.where(_backup.kind.in_(scope.kinds))
    if scope.items is not None:
        query = query.where(among(_backup.id, list(scope.items)))
    ids = connection.execute(query.order_by(_backup.id)).scalars().all()
    if scope.items is not None and (unknown := set(scope.items) - set(ids)):
        raise InputInvalid(
            f"backup set {set_id} has no item {min(unknown)} of these kinds", "'opsmon backups show' lists them"
        )
    if not ids:
        raise InputInvalid(f"backup set {set_id} has nothing of that", "'opsmon backups show' lists what it has")
    if len(ids) > MAX_ITEMS:
        raise InputInvalid(f"these are {len(ids):,} objects", f"choose kinds, so that they are at most {MAX_ITEMS:,}")
    connection.execute(sa.delete(restore_items).where(_item.restore_id == restore_id))
    rows = [{"restore_id": restore_id, "backup_item_id": id_, "position": place} for place, id_ in enumerate(ids)]
    connection.execute(sa.insert(restore_items), rows)
    return len(rows)


#: What of an intent outlives a preview: ids before a request, what was made, and that a template was refused.
_KEPT: Final = ("before", "made", "created", "template_unknown")


def forget_preview(connection: sa.Connection, restore_id: int) -> None:
    """Forget what a preview has said of the items. What became of them, and what was begun, stays."""
    open_ = sa.and_(_item.restore_id == restore_id, _item.result.is_(None))
    connection.execute(sa.update(restore_items).where(open_).values(action=None, target_id=None, plan=None))
    begun = connection.execute(sa.select(_item.id, _item.intent).where(open_, _item.intent.is_not(None))).all()
    for id_, intent in begun:
        # What was made, or may have been, is looked for; a request that waited for an approval is not sent any more.
        kept = {key: intent[key] for key in _KEPT if key in intent} if isinstance(intent, dict) else {}
        connection.execute(sa.update(restore_items).where(_item.id == id_).values(intent=kept or sa.null()))


def store_preview(connection: sa.Connection, planned: Sequence[PlannedItem]) -> None:
    """Store what a preview says of items."""
    change = (
        sa.update(restore_items)
        .where(_item.id == sa.bindparam("p_id"))
        .values(
            position=sa.bindparam("p_position"),
            action=sa.bindparam("p_action"),
            target_id=sa.bindparam("p_target_id"),
            plan=sa.bindparam("p_plan", type_=_item.plan.type),
        )
    )
    rows = [
        {
            "p_id": one.id,
            "p_position": one.position,
            "p_action": one.action,
            "p_target_id": one.target_id,
            "p_plan": storable(dict(one.plan)),
        }
        for one in planned
    ]
    if rows:
        connection.execute(change, rows)


def group_uses(connection: sa.Connection, restore_id: int) -> dict[str, tuple[int, str | None]]:
    """The groups that the items of a restore name: by their ids in lower case, in how many items, and their names."""
    query = sa.select(_backup.references).join(restore_items, _item.backup_item_id == _backup.id)
    uses: Counter[str] = Counter()
    names: dict[str, str | None] = {}
    for references in connection.execute(query.where(_item.restore_id == restore_id)).scalars():
        found = {
            str(one.get("id", "")).lower(): one.get("name")
            for one in (references if isinstance(references, list) else [])
            if isinstance(one, dict) and one.get("kind") == "groups" and one.get("id")
        }
        uses.update(found.keys())
        for id_, name in found.items():
            names[id_] = names.get(id_) or (str(name) if name is not None else None)
    return {id_: (number, names[id_]) for id_, number in uses.items()}


def referred_to(connection: sa.Connection, restore_id: int) -> set[tuple[str, str]]:
    """What the items of a restore refer to, those aside that a person left out: (kind, id in lower case)."""
    query = sa.select(_item.choice, _backup.references).join(backup_items, _item.backup_item_id == _backup.id)
    rows = connection.execute(query.where(_item.restore_id == restore_id)).all()
    kept = [found for choice, found in rows if not (isinstance(choice, dict) and choice.get("skip") is True)]
    ones = [one for found in kept if isinstance(found, list) for one in found if isinstance(one, dict)]
    return {(str(one.get("kind", "")), str(one.get("id", "")).lower()) for one in ones}
