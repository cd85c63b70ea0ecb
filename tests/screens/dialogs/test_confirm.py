"""A key that acts on one thing asks once, in one line that names it; enter does it, esc does not, a setting asks nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.widgets import Static

from screens.backend import Appearance
from screens.dialogs.confirm import ConfirmModal
from screens.inbox.screen import InboxScreen
from screens.monitor import Monitor
from screens.run.screen import RunScreen
from screens.runs.screen import RunsScreen
from screens.widgets.row_table import RowTable
from store.model.records import Failure, Outcome, Run
from store.people import access
from store.runs import lifecycle
from store.runs.seeding import SeedRun, seed_runs
from store.search.saved_views import SavedView
from tests.screens.conftest import FakeBackend, LiveHarness, a_run, polls, running, screen_lines, toasts, told, until

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest) -> str:
    """What screens do with keys is the same over both databases; what is asked of those is tested there."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@asynccontextmanager
async def watching(house: LiveHarness, look: Appearance | None = None) -> AsyncIterator[tuple[Monitor, Any]]:
    monitor = Monitor(house.backend("ann"), look=look or Appearance())
    async with running(monitor, (100, 30)) as pilot:
        await until(pilot, lambda: monitor.snapshot and monitor.snapshot.runs, "the runs")
        yield monitor, pilot


@pytest.fixture
def ended(house: LiveHarness) -> list[Run]:
    """Two runs, the newest first: one of bob that succeeded, and one of ann that failed."""
    tenant = access.require_right(house.db, house.users["ann"], "fabrikam", access.Right.VIEW)
    seed_runs(
        house.db,
        [
            SeedRun(tenant.id, "system.probe", Outcome.FAILED, 90.0, failures=(Failure("x.y", "no"),)),
            SeedRun(tenant.id, "system.probe", Outcome.SUCCEEDED, 60.0, label="Rehearse"),
        ],
    )
    return sorted(all_runs(house), key=lambda run: run.created_at, reverse=True)


def all_runs(house: LiveHarness) -> list[Run]:
    return [run for number in range(1, 9) if (run := lifecycle.get(house.db, number))]


def asked(monitor: Monitor) -> str:
    return monitor.screen.question if isinstance(monitor.screen, ConfirmModal) else ""


async def test_a_retry_names_run_operation_tenant_and_what_became_of_it(house: LiveHarness, ended: list[Run]) -> None:
    newest, older = ended
    async with watching(house) as (monitor, pilot):
        await pilot.press("r")
        await until(pilot, lambda: asked(monitor), "the question")
        assert asked(monitor) == f"Retry run {newest.id}, Rehearse in fabrikam (succeeded, by System)?"
        shown = monitor.screen.query_one(Static)
        assert "enter: yes  esc: no" in str(shown.render())
        assert shown.region.bottom == monitor.size.height, "it stands where the footer stands"
        await pilot.press("escape", "r", "n", "r", "q", "r", "r")
        assert isinstance(monitor.screen, ConfirmModal)
        assert len(all_runs(house)) == 2, "neither esc nor n nor q nor the same key again"
        await pilot.press("escape", "j", "r", "enter")
        await until(pilot, lambda: len(all_runs(house)) == 3, "the retry")
        assert isinstance(monitor.screen, RunsScreen)
    assert all_runs(house)[-1].retry_of_id == older.id


async def test_what_comes_in_above_while_it_asks_does_not_change_what_is_retried(
    house: LiveHarness, ended: list[Run]
) -> None:
    async with watching(house) as (monitor, pilot):
        await pilot.press("r")
        await until(pilot, lambda: asked(monitor), "the question")
        house.dispatcher.start(house.users["ann"], "contoso", "system.probe", {"key": "new"})
        await polls(pilot, 2)
        await pilot.press("enter")
        await until(pilot, lambda: len(all_runs(house)) == 4, "the retry")
    assert all_runs(house)[-1].retry_of_id == ended[0].id


async def test_a_runs_own_screen_asks_as_well(house: LiveHarness, ended: list[Run]) -> None:
    async with watching(house) as (monitor, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(monitor.screen, RunScreen) and monitor.screen._detail, "the run")
        await pilot.press("r")
        await until(pilot, lambda: f"Retry run {ended[0].id}" in asked(monitor), "the question")
        await pilot.press("y")
        await until(pilot, lambda: len(all_runs(house)) == 3, "the retry")
        assert isinstance(monitor.screen, RunScreen)


async def test_a_setting_asks_nothing(house: LiveHarness, ended: list[Run]) -> None:
    async with watching(house, Appearance(asks=False)) as (monitor, pilot):
        await pilot.press("r")
        await until(pilot, lambda: len(all_runs(house)) == 3, "the retry")
        assert isinstance(monitor.screen, RunsScreen)


async def test_what_cannot_be_done_is_refused_without_a_question(house: LiveHarness, ended: list[Run]) -> None:
    house.dispatcher.start(house.users["ann"], "contoso", "system.probe", {})
    async with watching(house) as (monitor, pilot):
        await until(pilot, lambda: len(monitor.screen.query_one(RowTable).rows) == 3, "all")
        await pilot.press("g", "r")
        await until(pilot, lambda: any("only a completed run" in toast for toast in toasts(monitor)), "the reason")
        assert not asked(monitor)


async def test_clearing_the_inbox_asks_and_clears_what_was_shown() -> None:
    stage = FakeBackend((a_run(990),), inbox=(told(2, 990), told(1, 990)))
    monitor = Monitor(stage.backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        await pilot.press("n")
        await until(pilot, lambda: isinstance(monitor.screen, InboxScreen) and monitor.screen._shown, "the inbox")
        await pilot.press("c")
        await until(pilot, lambda: asked(monitor) == "Mark all notifications as read?", "the question")
        stage.inbox = (told(3, 990), *stage.inbox)
        await polls(pilot, 2)
        assert stage.read == []
        await pilot.press("enter")
        await until(pilot, lambda: stage.read == [(1, None, 2)], "that those were cleared that were there")


async def test_the_whole_question_is_seen_in_a_narrow_terminal() -> None:
    monitor = Monitor(FakeBackend((a_run(7, Outcome.FAILED),)).backend())
    async with running(monitor, (20, 24)) as pilot:
        await until(pilot, lambda: monitor.snapshot and monitor.screen.query_one(RowTable).painted_key == 7, "the run")
        await pilot.press("r")
        await until(pilot, lambda: asked(monitor), "the question")
        seen = " ".join(" ".join(screen_lines(monitor)).split())
        assert f"{asked(monitor)} enter: yes esc: no" in seen


async def test_a_view_is_not_replaced_without_a_question() -> None:
    stage = FakeBackend((a_run(7, Outcome.FAILED),), kept=[SavedView("mine", "outcome:failed")])
    monitor = Monitor(stage.backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot and monitor.saved_views.all, "the views")
        await pilot.press("V", "tab", *" mine", "enter")
        await until(pilot, lambda: asked(monitor) == "Replace the view mine?", "the question")
        await pilot.press("escape")
        assert len(stage.kept) == 1
        await pilot.press("enter", "enter")
        await until(pilot, lambda: len(stage.kept) == 2, "the view")
        assert stage.kept[-1] == SavedView("mine")
        await until(pilot, lambda: isinstance(monitor.screen, RunsScreen), "the list")
