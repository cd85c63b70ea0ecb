"""The demo's second worker: a small one, which is killed now and then in the middle of a run, and comes again.

It is a child of the process that keeps it and ends with it: it reads a pipe from there, as the embedded worker does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Final

from opsmon.embedded.worker import LOG_VARIABLE
from store.db.engine import Database
from store.model.records import Run, Status
from store.workers import health

#: Seconds from the start to the first kill at the earliest, between two kills at least, and until it comes again.
FIRST_KILL: Final = 10.0
KILL_EVERY: Final = 60.0
GONE_FOR: Final = 5.0
#: Runs that it carries out at a time.
SLOTS: Final = 1


class SecondWorker:
    """Keeps the worker's process. Call `look` again and again, and `end` at last."""

    def __init__(self, db: Database, lost_after: float, clock: Callable[[], float]) -> None:
        """`lost_after` and `clock` are in seconds."""
        self._db = db
        self._lost_after = lost_after
        self._clock = clock
        self._child: subprocess.Popen[bytes] | None = None
        self._start_at = clock()
        self._kill_at = clock() + FIRST_KILL

    @property
    def pid(self) -> int | None:
        """The process id; None while there is no process."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    def look(self, running: Sequence[Run]) -> int | None:
        """Start the worker if it is time; kill it if it is time and it carries out one of these runs.

        Returns the id of the run that it was killed in, or None. Raises DatabaseAway.
        """
        if self.pid is None:
            self._perhaps_start()
            return None
        if self._clock() < self._kill_at or (run := self._has(running)) is None:
            return None
        self.end()
        self._start_at, self._kill_at = self._clock() + GONE_FOR, self._clock() + KILL_EVERY
        return run.id

    def end(self) -> None:
        """Kill the process, if there is one, and wait for it."""
        child, self._child = self._child, None
        if child is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        if child.stdin is not None:
            child.stdin.close()

    def _perhaps_start(self) -> None:
        # Not before the embedded worker has registered: of two, the one that registered first stays.
        if self._clock() >= self._start_at and health.workers_alive(self._db, self._lost_after):
            self.end()
            self._start_at = self._clock() + GONE_FOR  # if it cannot start
            self._child = _start()

    def _has(self, running: Sequence[Run]) -> Run | None:
        alive = health.workers_alive(self._db, self._lost_after)
        mine = {worker.id for worker in alive if worker.pid == self.pid}
        return next((run for run in running if run.status is Status.RUNNING and run.worker_id in mine), None)


def _start() -> subprocess.Popen[bytes]:
    # A log file in the demo's folder could make the folder again, just after it was removed.
    return subprocess.Popen(  # noqa: S603 (our own command)
        [sys.executable, "-P", "-m", "opsmon", "worker", "--embedded", "--workers", str(SLOTS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, LOG_VARIABLE: os.devnull},
        start_new_session=True,
    )
