"""Access rights. Every entry point checks them here; screens only show the result.

Tenants you are not a member of do not exist for you: they, and their runs, are "not found", never "forbidden".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

import sqlalchemy as sa

from store.db.engine import Database
from store.errors import Forbidden, NotFound
from store.model.records import Run, Tenant, User
from store.model.row_mapping import run_columns, run_from_row
from store.model.tables import memberships, operation_runs, tenants, users

#: The initiator's name of runs that no user started.
SYSTEM = "System"
#: Valid slugs of tenants and logins of users. The database is not queried for others.
SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
LOGIN: Final = re.compile(r"[^\s:/\x00-\x1f\x7f\ud800-\udfff]{1,64}")


class Role(StrEnum):
    """A user's role in a tenant, the most powerful first."""

    OWNER = "owner"
    MANAGER = "manager"
    OPERATOR = "operator"
    READONLY = "readonly"

    @property
    def rank(self) -> int:
        """The most powerful right that the role has, as a number: 0 (readonly) to 3 (owner)."""
        return {"readonly": 0, "operator": 1, "manager": 2, "owner": 3}[self.value]


class Right(IntEnum):
    """A right in a tenant. Its value is the rank of the least powerful role that has it."""

    VIEW = 0
    START = 1
    RESTORE = 2
    ADMINISTER = 3

    @property
    def role(self) -> Role:
        """The least powerful role that has the right."""
        return next(role for role in Role if role.rank == self)


@dataclass(frozen=True, slots=True)
class Membership:
    """A tenant and the role that the user has in it."""

    tenant: Tenant
    role: Role

    def may(self, right: Right) -> bool:
        """Whether the role has the right."""
        return self.role.rank >= right


@dataclass(frozen=True, slots=True)
class Member:
    """A user and the role that they have in a tenant."""

    user: User
    role: Role


def member_tenants(user_id: int) -> sa.Select[tuple[int]]:
    """A subquery of the ids of the tenants that the user is a member of."""
    return sa.select(memberships.c.tenant_id).where(memberships.c.user_id == user_id)


def find_user(db: Database, login: str) -> User:
    """The user with that login. Raises NotFound."""
    with db.read_one() as connection:
        found = read_user(connection, login)
    if found is None:
        raise NotFound(f"no user '{login}' in this opsmon", "an owner adds one with 'opsmon users add'")
    return found


def read_user(connection: sa.Connection, login: str) -> User | None:
    """The user with that login; None if there is none."""
    if not LOGIN.fullmatch(login):
        return None
    row = connection.execute(sa.select(users).where(users.c.login == login)).mappings().first()
    return None if row is None else User(**row)


def user_of_run(db: Database, run_id: int) -> User | None:
    """The initiator of a run, for operations; None for the system."""
    query = sa.select(*users.c).join(operation_runs, operation_runs.c.user_id == users.c.id)
    with db.read_one() as connection:
        row = connection.execute(query.where(operation_runs.c.id == run_id)).mappings().first()
    return None if row is None else User(**row)


def memberships_of(db: Database, user_id: int) -> tuple[Membership, ...]:
    """The user's memberships, ordered by slug."""
    with db.read_one() as connection:
        return read_memberships(connection, user_id)


def read_memberships(connection: sa.Connection, user_id: int) -> tuple[Membership, ...]:
    """The user's memberships, ordered by slug."""
    rows = connection.execute(_MEMBERSHIPS.order_by(tenants.c.slug), {"p_user_id": user_id}).mappings()
    return tuple(map(_membership_from, rows))


_MEMBERSHIPS = (
    sa.select(tenants, memberships.c.role)
    .join(memberships, memberships.c.tenant_id == tenants.c.id)
    .where(memberships.c.user_id == sa.bindparam("p_user_id"))
)
_MEMBERSHIP = _MEMBERSHIPS.where(tenants.c.slug == sa.bindparam("p_tenant"))


def _membership_from(row: sa.RowMapping) -> Membership:
    return Membership(Tenant(**{k: v for k, v in row.items() if k != "role"}), Role(row["role"]))


def require_right(db: Database, user: User, tenant: str, right: Right, what: str = "") -> Tenant:
    """The tenant with that slug, if the user has the right in it.

    Raises NotFound if the user is not a member, and Forbidden if the role lacks the right. `what` names the attempted action
    in the error: "you may not …".
    """
    row = None
    if SLUG.fullmatch(tenant):
        with db.read_one() as connection:
            row = connection.execute(_MEMBERSHIP, {"p_user_id": user.id, "p_tenant": tenant}).mappings().first()
    if row is None:
        raise NotFound(f"no tenant '{tenant}'", "'opsmon tenants list' shows yours")
    found = _membership_from(row)
    if not found.may(right):
        raise Forbidden(f"as {found.role} of {tenant} you may not {what or _WORDS[right]}", f"ask an owner of {tenant}")
    return found.tenant


_WORDS = {
    Right.VIEW: "look",
    Right.START: "start or retry runs",
    Right.RESTORE: "restore",
    Right.ADMINISTER: "administer it",
}


def members_of(db: Database, user: User, tenant: str) -> tuple[Member, ...]:
    """The members of the tenant with that slug, ordered by login. Raises NotFound if the user is none of them."""
    found = require_right(db, user, tenant, Right.VIEW)
    query = sa.select(*users.c, memberships.c.role).join(memberships, memberships.c.user_id == users.c.id)
    with db.read_one() as connection:
        rows = connection.execute(query.where(memberships.c.tenant_id == found.id).order_by(users.c.login)).mappings()
        return tuple(Member(User(**{k: v for k, v in row.items() if k != "role"}), Role(row["role"])) for row in rows)


def colleagues(db: Database, user: User, limit: int) -> tuple[User, ...]:
    """At most `limit` users who share a tenant with this one, itself included, ordered by login."""
    beside = sa.select(memberships.c.user_id).where(memberships.c.tenant_id.in_(member_tenants(user.id)))
    query = sa.select(users).where(users.c.id.in_(beside)).order_by(users.c.login).limit(limit)
    with db.read_one() as connection:
        return tuple(User(**row) for row in connection.execute(query).mappings())


def visible_run(db: Database, user: User, run_id: int) -> Run:
    """The run with its context, if the user is a member of its tenant. Raises NotFound."""
    with db.read_one() as connection:
        return read_visible_run(connection, user.id, run_id)


def read_visible_run(connection: sa.Connection, user_id: int, run_id: int) -> Run:
    """The same within a transaction. Raises NotFound."""
    query = sa.select(*run_columns()).join(tenants, tenants.c.id == operation_runs.c.tenant_id)
    query = query.where(operation_runs.c.id == run_id, operation_runs.c.tenant_id.in_(member_tenants(user_id)))
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound(f"no run {run_id}", "'opsmon runs' lists yours")
    return run_from_row(dict(row))


def require_owner(connection: sa.Connection, user: User | None) -> User:
    """The user, if they own a tenant: only owners may change what concerns all tenants. Raises Forbidden."""
    owned = sa.exists().where(
        memberships.c.user_id == sa.bindparam("p_user_id"), memberships.c.role == Role.OWNER.value
    )
    if user is None or not connection.execute(sa.select(owned), {"p_user_id": user.id}).scalar_one():
        raise Forbidden("administration is for owners", "ask an owner of a tenant")
    return user
