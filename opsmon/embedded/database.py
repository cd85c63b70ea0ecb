"""The embedded database: creates it, migrates it, and gives it an owner."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from store import schema
from store.errors import DatabaseAway
from store.people.admin import Administrator

if TYPE_CHECKING:
    from opsmon.services import Services


TENANT: Final = "local"


def prepare(services: Services) -> None:
    """Create the embedded database if it is missing, migrate it if it is older, and give it an owner if it has none.

    Does nothing for other databases: their operators take care of them. Raises SchemaMismatch if it is newer than this
    program, and DatabaseAway if it cannot be created or read.
    """
    if not services.settings.is_embedded:
        return
    db = services.db
    _make_file(Path(db.url.database or ""))
    found = schema.state(db)
    if found is schema.State.NEWER:
        schema.require_current(db)
    if found is not schema.State.CURRENT:
        schema.upgrade(db)
    from opsmon.login import login_name

    Administrator(db, login_name()).bootstrap_owner(TENANT)


def _make_file(path: Path) -> None:
    """Create the file, readable by its owner only. An existing file keeps its permissions."""
    try:
        path.absolute().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise DatabaseAway(
            f"the database {path} cannot be made ({error.strerror})", "set OPSMON_DATABASE_URL to a place of your own"
        ) from None
