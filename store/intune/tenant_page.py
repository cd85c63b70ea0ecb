"""A tenant as its members see it: who they are, what was chosen for it, and how old what was read of it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from store.errors import NotFound
from store.intune import directory, tenant_settings
from store.intune.browse import tenant_of
from store.intune.tenant_settings import ChosenGroup
from store.model.records import Tenant
from store.model.tables import memberships, users
from store.model.types import at_most
from store.people.access import Membership, Role

#: Members that are listed.
MAX_MEMBERS: Final = 500


@dataclass(frozen=True, slots=True)
class TenantWanted:
    """Asks for the tenant with this slug."""

    tenant: str


@dataclass(frozen=True, slots=True)
class Member:
    """A user with a role in the tenant."""

    login: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class TenantDetail:
    """A tenant with its members."""

    tenant: Tenant
    #: The role of the user who asks.
    role: Role
    #: The most powerful first, then by login; at most MAX_MEMBERS.
    members: tuple[Member, ...]
    #: There are more.
    has_more: bool = False
    rbac_group: ChosenGroup | None = None
    #: When the cached directory was read last; None if never.
    directory_read_at: dt.datetime | None = None


def read(connection: sa.Connection, of: Sequence[Membership], wanted: TenantWanted | None) -> TenantDetail | None:
    """The tenant; None if none is wanted, or it does not exist for a user with these memberships."""
    if wanted is None:
        return None
    try:
        tenant = tenant_of(of, wanted.tenant)
    except NotFound:
        return None
    mine = next(one.role for one in of if one.tenant.id == tenant.id)
    members = _members(connection, tenant.id)
    return TenantDetail(
        tenant,
        mine,
        members[:MAX_MEMBERS],
        len(members) > MAX_MEMBERS,
        tenant_settings.rbac_group(connection, tenant.id),
        directory.read_state(connection, tenant.id).read_at,
    )


def _members(connection: sa.Connection, tenant_id: int) -> tuple[Member, ...]:
    rank = sa.case({role.value: -role.rank for role in Role}, value=memberships.c.role, else_=0)
    query = (
        sa.select(users.c.login, users.c.name, memberships.c.role)
        .join(users, users.c.id == memberships.c.user_id)
        .where(memberships.c.tenant_id == tenant_id)
        .order_by(rank, users.c.login)
        .limit(at_most(MAX_MEMBERS + 1))
    )
    return tuple(Member(row.login, row.name, Role(row.role)) for row in connection.execute(query))
