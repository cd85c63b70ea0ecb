"""What the members of a tenant keep for it: so far the group that its roles in Intune are given to, found by the RBAC group
search. Every member sees it; owners change it, each change with its audit event.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from store.db.engine import Database
from store.errors import InputInvalid
from store.intune.inventory import storable
from store.model.records import User
from store.model.tables import tenant_settings
from store.model.types import utcnow
from store.people import audit
from store.people.access import Right, require_right

RBAC_GROUP: Final = "rbac_group"
#: Characters of a group's id and of its name.
_MOST: Final = 256

_setting = tenant_settings.c


@dataclass(frozen=True, slots=True)
class ChosenGroup:
    """A group of the directory that somebody chose for the tenant."""

    group_id: str
    #: As it was when it was chosen.
    name: str
    #: Who chose it, and when.
    chosen_by: str
    chosen_at: dt.datetime


def choose_rbac_group(db: Database, user: User, tenant: str, group_id: str, name: str) -> ChosenGroup:
    """Keep the group for the tenant, given by its slug. Raises NotFound, Forbidden, and InputInvalid for a group without an id."""
    found = require_right(db, user, tenant, Right.ADMINISTER, "choose its group")
    group_id, name = storable(group_id.strip())[:_MOST], storable(name)[:_MOST]
    if not group_id:
        raise InputInvalid("a group has an id", "choose one that was found")
    values = {"value": {"id": group_id, "name": name}, "user_id": user.id, "user_name": user.name}
    new = postgresql.insert(tenant_settings).values(tenant_id=found.id, name=RBAC_GROUP, **values)
    changed = new.on_conflict_do_update(
        index_elements=["tenant_id", "name"],
        set_={**{key: new.excluded[key] for key in values}, "updated_at": utcnow()},
    )
    with db.write() as connection:
        at = connection.execute(changed.returning(_setting.updated_at)).scalar_one()
        audit.record(
            connection,
            audit.TENANT_SETTING_CHANGED,
            RBAC_GROUP,
            login=user.login,
            user_id=user.id,
            tenant_id=found.id,
            detail={"group_id": group_id, "name": name},
        )
    return ChosenGroup(group_id, name, user.name, at)


def forget_rbac_group(db: Database, user: User, tenant: str) -> bool:
    """Keep no group any more; returns whether there was one. Raises NotFound and Forbidden."""
    found = require_right(db, user, tenant, Right.ADMINISTER, "choose its group")
    gone = sa.delete(tenant_settings).where(_setting.tenant_id == found.id, _setting.name == RBAC_GROUP)
    with db.write() as connection:
        if not connection.execute(gone).rowcount:
            return False
        audit.record(
            connection,
            audit.TENANT_SETTING_CHANGED,
            RBAC_GROUP,
            login=user.login,
            user_id=user.id,
            tenant_id=found.id,
            detail={"group_id": None},
        )
        return True


def rbac_group(connection: sa.Connection, tenant_id: int) -> ChosenGroup | None:
    """The group that was chosen; None if none was, or what is kept cannot be read."""
    query = sa.select(tenant_settings).where(_setting.tenant_id == tenant_id, _setting.name == RBAC_GROUP)
    row = connection.execute(query).first()
    value = row.value if row is not None and isinstance(row.value, dict) else {}
    if row is None or not value.get("id"):
        return None
    return ChosenGroup(str(value["id"]), str(value.get("name") or ""), row.user_name, row.updated_at)
