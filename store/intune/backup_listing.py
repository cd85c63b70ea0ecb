"""All items of a backup set as a list, without their bodies: for the command line, which has no pages."""

from __future__ import annotations

import sqlalchemy as sa

from store.db.engine import Database
from store.intune.backup_sets import LISTED, PAGE, ListedItem, listed
from store.model.tables import backup_items

_item = backup_items.c


def all_items(db: Database, set_id: int, kind: str = "") -> list[ListedItem]:
    """All items of a set, or those of one kind, without bodies; by kind and name. Checks no right."""
    query = sa.select(*LISTED).where(_item.set_id == set_id).order_by(_item.id).limit(PAGE)
    if kind:
        query = query.where(_item.kind == kind)
    found: list[ListedItem] = []
    last = 0
    while True:
        with db.read() as connection:
            rows = connection.execute(query.where(_item.id > last)).all()
        found += map(listed, rows)
        if len(rows) < PAGE:
            return sorted(found, key=lambda one: (one.kind, one.name.casefold(), one.id))
        last = rows[-1].id
