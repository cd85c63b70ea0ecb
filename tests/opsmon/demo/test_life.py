"""The colleagues: how often they start something, how much at a time, and when they leave it."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from opsmon.demo import demo, life
from opsmon.demo.history import Cast
from opsmon.demo.scenario import PROBE, Act
from opsmon.services import Services
from store.errors import Forbidden
from store.model.records import Outcome, Run
from store.people import admin, notifications
from store.runs import lifecycle, outcome
from store.runs.lifecycle import Result
from store.workers import heartbeats, pause
from tests.opsmon.conftest import MakeServices
from tests.support.embedding import Clock
from tests.support.waiting import HANG


@pytest.fixture
def services(make_services: MakeServices, database_url: str) -> Services:
    return make_services(database_url)


@pytest.fixture
def cast(services: Services) -> Cast:
    return demo.people_of(services.db, "dana")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def probes() -> Iterator[Act]:
    for number in itertools.count():
        yield Act("operator", "contoso", PROBE, {"key": f"{number}"}, 5.0)


@pytest.fixture
def colleagues(services: Services, cast: Cast, clock: Clock) -> life.Colleagues:
    return life.Colleagues(services, {"operator": cast.operator, "manager": cast.manager}, probes(), clock)


def work(services: Services) -> int:
    return heartbeats.register(services.db, host="h", pid=1, version="1", slots=9, embedded=True)


def complete(services: Services, run: Run, worker: int) -> None:
    assert lifecycle.claim(services.db, run.id, worker)
    assert lifecycle.finish(services.db, run.id, worker, Result(Outcome.SUCCEEDED))


def lose(services: Services, run: Run) -> None:
    worker = work(services)
    assert lifecycle.claim(services.db, run.id, worker)
    failed = Result(Outcome.FAILED, failures=(outcome.failure("worker.lost", ""),))
    assert lifecycle.finish(services.db, run.id, worker, failed)


def test_one_start_at_each_pause(colleagues: life.Colleagues, clock: Clock) -> None:
    colleagues.look()
    colleagues.look()
    assert colleagues.started == 1
    clock.now += 4.9
    colleagues.look()
    assert colleagues.started == 1
    clock.now += 0.2
    colleagues.look()
    assert [run.type for run in colleagues.active] == [PROBE, PROBE]


def test_no_more_than_a_few_are_active(services: Services, colleagues: life.Colleagues, clock: Clock) -> None:
    for _ in range(life.MOST_ACTIVE + 3):
        colleagues.look()
        clock.now += 10
    assert colleagues.started == life.MOST_ACTIVE
    complete(services, colleagues.active[0], work(services))
    colleagues.look()
    assert colleagues.started == life.MOST_ACTIVE + 1


def test_a_paused_queue_is_left_alone(
    services: Services, cast: Cast, colleagues: life.Colleagues, clock: Clock
) -> None:
    pause.pause(services.db, cast.me)
    colleagues.look()
    assert colleagues.started == 0
    pause.resume(services.db, cast.me)
    colleagues.look()
    assert colleagues.started == 1


def test_after_many_runs_there_is_one_a_minute(
    monkeypatch: pytest.MonkeyPatch, colleagues: life.Colleagues, clock: Clock
) -> None:
    monkeypatch.setattr(life, "MANY_RUNS", 2)
    for _ in range(2):
        colleagues.look()
        clock.now += 6
    colleagues.look()
    assert colleagues.started == 2
    clock.now += life.TIRED_PAUSE
    colleagues.look()
    assert colleagues.started == 3


def test_a_lost_run_that_was_joined_is_left_to_who_started_it(
    services: Services, cast: Cast, colleagues: life.Colleagues, clock: Clock
) -> None:
    mine = services.dispatcher.start(cast.me, "contoso", PROBE, {"key": "0"}).run
    colleagues.look()
    assert [run.id for run in colleagues.active] == [mine.id]
    lose(services, mine)
    clock.now += 6
    colleagues.look()
    (following,) = colleagues.active
    assert following.retry_of_id is None
    assert following.context
    assert following.context["parameters"]["key"] == "1"


def test_who_lost_a_run_starts_it_again(services: Services, colleagues: life.Colleagues, clock: Clock) -> None:
    colleagues.look()
    (lost,) = colleagues.active
    lose(services, lost)
    clock.now += 6
    colleagues.look()
    (again,) = colleagues.active
    assert (again.retry_of_id, again.user_id) == (lost.id, lost.user_id)


def test_what_is_refused_is_not_tried_at_every_look(services: Services, cast: Cast, clock: Clock) -> None:
    refused = itertools.repeat(Act("manager", "fabrikam", PROBE, {}, 5.0))
    one = life.Colleagues(services, {"operator": cast.operator, "manager": cast.manager}, refused, clock)
    with pytest.raises(Forbidden):
        one.look()
    one.look()
    assert one.started == 1


def test_the_one_who_looks_on_is_not_notified(
    services: Services, cast: Cast, colleagues: life.Colleagues, clock: Clock
) -> None:
    colleagues.look()
    with services.db.read() as connection:
        assert notifications.inbox(connection, cast.me.id) == ()
        assert notifications.inbox(connection, cast.operator.id)


def test_the_groundwork_waits_for_each_run(services: Services, cast: Cast, clock: Clock) -> None:
    def steps() -> Iterator[Run]:
        for key in ("a", "b"):
            yield services.dispatcher.start(cast.operator, "contoso", PROBE, {"key": key}).run
            made.append(key)

    made: list[str] = []
    laid = life.step_by_step(services, steps(), clock)
    next(laid)
    clock.now += 10
    next(laid)
    assert made == []  # its run is not completed
    complete(services, run_of(services, 1), work(services))
    next(laid)
    assert made == ["a"]
    complete(services, run_of(services, 2), work(services))
    next(laid)
    assert made == ["a"]  # it is too soon
    clock.now += life.STEP_EVERY
    assert next(laid, "over") == "over"
    assert made == ["a", "b"]


def run_of(services: Services, run_id: int) -> Run:
    found = lifecycle.get(services.db, run_id)
    assert found
    return found


def test_it_goes_on_until_its_input_ends(services: Services, cast: Cast) -> None:
    def has_ended(_: float) -> bool:
        return lifecycle.get(services.db, 2) is not None

    life.carry_on(services, {"operator": cast.operator, "manager": cast.manager}, has_ended)
    assert [run_of(services, number).type for number in (1, 2)] == ["directory_groups.sync", PROBE]


def test_what_is_refused_does_not_end_it(services: Services, cast: Cast) -> None:
    outsider = admin.add_user(services.db, "erin")
    looks = iter([False, False, False, True])
    life.carry_on(services, {"operator": outsider, "manager": outsider}, lambda _: next(looks))
    assert list(looks) == []
    assert lifecycle.get(services.db, 1) is None


@pytest.mark.worker
def test_it_ends_with_its_input_before_it_has_begun() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "opsmon.demo.life", "alice", "bob"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=HANG,
        env={**os.environ, "OPSMON_DATABASE_URL": "sqlite:////nowhere/at/all.db"},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
