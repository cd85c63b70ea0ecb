"""What a person feels: how soon an idle worker starts, how keys answer while the database is frozen, what a poll sends."""

from __future__ import annotations

import contextlib
import functools
import random
import time
from collections.abc import Iterator

import sqlalchemy as sa

from store.db.engine import Database
from store.model.records import Run, Status, User
from store.model.tables import operation_runs
from store.model.types import seconds_ago
from store.people import access
from store.people.admin import Administrator
from store.runs import lifecycle
from store.runs.identity import identity_hash
from store.workers import heartbeats
from tasks.dispatch import Dispatcher, Receipt, make_dispatcher
from tests.benchmarks.child import registry
from tests.benchmarks.history import lives_on
from tests.benchmarks.paint import command
from tests.benchmarks.parent import PATIENCE, Child
from tests.benchmarks.report import Line, median, percentile, say
from tests.benchmarks.scale import Scale
from tests.benchmarks.stage import KINDS, SETTINGS, Stage, me, opened
from tests.benchmarks.terminal import Terminal, terminal
from tests.support import databases
from tests.support.postgres import Postgres
from tests.support.waiting import wait_for

ROWS = 40


def idle(stage: Stage) -> Iterator[Line]:
    """From the start to `started_at`, with a worker that has had nothing to do."""
    for kind in KINDS:
        url = stage.founded(kind)
        with opened(url) as db:
            waits = [1000 * seconds for seconds in _starts(stage, url, db, kind)]
        value = f"{median(waits):.0f} ms, at most {max(waits):.0f}"
        yield Line(f"{kind}: idle worker, from the start to started_at", value, "< 1000 ms", max(waits) < 1000)


def _starts(stage: Stage, url: str, db: Database, kind: str) -> Iterator[float]:
    scale = stage.scale
    dispatcher, queue = make_dispatcher(db, registry(lambda: None), PATIENCE)
    user, dice = access.find_user(db, me()), random.Random(1)
    with stage.child("worker", url, url) as worker, contextlib.closing(queue):
        worker.wait_until_ready()
        for number in range(scale.starts):
            say(f"{kind}: idle worker, start {number + 1} of {scale.starts}")
            time.sleep(scale.rest * (1 + dice.random()))
            began = time.time()
            run = dispatcher.start(user, "bench", "bench.nothing", {"number": number}).run
            done = wait_for(functools.partial(_completed, db, run, worker), "the run to be completed", seconds=PATIENCE)
            assert done.started_at
            yield done.started_at.timestamp() - began


def _completed(db: Database, run: Run, worker: Child) -> Run | None:
    worker.check()
    found = lifecycle.get(db, run.id)
    return found if found and found.status is Status.COMPLETED else None


def refused(stage: Stage) -> Iterator[Line]:
    """From the start to its receipt, while another program keeps the queue's table locked."""
    scale, url = stage.scale, stage.founded("postgresql")
    with opened(url) as db:
        dispatcher, queue = make_dispatcher(db, registry(lambda: None), scale.queue_seconds)
        user = access.find_user(db, me())
        with contextlib.closing(queue), db.write() as connection:
            connection.execute(sa.text("LOCK TABLE huey_task IN ACCESS EXCLUSIVE MODE"))
            waits = [1000 * _refusal(dispatcher, user, number) for number in range(scale.refusals)]
    value = f"{median(waits):.0f} ms, at most {max(waits):.0f}"
    yield Line("postgresql: the queue locked, from the start to its receipt", value, "< 5000 ms", max(waits) < 5000)


def _refusal(dispatcher: Dispatcher, user: User, number: int) -> float:
    began = time.perf_counter()
    started = dispatcher.start(user, "bench", "bench.nothing", {"number": number})
    took = time.perf_counter() - began
    assert started.receipt is Receipt.DISPATCH_FAILED
    return took


def frozen(stage: Stage) -> Iterator[Line]:
    """Keys, and quitting, while every process of the database's server is stopped."""
    scale = stage.scale
    with Postgres(SETTINGS) as server:
        url = server.create("opsmon")
        databases.migrate(url)
        ids = running(url)
        with terminal(command(), stage.environment(url)) as screen:
            screen.read_until(str(ids[-1]))
            screen.read_for(scale.before_frost)
            with server.frozen():
                screen.read_for(scale.in_frost)
                waits = [1000 * seconds for seconds in _keys(screen, ids, scale)]
                pressed = screen.press("q")
                quitting = screen.wait() - pressed
    worst = percentile(waits, 0.99)
    value = f"p50 {median(waits):.0f}, p99 {worst:.0f} ms of {len(waits)}"
    yield Line("a key while the database is frozen, until its row is painted", value, "p99 <= 50 ms", worst <= 50)
    yield Line("quitting while the database is frozen", f"{1000 * quitting:.0f} ms", "< 1000 ms", quitting < 1)


def _keys(screen: Terminal, ids: list[int], scale: Scale) -> Iterator[float]:
    """Down and up again, each until the row that the cursor comes to has arrived."""
    newest_first, last = ids[::-1], scale.rows_down
    for _ in range(scale.round_trips):
        for key, lines in (("j", range(1, last + 1)), ("k", range(last - 1, -1, -1))):
            for line in lines:
                screen.read_for(scale.between_keys)
                pressed = screen.press(key)
                yield screen.read_until(str(newest_first[line])) - pressed


def running(url: str) -> list[int]:
    """Ids of runs that have run for two days, so that no time that is shown changes. They are numbers like no other."""
    with opened(url) as db:
        Administrator(db, me()).bootstrap_owner("bench")
        user = access.find_user(db, me())
        tenant = access.memberships_of(db, user.id)[0].tenant
        worker = heartbeats.register(db, host="bench", pid=1, version="0", slots=ROWS, embedded=False)
        with db.write() as connection:
            high = "SELECT setval('operation_runs_id_seq', 700000)"
            if db.is_sqlite:
                high = "INSERT INTO sqlite_sequence (name, seq) VALUES ('operation_runs', 700000)"
            connection.execute(sa.text(high))
        ids = []
        for number in range(ROWS):
            identity = identity_hash(tenant.id, "bench.nothing", {"number": number})
            new = lifecycle.NewRun(tenant.id, user.id, user.name, "bench.nothing", "Nothing", identity, {})
            run, _ = lifecycle.create_or_attach(db, new)
            lifecycle.claim(db, run.id, worker)
            ids.append(run.id)
        with db.write() as connection:
            then = seconds_ago(sa.literal(200_000.0, sa.Float))
            connection.execute(sa.update(operation_runs).values(created_at=then, started_at=then))
        lives_on(db, worker)
    return ids
