"""What was set up comes back the next time, and nothing that was typed is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from screens.memory import Opening
from screens.monitor import Monitor
from screens.run.screen import RunScreen
from screens.runs.failure_groups import FailureGroupsScreen
from screens.runs.filter_input import FilterInput
from screens.runs.screen import RunsScreen
from screens.widgets.header_lines import Line
from store.search.failure_groups import Group, Groups
from store.search.last_view import LastView
from store.search.pages import Order
from store.search.saved_views import SavedView
from store.snapshot import Request, Snapshot
from tests.screens.conftest import FakeBackend, LiveHarness, a_run, ago, polls, running, until

pytestmark = pytest.mark.anyio

LAST = LastView(
    SavedView("", "outcome:failed", "Failed", Order.DURATION), "contoso", 5.0, ("type:a", "mine", "outcome:failed")
)
GROUPS = Groups((Group("inventory.sync", "graph.forbidden", 3, ago(60), ago(120), "refused"),))


@asynccontextmanager
async def opened(stage: FakeBackend, opening: Opening) -> AsyncIterator[Any]:
    monitor = Monitor(stage.backend(), opening=opening)
    async with running(monitor, (100, 30)) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        yield pilot


def listed(pilot: Any) -> RunsScreen:
    screen = pilot.app.screen
    assert isinstance(screen, RunsScreen)
    return screen


async def stored(pilot: Any, stage: FakeBackend) -> LastView:
    await until(pilot, lambda: stage.last and pilot.app.memory.last == stage.last[-1], "what is stored")
    return stage.last[-1]


async def test_filter_tab_tenant_order_and_rate_come_back() -> None:
    async with opened(FakeBackend((a_run(3),)), Opening(LAST)) as pilot:
        screen = listed(pilot)
        assert (screen.view.terms, screen.view.tab, screen.view.order) == ("outcome:failed", "Failed", Order.DURATION)
        assert (pilot.app.tenant, pilot.app.data.poller.interval) == ("contoso", 5.0)
        request = pilot.app.snapshot.request
        assert (request.tab, request.order, request.wanted.within) == ("Failed", Order.DURATION, "contoso")


async def test_the_first_snapshot_is_of_what_comes_back() -> None:
    """Nobody sees another list before."""
    asked = []

    class Noting(FakeBackend):
        def fetch(self, request: Request) -> Snapshot:
            asked.append(request.tab)
            return super().fetch(request)

    async with opened(Noting((a_run(3),)), Opening(LAST)):
        assert set(asked) == {"Failed"}


async def test_each_of_them_is_stored_when_it_changes() -> None:
    stage = FakeBackend((a_run(3),))
    async with opened(stage, Opening(LastView())) as pilot:
        await pilot.press("5", "o", "plus", "slash", *"mine", "enter")
        last = await stored(pilot, stage)
        assert (last.view.terms, last.view.tab, last.view.order) == ("mine", "Failed", Order.STARTED)
        assert (last.poll_seconds, last.history) == (pilot.app.data.poller.interval, ("mine",))
        pilot.app.choose_tenant("fabrikam")
        assert (await stored(pilot, stage)).tenant == "fabrikam"


async def test_a_database_that_is_away_loses_no_key_and_stores_later() -> None:
    stage = FakeBackend((a_run(3),))
    async with opened(stage, Opening(LastView())) as pilot:
        stage.away = "gone"
        await pilot.press("5")
        await until(pilot, lambda: pilot.app.backend.background.wait(0), "the end of the try")
        stage.away = ""
        assert stage.last == []
        await pilot.press("5")
        assert (await stored(pilot, stage)).view.tab == "Failed"


async def test_what_is_as_it_was_is_not_stored_again() -> None:
    stage = FakeBackend((a_run(3),))
    async with opened(stage, Opening(LAST)) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: pilot.app.backend.background.wait(0), "the end of what is done")
        assert stage.last == []


async def test_up_goes_through_earlier_filters_and_down_comes_back_to_what_was_typed() -> None:
    async with opened(FakeBackend((a_run(3),)), Opening(LAST)) as pilot:
        await pilot.press("slash", *" x")
        field = listed(pilot).query_one(FilterInput)
        seen = [field.value]
        for key in ("up", "up", "up", "down", "down", "down"):
            await pilot.press(key)
            seen.append(field.value)
        assert seen == ["outcome:failed x", "type:a", "mine", "mine", "type:a", "outcome:failed x", "outcome:failed x"]


async def test_what_was_typed_and_left_is_found_with_up() -> None:
    stage = FakeBackend((a_run(3),))
    async with opened(stage, Opening(LastView())) as pilot:
        await pilot.press("slash", *"type:inv", "escape")
        assert listed(pilot).view.terms == ""
        await pilot.press("slash", "up")
        assert listed(pilot).query_one(FilterInput).value == "type:inv"
        assert (await stored(pilot, stage)).history == ("type:inv",)


async def test_esc_undoes_one_filter_after_the_other() -> None:
    async with opened(FakeBackend((a_run(3),)), Opening(LastView())) as pilot:
        await pilot.press("slash", *"mine", "enter", "slash", *" x", "enter")
        assert listed(pilot).view.terms == "mine x"
        for terms in ("mine", "", ""):
            await pilot.press("escape")
            assert listed(pilot).view.terms == terms


async def test_esc_goes_from_the_runs_of_a_group_to_the_groups() -> None:
    async with opened(FakeBackend((a_run(3),), groups=GROUPS), Opening(LastView())) as pilot:
        await pilot.press("F")
        await polls(pilot, 2)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunsScreen), "the runs of the group")
        assert listed(pilot).view.terms == "type:inventory.sync code:graph.forbidden"
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, FailureGroupsScreen), "the groups")
        await pilot.press("escape")
        assert (listed(pilot).view.terms, listed(pilot).view.tab) == ("", "All")


async def test_the_screens_open_with_terms_or_on_a_run() -> None:
    async with opened(FakeBackend((a_run(3),)), Opening(LAST, terms="type:b")) as pilot:
        screen = listed(pilot)
        assert (screen.view.terms, screen.view.tab, screen.view.order, pilot.app.tenant) == (
            "type:b",
            "All",
            Order.CREATED,
            None,
        )
    async with opened(FakeBackend((a_run(3),)), Opening(LAST, run_id=3)) as pilot:
        assert isinstance(pilot.app.screen, RunScreen)
        await pilot.press("escape")
        assert listed(pilot).view.terms == "outcome:failed"


async def test_a_newcomer_is_told_three_keys_until_they_begin() -> None:
    stage = FakeBackend((a_run(3), a_run(2)))
    async with opened(stage, Opening(None)) as pilot:
        greeting = listed(pilot).query_one("#greeting", Line)
        await pilot.press("j")
        assert greeting.display
        assert all(words in greeting.text for words in ("? shows all keys", "s starts", "/ filters"))
        await pilot.press("2")
        await until(pilot, lambda: not greeting.display, "the end of it")
        await stored(pilot, stage)
    async with opened(stage, Opening(stage.last[-1])) as pilot:
        assert not listed(pilot).query_one("#greeting", Line).display


async def test_quit_and_come_back_on_a_real_database(house: LiveHarness) -> None:
    from store.search import last_view

    ann = house.users["ann"]
    async with running(Monitor(house.backend("ann")), (100, 30)) as pilot:
        await until(pilot, lambda: pilot.app.snapshot, "the list")
        await pilot.press("5", "slash", *"since:2h", "enter")
        await until(pilot, lambda: last_view.read(house.db, ann.id) == pilot.app.memory.last, "what is stored")
        await pilot.press("q")
    opening = Opening(last_view.read(house.db, ann.id))
    async with running(Monitor(house.backend("ann"), opening=opening), (100, 30)) as pilot:
        assert (listed(pilot).view.terms, listed(pilot).view.tab) == ("since:2h", "Failed")
