"""The instants of a run are in the order in which things happened, whoever waited for whom and however clocks jump."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections.abc import Callable, Iterator
from typing import cast

import pytest
import sqlalchemy as sa

from store.db.engine import Database
from store.intune import inventory
from store.intune.inventory import SeenPolicy
from store.model.records import Counts, Failure, Outcome, Run
from store.model.tables import audit_events, operation_runs, policies, queue_pauses, user_settings
from store.model.tables import notifications as notifications_table
from store.model.tables import workers as workers_table
from store.people import audit, notifications, preferences
from store.people.access import Role
from store.runs import lifecycle
from store.runs.lifecycle import Result
from store.runs.log import NewLogLine
from store.workers import heartbeats
from store.workers import pause as queue_pause
from tests.support.instants import out_of_order
from tests.support.people import (
    SUCCEEDED,
    end_run,
    make_older,
    make_tenant,
    make_user,
    make_worker,
    open_run,
    start_run,
)
from tests.support.waiting import HANG, wait_for

Change = Callable[[Database, Run], object]
COUNTED = Result(Outcome.PENDING, Counts(2, 1), log=(NewLogLine("info", "one of two", 0.001),))


@pytest.fixture
def postgres_db(postgres_url: str) -> Iterator[Database]:
    with contextlib.closing(Database(postgres_url)) as db:
        yield db


class _Within:
    """A database whose every use is part of one transaction."""

    def __init__(self, db: Database, connection: sa.Connection) -> None:
        self.is_sqlite, self.timeouts, self._connection = db.is_sqlite, db.timeouts, connection

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        yield self._connection

    write_one = read_one = read = write


def within(db: Database, connection: sa.Connection) -> Database:
    return cast(Database, _Within(db, connection))


def behind(db: Database, first: Callable[[Database], object], second: Callable[[Database], object]) -> None:
    """`second` in a transaction that begins before that of `first`, waits for its lock, and goes on when it is committed."""
    with db.write() as waiting:
        backend = waiting.execute(sa.select(sa.func.pg_backend_pid())).scalar_one()
        done: list[object] = []
        thread = threading.Thread(target=lambda: done.append(second(within(db, waiting))), daemon=True)
        with db.write() as holding:
            assert first(within(db, holding)) not in (None, 0, False)
            thread.start()
            wait_for(lambda: _waits(db, backend), "the second to wait for the first")
        thread.join(HANG)
        assert done
        assert done[0] not in (None, 0, False)


def _waits(db: Database, backend: int) -> bool:
    query = sa.text("SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = :pid")
    with db.read_one() as connection:
        return bool(connection.execute(query, {"pid": backend}).scalar_one())


def dispatch(db: Database, run: Run) -> object:
    return lifecycle.mark_dispatched(db, run.id)


def dispatch_as_rescuer(db: Database, run: Run) -> object:
    return lifecycle.mark_dispatched(db, run.id, by_rescuer=True)


def redispatch(db: Database, run: Run) -> object:
    return lifecycle.redispatch(db, run.id, 60)


def claim(db: Database, run: Run) -> object:
    return lifecycle.claim(db, run.id, 1)


def progress(db: Database, run: Run) -> object:
    return lifecycle.progress(db, run.id, 1, COUNTED)


def finish(db: Database, run: Run) -> object:
    return lifecycle.finish(db, run.id, 1, Result(Outcome.SUCCEEDED, Counts(2, 2), log=COUNTED.log))


def refuse(db: Database, run: Run) -> object:
    return lifecycle.fail_dispatch(db, run.id, Failure("x.y", "no"))


def lose(db: Database, run: Run) -> object:
    return lifecycle.fail_lost(db, run, -60)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (dispatch, claim),
        (dispatch, refuse),
        (dispatch_as_rescuer, claim),
        (redispatch, claim),
        (redispatch, refuse),
        (progress, finish),
        (progress, lose),
    ],
    ids=lambda change: change.__name__,
)
def test_who_waited_for_a_run_comes_after_whom_they_waited_for(
    postgres_db: Database, first: Change, second: Change
) -> None:
    db = postgres_db
    tenant, worker_id = make_tenant(db), make_worker(db)
    assert worker_id == 1
    run = open_run(db, tenant, make_user(db, **{tenant.slug: Role.OPERATOR}))
    if first is redispatch:
        make_older(db, operation_runs, run.id, "created_at", 100)
        make_older(db, operation_runs, run.id, "updated_at", 100)
    if first is progress:
        run = lifecycle.claim(db, run.id, worker_id) or run
    behind(db, lambda db: first(db, run), lambda db: second(db, run))
    assert out_of_order(db) == []


def test_whatever_jumps_back_a_runs_instants_go_on(db: Database) -> None:
    """Each change moves `updated_at`, by which a poll tells that a run has changed, and by which the next one is dated."""
    tenant, worker_id = make_tenant(db), make_worker(db)
    user = make_user(db, **{tenant.slug: Role.OPERATOR})
    run = open_run(db, tenant, user)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    with db.write() as connection:
        moved = sa.update(operation_runs).where(operation_runs.c.id == run.id)
        connection.execute(moved.values(created_at=later, updated_at=later))
    seen = [later - dt.timedelta(seconds=1)]
    steps: list[Run | None] = [
        lifecycle.mark_dispatched(db, run.id),
        lifecycle.claim(db, run.id, worker_id),
        *(lifecycle.progress(db, run.id, worker_id, COUNTED) for _ in range(3)),
        lifecycle.finish(db, run.id, worker_id, SUCCEEDED),
    ]
    for step in steps:
        assert step
        seen.append(step.updated_at)
    assert seen == sorted(set(seen))
    assert notifications.mark_read(db, user.id, run_id=run.id) == 2
    assert out_of_order(db) == []


def test_changes_in_one_tick_of_the_clock_move_updated_at(db: Database) -> None:
    run = start_run(db, make_tenant(db))
    assert run.worker_id
    found = [lifecycle.progress(db, run.id, run.worker_id, COUNTED) for _ in range(50)]
    instants = [one.updated_at for one in found if one]
    assert len(set(instants)) == 50
    assert instants == sorted(instants)
    assert out_of_order(db) == []


# ---- what is no run


def test_a_pause_that_waited_for_the_end_of_the_last_one_begins_after_it(postgres_db: Database) -> None:
    db = postgres_db
    owner = make_user(db, **{make_tenant(db).slug: Role.OWNER})
    assert queue_pause.pause(db, owner)
    behind(db, lambda db: queue_pause.resume(db, owner), lambda db: queue_pause.pause(db, owner))
    with db.read() as connection:
        rows = connection.execute(sa.select(queue_pauses).order_by(queue_pauses.c.id)).mappings().all()
        said = connection.execute(sa.select(audit_events.c.at).order_by(audit_events.c.id)).scalars().all()
    assert rows[0]["paused_at"] <= rows[0]["resumed_at"] <= rows[1]["paused_at"]
    assert list(said) == sorted(said)


def test_the_audit_is_dated_when_it_is_written_and_not_when_its_transaction_began(postgres_db: Database) -> None:
    db = postgres_db
    with db.write() as connection:
        connection.execute(sa.select(1))
        with db.write() as other:
            audit.record(other, audit.USER_ADDED, "first", login="x", user_id=None)
        audit.record(connection, audit.USER_ADDED, "second", login="x", user_id=None)
    with db.read() as connection:
        found = connection.execute(sa.select(audit_events.c.subject).order_by(audit_events.c.at)).scalars().all()
    assert found == ["first", "second"]


def test_a_policy_was_last_seen_when_the_last_one_saw_it(postgres_db: Database) -> None:
    db = postgres_db
    tenant = make_tenant(db)
    run = start_run(db, tenant)

    def see(db: Database) -> bool:
        inventory.upsert(db, tenant.id, run.id, {"scripts": [SeenPolicy("a", "a", None, {}, None)]})
        return True

    see(db)
    seen: list[dt.datetime] = []

    def first(db: Database) -> bool:
        see(db)
        with db.read() as connection:
            seen.append(connection.execute(sa.select(policies.c.last_seen_at)).scalar_one())
        return True

    behind(db, first, see)
    with db.read() as connection:
        assert connection.execute(sa.select(policies.c.last_seen_at)).scalar_one() > seen[0]


def test_instants_that_follow_one_in_the_same_row_come_after_it(db: Database) -> None:
    """A clock that is set back: the row holds an instant that is still to come."""
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    tenant = make_tenant(db)
    owner, worker_id = make_user(db, **{tenant.slug: Role.OWNER}), make_worker(db)
    run = end_run(db, open_run(db, tenant, owner))
    inventory.upsert(db, tenant.id, run.id, {"scripts": [SeenPolicy("a", "a", None, {}, None)]})
    preferences.change(db, owner.id, "x", lambda _: {"a": 1})
    queue_pause.pause(db, owner)
    rows = [
        (workers_table.c.beat_at, workers_table.c.stopped_at),
        (queue_pauses.c.paused_at, queue_pauses.c.resumed_at),
        (notifications_table.c.created_at, notifications_table.c.read_at),
        (user_settings.c.updated_at, user_settings.c.updated_at),
        (policies.c.last_seen_at, policies.c.last_seen_at),
    ]
    with db.write() as connection:
        for before, _ in rows:
            connection.execute(sa.update(before.table).values({before.name: later}))
    heartbeats.deregister(db, worker_id)
    queue_pause.resume(db, owner)
    notifications.mark_read(db, owner.id)
    preferences.change(db, owner.id, "x", lambda _: {"a": 2})
    inventory.upsert(db, tenant.id, run.id, {"scripts": [SeenPolicy("a", "a", None, {}, None)]})
    with db.read() as connection:
        for before, after in rows:
            latest = connection.execute(sa.select(sa.func.max(after, type_=after.type))).scalar_one()
            assert latest > later, before
