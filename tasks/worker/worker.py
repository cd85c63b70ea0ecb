"""A worker process: takes messages, beats, stores progress, enforces deadlines, rescues runs, lets schedules fire, and stops
in an orderly way.
"""

from __future__ import annotations

import importlib.metadata
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from store.db.engine import Database
from store.errors import WorkerUnknown
from store.workers import heartbeats
from store.workers.intervals import beat_interval
from tasks.queue.faults import Faults
from tasks.queue.queue import Queue
from tasks.sdk.context import OperationResources
from tasks.sdk.registry import Registry
from tasks.worker.executor import RunExecutor
from tasks.worker.heartbeat import Heartbeat
from tasks.worker.rescuer import Rescuer, RescueTimeouts
from tasks.worker.scheduler import Scheduler

_TICK: Final = 0.1
_HEALTH_EVERY: Final = 10.0

logger = logging.getLogger("opsmon.worker")


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """Options of a worker. Times are in seconds."""

    #: Runs carried out at a time.
    slots: int = 4
    #: Between two beats.
    beat_every: float = 5.0
    #: Between two passes of the rescuer.
    rescue_every: float = 5.0
    #: Between two looks at the schedules of backups.
    schedule_every: float = 10.0
    #: How long active runs may go on after SIGTERM.
    grace: float = 30.0
    #: Whether it belongs to the screens of a single login.
    embedded: bool = False
    rescue_timeouts: RescueTimeouts = field(default_factory=RescueTimeouts)


class Worker:
    """One worker. `run` returns after `stop` was called and everything is cleaned up."""

    def __init__(
        self,
        db: Database,
        registry: Registry,
        tools: OperationResources,
        options: WorkerOptions,
        queue: Queue | None = None,
    ) -> None:
        """Registers the worker. `queue` defaults to the queue in the same database."""
        self._db = db
        self._options = options
        self._queue = queue or Queue(db)
        self._stop = threading.Event()
        self._hurry = threading.Event()
        self._over = threading.Event()
        self._unknown: WorkerUnknown | None = None
        self.id = heartbeats.register(
            db,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=importlib.metadata.version("opsmon"),
            slots=options.slots,
            embedded=options.embedded,
        )
        self._faults = Faults(db)
        self._executor = RunExecutor(db, self.id, registry, tools, self._faults)
        self.beat_every = beat_interval(options.beat_every, options.rescue_timeouts.lost_after)
        self._heartbeat = Heartbeat(
            db,
            self.id,
            self.beat_every,
            self._executor.stuck_slots,
            options.rescue_timeouts.lost_after,
            self._hear_of_pause,
        )
        self._rescuer = Rescuer(db, self._queue, options.rescue_timeouts, self._faults)
        self._scheduler = Scheduler(db, self._queue, registry, self._faults)

    def stop(self) -> None:
        """Take no more messages, and give active runs the grace time to end. A second call ends the grace time."""
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    def run(self) -> None:
        """Work until `stop` is called. Raises WorkerUnknown, after cleaning up, if the database was replaced by an older copy."""
        consumer = self._queue.consumer(self._execute, self._options.slots, self._faults)
        loops = [
            (self._beat, self.beat_every),
            (self._tick, _TICK),
            (self._rescue, self._options.rescue_every),
            (self._schedule, self._options.schedule_every),
        ]
        for action, every in loops:
            threading.Thread(target=self._repeat, args=(action, every), name=action.__name__, daemon=True).start()
        self._faults.attempt("beat", self._beat)  # before taking the first message: the queue may be paused
        consumer.start()
        logger.info("worker %s is ready: %s slots, database %s", self.id, self._options.slots, self._db.name)
        while not self._stop.wait(_HEALTH_EVERY):
            consumer.check_worker_health()
        consumer.stop_flag.set()
        self._executor.close()
        self._wind_down()
        if self._unknown:
            raise self._unknown

    def _hear_of_pause(self, is_paused: bool) -> None:
        if self._queue.set_paused(is_paused):
            logger.info("worker %s: the queue is %s", self.id, "paused" if is_paused else "resumed")

    def _execute(self, run_id: int) -> None:
        def execute() -> None:
            if not self._executor.execute(run_id):
                self._queue.enqueue(run_id)  # it was taken just as this worker stopped

        # Its message is gone and nobody will retry it, so this failure must not prolong a fault.
        if not self._faults.attempt(what := f"carry out run {run_id}", execute):
            self._faults.went_well(what)

    def _wind_down(self) -> None:
        logger.info("worker %s stops: waiting up to %s s for what runs", self.id, self._options.grace)
        deadline = time.monotonic() + self._options.grace
        while not self._executor.wait_until_idle(_TICK) and time.monotonic() < deadline and not self._hurry.is_set():
            pass
        self._faults.attempt("complete what runs", self._executor.stop)
        self._over.set()
        self._faults.attempt("sign off", lambda: heartbeats.deregister(self._db, self.id))
        logger.info("worker %s has stopped", self.id)

    def _beat(self) -> None:
        try:
            self._heartbeat.beat()
        except WorkerUnknown as error:
            # With this id it can claim nothing, and another worker may get the same id. A new process registers again.
            self._unknown = error
            self.stop()
            raise

    def _tick(self) -> bool:
        return self._executor.flush_and_expire()

    def _rescue(self) -> None:
        self._beat()
        # Judge as of that beat: an outage that begins now must not make the others look lost when it ends.
        if as_of := self._heartbeat.trusted_as_of:
            self._rescuer.rescue(as_of)

    def _schedule(self) -> None:
        self._scheduler.tick()

    def _repeat(self, action: Callable[[], object], every: float) -> None:
        while not self._over.is_set():
            # Whatever fails, try again in the next round.
            self._faults.attempt(action.__name__.strip("_"), action)
            self._over.wait(every)
