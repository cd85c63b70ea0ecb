"""Huey's storages in the runs' database, with fewer round trips."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

from huey import PostgresHuey, SqliteHuey
from huey.api import Huey
from huey.storage import PostgresStorage, SqliteStorage

from store.db.engine import Database
from store.errors import DatabaseGone
from store.workers.queue_sql import ENQUEUE_SQL
from tasks.queue.message import RunIdSerializer

NAME: Final = "opsmon"


class _NoRevocation:
    """Saves four round trips per message: opsmon neither revokes runs through Huey nor stores results there."""

    def is_revoked(self, task: Any, timestamp: Any = None, peek: bool = True) -> bool:
        return False

    def delete(self, key: str) -> bool:
        return False


class AnothersTurn(Exception):
    """Another slot is reading the queue at the moment."""


class _PostgresStorage(PostgresStorage):  # type: ignore[misc]
    """Huey's storage with one round trip per message instead of four, and with one slot waiting for the next message, not all."""

    def __init__(self, *args: Any, paused: threading.Event, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._listener_lock = threading.Lock()
        self._paused = paused
        # One listening connection for all threads, used by the slot that holds the lock. With Huey's one per thread, each message
        # would wake every slot.
        self._listen_local = SimpleNamespace()

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        try:
            self._enqueue(data, priority)
        except Exception:
            if not (self._conn and self._conn.broken):
                raise
            # The connection died since its last use. If the message had arrived after all, it is queued twice, which does no harm.
            self._enqueue(data, priority)

    def _enqueue(self, data: bytes, priority: float | None) -> None:
        with self.db() as cursor:
            cursor.execute(ENQUEUE_SQL, (self.name, data, priority or 0, self.channel))

    def _dequeue(self) -> bytes | None:
        # Checked here too, so that a slot already waiting takes nothing. It keeps listening: unread notifications would pile
        # up on the server.
        if self._paused.is_set():
            return None
        data: bytes | None = super()._dequeue()
        return data

    def dequeue(self) -> bytes | None:
        if not self._listener_lock.acquire(timeout=self.read_timeout):
            raise AnothersTurn
        try:
            data: bytes | None = super().dequeue()
            return data
        finally:
            self._listener_lock.release()


class _PostgresHuey(_NoRevocation, PostgresHuey):  # type: ignore[misc]
    storage_class = _PostgresStorage


class _SqliteStorage(SqliteStorage):  # type: ignore[misc]
    """Huey's storage with opsmon's connections: Huey's own wait for the disk at every commit, and write to a deleted file."""

    def __init__(
        self,
        *args: Any,
        connection: Callable[[], Any],
        require: Callable[[Any], None],
        paused: threading.Event,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._paused = paused
        self._create_connection = connection
        self._require = require

    _conn: Any

    @property
    def conn(self) -> Any:
        if self._conn is not None:
            try:
                self._require(self._conn)
            except DatabaseGone:
                self._conn.close()
                self._conn = None
                raise
        return super().conn

    def dequeue(self) -> bytes | None:
        if self._paused.is_set():
            return None
        data: bytes | None = super().dequeue()
        return data


class _SqliteHuey(_NoRevocation, SqliteHuey):  # type: ignore[misc]
    storage_class = _SqliteStorage


def make_huey(db: Database, paused: threading.Event) -> Huey:
    """A Huey on the runs' database, of the kind that the database needs. While `paused` is set, it hands out no messages."""
    settings = {"results": False, "serializer": RunIdSerializer(), "create_tables": False}
    settings |= {"connection": db.driver_connection, "paused": paused}
    if db.is_sqlite:
        return _SqliteHuey(NAME, require=db.require_its_file, **settings)
    return _PostgresHuey(NAME, **settings)
