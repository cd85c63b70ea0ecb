"""Runs blocking work in daemon threads, and continues with its result in the application's own thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import Enum
from typing import TypeVar

from screens.gate import Gate
from store.errors import OpsmonError

T = TypeVar("T")


class Keys(Enum):
    """What happens to keys during background work. Esc always acts at once.

    GO_ON: keys are handled as usual. WAIT: they wait until the work is done. ARE_FOR_IT: they wait because they are
    meant for what the work opens; then esc abandons it.
    """

    GO_ON = "go on"
    WAIT = "wait"
    ARE_FOR_IT = "are for it"


class Background:
    """Daemon threads for blocking work. Quitting does not wait for them; before closing a database, call `wait`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()

    def start(self, work: Callable[[], T], done: Callable[[T | Exception], None]) -> None:
        """Run `work` in a thread, then call `done` in the same thread with its result or its exception."""
        thread = threading.Thread(target=self._do, args=(work, done), name="background", daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait until all work has ended, at most this many seconds. Returns whether it has."""
        deadline = time.monotonic() + seconds
        while threads := self._running():
            threads[0].join(max(0.0, deadline - time.monotonic()))
            if time.monotonic() >= deadline:
                return not self._running()
        return True

    def _running(self) -> list[threading.Thread]:
        with self._lock:
            return list(self._threads)

    def _do(self, work: Callable[[], T], done: Callable[[T | Exception], None]) -> None:
        try:
            try:
                result: T | Exception = work()
            except Exception as error:
                result = error
            except BaseException as error:  # a plug-in may call sys.exit(): keys may be waiting for the result
                result = OpsmonError(f"it ended with {type(error).__name__}", str(error) or None)
            done(result)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())


class BackgroundTasks:
    """Background work of one application. `call_soon` calls a function in the application's own thread, from any
    thread.
    """

    def __init__(self, threads: Background, gate: Gate, call_soon: Callable[[Callable[[], None]], None]) -> None:
        self._threads = threads
        self._gate = gate
        self._call_soon = call_soon

    def run(self, work: Callable[[], T], then: Callable[[T | Exception], None], keys: Keys = Keys.GO_ON) -> None:
        """Run `work` in a thread, then call `then` in the application's own thread with its result or its exception."""
        if keys is Keys.GO_ON:
            self._threads.start(work, lambda result: self._call_soon(lambda: then(result)))
            return
        hold = self._gate.hold(can_be_given_up=keys is Keys.ARE_FOR_IT)

        def unless_given_up(result: T | Exception) -> None:
            if self._gate.let_go(hold):
                then(result)

        self._threads.start(work, lambda result: self._call_soon(lambda: unless_given_up(result)))
