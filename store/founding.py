"""The first user and the first tenant of a database that is nobody's yet."""

from __future__ import annotations

import sqlalchemy as sa

from store.administration import Administrator
from store.database import Database
from store.errors import Forbidden
from store.tables import tenants, users


def found(db: Database, login: str, tenant: str) -> bool:
    """Make `login` the owner of `tenant`, both new, when there is neither a user nor a tenant. Returns whether it did.

    Only for a database that belongs to that login. Of several at once, one does it.
    """
    anybody, anything = sa.select(users.c.id).exists(), sa.select(tenants.c.id).exists()
    with db.reading() as connection:
        if connection.execute(sa.select(sa.or_(anybody, anything))).scalar_one():
            return False
    try:
        Administrator(db, login).add_tenant(tenant)
    except Forbidden:  # somebody came first
        return False
    return True
