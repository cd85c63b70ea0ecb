"""`opsmon tenants` and `opsmon users`: administration, which is for owners, and the list of your tenants."""

from __future__ import annotations

import argparse

from opsmon.commands.session import Session
from opsmon.output import as_json, cell, table
from store import access


def add_tenant(session: Session, arguments: argparse.Namespace) -> int:
    access.require_administrator(session.db, session.user_if_known)
    tenant = access.add_tenant(session.db, arguments.slug, arguments.name)
    advice = f"opsmon users grant LOGIN --tenant {tenant.slug} --role owner"
    session.output.show(tenant, lambda: f"Tenant '{tenant.slug}' is added. It has no owner yet: {advice}")
    return 0


def list_tenants(session: Session, _: argparse.Namespace) -> int:
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
    access.require_administrator(session.db, session.user_if_known)
    user = access.add_user(session.db, arguments.login, arguments.name)
    session.output.show(user, lambda: f"User '{cell(user.login)}' is added.")
    return 0


def list_users(session: Session, _: argparse.Namespace) -> int:
    access.require_administrator(session.db, session.user_if_known)
    users = access.all_users(session.db)
    session.output.show(
        users,
        lambda: (
            table(("LOGIN", "NAME", "ADDED"), [(u.login, u.name, u.created_at) for u in users])
            if users
            else "There are no users."
        ),
    )
    return 0


def grant(session: Session, arguments: argparse.Namespace) -> int:
    access.require_administrator(session.db, session.user_if_known, arguments.tenant)
    role = access.Role(arguments.role)
    access.grant(session.db, arguments.login, arguments.tenant, role)
    user = access.find_user(session.db, arguments.login)
    given = next(m for m in access.memberships_of(session.db, user.id) if m.tenant.slug == arguments.tenant)
    session.output.show(
        {
            "user_id": user.id,
            "login": user.login,
            "tenant_id": given.tenant.id,
            "tenant": given.tenant.slug,
            "role": given.role,
        },
        lambda: f"{cell(user.login)} is {given.role} of {given.tenant.slug}.",
    )
    return 0
