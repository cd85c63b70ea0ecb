"""The workers' screen: what it shows in every state, and what its keys do."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len
from textual.screen import Screen
from textual.widgets import Static

from screens.dialogs.confirm import ConfirmModal
from screens.monitor import Monitor
from screens.poll.poller import Freshness
from screens.run.screen import RunScreen
from screens.text import hour_plots, themes
from screens.widgets import header_lines
from screens.widgets.row_table import RowTable
from screens.workers import lines as told
from screens.workers.screen import WorkersScreen
from store.model.records import Count, Worker
from store.people.access import Membership, Role
from store.runs import lifecycle
from store.workers import pause as queue_pause
from store.workers.load import InFlightRun, SystemLoad, WorkerLoad
from store.workers.pause import QueuePause
from store.workers.queue_depth import QueueDepth
from store.workers.rescues import Rescue
from store.workers.throughput import Hour, HourlyThroughput, LastHour
from tests.screens.conftest import (
    AT,
    CONTOSO,
    HOSTILE,
    WORKER,
    FakeBackend,
    LiveHarness,
    a_run,
    ago,
    polls,
    running,
    screen_lines,
    shown,
    toasts,
    until,
)
from tests.screens.pictures import Picture
from tests.screens.test_pictures import MANY
from tests.support import people

FIRST = AT - dt.timedelta(hours=23)


def hours(*completed: int, looked_back_to: dt.datetime | None = None) -> HourlyThroughput:
    """Hours in which so many runs were completed, a tenth of which failed."""
    each = [
        Hour(
            FIRST + dt.timedelta(hours=place), many, many // 10, 4.0 + many / 9 if many else None,
            9.0 + many if many else None, many * 1.5 if many else None,
        )
        for place, many in enumerate(completed)
    ]  # fmt: skip
    lately = LastHour((2, 4, 0, 1, 7, 3, 2, 0, 0, 5, 16, 1), (0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 0), 22.4)
    return HourlyThroughput(AT, (1, 2), tuple(each), looked_back_to, lately if any(completed) else LastHour())


BUSY = hours(5, 8, 120, 44, 30, 2, 0, 0, 16, 20, 64, 11, 3, 5, 40, 41, 42, 90, 77, 3, 1, 0, 12, 31)
QUIET = hours(*[0] * 24)


def worker(id_: int, **changed: Any) -> Worker:
    return replace(WORKER, id=id_, host=f"worker-host-{id_}", started_at=ago(7200), **changed)


WORKERS = (
    WorkerLoad(
        worker(3),
        True,
        (InFlightRun(993, "Probe", "fabrikam", ago(20)), InFlightRun(994, "Sync inventory", "contoso", ago(250))),
        True,
    ),
    WorkerLoad(worker(4, stuck_slots=2, embedded=True), True, (), True),
    WorkerLoad(worker(5), True),
    WorkerLoad(worker(2, beat_at=ago(300)), False, (InFlightRun(990, "Sync inventory", "contoso", ago(4100)),)),
    WorkerLoad(worker(1, stopped_at=ago(4000)), False),
)
RESCUES = (
    Rescue(3, 991, "Sync inventory", "contoso", ago(900), "lost", 2),
    Rescue(2, 990, "Sync inventory", "fabrikam", ago(4000), "queued_again", None),
    Rescue(1, 989, "Probe", "contoso", ago(9000), "queued", None),
)
LOAD = SystemLoad(WORKERS, QueueDepth(AT, Count(7), 995, ago(240)), None, BUSY, RESCUES)
MUCH = replace(LOAD.waiting, count=Count(1000, True))
PAUSED = replace(LOAD, paused=QueuePause("olga", "Olga Owner", ago(600)), waiting=MUCH)
EMPTY = SystemLoad((), QueueDepth(AT, Count(0)), None, QUIET, ())
HOSTILE_LOAD = replace(
    LOAD,
    workers=(WorkerLoad(worker(3, version=HOSTILE), True, (InFlightRun(994, HOSTILE, HOSTILE, ago(60)),)),),
    paused=QueuePause(HOSTILE, HOSTILE, ago(600)),
    rescues=(Rescue(1, 991, HOSTILE, HOSTILE, ago(9), "lost", 2),),
)
HOSTILE_LOAD = replace(
    HOSTILE_LOAD,
    workers=(replace(HOSTILE_LOAD.workers[0], worker=replace(HOSTILE_LOAD.workers[0].worker, host=HOSTILE)),),
)
FIFTY = replace(
    LOAD,
    workers=tuple(
        WorkerLoad(worker(id_), True, (InFlightRun(900 + id_, "Sync inventory", "contoso", ago(60 * id_)),))
        for id_ in range(1, 51)
    ),
)


# ---- pictures


@pytest.mark.parametrize("load", [LOAD, PAUSED], ids=["busy", "paused"])
def test_workers(picture: Picture, load: SystemLoad) -> None:
    assert picture(FakeBackend(MANY, load=load), "w", in_ascii=load is LOAD)


def test_workers_empty(picture: Picture) -> None:
    assert picture(FakeBackend(MANY, load=EMPTY, workers=()), "w")


def test_workers_many(picture: Picture) -> None:
    assert picture(FakeBackend(MANY, load=FIFTY), "w", "j", "j")


def test_workers_hostile(picture: Picture) -> None:
    assert picture(FakeBackend(MANY, load=HOSTILE_LOAD), "w")


def test_workers_when_too_many_runs_ended_to_count(picture: Picture) -> None:
    load = replace(LOAD, hours=replace(BUSY, looked_back_to=ago(3 * 3600)))
    assert picture(FakeBackend(MANY, load=load), "w")


def test_workers_without_colour(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert picture(FakeBackend(MANY, load=PAUSED), "w", in_ascii=True)


def test_workers_on_a_light_ground(picture: Picture) -> None:
    assert picture(FakeBackend(MANY, load=LOAD), "w", theme=themes.LIGHT)


def test_workers_in_16_colours(picture: Picture) -> None:
    assert picture(FakeBackend(MANY, load=LOAD), "w", theme=themes.SIXTEEN)


def test_workers_on_a_small_terminal(picture: Picture) -> None:
    assert picture(FakeBackend(MANY, load=LOAD), "w", sizes=((60, 20), (80, 18)))


def test_workers_stale(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Freshness, "age", 12.0)
    assert picture(FakeBackend(MANY, poll_seconds=1, load=LOAD), "w", live=False)


def test_workers_loading(picture: Picture) -> None:
    assert picture(FakeBackend(MANY, hangs=threading.Event()), "w", live=False, shows=" loading")


def test_workers_question_before_a_pause(picture: Picture) -> None:
    assert picture(FakeBackend(MANY, load=LOAD), "w", "P", in_ascii=True)


# ---- what it does


async def opened(pilot: Any, monitor: Monitor) -> WorkersScreen:
    await until(pilot, lambda: monitor.snapshot, "the first snapshot")
    await pilot.press("w")
    await until(pilot, lambda: monitor.snapshot and monitor.snapshot.load, "the load")
    screen = monitor.screen
    assert isinstance(screen, WorkersScreen)
    return screen


def line(screen: Screen[Any], name: str) -> str:
    return screen.query_one(f"#{name}", header_lines.Line).text


@pytest.mark.anyio
async def test_what_was_read_last_stays_while_the_database_is_away() -> None:
    stage = FakeBackend(MANY, load=LOAD)
    monitor = Monitor(stage.backend())
    async with running(monitor, (80, 24)) as pilot:
        screen = await opened(pilot, monitor)
        stage.away = "gone"
        await until(pilot, lambda: line(screen, "header").find("stale") > 0, "stale")
        assert len(screen.query_one(RowTable).rows) == len(WORKERS)
        assert "7 waiting" in line(screen, "queue")


@pytest.mark.anyio
async def test_only_the_workers_screen_asks_for_the_load() -> None:
    monitor = Monitor(FakeBackend(MANY, load=LOAD).backend())
    async with running(monitor, (80, 24)) as pilot:
        await opened(pilot, monitor)
        await until(pilot, lambda: monitor.snapshot and monitor.snapshot.request.load, "a poll with the load")
        await pilot.press("escape")
        await until(pilot, lambda: monitor.snapshot and not monitor.snapshot.request.load, "a poll without")


@pytest.mark.anyio
async def test_enter_opens_the_run_of_the_worker_under_the_cursor() -> None:
    monitor = Monitor(FakeBackend(MANY, load=LOAD).backend())
    async with running(monitor, (80, 24)) as pilot:
        await opened(pilot, monitor)
        await pilot.press("j", "enter")
        await until(pilot, lambda: toasts(monitor), "a toast")
        assert "Worker 4 has no run in hand that you may see." in toasts(monitor)[0]
        await pilot.press("k", "enter")
        await until(pilot, lambda: isinstance(monitor.screen, RunScreen), "the run")
        assert isinstance(monitor.screen, RunScreen)
        assert monitor.screen.run_id == 993


@pytest.mark.anyio
async def test_the_queue_is_paused_after_a_question_and_not_without() -> None:
    stage = FakeBackend(MANY, load=LOAD)
    monitor = Monitor(stage.backend())
    async with running(monitor, (80, 24)) as pilot:
        await opened(pilot, monitor)
        await pilot.press("P")
        await until(pilot, lambda: isinstance(monitor.screen, ConfirmModal), "the question")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(monitor.screen, WorkersScreen), "the screen")
        await pilot.press("P")
        await until(pilot, lambda: isinstance(monitor.screen, ConfirmModal), "the question")
        assert stage.held == []
        await pilot.press("enter")
        await until(pilot, lambda: stage.held == [True], "the pause")
        stage.load = PAUSED
        await until(pilot, lambda: "PAUSED by olga" in line(monitor.screen, "queue"), "that it is shown")
        await pilot.press("P")
        await until(pilot, lambda: isinstance(monitor.screen, ConfirmModal), "the question")
        await pilot.press("y")
        await until(pilot, lambda: stage.held == [True, False], "the end of the pause")
        assert any("The queue is resumed." in toast for toast in toasts(monitor))


@pytest.mark.anyio
async def test_who_owns_no_tenant_is_told_so() -> None:
    stage = FakeBackend(MANY, load=LOAD, members=(Membership(CONTOSO, Role.MANAGER),))
    monitor = Monitor(stage.backend())
    async with running(monitor, (80, 24)) as pilot:
        screen = await opened(pilot, monitor)
        assert screen.check_action("pause_queue", ()) is None
        await pilot.press("P")
        await until(pilot, lambda: toasts(monitor), "the reason")
        assert "Only an owner of a tenant may pause or resume the queue." in toasts(monitor)[0]
        assert monitor.screen is screen


def noted(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The names of the texts that are painted, as they are."""
    painted: list[str | None] = []
    real = Static.update

    def update(static: Static, *arguments: Any, **named: Any) -> None:
        painted.append(static.id)
        real(static, *arguments, **named)

    monkeypatch.setattr(Static, "update", update)
    return painted


@pytest.mark.anyio
async def test_what_did_not_change_is_not_painted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    painted = noted(monkeypatch)
    stage = FakeBackend(MANY, load=LOAD)
    monitor = Monitor(stage.backend())
    async with running(monitor, (140, 40)) as pilot:
        await opened(pilot, monitor)
        await until(pilot, lambda: {"plots", "flight", "recent", "queue"} <= set(painted), "all of it")
        await polls(pilot, 2)
        painted.clear()
        await polls(pilot, 4)
        assert painted == []
        last = replace(BUSY.each[-1], completed=60)
        stage.load = replace(LOAD, hours=replace(BUSY, each=(*BUSY.each[:-1], last)))
        await until(pilot, lambda: "plots" in painted, "the plots")
        await polls(pilot, 2)
        assert set(painted) == {"plots", "hours"}


@pytest.mark.anyio
async def test_the_wait_of_what_still_waits_grows_in_the_plot() -> None:
    stage = FakeBackend(MANY, load=LOAD)
    monitor = Monitor(stage.backend())
    async with running(monitor, (140, 40)) as pilot:
        await opened(pilot, monitor)
        await until(pilot, lambda: "4m" in shown(monitor), "the longest wait of all hours, which still lasts")
        stage.load = replace(LOAD, waiting=replace(LOAD.waiting, oldest_since=ago(3 * 3600)))
        await until(pilot, lambda: "4h" in shown(monitor), "an axis for three hours")


@pytest.mark.anyio
async def test_what_is_in_flight_is_listed_where_there_is_room() -> None:
    monitor = Monitor(FakeBackend(MANY, load=LOAD).backend())
    async with running(monitor, (80, 24)) as pilot:
        await opened(pilot, monitor)
        await until(pilot, lambda: "7 waiting" in shown(monitor), "the queue")
        assert "In flight" not in shown(monitor)
        await pilot.resize_terminal(100, 32)
        await until(pilot, lambda: "In flight" in shown(monitor), "the list")
        (row,) = (line for line in screen_lines(monitor) if "worker 3" in line and "994" in line)
        assert row.split() == ["worker", "3", "994", "Sync", "inventory", "contoso", "4m"]
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "In flight" not in shown(monitor), "the end of the list")


@pytest.mark.anyio
async def test_in_ascii_nothing_else_is_on_the_glass() -> None:
    for size in ((80, 24), (140, 40), (60, 20)):
        monitor = Monitor(FakeBackend(MANY, load=PAUSED).backend(), ascii_only=True)
        async with running(monitor, size) as pilot:
            await opened(pilot, monitor)
            await pilot.pause()
            strips = monitor.screen._compositor.render_strips()
            text = "\n".join(strip.text for strip in strips[:-1])  # the footer is Textual's
            assert "".join(char for char in text if ord(char) > 126 and char != "…") == ""
            named = ("Ended an hour (UTC)  x failed", "o median  = p95") if size[0] >= 80 else ("Failed", "p95")
            assert all(name in text for name in named), text


def test_what_a_worker_has_in_hand_is_named_if_it_is_ones_own() -> None:
    assert told.in_hand(WORKERS[0]) == "993 Probe, 994 Sync inventory, others' runs"
    assert told.in_hand(WORKERS[2]) == ""
    assert [told.state_of(one).word for one in WORKERS] == ["alive", "stuck", "alive", "silent", "stopped"]


def test_slots_are_cells_as_far_as_there_is_room() -> None:
    busy, stuck, idle, *_ = WORKERS
    assert [told.slots(one, 15) for one in (busy, stuck, idle)] == ["■■░░ 2+ of 4", "░░░░ 0+ of 4 !2", "□□□□ 0 of 4"]
    assert [told.slots(one, 10) for one in (busy, stuck, idle)] == ["2+/4", "0+/4 !2", "0/4"]
    assert told.slots(WorkerLoad(worker(3, slots=16), True), 40) == "0/16"


def test_the_last_hour_is_told_in_a_line() -> None:
    assert told.last_hour(BUSY, False).plain == " Last hour  ▁▂·▁▄▂▁··▂█▁  41 runs, 3 failed, p95 22 s"
    assert told.last_hour(QUIET, False).plain == " Last hour  no run has ended"
    never_started = replace(BUSY, last_hour=LastHour((0,) * 11 + (1,)))
    assert told.last_hour(never_started, True).plain == " Last hour             #  1 run"


@pytest.mark.parametrize("width", [80, 100, 119, 120, 160, 200])
def test_plots_stand_side_by_side_and_fit(width: int) -> None:
    lines = told.plots(LOAD, width, hour_plots.COLOURED).plain.splitlines()
    assert len(lines) == hour_plots.HEIGHT
    assert max(map(cell_len, lines)) <= width - 2
    assert ("Ended" in lines[0], "Longest wait" in lines[0], "p95" in lines[0]) == (True, width >= 120, True)


def test_of_too_many_runs_in_flight_the_rest_is_counted() -> None:
    lines = told.in_flight(FIFTY.workers, AT, 6, 80).plain.splitlines()
    assert (len(lines), lines[-1]) == (6, " and 46 more")
    assert len(told.in_flight(LOAD.workers, AT, 6, 80).plain.splitlines()) == 4
    assert told.in_flight((), AT, 6, 80).plain == " In flight  nothing, among what you may see"


@pytest.mark.parametrize("width", [20, 40, 60, 80, 140])
def test_what_is_in_flight_fits_into_its_lines(width: int) -> None:
    found = told.in_flight((*FIFTY.workers, *HOSTILE_LOAD.workers), AT, 100, width).plain.splitlines()
    assert len(found) == 52
    assert max(map(cell_len, found[1:])) <= width


@pytest.mark.parametrize("width", [50, 60, 80, 99, 100, 140, 250])
def test_a_line_of_the_table_is_as_wide_as_its_header(width: int) -> None:
    for one in WORKERS:
        cells = told.row(one, AT, width, False).cells
        assert len(" ".join(cell.text for cell in cells)) == len(told.header(width)) <= max(width, 60)


# ---- on a real database


@pytest.mark.anyio
async def test_an_owner_pauses_the_real_queue(house: LiveHarness) -> None:
    people.make_user(house.db, "olga", contoso=Role.OWNER)
    from store.people import access

    house.users["olga"] = access.find_user(house.db, "olga")
    started = house.dispatcher.start(house.users["ann"], "contoso", "system.probe", {})
    assert lifecycle.claim(house.db, started.run.id, people.make_worker(house.db))
    monitor = Monitor(house.backend("olga"))
    async with running(monitor, (100, 30)) as pilot:
        screen = await opened(pilot, monitor)
        (row,) = screen.query_one(RowTable).rows
        assert any(str(started.run.id) in cell.text for cell in row.cells)
        await pilot.press("P")
        await until(pilot, lambda: isinstance(monitor.screen, ConfirmModal), "the question")
        await pilot.press("y")
        await until(pilot, lambda: "PAUSED by olga" in line(screen, "queue"), "the pause")
    with house.db.read() as connection:
        pause = queue_pause.current(connection)
    assert pause
    assert pause.login == "olga"


@pytest.mark.anyio
async def test_somebody_whose_right_was_taken_away_is_refused(house: LiveHarness) -> None:
    """The screen mirrors rights as they were read last; the store asks again."""
    stage = FakeBackend((a_run(990),), load=LOAD)
    monitor = Monitor(replace(stage.backend(), set_queue_paused=house.backend("ann").set_queue_paused))
    people.make_user(house.db, "olga", contoso=Role.OWNER)
    async with running(monitor, (80, 24)) as pilot:
        await opened(pilot, monitor)
        await pilot.press("P")
        await until(pilot, lambda: isinstance(monitor.screen, ConfirmModal), "the question")
        await pilot.press("y")
        await until(pilot, lambda: toasts(monitor), "the refusal")
        assert "administration is for owners" in toasts(monitor)[0]
    with house.db.read() as connection:
        assert queue_pause.current(connection) is None


def test_what_is_in_flight_has_seconds_below_a_minute() -> None:
    """What lives is told to the second: "now" would say nothing of a run that has begun 40 seconds ago."""
    runs = tuple(InFlightRun(number, "Probe", "contoso", at) for number, at in ((1, ago(41)), (2, ago(130)), (3, None)))
    shown = told.in_flight([WorkerLoad(WORKER, True, runs)], AT, 10, 100).plain.splitlines()[1:]
    assert [line.split("contoso")[1].strip() for line in shown] == ["41 s", "2m", ""]
