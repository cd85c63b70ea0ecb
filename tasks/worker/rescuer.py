"""Rescues runs of lost workers, runs whose message was never queued, and runs whose message was lost; gives up previews of
restores that are too old to be executed.

Any number of rescuers may run at once: each UPDATE checks its condition again, so only one of them makes a change.
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass
from typing import Final

from store.db.engine import Database
from store.errors import QueueUnavailable
from store.model.records import Run
from store.runs import lifecycle, restore_work, restoring
from store.workers import heartbeats
from tasks.queue.faults import Faults
from tasks.queue.queue import Queue
from tasks.worker.lost_runs import give_up_lost

#: Messages to examine. If as many wait, a message that is not among them may still stand behind them.
LOOK_AT: Final = 1000
#: Old previews that one pass gives up at most.
PREVIEWS: Final = 100

_QUEUE_AGAIN: Final = "queue what waits"

logger = logging.getLogger("opsmon.rescue")


@dataclass(frozen=True, slots=True)
class RescueTimeouts:
    """Times in seconds after which something counts as lost."""

    #: For a worker: since its last beat.
    lost_after: float = 30.0
    #: For a run whose message was never queued: since its creation. Longer than any dispatch may take.
    never_queued_after: float = 10.0
    #: For a run whose message is not in the queue: since it was last queued.
    message_lost_after: float = 60.0
    #: For the preview of a restore: since the target was read.
    preview_after: float = restoring.MAX_AGE


class Rescuer:
    """Carries out rescues, one pass at a time."""

    def __init__(self, db: Database, queue: Queue, timeouts: RescueTimeouts, faults: Faults | None = None) -> None:
        self._db = db
        self._faults = faults or Faults(db)
        self._refused = 0
        self._queue = queue
        self._timeouts = timeouts

    def rescue(self, as_of: dt.datetime | None = None) -> list[str]:
        """Make one pass. Returns a line for each rescue. Raises DatabaseAway.

        A worker counts as lost if it was silent for too long as of `as_of`, an instant of the database's clock
        (default: now).
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
        done += self._give_up_previews()  # last: what is in its way must not keep runs from being rescued
        for line in done:
            logger.warning("%s", line)
        return done

    def _give_up_previews(self) -> list[str]:
        given_up = restore_work.abandon_old(self._db, self._timeouts.preview_after, PREVIEWS)
        return [f"restore {number}: its preview was too old and is given up" for number in given_up]

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
        # Two rescuers may both send; the second message finds nothing to claim. Mark it afterwards: that notifies the initiator.
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
