"""Completes the runs of lost workers, and decides when beats may be judged. Free of Huey, because screens use it, too."""

from __future__ import annotations

import datetime as dt
import threading

from store.db.engine import Database
from store.runs import lifecycle
from store.workers import heartbeats


def give_up_lost(db: Database, lost_after: float, as_of: dt.datetime | None) -> list[str]:
    """Complete the runs whose worker had been silent for `lost_after` seconds as of `as_of` (default: now).

    Any number of processes may do this at once: each UPDATE checks its condition again. Returns a line for each run
    that this call completed. Raises DatabaseAway.
    """
    found = heartbeats.stalled_runs(db, lost_after, as_of)
    lost = [run for run in found if lifecycle.fail_lost(db, run, lost_after, as_of)]
    return [f"run {run.id}: worker {run.worker_id} was lost" for run in lost]


class Settled:
    """Decides when beats may be judged.

    After an outage of the database, or sleep of this machine, all beats are old, and an old beat does not mean a lost
    worker. Only after a period of observations without a gap has every living worker beaten again.
    """

    def __init__(self, lost_after: float, beat_every: float) -> None:
        #: A longer gap between two observations counts as an outage: living workers may look lost after it.
        self._outage = dt.timedelta(seconds=lost_after / 2)
        #: This long after an outage, every living worker has beaten again.
        self._recovery = dt.timedelta(seconds=3 * beat_every + 1)
        self._lock = threading.Lock()
        self._since: dt.datetime | None = None
        self._last: dt.datetime | None = None

    def seen(self, at: dt.datetime) -> None:
        """Record that the database answered at this instant of its own clock, which continues while this machine sleeps."""
        with self._lock:
            # A clock set back counts as an outage, too: earlier observations do not compare with beats by the new clock.
            if self._since is None or self._last is None or abs(at - self._last) > self._outage:
                self._since = at
            self._last = at

    @property
    def as_of(self) -> dt.datetime | None:
        """The instant of the last observation, as of which beats may be judged; None while they may not."""
        with self._lock:
            is_settled = self._since and self._last and self._last - self._since >= self._recovery
            return self._last if is_settled else None
