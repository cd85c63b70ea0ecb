"""Rows of backup sets: their numbers, and items as records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from store.intune.backup_records import BackupItem, ItemReference
from store.model.tables import backup_items, backup_set_kinds, contents

_kind = backup_set_kinds.c
_item = backup_items.c

#: The columns of an item with its body, for `whole`.
WHOLE: Final[tuple[sa.ColumnElement[Any], ...]] = (
    _item.kind,
    _item.external_id,
    _item.name,
    _item.platform,
    contents.c.body,
    _item.content_hash,
    _item.canonical_hash,
    _item.assignments,
    _item.assignments_hash,
    _item.references,
    _item.gaps,
)


class Numbers(NamedTuple):
    """The numbers of a set, named as in BackupSet."""

    items: Mapping[str, int]
    kinds: int
    failed_kinds: int


def numbers(connection: sa.Connection, ids: Sequence[int]) -> dict[int, Numbers]:
    """The numbers of the sets with these ids."""
    if not ids:
        return {}
    items: dict[int, dict[str, int]] = {}
    counted = sa.select(_item.set_id, _item.completeness, sa.func.count()).where(_item.set_id.in_(ids))
    for set_id, completeness, number in connection.execute(counted.group_by(_item.set_id, _item.completeness)):
        items.setdefault(set_id, {})[completeness] = number
    looked_at = sa.select(_kind.set_id, sa.func.count(), sa.func.count(_kind.failure_code)).where(_kind.set_id.in_(ids))
    kinds = {row[0]: (row[1], row[2]) for row in connection.execute(looked_at.group_by(_kind.set_id))}
    return {id_: Numbers(items.get(id_, {}), *kinds.get(id_, (0, 0))) for id_ in ids}


def whole(row: sa.Row[Any]) -> BackupItem:
    """A row with the columns `WHOLE` as an item."""
    return BackupItem(
        row.kind,
        row.external_id,
        row.name,
        row.platform,
        row.body if isinstance(row.body, dict) else {},
        row.content_hash,
        row.canonical_hash,
        row.assignments if isinstance(row.assignments, list) else None,
        row.assignments_hash,
        tuple(_reference(one) for one in _objects(row.references)),
        [(str(one.get("code", "")), str(one.get("detail", ""))) for one in _objects(row.gaps)],
    )


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _reference(one: Mapping[str, Any]) -> ItemReference:
    name = one.get("name")
    return ItemReference(str(one.get("kind", "")), str(one.get("id", "")), None if name is None else str(name))
