"""Ends database calls that get no answer."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

from sqlalchemy.engine.interfaces import DBAPIConnection


class Watchdog:
    """Shuts down the sockets of overdue connections, from a daemon thread: their blocked calls then raise at once."""

    _TICK = 0.5

    def __init__(self) -> None:
        self._watched: dict[int, tuple[DBAPIConnection, float]] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def watching(self, connection: Any, seconds: float) -> Iterator[None]:
        """Shut the connection down if this block takes longer than `seconds`."""
        key = id(connection)
        with self._lock:
            self._watched[key] = (connection, time.monotonic() + seconds)
            self._start()
        try:
            yield
        finally:
            with self._lock:
                self._watched.pop(key, None)

    def stop(self) -> None:
        """End the thread. The next `watching` starts another one."""
        with self._lock:
            self._stop.set()
            self._thread = None

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():  # it does not survive a fork
            self._stop = threading.Event()
            self._thread = threading.Thread(target=self._run, args=(self._stop,), name="database-watchdog", daemon=True)
            self._thread.start()

    def _run(self, stop: threading.Event) -> None:
        while not stop.wait(self._TICK):
            with self._lock:
                now = time.monotonic()
                overdue = [key for key, (_, deadline) in self._watched.items() if deadline < now]
                for key in overdue:
                    _shut_down(self._watched.pop(key)[0])


def _shut_down(connection: Any) -> None:
    # A duplicate of the descriptor: closing our socket object must not close the driver's.
    with contextlib.suppress(Exception):
        duplicate = os.dup(connection.fileno())
        with socket.socket(fileno=duplicate) as ours:
            ours.shutdown(socket.SHUT_RDWR)
