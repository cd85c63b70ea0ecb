"""The worker that is killed: in the middle of a run, which is rescued with the true reason, and it comes again."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import pytest

from opsmon.demo import demo
from opsmon.demo.scenario import PROBE
from opsmon.demo.second_worker import FIRST_KILL, GONE_FOR, SecondWorker
from opsmon.services import Services
from store.model.records import Outcome, Run, Status
from store.runs import lifecycle
from store.workers import heartbeats
from tests.opsmon.conftest import MakeServices
from tests.support.embedding import Clock
from tests.support.waiting import HANG, wait_for

pytestmark = [pytest.mark.worker, pytest.mark.kill, pytest.mark.usefixtures("quick_workers")]


@pytest.fixture
def services(make_services: MakeServices, database_url: str) -> Services:
    return make_services(database_url)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def second(services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[SecondWorker]:
    monkeypatch.setenv("OPSMON_LOST_AFTER_SECONDS", "1")
    kept = SecondWorker(services.db, 10 * HANG, clock)
    yield kept
    kept.end()


def pid_of(second: SecondWorker) -> int:
    return second.pid or 0


def first_worker(services: Services) -> None:
    heartbeats.register(services.db, host="elsewhere", pid=1, version="1", slots=4, embedded=True)


def test_it_waits_for_the_first_worker(services: Services, second: SecondWorker) -> None:
    second.look([])
    assert not pid_of(second)
    first_worker(services)
    second.look([])
    assert pid_of(second)


def test_it_is_killed_in_a_run_which_is_rescued(services: Services, second: SecondWorker, clock: Clock) -> None:
    cast = demo.people_of(services.db, "dana")
    first_worker(services)
    run = services.dispatcher.start(cast.operator, "contoso", PROBE, {"items": 1, "seconds": 10 * HANG}).run

    def now() -> Run:
        found = lifecycle.get(services.db, run.id)
        assert found
        return found

    second.look([])
    pid = pid_of(second)
    assert pid
    wait_for(lambda: now().status is Status.RUNNING, "the run to be taken")
    assert second.look([now()]) is None  # it is too soon
    clock.now += FIRST_KILL
    assert second.look([]) is None  # it carries out none of these
    assert second.look([now()]) == run.id
    assert not psutil.pid_exists(pid)
    second.look([])
    assert not pid_of(second)
    clock.now += GONE_FOR
    second.look([])
    assert pid_of(second) not in (0, pid)
    wait_for(lambda: now().status is Status.COMPLETED, "the rescue")
    assert now().outcome is Outcome.FAILED
    assert [failure.code for failure in now().failure_summary] == ["worker.lost"]


def test_its_end_leaves_no_process(services: Services, second: SecondWorker) -> None:
    first_worker(services)
    second.look([])
    pid = pid_of(second)
    assert pid
    second.end()
    assert not psutil.pid_exists(pid)
