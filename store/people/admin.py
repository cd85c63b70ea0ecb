"""Administration of tenants, users and roles. Each change checks the right, and writes the audit event, in its transaction.

A user who adds a tenant owns it, and from then on it always has an owner. Databases of older versions may have tenants without
an owner: an owner of the oldest tenant that has one may grant that role in them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from store.db.engine import Database
from store.errors import Forbidden, InputInvalid
from store.model.records import Tenant, User
from store.model.tables import memberships, tenants, users
from store.people import audit
from store.people.access import LOGIN, SLUG, Role, member_tenants, read_user, require_owner
from store.people.bootstrap import door_is_open, is_inhabited, nobody_owns
from store.people.roles import Granted, Revoked, no_tenant, role_of, set_role, take_role, upsert_role

_OWNER: Final = Role.OWNER.value

#: The maximum length of a name for people, in characters.
MAX_NAME: Final = 200
#: Characters that a database cannot store: NUL, and lone surrogates, which a wrong encoding leaves behind.
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Administrator:
    """Administration on behalf of a login, which may not be a user yet."""

    db: Database
    login: str

    def add_tenant(self, slug: str, name: str | None = None) -> Tenant:
        """Add a tenant and own it. While no tenant has an owner, anybody may do this, and becomes a user if they are none yet.

        Raises Forbidden, and InputInvalid if the slug is taken or has characters other than a-z, 0-9 and dashes.
        """
        with self.db.write() as connection:
            is_first = door_is_open(connection, self.db)
            me = read_user(connection, self.login)
            if not is_first:
                require_owner(connection, me)
            return self._add_tenant(connection, me, slug, name)

    def bootstrap_owner(self, slug: str) -> bool:
        """Add the first user and tenant to a database that has neither. Returns whether this call did."""
        if self._is_inhabited():  # true at every start but the first: do not block writers
            return False
        with self.db.write() as connection:
            if not door_is_open(connection, self.db) or is_inhabited(connection):
                return False
            self._add_tenant(connection, None, slug, None)
            return True

    def _is_inhabited(self) -> bool:
        with self.db.read() as connection:
            return is_inhabited(connection)

    def _add_tenant(self, connection: sa.Connection, me: User | None, slug: str, name: str | None) -> Tenant:
        tenant = insert_tenant(connection, slug, name)
        if me is None:
            me = insert_user(connection, self.login, None)
            self._audit(connection, audit.USER_ADDED, me.login, me)
        connection.execute(upsert_role(me.id, tenant.id, Role.OWNER))
        self._audit(connection, audit.TENANT_ADDED, tenant.slug, me, tenant)
        self._audit(connection, audit.ROLE_GRANTED, me.login, me, tenant, before=None, role=_OWNER)
        return tenant

    def add_user(self, login: str, name: str | None = None) -> User:
        """Add a user. Raises Forbidden, and InputInvalid if the login is taken or not valid."""
        with self.db.write() as connection:
            me = self._owner(connection)
            user = insert_user(connection, login, name)
            self._audit(connection, audit.USER_ADDED, user.login, me)
            return user

    def users(self) -> tuple[User, ...]:
        """All users, ordered by login. Raises Forbidden."""
        with self.db.read() as connection:
            self._owner(connection)
            return read_users(connection)

    def grant(self, login: str, slug: str, role: Role) -> Granted:
        """Give the user the role in the tenant, in place of any former one.

        Raises NotFound, and Forbidden, also if the tenant would lose its last owner.
        """
        with self.db.write() as connection:
            me = self._owner_of(connection, slug, role)
            granted = set_role(connection, login, slug, role)
            before = granted.before.value if granted.before else None
            self._audit(connection, audit.ROLE_GRANTED, login, me, granted.tenant, before=before, role=role.value)
            return granted

    def revoke(self, login: str, slug: str) -> Revoked:
        """Take the role that the user has in the tenant, and with it all that they see of it.

        Raises NotFound, also if the user is no member, and Forbidden, also if the tenant would lose its last owner.
        """
        with self.db.write() as connection:
            me = self._owner_of(connection, slug)
            revoked = take_role(connection, login, slug)
            before = revoked.before.value
            self._audit(connection, audit.ROLE_REVOKED, login, me, revoked.tenant, before=before, role=None)
            return revoked

    def roles(self) -> dict[int, dict[str, Role]]:
        """The roles of all users in the tenants that the login is a member of: by user's id, then by slug, in its order."""
        found: dict[int, dict[str, Role]] = {}
        with self.db.read() as connection:
            me = read_user(connection, self.login)
            if me is None:
                return found
            query = sa.select(memberships.c.user_id, tenants.c.slug, memberships.c.role).join(tenants)
            query = query.where(tenants.c.id.in_(member_tenants(me.id))).order_by(tenants.c.slug)
            for user_id, slug, role in connection.execute(query):
                found.setdefault(user_id, {})[slug] = Role(role)
        return found

    def ownerless(self) -> tuple[str, ...]:
        """The slugs of the tenants without an owner, if the login may grant one; otherwise empty."""
        with self.db.read() as connection:
            me = read_user(connection, self.login)
            if me is None or not _owns_the_oldest(connection, me):
                return ()
            return tuple(
                connection.execute(sa.select(tenants.c.slug).where(~_HAS_OWNER).order_by(tenants.c.slug)).scalars()
            )

    def _owner(self, connection: sa.Connection) -> User:
        if nobody_owns(connection):
            raise Forbidden("nobody owns a tenant yet", "'opsmon tenants add SLUG' makes you a user and its owner")
        return require_owner(connection, read_user(connection, self.login))

    def _owner_of(self, connection: sa.Connection, slug: str, role: Role | None = None) -> User:
        """The login's user, if they may grant the role in the tenant, or take one if `role` is None.

        Raises Forbidden, or NotFound if they are not a member, whether or not the tenant exists.
        """
        me = read_user(connection, self.login)
        query = sa.select(tenants.c.id).where(tenants.c.slug == slug)
        tenant_id = connection.execute(query).scalar() if SLUG.fullmatch(slug) else None
        if me is None or tenant_id is None:
            raise no_tenant(slug)
        mine = role_of(connection, me.id, tenant_id)
        if mine is Role.OWNER:
            return me
        has_owner = connection.execute(sa.select(_HAS_OWNER).where(tenants.c.id == tenant_id)).scalar_one()
        if not has_owner and role is Role.OWNER and _owns_the_oldest(connection, me):
            return me
        if mine is None:
            raise no_tenant(slug)
        raise Forbidden("administration is for owners", f"ask an owner of {slug}")

    def _audit(
        self,
        connection: sa.Connection,
        action: str,
        subject: str,
        me: User,
        tenant: Tenant | None = None,
        **detail: str | None,
    ) -> None:
        tenant_id = tenant.id if tenant else None
        audit.record(
            connection, action, subject, login=me.login, user_id=me.id, tenant_id=tenant_id, detail=detail or None
        )


# ---- checks of rights

_HAS_OWNER = sa.exists().where(memberships.c.tenant_id == tenants.c.id, memberships.c.role == _OWNER).correlate(tenants)


def _owns_the_oldest(connection: sa.Connection, me: User) -> bool:
    oldest = sa.select(sa.func.min(memberships.c.tenant_id)).where(memberships.c.role == _OWNER).scalar_subquery()
    mine = sa.exists().where(
        memberships.c.user_id == me.id, memberships.c.role == _OWNER, memberships.c.tenant_id == oldest
    )
    return bool(connection.execute(sa.select(mine)).scalar_one())


# ---- changes, which do not check rights


def insert_tenant(connection: sa.Connection, slug: str, name: str | None) -> Tenant:
    """Insert a tenant; its name is the slug if none is given. Raises InputInvalid."""
    if not SLUG.fullmatch(slug):
        raise InputInvalid(f"'{slug}' cannot be a tenant's slug", "use a-z, 0-9 and dashes, at most 63")
    return Tenant(**_insert(connection, tenants, "slug", slug, name))


def insert_user(connection: sa.Connection, login: str, name: str | None) -> User:
    """Insert a user; their name is the login if none is given. Raises InputInvalid."""
    if not LOGIN.fullmatch(login):
        raise InputInvalid(f"'{login}' cannot be a login", "use a system login name")
    return User(**_insert(connection, users, "login", login, name))


def _insert(connection: sa.Connection, table: sa.Table, key: str, value: str, name: str | None) -> sa.RowMapping:
    if name and (len(name) > MAX_NAME or _UNSTORABLE.search(name)):
        raise InputInvalid("the name cannot be stored", f"use at most {MAX_NAME} printable characters")
    new = postgresql.insert(table).values({key: value, "name": name or value}).on_conflict_do_nothing().returning(table)
    row = connection.execute(new).mappings().first()
    if row is None:
        raise InputInvalid(f"{key} '{value}' exists already", "choose another")
    return row


def read_users(connection: sa.Connection) -> tuple[User, ...]:
    """All users, ordered by login."""
    return tuple(User(**row) for row in connection.execute(sa.select(users).order_by(users.c.login)).mappings())


# ---- changes in a transaction of their own, for callers who own the database: no check of rights


def add_tenant(db: Database, slug: str, name: str | None = None) -> Tenant:
    """Add a tenant, without an owner until one is granted. Raises InputInvalid."""
    with db.write() as connection:
        return insert_tenant(connection, slug, name)


def add_user(db: Database, login: str, name: str | None = None) -> User:
    """Add a user. Raises InputInvalid."""
    with db.write() as connection:
        return insert_user(connection, login, name)


def grant(db: Database, login: str, slug: str, role: Role) -> Granted:
    """Give the user the role in the tenant. Raises NotFound, and Forbidden if the tenant would lose its last owner."""
    with db.write() as connection:
        return set_role(connection, login, slug, role)
