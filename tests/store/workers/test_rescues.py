"""What rescuers do is on record: one row for each run that was changed, however many of them race."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from store.db.engine import Database
from store.model.records import Run, Tenant, User
from store.model.tables import operation_runs, workers
from store.model.tables import rescues as table
from store.people import access
from store.people.access import Role
from store.runs import lifecycle
from store.workers import rescues
from tests.support.people import make_older, make_tenant, make_user, open_run, start_run

Row = tuple[int, str, int | None]


def recorded(db: Database) -> list[Row]:
    with db.read() as connection:
        found = connection.execute(sa.select(table.c.run_id, table.c.what, table.c.worker_id).order_by(table.c.id))
        return [tuple(row) for row in found]


def a_lost_run(db: Database, tenant: Tenant, user: User | None, worker_id: int) -> Run:
    run = start_run(db, tenant, user, worker_id)
    make_older(db, workers, worker_id, "beat_at", 60)
    return run


def a_run_whose_message_is_lost(db: Database, tenant: Tenant, user: User) -> Run:
    run = open_run(db, tenant, user)
    assert lifecycle.mark_dispatched(db, run.id)
    make_older(db, operation_runs, run.id, "dispatched_at", 100)
    return run


def together(*of: Callable[[], Run | None]) -> list[Run]:
    with ThreadPoolExecutor(len(of)) as pool:
        return [run for run in pool.map(lambda one: one(), of) if run]


def test_a_lost_run_is_recorded_once_with_its_worker(db: Database, tenant: Tenant, user: User, worker_id: int) -> None:
    run = a_lost_run(db, tenant, user, worker_id)
    assert len(together(*[lambda: lifecycle.fail_lost(db, run, 30)] * 6)) == 1
    assert recorded(db) == [(run.id, "lost", worker_id)]


def test_a_message_that_had_never_been_queued_is_recorded_once(db: Database, tenant: Tenant, user: User) -> None:
    run = open_run(db, tenant, user)
    assert len(together(*[lambda: lifecycle.mark_dispatched(db, run.id, by_rescuer=True)] * 6)) == 1
    assert recorded(db) == [(run.id, "queued", None)]


def test_a_message_that_is_queued_again_is_recorded_once(db: Database, tenant: Tenant, user: User) -> None:
    run = a_run_whose_message_is_lost(db, tenant, user)
    assert len(together(*[lambda: lifecycle.redispatch(db, run.id, 60)] * 6)) == 1
    assert recorded(db) == [(run.id, "queued_again", None)]


def test_the_dispatcher_and_a_rescuer_who_come_too_late_record_nothing(
    db: Database, tenant: Tenant, user: User, worker_id: int
) -> None:
    run = open_run(db, tenant, user)
    assert lifecycle.mark_dispatched(db, run.id)
    assert lifecycle.mark_dispatched(db, run.id, by_rescuer=True) is None
    assert lifecycle.redispatch(db, run.id, 60) is None
    running = start_run(db, tenant, user, worker_id)
    assert lifecycle.fail_lost(db, running, 30) is None
    assert recorded(db) == []


def test_the_runs_change_and_its_record_are_one(db: Database, tenant: Tenant, user: User, worker_id: int) -> None:
    run = a_lost_run(db, tenant, user, worker_id)
    with db.write() as connection:
        connection.execute(sa.text("ALTER TABLE rescues RENAME TO elsewhere"))
    try:
        with contextlib.suppress(Exception):
            lifecycle.fail_lost(db, run, 30)
        assert lifecycle.get(db, run.id) == run
    finally:
        with db.write() as connection:
            connection.execute(sa.text("ALTER TABLE elsewhere RENAME TO rescues"))


@pytest.mark.parametrize("limit", [2, 20])
def test_one_sees_the_newest_rescues_of_ones_own_tenants(
    db: Database, tenant: Tenant, user: User, worker_id: int, limit: int
) -> None:
    other = make_tenant(db)
    make_user(db, **{other.slug: Role.OWNER})
    mine = [a_run_whose_message_is_lost(db, tenant, user) for _ in range(3)]
    theirs = a_lost_run(db, other, None, worker_id)
    assert lifecycle.fail_lost(db, theirs, 30)
    for run in mine:
        assert lifecycle.redispatch(db, run.id, 60)
    with db.read() as connection:
        of = access.read_memberships(connection, user.id)
        found = rescues.recent(connection, of, limit)
        nothing = rescues.recent(connection, (), limit)
    assert [rescue.run_id for rescue in found] == [run.id for run in reversed(mine)][:limit]
    assert {(rescue.tenant, rescue.title, rescue.what) for rescue in found} == {
        (tenant.slug, "Sync inventory", "queued_again")
    }
    assert nothing == ()
