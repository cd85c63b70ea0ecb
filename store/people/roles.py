"""The changes of roles, within a transaction. They do not check the right of who asks; a tenant keeps its last owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from store.errors import Forbidden, NotFound
from store.model.records import Tenant, User
from store.model.tables import memberships, tenants
from store.people.access import Role, read_user

_OWNER: Final = Role.OWNER.value


@dataclass(frozen=True, slots=True)
class Granted:
    """A granted role."""

    user: User
    tenant: Tenant
    role: Role
    #: The user's former role in the tenant; None if they were not a member.
    before: Role | None


@dataclass(frozen=True, slots=True)
class Revoked:
    """A role that was taken."""

    user: User
    tenant: Tenant
    #: The role that the user had.
    before: Role


def role_of(connection: sa.Connection, user_id: int, tenant_id: int) -> Role | None:
    """The user's role in the tenant; None if they are no member."""
    query = sa.select(memberships.c.role).where(memberships.c.user_id == user_id, memberships.c.tenant_id == tenant_id)
    found = connection.execute(query).scalar()
    return None if found is None else Role(found)


def no_tenant(slug: str) -> NotFound:
    """What is said to who asks for a tenant that there is not, or that they are no member of."""
    return NotFound(f"no tenant '{slug}'", "'opsmon tenants list' shows yours")


def set_role(connection: sa.Connection, login: str, slug: str, role: Role) -> Granted:
    """Give the user the role in the tenant. Raises NotFound, and Forbidden if the tenant would lose its last owner."""
    user, tenant = _locked(connection, login, slug)
    before = role_of(connection, user.id, tenant.id)
    if connection.execute(upsert_role(user.id, tenant.id, role)).first() is None:
        raise _last_owner(login, slug)
    return Granted(user, tenant, role, before)


def take_role(connection: sa.Connection, login: str, slug: str) -> Revoked:
    """Take the user's role in the tenant. Raises NotFound, and Forbidden if the tenant would lose its last owner."""
    user, tenant = _locked(connection, login, slug)
    before = role_of(connection, user.id, tenant.id)
    if before is None:
        raise NotFound(f"'{login}' is no member of {slug}", f"'opsmon members {slug}' lists them")
    gone = sa.delete(memberships).where(memberships.c.user_id == user.id, memberships.c.tenant_id == tenant.id)
    gone = gone.where(sa.or_(memberships.c.role != _OWNER, _another_owner(user.id, tenant.id)))
    if connection.execute(gone.returning(memberships.c.user_id)).first() is None:
        raise _last_owner(login, slug)
    return Revoked(user, tenant, before)


def _locked(connection: sa.Connection, login: str, slug: str) -> tuple[User, Tenant]:
    """The user, and the tenant, whose row is locked: if two owners step down at once, the second must see that the first is
    gone. Raises NotFound.
    """
    user = read_user(connection, login)
    if user is None:
        raise NotFound(f"no user '{login}' in this opsmon", "an owner adds one with 'opsmon users add'")
    locked = sa.select(tenants).where(tenants.c.slug == slug).with_for_update(key_share=True)
    row = connection.execute(locked).mappings().first()
    if row is None:
        raise no_tenant(slug)
    return user, Tenant(**row)


def _last_owner(login: str, slug: str) -> Forbidden:
    return Forbidden(f"{login} is the last owner of {slug}", "make somebody else an owner first")


def _another_owner(user_id: int, tenant_id: int) -> sa.Exists:
    other = memberships.alias("other")
    return sa.exists().where(other.c.tenant_id == tenant_id, other.c.role == _OWNER, other.c.user_id != user_id)


def upsert_role(user_id: int, tenant_id: int, role: Role) -> sa.UpdateBase:
    """An upsert of the role. It returns no row, and changes nothing, if the tenant would lose its last owner."""
    new = postgresql.insert(memberships).values(user_id=user_id, tenant_id=tenant_id, role=role.value)
    return new.on_conflict_do_update(
        index_elements=["user_id", "tenant_id"],
        set_={"role": role.value},
        where=sa.or_(sa.literal(role is Role.OWNER), memberships.c.role != _OWNER, _another_owner(user_id, tenant_id)),
    ).returning(memberships.c.user_id)
