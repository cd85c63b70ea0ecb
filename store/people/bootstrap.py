"""The door for the first owner, open once in a database's life: while nobody owns a tenant, the first who adds one comes in."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from store.db.engine import Database
from store.model.tables import memberships, tenants, users
from store.people.access import Role

_OWNER: Final = Role.OWNER.value
#: Held by who comes through the door of the first owner; an advisory lock's number, the same in every opsmon.
_DOOR: Final = 7_270_101


def nobody_owns(connection: sa.Connection) -> bool:
    owned = sa.select(memberships.c.tenant_id).where(memberships.c.role == _OWNER).exists()
    return not connection.execute(sa.select(owned)).scalar_one()


def door_is_open(connection: sa.Connection, db: Database) -> bool:
    """Whether this transaction is the one that may come in without being an owner. Of several at once, one is."""
    if not nobody_owns(connection):
        return False
    if not db.is_sqlite:  # where a transaction is the only writer anyway
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_DOOR)))
    return nobody_owns(connection)


def is_inhabited(connection: sa.Connection) -> bool:
    anybody, anything = sa.select(users.c.id).exists(), sa.select(tenants.c.id).exists()
    return bool(connection.execute(sa.select(sa.or_(anybody, anything))).scalar_one())
