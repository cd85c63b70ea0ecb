"""What tests of the embedded worker need: its child begun warm, a clock that they move, and its looks counted."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from opsmon.embedded.worker import EmbeddedWorker, log_file
from tests.support.forked import Forked
from tests.support.waiting import HANG, wait_for
from tests.support.worker import plugins


class WarmChild:
    """What `subprocess.Popen` is to the embedded worker: the same process with the same pipe, forked from a warm one."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        log = log_file(environment)
        argv = ["worker", "--embedded"]
        self._forked = Forked(argv, environment, folder, log, [str(plugins(folder))], piped=True, session=True)
        self.pid, self.stdin = self._forked.pid, self._forked.stdin

    def poll(self) -> int | None:
        return self._forked.poll()

    def terminate(self) -> None:
        self._forked.terminate()

    def wait(self, timeout: float = HANG) -> int:
        try:
            return self._forked.wait(timeout)
        except AssertionError:
            raise subprocess.TimeoutExpired("opsmon worker", timeout) from None


def warm_children(folder: Path) -> Callable[[Mapping[str, str], IO[bytes]], WarmChild]:
    """For `embedded._start_child`; they know the tests' operations."""
    return lambda environment, _: WarmChild(environment, folder)


class Clock:
    """Stands still until a test moves it on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Looks:
    """How often each embedded worker has begun to look for other workers, and has ended that."""

    def __init__(self, look: Callable[[EmbeddedWorker], None]) -> None:
        self._look = look
        #: Called with the worker when a look begins.
        self.before: Callable[[EmbeddedWorker], object] = lambda worker: None
        self.begun: Counter[EmbeddedWorker] = Counter()
        self.ended: Counter[EmbeddedWorker] = Counter()

    def look(self, worker: EmbeddedWorker) -> None:
        self.begun[worker] += 1
        self.before(worker)
        try:
            self._look(worker)
        finally:
            self.ended[worker] += 1

    def more(self, worker: EmbeddedWorker, count: int = 3) -> None:
        """Wait until so many looks that begin from now on have ended."""
        wanted = self.begun[worker] + count
        wait_for(lambda: self.ended[worker] >= wanted, f"{count} more looks at the workers")
