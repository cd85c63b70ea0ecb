"""`opsmon db` and `opsmon doctor`: upgrades and checks the database's schema, and diagnoses the installation."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from opsmon.cli.commands.session import Session
from store import schema
from store.errors import NotFound, OpsmonError, SchemaMismatch
from store.people import access

if TYPE_CHECKING:
    from opsmon.doctor import Asker
    from store.model.records import User


def upgrade(session: Session, _: argparse.Namespace) -> int:
    """Run the missing migrations and print the revision. Returns the exit code."""
    db = session.services.db
    before = schema.revision(db) if _exists(session) else None
    schema.upgrade(db)
    now = schema.revision(db)
    session.output.show(
        {"revision": now, "upgraded_from": before, "changed": now != before},
        lambda: f"The schema is {'now ' if now != before else ''}at revision {now}, which is the newest.",
    )
    return 0


def check(session: Session, _: argparse.Namespace) -> int:
    """Print what the schema lacks. Returns the exit code; raises SchemaMismatch, after printing, if it lacks anything."""
    db = session.services.db
    if not _exists(session):
        raise SchemaMismatch(f"there is no database {db.url.database}", "run 'opsmon db upgrade'")
    lacking = schema.missing(db)
    session.output.show(
        {"revision": schema.revision(db), "newest": schema.HEAD, "missing": lacking},
        lambda: "\n".join(lacking) if lacking else "The schema is up to date.",
    )
    if not lacking:
        return 0
    schema.require_current(db)
    raise SchemaMismatch(f"the schema differs in {len(lacking)} places", "restore it, or compare it with a fresh one")


def doctor(session: Session, arguments: argparse.Namespace) -> int:
    """Run the checks of `opsmon doctor`. Returns the exit code. Raises NotFound for a tenant that the user is no member of."""
    from opsmon.doctor import run

    tenants = tuple(dict.fromkeys(arguments.tenants or ()))
    asker = _asker(session, is_stranger_refused=bool(tenants))
    if asker.user:
        for slug in tenants:
            _require_view(session, asker.user, slug)
    return run(session.services, asker, session.output.json, arguments.probe, tenants)


def _require_view(session: Session, user: User, slug: str) -> None:
    """Raise NotFound if the user is no member of the tenant. A database that fails now is found faulty by the checks."""
    try:
        access.require_right(session.services.db, user, slug, access.Right.VIEW)
    except OpsmonError as error:
        if error.exit_code != 1:
            raise


def _exists(session: Session) -> bool:
    db = session.services.db
    return not db.is_sqlite or Path(db.url.database or "").exists()


def _asker(session: Session, is_stranger_refused: bool) -> Asker:
    """Who runs the command, as far as a faulty database can tell. Raises Forbidden; NotFound for a stranger who is refused."""
    from opsmon.doctor import Asker

    try:
        return Asker(session.user)
    except NotFound:
        if is_stranger_refused:
            raise
        return Asker()
    except OpsmonError as error:
        if error.exit_code != 1:
            raise
        return Asker(unknown=str(error))
