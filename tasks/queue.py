"""The queue: Huey in the runs' own database. A message is `{"run_id": 17}` in JSON and nothing else, ever.

Huey's storage deletes a message when it hands it out, so the queue is never asked what is true: the run's row is.
"""

from __future__ import annotations

import functools
import json
import logging
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

from huey import PostgresHuey, SqliteHuey
from huey.api import Huey
from huey.consumer import Consumer, Scheduler
from huey.consumer import Worker as Slot
from huey.registry import Message
from huey.serializer import Serializer
from huey.storage import PostgresStorage, SqliteStorage

from store.database import Database
from store.errors import DatabaseGone, OpsmonError, QueueUnavailable
from store.messages import SEND
from tasks.faults import Faults

NAME: Final = "opsmon"
TASK: Final = "run"
#: Seconds between two looks of an idle worker on SQLite, which cannot wake it. Huey's own default backs off to 10 s.
SQLITE_POLL: Final = 0.2

logger = logging.getLogger("opsmon.queue")


class RunIdSerializer(Serializer):  # type: ignore[misc]
    """The run's id as JSON. Anything else in the queue is refused, so who can insert a row cannot run code in a worker."""

    def _serialize(self, data: Message) -> bytes:
        (run_id,) = data.args
        return json.dumps({"run_id": run_id}).encode()

    def _deserialize(self, data: bytes) -> Message:
        return Message(
            id=message_id(run_id := read_message(data)),
            name=f"{__name__}.{TASK}",
            args=(run_id,),
            kwargs={},
            retries=0,
            retry_delay=0,
        )


class NoMessage(ValueError):
    """What was in the queue is not a message of opsmon."""


def message_id(run_id: int) -> str:
    return f"run-{run_id}"


def read_message(data: bytes) -> int:
    """The run's id in a message. Raises NoMessage for anything that is not exactly `{"run_id": <whole number>}`."""
    try:
        message = json.loads(bytes(data))
    except (ValueError, RecursionError):
        raise NoMessage from None
    if not isinstance(message, dict) or set(message) != {"run_id"} or type(message["run_id"]) is not int:
        raise NoMessage
    run_id = int(message["run_id"])
    if abs(run_id) >= 2**63:  # no column holds it
        raise NoMessage
    return run_id


class _NoRevocation:
    """Runs are not revoked through Huey and leave no results there: four round trips less for each message."""

    def is_revoked(self, task: Any, timestamp: Any = None, peek: bool = True) -> bool:
        return False

    def delete(self, key: str) -> bool:
        return False


class _AnothersTurn(Exception):
    """Another slot looks into the queue meanwhile."""


class _PostgresStorage(PostgresStorage):  # type: ignore[misc]
    """Huey's, with fewer round trips: one instead of four for a message, and one slot that waits for the next, not all of them."""

    def __init__(self, *args: Any, held: threading.Event, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._turn = threading.Lock()
        self._held = held
        # Instead of one listening connection for each thread, of which every message wakes all: whose turn it is has it.
        self._listen_local = SimpleNamespace()

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        try:
            self._enqueue(data, priority)
        except Exception:
            if not (self._conn and self._conn.broken):
                raise
            # It died since it was used last. A message that arrived all the same is there twice now, which does no harm.
            self._enqueue(data, priority)

    def _enqueue(self, data: bytes, priority: float | None) -> None:
        with self.db() as cursor:
            cursor.execute(SEND, (self.name, data, priority or 0, self.channel))

    def _dequeue(self) -> bytes | None:
        # Asked here, so that a slot which has been waiting takes nothing either. It goes on listening: notices that nobody
        # reads would pile up on the server.
        if self._held.is_set():
            return None
        data: bytes | None = super()._dequeue()
        return data

    def dequeue(self) -> bytes | None:
        if not self._turn.acquire(timeout=self.read_timeout):
            raise _AnothersTurn
        try:
            data: bytes | None = super().dequeue()
            return data
        finally:
            self._turn.release()


class _PostgresHuey(_NoRevocation, PostgresHuey):  # type: ignore[misc]
    storage_class = _PostgresStorage


class _SqliteStorage(SqliteStorage):  # type: ignore[misc]
    """Huey's, with connections like those to the runs: its own wait for the disk at every commit, and write to a deleted file."""

    def __init__(
        self,
        *args: Any,
        connection: Callable[[], Any],
        require: Callable[[Any], None],
        held: threading.Event,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._held = held
        self._create_connection = connection
        self._require = require

    _conn: Any

    @property
    def conn(self) -> Any:
        if self._conn is not None:
            try:
                self._require(self._conn)
            except DatabaseGone:
                self._conn.close()
                self._conn = None
                raise
        return super().conn

    def dequeue(self) -> bytes | None:
        if self._held.is_set():
            return None
        data: bytes | None = super().dequeue()
        return data


class _SqliteHuey(_NoRevocation, SqliteHuey):  # type: ignore[misc]
    storage_class = _SqliteStorage


class _NoSchedule(Scheduler):  # type: ignore[misc]
    """Nothing is ever scheduled through Huey; on SQLite its scheduler would take the write lock once a second."""

    def loop(self, now: Any = None) -> None:
        self.stop_flag.wait(1.0)


class _Slot(Slot):  # type: ignore[misc]
    """Huey's, but for what it does when it cannot read the queue: it would log a traceback for each try of each slot."""

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
        except _AnothersTurn:
            return False
        except NoMessage:
            logger.warning("something that is no message of opsmon was in the queue, and was dropped")
        return True


class _Consumer(Consumer):  # type: ignore[misc]
    """Huey's consumer inside our worker, which handles the signals itself."""

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
    """Messages in and out. Huey and its connections are made at first use; the object may be shared by threads."""

    def __init__(self, db: Database, timeout: float = 3.0) -> None:
        """`timeout` bounds `send`, in seconds."""
        self._db = db
        self._timeout = timeout
        self._lock = threading.Lock()
        self._huey: Huey | None = None
        # Not the storage's own: that is made anew when a server did not answer, and the consumer goes on with the old one.
        self._held = threading.Event()

    def send(self, run_id: int) -> None:
        """Put the run's message into the queue. Raises QueueUnavailable when the queue refuses or does not answer in time.

        The time is kept on this side, in a thread that is left behind if need be: a frozen server keeps no time-out of its own.
        A message that arrives after all does no harm, since a completed run cannot be claimed.
        """
        done = threading.Event()
        failed: list[BaseException] = []
        arguments = (run_id, done, failed)
        threading.Thread(target=self._send, args=arguments, name=f"send-{run_id}", daemon=True).start()
        if not done.wait(self._timeout):
            with self._lock:
                if not done.is_set():  # it may have come just now
                    self._huey = None  # its connection, and its lock, belong to the thread that hangs, which closes it
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
                left.storage.close()  # given up, or closed, meanwhile: nobody else would

    def enqueue(self, run_id: int, huey: Huey | None = None) -> None:
        """Put the message into Huey's storage, for as long as that takes."""
        huey = huey or self.huey()
        huey.storage.enqueue(huey.serializer.serialize(Message(id=message_id(run_id), name=TASK, args=(run_id,))))

    def waiting(self, limit: int) -> list[int]:
        """The run ids of at most `limit` messages, in the order in which they will be handed out."""
        found = []
        for data in self.huey().storage.enqueued_items(limit):
            try:
                found.append(read_message(data))
            except NoMessage:
                logger.warning("the queue holds something that is not a message of opsmon")
        return found

    def consumer(self, execute: Callable[[int], None], slots: int, faults: Faults) -> Consumer:
        """Huey's consumer, not started, that calls `execute(run_id)` in one of `slots` threads for each message."""
        huey = self.huey()
        huey.task(name=TASK)(_named(execute))
        return _Consumer(
            huey,
            faults,
            workers=slots,
            worker_type="thread",
            periodic=False,
            initial_delay=SQLITE_POLL / 4,
            max_delay=SQLITE_POLL,
        )

    def hold(self, is_held: bool) -> bool:
        """Have this queue's consumer take no messages, or take them again. Returns whether that is new.

        Sending goes on. On PostgreSQL an idle slot may need a second until it looks again.
        """
        if self._held.is_set() == is_held:
            return False
        (self._held.set if is_held else self._held.clear)()
        return True

    def close(self) -> None:
        with self._lock:
            if self._huey is not None:
                self._huey.storage.close()
                self._huey = None

    def huey(self) -> Huey:
        with self._lock:
            if self._huey is None:
                self._huey = _make_huey(self._db, self._held)
            return self._huey


def _make_huey(db: Database, held: threading.Event) -> Huey:
    settings = {"results": False, "serializer": RunIdSerializer(), "create_tables": False}
    settings |= {"connection": db.driver_connection, "held": held}
    if db.is_sqlite:
        return _SqliteHuey(NAME, require=db.require_its_file, **settings)
    return _PostgresHuey(NAME, **settings)


def _named(execute: Callable[[int], None]) -> Callable[[int], None]:
    @functools.wraps(execute)
    def run(run_id: int) -> None:
        execute(run_id)

    # Huey names a task after its function's module; the message must find it whatever `execute` is.
    run.__module__ = __name__
    return run
