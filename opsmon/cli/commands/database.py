"""`opsmon db` and `opsmon doctor`: upgrades and checks the database's schema, and diagnoses the installation."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from opsmon.cli.commands.session import Session
from store import schema
from store.errors import NotFound, OpsmonError, SchemaMismatch

if TYPE_CHECKING:
    from opsmon.doctor import Asker


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
    """Run the checks of `opsmon doctor`. Returns the exit code."""
    from opsmon.doctor import run

    return run(session.services, _asker(session), session.output.json, arguments.probe)


def _exists(session: Session) -> bool:
    db = session.services.db
    return not db.is_sqlite or Path(db.url.database or "").exists()


def _asker(session: Session) -> Asker:
    """Who runs the command, as far as a faulty database can tell. Raises Forbidden."""
    from opsmon.doctor import Asker

    try:
        return Asker(session.user)
    except NotFound:
        return Asker()
    except OpsmonError as error:
        if error.exit_code != 1:
            raise
        return Asker(unknown=str(error))
