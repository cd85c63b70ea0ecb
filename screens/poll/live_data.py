"""What the poller has brought: the newest snapshot, how fresh it is, and what is wrong with the house."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from screens.backend import Backend
from screens.poll import trouble
from screens.poll.poller import Arrived, Freshness, Poller
from store.snapshot import Request, Snapshot

#: How much slower a pane that nobody looks at polls.
BLURRED = 5
#: Seconds between two polls that + and - choose from.
RATES: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


class LiveData:
    """For the application's own thread; `deliver` gets what the poller brings in the poller's."""

    def __init__(self, backend: Backend, deliver: Callable[[Arrived], None], seconds: float | None = None) -> None:
        """Polls once in `seconds`, or as often as the backend says."""
        self._backend = backend
        request = Request(backend.user.id, lost_after=backend.lost_after, silent_after=backend.silent_after)
        self.poller = Poller(backend.fetch, deliver, request, seconds or backend.poll_seconds)
        self._freshness = Freshness()
        self._rate = self.poller.interval
        self._without_worker_since: float | None = None
        self.snapshot: Snapshot | None = None
        #: The poll that the snapshot is of: what an older one brings later is dropped.
        self._newest = 0
        #: The last poll that has come back, with or without a snapshot.
        self.generation = 0
        #: How fresh the snapshot is, in words.
        self.words = "loading"
        #: What is wrong, in one line.
        self.trouble = ""

    @property
    def error(self) -> str:
        """Why the last poll has failed; "" when it has not."""
        return self._freshness.error

    def take(self, arrived: Arrived) -> Snapshot | None:
        """Take what the poller has brought. Returns its snapshot if that is newer than the one of before."""
        self.generation = max(self.generation, arrived.generation)
        self._freshness.arrived(arrived.error)
        new = arrived.snapshot
        if new is None or arrived.generation <= self._newest:
            return None
        self.snapshot, self._newest = new, arrived.generation
        if new.workers:
            self._without_worker_since = None
        elif self._without_worker_since is None:
            self._without_worker_since = time.monotonic()
        return new

    def tick(self) -> bool:
        """Put freshness and trouble into words as of now. Returns whether they are others than before."""
        words = self._freshness.words(self.poller.interval, self.poller.paused)
        without = 0.0 if self._without_worker_since is None else time.monotonic() - self._without_worker_since
        wrong = trouble.words(self.error, self.snapshot, without, self._backend.nobody_after)
        changed = (words, wrong) != (self.words, self.trouble)
        self.words, self.trouble = words, wrong
        return changed

    def slow_down(self) -> None:
        """Nobody looks."""
        self.poller.interval = BLURRED * self._rate

    def speed_up(self) -> None:
        """Somebody looks again."""
        self.poller.interval = self._rate
        self.poller.poke()

    def change_rate(self, by: int) -> float:
        """Go over to the next slower rate (1), or the next quicker one (-1). Returns the seconds between two polls."""
        others = [rate for rate in RATES if (rate > self._rate if by > 0 else rate < self._rate)]
        if others:
            self._rate = min(others) if by > 0 else max(others)
            self.speed_up()
        return self._rate
