"""A held run waits for a person: no worker and no rescuer has it, until it is released or abandoned."""

from __future__ import annotations

import contextlib
import threading

import pytest
import sqlalchemy as sa

from store import snapshot
from store.db.engine import Database
from store.model.records import Count, Failure, Outcome, Run, Status, Tenant, User
from store.model.tables import operation_runs, rescues
from store.people.access import Role
from store.runs import detail as run_detail
from store.runs import lifecycle
from store.runs.seeding import SeedRun, seed_runs
from store.snapshot import Request
from store.workers import heartbeats, queue_depth
from tests.support.people import (
    SUCCEEDED,
    kinds_told,
    make_older,
    make_user,
    make_worker,
    new_run,
    open_run,
)
from tests.support.waiting import HANG

KEY = "the restore"


def open_held(db: Database, tenant: Tenant, user: User | None) -> Run:
    return open_run(db, tenant, user, KEY, held=True, context={"restore_run_id": 5})


@pytest.fixture
def held(db: Database, tenant: Tenant, user: User) -> Run:
    return open_held(db, tenant, user)


@pytest.fixture
def bob(db: Database, tenant: Tenant) -> User:
    return make_user(db, "bob", **{tenant.slug: Role.MANAGER})


def again(db: Database, run: Run) -> Run:
    found = lifecycle.get(db, run.id)
    assert found
    return found


def release(db: Database, run: Run, user: User) -> Run | None:
    with db.write() as connection:
        return lifecycle.release(connection, run.id, user, {"restore_run_id": 5, "executed": True})


def abandon(db: Database, run: Run) -> Run | None:
    with db.write() as connection:
        return lifecycle.abandon(connection, run.id, "the preview is too old")


def detail(db: Database, user: User, run: Run) -> run_detail.RunDetail:
    with db.read() as connection:
        return run_detail.read_visible(connection, user.id, run.id)


# ---- while it is held


def test_it_is_queued_and_pending_and_has_no_message(held: Run) -> None:
    assert (held.status, held.outcome, held.held, held.dispatched_at) == (Status.QUEUED, Outcome.PENDING, True, None)
    assert held.restore_id == 5


def test_nothing_that_takes_a_queued_run_takes_it(db: Database, held: Run, worker_id: int) -> None:
    make_older(db, operation_runs, held.id, "created_at", 3 * 86_400)
    before = again(db, held)
    assert lifecycle.claim(db, held.id, worker_id) is None
    assert lifecycle.mark_dispatched(db, held.id) is None
    assert lifecycle.mark_dispatched(db, held.id, by_rescuer=True) is None
    assert lifecycle.redispatch(db, held.id, 60) is None
    assert lifecycle.fail_dispatch(db, held.id, Failure("queue.dispatch_failed", "no")) is None
    assert lifecycle.finish(db, held.id, worker_id, SUCCEEDED) is None
    assert again(db, held) == before
    assert kinds_told(db, held) == []
    assert heartbeats.undelivered_runs(db, never_queued_for=10, queued_for=10) == ()
    with db.read() as connection:
        assert connection.execute(sa.select(rescues)).all() == []


def test_a_start_of_the_same_identity_joins_it(db: Database, tenant: Tenant, bob: User, held: Run) -> None:
    joined, opened = lifecycle.create_or_attach(db, new_run(tenant, bob, KEY))
    assert (joined, opened) == (held, False)


def test_it_is_not_in_the_queue(db: Database, tenant: Tenant, user: User, held: Run) -> None:
    """Not in its depth, nor ahead of anybody, nor at a place of its own."""
    make_older(db, operation_runs, held.id, "created_at", 3 * 86_400)
    assert queue_depth.waiting(db, user.id).count == Count(0)
    assert queue_depth.lag(db) is None
    first, second = (lifecycle.mark_dispatched(db, open_run(db, tenant, user).id) for _ in range(2))
    assert first
    assert second
    depth = queue_depth.waiting(db, user.id)
    assert (depth.count, depth.oldest_run_id) == (Count(2), first.id)
    waiting = [detail(db, user, run).waiting for run in (first, second)]
    assert [(one.ahead, one.oldest_id) for one in waiting if one] == [(0, None), (1, first.id)]
    assert detail(db, user, held).waiting is None


def test_it_is_no_active_work(db: Database, tenant: Tenant, user: User, held: Run) -> None:
    queued = open_run(db, tenant, user)
    shown = {tab: snapshot.take(db, Request(user.id, tab=tab)) for tab in ("All", "Active", "Failed")}
    assert {tab: [run.id for run in one.runs] for tab, one in shown.items()} == {
        "All": [queued.id, held.id],
        "Active": [queued.id],
        "Failed": [],
    }
    for one in shown.values():
        assert (one.counts["All"], one.counts["Active"], one.total) == (Count(2), Count(1), Count(2))


def test_what_is_usual_leaves_the_days_out_in_which_it_was_a_preview(db: Database, tenant: Tenant, user: User) -> None:
    """A run takes from its start to its end, however long it was held before."""
    run = open_run(db, tenant, user, type="restore.execute", held=True)
    make_older(db, operation_runs, run.id, "created_at", 3 * 86_400)
    seed_runs(db, [SeedRun(tenant.id, "restore.execute", Outcome.SUCCEEDED, 60 + n, took=5) for n in range(3)])
    assert release(db, run, user)
    worker_id = make_worker(db)
    assert lifecycle.claim(db, run.id, worker_id)
    assert lifecycle.finish(db, run.id, worker_id, SUCCEEDED)
    other = open_run(db, tenant, user, type="restore.execute", held=True)
    usual = detail(db, user, other).usual
    assert usual
    assert usual.count == 4
    assert usual.p50 == pytest.approx(5, abs=0.1)
    assert usual.durations[-1] < 60


# ---- its release


def test_who_releases_it_is_its_initiator_and_it_is_no_second_run(
    db: Database, tenant: Tenant, held: Run, bob: User, worker_id: int
) -> None:
    assert held.user_id != bob.id
    freed = release(db, held, bob)
    assert freed
    assert freed == again(db, held)
    assert (freed.id, freed.held, freed.status, freed.dispatched_at) == (held.id, False, Status.QUEUED, None)
    assert (freed.user_id, freed.initiator_name) == (bob.id, bob.name)
    assert freed.context == {"restore_run_id": 5, "executed": True}
    assert freed.created_at == held.created_at
    assert freed.updated_at > held.updated_at
    with db.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(operation_runs)).scalar_one() == 1
    assert kinds_told(db, held) == [], "nobody is told that it is queued before its message is"
    assert lifecycle.mark_dispatched(db, held.id)
    assert kinds_told(db, held) == ["queued"]
    assert lifecycle.claim(db, held.id, worker_id)
    assert lifecycle.finish(db, held.id, worker_id, SUCCEEDED)
    assert kinds_told(db, held) == ["queued", "completed"]


def test_after_its_release_it_is_like_any_other_queued_run(db: Database, user: User, held: Run) -> None:
    assert release(db, held, user)
    make_older(db, operation_runs, held.id, "updated_at", 60)
    assert [run.id for run in heartbeats.undelivered_runs(db, never_queued_for=10, queued_for=60)] == [held.id]
    assert queue_depth.waiting(db, user.id).count == Count(1)
    assert snapshot.take(db, Request(user.id)).counts["Active"] == Count(1)


def test_of_two_that_release_it_at_once_one_does(db: Database, database_url: str, held: Run, bob: User) -> None:
    start, won, failed = threading.Barrier(4), list[Run](), list[BaseException]()

    def work() -> None:
        try:
            with contextlib.closing(Database(database_url)) as own:
                start.wait(HANG)
                if freed := release(own, held, bob):
                    won.append(freed)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG)
    assert failed == []
    assert won == [again(db, held)]


def test_only_a_held_run_is_released_or_abandoned(db: Database, tenant: Tenant, user: User, worker_id: int) -> None:
    runs = [open_run(db, tenant, user) for _ in range(3)]
    assert lifecycle.claim(db, runs[1].id, worker_id)
    assert lifecycle.fail_dispatch(db, runs[2].id, Failure("queue.dispatch_failed", "no"))
    freed = open_held(db, tenant, user)
    assert release(db, freed, user)
    before = [again(db, run) for run in (*runs, freed)]
    for run in before:
        assert release(db, run, user) is None
        assert abandon(db, run) is None
    assert [again(db, run) for run in before] == before


# ---- its end without a release


def test_who_abandons_it_frees_its_identity_and_nobody_is_told(
    db: Database, tenant: Tenant, user: User, held: Run
) -> None:
    over = abandon(db, held)
    assert over
    assert over == again(db, held)
    assert (over.status, over.outcome, over.held) == (Status.COMPLETED, Outcome.FAILED, False)
    assert (over.started_at, over.worker_id, over.dispatched_at) == (None, None, None)
    (failure,) = over.failure_summary
    assert failure.code == "restore.abandoned"
    assert "the preview is too old" in failure.message
    assert over.user_id == user.id
    assert kinds_told(db, held) == []
    assert (abandon(db, held), release(db, held, user)) == (None, None)
    _, opened = lifecycle.create_or_attach(db, new_run(tenant, user, KEY))
    assert opened
