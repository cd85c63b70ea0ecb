"""What the screens need of the rest of the house: made by the front door, and by tests."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from screens.terminal import Kind
from store.errors import OpsmonError
from store.filters import RunFilter
from store.queries import Matching
from store.records import User
from store.snapshot import Request, Snapshot
from store.views import View

if TYPE_CHECKING:
    from tasks.dispatch import Dispatcher

T = TypeVar("T")


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


class Keeps(Protocol):
    """What is kept for the user. Every call may block, or raise DatabaseAway."""

    def views(self) -> tuple[View, ...]:
        """The named views."""

    def keep_view(self, view: View) -> tuple[View, ...]:
        """Keep a view, and return all. Raises InputInvalid."""

    def delete_view(self, name: str) -> tuple[View, ...]:
        """Keep a view no longer, and return the others."""

    def seen_at(self) -> dt.datetime | None:
        """When the user was last there, by the database's clock."""

    def mark_seen(self, at: dt.datetime) -> None:
        """The user was there at that instant."""


@dataclass(frozen=True)
class Backend:
    """`fetch` reads a snapshot, `mark_read` (user id, run id or None, newest id or None) stores what was seen, `matching`
    (filter, tab, limit) finds all runs that match, `hold_queue` pauses the queue (True) or resumes it and returns whether that
    is new.

    All of them may block or raise, and are called in threads only: those of `background`, and the poller's. `dispatcher` makes
    the dispatcher at its first call.
    """

    user: User
    database: str
    fetch: Callable[[Request, int], Snapshot]
    dispatcher: Callable[[], Dispatcher]
    mark_read: Callable[[int, int | None, int | None], None]
    matching: Callable[[RunFilter, str, int], Matching]
    keeps: Keeps
    hold_queue: Callable[[bool], bool]
    poll_seconds: float = 1.0
    lost_after: float = 30.0
    #: Seconds without a beat after which a worker is said to be silent.
    silent_after: float = 10.0
    #: Seconds without any worker after which that is said: where one is started beside the screens, it takes a moment.
    nobody_after: float = 0.0
    #: Whether this session completes what lost workers leave behind.
    rescues: Callable[[], bool] = lambda: True
    background: Background = field(default_factory=Background)


@dataclass(frozen=True)
class Look:
    """How the screens look and sound, as the settings say it. `keys` are keys by the ids of bindings."""

    theme: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    notify_by: Kind | None = None
    #: Whether a key that acts on one thing asks first.
    asks: bool = True


PLAIN = Look()
