"""What is wrong with the house stands under the header of every screen, and goes away when it is right again."""

from __future__ import annotations

import pytest

from screens.bulk.screen import BulkScreen
from screens.inbox.screen import InboxScreen
from screens.monitor import Monitor
from screens.poll import trouble
from screens.run.screen import RunScreen
from screens.runs.failure_groups import FailureGroupsScreen
from screens.runs.screen import RunsScreen
from screens.start.form import FormScreen
from screens.widgets.header_lines import Banner
from screens.workers.screen import WorkersScreen
from store.snapshot import Request
from store.workers.pause import QueuePause
from tests.screens.conftest import WORKER, FakeBackend, ago, polls, running, runs_of_all_states, until

pytestmark = pytest.mark.anyio

PAUSE = QueuePause("olga", "Olga Owner", ago(600))
NOBODY = "No worker is alive: 'opsmon worker' starts one"
PAUSED = "Queue PAUSED by olga for 10m"
OPENED = {"": RunsScreen, "enter": RunScreen, "n": InboxScreen, "w": WorkersScreen, "F": FailureGroupsScreen}


def said(monitor: Monitor) -> str:
    banner = monitor.screen.query_one("#banner", Banner)
    return banner.text.strip() if banner.display else ""


@pytest.mark.parametrize("key", OPENED)
async def test_every_screen_says_that_nobody_works_and_that_the_queue_is_paused(key: str) -> None:
    stage = FakeBackend(runs_of_all_states(), workers=(), paused=PAUSE)
    monitor = Monitor(stage.backend())
    async with running(monitor, (80, 24)) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        if key:
            await pilot.press(key)
        await until(pilot, lambda: isinstance(monitor.screen, OPENED[key]), "the screen")
        await until(pilot, lambda: said(monitor) == f"{PAUSED}   {NOBODY}", "both")
        stage.paused = None
        await until(pilot, lambda: said(monitor) == NOBODY, "one")
        stage.only_reads, stage.workers = True, (WORKER,)
        await until(pilot, lambda: said(monitor).startswith("The database only reads"), "that it only reads")
        stage.only_reads = False
        await until(pilot, lambda: said(monitor) == "", "nothing")
        assert not monitor.screen.query_one("#banner").display


async def test_a_form_and_a_dry_run_say_it_too() -> None:
    monitor = Monitor(FakeBackend(runs_of_all_states(), workers=()).backend())
    async with running(monitor, (80, 24)) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        await pilot.press("A")
        await until(pilot, lambda: isinstance(monitor.screen, BulkScreen) and said(monitor) == NOBODY, "it")
        await pilot.press("escape", "s", "p", "r", "o", "b", "e", "enter")
        await until(pilot, lambda: isinstance(monitor.screen, FormScreen) and said(monitor) == NOBODY, "it")


async def test_a_database_that_fails_is_said_with_its_reason_at_once() -> None:
    stage = FakeBackend(runs_of_all_states())
    monitor = Monitor(stage.backend())
    async with running(monitor, (120, 24)) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        assert said(monitor) == ""
        stage.away = "the database file is gone"
        await polls(pilot)
        assert said(monitor) == "The database file is gone. What you see is the last that was read."
        stage.away = ""
        await polls(pilot)
        assert said(monitor) == ""


def test_a_worker_that_is_started_beside_the_screens_has_a_moment_to_come() -> None:
    snapshot = FakeBackend(workers=()).fetch(Request(1))
    assert trouble.words("", snapshot, 3.0, 8.0) == ""
    assert trouble.words("", snapshot, 8.0, 8.0) == NOBODY
    assert trouble.words("gone", snapshot, 8.0, 8.0).startswith("Gone")
    assert trouble.words("gone", None, 0.0, 8.0) == "Gone."
