"""The worker's heartbeat, and from when it may judge the beats of others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from store.db.engine import Database
from store.workers import heartbeats
from tasks.worker.lost_runs import Settled


class Heartbeat:
    """Writes the worker's beats, in a thread of its own so that nothing else delays them."""

    def __init__(
        self,
        db: Database,
        worker_id: int,
        every: float,
        stuck_slots: Callable[[], int],
        lost_after: float = 30.0,
        on_beat: Callable[[bool], None] = lambda queue_is_paused: None,
    ) -> None:
        """`every` and `lost_after` are in seconds. `on_beat` is called after each beat with whether the queue is paused."""
        self._db = db
        self._on_beat = on_beat
        self._worker_id = worker_id
        self._settled = Settled(lost_after, every)
        self._stuck_slots = stuck_slots

    def beat(self) -> None:
        """Write one beat. Raises DatabaseAway, and WorkerUnknown if this worker is not registered."""
        beat = heartbeats.heartbeat(self._db, self._worker_id, self._stuck_slots())
        at = beat.at
        self._on_beat(beat.queue_is_paused)
        self._settled.seen(at)

    @property
    def trusted_as_of(self) -> dt.datetime | None:
        """The instant of the last beat, as of which other workers' beats may be judged; None while they may not."""
        return self._settled.as_of
