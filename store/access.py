"""Who may do what. Every entry point asks here; screens only mirror the answer.

A tenant that you are no member of does not exist for you: it is "not found", never "forbidden", and neither are its runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from store.database import Database
from store.errors import Forbidden, InputInvalid, NotFound
from store.records import Run, Tenant, User
from store.rows import run_columns, run_from
from store.tables import memberships, operation_runs, tenants, users

SYSTEM = "System"
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_LOGIN = re.compile(r"[^\s:/\x00-\x1f\x7f]{1,64}")


class Role(StrEnum):
    """A member's role in one tenant, the mightiest first."""

    OWNER = "owner"
    MANAGER = "manager"
    OPERATOR = "operator"
    READONLY = "readonly"

    @property
    def rank(self) -> int:
        return {"readonly": 0, "operator": 1, "manager": 2, "owner": 3}[self.value]


class Right(IntEnum):
    """What can be done in a tenant, each with the rank of the least role that may."""

    VIEW = 0
    START = 1
    RESTORE = 2
    ADMINISTER = 3


@dataclass(frozen=True, slots=True)
class Membership:
    tenant: Tenant
    role: Role

    def may(self, right: Right) -> bool:
        return self.role.rank >= right


def member_tenants(user_id: int) -> sa.Select[tuple[int]]:
    """The ids of the tenants that the user is a member of, as a subquery."""
    return sa.select(memberships.c.tenant_id).where(memberships.c.user_id == user_id)


def find_user(db: Database, login: str) -> User:
    """The user with that login. Raises NotFound."""
    with db.query() as connection:
        row = connection.execute(sa.select(users).where(users.c.login == login)).mappings().first()
    if row is None:
        raise NotFound(f"no user '{login}' in this opsmon", "an owner adds one with 'opsmon users add'")
    return User(**row)


def memberships_of(db: Database, user_id: int) -> tuple[Membership, ...]:
    """The user's tenants with their role in each, by slug."""
    with db.query() as connection:
        return read_memberships(connection, user_id)


def read_memberships(connection: sa.Connection, user_id: int) -> tuple[Membership, ...]:
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


def require(db: Database, user: User, tenant: str, right: Right) -> Tenant:
    """The tenant with that slug, in which the user has that right. Raises NotFound or Forbidden."""
    with db.query() as connection:
        row = connection.execute(_MEMBERSHIP, {"p_user_id": user.id, "p_tenant": tenant}).mappings().first()
    if row is None:
        raise NotFound(f"no tenant '{tenant}'", "'opsmon tenants list' shows yours")
    found = _membership_from(row)
    if not found.may(right):
        raise Forbidden(f"as {found.role} of {tenant} you may not {_WORDS[right]}", f"ask an owner of {tenant}")
    return found.tenant


_WORDS = {
    Right.VIEW: "look",
    Right.START: "start or retry runs",
    Right.RESTORE: "restore",
    Right.ADMINISTER: "administer it",
}


def visible_run(db: Database, user: User, run_id: int) -> Run:
    """The run, whole, if the user is a member of its tenant. Raises NotFound."""
    with db.query() as connection:
        return read_visible_run(connection, user.id, run_id)


def read_visible_run(connection: sa.Connection, user_id: int, run_id: int) -> Run:
    query = sa.select(*run_columns()).join(tenants, tenants.c.id == operation_runs.c.tenant_id)
    query = query.where(operation_runs.c.id == run_id, operation_runs.c.tenant_id.in_(member_tenants(user_id)))
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound(f"no run {run_id}", "'opsmon runs' lists yours")
    return run_from(dict(row))


def require_administrator(db: Database, user: User | None, tenant: str | None = None) -> None:
    """Administration is for owners (of `tenant`, or of any). While there is no owner, for whoever can write the database."""
    owners = (
        sa.select(memberships.c.user_id)
        .join(tenants, tenants.c.id == memberships.c.tenant_id)
        .where(memberships.c.role == "owner")
    )
    if tenant is not None:
        owners = owners.where(tenants.c.slug == tenant)
    mine = owners.where(memberships.c.user_id == (user.id if user else -1))
    with db.query() as connection:
        allowed = connection.execute(sa.select(sa.or_(~owners.exists(), mine.exists()))).scalar_one()
    if allowed:
        return
    if tenant is not None and (user is None or tenant not in {m.tenant.slug for m in memberships_of(db, user.id)}):
        raise NotFound(f"no tenant '{tenant}'", "'opsmon tenants list' shows yours")
    raise Forbidden(
        "administration is for owners", f"ask an owner of {tenant}" if tenant else "ask an owner of a tenant"
    )


def add_tenant(db: Database, slug: str, name: str | None = None) -> Tenant:
    """Add a tenant. Raises InputInvalid when the slug is taken or not of the form a-z, 0-9 and dashes."""
    if not _SLUG.fullmatch(slug):
        raise InputInvalid(f"'{slug}' cannot be a tenant's slug", "use a-z, 0-9 and dashes, at most 63")
    return Tenant(**_insert(db, tenants, "slug", slug, name))


def add_user(db: Database, login: str, name: str | None = None) -> User:
    """Add a user. Raises InputInvalid when the login is taken or cannot be one."""
    if not _LOGIN.fullmatch(login):
        raise InputInvalid(f"'{login}' cannot be a login", "use a system login name")
    return User(**_insert(db, users, "login", login, name))


def _insert(db: Database, table: sa.Table, key: str, value: str, name: str | None) -> sa.RowMapping:
    new = postgresql.insert(table).values({key: value, "name": name or value}).on_conflict_do_nothing().returning(table)
    with db.statement() as connection:
        row = connection.execute(new).mappings().first()
    if row is None:
        raise InputInvalid(f"{key} '{value}' exists already", "choose another")
    return row


def grant(db: Database, login: str, tenant: str, role: Role) -> None:
    """Give the user that role in the tenant, in place of the one they had.

    Raises NotFound, and Forbidden when it would take the tenant's last owner away.
    """
    user = find_user(db, login)
    # The tenant's row is locked, so that of two owners who step down at once the second finds no other one.
    locked = sa.select(tenants.c.id).where(tenants.c.slug == tenant).with_for_update(key_share=True)
    with db.transaction() as connection:
        tenant_id = connection.execute(locked).scalar()
        if tenant_id is None:
            raise NotFound(f"no tenant '{tenant}'", "'opsmon tenants list' shows yours")
        if connection.execute(_set_role(user.id, tenant_id, role)).first() is None:
            raise Forbidden(f"{login} is the last owner of {tenant}", "make somebody else an owner first")


def _set_role(user_id: int, tenant_id: int, role: Role) -> sa.UpdateBase:
    """Returns a row, unless the user is the tenant's only owner and would no longer be."""
    other = memberships.alias("other")
    another_owner = sa.exists().where(
        other.c.tenant_id == tenant_id, other.c.role == Role.OWNER.value, other.c.user_id != user_id
    )
    new = postgresql.insert(memberships).values(user_id=user_id, tenant_id=tenant_id, role=role.value)
    return new.on_conflict_do_update(
        index_elements=["user_id", "tenant_id"],
        set_={"role": role.value},
        where=sa.or_(sa.literal(role is Role.OWNER), memberships.c.role != Role.OWNER.value, another_owner),
    ).returning(memberships.c.user_id)


def all_users(db: Database) -> tuple[User, ...]:
    with db.query() as connection:
        return tuple(User(**row) for row in connection.execute(sa.select(users).order_by(users.c.login)).mappings())
