"""The session of a command: services, user and output. Each is made at first use."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from opsmon.cli.splash import Splash
from opsmon.output import Output
from store.errors import SchemaMismatch

if TYPE_CHECKING:
    from opsmon.services import Services
    from store.db.engine import Database
    from store.model.records import User


@dataclass
class Session:
    """The session of one command. `as_login` is the value of --as; `splash` may be shown until the screens are ready."""

    as_login: str | None
    output: Output
    splash: Splash = field(default_factory=Splash)

    @cached_property
    def services(self) -> Services:
        """The services, from the settings. Raises InputInvalid if the settings cannot be read."""
        from opsmon import settings
        from opsmon.services import Services

        return Services(settings.load())

    @cached_property
    def db(self) -> Database:
        """The database, which exists and has this program's schema. Raises SchemaMismatch and DatabaseAway."""
        from store import schema

        db = self.services.db
        if db.is_sqlite and not Path(db.url.database or "").exists():  # connecting would create an empty file
            raise SchemaMismatch(f"there is no database {db.url.database}", "run 'opsmon' or 'opsmon db upgrade'")
        schema.require_current(db, "run 'opsmon' or 'opsmon db upgrade'" if db.is_sqlite else "run 'opsmon db upgrade'")
        return db

    @cached_property
    def user(self) -> User:
        """The user who runs the command. Raises Forbidden if --as is not allowed, NotFound if the login is not a user."""
        from opsmon.login import who

        return who(self.db, self.as_login)

    def close(self) -> None:
        """Close the services, if they were used."""
        if "services" in self.__dict__:
            self.services.close()
