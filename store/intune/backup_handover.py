"""Backup sets that leave the database, or come into it, by a person's hand: what the audit trail says of them, and what
stays of an import that did not get to its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from store.db.engine import Database
from store.intune import backups
from store.intune.backup_records import NewSet
from store.intune.backup_sets import BackupSet
from store.model.records import Tenant, User
from store.people import audit


def note_export(db: Database, user: User, found: BackupSet, detail: Mapping[str, Any]) -> None:
    """Note that the user takes a set with its bodies out of the database. Checks no right."""
    with db.write() as connection:
        _audit(connection, audit.BACKUP_EXPORTED, user, found.tenant_id, found.id, detail)


@contextmanager
def importing(db: Database, tenant: Tenant, new: NewSet) -> Iterator[int]:
    """Begin a set, and remove it if what fills it raises, or is interrupted. Checks no right. A process that is killed
    leaves a set that is not finished, and says so.
    """
    set_id = backups.begin(db, tenant.id, new)
    try:
        yield set_id
    except BaseException:
        discard(db, set_id)
        raise


def discard(db: Database, set_id: int) -> None:
    """Remove a set that an import has begun."""
    with db.write() as connection:
        backups.remove(connection, set_id)


def note_import(
    db: Database, user: User, tenant: Tenant, set_id: int, detail: Mapping[str, Any], *, finished: bool
) -> None:
    """Note that a set was imported, and, if it is `finished`, that everything that was asked for was looked at."""
    with db.write() as connection:
        if finished:
            backups.note_end(connection, set_id)
        _audit(connection, audit.BACKUP_IMPORTED, user, tenant.id, set_id, detail)


def _audit(
    connection: sa.Connection, action: str, user: User, tenant_id: int, set_id: int, detail: Mapping[str, Any]
) -> None:
    subject = f"backup set {set_id}"
    audit.record(
        connection, action, subject, login=user.login, user_id=user.id, tenant_id=tenant_id, detail=dict(detail)
    )
