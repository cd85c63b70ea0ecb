"""The form of a schedule: its errors at their fields, the next times as one types, and that nothing typed is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from textual.widgets import Button, Input, Static

from screens.monitor import Monitor
from screens.schedules import form
from screens.schedules.draft import Preview, preview
from screens.schedules.form import ScheduleForm
from screens.schedules.screen import SchedulesScreen
from screens.widgets.checkbox import Check
from store.errors import DatabaseAway, InputInvalid
from store.intune import schedules
from store.intune.schedule_records import Schedule, ScheduleSettings
from store.people.access import Role
from tasks.operations import backup_schedule, backup_set
from tasks.sdk.registry import Registry
from tests.screens.conftest import AT, LiveHarness, running, screen_lines, toasts, until
from tests.screens.schedules.stage import ALL, NIGHTLY, ODD, OFTEN, Changes, Stage, listed
from tests.screens.schedules.test_screens import pressed
from tests.support import people
from tests.support.waiting import HANG

pytestmark = pytest.mark.anyio

#: A new schedule of the name "night", up to its cron.
NEW = ("S", "a", *"night", "tab")


def under(monitor: Monitor, name: str) -> str:
    """What stands under a field."""
    line = monitor.screen.query_one(f"#under-{name}", Static)
    return str(line.render()) if line.has_class("shown") else ""


def value(monitor: Monitor, name: str) -> str:
    return monitor.screen.query_one(f"#{name}", Input).value


def note(monitor: Monitor) -> str:
    return str(monitor.screen.query_one("#note", Static).render())


async def opened(pilot: Any, *keys: str) -> Monitor:
    monitor: Monitor = pilot.app
    await until(pilot, lambda: monitor.snapshot)
    await pressed(pilot, *keys)
    return monitor


async def test_a_schedule_is_added_as_it_was_typed() -> None:
    changes = Changes()
    async with running(Monitor(Stage(listed(OFTEN), changes=changes).backend())) as pilot:
        keys = (*NEW, *" 30 2 * *  1-5", "tab", "ctrl+u", *"Asia/Tokyo", "tab", *"7", "tab", "space", "tab", "space")
        monitor = await opened(pilot, *keys, "ctrl+s")
        added = ScheduleSettings("night", "30 2 * * 1-5", "Asia/Tokyo", ("configuration_policies",), 7, enabled=False)
        assert changes.added == [("contoso", added)]
        assert isinstance(monitor.screen, SchedulesScreen)
        assert toasts(monitor) == ["The schedule night of contoso was added."]


async def test_only_what_was_changed_is_changed() -> None:
    changes = Changes()
    old = replace(NIGHTLY, settings=replace(NIGHTLY.settings, kinds=("shell_scripts", "gone", "scripts")))
    async with running(Monitor(Stage(listed(old), changes=changes).backend())) as pilot:
        monitor = await opened(pilot, "S", "e")
        assert isinstance(monitor.focused, Button)
        monitor.screen.query_one("#keep").focus()
        await pressed(pilot, "end", *"0", "enter")
        assert changes.edited == [(1, {"keep": 140})], "and kinds that are unknown by now are kept, in their order"


async def test_each_error_stands_at_its_field_and_the_first_has_the_focus() -> None:
    changes = Changes()
    async with running(
        Monitor(
            Stage(changes=changes).backend(),
        ),
        (80, 24),
    ) as pilot:
        monitor = await opened(pilot, "S", "a", "tab", *"0 99 * * *", "tab", *"x", "tab", *"1e3", "enter")
        assert under(monitor, "name").startswith("the schedule's name cannot be stored")
        assert under(monitor, "cron").startswith("the cron's hour cannot be '99'")
        assert under(monitor, "zone").startswith("the zone 'UTCx' is unknown here")
        assert under(monitor, "keep").startswith("keep cannot be '1e3'")
        assert (monitor.focused and monitor.focused.id, changes.added) == ("name", [])
        await pressed(pilot, "a")
        assert (under(monitor, "name"), under(monitor, "keep") != "") == ("", True)


@pytest.mark.parametrize("cron", ["0 0 30 2 *", "0 0 31 2,4 *"])
async def test_a_cron_that_never_fires_says_so_as_it_is_typed(cron: str) -> None:
    async with running(Monitor(Stage().backend())) as pilot:
        monitor = await opened(pilot, *NEW, *cron)
        assert under(monitor, "cron").startswith("the cron never fires")
        assert not monitor.screen.query_one("#under-cron").has_class("wrong"), "it is not finished yet"
        await pressed(pilot, "enter")
        assert monitor.screen.query_one("#under-cron").has_class("wrong")


async def test_the_next_times_cross_a_change_of_the_clocks() -> None:
    """The snapshot is of March 1, 2026; the clocks of Berlin skip the hour after two on March 29."""
    async with running(Monitor(Stage(listed(NIGHTLY)).backend())) as pilot:
        monitor = await opened(pilot, *NEW, *"30 2 * * 0")
        assert [line.split("  in ")[0].rstrip() for line in under(monitor, "cron").split("\n")] == [
            "Sun  8 Mar 02:30 CET",
            "Sun 15 Mar 02:30 CET",
            "Sun 22 Mar 02:30 CET",
            "Sun 29 Mar 03:00 CEST",
            "Sun  5 Apr 02:30 CEST",
        ]
        await pressed(pilot, "tab", "ctrl+u", *"UTC")
        assert "Sun 29 Mar 02:30 UTC" in under(monitor, "cron")


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[list[str], threading.Event]]:
    """Next times that are computed only when they may go on, and what was computed."""
    goes_on, computed = threading.Event(), list[str]()

    def waits(text: str, zone: str, after: Any) -> Preview:
        computed.append(text)
        assert goes_on.wait(HANG)
        return preview(text, zone, after)

    monkeypatch.setattr(form, "preview", waits)
    yield computed, goes_on
    goes_on.set()


async def test_keys_do_not_wait_for_the_next_times(slow: tuple[list[str], threading.Event]) -> None:
    computed, goes_on = slow
    async with running(Monitor(Stage().backend())) as pilot:
        monitor: Monitor = pilot.app
        await until(pilot, lambda: monitor.snapshot)
        await pilot.press("S")
        await until(
            pilot, lambda: isinstance(monitor.screen, SchedulesScreen) and not monitor.screen.disabled_reason("add")
        )
        await pilot.press("a")
        await until(pilot, lambda: isinstance(monitor.screen, ScheduleForm), "the form")
        await pilot.press("tab", *"0 3 * * *")
        assert value(monitor, "cron") == "0 3 * * *"
        assert computed == [""], "one at a time"
        goes_on.set()
        await until(pilot, lambda: "03:00 UTC" in under(monitor, "cron"), "the times of what was typed last")
        assert computed == ["", "0 3 * * *"]


async def test_while_the_database_is_away_the_form_stays_with_what_was_typed() -> None:
    changes = Changes(error=DatabaseAway("connection refused"))
    async with running(Monitor(Stage(changes=changes).backend())) as pilot:
        monitor = await opened(pilot, *NEW, *"0 3 * * *", "enter")
        assert (note(monitor), value(monitor, "cron")) == ("Not saved: connection refused", "0 3 * * *")
        changes.error = None
        await pressed(pilot, "enter")
        assert (len(changes.added), type(monitor.screen)) == (1, SchedulesScreen)


@pytest.mark.parametrize(
    ("error", "at_name", "noted"),
    [
        (schedules.NameTaken("contoso has a schedule 'night' already", "choose another name"), True, ""),
        (InputInvalid("contoso has 100 schedules already", "remove one first"), False, "Not saved: contoso has 100"),
        (RuntimeError("boom [/x]"), False, "Not saved: RuntimeError: boom [/x]"),
    ],
)
async def test_what_the_database_refuses_is_shown(error: Exception, at_name: bool, noted: str) -> None:
    async with running(Monitor(Stage(changes=Changes(error=error)).backend())) as pilot:
        monitor = await opened(pilot, *NEW, *"0 3 * * *", "enter")
        assert ("already: choose another name" in under(monitor, "name")) is at_name
        assert note(monitor).startswith(noted)
        assert isinstance(monitor.screen, ScheduleForm)


async def test_esc_asks_before_what_was_typed_is_lost() -> None:
    async with running(Monitor(Stage(*ALL).backend())) as pilot:
        monitor = await opened(pilot, "S", "a", "escape")
        assert isinstance(monitor.screen, SchedulesScreen), "nothing was typed"
        await pressed(pilot, "a", *"night", "escape", "escape")
        assert value(monitor, "name") == "night"
        await pressed(pilot, "escape", "enter")
        assert isinstance(monitor.screen, SchedulesScreen)


async def test_an_odd_name_is_shown_harmlessly_and_kept_if_it_is_not_edited() -> None:
    changes = Changes()
    async with running(Monitor(Stage(ODD, changes=changes).backend())) as pilot:
        monitor = await opened(pilot, "S", "e")
        assert "[red] 漢字" in "".join(screen_lines(monitor))
        monitor.screen.query_one("#enabled", Check).focus()
        await pressed(pilot, "space")
        draft = monitor.screen._draft if isinstance(monitor.screen, ScheduleForm) else None
        assert draft
        assert (draft.name, draft.kinds, draft.enabled) == (*_of(ODD.schedule), False)


def _of(schedule: Schedule) -> tuple[str, tuple[str, ...] | None]:
    return schedule.settings.name, schedule.settings.kinds


def test_a_preview_of_what_cannot_be_read() -> None:
    assert preview("", "UTC", AT) == Preview()
    assert set(preview("x", "UTC", AT).problems) == {"cron"}
    assert set(preview("x", "Nowhere/Else", AT).problems) == {"zone"}
    assert set(preview("* * * * *", "", AT).problems) == {"zone"}


async def test_a_name_that_is_taken_in_a_real_database(house: LiveHarness) -> None:
    house.dispatcher.registry = Registry.of([backup_set.create, backup_schedule.run_now])
    house.users["mary"] = manager = people.make_user(house.db, "mary", contoso=Role.MANAGER)
    schedules.add(house.db, manager, "contoso", ScheduleSettings("night", "0 0 * * *", "Asia/Tokyo"))
    async with running(Monitor(house.backend("mary"))) as pilot:
        monitor = await opened(pilot, *NEW, *"0 3 * * *", "enter")
        assert under(monitor, "name") == "contoso has a schedule 'night' already: choose another name"
        await pressed(pilot, "end", "2", "enter")
        assert isinstance(monitor.screen, SchedulesScreen)
    found = schedules.schedules_of(house.db, manager, "contoso")
    assert [(one.settings.name, one.settings.zone) for one in found] == [
        ("night", "Asia/Tokyo"),
        ("night2", "Asia/Tokyo"),
    ]
