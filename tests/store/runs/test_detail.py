"""What the screen of one run is told: where it waits, who has it, what is usual, what it is related to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from store.db.engine import Database
from store.errors import NotFound
from store.model.records import COUNT_CAP, Outcome, Run, Tenant, User
from store.model.tables import operation_runs, queue_pauses
from store.model.tables import workers as workers_table
from store.model.types import utcnow
from store.people import admin
from store.people.access import Role
from store.runs import attempts as retry_chain
from store.runs import detail as run_detail
from store.runs import lifecycle
from store.runs.detail import QueuePosition, RunDetail, TypicalDuration
from store.runs.seeding import SeedRun, seed_runs
from store.workers import heartbeats
from store.workers.pause import QueuePause
from tests.support.people import end_run, make_older, make_tenant, make_worker, open_run, start_run


def detail_of(db: Database, user: User, run: Run | int, lost_after: float = 30.0) -> RunDetail:
    with db.read() as connection:
        return run_detail.read_visible(connection, user.id, run if isinstance(run, int) else run.id, lost_after)


def waiting_of(db: Database, user: User, run: Run) -> QueuePosition:
    waiting = detail_of(db, user, run).waiting
    assert waiting
    return waiting


def queued(db: Database, tenant: Tenant, seconds_ago: float = 0) -> Run:
    """A run whose message is in the queue."""
    run = lifecycle.mark_dispatched(db, open_run(db, tenant).id)
    assert run
    if seconds_ago:
        make_older(db, operation_runs, run.id, "created_at", seconds_ago)
    return run


# ---- where it waits


def test_the_first_in_the_queue_has_nobody_ahead(db: Database, tenant: Tenant, user: User) -> None:
    run = queued(db, tenant, 9)
    queued(db, tenant)
    assert waiting_of(db, user, run) == QueuePosition()


def test_those_that_were_opened_before_are_ahead_and_nothing_else(db: Database, tenant: Tenant, user: User) -> None:
    oldest, _second = queued(db, tenant, 60), queued(db, tenant, 50)
    start_run(db, tenant)
    end_run(db, open_run(db, tenant))
    open_run(db, tenant)  # its message is not in the queue
    run = queued(db, tenant, 40)
    queued(db, tenant, 30)
    waiting = waiting_of(db, user, run)
    assert (waiting.ahead, waiting.oldest_id) == (2, oldest.id)
    assert waiting.oldest == pytest.approx(60, abs=5)


def test_of_those_opened_at_the_same_instant_the_lower_id_is_first(db: Database, tenant: Tenant, user: User) -> None:
    tied = [queued(db, tenant) for _ in range(4)]
    with db.write() as connection:
        connection.execute(sa.update(operation_runs).values(created_at=utcnow()))
    assert [waiting_of(db, user, run).ahead for run in tied] == [0, 1, 2, 3]
    assert {waiting_of(db, user, run).oldest_id for run in tied[1:]} == {tied[0].id}


def test_other_tenants_runs_are_neither_counted_nor_named(db: Database, tenant: Tenant, user: User) -> None:
    queued(db, make_tenant(db, "fabrikam"), 60)
    mine = queued(db, tenant, 30)
    waiting = waiting_of(db, user, queued(db, tenant))
    assert (waiting.ahead, waiting.oldest_id, waiting.others_ahead) == (1, mine.id, True)
    assert waiting.oldest == pytest.approx(30, abs=5)
    assert waiting_of(db, user, mine) == QueuePosition(others_ahead=True)
    admin.grant(db, user.login, "fabrikam", Role.READONLY)
    told = waiting_of(db, user, mine)
    assert (told.ahead, told.others_ahead) == (1, False)


def test_a_long_queue_is_counted_up_to_a_cap(db: Database, tenant: Tenant, user: User) -> None:
    first = queued(db, tenant, 60)
    same = [c for c in operation_runs.c if c.name not in ("id", "run_identity_hash")]
    copy = sa.select(*same, sa.literal("copy-").concat(sa.cast(operation_runs.c.id, sa.Text)))
    copied = sa.insert(operation_runs).from_select([*(c.name for c in same), "run_identity_hash"], copy)
    with db.write() as connection:
        while connection.execute(sa.select(sa.func.count()).select_from(operation_runs)).scalar_one() <= COUNT_CAP + 1:
            renamed = sa.literal("old-").concat(sa.cast(operation_runs.c.id, sa.Text))
            connection.execute(sa.update(operation_runs).values(run_identity_hash=renamed))
            connection.execute(copied)
    waiting = waiting_of(db, user, queued(db, tenant))
    assert (waiting.ahead, waiting.oldest_id) == (COUNT_CAP + 1, first.id)


def test_a_paused_queue_says_by_whom_and_since_when(db: Database, tenant: Tenant, user: User) -> None:
    run = queued(db, tenant)
    with db.write() as connection:
        connection.execute(sa.insert(queue_pauses).values(user_id=user.id, resumed_at=utcnow()))
    assert waiting_of(db, user, run).pause is None, "that one is over"
    with db.write() as connection:
        connection.execute(sa.insert(queue_pauses).values(user_id=user.id))
        since = connection.execute(sa.select(queue_pauses.c.paused_at).order_by(queue_pauses.c.id.desc())).scalars()
        at = since.first()
    pause = waiting_of(db, user, run).pause
    assert at is not None
    assert pause == QueuePause(user.login, user.name, at)


def test_only_a_queued_run_waits(db: Database, tenant: Tenant, user: User) -> None:
    run = start_run(db, tenant)
    assert detail_of(db, user, run).waiting is None
    assert detail_of(db, user, end_run(db, run)).waiting is None


# ---- who has it


def test_the_worker_is_told_with_its_last_beat(db: Database, tenant: Tenant, user: User) -> None:
    worker_id = make_worker(db)
    run = start_run(db, tenant, worker_id=worker_id)
    make_older(db, workers_table, worker_id, "beat_at", 12)
    detail = detail_of(db, user, run, 45)
    assert detail.worker
    assert (detail.worker.id, detail.worker.host, detail.lost_after) == (worker_id, "here", 45)
    assert detail.worker.beat_age == pytest.approx(12, abs=5)
    heartbeats.deregister(db, worker_id)
    stopped = detail_of(db, user, run).worker
    assert stopped
    assert stopped.stopped_at


def test_a_run_that_nobody_took_has_no_worker(db: Database, tenant: Tenant, user: User) -> None:
    assert detail_of(db, user, open_run(db, tenant)).worker is None


# ---- what is usual


def past(tenant: Tenant, took: float, outcome: Outcome = Outcome.SUCCEEDED, **changed: Any) -> SeedRun:
    usual = SeedRun(tenant_id=tenant.id, type="inventory.sync", outcome=outcome, age=1e9, took=took)
    return replace(usual, **{"age": 99_000} | changed)


def test_what_is_usual_is_told_from_succeeded_runs_of_the_same_tenant_and_type(
    db: Database, tenant: Tenant, user: User
) -> None:
    run = open_run(db, tenant)
    other = make_tenant(db, "fabrikam")
    seed_runs(db, [past(tenant, 10), past(tenant, 20), past(tenant, 9, Outcome.FAILED), past(tenant, 9, type="x.y")])
    seed_runs(db, [past(other, 9)])
    assert detail_of(db, user, run).usual is None, "two say nothing"
    seed_runs(db, [past(tenant, 60)])
    usual = detail_of(db, user, run).usual
    assert usual
    assert usual.durations == pytest.approx((10, 20, 60))


def test_a_run_is_not_told_from_itself(db: Database, tenant: Tenant, user: User) -> None:
    done = [end_run(db, open_run(db, tenant)) for _ in range(3)]
    assert detail_of(db, user, done[0]).usual is None
    end_run(db, open_run(db, tenant))
    usual = detail_of(db, user, done[0]).usual
    assert usual
    assert usual.count == 3


def test_only_the_last_runs_tell_what_is_usual(db: Database, tenant: Tenant, user: User) -> None:
    run = open_run(db, tenant)
    seed_runs(db, (past(tenant, 1000 if n < 50 else 1, age=900_000 - n) for n in range(50 + run_detail.MAX_SAMPLE)))
    usual = detail_of(db, user, run).usual
    assert usual
    assert usual.count == run_detail.MAX_SAMPLE
    assert usual.durations[-1] == pytest.approx(1)


@given(st.lists(st.floats(0, 1e6), min_size=run_detail.MIN_SAMPLE, max_size=run_detail.MAX_SAMPLE), st.floats(0, 1e6))
def test_percentiles_lie_between_two_durations_in_proportion(durations: list[float], seconds: float) -> None:
    usual = TypicalDuration(tuple(sorted(durations)))
    for percentile, percent in ((usual.p50, 50), (usual.p95, 95)):
        place, rest = divmod((len(durations) - 1) * percent, 100)
        below, above = (sorted(durations)[place], sorted(durations)[min(place + 1, len(durations) - 1)])
        assert percentile == pytest.approx(below + (above - below) * rest / 100)
    assert usual.shorter_than(seconds) == 100 * sum(d < seconds for d in durations) // len(durations)
    assert usual.longer_than(seconds) == 100 * sum(d > seconds for d in durations) // len(durations)


# ---- attempts and twins


def test_a_long_chain_always_holds_the_run_and_the_one_that_it_retries(
    db: Database, tenant: Tenant, user: User
) -> None:
    chain = [end_run(db, open_run(db, tenant))]
    for _ in range(24):
        chain.append(end_run(db, open_run(db, tenant, retry_of_id=chain[-1].id)))
    again = [end_run(db, open_run(db, tenant, retry_of_id=chain[5].id)).id for _ in range(25)]
    told = [attempt.id for attempt in detail_of(db, user, chain[5]).attempts]
    assert told == sorted({chain[4].id, chain[5].id, *again[-18:]})
    assert len(detail_of(db, user, chain[-1]).attempts) == 20
    with db.read() as connection:
        assert [run.id for run in retry_chain.attempts(connection, chain[5], limit=1)] == [chain[5].id]


def test_attempts_have_their_parameters(db: Database, tenant: Tenant, user: User) -> None:
    first = end_run(db, open_run(db, tenant, context={"parameters": {"kinds": None}}))
    second = open_run(db, tenant, retry_of_id=first.id, context={"parameters": {"kinds": ["settings"]}})
    told = [attempt.parameters for attempt in detail_of(db, user, second).attempts]
    assert told == [{"kinds": None}, {"kinds": ["settings"]}]


def test_an_active_twin_is_told_of_a_completed_run(db: Database, tenant: Tenant, user: User) -> None:
    done = end_run(db, open_run(db, tenant, key="same"))
    assert detail_of(db, user, done).twin is None
    twin = open_run(db, tenant, key="same")
    told = detail_of(db, user, done).twin
    assert told
    assert told.id == twin.id
    assert detail_of(db, user, twin).twin is None, "nobody is their own twin"


def test_a_run_of_a_tenant_that_one_is_no_member_of_is_not_there(db: Database, user: User) -> None:
    run = open_run(db, make_tenant(db, "fabrikam"))
    with pytest.raises(NotFound), db.read() as connection:
        run_detail.read_visible(connection, user.id, run.id)
    with db.read() as connection:
        assert run_detail.read(connection, user.id, run.id) is None
