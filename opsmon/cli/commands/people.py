"""`opsmon tenants`, `opsmon users` and `opsmon members`: administration, for owners only, and lists: the user's own tenants,
and the members of one of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, Final

from opsmon.cli.commands.session import Session
from opsmon.listing import Column, Listing
from opsmon.output import as_json, cell
from store.model.records import User
from store.people import access
from store.people.access import Member, Membership, Role
from store.people.admin import Administrator
from store.people.roles import Granted


def _administrator(session: Session) -> Administrator:
    from opsmon.login import login_for

    return Administrator(session.db, login_for(session.db, session.as_login))


def add_tenant(session: Session, arguments: argparse.Namespace) -> int:
    """Add a tenant, owned by the caller. Returns the exit code."""
    me = _administrator(session)
    tenant = me.add_tenant(arguments.slug, arguments.name)
    session.output.show(tenant, lambda: f"Tenant '{tenant.slug}' is added, and {cell(me.login)} owns it.")
    return 0


def list_tenants(session: Session, _: argparse.Namespace) -> int:
    """Print the tenants that the user is a member of, with the user's role. Returns the exit code."""
    mine = access.memberships_of(session.db, session.user.id)
    session.output.rows(TENANTS, mine)
    return 0


def add_user(session: Session, arguments: argparse.Namespace) -> int:
    """Add a user. Returns the exit code."""
    user = _administrator(session).add_user(arguments.login, arguments.name)
    session.output.show(user, lambda: f"User '{cell(user.login)}' is added.")
    return 0


def list_users(session: Session, _: argparse.Namespace) -> int:
    """Print all users, each with the roles in the tenants of who asks. Returns the exit code."""
    me = _administrator(session)
    users, roles = me.users(), me.roles()
    session.output.rows(users_listing(roles), users)
    return 0


def list_members(session: Session, arguments: argparse.Namespace) -> int:
    """Print the members of a tenant, of which who asks is one. Returns the exit code."""
    session.output.rows(MEMBERS, access.members_of(session.db, session.user, arguments.slug))
    return 0


def grant(session: Session, arguments: argparse.Namespace) -> int:
    """Give a user a role in a tenant. Returns the exit code."""
    me = _administrator(session)
    granted = me.grant(arguments.login, arguments.tenant, Role(arguments.role))
    session.output.show(
        {
            "user_id": granted.user.id,
            "login": granted.user.login,
            "tenant_id": granted.tenant.id,
            "tenant": granted.tenant.slug,
            "role": granted.role,
        },
        lambda: _told(me, granted),
    )
    return 0


def revoke(session: Session, arguments: argparse.Namespace) -> int:
    """Take the role that a user has in a tenant. Returns the exit code."""
    me = _administrator(session)
    revoked = me.revoke(arguments.login, arguments.tenant)
    names = {"user_id": revoked.user.id, "login": revoked.user.login}
    session.output.show(
        {**names, "tenant_id": revoked.tenant.id, "tenant": revoked.tenant.slug, "before": revoked.before},
        lambda: (
            f"{cell(revoked.user.login)} was {revoked.before} of {revoked.tenant.slug}, and is no member of it any more."
        ),
    )
    return 0


# ---- lists


def _tenant_as_json(one: Membership) -> dict[str, Any]:
    return {**as_json(one.tenant), "role": one.role}


TENANTS: Final[Listing[Membership]] = Listing(
    (
        Column("slug", "TENANT", lambda one: one.tenant.slug, is_name=True),
        Column("name", "NAME", lambda one: one.tenant.name, drop=1, is_name=True),
        Column("role", "YOUR ROLE", lambda one: one.role),
        Column("created_at", "ADDED", lambda one: one.tenant.created_at, is_wide=True),
    ),
    _tenant_as_json,
    "You are a member of no tenant.",
    name="slug",
    fields=("id",),
)


def _member_as_json(one: Member) -> dict[str, Any]:
    return {**as_json(one.user), "role": one.role}


MEMBERS: Final[Listing[Member]] = Listing(
    (
        Column("login", "LOGIN", lambda one: one.user.login, is_name=True),
        Column("name", "NAME", lambda one: one.user.name, drop=1, is_name=True),
        Column("role", "ROLE", lambda one: one.role),
        Column("created_at", "ADDED", lambda one: one.user.created_at, is_wide=True),
    ),
    _member_as_json,
    "The tenant has no members.",
    name="login",
    fields=("id",),
)


def users_listing(roles: Mapping[int, Mapping[str, Role]]) -> Listing[User]:
    """The list of users; `roles` by user's id, then by slug."""

    def of(user: User) -> Mapping[str, Role]:
        return roles.get(user.id, {})

    return Listing(
        (
            Column("login", "LOGIN", lambda one: one.login, is_name=True),
            Column("name", "NAME", lambda one: one.name, drop=2, is_name=True),
            Column("created_at", "ADDED", lambda one: one.created_at, drop=1),
            Column(
                "roles", "ROLES", lambda one: ", ".join(f"{role} of {slug}" for slug, role in of(one).items()) or "-",
                drop=3, is_name=True,
            ),
        ),
        lambda one: {**as_json(one), "roles": dict(of(one))},
        "There are no users.",
        name="login",
        fields=("id",),
    )  # fmt: skip


# ---- texts


def _told(me: Administrator, granted: Granted) -> str:
    text = f"{cell(granted.user.login)} is {granted.role} of {granted.tenant.slug}."
    if granted.user.login == me.login and granted.role is not Role.OWNER:
        return f"{text} That was you: from here on another owner grants roles in {granted.tenant.slug}."
    return text
