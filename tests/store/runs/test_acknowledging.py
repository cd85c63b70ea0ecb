"""Acknowledging runs that went wrong: who may, what it changes, who was first, and what lists make of it."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from store.db.engine import Database
from store.errors import InputInvalid
from store.model.records import Outcome, Tenant, User
from store.model.tables import audit_events, run_acknowledgements
from store.people.access import Role, visible_run
from store.runs import acknowledging, lifecycle
from store.runs.acknowledging import LONGEST_NOTE, Verdict, acknowledge, unacknowledge
from store.search.filter import parse_line
from store.search.matching import all_matching
from store.snapshot import Request, SnapshotCache, take
from tests.support.people import FAILED, end_run, make_tenant, make_user, new_run, open_run, start_run
from tests.support.waiting import HANG


@pytest.fixture
def operator(db: Database, tenant: Tenant) -> User:
    return make_user(db, **{tenant.slug: Role.OPERATOR})


def a_failed_run(db: Database, tenant: Tenant, user: User | None = None) -> int:
    return end_run(db, start_run(db, tenant, user), FAILED).id


def verdicts(receipts: tuple[acknowledging.Receipt, ...]) -> list[Verdict]:
    return [one.verdict for one in receipts]


def events(db: Database, run_id: int) -> list[tuple[str, str, str | None]]:
    columns = audit_events.c
    query = sa.select(columns.action, columns.login, columns.reason).where(columns.run_id == run_id)
    with db.read() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(columns.id))]


def test_an_acknowledgement_says_who_when_and_why_and_changes_nothing_else(
    db: Database, tenant: Tenant, operator: User
) -> None:
    run_id = a_failed_run(db, tenant)
    before = visible_run(db, operator, run_id)
    (receipt,) = acknowledge(db, operator, [run_id], "disk was full\x1b[2J")
    known, after = receipt.acknowledgement, visible_run(db, operator, run_id)
    assert known
    assert (receipt.verdict, known.login, known.note) == (Verdict.DONE, operator.login, "disk was full")
    assert (known.at, known.at >= before.completed_at) == (after.acknowledged_at, True)  # type: ignore[operator]
    assert (before.updated_at, before.outcome, before.status) == (after.updated_at, after.outcome, after.status)
    assert events(db, run_id) == [("run.acknowledged", operator.login, "disk was full")]


def test_the_second_is_told_who_was_first(db: Database, tenant: Tenant, operator: User) -> None:
    run_id, other = a_failed_run(db, tenant), make_user(db, **{tenant.slug: Role.OWNER})
    acknowledge(db, operator, [run_id], "mine")
    (receipt,) = acknowledge(db, other, [run_id], "too late")
    assert receipt.verdict is Verdict.ALREADY
    assert f"already, by {operator.name}" in receipt.words
    assert receipt.acknowledgement
    assert receipt.acknowledgement.note == "mine"
    assert len(events(db, run_id)) == 1


def test_of_many_at_once_one_acknowledges_each_run(db: Database, tenant: Tenant) -> None:
    run_ids = [a_failed_run(db, tenant) for _ in range(6)]
    people = [make_user(db, **{tenant.slug: Role.OPERATOR}) for _ in range(4)]
    ready, found = threading.Barrier(len(people)), dict[str, list[Verdict]]()

    def work(user: User, ids: list[int]) -> None:
        ready.wait(HANG)
        found[user.login] = verdicts(acknowledge(db, user, ids, user.login))

    threads = [
        threading.Thread(target=work, args=(user, run_ids[:: 1 if place % 2 else -1]))
        for place, user in enumerate(people)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join(HANG)
    assert len(found) == len(people), "nobody waited for another in a circle"
    said = [verdict for each in found.values() for verdict in each]
    assert said.count(Verdict.DONE) == len(run_ids)
    assert said.count(Verdict.ALREADY) == len(run_ids) * (len(people) - 1)
    assert all(len(events(db, run_id)) == 1 for run_id in run_ids)


def test_who_may_not_is_told_and_other_tenants_do_not_exist(db: Database, tenant: Tenant, operator: User) -> None:
    looker = make_user(db, **{tenant.slug: Role.READONLY})
    hidden = a_failed_run(db, make_tenant(db))
    run_id = a_failed_run(db, tenant)
    assert verdicts(acknowledge(db, looker, [run_id, hidden])) == [Verdict.FORBIDDEN, Verdict.NOT_FOUND]
    assert verdicts(acknowledge(db, operator, [hidden, 10**12, run_id])) == [
        Verdict.NOT_FOUND,
        Verdict.NOT_FOUND,
        Verdict.DONE,
    ]
    assert verdicts(unacknowledge(db, looker, [run_id])) == [Verdict.FORBIDDEN]
    assert events(db, hidden) == []


def test_only_what_went_wrong_can_be_acknowledged(db: Database, tenant: Tenant, operator: User) -> None:
    partial = lifecycle.Result(Outcome.PARTIALLY_SUCCEEDED)
    runs = [
        open_run(db, tenant),
        start_run(db, tenant),
        end_run(db, open_run(db, tenant)),
        end_run(db, open_run(db, tenant), partial),
    ]
    receipts = acknowledge(db, operator, [run.id for run in runs])
    assert verdicts(receipts) == [Verdict.NOT_FAILED] * 3 + [Verdict.DONE]
    assert [one.words.partition(":")[0].split(" ", 2)[2] for one in receipts[:3]] == [
        "is not completed",
        "is not completed",
        "went well",
    ]


def test_what_was_taken_back_can_be_acknowledged_again(db: Database, tenant: Tenant, operator: User) -> None:
    run_id, other = a_failed_run(db, tenant), make_user(db, **{tenant.slug: Role.OPERATOR})
    assert verdicts(unacknowledge(db, operator, [run_id])) == [Verdict.ALREADY]
    acknowledge(db, operator, [run_id])
    assert verdicts(unacknowledge(db, other, [run_id, run_id])) == [Verdict.DONE]
    assert visible_run(db, operator, run_id).acknowledged_at is None
    assert verdicts(acknowledge(db, other, [run_id])) == [Verdict.DONE]
    assert [action for action, *_ in events(db, run_id)] == [
        "run.acknowledged",
        "run.unacknowledged",
        "run.acknowledged",
    ]


def test_a_note_is_bounded_and_keeps_no_secret(db: Database, tenant: Tenant, operator: User) -> None:
    run_id = a_failed_run(db, tenant)
    with pytest.raises(InputInvalid, match="501 characters"):
        acknowledge(db, operator, [run_id], "x" * (LONGEST_NOTE + 1))
    acknowledge(db, operator, [run_id], "password=Hunter2Hunter2 of the app")
    with db.read() as connection:
        note = connection.execute(sa.select(run_acknowledgements.c.note)).scalar_one()
    assert "Hunter2" not in note
    assert "Hunter2" not in str(events(db, run_id))


def test_thousands_of_runs_are_refused(db: Database, operator: User) -> None:
    with pytest.raises(InputInvalid, match="5001 runs"):
        acknowledge(db, operator, range(5001))


def test_the_tab_failed_becomes_empty_and_the_term_finds_it(db: Database, tenant: Tenant, operator: User) -> None:
    run_ids, cache = [a_failed_run(db, tenant) for _ in range(3)], SnapshotCache()
    failed = Request(operator.id, tab="Failed")
    assert len(take(db, failed, cache).runs) == 3
    acknowledge(db, operator, run_ids[:2])
    now = take(db, failed, cache)
    assert ([run.id for run in now.runs], now.counts["Failed"].number, now.counts["All"].number) == (run_ids[2:], 1, 3)
    acknowledge(db, operator, run_ids)
    assert take(db, failed, cache).runs == ()
    found = take(db, Request(operator.id, tab="Failed", wanted=parse_line("acked")), cache)
    assert ([run.id for run in found.runs], found.counts["Failed"].number) == (run_ids[::-1], 3)
    every = take(db, Request(operator.id), cache)
    assert [run.acknowledged_at is not None for run in every.runs] == [True] * 3
    for line, tab, number in (("", "Failed", 0), ("", "All", 3), ("acked", "Failed", 3), ("-acked", "All", 0)):
        assert len(all_matching(db, operator.id, parse_line(line), tab, 99).ids) == number, (line, tab)


def test_a_page_that_is_remembered_shows_what_was_acknowledged_since(
    db: Database, tenant: Tenant, operator: User
) -> None:
    run_id, cache = a_failed_run(db, tenant), SnapshotCache()
    assert take(db, Request(operator.id), cache).runs[0].acknowledged_at is None
    acknowledge(db, operator, [run_id])
    assert take(db, Request(operator.id), cache).runs[0].acknowledged_at
    unacknowledge(db, operator, [run_id])
    assert take(db, Request(operator.id), cache).runs[0].acknowledged_at is None


def test_a_retry_of_an_acknowledged_run_is_not_acknowledged(db: Database, tenant: Tenant, operator: User) -> None:
    run_id = a_failed_run(db, tenant)
    acknowledge(db, operator, [run_id])
    retry, _ = lifecycle.create_or_attach(db, new_run(tenant, operator, retry_of_id=run_id))
    assert retry.acknowledged_at is None
    assert end_run(db, retry, FAILED).acknowledged_at is None
