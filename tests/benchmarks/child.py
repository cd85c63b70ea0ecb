"""The processes that are measured. Each takes a role and its arguments, says `ready`, then does what its standard input says.

    starter URL QUEUE        opsmon: starts runs, in two threads
    worker URL QUEUE         opsmon: a worker with four slots
    huey-starter URL         bare Huey: enqueues, in two threads
    huey-worker URL          bare Huey: a consumer with four threads
    load URL RUNS            fills a database with history
    pollers URL SESSIONS     so many sessions, each with a connection that polls once a second
    simulator POLICIES GROUPS SECONDS   a simulated tenant that takes so long for each answer; says its address as JSON

Line by line the input is a number: of runs to start, or of executions after which the time is to be told. A child ends when
its input does, or when anything in it fails. QUEUE is the database that the queue is in, that of the runs or another one.
"""

from __future__ import annotations

import itertools
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from opsmon import RunContext, operation
from tests.benchmarks.parent import PATIENCE
from tests.benchmarks.report import write

if TYPE_CHECKING:
    from tasks.sdk.registry import Registry

GROUP_TARGET = "#microsoft.graph.groupAssignmentTarget"
STARTERS = 2
SLOTS = 4
#: Seconds between two looks of an idle consumer on SQLite: the same for both sides.
POLL = 0.2


class Counter:
    """Counts executions and tells when as many as expected have been."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done = 0
        self._expected = 0

    def expect(self, number: int) -> None:
        with self._lock:
            self._done, self._expected = 0, number

    def count(self) -> None:
        with self._lock:
            self._done += 1
            if self._done == self._expected:
                write(time.time())


def in_threads(action: Callable[[int], object], numbers: range) -> None:
    """Do the action for each number, in as many threads as there are starters."""
    threads = [
        threading.Thread(target=lambda part=part: [action(number) for number in numbers[part::STARTERS]])
        for part in range(STARTERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def serve(action: Callable[[int], None]) -> None:
    """Say ready, then do what the input says until it ends."""
    write("ready")
    for line in sys.stdin:
        action(int(line))


def serve_beside(action: Callable[[int], None]) -> None:
    """The same in a thread, for who has other things to do in the first one. The process ends with the input."""

    def serve_and_end() -> None:
        serve(action)
        os._exit(0)

    threading.Thread(target=serve_and_end, daemon=True).start()


def fail(args: threading.ExceptHookArgs) -> None:
    """A thread that fails ends the process. Otherwise whoever measures would be told less than there is, or nothing."""
    threading.__excepthook__(args)
    os._exit(1)


def serve_starts(start: Callable[[int], object]) -> None:
    begun = 0

    def round_of(count: int) -> None:
        nonlocal begun
        numbers = range(begun, begun + count)
        begun += count
        write(time.time())
        in_threads(start, numbers)
        write(time.time())

    serve(round_of)


# ---- opsmon


def registry(count: Callable[[], None]) -> Registry:
    from tasks.sdk.registry import Registry

    @operation("bench.nothing", label="Nothing")
    def nothing(run: RunContext, number: int) -> None:
        """Do nothing."""
        count()

    return Registry.of([nothing])


def starter(url: str, queue: str) -> None:
    from store.db.engine import Database
    from store.people import access
    from tasks.dispatch import Dispatcher, Receipt
    from tasks.queue.queue import Queue
    from tests.benchmarks.stage import me

    db = Database(url)
    dispatcher = Dispatcher(db, Queue(Database(queue), PATIENCE), registry(lambda: None))
    user = access.find_user(db, me())

    def start(number: int) -> None:
        started = dispatcher.start(user, "bench", "bench.nothing", {"number": number})
        if started.receipt is not Receipt.QUEUED:
            raise RuntimeError(f"run {started.run.id}: {started.receipt}")

    serve_starts(start)


def worker(url: str, queue: str) -> None:
    from opsmon.logs import start_log
    from store.db.engine import Database
    from tasks.queue.queue import Queue
    from tasks.sdk.context import GraphSettings, OperationResources
    from tasks.worker.worker import Worker, WorkerOptions

    start_log("INFO")
    db, counter = Database(url), Counter()
    tools = OperationResources(db, GraphSettings("", "", lambda _: None))
    options = WorkerOptions(slots=SLOTS, embedded=True)
    made = Worker(db, registry(counter.count), tools, options, Queue(Database(queue)))
    serve_beside(counter.expect)
    made.run()


# ---- bare Huey, as its documentation sets it up


def _huey(url: str) -> Any:
    from huey import PostgresHuey, SqliteHuey

    if url.startswith("sqlite:///"):
        return SqliteHuey("bare", filename=url.removeprefix("sqlite:///"))
    return PostgresHuey("bare", dsn=url)


def _task(huey: Any, counter: Counter) -> Any:
    @huey.task()  # type: ignore[untyped-decorator]
    def nothing(number: int) -> None:
        counter.count()

    return nothing


def huey_starter(url: str) -> None:
    serve_starts(_task(_huey(url), Counter()))


def huey_worker(url: str) -> None:
    from huey.consumer_options import ConsumerConfig

    huey, counter = _huey(url), Counter()
    _task(huey, counter)
    config = ConsumerConfig(workers=SLOTS, worker_type="thread", initial_delay=POLL / 4, max_delay=POLL)
    config.setup_logger(logging.getLogger("huey"))
    serve_beside(counter.expect)
    huey.create_consumer(**config.values).run()


# ---- history


def load(url: str, runs: str) -> None:
    from tests.benchmarks.history import fill

    fill(url, int(runs))


# ---- sessions


def pollers(url: str, count: str) -> None:
    """What a session sends to the server in a poll, sent by drivers alone: what it costs the sender is not the measure.

    Every tenth poll asks for all there is, as the first one does; the others for what has changed since.
    """
    import psycopg
    import sqlalchemy as sa

    from screens.runs import paging
    from store import snapshot
    from store.db.dialects import postgres_options
    from store.db.engine import Database
    from store.people import access
    from store.snapshot import SnapshotCache
    from tests.benchmarks.stage import me

    db = Database(url)
    request = snapshot.Request(access.find_user(db, me()).id, limit=paging.window(None, 38))
    sent: list[tuple[str, Any]] = []
    sa.event.listen(
        sa.Engine, "before_cursor_execute", lambda _c, _k, text, values, _x, _m: sent.append((text, values))
    )
    memory, asked = SnapshotCache(), []
    for _ in range(2):
        sent.clear()
        snapshot.take(db, request, cache=memory)
        asked.append([one for one in sent if not one[0].startswith("BEGIN")])
    first, again = asked
    conninfo, done = db.url.set(drivername="postgresql").render_as_string(hide_password=False), [0]

    def session(number: int) -> None:
        connection = psycopg.connect(conninfo, autocommit=True, **postgres_options(db.timeouts))
        due = time.monotonic() + number / int(count)
        for poll in itertools.count(number):
            time.sleep(max(0.0, due - time.monotonic()))
            due += 1.0
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            for text, values in again if poll % 10 else first:
                connection.execute(text, values).fetchall()
            connection.execute("COMMIT")
            done[0] += 1

    for number in range(int(count)):
        threading.Thread(target=session, args=(number,), daemon=True).start()
    serve(lambda _: write(done[0]))


# ---- a tenant


def simulator(policies: str, groups: str, seconds: str) -> None:
    """A tenant `bench` with so many policies, each with five assignments, and so many groups."""
    import json

    from tasks.graph.simulator import Fault, Simulator, synthetic

    tenant = synthetic("bench", 1, int(policies))
    for kind, objects in tenant.objects.items():
        for id_, item in list(objects.items()):
            if "assignments" in item:
                targets = [{"@odata.type": GROUP_TARGET, "groupId": f"group-{number}"} for number in range(5)]
                made = [{"id": f"{id_}_{number}", "target": target} for number, target in enumerate(targets)]
                tenant.put(kind, {**item, "assignments": made})
    for number in range(int(groups)):
        tenant.put("groups", {"id": f"group-{number}", "displayName": f"Group {number}", "description": "x" * 80})
    with Simulator([tenant], page_size=100) as running:
        if float(seconds):
            running.faults.add(Fault(slow=float(seconds), count=None))
        write(json.dumps({"url": running.url}))
        for _ in sys.stdin:
            pass


if __name__ == "__main__":
    ROLES: dict[str, Callable[..., None]] = {
        "starter": starter,
        "worker": worker,
        "huey-starter": huey_starter,
        "huey-worker": huey_worker,
        "load": load,
        "pollers": pollers,
        "simulator": simulator,
    }
    threading.excepthook = fail
    ROLES[sys.argv[1]](*sys.argv[2:])
