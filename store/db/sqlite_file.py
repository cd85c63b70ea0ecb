"""The file of an SQLite database, which may be deleted, moved or replaced while it is open.

A connection continues to use the file that it opened, wherever that is now: it would read old data, and its writes would be
lost. So each connection remembers its file, and before each use `SqliteFile` checks that this file is still at the path.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from store.errors import DatabaseAway, DatabaseGone, DatabaseReadOnly

#: A file's device and inode.
Identity = tuple[int, int]


class Opened(sqlite3.Connection):
    """A connection that remembers its file."""

    #: The file that was opened.
    file: Identity | None = None
    #: Whether it was opened read-only because the file was not writable. Each new connection checks that again.
    only_reads: bool = False


class SqliteFile:
    """The file at one path, for all connections of a process to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._was_there = False

    def connect(self, arguments: Sequence[Any], options: Mapping[str, Any]) -> Opened:
        """sqlite3.connect, except that it does not recreate a file that has existed. Raises DatabaseGone and DatabaseAway."""
        before = self._identity()
        if before is None and self._was_there:
            raise self._gone()
        only_reads = before is not None and not self._may_write()
        if only_reads:
            arguments, options = [self._uri_for_reading(), *arguments[1:]], {**options, "uri": True}
        connection: Opened = sqlite3.connect(*arguments, **{**options, "factory": Opened})
        connection.only_reads = only_reads
        connection.file = self._identity()
        if before not in (None, connection.file):  # it is unknown which of the two was opened
            connection.close()
            raise self._replaced()
        self._was_there = True
        return connection

    def require(self, connection: Opened) -> None:
        """Raises DatabaseGone if the connection's file is no longer at the path."""
        now = self._identity()
        if now is None:
            raise self._gone()
        if now != connection.file:
            raise self._replaced()

    def _identity(self) -> Identity | None:
        try:
            found = os.stat(self.path)  # noqa: PTH116 (called for each transaction; takes a third of Path.stat's time)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise DatabaseAway("the database file cannot be reached", f"{self.path}: {error.strerror}") from None
        return found.st_dev, found.st_ino

    def only_reads(self) -> DatabaseReadOnly:
        """The error for a refused write."""
        return DatabaseReadOnly(
            "the database only reads", f"{self.path}, or its folder, may not be written by this user"
        )

    def _may_write(self) -> bool:
        if not os.access(self.path, os.R_OK):
            raise DatabaseAway("the database file may not be read by this user", str(self.path))
        beside = [f"{self.path}{end}" for end in ("-wal", "-shm")]
        return os.access(self.path, os.W_OK) and (
            os.access(self.path.absolute().parent, os.W_OK) or all(os.access(path, os.W_OK) for path in beside)
        )

    def _uri_for_reading(self) -> str:
        """The URI of a read-only connection.

        While another process has the file open, there is a -wal, which must be read too. Without one SQLite would have to create
        it; but then nobody has the file open, and it can be read as immutable for the length of a transaction.
        """
        is_in_use = Path(f"{self.path}-wal").exists()
        return f"{self.path.absolute().as_uri()}?{'mode=ro' if is_in_use else 'mode=ro&immutable=1'}"

    def _gone(self) -> DatabaseGone:
        return DatabaseGone("the database file is gone", str(self.path))

    def _replaced(self) -> DatabaseGone:
        return DatabaseGone("the database file was replaced by another one", str(self.path))
