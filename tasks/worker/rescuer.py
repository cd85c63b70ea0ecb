"""What puts right what died: runs of lost workers, runs whose message was never queued, messages that were lost.

Any number of rescuers may run at once. Each change asks for its condition again in its own UPDATE, so one of them makes it.
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass
from typing import Final

from store.db.engine import Database
from store.errors import QueueUnavailable
from store.model.records import Run
from store.runs import lifecycle
from store.workers import heartbeats
from tasks.queue.faults import Faults
from tasks.queue.queue import Queue
from tasks.worker.lost_runs import give_up_lost

#: If this many messages wait, the queue is busy, and a message that is not among them may well stand behind them.
LOOK_AT: Final = 1000

_QUEUE_AGAIN: Final = "queue what waits"

logger = logging.getLogger("opsmon.rescue")


@dataclass(frozen=True, slots=True)
class RescueTimeouts:
    """Seconds after which something counts as dead."""

    #: A worker without a beat.
    lost_after: float = 30.0
    #: A queued run whose message was never queued: longer than any dispatch may take.
    never_queued_after: float = 10.0
    #: A queued run whose message is not in the queue, counted from when it was queued last.
    message_lost_after: float = 60.0


class Rescuer:
    """One pass at a time; see `rescue`."""

    def __init__(self, db: Database, queue: Queue, timeouts: RescueTimeouts, faults: Faults | None = None) -> None:
        self._db = db
        self._faults = faults or Faults(db)
        self._refused = 0
        self._queue = queue
        self._timeouts = timeouts

    def rescue(self, as_of: dt.datetime | None = None) -> list[str]:
        """One pass. Returns a line for each thing that was put right. Raises DatabaseAway.

        `as_of`, an instant of the database's clock, default now, is when a worker must have been silent for too long.
        """
        self._refused = 0
        done = give_up_lost(self._db, self._timeouts.lost_after, as_of)
        waiting = heartbeats.undelivered_runs(
            self._db, never_queued_for=self._timeouts.never_queued_after, queued_for=self._timeouts.message_lost_after
        )
        if waiting:
            messages = self._queue.waiting(LOOK_AT)
            done += [line for run in waiting if (line := self._queue_again(run, messages))]
        if not self._refused:
            self._faults.went_well(_QUEUE_AGAIN)
        for line in done:
            logger.warning("%s", line)
        return done

    def _queue_again(self, run: Run, messages: list[int]) -> str | None:
        if run.id in messages:
            return None
        if run.dispatched_at is None:
            return self._queue_first(run)
        if (
            len(messages) >= LOOK_AT
            or lifecycle.redispatch(self._db, run.id, self._timeouts.message_lost_after) is None
        ):
            return None
        return f"run {run.id}: its message was lost and is queued again" if self._send(run) else None

    def _queue_first(self, run: Run) -> str | None:
        # Two rescuers may both send; the second message finds nothing to claim. Marking comes after: it tells the initiator.
        if not self._send(run):
            return None
        marked = lifecycle.mark_dispatched(self._db, run.id, by_rescuer=True)
        return f"run {run.id}: had never been queued and now is" if marked else None

    def _send(self, run: Run) -> bool:
        try:
            self._queue.send(run.id)
        except QueueUnavailable as error:
            self._refused += 1
            self._faults.failed(_QUEUE_AGAIN, error)
            return False
        return True
