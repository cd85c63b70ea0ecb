"""The poller: one fetch at a time, errors are data, and nothing waits for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from screens.poll.poller import Arrived, Freshness, Poller
from store.errors import DatabaseAway
from store.snapshot import Request, Snapshot
from tests.screens.conftest import FakeBackend
from tests.support.waiting import wait_for

REQUEST = Request(1)


@contextmanager
def polling(stage: FakeBackend, interval: float = 0.01, paused: bool = False) -> Iterator[tuple[Poller, list[Arrived]]]:
    arrived: list[Arrived] = []
    poller = Poller(stage.fetch, arrived.append, REQUEST, interval)
    poller.paused = paused
    poller.start()
    try:
        yield poller, arrived
    finally:
        poller.stop()


def test_generations_only_grow() -> None:
    with polling(FakeBackend()) as (_, arrived):
        wait_for(lambda: len(arrived) > 5)
    numbers = [a.generation for a in arrived]
    assert numbers == sorted(set(numbers))


def test_a_database_that_is_away_is_data_and_polling_goes_on() -> None:
    stage = FakeBackend(away="gone")
    with polling(stage) as (_, arrived):
        wait_for(lambda: len(arrived) > 2)
        assert arrived[0].snapshot is None
        assert "gone" in arrived[0].error
        stage.away = ""
        wait_for(lambda: arrived[-1].snapshot)


def test_an_unforeseen_exception_is_data_too() -> None:
    def fetch(request: Request) -> Snapshot:
        raise ZeroDivisionError("1/0")

    arrived: list[Arrived] = []
    poller = Poller(fetch, arrived.append, REQUEST, 0.01)
    poller.start()
    wait_for(lambda: len(arrived) > 2)
    poller.stop()
    assert arrived[0].error == "ZeroDivisionError: 1/0"


def test_one_fetch_is_in_flight_and_a_hanging_one_keeps_nobody() -> None:
    stage, busy, most = FakeBackend(hangs=threading.Event()), [0], [0]
    inner = stage.fetch

    def fetch(request: Request) -> Snapshot:
        busy[0] += 1
        most[0] = max(most[0], busy[0])
        try:
            return inner(request)
        finally:
            busy[0] -= 1

    arrived: list[Arrived] = []
    poller = Poller(fetch, arrived.append, REQUEST, 0.01)
    poller.start()
    wait_for(lambda: busy[0] == 1)
    for number in range(5):
        poller.ask(replace(REQUEST, limit=number))
        poller.poke()
    poller.stop()
    assert stage.hangs
    stage.hangs.set()
    wait_for(lambda: busy[0] == 0)
    assert most[0] == 1
    assert arrived == [], "what comes after stop is not delivered"


def test_paused_it_polls_only_when_poked() -> None:
    with polling(FakeBackend(), paused=True) as (poller, arrived):
        wait_for(lambda: len(arrived) == 1)
        poller.poke()
        wait_for(lambda: len(arrived) == 2)
        poller.paused = False
        wait_for(lambda: len(arrived) > 3)


def test_another_request_is_fetched_at_once() -> None:
    with polling(FakeBackend(), interval=60) as (poller, arrived):
        wait_for(lambda: len(arrived) == 1)
        poller.ask(replace(REQUEST, tab="Failed"))
        wait_for(lambda: arrived[-1].snapshot and arrived[-1].snapshot.request.tab == "Failed")
        poller.ask(replace(REQUEST, tab="Failed"))
        assert not poller._wake.is_set(), "the same request once more is no reason"


def test_freshness_says_how_old_what_is_shown_is() -> None:
    now = [0.0]
    freshness = Freshness(lambda: now[0])
    assert freshness.words(1, False) == "loading"
    now[0] = 5
    assert freshness.words(1, False) == "stale 5 s: database not answering"
    freshness.arrived()
    assert freshness.words(1, False) == "live"
    now[0] = 8
    assert freshness.words(1, True) == "paused"
    assert freshness.words(1, False) == "live"
    now[0] = 17
    assert freshness.words(1, False) == "stale 12 s: database not answering"
    freshness.arrived("the database does not answer")
    assert freshness.words(1, True) == "stale 12 s"
    assert str(DatabaseAway()) == "The database does not answer."
