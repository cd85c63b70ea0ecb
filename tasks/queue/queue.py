"""The queue: sends messages within a bounded time, and delivers them to the slots of a worker. Built on Huey.

Huey's storage deletes a message when it delivers it, so the queue says nothing about a run's status: only the run's row
does.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Final

from huey.api import Huey
from huey.consumer import Consumer, Scheduler
from huey.consumer import Worker as Slot
from huey.registry import Message

from store.db.engine import Database
from store.errors import OpsmonError, QueueUnavailable
from tasks.queue.faults import Faults
from tasks.queue.huey_storage import AnothersTurn, make_huey
from tasks.queue.message import TASK, NoMessage, message_id, named_task, read_message

#: Poll interval of an idle worker on SQLite, in seconds: SQLite cannot wake it. Huey's default backs off to 10 s.
SQLITE_POLL: Final = 0.2

logger = logging.getLogger("opsmon.queue")


class _NoSchedule(Scheduler):  # type: ignore[misc]
    """Does nothing: opsmon schedules nothing through Huey, and on SQLite its scheduler would take the write lock every second."""

    def loop(self, now: Any = None) -> None:
        self.stop_flag.wait(1.0)


class _Slot(Slot):  # type: ignore[misc]
    """Huey's worker thread, except that it does not log a traceback for every failed read of the queue."""

    faults: Faults

    def loop(self, now: Any = None) -> None:
        found: list[Any] = []
        if not self.faults.attempt("take messages", lambda: self._take(found)):
            self.sleep()
        elif task := next(iter(found), None):
            self.delay = self.default_delay
            self.huey.execute(task, now)
        elif not self.huey.storage.blocking:
            self.sleep()

    def _take(self, found: list[Any]) -> bool:
        try:
            found.append(self.huey.dequeue())
        except AnothersTurn:
            return False
        except NoMessage:
            logger.warning("something that is no message of opsmon was in the queue, and was dropped")
        return True


class _Consumer(Consumer):  # type: ignore[misc]
    """Huey's consumer for use inside opsmon's worker, which handles the signals itself."""

    worker_class = _Slot
    scheduler_class = _NoSchedule

    def __init__(self, huey: Huey, faults: Faults, **settings: Any) -> None:
        self._faults = faults
        super().__init__(huey, **settings)

    def _create_worker(self) -> _Slot:
        slot: _Slot = super()._create_worker()
        slot.faults = self._faults
        return slot

    def _set_signal_handlers(self) -> None:
        pass


class Queue:
    """Sends and delivers messages. Connects at first use. Thread-safe."""

    def __init__(self, db: Database, timeout: float = 3.0) -> None:
        """`timeout` bounds `send`, in seconds."""
        self._db = db
        self._timeout = timeout
        self._lock = threading.Lock()
        self._huey: Huey | None = None
        # Kept here, not in the storage: after a time-out `send` gets a new storage, while the consumer keeps the old one.
        self._paused = threading.Event()

    def send(self, run_id: int) -> None:
        """Put the run's message into the queue. Raises QueueUnavailable if the queue refuses it or does not answer in
        time.

        The time-out is measured here, in a thread that is abandoned if need be: a frozen server enforces no time-out of
        its own. A message that arrives later does no harm, because a completed run cannot be claimed.
        """
        done = threading.Event()
        failed: list[BaseException] = []
        arguments = (run_id, done, failed)
        threading.Thread(target=self._send, args=arguments, name=f"send-{run_id}", daemon=True).start()
        if not done.wait(self._timeout):
            with self._lock:
                if not done.is_set():  # it may have finished just now
                    self._huey = None  # the hanging thread owns its connection and lock, and closes it
                    raise QueueUnavailable("the queue did not answer in time", "see 'opsmon doctor'")
        if failed:
            why = failed[0].message if isinstance(failed[0], OpsmonError) else type(failed[0]).__name__
            raise QueueUnavailable(f"the queue refused the message ({why})", "see 'opsmon doctor'") from failed[0]

    def _send(self, run_id: int, done: threading.Event, failed: list[BaseException]) -> None:
        huey: Huey | None = None
        try:
            with self._db.our_errors():
                self.enqueue(run_id, huey := self.huey())
        except Exception as error:
            failed.append(error)
        finally:
            with self._lock:
                done.set()
                left = huey if self._huey is not huey else None
            if left is not None:
                left.storage.close()  # abandoned or closed in the meantime: nobody else closes it

    def enqueue(self, run_id: int, huey: Huey | None = None) -> None:
        """Put the message into Huey's storage, without a time-out."""
        huey = huey or self.huey()
        huey.storage.enqueue(huey.serializer.serialize(Message(id=message_id(run_id), name=TASK, args=(run_id,))))

    def waiting(self, limit: int) -> list[int]:
        """The run ids of at most `limit` messages, in delivery order."""
        found = []
        for data in self.huey().storage.enqueued_items(limit):
            try:
                found.append(read_message(data))
            except NoMessage:
                logger.warning("the queue holds something that is not a message of opsmon")
        return found

    def consumer(self, execute: Callable[[int], None], slots: int, faults: Faults) -> Consumer:
        """Huey's consumer, not yet started: it calls `execute(run_id)` for each message, in one of `slots` threads."""
        huey = self.huey()
        huey.task(name=TASK)(named_task(execute))
        return _Consumer(
            huey,
            faults,
            workers=slots,
            worker_type="thread",
            periodic=False,
            initial_delay=SQLITE_POLL / 4,
            max_delay=SQLITE_POLL,
        )

    def set_paused(self, is_paused: bool) -> bool:
        """Stop or resume the delivery of messages to this queue's consumer. Returns whether that changed anything.

        Sending is not affected. On PostgreSQL an idle slot may take a second to resume.
        """
        if self._paused.is_set() == is_paused:
            return False
        (self._paused.set if is_paused else self._paused.clear)()
        return True

    def close(self) -> None:
        """Close the connections. A later call opens them again."""
        with self._lock:
            if self._huey is not None:
                self._huey.storage.close()
                self._huey = None

    def huey(self) -> Huey:
        """The Huey instance, made at the first call."""
        with self._lock:
            if self._huey is None:
                self._huey = make_huey(self._db, self._paused)
            return self._huey
