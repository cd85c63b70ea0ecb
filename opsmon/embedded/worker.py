"""The embedded worker: runs beside the screens while no other worker does.

It is a separate process in its own session, so neither Ctrl-C in the terminal nor a hung operation affects the other.
It reads its standard input, a pipe from the screens, and stops when that ends; so it never outlives the screens,
however they end.
"""

from __future__ import annotations

import contextlib
import logging.handlers
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from store.backoff import Backoff
from store.errors import OpsmonError
from store.workers import health

if TYPE_CHECKING:
    from opsmon.services import Services
    from store.model.records import Worker
    from tasks.worker.worker import Worker as RunningWorker


#: Seconds until the first check for workers, after the first paint of the screens, and between two checks.
FIRST_LOOK: Final = 0.4
LOOK_EVERY: Final = 2.0
#: Seconds until a dead worker is restarted, longer after each one in a row that failed at start-up.
BACK_OFF: Final = Backoff(first=1.0, longest=60.0)
#: A worker that lived longer than this, in seconds, did not fail at start-up.
SETTLED: Final = 60.0
#: Seconds that active runs may go on after the screens have ended.
EOF_GRACE: Final = 5.0
#: Log rotation: maximum bytes per file, and rotated files kept.
LOG_BYTES: Final = 1_000_000
LOG_FILES: Final = 2
#: Not a setting: the demo uses it to place the worker's log in its own folder.
LOG_VARIABLE: Final = "OPSMON_EMBEDDED_LOG"


def log_file(environment: Mapping[str, str]) -> Path:
    """The log file of the embedded worker, in the user's folder for logs: the terminal belongs to the screens."""
    import platformdirs

    named = environment.get(LOG_VARIABLE)
    return Path(named) if named else Path(platformdirs.user_log_dir("opsmon", appauthor=False)) / "worker.log"


# ---- the child's side


def log_handler() -> logging.Handler:
    """The embedded worker's log handler: a file of limited size.

    Redirects standard output and error to nowhere: what operations print would let that file grow without limit.
    """
    path = log_file(os.environ)
    _open_log(path).close()
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8")


def stop_at_eof(worker: RunningWorker, grace: float = EOF_GRACE) -> None:
    """Stop the worker when standard input ends, which means that the screens have ended. Runs get at most `grace` seconds."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        worker.stop()
        time.sleep(grace)
        worker.stop()

    threading.Thread(target=wait, name="stop-at-eof", daemon=True).start()


# ---- the parent's side


@contextlib.contextmanager
def worker_beside(services: Services) -> Iterator[None]:
    """Keep a worker running within this block if the database is embedded; workers of other databases are their
    operators' task.
    """
    if not services.settings.is_embedded:
        yield
        return
    worker = EmbeddedWorker(services)
    worker.start()
    try:
        yield
    finally:
        worker.stop()


class EmbeddedWorker:
    """Keeps one worker on this database: a child process, unless another worker beats.

    All work happens in a daemon thread. If two start at once, the worker that registered first stays.
    """

    def __init__(self, services: Services, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`, in seconds, measures how long a child lived and when the next one may start."""
        self._db = services.db
        self._clock = clock
        self._lost_after: float = services.settings.lost_after_seconds
        self._environment = {**os.environ, "OPSMON_DATABASE_URL": services.settings.database_url}
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._pids: set[int] = set()
        self._redundant = False
        self._started = 0.0
        self._deaths = 0
        self._not_before = 0.0

    @property
    def pid(self) -> int | None:
        """The child's process id; None while there is no child."""
        child = self._child
        return child.pid if child and child.poll() is None else None

    def start(self) -> None:
        """Start the supervising thread, and return at once."""
        self._thread = threading.Thread(target=self._supervise, name="embedded-worker", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 0.0) -> bool:
        """Ask the child to end, by closing its standard input, and wait up to `timeout` seconds.

        Returns whether the child and the thread have ended; otherwise they end by themselves a few seconds later.
        """
        deadline = time.monotonic() + timeout
        self._stopping.set()
        with self._lock:
            child = self._child
        if child is not None:
            _close(child)
        if self._thread is not None:
            self._thread.join(max(0.0, deadline - time.monotonic()))
        return (self._thread is None or not self._thread.is_alive()) and _has_ended(child, deadline)

    def kill(self) -> None:
        """Kill the child and wait for it. Only for a database that nobody will read again."""
        self.stop()
        with self._lock:
            child = self._child
        if child is not None and child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()

    # ---- in the thread

    def _supervise(self) -> None:
        pause = FIRST_LOOK
        while not self._stopping.wait(pause):
            pause = LOOK_EVERY
            # While the database is away nothing is known about workers; a child that cannot be started is tried again.
            with contextlib.suppress(OpsmonError, OSError):
                self._look()

    def _look(self) -> None:
        if self._child is not None and self._child.poll() is not None:
            self._reap()
        alive = health.workers_alive(self._db, self._lost_after)
        others = [worker for worker in alive if not self._is_own(worker) and not _is_gone(worker)]
        if self._child is None:
            if not others and self._clock() >= self._not_before:
                self._spawn()
        elif not self._redundant and self._is_redundant(alive, others):
            # Its active runs get the full grace time.
            self._redundant = True
            self._child.terminate()

    def _is_own(self, worker: Worker) -> bool:
        return worker.pid in self._pids and worker.host == socket.gethostname()

    def _is_redundant(self, alive: Sequence[Worker], others: Sequence[Worker]) -> bool:
        mine = next((worker.id for worker in alive if self._is_own(worker) and worker.pid == self.pid), None)
        return any(not other.embedded or mine is None or other.id < mine for other in others)

    def _spawn(self) -> None:
        with self._lock, _open_log(log_file(self._environment)) as log:
            if self._stopping.is_set():
                return
            self._child = _start_child(self._environment, log)
            self._pids.add(self._child.pid)
            self._started, self._redundant = self._clock(), False

    def _reap(self) -> None:
        now = self._clock()
        self._deaths = 0 if self._redundant or now - self._started > SETTLED else self._deaths + 1
        self._not_before = now + BACK_OFF.pause(self._deaths)
        with self._lock:
            if self._child is not None:
                _close(self._child)
            self._child = None


def _start_child(environment: Mapping[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start the child. `log` takes its output until it opens its own log, which is the same file."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "opsmon", "worker", "--embedded"],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        env=environment,
        start_new_session=True,
    )


def _open_log(path: Path) -> IO[bytes]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def _close(child: subprocess.Popen[bytes]) -> None:
    if child.stdin is not None:
        child.stdin.close()


def _has_ended(child: subprocess.Popen[bytes] | None, deadline: float) -> bool:
    if child is None:
        return True
    try:
        child.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True


def _is_gone(worker: Worker) -> bool:
    """Whether a worker on this machine no longer exists, although its last beat is recent."""
    if worker.host != socket.gethostname():
        return False
    try:
        os.kill(worker.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False
