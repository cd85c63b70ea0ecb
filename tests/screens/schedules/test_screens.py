"""What the keys of the screens of schedules do, what they ask first, and what they ask of the database."""

from __future__ import annotations

from typing import Any

import pytest

from screens.dialogs.confirm import ConfirmModal
from screens.monitor import Monitor
from screens.run.screen import RunScreen
from screens.runs.screen import RunsScreen
from screens.schedules.form import ScheduleForm
from screens.schedules.screen import SchedulesScreen
from screens.schedules.ticks import TicksScreen
from screens.tenants.picker import TenantPicker
from screens.widgets.header_lines import Line
from screens.widgets.row_table import RowTable
from store.errors import DatabaseAway
from store.intune import schedules
from store.intune.schedule_page import SchedulesWanted
from store.intune.schedule_records import ScheduleSettings
from store.people.access import Membership, Role
from store.runs import ticking
from tasks.operations import backup_schedule, backup_set
from tasks.sdk.registry import Registry
from tests.screens.conftest import FABRIKAM, MEMBER, LiveHarness, polls, running, screen_lines, toasts, until
from tests.screens.schedules.stage import (
    ALL,
    FAILED,
    HISTORY,
    NIGHTLY,
    ODD,
    OFTEN,
    OPERATOR,
    READONLY,
    WANTED,
    Changes,
    Stage,
    listed,
    page,
    schedule,
)
from tests.support import people
from tests.support.waiting import HANG

pytestmark = pytest.mark.anyio


async def pressed(pilot: Any, *keys: str) -> None:
    """Each key, what it asks for, and what it does in the background."""
    for key in keys:
        await pilot.press(key)
        await until(pilot, lambda: pilot.app.backend.background.wait(0), "the end of what is done in the background")
        await polls(pilot)


def asked(monitor: Monitor) -> object:
    return monitor.data.poller.request.schedules


def names(monitor: Monitor) -> list[str]:
    return [row.cells[1].text.strip() for row in monitor.screen.query_one(RowTable).rows]


def told(monitor: Monitor) -> str:
    return monitor.screen.query_one("#words", Line).text.strip()


def seen(monitor: Monitor) -> str:
    return "\n".join(screen_lines(monitor))


def question(monitor: Monitor) -> str:
    assert isinstance(monitor.screen, ConfirmModal)
    return monitor.screen.question


async def test_schedules_are_asked_for_while_they_are_open() -> None:
    monitor = Monitor(Stage(*ALL).backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        assert asked(monitor) is None
        await pressed(pilot, "S")
        assert asked(monitor) == WANTED
        assert names(monitor)[:3] == ["leap day", "nightly", "noon"]
        await pressed(pilot, "escape")
        assert (type(monitor.screen), asked(monitor)) == (RunsScreen, None)


async def test_the_palette_opens_them() -> None:
    monitor = Monitor(Stage(*ALL).backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "ctrl+p", *"schedules")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(monitor.screen, SchedulesScreen), "the schedules")


async def test_of_several_tenants_one_is_chosen_first_and_t_switches() -> None:
    stage = Stage(*ALL, members=MEMBER)
    stage.schedules[SchedulesWanted("fabrikam")] = page(listed(OFTEN))
    monitor = Monitor(stage.backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "S")
        assert isinstance(monitor.screen, TenantPicker)
        await pressed(pilot, "j", "enter")
        assert (names(monitor), monitor.tenant) == (["scripts"], None)
        await pressed(pilot, "t", "j", "enter")
        assert (asked(monitor), names(monitor)[0]) == (WANTED, "leap day")


async def test_the_schedule_under_the_cursor_is_told_in_full_and_the_cursor_stays_on_it() -> None:
    stage = Stage(*ALL)
    monitor = Monitor(stage.backend())
    async with running(monitor, (80, 24)) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "S", "j", "j")
        assert "noon: 0 12 * * 1-5 in Asia/Kolkata, all kinds, all are kept." in seen(monitor)
        assert "Next: Mon 2 Mar 12:00 IST, in 18h30." in seen(monitor)
        assert "Last: Fri 27 Feb 17:30 IST, 3 times missed, workers were away." in seen(monitor)
        stage.schedules[WANTED] = page(*ALL[1:])
        await polls(pilot)
        assert "noon: 0 12" in seen(monitor)


async def test_a_schedule_is_run_now_after_the_question() -> None:
    stage = Stage(*ALL)
    monitor = Monitor(stage.backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "S", "j", "s")
        assert question(monitor) == "Run nightly of contoso now?"
        await pressed(pilot, "escape")
        assert not stage.started
        await pressed(pilot, "s", "enter")
        assert stage.started == [("contoso", ticking.TYPE, {"schedule": NIGHTLY.id})]


@pytest.mark.parametrize(
    ("row", "key", "asks", "done"),
    [
        (1, "x", "Switch off nightly of contoso?", ([(1, {"enabled": False})], [])),
        (4, "x", "Switch on paused of contoso?", ([(6, {"enabled": True})], [])),
        (1, "delete", "Remove nightly of contoso? Its backups stay.", ([], [1])),
    ],
)
async def test_a_schedule_is_switched_and_removed_after_the_question(
    row: int, key: str, asks: str, done: tuple[list[Any], list[int]]
) -> None:
    changes = Changes()
    monitor = Monitor(Stage(*ALL, changes=changes).backend())
    async with running(monitor, (80, 24)) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "S", *"j" * row, key)
        assert question(monitor) == asks
        assert (changes.edited, changes.removed) == ([], [])
        await pressed(pilot, "enter")
        assert (changes.edited, changes.removed) == done
        assert len(toasts(monitor)) == 1


async def test_a_change_that_fails_is_told() -> None:
    monitor = Monitor(Stage(*ALL, changes=Changes(error=DatabaseAway("connection refused"))).backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "S", "x", "enter")
        assert "connection refused" in toasts(monitor)[-1]


@pytest.mark.parametrize("key", ["a", "e", "x", "delete"])
@pytest.mark.parametrize("members", [READONLY, OPERATOR])
async def test_who_may_not_change_them_is_told_why(members: tuple[Membership, ...], key: str) -> None:
    monitor = Monitor(Stage(*ALL, members=members).backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "S", key)
        assert isinstance(monitor.screen, SchedulesScreen)
        assert toasts(monitor)[-1].endswith("not change its schedules: that wants the role manager.")


async def test_run_now_wants_an_operator() -> None:
    stage = Stage(*ALL, members=(Membership(FABRIKAM, Role.OWNER), *READONLY))
    monitor = Monitor(stage.backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        monitor.choose_tenant("contoso")
        await pressed(pilot, "S", "s")
        assert toasts(monitor)[-1].endswith("You may look at contoso, not start runs: that wants the role operator.")
        stage.members = OPERATOR
        await pressed(pilot, "R", "s")
        assert question(monitor) == "Run leap day of contoso now?"


async def test_without_a_schedule_the_keys_say_how_to_add_one() -> None:
    monitor = Monitor(Stage().backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "S")
        assert told(monitor) == "No schedules yet. a adds one."
        for key in ("s", "e", "x", "delete"):
            await pressed(pilot, key)
            assert "No schedule is under the cursor. a adds one." in toasts(monitor)[-1]
        assert isinstance(monitor.screen, SchedulesScreen)


async def test_the_history_opens_the_run_of_a_minute() -> None:
    stage = Stage(listed(OFTEN, HISTORY[0]), runs=(FAILED,))
    wanted = SchedulesWanted("contoso", OFTEN.id)
    stage.schedules[wanted] = page(listed(OFTEN, HISTORY[0]), ticks=HISTORY)
    monitor = Monitor(stage.backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "S", "enter")
        assert (type(monitor.screen), asked(monitor)) == (TicksScreen, wanted)
        await pressed(pilot, *"jjjj", "enter")
        assert toasts(monitor)[-1].endswith("There is no run to show. 3 times missed, workers were away")
        await pressed(pilot, "k", "k", "enter")
        assert isinstance(monitor.screen, RunScreen)
        assert monitor.screen.run_id == FAILED.id
        await pressed(pilot, "escape", "escape")
        assert monitor.screen.place == "contoso, schedules"
        assert asked(monitor) == WANTED


async def test_the_history_of_a_schedule_that_was_removed_says_so() -> None:
    stage = Stage(listed(OFTEN))
    stage.schedules[SchedulesWanted("contoso", OFTEN.id)] = page()
    monitor = Monitor(stage.backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "S", "enter")
        assert told(monitor) == "The schedule was removed."


async def test_nothing_odd_reaches_the_terminal() -> None:
    stage = Stage(ODD)
    stage.schedules[SchedulesWanted("contoso", ODD.schedule.id)] = page(ODD, ticks=(ODD.last,) if ODD.last else ())
    monitor = Monitor(stage.backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        for keys in (["S"], ["enter"], ["escape", "delete"], ["escape", "e"]):
            await pressed(pilot, *keys)
            assert not any(char in seen(monitor) for char in "\x1b\x07\x9b\u202e")
        assert isinstance(monitor.screen, ScheduleForm)


async def test_from_the_database_to_the_screen_and_back(house: LiveHarness) -> None:
    house.dispatcher.registry = Registry.of([backup_set.create, backup_schedule.run_now])
    manager = people.make_user(house.db, "mary", contoso=Role.MANAGER)
    settings = ScheduleSettings("nightly", "30 2 * * *", "Europe/Berlin", ("scripts",), 3)
    new = schedules.add(house.db, manager, "contoso", settings)
    monitor = Monitor(house.backend("ann"))
    async with running(monitor, (140, 40)) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        monitor.choose_tenant("contoso")
        await pressed(pilot, "S")
        assert names(monitor) == ["nightly"]
        assert "device management scripts" in seen(monitor)
        await pressed(pilot, "s", "enter")
        await until(pilot, lambda: monitor.snapshot and monitor.snapshot.runs, "the run")
        assert monitor.snapshot
        assert [run.type for run in monitor.snapshot.runs] == [ticking.TYPE]
    house.users["mary"] = manager
    monitor = Monitor(house.backend("mary"))
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "S", "x", "enter", "delete", "enter")
        assert not monitor.screen.query_one(RowTable).rows
    assert monitor.wait(HANG)
    assert schedules.read(house.db, new.id) is None


async def test_schedules_of_one_name_and_cron_have_next_times_of_their_own_zones() -> None:
    monitor = Monitor(
        Stage(*(listed(schedule(n, f"s{n}", zone=zone)) for n, zone in enumerate(("UTC", "Asia/Tokyo"), 1))).backend()
    )
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "S")
        assert "Mon  2 Mar 02:30 UTC" in seen(monitor)
        assert "Mon  2 Mar 02:30 JST" in seen(monitor)
