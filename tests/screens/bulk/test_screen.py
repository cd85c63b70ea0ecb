"""The retry of many runs on its screen: over a real database and a real queue."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
import sqlalchemy as sa
from textual import events

from screens import bulk_retry
from screens.actions import JOBS_KEPT
from screens.bulk.screen import BulkScreen
from screens.bulk_retry import BulkRetry, Item, Kind, Phase, kept
from screens.monitor import Monitor
from screens.notify.toasts import SeenNotifications
from screens.run.screen import RunScreen
from screens.widgets import header_lines
from screens.widgets.row_table import RowTable
from store.backoff import Backoff
from store.db.engine import Database
from store.errors import DatabaseAway, QueueUnavailable
from store.model.records import Notification, Outcome, Run, User
from store.model.tables import operation_runs
from store.people import access, admin
from store.people.access import Role
from store.runs import lifecycle
from store.runs.seeding import SeedRun, seed_runs
from tasks.dispatch import Dispatcher, Started
from tasks.operations.probe import probe
from tasks.queue.queue import Queue
from tasks.sdk.registry import Registry
from tests.screens.conftest import FakeBackend, LiveHarness, running, toasts, told, until
from tests.support import people
from tests.support.properties import size
from tests.support.waiting import HANG

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def watching(house: LiveHarness, login: str = "ann") -> AsyncIterator[tuple[Monitor, Any]]:
    monitor = Monitor(house.backend(login))
    async with running(monitor, (120, 40)) as pilot:
        await until(pilot, lambda: monitor.snapshot and "live" in monitor.freshness, "the first snapshot")
        yield monitor, pilot
        for job in monitor.actions.jobs:
            job.stop()


def failed(house: LiveHarness, count: int, tenant: str = "contoso", same: str = "") -> list[int]:
    """Ids of new failed runs of the probe, each of an identity of its own, or all of the `same`."""
    with house.db.read() as connection:
        last = connection.execute(sa.select(sa.func.coalesce(sa.func.max(operation_runs.c.id), 0))).scalar_one()
    place = access.require_right(house.db, house.users["ann"], tenant, access.Right.VIEW)
    defaults = {p.name: p.default for p in house.dispatcher.registry.get("system.probe").parameters}
    past = [
        SeedRun(
            place.id, "system.probe", Outcome.FAILED, 3600 - n / 10, label="Probe",
            context={"parameters": defaults | {"key": same or f"{last}-{n}"}},
        )
        for n in range(count)
    ]  # fmt: skip
    seed_runs(house.db, past, batch=5000)
    with house.db.read() as connection:
        query = sa.select(operation_runs.c.id).where(operation_runs.c.id > last).order_by(operation_runs.c.id)
        return list(connection.execute(query).scalars())


def retries(house: LiveHarness) -> dict[int, int]:
    """Every retry by the run that it retries."""
    query = sa.select(operation_runs.c.retry_of_id, operation_runs.c.id).where(
        operation_runs.c.retry_of_id.is_not(None)
    )
    with house.db.read() as connection:
        found = list(connection.execute(query))
    assert len({old for old, _ in found}) == len(found), "none is retried twice"
    return dict(found)


def kinds(job: BulkRetry) -> dict[int, Kind]:
    return {item.run_id: item.kind for item in job.items}


class Slow:
    """A dispatcher whose retries go through a gate, and fail as the test says."""

    def __init__(self, dispatcher: Dispatcher, after: int = 10**9) -> None:
        self._dispatcher = dispatcher
        self.gate = threading.Event()
        self.tried: list[int] = []
        self.after = after
        self.away = False
        self.breaks: set[int] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dispatcher, name)

    def dry_run_retries(self, *args: Any) -> Any:
        if self.away:
            raise DatabaseAway("gone")
        return self._dispatcher.dry_run_retries(*args)

    def retry(self, user: User, run_id: int, seen: Run | None = None) -> Started:
        if len(self.tried) >= self.after:
            assert self.gate.wait(HANG)
        if self.away:
            raise DatabaseAway("gone")
        if run_id in self.breaks:
            raise RuntimeError("boom \x1b[31m")
        self.tried.append(run_id)
        return self._dispatcher.retry(user, run_id, seen=seen)


@pytest.fixture
def slow(house: LiveHarness, monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    monkeypatch.setattr(bulk_retry, "PAUSES", Backoff(0.02, 0.05))
    made = Slow(house.dispatcher)
    house.dispatcher = made  # type: ignore[assignment]
    yield made
    made.gate.set()


async def rehearsed(pilot: Any, monitor: Monitor, ids: Sequence[int], words: str = "some runs") -> BulkRetry:
    monitor.actions.bulk_retry(ids, words)
    job = monitor.actions.jobs[-1]
    await until(pilot, lambda: job.phase is Phase.READY, "the dry run")
    await until(pilot, lambda: isinstance(monitor.screen, BulkScreen) and said(monitor), "what the dry run says")
    return job


def line(monitor: Monitor, name: str) -> str:
    """What stands in one of the screen's lines; nothing while it is being put together."""
    return "".join(found.text.strip() for found in monitor.screen.query(f"#{name}").results(header_lines.Line))


def said(monitor: Monitor) -> bool:
    state = line(monitor, "state")
    return state.startswith("Dry run: ") and "checking" not in state


def listed(monitor: Monitor) -> list[int]:
    return [row.key for row in monitor.screen.query_one(RowTable).rows]


async def ended(pilot: Any, job: BulkRetry) -> None:
    await until(pilot, lambda: job.phase in (Phase.DONE, Phase.STOPPED), "the end")


# ---- from the dry run to the receipts


async def test_every_run_ends_with_a_receipt_and_just_those_given_are_retried(house: LiveHarness) -> None:
    count = size(60, 300)
    ids = failed(house, count)
    others = failed(house, 20)
    async with watching(house) as (monitor, pilot):
        job = await rehearsed(pilot, monitor, ids, f"{count} marked runs")
        assert line(monitor, "words") == f"Nothing is started yet. Retry of {count} marked runs"
        assert line(monitor, "state") == f"Dry run: {count} eligible"
        assert retries(house) == {}
        await pilot.press("r")
        later = failed(house, 5)  # whatever comes into the list meanwhile
        await ended(pilot, job)
        await until(pilot, lambda: line(monitor, "state") == f"Done: {count} queued")
        new = retries(house)
        assert sorted(new) == ids
        assert {item.run_id: item.new_id for item in job.items} == new
        assert not set(new) & {*others, *later}
        assert sorted(house.dispatcher._queue.waiting(999)) == sorted(new.values())  # type: ignore[attr-defined]
        await pilot.press("G", "enter")
        await until(pilot, lambda: isinstance(monitor.screen, RunScreen) and monitor.screen.run_id == new[ids[-1]])


async def test_each_group_is_counted_and_listed(house: LiveHarness) -> None:
    admin.grant(house.db, "ann", "fabrikam", Role.OWNER)
    foreign = failed(house, 2, "fabrikam")
    house.users["eve"] = people.make_user(house.db, "eve", contoso=Role.OPERATOR, fabrikam=Role.READONLY)
    fine, pair = failed(house, 3), failed(house, 2, same="pair")
    (twin,) = failed(house, 1)
    active = house.dispatcher.retry(house.users["ann"], twin).run.id
    async with watching(house, "eve") as (monitor, pilot):
        job = await rehearsed(pilot, monitor, [*fine, *pair, twin, *foreign, active, 10**9])
        assert line(monitor, "state") == ("Dry run: 4 eligible, 2 with active twin, 2 not permitted, 2 refused")
        groups = {"1": len(job.items), "2": [*fine, pair[0]], "3": [], "4": [pair[1], twin]}
        for key, expected in {**groups, "5": [*foreign, active, 10**9]}.items():
            await pilot.press(key)
            found = listed(monitor)
            assert (len(found) if isinstance(expected, int) else found) == expected
        await pilot.click("#tabs", offset=(monitor.screen.query_one(header_lines.Tabs).text.index("Twins"), 0))
        await until(pilot, lambda: listed(monitor) == groups["4"], "the tab that was clicked")
        await pilot.press("G", "enter")
        await until(pilot, lambda: isinstance(monitor.screen, RunScreen) and monitor.screen.run_id == active)
        await pilot.press("escape")
        await pilot.press("r")
        await ended(pilot, job)
        assert sorted(retries(house)) == sorted([*fine, pair[0], twin])
        assert kinds(job)[twin] is kinds(job)[pair[1]] is Kind.NOT_TRIED


async def test_twins_are_joined_when_that_is_wanted(house: LiveHarness) -> None:
    pair, (twin,) = failed(house, 2, same="pair"), failed(house, 1)
    active = house.dispatcher.retry(house.users["ann"], twin).run.id
    async with watching(house) as (monitor, pilot):
        job = await rehearsed(pilot, monitor, [*pair, twin])
        await pilot.press("a", "r")
        await ended(pilot, job)
        new = retries(house)
        assert {item.run_id: (item.kind, item.new_id) for item in job.items} == {
            pair[0]: (Kind.QUEUED, new[pair[0]]),
            pair[1]: (Kind.ATTACHED, new[pair[0]]),
            twin: (Kind.ATTACHED, active),
        }


async def test_what_cannot_be_done_says_why(house: LiveHarness) -> None:
    (run,) = failed(house, 1)
    active = house.dispatcher.retry(house.users["ann"], run).run.id
    async with watching(house) as (monitor, pilot):
        await rehearsed(pilot, monitor, [active])
        await pilot.press("r", "a", "x", "left_square_bracket")
        await until(pilot, lambda: len(toasts(monitor)) == 4)
        assert toasts(monitor) == [
            "None of them can be retried.",
            "None of them has an active twin.",
            "Nothing is being retried.",
            "There is no older one.",
        ]


async def test_thousands_have_their_receipts_and_keys_answer_all_the_while(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = Database(sqlite_url)
    people.make_tenant(db, "contoso")
    queue = Queue(db, timeout=HANG)
    count = size(300, 1200)
    slow = Slow(Dispatcher(db, queue, Registry.of([probe])), after=count // 2)
    house = LiveHarness(db, cast(Dispatcher, slow), {"ann": people.make_user(db, "ann", contoso=Role.OPERATOR)})
    ids = failed(house, count)
    backend = replace(house.backend("ann"), poll_seconds=1.0)
    monkeypatch.setattr(LiveHarness, "backend", lambda *_: backend)
    async with watching(house) as (monitor, pilot):
        job = await rehearsed(pilot, monitor, ids, f"all {count:,} that match outcome:failed")
        await pilot.press("r")
        for _ in range(10):
            await answer(monitor, "j")
            await answer(monitor, "k")
        assert job.is_active
        slow.gate.set()
        for _ in range(10):
            await answer(monitor, "j")
            await answer(monitor, "k")
        await ended(pilot, job)
        await until(pilot, lambda: line(monitor, "state") == f"Done: {count:,} queued")
        assert sorted(retries(house)) == ids
        assert toasts(monitor) == []
    queue.close()
    db.close()


async def answer(monitor: Monitor, key: str) -> None:
    """Press a key, and wait until the cursor has moved: how soon, `make bench` tells."""
    table = monitor.screen.query_one(RowTable)
    before = table.cursor_line
    monitor.post_message(events.Key(key, key))
    await wait_until(lambda: table.cursor_line != before)


async def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + HANG
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


# ---- what changes between the dry run and the retry


async def test_a_right_that_is_lost_in_between(house: LiveHarness) -> None:
    ids, foreign = failed(house, 2), failed(house, 2, "fabrikam")
    async with watching(house) as (monitor, pilot):
        job = await rehearsed(pilot, monitor, [*foreign, *ids])
        people.make_user(house.db, "boss", fabrikam=Role.OWNER)
        admin.grant(house.db, "ann", "fabrikam", Role.READONLY)
        await pilot.press("r")
        await ended(pilot, job)
        assert sorted(retries(house)) == ids
        assert [kinds(job)[run] for run in foreign] == [Kind.FORBIDDEN] * 2
        assert "as readonly of fabrikam you may not" in job.items[0].words
        await until(pilot, lambda: line(monitor, "about").endswith(job.items[0].words))
        await until(pilot, lambda: line(monitor, "state") == "Done: 2 queued, 2 not permitted")


async def test_a_twin_that_comes_in_between_is_joined(house: LiveHarness) -> None:
    ids = failed(house, 2)
    async with watching(house) as (monitor, pilot):
        job = await rehearsed(pilot, monitor, ids)
        twin = house.dispatcher.retry(house.users["ann"], ids[0]).run.id
        await pilot.press("r")
        await ended(pilot, job)
        assert [(item.kind, item.new_id) for item in job.items] == [
            (Kind.ATTACHED, twin),
            (Kind.QUEUED, retries(house)[ids[1]]),
        ]


async def test_a_queue_that_refuses_one(house: LiveHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = failed(house, 3)
    send, sent = Queue.send, []

    def refuse_the_second(queue: Queue, run_id: int) -> None:
        sent.append(run_id)
        if len(sent) == 2:
            raise QueueUnavailable("the queue is ill")
        send(queue, run_id)

    monkeypatch.setattr(Queue, "send", refuse_the_second)
    async with watching(house) as (monitor, pilot):
        job = await rehearsed(pilot, monitor, ids)
        await pilot.press("r")
        await ended(pilot, job)
        assert [item.kind for item in job.items] == [Kind.QUEUED, Kind.DISPATCH_FAILED, Kind.QUEUED]
        assert job.items[1].new_id == sent[1]
        assert "the queue is ill" in job.items[1].words


async def test_one_run_that_breaks_the_dispatcher_does_not_stop_the_others(house: LiveHarness, slow: Slow) -> None:
    ids = failed(house, 3)
    slow.breaks = {ids[1]}
    async with watching(house) as (monitor, pilot):
        job = await rehearsed(pilot, monitor, ids)
        await pilot.press("r")
        await ended(pilot, job)
        assert [item.kind for item in job.items] == [Kind.QUEUED, Kind.REFUSED, Kind.QUEUED]
        assert job.items[1].words.startswith("unforeseen: RuntimeError: boom")


# ---- left, found again, stopped


async def test_it_goes_on_without_its_screen_and_is_found_again(house: LiveHarness, slow: Slow) -> None:
    ids = failed(house, 40)
    slow.after = 10
    async with watching(house) as (monitor, pilot):
        first = await rehearsed(pilot, monitor, ids, "40 marked runs")
        await pilot.press("r")
        await until(pilot, lambda: first.counts[Kind.QUEUED] == 10)
        await until(pilot, lambda: line(monitor, "state") == "10 of 40: 10 queued")
        await pilot.press("escape")
        assert not isinstance(monitor.screen, BulkScreen)
        second = await rehearsed(pilot, monitor, failed(house, 1), "another one")
        await pilot.press("r")
        assert second.phase is Phase.READY
        assert "The retry of 40 marked runs is under way: wait for it, or stop it." in toasts(monitor)[-1]
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: line(monitor, "words") == "Retry of 40 marked runs")
        assert listed(monitor) == ids
        await pilot.press("right_square_bracket", "escape")
        slow.gate.set()
        await ended(pilot, first)
        await until(
            pilot, lambda: any("The retry of 40 marked runs is done.  b: receipts" in t for t in toasts(monitor))
        )
        await pilot.press("b", "left_square_bracket")
        await until(pilot, lambda: line(monitor, "state") == "Done: 40 queued")
        assert sorted(retries(house)) == ids


async def test_it_is_stopped_in_the_middle_and_says_what_was_not_tried(house: LiveHarness, slow: Slow) -> None:
    ids = failed(house, 40)
    slow.after = 15
    async with watching(house) as (monitor, pilot):
        job = await rehearsed(pilot, monitor, ids)
        await pilot.press("r")
        await until(pilot, lambda: job.counts[Kind.QUEUED] == 15)
        await pilot.press("x")
        assert not job.is_stopping, "x asks first"
        await pilot.press("x")
        await until(pilot, lambda: line(monitor, "state").startswith("Stopping after 15 of 40"))
        slow.gate.set()
        await ended(pilot, job)
        # The one that was being tried has its receipt.
        await until(pilot, lambda: line(monitor, "state") == "Stopped: 16 queued, 24 not tried")
        assert sorted(retries(house)) == ids[:16]
        await pilot.press("5")
        assert listed(monitor) == ids[16:]


async def test_quitting_asks_once_for_each_job(house: LiveHarness, slow: Slow) -> None:
    first, second = failed(house, 2), failed(house, 2)
    slow.after = 1
    async with watching(house) as (monitor, pilot):
        job = await rehearsed(pilot, monitor, first)
        await pilot.press("r", "ctrl+q")
        await until(pilot, lambda: "q again stops it and quits" in toasts(monitor)[-1])
        slow.gate.set()
        await ended(pilot, job)
        slow.gate.clear()
        job = await rehearsed(pilot, monitor, second)
        await pilot.press("r", "ctrl+q")
        await pilot.pause()
        assert monitor.is_running
        assert sum("q again" in toast for toast in toasts(monitor)) == 2
        await pilot.press("ctrl+q")
        await until(pilot, lambda: not monitor.is_running)
        assert job.is_stopping
        slow.gate.set()


# ---- the database goes away


async def test_it_waits_for_the_database_and_goes_on(house: LiveHarness, slow: Slow) -> None:
    ids = failed(house, 30)
    slow.after = 10
    async with watching(house) as (monitor, pilot):
        slow.away = True
        monitor.actions.bulk_retry(ids, "30 runs")
        job = monitor.actions.jobs[-1]
        await until(pilot, lambda: job.trouble and line(monitor, "state").startswith("It waits for the database: gone"))
        slow.away = False
        await until(pilot, lambda: job.phase is Phase.READY)
        await pilot.press("r")
        await until(pilot, lambda: job.counts[Kind.QUEUED] == 10)
        slow.away = True
        slow.gate.set()
        await until(pilot, lambda: line(monitor, "state").startswith("It waits for the database: gone"))
        assert job.counts[Kind.QUEUED] == 10
        slow.away = False
        await ended(pilot, job)
        await until(pilot, lambda: line(monitor, "state") == "Done: 30 queued")
        assert sorted(retries(house)) == ids


async def test_stopped_while_the_database_is_away_it_ends_at_once(house: LiveHarness, slow: Slow) -> None:
    ids = failed(house, 3)
    async with watching(house) as (monitor, pilot):
        job = await rehearsed(pilot, monitor, ids)
        slow.away = True
        await pilot.press("r")
        await until(pilot, lambda: job.trouble)
        await pilot.press("x", "x")
        await ended(pilot, job)
        assert set(kinds(job).values()) == {Kind.NOT_TRIED}
        assert retries(house) == {}


async def test_a_run_that_was_open_when_the_database_went_away_is_its_own(
    house: LiveHarness, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next try finds the run that the one before had opened."""
    (run,) = failed(house, 1)
    went_away: list[int] = []
    mark = lifecycle.mark_dispatched

    def lost(db: Database, run_id: int) -> Run | None:
        if not went_away:
            went_away.append(run_id)
            raise DatabaseAway("gone")
        return mark(db, run_id)

    monkeypatch.setattr("tasks.dispatch.lifecycle.mark_dispatched", lost)
    async with watching(house) as (monitor, pilot):
        job = await rehearsed(pilot, monitor, [run])
        await pilot.press("r")
        await ended(pilot, job)
        assert [(item.kind, item.new_id) for item in job.items] == [(Kind.QUEUED, went_away[0])]


# ---- the job alone


def test_the_job_that_is_under_way_is_kept() -> None:
    jobs = [BulkRetry(FakeBackend().backend(), [n], str(n), lambda _: None) for n in range(JOBS_KEPT + 3)]
    assert kept(jobs, JOBS_KEPT) == jobs[3:]
    jobs[1].phase = Phase.RUNNING
    assert kept(jobs, JOBS_KEPT) == [jobs[1], *jobs[3:]]


def test_what_has_changed_is_told_once() -> None:
    job = BulkRetry(FakeBackend().backend(), [7, 8, 9, 8], "x", lambda _: None)
    assert [item.run_id for item in job.items] == [7, 8, 9]
    assert job.changes(0) == (0, [])
    job._put(1, Item(8, Kind.ELIGIBLE))
    job._put(2, Item(9, Kind.ELIGIBLE))
    job._put(1, Item(8, Kind.QUEUED))
    since, changed = job.changes(0)
    assert [(place, item.kind) for place, item in changed] == [(1, Kind.QUEUED), (2, Kind.ELIGIBLE)]
    assert job.changes(since) == (since, [])
    assert +job.counts == {Kind.UNKNOWN: 1, Kind.ELIGIBLE: 1, Kind.QUEUED: 1}


def test_whatever_breaks_the_dry_run_is_told() -> None:
    def breaks() -> Any:
        raise RuntimeError("boom")

    over = threading.Event()
    job = BulkRetry(FakeBackend().backend(breaks), [7], "x", lambda _: over.set())
    job.rehearse()
    assert over.wait(HANG)
    assert (job.phase, job.trouble) == (Phase.FAILED, "unforeseen: RuntimeError: boom")


# ---- what is told of its runs


def test_what_a_bulk_retry_starts_is_no_news_and_what_of_it_ends_is_counted() -> None:
    news = SeenNotifications()
    news.news([told(1, 7)])
    recent = [told(n, n, "queued") for n in range(2, 40)] + [told(40, 99)]
    assert [toast.run_id for toast in news.news(recent, lambda run_id: run_id < 50)] == [99]
    assert [note.run_id for note in news.newest] == [99]
    ends = [told(50, 2), told(51, 3, title="Sync inventory failed", outcome=Outcome.FAILED), told(52, 4)]
    (toast,) = news.news([*recent, *ends], lambda run_id: run_id < 50)
    assert (toast.title, toast.severity) == ("Bulk retry", "warning")
    assert toast.text == "3 of its runs ended, 1 did not succeed.\nn: inbox"
    assert news.news([*recent, *ends], lambda run_id: run_id < 50) == []
    (toast,) = news.news([*recent, *ends, told(53, 5)], lambda run_id: run_id < 50)
    assert toast.text == "1 of its runs ended, all succeeded.\nn: inbox"


async def test_a_lost_receipt_is_found_again_when_its_run_has_ended(
    house: LiveHarness, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its identity is free again by then: a second try would start a second run."""
    (run,) = failed(house, 1)
    mark, opened, over = lifecycle.mark_dispatched, list[int](), threading.Event()

    def lost(db: Database, run_id: int) -> Run | None:
        marked = mark(db, run_id)
        if not opened:
            opened.append(run_id)
            worker = people.make_worker(db)
            assert lifecycle.claim(db, run_id, worker)
            assert lifecycle.finish(db, run_id, worker, people.SUCCEEDED)
            raise DatabaseAway("gone")
        return marked

    monkeypatch.setattr("tasks.dispatch.lifecycle.mark_dispatched", lost)
    backend = house.backend("ann")
    job = BulkRetry(backend, [run], "x", lambda _: over.set())
    job._rehearse()
    job.start()
    assert over.wait(HANG)
    assert backend.background.wait(HANG)
    assert [(item.kind, item.new_id) for item in job.items] == [(Kind.QUEUED, opened[0])]
    assert retries(house) == {run: opened[0]}


def test_what_may_be_of_a_bulk_retry_is_told_once_that_is_known() -> None:
    """A poll finds the run of a retry before its receipt is there; and another one that somebody else has started meanwhile."""
    monitor = Monitor(FakeBackend().backend())
    job = BulkRetry(monitor.backend, [7, 8], "x", lambda _: None)
    job.phase = Phase.RUNNING
    monitor.actions.jobs.append(job)
    news, acting = SeenNotifications(), monitor.actions
    news.news([])

    def told_of(*notes: Notification) -> list[int | None]:
        return [toast.run_id for toast in news.news(notes, acting.in_bulk, acting.may_be_in_bulk)]

    job.begun = 1
    assert told_of(told(1, 70, "queued"), told(2, 99, "queued")) == []
    job.begun = 2
    job.started.add(70)
    job.known = 1
    assert told_of(told(1, 70, "queued"), told(2, 99, "queued"), told(3, 80, "queued")) == [99]
    job.started.add(80)
    job.known = 2
    assert told_of(told(1, 70, "queued"), told(2, 99, "queued"), told(3, 80, "queued")) == []
    assert acting._asked == {}, "nothing is remembered of what is decided"


def test_a_job_that_broke_off_in_a_retry_holds_nothing_back() -> None:
    monitor = Monitor(FakeBackend().backend())
    job = BulkRetry(monitor.backend, [7], "x", lambda _: None)
    job.phase, job.begun = Phase.FAILED, 1
    monitor.actions.jobs.append(job)
    assert not monitor.actions.may_be_in_bulk(1)
