"""The bootstrap of the first owner: while no tenant has an owner, whoever first adds a tenant becomes its owner."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from store.db.engine import Database
from store.model.tables import memberships, tenants, users
from store.people.access import Role

_OWNER: Final = Role.OWNER.value
#: The advisory lock that the transaction of the first owner holds; every version of opsmon uses this number.
_DOOR: Final = 7_270_101


def nobody_owns(connection: sa.Connection) -> bool:
    """Whether no tenant has an owner."""
    owned = sa.select(memberships.c.tenant_id).where(memberships.c.role == _OWNER).exists()
    return not connection.execute(sa.select(owned)).scalar_one()


def door_is_open(connection: sa.Connection, db: Database) -> bool:
    """Whether this transaction may add a tenant without an owner's right. Of several concurrent transactions, only one may."""
    if not nobody_owns(connection):
        return False
    if not db.is_sqlite:  # where a transaction is the only writer anyway
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_DOOR)))
    return nobody_owns(connection)


def is_inhabited(connection: sa.Connection) -> bool:
    """Whether the database has a user or a tenant."""
    anybody, anything = sa.select(users.c.id).exists(), sa.select(tenants.c.id).exists()
    return bool(connection.execute(sa.select(sa.or_(anybody, anything))).scalar_one())
