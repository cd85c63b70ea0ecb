"""Lets the schedules of backups fire, and queues the runs that they open.

Any number of schedulers may run at once, in any number of workers: each minute of a schedule is written once. A pause of the
queue changes nothing here: runs are opened and queued, and wait there.
"""

from __future__ import annotations

import logging
from typing import Final

from store.db.engine import Database
from store.errors import QueueUnavailable
from store.intune.schedule_records import What
from store.runs import lifecycle, ticking
from tasks.queue.faults import Faults
from tasks.queue.queue import Queue
from tasks.sdk.registry import Registry

_QUEUE: Final = "queue what schedules opened"

logger = logging.getLogger("opsmon.schedules")


class Scheduler:
    """Carries out schedules, one pass at a time."""

    def __init__(self, db: Database, queue: Queue, registry: Registry, faults: Faults | None = None) -> None:
        self._db = db
        self._queue = queue
        self._registry = registry
        self._faults = faults or Faults(db)

    def tick(self) -> tuple[ticking.Ticked, ...]:
        """Make one pass; returns what it wrote. It does nothing where the operation that carries out schedules is not known.

        Raises DatabaseAway.
        """
        if ticking.TYPE not in self._registry.operations:
            return ()
        done = ticking.tick(self._db)
        for one in done:
            logger.log(_LEVELS[one.what], "%s", _line(one))
        sent = [self._send(one.run.id) for one in done if one.run and one.what is What.OPENED]
        if all(sent):
            self._faults.went_well(_QUEUE)
        return done

    def _send(self, run_id: int) -> bool:
        """Queue the run. If the queue refuses, nobody waits for an answer: a rescuer queues it, so it need not fail."""
        try:
            self._queue.send(run_id)
        except QueueUnavailable as error:
            self._faults.failed(_QUEUE, error)
            return False
        lifecycle.mark_dispatched(self._db, run_id)
        return True


_LEVELS: Final = {
    What.OPENED: logging.INFO,
    What.JOINED: logging.INFO,
    What.MISSED: logging.WARNING,
    What.FAILED: logging.WARNING,
}


def _line(one: ticking.Ticked) -> str:
    run = f" run {one.run.id}" if one.run else ""
    detail = f": {one.detail}" if one.detail else ""
    return f"schedule {one.schedule_id} of {one.minute:%Y-%m-%d %H:%M} UTC: {one.what}{run}{detail}"
