"""Of one identity one run is active, however many start it at once; everybody else is told which."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import wait
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from store.db.engine import Database
from store.errors import DatabaseAway
from store.model.records import Run, Status, Tenant, User
from store.model.tables import operation_runs
from store.runs import lifecycle
from store.runs.transition import Transition
from tests.store import racers
from tests.store.racers import Crowd
from tests.support.people import end_run, kinds_told, make_tenant, make_user, new_run, open_run
from tests.support.properties import size
from tests.support.waiting import HANG

PROCESSES, ATTEMPTS, KEYS = size(6, 16), size(100, 200), range(5)
_run = operation_runs.c


def active_twice(db: Database) -> list[str]:
    """Identities with more than one active run, read at one instant and without the index that forbids them."""
    active = _run.status.in_(["queued", "running"])
    query = sa.select(_run.run_identity_hash).where(active).group_by(_run.tenant_id, _run.run_identity_hash)
    with db.read() as connection:
        return list(connection.execute(query.having(sa.func.count() > 1)).scalars())


@pytest.fixture(scope="module")
def crowd() -> Iterator[Crowd]:
    """Made once for both databases: those who start runs, and one who ends them."""
    with racers.crowd(PROCESSES + 1) as crowd:
        yield crowd


@pytest.mark.worker
def test_one_active_run_an_identity_however_many_start_it(
    db: Database, database_url: str, tenant: Tenant, crowd: Crowd
) -> None:
    for event in (crowd.watched, crowd.ended, crowd.over):
        event.clear()
    finisher = crowd.pool.submit(racers.finish_whatever_runs, database_url, tenant, KEYS, enough=2 * len(KEYS))
    racing = [crowd.pool.submit(racers.race, database_url, tenant, KEYS, ATTEMPTS, seed) for seed in range(PROCESSES)]
    crowd.ready.wait(HANG)
    looks = 0
    while not all(one.done() for one in racing):
        assert active_twice(db) == []
        looks += 1
        if looks > 3:
            crowd.watched.set()
        wait(racing, timeout=0.02)
    crowd.over.set()
    finished = finisher.result(HANG)
    answers = [answer for one in racing for answer in one.result()]  # raises what an attempt raised

    assert len(answers) >= PROCESSES * ATTEMPTS
    identity = {run_id: identity for run_id, identity, _, opened in answers if opened}
    assert len(identity) == sum(opened for *_, opened in answers), "a run was opened twice"
    for run_id, wanted, status, _ in answers:
        assert identity[run_id] == wanted, "a loser was told a run of another identity"
        assert status in ("queued", "running"), "a loser was told a run that was over"
    with db.read() as connection:
        stored = connection.execute(sa.select(sa.func.count()).select_from(operation_runs)).scalar_one()
    assert stored == len(identity)
    # Those that were finished were followed by new ones.
    assert len(KEYS) < finished <= stored <= finished + len(KEYS)


def test_a_second_start_joins_the_first(db: Database, tenant: Tenant, user: User) -> None:
    first = open_run(db, tenant, user, key="x")
    second, opened = lifecycle.create_or_attach(db, new_run(tenant, user, key="x"))
    assert (second, opened) == (first, False)


def test_a_running_run_is_joined_too(db: Database, tenant: Tenant, worker_id: int) -> None:
    first = open_run(db, tenant, key="x")
    running = lifecycle.claim(db, first.id, worker_id)
    assert lifecycle.create_or_attach(db, new_run(tenant, key="x")) == (running, False)


def test_who_joins_leaves_the_initiator_and_the_parameters_as_they_are(
    db: Database, tenant: Tenant, user: User
) -> None:
    first = open_run(db, tenant, user, key="x")
    lifecycle.mark_dispatched(db, first.id)
    other = make_user(db, "bob")
    joined, _ = lifecycle.create_or_attach(
        db, new_run(tenant, other, key="x", context={"parameters": {"other": 1}}, label="Other")
    )
    assert (joined.user_id, joined.initiator_name, joined.parameters) == (user.id, user.name, {"key": "x"})
    assert joined.label == "Sync inventory"
    assert kinds_told(db, first) == ["queued"]


def test_after_a_twin_has_ended_there_is_a_new_run(db: Database, tenant: Tenant) -> None:
    first = open_run(db, tenant, key="x")
    end_run(db, first)
    second, opened = lifecycle.create_or_attach(db, new_run(tenant, key="x"))
    assert opened
    assert second.id != first.id


def test_the_same_identity_in_another_tenant_is_another_run(db: Database, tenant: Tenant) -> None:
    first = open_run(db, tenant, key="x")
    other = make_tenant(db)
    _, opened = lifecycle.create_or_attach(db, new_run(other, run_identity_hash=first.run_identity_hash))
    assert opened


def test_a_new_run_is_queued_and_pending_and_nothing_else(db: Database, tenant: Tenant, user: User) -> None:
    retried = end_run(db, open_run(db, tenant))
    run = open_run(db, tenant, user, retry_of_id=retried.id)
    assert (run.status, run.outcome, run.retry_of_id) == ("queued", "pending", retried.id)
    assert (run.tenant, run.tenant_name, run.initiator_name, run.title) == (
        "contoso",
        "contoso",
        "alice",
        "Sync inventory",
    )
    assert {run.summary_counts, run.worker_id, run.dispatched_at, run.started_at, run.completed_at} == {None}
    assert run.failure_summary == ()
    assert kinds_told(db, run) == []


def test_a_twin_that_ends_in_between_is_followed_by_a_new_run(
    db: Database, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin is there when the run is to be opened, and gone when it is looked for."""
    first = open_run(db, tenant, key="x")
    look = lifecycle.active_twin

    def too_late(*arguments: object) -> Run | None:
        monkeypatch.setattr(lifecycle, "active_twin", look)
        end_run(db, first)
        return look(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(lifecycle, "active_twin", too_late)
    second, opened = lifecycle.create_or_attach(db, new_run(tenant, key="x"))
    assert opened
    assert second.id > first.id


def test_twins_that_come_and_go_for_ever_end_in_an_error_that_says_so(
    db: Database, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_run(db, tenant, key="x")
    now = iter(range(0, 1000, 3))
    monkeypatch.setattr(lifecycle, "active_twin", lambda *_: None)
    monkeypatch.setattr(lifecycle, "time", SimpleNamespace(monotonic=lambda: float(next(now))))
    with pytest.raises(DatabaseAway, match="come and go"):
        lifecycle.create_or_attach(db, new_run(tenant, key="x"))


def test_the_database_itself_refuses_a_second_active_run(db: Database, tenant: Tenant) -> None:
    first = open_run(db, tenant)
    row = {"tenant_id": tenant.id, "initiator_name": "x", "type": "x.y", "run_identity_hash": first.run_identity_hash}
    with pytest.raises(IntegrityError), db.write() as connection:
        connection.execute(sa.insert(operation_runs).values(row))


def test_of_many_that_claim_one_gets_the_run(db: Database, tenant: Tenant, worker_id: int) -> None:
    """The same message five times over, in threads."""
    for _ in range(10):
        run = open_run(db, tenant)
        start, got = threading.Barrier(5), list[Run | None]()

        def claim(run: Run = run, start: threading.Barrier = start, got: list[Run | None] = got) -> None:
            start.wait(HANG)
            got.append(lifecycle.claim(db, run.id, worker_id))

        threads = [threading.Thread(target=claim) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(HANG)
        assert [found.status for found in got if found] == [Status.RUNNING]
        assert len(got) == 5


def test_an_id_never_comes_back(db: Database, tenant: Tenant) -> None:
    """A late message for a run that was deleted must not start another one."""
    run = open_run(db, tenant)
    with db.write() as connection:
        connection.execute(sa.delete(operation_runs))
    assert open_run(db, tenant).id > run.id


def test_a_change_and_its_effects_are_one(db: Database, tenant: Tenant, user: User) -> None:
    """An effect that fails takes the change with it, whether it is one statement or several."""
    run = open_run(db, tenant, user)
    broken = Transition(
        sa.update(operation_runs).where(_run.id == sa.bindparam("p_id")).values(initiator_name="changed"),
        lambda done: sa.insert(operation_runs).from_select(
            ["tenant_id", "initiator_name", "type", "run_identity_hash"],
            sa.select(done.c.tenant_id, done.c.initiator_name, done.c.type, done.c.run_identity_hash),
        ),
    )
    with pytest.raises(IntegrityError), db.write() as connection:
        broken.apply(connection, {"p_id": run.id})
    found = lifecycle.get(db, run.id)
    assert found
    assert found.initiator_name == "alice"
