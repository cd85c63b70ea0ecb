"""Translates errors of the drivers into opsmon's. An error that indicates a bug is not translated."""

from __future__ import annotations

import sqlite3
from typing import Any, Final

from sqlalchemy.exc import DBAPIError

from store.errors import DatabaseAway, DatabaseGone, DatabaseReadOnly, InputInvalid, OpsmonError, SchemaMismatch

_LOCKED: Final = "55P03"
_READ_ONLY: Final = "25006"
_NO_RIGHT: Final = "42501"
_SCHEMA_STATES: Final = ("42P01", "42703", "3F000")  # undefined table, column, schema
# SQLSTATE classes and codes: connections, resources, shutdown and time-outs, locks, roles, missing databases, deadlocks,
# system and internal errors. Errors in a statement are not among them.
_AWAY_STATES: Final = ("08", "53", "57", "55P03", "28", "3D", "25", "40", "58", "XX")
_NO_SCHEMA: Final = ("no such table", "no such column", "table operation_runs has no column")
#: The lowest byte of SQLite's extended error code is the primary code.
_PRIMARY: Final = 0xFF


def translate(error: Exception, driver: Any, lock: float, busy: float) -> OpsmonError | None:
    """The OpsmonError for an error of SQLAlchemy or the driver; None if there is none.

    `lock` and `busy` are the time-outs for locks, in seconds, on PostgreSQL and SQLite.
    """
    is_broken = isinstance(error, DBAPIError) and error.connection_invalidated
    theirs: Any = error.orig if isinstance(error, DBAPIError) else error
    text = str(theirs).strip()
    first_line = text.splitlines()[0] if text else type(theirs).__name__
    reason = redact(first_line)
    state = getattr(theirs, "sqlstate", None)
    if state is not None:
        return _of_postgresql(state, is_broken, reason, lock)
    code = getattr(theirs, "sqlite_errorcode", None)
    if code is not None:
        return _of_sqlite(code & _PRIMARY, theirs, driver, reason, busy)
    if first_line.startswith("invalid connection option"):
        return InputInvalid("the database URL cannot be used", reason)
    if "FATAL:" in first_line and "does not exist" in first_line and 'database "' in first_line:
        return DatabaseGone("the database is not there", reason)
    if is_broken or isinstance(theirs, driver.OperationalError | driver.InterfaceError):
        return DatabaseAway("the database does not answer", reason)
    return None


def _of_postgresql(state: str, is_broken: bool, reason: str, lock: float) -> OpsmonError | None:
    if state in _SCHEMA_STATES:
        return _no_schema()
    if state == _READ_ONLY:
        return DatabaseReadOnly("the database only reads", reason)
    if state == _NO_RIGHT:
        return DatabaseAway("the database's role lacks rights", reason)
    if state == _LOCKED:
        return DatabaseAway(f"the database has been locked for {lock:g} s", reason)
    if is_broken or state.startswith(_AWAY_STATES):
        return DatabaseAway("the database does not answer", reason)
    return None


def _of_sqlite(code: int, theirs: Exception, driver: Any, reason: str, busy: float) -> OpsmonError | None:
    if reason.startswith(_NO_SCHEMA):
        return _no_schema()
    if code == sqlite3.SQLITE_READONLY:
        return DatabaseReadOnly("the database only reads", reason)
    if code == sqlite3.SQLITE_BUSY:
        return DatabaseAway(f"the database has been locked for {busy:g} s", reason)
    if type(theirs) is driver.DatabaseError:  # SQLite raises it for a file that is damaged or not a database
        return DatabaseAway("the database cannot be read", reason)
    return DatabaseAway("the database does not answer", reason) if isinstance(theirs, driver.OperationalError) else None


def _no_schema() -> OpsmonError:
    return SchemaMismatch("the database's tables are not those of this program", "run 'opsmon db upgrade'")


def redact(text: str) -> str:
    """Sanitize a line from outside for display: at most 160 characters, without secrets."""
    from store.sanitizer.sanitize import sanitize

    return sanitize(text, 160)
