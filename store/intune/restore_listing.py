"""The restores that a user sees, newest first, and how their items fared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import sqlalchemy as sa

from store.db.engine import Database
from store.intune import restores
from store.intune.restore_records import Restore
from store.model.records import User
from store.model.tables import restore_items, restore_runs
from store.model.types import among, at_most
from store.people.access import Right, member_tenants, require_right

_restore = restore_runs.c
_item = restore_items.c


def listing(db: Database, user: User, tenant: str | None, limit: int) -> list[Restore]:
    """The newest restores whose two tenants the user is a member of; those into or out of one tenant, if its slug is given.

    Raises NotFound for a tenant that is none of theirs.
    """
    mine = member_tenants(user.id)
    query = restores.select_restores().where(_restore.tenant_id.in_(mine), _restore.source_tenant_id.in_(mine))
    if tenant is not None:
        id_ = require_right(db, user, tenant, Right.VIEW).id
        query = query.where(sa.or_(_restore.tenant_id == id_, _restore.source_tenant_id == id_))
    with db.read_one() as connection:
        found = connection.execute(query.order_by(_restore.id.desc()).limit(at_most(limit))).mappings()
        return [restores.restore_from_row(row) for row in found]


def results(db: Database, user: User, restore_ids: Iterable[int]) -> dict[int, Counter[str]]:
    """How many items of each restore became what: `done`, `skipped`, `failed`, `waiting`, or `left` if nothing became of them.
    A restore that the user may not see has none.
    """
    mine = member_tenants(user.id)
    query = (
        sa.select(_item.restore_id, _item.result, sa.func.count())
        .join(restore_runs, _restore.id == _item.restore_id)
        .where(among(_item.restore_id, list(restore_ids)))
        .where(_restore.tenant_id.in_(mine), _restore.source_tenant_id.in_(mine))
        .group_by(_item.restore_id, _item.result)
    )
    found: dict[int, Counter[str]] = {}
    with db.read_one() as connection:
        for restore_id, result, many in connection.execute(query):
            found.setdefault(restore_id, Counter())[result or "left"] += many
    return found
