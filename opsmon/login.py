"""Identifies the user: by the login name of the process's user id. No environment variable can change it."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from store.db.engine import Database
from store.errors import Forbidden, NotFound
from store.model.records import User
from store.people import access


def login_name() -> str:
    """The login name of the user who runs this process. Raises NotFound if the system knows none."""
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        raise NotFound(f"the user id {uid} has no login name on this system", "run opsmon as a user that has") from None


def login_for(db: Database, as_login: str | None) -> str:
    """The login to act as: the user's own, or `as_login` if allowed. Raises Forbidden, and NotFound as `login_name`
    does.

    The owner of an SQLite file can write anything into it, so `--as` gives them no additional power.
    """
    if as_login is None:
        return login_name()
    if not owns_file_of(db):
        raise Forbidden("--as is for the owner of an embedded database", "leave it out")
    return as_login


def owns_file_of(db: Database) -> bool:
    """Whether the database is an SQLite file owned by the process's user."""
    if not db.is_sqlite or not db.url.database:
        return False
    try:
        return Path(db.url.database).stat().st_uid == os.getuid()
    except OSError:
        return False


def who(db: Database, as_login: str | None = None) -> User:
    """The user to act as. Raises Forbidden, and NotFound if opsmon knows no such user."""
    return access.find_user(db, login_for(db, as_login))
