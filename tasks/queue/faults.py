"""Limits how often a worker logs that its database is away: at the start, once a minute while it lasts, and at the end.

When the database is away, everything in a worker fails at once, in many threads and many times a second, for the same
reason. Log level DEBUG shows every attempt.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable
from typing import Final

from store.db.engine import Database
from store.errors import OpsmonError

#: Seconds between two log lines about a lasting fault.
AGAIN_AFTER: Final = 60.0

logger = logging.getLogger("opsmon.worker")


class Faults:
    """Collects the faults of one process. Thread-safe."""

    def __init__(self, db: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._clock = clock
        self._lock = threading.Lock()
        #: Actions whose last attempt failed. The fault lasts while there are any.
        self._failing: set[str] = set()
        #: Error codes logged for this fault. A new code is logged at once: a server that was away may come back read-only.
        self._told: set[str] = set()
        self._began = self._last = 0.0
        #: By place in the code: when an unexpected error was last logged, and how many have occurred there since.
        self._unforeseen: dict[str, tuple[float, int]] = {}

    def attempt(self, what: str, action: Callable[[], object]) -> bool:
        """Call `action` and log what it raises instead of raising it. Returns whether it raised nothing.

        An `action` that returns False found out nothing about the database: it does not end the fault.
        """
        try:
            with self._db.our_errors():
                is_well = action() is not False
        except OpsmonError as error:
            self.failed(what, error)
            return False
        except Exception as error:
            self._log_unforeseen(what, error)
            return False
        if is_well:
            self.went_well(what)
        return True

    def failed(self, what: str, error: OpsmonError) -> None:
        """Record that an attempt at `what` failed with an expected error."""
        logger.debug("cannot %s: %s", what, error)
        with self._lock:
            now = self._clock()
            if not self._failing:
                self._began = now
                self._told.clear()
            self._failing.add(what)
            if error.code in self._told and now - self._last < AGAIN_AFTER:
                return
            lasts = f"for {_span(now - self._began)}: " if error.code in self._told else ""
            self._told.add(error.code)
            self._last = now
            logger.warning("%scannot %s: %s", lasts, what, error)

    def went_well(self, what: str) -> None:
        """Record that an attempt at `what` succeeded."""
        with self._lock:
            if what not in self._failing:
                return
            self._failing.remove(what)
            if not self._failing:
                logger.warning("the database is well again, after %s", _span(self._clock() - self._began))

    def _log_unforeseen(self, what: str, error: Exception) -> None:
        place = _place(error)
        with self._lock:
            now = self._clock()
            last, count = self._unforeseen.get(place, (now - AGAIN_AFTER, 0))
            if now - last < AGAIN_AFTER:
                self._unforeseen[place] = last, count + 1
                return
            self._unforeseen[place] = now, 0
        logger.error("cannot %s%s", what, f" (and {count} times before)" if count else "", exc_info=error)


def _place(error: Exception) -> str:
    """The type of the error, and the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__, limit=-1)
    return f"{type(error).__name__} {frames[-1].filename}:{frames[-1].lineno}" if frames else type(error).__name__


def _span(seconds: float) -> str:
    return f"{int(seconds)} s" if seconds < 60 else f"{int(seconds // 60)} min"
