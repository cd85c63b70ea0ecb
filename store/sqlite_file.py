"""The file of an SQLite database, which may be deleted, moved or replaced while it is open.

A connection goes on in the file that it has opened, wherever that is by now: what it writes nobody would ever find, and what it
reads is old. So each connection knows its file, and asks before each use whether that is still the one at the path.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from store.errors import DatabaseAway, DatabaseGone

#: Device and inode.
Identity = tuple[int, int]


class Opened(sqlite3.Connection):
    """A connection that knows its file."""

    file: Identity | None = None


class SqliteFile:
    """The file at one path, for all connections of a process to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._was_there = False

    def connect(self, arguments: Sequence[Any], options: Mapping[str, Any]) -> Opened:
        """sqlite3.connect, which makes a file only when there never was one. Raises DatabaseGone and DatabaseAway."""
        before = self._identity()
        if before is None and self._was_there:
            raise self._gone()
        connection: Opened = sqlite3.connect(*arguments, **{**options, "factory": Opened})
        connection.file = self._identity()
        if before not in (None, connection.file):  # which of the two was opened, nobody knows
            connection.close()
            raise self._replaced()
        self._was_there = True
        return connection

    def require(self, connection: Opened) -> None:
        """Raises DatabaseGone when the connection's file is not at the path any more."""
        now = self._identity()
        if now is None:
            raise self._gone()
        if now != connection.file:
            raise self._replaced()

    def _identity(self) -> Identity | None:
        try:
            found = os.stat(self.path)  # noqa: PTH116 (it is asked for each transaction: a third of Path.stat's time)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise DatabaseAway("the database file cannot be reached", f"{self.path}: {error.strerror}") from None
        return found.st_dev, found.st_ino

    def _gone(self) -> DatabaseGone:
        return DatabaseGone("the database file is gone", str(self.path))

    def _replaced(self) -> DatabaseGone:
        return DatabaseGone("the database file was replaced by another one", str(self.path))
