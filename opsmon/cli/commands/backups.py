"""`opsmon backups list`, `create` and `show`: backup sets of the user's tenants."""

from __future__ import annotations

import argparse

from opsmon.cli.backup_text import SETS, ShownSet, shown_as_json, shown_text
from opsmon.cli.commands import runs
from opsmon.cli.commands.session import Session
from opsmon.cli.kind_names import known_kinds
from store.intune import backup_listing, backup_sets
from store.intune.backup_sets import BackupSet, SetWanted
from store.people import access
from tasks.graph.resources import KINDS


def list_sets(session: Session, arguments: argparse.Namespace) -> int:
    """Print the newest backup sets, of one tenant or of all. Returns the exit code."""
    user, tenant, limit = session.user, arguments.tenant, arguments.limit
    with session.db.read() as connection:
        members = access.read_memberships(connection, user.id)
        if tenant is None:
            found = backup_sets.newest(connection, members, limit)
        else:
            found = backup_sets.sets(connection, members, tenant, limit).sets
    session.output.rows(SETS, found)
    return runs.DONE


def create(session: Session, arguments: argparse.Namespace) -> int:
    """Start `backup_set.create`, as `opsmon start` does. Returns the exit code, of the run if waited for."""
    given = {
        "name": arguments.name,
        "kinds": ",".join(known_kinds(arguments.kinds)) or None,
        "policies": ",".join(arguments.policies) or None,
        "filter": arguments.filter,
    }
    wanted = argparse.Namespace(
        type="backup_set.create",
        tenant=arguments.tenant,
        parameters=[(name, text) for name, text in given.items() if text is not None],
        wait=arguments.wait,
    )
    return runs.start(session, wanted)


def show(session: Session, arguments: argparse.Namespace) -> int:
    """Print a set, its kinds, and what is missing of its items. Returns the exit code."""
    user, kind = session.user, arguments.kind
    with session.db.read() as connection:
        members = access.read_memberships(connection, user.id)
        detail = backup_sets.detail(connection, members, SetWanted(arguments.set_id))
    there = [one.kind for one in detail.kinds]
    if kind is not None:
        known_kinds([kind], there)
    wanted = [kind] if kind is not None else [*there, *(one.name for one in KINDS)]
    shown = ShownSet(
        detail.found,
        [one for one in detail.kinds if one.kind in wanted],
        [one.name for one in KINDS if one.name in wanted and one.name not in there],
        backup_listing.all_items(session.db, detail.found.id, kind or ""),
    )
    session.output.show(shown_as_json(shown), lambda: shown_text(shown))
    return runs.DONE


def visible_set(session: Session, set_id: int) -> BackupSet:
    """A set of a tenant that the user is a member of. Raises NotFound."""
    user = session.user
    with session.db.read() as connection:
        return backup_sets.one(connection, access.read_memberships(connection, user.id), set_id)
