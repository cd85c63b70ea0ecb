"""What the workers' screen reads: who works on what, what waits, how the last hours went. Others' tenants are numbers."""

from __future__ import annotations

import datetime as dt
import math

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from store import snapshot
from store.db.engine import Database
from store.model.records import COUNT_CAP, Count, Outcome, Run, Tenant, User
from store.model.tables import operation_runs
from store.model.tables import workers as workers_table
from store.model.types import utcnow
from store.people import access, admin
from store.people.access import Role
from store.runs import lifecycle
from store.runs.seeding import SeedRun, seed_runs
from store.snapshot import Request
from store.workers import heartbeats, load, throughput
from store.workers import pause as queue_pause
from store.workers.load import InFlightRun, SystemLoad
from store.workers.throughput import Hour
from tests.support.people import end_run, make_older, make_tenant, make_user, make_worker, open_run, start_run
from tests.support.properties import examples


def read(db: Database, user: User) -> SystemLoad:
    with db.read() as connection:
        return load.read(connection, access.read_memberships(connection, user.id), 30)


@pytest.fixture
def elsewhere(db: Database) -> Tenant:
    """A tenant that the user is no member of."""
    return make_tenant(db)


# ---- who works


def test_nothing_at_all(db: Database, user: User) -> None:
    found = read(db, user)
    assert (
        found.workers,
        found.waiting.count,
        found.waiting.oldest_since,
        found.waiting.oldest_run_id,
        found.paused,
    ) == (
        (),
        Count(0),
        None,
        None,
        None,
    )
    assert [(hour.completed, hour.failed, hour.median, hour.p95) for hour in found.hours.each] == [
        (0, 0, None, None)
    ] * 24
    assert (found.hours.looked_back_to, found.rescues) == (None, ())


def test_somebody_without_a_tenant_sees_no_number_of_others(db: Database, tenant: Tenant, worker_id: int) -> None:
    start_run(db, tenant, worker_id=worker_id)
    open_run(db, tenant)
    found = read(db, make_user(db))
    (worker,) = found.workers
    assert (worker.runs, worker.has_others, found.waiting.count, found.waiting.oldest_run_id) == (
        (),
        True,
        Count(0),
        None,
    )
    assert found.waiting.oldest_since is None


def test_what_a_worker_has_in_hand_is_named_in_ones_own_tenants_only(
    db: Database, tenant: Tenant, user: User, elsewhere: Tenant, worker_id: int
) -> None:
    mine = [start_run(db, tenant, user, worker_id) for _ in range(2)]
    for _ in range(3):
        start_run(db, elsewhere, worker_id=worker_id)
    end_run(db, start_run(db, tenant, user, worker_id))
    idle = make_worker(db)
    first, second = read(db, user).workers
    assert (first.worker.id, first.alive, first.has_others) == (worker_id, True, True)
    assert first.runs == tuple(InFlightRun(run.id, "Sync inventory", tenant.slug, run.started_at) for run in mine)
    assert (second.worker.id, second.runs, second.has_others) == (idle, (), False)


def test_the_gone_of_the_last_day_come_after_the_living(db: Database, user: User) -> None:
    alive, silent, stopped, long_silent, long_stopped = (make_worker(db) for _ in range(5))
    heartbeats.deregister(db, stopped)
    heartbeats.deregister(db, long_stopped)
    make_older(db, workers_table, silent, "beat_at", 31)
    make_older(db, workers_table, long_silent, "beat_at", 90_000)
    make_older(db, workers_table, long_stopped, "stopped_at", 90_000)
    found = read(db, user).workers
    assert [(one.worker.id, one.alive) for one in found] == [(alive, True), (stopped, False), (silent, False)]
    assert found[1].worker.stopped_at
    assert found[2].worker.beat_age > 30


def test_a_silent_workers_runs_are_still_its_own(db: Database, tenant: Tenant, user: User, worker_id: int) -> None:
    run = start_run(db, tenant, user, worker_id)
    make_older(db, workers_table, worker_id, "beat_at", 60)
    (worker,) = read(db, user).workers
    assert (worker.alive, [held.run_id for held in worker.runs]) == (False, [run.id])


# ---- what waits


def test_only_what_waits_in_ones_own_tenants_is_counted(
    db: Database, tenant: Tenant, user: User, elsewhere: Tenant
) -> None:
    mine, others = open_run(db, tenant, user), open_run(db, elsewhere)
    start_run(db, tenant, user)
    found = read(db, user)
    assert (found.waiting.count, found.waiting.oldest_run_id, found.waiting.oldest_since) == (
        Count(1),
        mine.id,
        mine.created_at,
    )
    make_older(db, operation_runs, others.id, "created_at", 60)
    again = read(db, user)
    assert (again.waiting.count, again.waiting.oldest_run_id, again.waiting.oldest_since) == (
        Count(1),
        mine.id,
        mine.created_at,
    )
    member = make_user(db, **{tenant.slug: Role.READONLY, elsewhere.slug: Role.READONLY})
    assert (read(db, member).waiting.count, read(db, member).waiting.oldest_run_id) == (Count(2), others.id)


def test_the_depth_is_counted_up_to_a_cap(db: Database, tenant: Tenant, user: User) -> None:
    first = open_run(db, tenant, user)
    columns = [c.name for c in operation_runs.c if c.name not in ("id", "run_identity_hash")]
    with db.write() as connection:
        row = connection.execute(sa.select(operation_runs).where(operation_runs.c.id == first.id)).mappings().one()
        many = [{name: row[name] for name in columns} | {"run_identity_hash": str(n)} for n in range(COUNT_CAP + 5)]
        connection.execute(sa.insert(operation_runs), many)
    assert read(db, user).waiting.count == Count(COUNT_CAP, True)


def test_a_pause_is_told(db: Database, tenant: Tenant, user: User) -> None:
    owner = make_user(db, "olga", **{tenant.slug: Role.OWNER})
    queue_pause.pause(db, owner)
    found = read(db, user).paused
    assert found
    assert found.login == "olga"


# ---- how the last hours went


def now_of(db: Database) -> dt.datetime:
    with db.read() as connection:
        return connection.execute(sa.select(utcnow())).scalar_one()


def opened(db: Database) -> list[dt.datetime]:
    """When the runs were opened, the newest first."""
    query = sa.select(operation_runs.c.created_at).order_by(operation_runs.c.created_at.desc())
    with db.read() as connection:
        return list(connection.execute(query).scalars())


def past(db: Database, tenant: Tenant, ended: float, took: float, outcome: Outcome = Outcome.SUCCEEDED) -> SeedRun:
    return SeedRun(tenant.id, "some.type", outcome, age=ended + took + 0.2, waited=0.2, took=took)


def hour(db: Database, user: User, ago: int) -> Hour:
    return read(db, user).hours.each[-1 - ago]


def into_the_hour(db: Database) -> float:
    """Seconds since the clock's last full hour."""
    now = now_of(db)
    return now.minute * 60 + now.second + now.microsecond / 1e6


def test_an_hour_counts_what_ended_in_it(
    db: Database, tenant: Tenant, user: User, elsewhere: Tenant, worker_id: int
) -> None:
    middle = into_the_hour(db) + 1800  # in the middle of the hour before this one
    never = SeedRun(tenant.id, "x", Outcome.FAILED, age=middle + 1, waited=None, took=1)
    ends = [past(db, tenant, middle, seconds) for seconds in (1, 2, 3, 4)]
    ends += [past(db, tenant, middle, 100, Outcome.FAILED), past(db, tenant, middle, 5000, Outcome.PARTIALLY_SUCCEEDED)]
    ends += [never, past(db, elsewhere, middle, 9), past(db, tenant, middle + 3600, 7), past(db, tenant, 25 * 3600, 8)]
    seed_runs(db, ends)
    open_run(db, tenant, user)
    start_run(db, tenant, user)
    found = hour(db, user, 1)
    assert (found.completed, found.failed) == (7, 2)
    assert found.median == pytest.approx(3, abs=0.01)
    assert found.p95 == pytest.approx(5000, abs=0.01)
    assert hour(db, user, 2).completed == 1
    assert sum(one.completed for one in read(db, user).hours.each) == 8


def test_hours_are_those_of_the_clock_in_utc_and_the_last_is_now(db: Database, tenant: Tenant, user: User) -> None:
    end_run(db, start_run(db, tenant, user))
    found = read(db, user).hours.each
    assert [one.at - found[0].at for one in found] == [dt.timedelta(hours=number) for number in range(24)]
    assert found[-1].at == now_of(db).replace(minute=0, second=0, microsecond=0)
    assert found[-1].completed == 1


def test_when_there_are_too_many_it_is_said_back_to_when_was_looked(
    db: Database, tenant: Tenant, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throughput, "LOOK_AT", 3)
    seed_runs(db, [past(db, tenant, minutes * 60, 1) for minutes in (5, 4, 3)])
    found = read(db, user)
    assert (sum(one.completed for one in found.hours.each), found.hours.looked_back_to) == (3, None)
    seed_runs(db, [past(db, tenant, minutes * 60, 1) for minutes in (2, 1)])
    found = read(db, user)
    assert sum(one.completed for one in found.hours.each) == 3
    assert found.hours.looked_back_to == opened(db)[2]


def test_tenants_share_what_is_looked_at(
    db: Database, tenant: Tenant, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_tenant(db)
    admin.grant(db, user.login, other.slug, Role.READONLY)
    monkeypatch.setattr(throughput, "LOOK_AT", 4)
    seed_runs(db, [past(db, tenant, 60 * minutes, 1) for minutes in (5, 4, 3, 2)] + [past(db, other, 600, 1)])
    found = read(db, user)
    assert sum(one.completed for one in found.hours.each) == 3
    assert found.hours.looked_back_to == opened(db)[1]


@examples(8)
@given(took=st.lists(st.integers(0, 500), min_size=1, max_size=60))
def test_percentiles_are_by_nearest_rank(db: Database, took: list[int]) -> None:
    tenant = make_tenant(db)
    user = make_user(db, **{tenant.slug: Role.READONLY})
    middle = into_the_hour(db) + 1800
    seed_runs(db, [past(db, tenant, middle, seconds) for seconds in took])
    ranked, found = sorted(took), hour(db, user, 1)
    for percent, seconds in ((50, found.median), (95, found.p95)):
        assert seconds == pytest.approx(ranked[math.ceil(len(took) * percent / 100) - 1], abs=0.01)


def test_an_hour_tells_the_longest_wait_of_what_started_in_it(
    db: Database, tenant: Tenant, user: User, elsewhere: Tenant
) -> None:
    middle = into_the_hour(db) + 1800
    waits = [SeedRun(tenant.id, "x", Outcome.SUCCEEDED, middle + waited, waited, took=1) for waited in (3, 240, 8)]
    never = SeedRun(tenant.id, "x", Outcome.FAILED, age=middle + 900, waited=None, took=1)
    seed_runs(db, [*waits, never, SeedRun(elsewhere.id, "x", Outcome.SUCCEEDED, middle + 600, 600, took=1)])
    # It started in the hour before that, and ended in it.
    seed_runs(db, [SeedRun(tenant.id, "x", Outcome.SUCCEEDED, middle + 3600 + 500, 500, took=3600)])
    assert hour(db, user, 1).waited == pytest.approx(240, abs=0.01)
    assert hour(db, user, 2).waited == pytest.approx(500, abs=0.01)
    assert (hour(db, user, 2).completed, hour(db, user, 3).waited) == (0, None)


def test_a_run_that_goes_on_counts_with_its_wait(db: Database, tenant: Tenant, user: User) -> None:
    run = start_run(db, tenant, user)
    make_older(db, operation_runs, run.id, "dispatched_at", 90)
    (waited,) = (one.waited for one in read(db, user).hours.each if one.waited is not None)
    assert 89.9 < waited < 3600
    assert not any(one.completed for one in read(db, user).hours.each)


def test_the_last_hour_is_told_in_slices_of_five_minutes(
    db: Database, tenant: Tenant, user: User, elsewhere: Tenant
) -> None:
    now = now_of(db)
    into = (now.minute % 5) * 60 + now.second + now.microsecond / 1e6
    middle = into + 150  # in the middle of the slice before the last one
    ends = [past(db, tenant, middle, seconds) for seconds in range(1, 20)]
    ends += [past(db, tenant, middle + 600, 500, Outcome.FAILED), past(db, elsewhere, middle, 900)]
    seed_runs(db, [*ends, past(db, tenant, middle + 3600, 7000)])
    found = read(db, user).hours.last_hour
    place = found.completed.index(19)
    assert place in (9, 10)  # another slice may have begun meanwhile
    assert {number: many for number, many in enumerate(found.completed) if many} == {place - 2: 1, place: 19}
    assert {number: many for number, many in enumerate(found.failed) if many} == {place - 2: 1}
    assert found.p95 == pytest.approx(19, abs=0.01)


@examples(8)
@given(ends=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 500)), min_size=1, max_size=60))
def test_the_percentile_of_the_last_hour_is_that_of_all_its_runs(db: Database, ends: list[tuple[int, int]]) -> None:
    tenant = make_tenant(db)
    user = make_user(db, **{tenant.slug: Role.READONLY})
    seed_runs(db, [past(db, tenant, ended, took) for ended, took in ends])
    found, ranked = read(db, user).hours.last_hour, sorted(took for _, took in ends)
    assert sum(found.completed) == len(ends)
    assert found.p95 == pytest.approx(ranked[math.ceil(len(ranked) * 0.95) - 1], abs=0.01)


def test_hours_that_are_known_are_read_anew_after_a_minute(db: Database, tenant: Tenant, user: User) -> None:
    before = now_of(db)
    with db.read() as connection:
        of = access.read_memberships(connection, user.id)
        known = throughput.last_hours(connection, of, before)
    end_run(db, start_run(db, tenant, user))

    def completed(later: float, of: tuple[access.Membership, ...] = of) -> int:
        with db.read() as connection:
            found = throughput.last_hours(connection, of, known.each[-1].at + dt.timedelta(seconds=later), known)
        return sum(one.completed for one in found.each)

    since = (before - known.each[-1].at).total_seconds()
    assert (completed(since), completed(since + 61)) == (0, 1)
    assert completed(3600) == 1  # another hour of the clock has begun
    other = make_tenant(db)
    admin.grant(db, user.login, other.slug, Role.READONLY)
    with db.read() as connection:
        more = access.read_memberships(connection, user.id)
    assert completed(since, more) == 1


# ---- with the poll


def test_a_snapshot_carries_the_load_when_it_is_asked_for(db: Database, tenant: Tenant, user: User) -> None:
    run: Run = open_run(db, tenant, user)
    assert lifecycle.mark_dispatched(db, run.id)
    assert snapshot.take(db, Request(user.id)).load is None
    found = snapshot.take(db, Request(user.id, load=True)).load
    assert found
    assert found.waiting.oldest_run_id == run.id
