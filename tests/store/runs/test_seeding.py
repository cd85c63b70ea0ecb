"""Runs of the past: inserted in bulk, and not to be told from runs that happened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from store.db.engine import Database
from store.model.records import COUNT_CAP, Count, Counts, Failure, Outcome, Run, Status, Tenant, User
from store.people import access, admin
from store.runs import lifecycle
from store.runs.log import NewLogLine
from store.runs.seeding import SeedRun, seed_runs
from store.snapshot import Request, Snapshot, take
from store.workers import heartbeats

HOUR = 3600.0


@pytest.fixture
def tenant(db: Database) -> Tenant:
    return admin.add_tenant(db, "contoso")


@pytest.fixture
def user(db: Database, tenant: Tenant) -> User:
    found = admin.add_user(db, "alice")
    admin.grant(db, "alice", tenant.slug, access.Role.OWNER)
    return found


@pytest.fixture
def past(tenant: Tenant, user: User) -> SeedRun:
    return SeedRun(
        tenant_id=tenant.id,
        type="inventory.sync",
        outcome=Outcome.PARTIALLY_SUCCEEDED,
        age=HOUR,
        waited=2.0,
        took=60.0,
        user_id=user.id,
        initiator_name=user.name,
        label="Sync inventory",
        counts=Counts(3, 2, 1),
        failures=(Failure("graph.forbidden", "no"),),
        context={"parameters": {"kinds": ["b", "a"]}},
        log=(NewLogLine("info", "reading", 60.0), NewLogLine("warning", "refused", 1.0)),
    )


def everything(db: Database, user: User, run_id: int | None = None) -> Snapshot:
    return take(db, Request(user.id, run_id=run_id, inbox=True))


def only(db: Database, user: User) -> Run:
    (run,) = everything(db, user).runs
    found = lifecycle.get(db, run.id)
    assert found
    return found


def seconds(later: object, earlier: object) -> float:
    return (later - earlier).total_seconds()  # type: ignore[operator,no-any-return]


def test_a_past_run_is_what_it_says(db: Database, user: User, past: SeedRun) -> None:
    assert seed_runs(db, [past]) == 1
    run = only(db, user)
    assert (run.status, run.outcome) == (Status.COMPLETED, Outcome.PARTIALLY_SUCCEEDED)
    assert (run.summary_counts, run.failure_summary, run.context) == (past.counts, past.failures, past.context)
    assert (run.type, run.label, run.initiator_name) == ("inventory.sync", "Sync inventory", "alice")


def test_its_times_follow_from_its_age_by_the_databases_clock(db: Database, user: User, past: SeedRun) -> None:
    before = everything(db, user).at
    seed_runs(db, [past])
    run, after = only(db, user), everything(db, user).at
    assert seconds(before, run.created_at) - 0.01 <= HOUR <= seconds(after, run.created_at) + 0.01
    assert seconds(run.started_at, run.created_at) == pytest.approx(2, abs=0.01)
    assert seconds(run.completed_at, run.started_at) == pytest.approx(60, abs=0.01)
    assert run.updated_at == run.completed_at
    assert run.dispatched_at == run.created_at


def test_its_initiator_was_told_as_by_the_lifecycle(db: Database, user: User, tenant: Tenant, past: SeedRun) -> None:
    seed_runs(db, [past])
    lived = live_through(db, tenant, user, past)
    told = everything(db, user).inbox or ()
    of_past = [n for n in told if n.run_id != lived]
    of_lived = [n for n in told if n.run_id == lived]
    assert {(n.kind, n.title, n.body) for n in of_past} == {(n.kind, n.title, n.body) for n in of_lived}
    assert len(of_past) == 2
    assert all(n.read_at for n in of_past)


def live_through(db: Database, tenant: Tenant, user: User, past: SeedRun) -> int:
    """The same run by the lifecycle; its id."""
    new = lifecycle.NewRun(tenant.id, user.id, user.name, past.type, past.label or "", "x", past.context or {})
    run, _ = lifecycle.create_or_attach(db, new)
    worker = heartbeats.register(db, host="h", pid=1, version="0", slots=1, embedded=False)
    lifecycle.mark_dispatched(db, run.id)
    lifecycle.claim(db, run.id, worker)
    lifecycle.finish(db, run.id, worker, lifecycle.Result(past.outcome, past.counts, past.failures))
    return run.id


def test_unread_ones_are_unread_and_nobody_is_told_for_the_system(db: Database, user: User, past: SeedRun) -> None:
    seed_runs(db, [replace(past, read=False), replace(past, user_id=None), replace(past, notified=False)])
    shown = everything(db, user)
    assert shown.unread == 2
    assert len(shown.inbox or ()) == 2


def test_its_log_lines_lie_within_it(db: Database, user: User, past: SeedRun) -> None:
    seed_runs(db, [past])
    run = only(db, user)
    detail = everything(db, user, run.id).detail
    assert detail
    assert [(e.level, e.message) for e in detail.events] == [("info", "reading"), ("warning", "refused")]
    assert seconds(run.completed_at, detail.events[1].at) == pytest.approx(1, abs=0.01)


def test_one_that_was_refused_never_started(db: Database, user: User, past: SeedRun) -> None:
    seed_runs(db, [replace(past, outcome=Outcome.FAILED, waited=None, log=())])
    run = only(db, user)
    assert run.started_at is None
    assert run.dispatched_at is None
    assert [n.kind for n in everything(db, user).inbox or ()] == ["completed"]


def test_retries_are_linked_across_batches(db: Database, user: User, past: SeedRun) -> None:
    chain = [replace(past, age=HOUR - n, retry_of=n - 1 if n else None) for n in range(5)]
    assert seed_runs(db, iter(chain), batch=2) == 5
    newest = everything(db, user).runs[0]
    detail = everything(db, user, newest.id).detail
    assert detail
    assert [run.id for run in detail.attempts] == sorted(run.id for run in detail.attempts)
    assert len(detail.attempts) == 5


def test_ids_go_on_where_the_lifecycle_was_and_the_other_way_round(
    db: Database, tenant: Tenant, user: User, past: SeedRun
) -> None:
    first = live_through(db, tenant, user, past)
    seed_runs(db, [past, past])
    last = live_through(db, tenant, user, past)
    ids = [run.id for run in everything(db, user).runs]
    assert len(set(ids)) == 4
    assert min(ids) == first
    assert max(ids) == last


def test_a_generator_is_read_batch_by_batch(db: Database, user: User, past: SeedRun) -> None:
    ahead = 0

    def endless() -> Iterator[SeedRun]:
        nonlocal ahead
        for n in range(5000):
            ahead = n
            yield replace(past, age=6000.0 - n, user_id=None, log=())
            if n == 2500:
                raise RuntimeError("enough")

    with pytest.raises(RuntimeError):
        seed_runs(db, endless(), batch=1000)
    assert ahead == 2500
    assert everything(db, user).counts["All"] == Count(COUNT_CAP, True)  # the cap; two batches are there


@pytest.mark.parametrize("outcome", [Outcome.PENDING, Outcome.CANCELLED])
def test_only_what_has_ended_is_past(past: SeedRun, outcome: Outcome) -> None:
    with pytest.raises(ValueError, match="completed"):
        replace(past, outcome=outcome)


@pytest.mark.parametrize("wrong", [{"age": 10.0}, {"took": -1.0}, {"waited": -1.0}, {"age": float("nan")}])
def test_times_that_cannot_have_been_are_refused(past: SeedRun, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="ended in the future"):
        replace(past, **wrong)


def test_what_was_never_started_cannot_have_succeeded(past: SeedRun) -> None:
    with pytest.raises(ValueError, match="has failed"):
        replace(past, waited=None)


def test_hostile_text_is_kept_as_it_is(db: Database, user: User, past: SeedRun) -> None:
    text = "\x1b]52;c;eA==\x07 [/foo] \x9b31m \u202e"
    seed_runs(db, [replace(past, label=text, failures=(Failure("dns.refused", text),))])
    run = only(db, user)
    assert run.label == text
    assert run.failure_summary[0].message == text


def test_a_deleted_runs_id_does_not_come_back(db: Database, user: User, past: SeedRun) -> None:
    seed_runs(db, [past])
    old = only(db, user).id
    with db.write() as connection:
        connection.exec_driver_sql("DELETE FROM operation_runs")
    seed_runs(db, [past])
    assert only(db, user).id > old
