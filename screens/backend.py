"""What the screens need of the rest of the house: made by the front door, and by tests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from store.records import User
from store.snapshot import Request, Snapshot

if TYPE_CHECKING:
    from tasks.dispatch import Dispatcher

T = TypeVar("T")


@dataclass(frozen=True)
class Backend:
    """`fetch` reads a snapshot, `mark_read` (user id, run id or None, newest id or None) stores what was seen.

    All of them may block or raise, and are called in threads only. `dispatcher` makes the dispatcher at its first call.
    """

    user: User
    database: str
    fetch: Callable[[Request, int], Snapshot]
    dispatcher: Callable[[], Dispatcher]
    mark_read: Callable[[int, int | None, int | None], None]
    poll_seconds: float = 1.0
    lost_after: float = 30.0


def in_background(work: Callable[[], T], done: Callable[[T | Exception], None]) -> None:
    """Do `work` in a daemon thread, then call `done` there with its result or error. Quitting never waits for it."""

    def run() -> None:
        try:
            result: T | Exception = work()
        except Exception as error:
            result = error
        done(result)

    threading.Thread(target=run, name="background", daemon=True).start()
