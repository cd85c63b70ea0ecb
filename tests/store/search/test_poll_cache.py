"""A poll that remembers the last one finds what one without memory finds, whatever has happened in between."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace
from typing import Any

import pytest

from store import snapshot
from store.db.engine import Database
from store.model.records import Counts, Outcome, Tenant, User
from store.people import access
from store.runs import lifecycle
from store.runs.lifecycle import Result
from store.search import counts as tab_counts
from store.search import pages
from store.search.filter import RunFilter, parse_line
from store.search.poll_cache import HOLDS
from store.search.resolve import resolve_filter
from store.snapshot import Request, Snapshot, SnapshotCache
from store.workers.throughput import KEEP
from tests.support import people
from tests.support.properties import size


def told(found: Snapshot) -> Any:
    return found.page, found.counts, found.total


def something(db: Database, tenant: Tenant, user: User, worker_id: int, chance: random.Random) -> None:
    """One change, as opsmon makes them."""
    with db.read() as connection:
        of = access.read_memberships(connection, user.id)
        known = pages.page(connection, resolve_filter(connection, of, user.id, RunFilter()), 50).runs
    match chance.choice(["open", "open", "claim", "progress", "progress", "finish", "nothing"]):
        case "open":
            people.open_run(db, tenant, chance.choice([user, None]), held=chance.random() < 0.2)
        case "claim":
            for run in known[:3]:
                lifecycle.claim(db, run.id, worker_id)
        case "progress":
            for run in known[:5]:
                lifecycle.progress(db, run.id, worker_id, Result(Outcome.PENDING, Counts(chance.randint(1, 90), 1)))
        case "finish":
            for run in chance.sample(known, min(2, len(known))):
                lifecycle.finish(db, run.id, worker_id, chance.choice([people.SUCCEEDED, people.FAILED]))


@pytest.mark.parametrize("line", ["", "mine", "outcome:failed", "status:running", "alice"])
def test_what_is_remembered_is_what_there_is(
    db: Database, tenant: Tenant, user: User, worker_id: int, line: str
) -> None:
    chance, memory = random.Random(line), SnapshotCache()
    for _ in range(size(25, 60)):
        something(db, tenant, user, worker_id, chance)
        tab = chance.choice(["All", "All", "Active", "Failed"])
        request = Request(user.id, parse_line(line), tab, limit=chance.choice([5, 5, 40]))
        assert told(snapshot.take(db, request, memory)) == told(snapshot.take(db, request))


def test_what_has_not_changed_is_not_read_again(db: Database, tenant: Tenant, user: User, worker_id: int) -> None:
    run = people.open_run(db, tenant, user)
    memory, request = SnapshotCache(), Request(user.id)
    first = snapshot.take(db, request, cache=memory)
    again = snapshot.take(db, request, cache=memory)
    assert again.runs is first.runs
    lifecycle.claim(db, run.id, worker_id)
    assert snapshot.take(db, request, cache=memory).runs[0].status == "running"


def test_at_least_is_taken_to_hold_for_a_while(
    db: Database, tenant: Tenant, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tab_counts, "COUNT_CAP", 3)
    tab_counts._counts_query.cache_clear()
    now = [100.0]
    memory, request = SnapshotCache(lambda: now[0]), Request(user.id)
    opened = [people.open_run(db, tenant, user) for _ in range(5)]
    assert snapshot.take(db, request, cache=memory).counts["Active"] == (3, True)
    for run in opened[:3]:
        lifecycle.fail_dispatch(db, run.id, people.FAILED.failures[0])
    assert snapshot.take(db, request, cache=memory).counts["Active"] == (3, True)
    assert snapshot.take(db, request, cache=memory).counts["Failed"] == (3, False)
    now[0] += HOLDS
    assert snapshot.take(db, request, cache=memory).counts["Active"] == (2, False)
    tab_counts._counts_query.cache_clear()


def test_memory_is_bounded() -> None:
    memory = SnapshotCache()
    for number in range(1000):
        memory.remember_capped(number, [Outcome.FAILED])
    assert len(memory._full) <= 20
    assert memory.capped_outcomes(999) == {Outcome.FAILED}
    assert memory.capped_outcomes(1) == frozenset()


def test_the_last_hours_are_read_again_only_when_they_are_no_longer_fresh(db: Database, user: User) -> None:
    cache, request = SnapshotCache(), Request(user.id, load=True)
    first, second = snapshot.take(db, request, cache), snapshot.take(db, request, cache)
    assert first.load
    assert second.load
    if first.at.replace(minute=0, second=0, microsecond=0) == second.at.replace(minute=0, second=0, microsecond=0):
        assert second.load.hours is first.load.hours
    assert cache.hours is second.load.hours
    stale = dt.timedelta(seconds=KEEP)
    cache.hours = replace(second.load.hours, at=second.load.hours.at - stale)
    third = snapshot.take(db, request, cache)
    assert third.load
    assert third.load.hours.at > cache.hours.at - stale
    assert cache.hours is third.load.hours
    assert snapshot.take(db, Request(user.id), cache).load is None
