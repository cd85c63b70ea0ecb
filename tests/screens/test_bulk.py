"""Retries of many runs, on a real database with a real queue: a dry run, a receipt for each, stopped, left, found again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from screens import acting, bulk_job
from screens.backend import Backend
from screens.bulk import BulkScreen
from screens.bulk_job import BulkRetry, Kind, Phase
from screens.monitor import Monitor
from screens.run import RunScreen
from screens.runs import RunsScreen
from screens.widgets.bars import Line
from screens.widgets.table import RowTable
from store import access, runs
from store.access import Role
from store.database import Database
from store.errors import DatabaseAway, QueueUnavailable
from store.history import PastRun, insert_past
from store.records import Failure, Outcome, Run, User
from store.tables import operation_runs
from tasks.dispatch import Dispatcher, Rehearsed, Started
from tasks.operations.probe import probe
from tasks.queue import Queue
from tasks.registry import Registry
from tests.screens.conftest import HOSTILE, House, threads_end, toasts, until
from tests.support import people
from tests.support.waiting import wait_for

pytestmark = pytest.mark.anyio

Size = tuple[int, int]


@asynccontextmanager
async def watching(backend: Backend, size: Size = (120, 40)) -> AsyncIterator[tuple[Monitor, Any]]:
    monitor = Monitor(backend)
    async with monitor.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: monitor.snapshot and "live" in monitor._shown_freshness, "the first snapshot")
        yield monitor, pilot
        for job in monitor.bulk_jobs:
            job.stop()
    threads_end()


def fail_some(house: House, many: int, *, tenant: str = "contoso", label: str = "Probe") -> list[int]:
    """Failed probes of different identities, oldest first."""
    found = access.require(house.db, house.users["ann"], tenant, access.Right.VIEW)
    insert_past(house.db, [a_failed_probe(found.id, number, many, label) for number in range(many)])
    return [run.id for run in all_runs(house.db)][-many:]


def a_failed_probe(tenant_id: int, number: int, many: int, label: str = "Probe") -> PastRun:
    return PastRun(
        tenant_id, "system.probe", Outcome.FAILED, 60 + many - number, label=label,
        failures=(Failure("operation.error", "no"),), context={"parameters": {"key": f"key {number}"}},
    )  # fmt: skip


def all_runs(db: Database) -> list[Run]:
    with db.reading() as connection:
        ids = connection.execute(sa.select(operation_runs.c.id).order_by(operation_runs.c.id)).scalars().all()
    return [run for id_ in ids if (run := runs.by_id(db, id_))]


def retried(db: Database) -> list[int]:
    """What the runs are retries of, in the order in which they were opened."""
    return [run.retry_of_id for run in all_runs(db) if run.retry_of_id]


def bulk(monitor: Monitor) -> BulkScreen:
    assert isinstance(monitor.screen, BulkScreen)
    return monitor.screen


def words(monitor: Monitor, of: str = "words") -> str:
    return "".join(line.text for line in monitor.screen.query(f"#{of}").results(Line))


def kinds(job: BulkRetry) -> list[Kind]:
    return [item.kind for item in job.items]


async def marked(pilot: Any, monitor: Monitor, many: int) -> BulkRetry:
    """Mark the newest runs, and wait for the dry run of their retry."""
    await until(pilot, lambda: len(monitor.screen.query_one(RowTable).glass) >= many, "the runs")
    await pilot.press(*["space"] * many, "r")
    return await dry_run(pilot, monitor)


async def dry_run(pilot: Any, monitor: Monitor) -> BulkRetry:
    await until(pilot, lambda: isinstance(monitor.screen, BulkScreen), "the screen")
    await until(pilot, lambda: bulk(monitor).job.phase is not Phase.REHEARSING, "the dry run")
    await until(pilot, lambda: "Dry run. " in words(monitor), "its words")
    return bulk(monitor).job


async def ended(pilot: Any, job: BulkRetry, phase: Phase = Phase.DONE) -> None:
    await until(pilot, lambda: job.phase is phase, f"the end ({job.phase}, {job.counts})", 30)


class Dispatchers(Dispatcher):
    """The house's dispatcher, with something that happens before each retry."""

    def __init__(
        self, of: Dispatcher, before: Callable[[int], None], after: Callable[[int], None] = lambda _: None
    ) -> None:
        super().__init__(of._db, of._queue, of.registry)
        self._before, self._after = before, after
        self.tried: list[int] = []

    def retry(self, user: User, run_id: int, *more: Any, **named: Any) -> Started:
        self.tried.append(run_id)
        self._before(run_id)
        started = super().retry(user, run_id, *more, **named)
        self._after(run_id)
        return started


def held(house: House, at: int) -> tuple[threading.Event, threading.Event]:
    """Retries come to a halt before the run: an event that says so, and one that lets them go on."""
    there, go_on = threading.Event(), threading.Event()

    def before(run_id: int) -> None:
        if run_id == at:
            there.set()
            go_on.wait(30)

    house.dispatcher = Dispatchers(house.dispatcher, before)
    return there, go_on


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_job, "AWAY_PAUSE", 0.02)


# ---- the dry run, and what comes of it


async def test_r_on_marked_runs_shows_a_dry_run_and_starts_nothing(house: House) -> None:
    ids = fail_some(house, 4)
    async with watching(house.backend("ann")) as (monitor, pilot):
        job = await marked(pilot, monitor, 3)
        assert [item.run_id for item in job.items] == ids[:0:-1], "in the order in which they were marked"
        assert kinds(job) == [Kind.ELIGIBLE] * 3
        assert words(monitor) == " Dry run. r retries 3, esc leaves it. Retry of 3 marked runs"
        assert words(monitor, "counts") == " 3 eligible"
        assert [row.key for row in monitor.screen.query_one(RowTable).rows] == ids[:0:-1]
        assert monitor.screen.check_action("stop", ()) is None
        await pilot.press("escape")
        assert isinstance(monitor.screen, RunsScreen)
        assert not monitor.screen._marked
        assert retried(house.db) == []


async def test_r_again_retries_just_what_was_eligible(house: House) -> None:
    ann = house.users["ann"]
    twin = house.dispatcher.start(ann, "contoso", "system.probe", {"key": "key 1"}).run
    refused = fail_some(house, 1, tenant="fabrikam")[0]
    ids = fail_some(house, 3)
    access.grant(house.db, "ann", "fabrikam", Role.READONLY)
    async with watching(house.backend("ann")) as (monitor, pilot):
        job = await marked(pilot, monitor, 5)
        by_id = {item.run_id: item for item in job.items}
        assert by_id[ids[1]].kind is Kind.JOINS
        assert by_id[ids[1]].words == f"run {twin.id} is active"
        assert by_id[refused].words == "you may not start or retry runs in fabrikam"
        assert "only a completed run" in by_id[twin.id].words
        await pilot.press("r")
        await ended(pilot, job)
        await until(
            pilot, lambda: words(monitor).startswith(" Done. Enter opens a run. Retry of 5 marked runs"), "the words"
        )
        assert retried(house.db) == [ids[2], ids[0]]
        assert {item.run_id: item.kind for item in job.items} == {
            ids[2]: Kind.QUEUED, ids[1]: Kind.JOINS, ids[0]: Kind.QUEUED, refused: Kind.REFUSED, twin.id: Kind.REFUSED,
        }  # fmt: skip
        new = {run.retry_of_id: run.id for run in all_runs(house.db) if run.retry_of_id}
        assert {item.run_id: item.new_id for item in job.items if item.kind is Kind.QUEUED} == new
        assert set(house.dispatcher._queue.waiting(9)) >= set(new.values())  # type: ignore[attr-defined]
        await pilot.press("r")
        await until(pilot, lambda: any("It is done already." in toast for toast in toasts(monitor)), "the reason")
        await pilot.press("home", "j", "enter")
        await until(pilot, lambda: isinstance(monitor.screen, RunScreen), "the new run")
        assert monitor.screen.run_id == new[ids[2]]  # type: ignore[attr-defined]


async def test_b_finds_a_job_again_before_and_after_its_end(house: House) -> None:
    _, go_on = held(house, fail_some(house, 2)[0])
    async with watching(house.backend("ann")) as (monitor, pilot):
        await pilot.press("b")
        await until(pilot, lambda: any("No bulk retry yet" in toast for toast in toasts(monitor)), "that there is none")
        job = await marked(pilot, monitor, 2)
        await pilot.press("escape", "b")
        await until(pilot, lambda: isinstance(monitor.screen, BulkScreen), "the job")
        assert bulk(monitor).job is job
        await pilot.press("r", "escape")
        go_on.set()
        await ended(pilot, job)
        await until(pilot, lambda: any("The retry of 2 marked runs is done." in toast for toast in toasts(monitor)))
        await pilot.press("b")
        await until(pilot, lambda: isinstance(monitor.screen, BulkScreen), "the job")
        assert kinds(bulk(monitor).job) == [Kind.QUEUED] * 2
        assert words(monitor, "counts") == " 2 of 2: 2 queued"


async def test_an_end_that_one_sees_is_not_told(house: House) -> None:
    fail_some(house, 1)
    async with watching(house.backend("ann")) as (monitor, pilot):
        job = await marked(pilot, monitor, 1)
        await pilot.press("r")
        await ended(pilot, job)
        await until(pilot, lambda: words(monitor).startswith(" Done"), "the words")
        assert [toast for toast in toasts(monitor) if "The retry of" in toast] == []


async def test_older_and_newer_jobs(house: House) -> None:
    fail_some(house, 4)
    async with watching(house.backend("ann")) as (monitor, pilot):
        first = await marked(pilot, monitor, 1)
        await pilot.press("escape")
        second = await marked(pilot, monitor, 2)
        await pilot.press("left_square_bracket")
        assert bulk(monitor).job is first
        assert "bulk retry 1 of 2" in words(monitor, "header")
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: any("no older one" in toast for toast in toasts(monitor)), "that it is the oldest")
        await pilot.press("right_square_bracket")
        assert bulk(monitor).job is second


async def test_a_job_that_is_under_way_is_never_forgotten(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acting, "JOBS_KEPT", 2)
    ids = fail_some(house, 2)
    _, go_on = held(house, ids[1])
    async with watching(house.backend("ann")) as (monitor, pilot):
        job = await marked(pilot, monitor, 1)
        await pilot.press("r", "escape")
        for _ in range(3):
            monitor.bulk_retry([ids[0]], "others")
            await dry_run(pilot, monitor)
            await pilot.press("escape")
        assert monitor.bulk_jobs[0] is job
        assert len(monitor.bulk_jobs) == 2
        assert monitor.why_no_bulk()
        go_on.set()
        await ended(pilot, job)


# ---- stopped, interrupted


async def test_x_twice_stops_and_what_was_not_tried_says_so(house: House) -> None:
    ids = fail_some(house, 4)
    there, go_on = held(house, ids[2])
    async with watching(house.backend("ann")) as (monitor, pilot):
        job = await marked(pilot, monitor, 4)
        await pilot.press("r")
        await until(pilot, there.is_set, "the second one")
        await pilot.press("x")
        await until(pilot, lambda: any("x again stops it" in toast for toast in toasts(monitor)), "the question")
        assert job.phase is Phase.RUNNING
        await pilot.press("x")
        go_on.set()
        await ended(pilot, job, Phase.STOPPED)
        assert kinds(job) == [Kind.QUEUED, Kind.QUEUED, Kind.STOPPED, Kind.STOPPED], (
            "what is being tried has its receipt"
        )
        assert retried(house.db) == [ids[3], ids[2]]
        await until(pilot, lambda: words(monitor).startswith(" Stopped. Retry of 4 marked runs"), "the words")
        assert words(monitor, "counts") == " 4 of 4: 2 queued  2 not tried"


async def test_a_second_one_cannot_run_beside_it(house: House) -> None:
    ids = fail_some(house, 3)
    there, go_on = held(house, ids[2])
    async with watching(house.backend("ann")) as (monitor, pilot):
        job = await marked(pilot, monitor, 1)
        await pilot.press("r", "escape")
        await until(pilot, there.is_set, "the first one")
        monitor.bulk_retry(ids[:2], "two others")
        other = await dry_run(pilot, monitor)
        await pilot.press("r")
        await until(pilot, lambda: any("is under way: wait for it" in toast for toast in toasts(monitor)), "the reason")
        assert other.phase is Phase.READY
        go_on.set()
        await ended(pilot, job)
        await pilot.press("r")
        await ended(pilot, other)
        assert sorted(retried(house.db)) == ids


async def test_q_warns_once_for_each_job(house: House) -> None:
    ids = fail_some(house, 2)
    async with watching(house.backend("ann")) as (monitor, pilot):
        for number, id_ in enumerate(ids, 1):
            there, go_on = held(house, id_)
            monitor.bulk_retry([id_], f"number {number}")
            job = await dry_run(pilot, monitor)
            await pilot.press("r")
            await until(pilot, there.is_set, "the retry")
            await pilot.press("q")
            warned = [toast for toast in toasts(monitor) if "q again stops it" in toast]
            assert len(warned) == number
            assert monitor.is_running
            if number == 1:
                go_on.set()
                await ended(pilot, job)
                await pilot.press("escape")
        await pilot.press("q")
        go_on.set()
        await until(pilot, lambda: monitor._exit, "the end")
        wait_for(lambda: job.phase is Phase.STOPPED, what="the job's end")


@pytest.mark.usefixtures("quick")
async def test_it_waits_for_a_database_that_is_away_and_doubles_nothing(house: House) -> None:
    ids = fail_some(house, 4)
    away = threading.Event()

    def before(run_id: int) -> None:
        if run_id == ids[2] and not away.is_set():
            raise DatabaseAway("the database is away")

    house.dispatcher = dispatcher = Dispatchers(house.dispatcher, before)
    async with watching(house.backend("ann")) as (monitor, pilot):
        job = await marked(pilot, monitor, 4)
        await pilot.press("r")
        await until(pilot, lambda: "waits for the database: the database is away" in words(monitor), "the words")
        assert kinds(job) == [Kind.QUEUED, *[Kind.ELIGIBLE] * 3]
        away.set()
        await ended(pilot, job)
        await until(pilot, lambda: words(monitor) == " Done. Enter opens a run. Retry of 4 marked runs", "the words")
        assert kinds(job) == [Kind.QUEUED] * 4
        assert retried(house.db) == ids[::-1]
        assert Counter(dispatcher.tried)[ids[2]] > 1


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("done", [False, True], ids=["active", "done"])
async def test_a_retry_whose_receipt_was_lost_is_not_made_again(house: House, done: bool) -> None:
    """The database went away behind the run that was opened; a worker may have done it long before one hears of it again."""
    ids = fail_some(house, 2)
    house.dispatcher.retry(house.users["ann"], ids[1])
    people.end_run(house.db, all_runs(house.db)[-1], people.FAILED)
    lost: list[int] = []

    def after(run_id: int) -> None:
        if run_id == ids[1] and not lost:
            lost.append(run_id)
            if done:
                people.end_run(house.db, all_runs(house.db)[-1])
            raise DatabaseAway("the server closed the connection")

    house.dispatcher = Dispatchers(house.dispatcher, lambda _: None, after)
    async with watching(house.backend("ann")) as (monitor, pilot):
        monitor.bulk_retry(ids[::-1], "two runs")
        job = await dry_run(pilot, monitor)
        await pilot.press("r")
        await ended(pilot, job)
        assert kinds(job) == [Kind.QUEUED] * 2
        assert retried(house.db) == [ids[1], ids[1], ids[0]], "the one of before, and one each"
        assert job.items[0].new_id == all_runs(house.db)[-2].id


@pytest.mark.usefixtures("quick")
async def test_one_that_is_stopped_while_the_database_is_away_says_what_is_not_known(house: House) -> None:
    ids = fail_some(house, 2)

    def before(run_id: int) -> None:
        raise DatabaseAway("the database is away")

    house.dispatcher = Dispatchers(house.dispatcher, before)
    async with watching(house.backend("ann")) as (monitor, pilot):
        job = await marked(pilot, monitor, 2)
        await pilot.press("r")
        await until(pilot, lambda: "waits for the database" in words(monitor), "the words")
        await pilot.press("x", "x")
        await ended(pilot, job, Phase.STOPPED)
        assert [item.words for item in job.items] == [
            "the database went away while it was tried",
            "stopped before its turn",
        ]
        await until(pilot, lambda: words(monitor) == " Stopped. Retry of 2 marked runs", "the words")
        assert retried(house.db) == []
        assert ids


async def test_a_dry_run_without_a_database_says_why(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_some(house, 1)

    def away(*_: Any) -> tuple[Rehearsed, ...]:
        raise DatabaseAway("the database is away")

    monkeypatch.setattr(house.dispatcher, "rehearse", away)
    async with watching(house.backend("ann")) as (monitor, pilot):
        monitor.bulk_retry([1], "one run")
        await until(
            pilot, lambda: isinstance(monitor.screen, BulkScreen) and "Not possible" in words(monitor), "the words"
        )
        assert words(monitor) == " the database is away. Not possible. Retry of one run"
        await pilot.press("r")
        await until(pilot, lambda: any("It is failed already" in toast for toast in toasts(monitor)), "the reason")


async def test_a_right_that_is_lost_meanwhile_is_a_refusal_with_its_reason(house: House) -> None:
    ids = fail_some(house, 3)
    there, go_on = held(house, ids[1])
    async with watching(house.backend("ann")) as (monitor, pilot):
        job = await marked(pilot, monitor, 3)
        await pilot.press("r")
        await until(pilot, there.is_set, "the second one")
        access.grant(house.db, "ann", "contoso", Role.READONLY)
        go_on.set()
        await ended(pilot, job)
        assert kinds(job) == [Kind.QUEUED, Kind.REFUSED, Kind.REFUSED]
        assert "as readonly of contoso you may not start or retry runs" in job.items[1].words
        assert retried(house.db) == [ids[2]]


async def test_a_twin_that_came_meanwhile_is_joined_and_a_queue_that_refuses_is_told(house: House) -> None:
    ids = fail_some(house, 2)
    ann, queue = house.users["ann"], house.dispatcher._queue

    class Refuses:
        def send(self, run_id: int) -> None:
            raise QueueUnavailable("the queue refused the message")

    async with watching(house.backend("ann")) as (monitor, pilot):
        job = await marked(pilot, monitor, 2)
        twin = house.dispatcher.start(ann, "contoso", "system.probe", {"key": "key 1"}).run
        house.dispatcher._queue = Refuses()
        await pilot.press("r")
        await ended(pilot, job)
        house.dispatcher._queue = queue
        assert kinds(job) == [Kind.ATTACHED, Kind.DISPATCH_FAILED]
        assert job.items[0].new_id == twin.id
        assert retried(house.db) == [ids[0]]


async def test_what_nobody_foresaw_is_one_runs_receipt_and_the_others_go_on(house: House) -> None:
    ids = fail_some(house, 3)

    def before(run_id: int) -> None:
        if run_id == ids[1]:
            raise ZeroDivisionError("of nothing")

    house.dispatcher = Dispatchers(house.dispatcher, before)
    async with watching(house.backend("ann")) as (monitor, pilot):
        job = await marked(pilot, monitor, 3)
        await pilot.press("r")
        await ended(pilot, job)
        assert kinds(job) == [Kind.QUEUED, Kind.REFUSED, Kind.QUEUED]
        assert job.items[1].words == "unforeseen: ZeroDivisionError: of nothing"


# ---- many


async def test_all_that_match_are_retried_and_it_says_when_there_were_more(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = fail_some(house, 5)
    people.end_run(house.db, house.dispatcher.start(house.users["ann"], "contoso", "system.probe", {"key": "good"}).run)
    async with watching(house.backend("ann")) as (monitor, pilot):
        await pilot.press("5", "A")
        job = await dry_run(pilot, monitor)
        assert "all 5 that match on the tab Failed" in words(monitor)
        assert [item.run_id for item in job.items] == ids[::-1]
        await pilot.press("escape")
        monkeypatch.setattr(acting, "BULK", 3)
        await pilot.press("A")
        job = await dry_run(pilot, monitor)
        assert "the newest 3 that match on the tab Failed" in words(monitor)
        assert [item.run_id for item in job.items] == ids[:1:-1]
        await pilot.press("escape", "4", "A")
        await until(pilot, lambda: any("No run matches: on the tab Partial." in toast for toast in toasts(monitor)))
    assert retried(house.db) == []


async def test_three_hundred_keep_their_order_and_have_one_receipt_each(sqlite_url: str) -> None:
    house = a_house(sqlite_url)
    ids = fail_some(house, 300)
    async with watching(house.backend("ann"), (80, 24)) as (monitor, pilot):
        await pilot.press("A")
        job = await dry_run(pilot, monitor)
        await pilot.press("r")
        await ended(pilot, job)
        assert [item.run_id for item in job.items] == ids[::-1]
        assert kinds(job) == [Kind.QUEUED] * 300
        assert retried(house.db) == ids[::-1], "each once, the newest first"
        await until(pilot, lambda: words(monitor, "counts") == " 300 of 300: 300 queued", "the counts")
        await pilot.press("end")
        assert monitor.screen.query_one(RowTable).cursor_key == ids[0]
    close(house)


def a_house(url: str) -> House:
    db = Database(url)
    people.make_tenant(db, "contoso")
    users = {"ann": people.make_user(db, "ann", contoso=Role.OPERATOR)}
    return House(db, Dispatcher(db, Queue(db), Registry.of([probe])), users)


def close(house: House) -> None:
    house.dispatcher._queue.close()  # type: ignore[attr-defined]
    house.db.close()


def test_two_thousand_have_two_thousand_receipts_and_can_be_stopped(sqlite_url: str) -> None:
    house = a_house(sqlite_url)
    ids = fail_some(house, 2000)
    told: list[BulkRetry] = []
    job = BulkRetry(house.backend("ann"), ids, "all", told.append)
    job.rehearse()
    wait_for(lambda: job.phase is Phase.READY, 20, "the dry run")
    assert job.counts == {Kind.ELIGIBLE: 2000}
    job.start()
    wait_for(lambda: job.counts[Kind.QUEUED] >= 50, 20, "some receipts")
    job.stop()
    wait_for(lambda: told, 10, "the end")
    assert job.phase is Phase.STOPPED
    assert job.counts[Kind.QUEUED] + job.counts[Kind.STOPPED] == 2000
    rest = [item.run_id for item in job.items if item.kind is Kind.STOPPED]
    other = BulkRetry(house.backend("ann"), ids, "all", told.append)
    other.rehearse()
    wait_for(lambda: other.phase is Phase.READY, 20, "the dry run")
    assert [item.run_id for item in other.items if item.kind is Kind.ELIGIBLE] == rest
    other.start()
    wait_for(lambda: len(told) == 2, 60, "the end")
    assert other.counts == {Kind.QUEUED: len(rest), Kind.JOINS: 2000 - len(rest)}
    assert sorted(retried(house.db)) == ids
    close(house)


async def test_hostile_words_are_shown_and_not_obeyed(house: House) -> None:
    _, go_on = held(house, fail_some(house, 2, label=HOSTILE)[0])
    async with watching(house.backend("ann"), (80, 24)) as (monitor, pilot):
        monitor.bulk_retry([run.id for run in all_runs(house.db)], HOSTILE)
        job = await dry_run(pilot, monitor)
        await pilot.press("r", "escape")
        go_on.set()
        await ended(pilot, job)
        await until(pilot, lambda: [toast for toast in toasts(monitor) if "is done" in toast], "the toast")
        await pilot.press("b")
        await until(pilot, lambda: isinstance(monitor.screen, BulkScreen) and "Done" in words(monitor), "the screen")
        lines = [strip.text for strip in monitor.screen._compositor.render_strips()]
        told = "".join([*lines, *toasts(monitor), words(monitor)])
        assert not any(sign in told for sign in "\x1b\x07\x9b\u202e")
        assert "boom" in told
        assert all(isinstance(item.run, Run) and item.run.label == HOSTILE for item in job.items)


def test_a_seen_run_is_what_is_retried(house: House) -> None:
    """The dispatcher is given each run as the dry run has shown it."""
    (id_,) = fail_some(house, 1)
    seen: list[Run | None] = []

    class Sees(Dispatcher):
        def retry(self, user: User, run_id: int, *more: Any, seen_: Any = None, **named: Any) -> Started:
            seen.append(named["seen"])
            return super().retry(user, run_id, *more, **named)

    house.dispatcher = Sees(house.dispatcher._db, house.dispatcher._queue, house.dispatcher.registry)
    ends: list[BulkRetry] = []
    job = BulkRetry(house.backend("ann"), [id_], "one", ends.append)
    job.rehearse()
    wait_for(lambda: job.phase is Phase.READY, what="the dry run")
    job.start()
    wait_for(lambda: ends, what="the end")
    old = runs.by_id(house.db, id_)
    assert old
    assert seen == [replace(old, context=None)]
