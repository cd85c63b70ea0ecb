"""The database that a login has to itself: made, migrated and given an owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from store import schema
from store.people.admin import Administrator

if TYPE_CHECKING:
    from opsmon.services import Services


TENANT: Final = "local"


def prepare(services: Services) -> None:
    """Make the embedded database when it is not there, migrate it when it is older, give it an owner when it has none.

    Does nothing for other databases: those are their operators'. Raises SchemaMismatch when it is newer than this
    program, and DatabaseAway when it cannot be made or read.
    """
    if not services.settings.is_embedded:
        return
    db = services.db
    schema.make_current(db, advice="set OPSMON_DATABASE_URL to a place of your own")
    from opsmon.login import login_name

    Administrator(db, login_name()).bootstrap_owner(TENANT)
