"""The embedded database: creates it, migrates it, and gives it an owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from store import schema
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
    schema.make_current(db, advice="set OPSMON_DATABASE_URL to a place of your own")
    from opsmon.login import login_name

    Administrator(db, login_name()).bootstrap_owner(TENANT)
