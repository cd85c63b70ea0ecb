"""`opsmon tenants` and `opsmon users`: administration, for owners only, and the list of the user's own tenants."""

from __future__ import annotations

import argparse

from opsmon.cli.commands.session import Session
from opsmon.output import as_json, cell, table
from store.people import access
from store.people.access import Role
from store.people.admin import Administrator, Granted


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
    session.output.show(
        [{**as_json(member.tenant), "role": member.role} for member in mine],
        lambda: (
            table(("TENANT", "NAME", "YOUR ROLE"), [(m.tenant.slug, m.tenant.name, m.role) for m in mine])
            if mine
            else "You are a member of no tenant."
        ),
    )
    return 0


def add_user(session: Session, arguments: argparse.Namespace) -> int:
    """Add a user. Returns the exit code."""
    user = _administrator(session).add_user(arguments.login, arguments.name)
    session.output.show(user, lambda: f"User '{cell(user.login)}' is added.")
    return 0


def list_users(session: Session, _: argparse.Namespace) -> int:
    """Print all users. Returns the exit code."""
    users = _administrator(session).users()
    session.output.show(
        users, lambda: table(("LOGIN", "NAME", "ADDED"), [(u.login, u.name, u.created_at) for u in users])
    )
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


def _told(me: Administrator, granted: Granted) -> str:
    text = f"{cell(granted.user.login)} is {granted.role} of {granted.tenant.slug}."
    if granted.user.login == me.login and granted.role is not Role.OWNER:
        return f"{text} That was you: from here on another owner grants roles in {granted.tenant.slug}."
    return text
