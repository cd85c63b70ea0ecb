"""The first user and the first tenant of a database that is nobody's yet."""

from __future__ import annotations

import sqlalchemy as sa

from store.access import Role
from store.database import Database
from store.tables import memberships, tenants, users


def found(db: Database, login: str, tenant: str) -> bool:
    """Make `login` the owner of `tenant`, both new, when there is neither a user nor a tenant. Returns whether it did.

    Only for a database that belongs to that login: nobody is asked. Of several at once, one does it.
    """
    with db.reading() as connection:
        if _is_inhabited(connection):
            return False
    with db.transaction() as connection:
        if _is_inhabited(connection):
            return False
        user_id = _insert(connection, users, login=login, name=login)
        tenant_id = _insert(connection, tenants, slug=tenant, name=tenant)
        owner = {"user_id": user_id, "tenant_id": tenant_id, "role": Role.OWNER.value}
        connection.execute(sa.insert(memberships).values(owner))
    return True


def _is_inhabited(connection: sa.Connection) -> bool:
    anybody, anything = sa.select(users.c.id).exists(), sa.select(tenants.c.id).exists()
    return bool(connection.execute(sa.select(sa.or_(anybody, anything))).scalar_one())


def _insert(connection: sa.Connection, table: sa.Table, **values: str) -> int:
    return int(connection.execute(sa.insert(table).values(values).returning(table.c.id)).scalar_one())
