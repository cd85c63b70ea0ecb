"""What blocks is done in a daemon thread; with its result the application goes on in its own thread."""

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
    """What becomes of keys while something is done in the background. Esc always acts at once.

    They go on, they wait until it is done, or they wait because it opens what they are meant for; then esc gives it up.
    """

    GO_ON = "go on"
    WAIT = "wait"
    ARE_FOR_IT = "are for it"


class Background:
    """Work done aside, in daemon threads: quitting never waits for it. Whoever closes a database can wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()

    def start(self, work: Callable[[], T], done: Callable[[T | Exception], None]) -> None:
        """Do `work` in a thread, then call `done` there with its result or error."""
        thread = threading.Thread(target=self._do, args=(work, done), name="background", daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait until nothing is being done any more, at most so long. Returns whether that is so."""
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
            except BaseException as error:  # somebody's code that exits: keys may be waiting for what comes of it
                result = OpsmonError(f"it ended with {type(error).__name__}", str(error) or None)
            done(result)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())


class BackgroundTasks:
    """Work of one application. `call_soon` calls a function in the application's own thread, from any other."""

    def __init__(self, threads: Background, gate: Gate, call_soon: Callable[[Callable[[], None]], None]) -> None:
        self._threads = threads
        self._gate = gate
        self._call_soon = call_soon

    def run(self, work: Callable[[], T], then: Callable[[T | Exception], None], keys: Keys = Keys.GO_ON) -> None:
        """Do `work` in a thread and go on with its result, or error, in the application's own thread."""
        if keys is Keys.GO_ON:
            self._threads.start(work, lambda result: self._call_soon(lambda: then(result)))
            return
        hold = self._gate.hold(can_be_given_up=keys is Keys.ARE_FOR_IT)

        def unless_given_up(result: T | Exception) -> None:
            if self._gate.let_go(hold):
                then(result)

        self._threads.start(work, lambda result: self._call_soon(lambda: unless_given_up(result)))
