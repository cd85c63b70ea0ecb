"""Runs whose worker is gone: who completes them, and when a beat may be judged. Without Huey, since the screens do it, too."""

from __future__ import annotations

import datetime as dt
import threading

from store.db.engine import Database
from store.runs import lifecycle
from store.workers import heartbeats


def give_up_lost(db: Database, lost_after: float, as_of: dt.datetime | None) -> list[str]:
    """Complete the runs whose worker had been silent for so many seconds at that instant (default now).

    Any number may do this at once: each change asks for its condition again. Returns a line for each run that this call has
    completed. Raises DatabaseAway.
    """
    found = heartbeats.stalled_runs(db, lost_after, as_of)
    lost = [run for run in found if lifecycle.fail_lost(db, run, lost_after, as_of)]
    return [f"run {run.id}: worker {run.worker_id} was lost" for run in lost]


class Settled:
    """Says when beats may be judged. After an outage of the database, or a machine's sleep, all beats are old, and none means
    a death: only after looks without a gap for long enough has every living worker beaten again.
    """

    def __init__(self, lost_after: float, beat_every: float) -> None:
        #: A longer gap between two looks is an outage, which may have silenced workers for long enough to look dead.
        self._outage = dt.timedelta(seconds=lost_after / 2)
        #: So long after one, every living worker has beaten again.
        self._recovery = dt.timedelta(seconds=3 * beat_every + 1)
        self._lock = threading.Lock()
        self._since: dt.datetime | None = None
        self._last: dt.datetime | None = None

    def seen(self, at: dt.datetime) -> None:
        """The database has answered at that instant of its clock, which goes on when this machine sleeps."""
        with self._lock:
            # A clock that was put back is one, too: what was seen by the one before says nothing of the beats by this one.
            if self._since is None or self._last is None or abs(at - self._last) > self._outage:
                self._since = at
            self._last = at

    @property
    def as_of(self) -> dt.datetime | None:
        """The instant of the last look, as of which beats may be judged; None while they may not."""
        with self._lock:
            is_settled = self._since and self._last and self._last - self._since >= self._recovery
            return self._last if is_settled else None
