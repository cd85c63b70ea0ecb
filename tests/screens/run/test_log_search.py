"""The search in a run's log, with keys."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from screens.inbox.screen import InboxScreen
from screens.monitor import Monitor
from screens.run.screen import RunScreen
from screens.widgets.line_view import LineView
from store.model.records import LogLine
from tests.screens.conftest import FakeBackend, ago, polls, running, screen_lines, until
from tests.screens.run.test_pictures import FAILED, RAISED

pytestmark = pytest.mark.anyio

LOG = tuple(LogLine(n, ago(700 - n), "info", f"step {n}{' needle' if n % 20 == 0 else ''}") for n in range(1, 101))


@asynccontextmanager
async def opened(stage: FakeBackend) -> AsyncIterator[tuple[Monitor, Any]]:
    """The first run of the stage is open, and has been read."""
    monitor = Monitor(stage.backend())
    async with running(monitor, (80, 24)) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pilot.press("enter")
        await polls(pilot)
        yield monitor, pilot


async def test_matches_one_after_the_other_and_esc_keeps_the_place() -> None:
    async with opened(FakeBackend((FAILED,), events=LOG)) as (monitor, pilot):
        await pilot.press("slash", *"NEEDLE", "enter")
        await until(pilot, lambda: any("1 of 5" in line for line in screen_lines(monitor)))
        assert any("step 20 needle" in line for line in screen_lines(monitor))
        await pilot.press("n", "n")
        assert any("3 of 5" in line for line in screen_lines(monitor))
        await pilot.press("N", "N", "N")
        assert any("5 of 5" in line for line in screen_lines(monitor))
        assert any("step 100 needle" in line for line in screen_lines(monitor))
        await pilot.press("N", "N")
        place = monitor.screen.query_one(LineView).scroll_y
        await pilot.press("escape")
        assert isinstance(monitor.screen, RunScreen)
        assert monitor.screen.query_one(LineView).scroll_y == place
        assert not any(" of 5" in line for line in screen_lines(monitor))
        await pilot.press("escape")
        assert not isinstance(monitor.screen, RunScreen)


async def test_what_is_searched_for_before_the_run_was_read_is_searched_for_then() -> None:
    stage = FakeBackend((FAILED,), events=LOG)
    monitor = Monitor(stage.backend())
    async with running(monitor, (80, 24)) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await polls(pilot)
        stage.hangs = threading.Event()
        try:
            await pilot.press("enter", "slash", *"needle", "enter")
        finally:
            stage.hangs.set()
        await until(pilot, lambda: any("1 of 5" in line for line in screen_lines(monitor)), "what was found")


async def test_n_is_the_inbox_unless_something_is_found() -> None:
    async with opened(FakeBackend((FAILED,), events=LOG)) as (monitor, pilot):
        for keys in ((), ("slash", *"zzz", "enter"), ("slash", *"needle", "enter", "escape")):
            await pilot.press(*keys, "n")
            await until(pilot, lambda: isinstance(monitor.screen, InboxScreen))
            await pilot.press("escape")


async def test_what_was_folded_is_found_and_unfolded() -> None:
    async with opened(RAISED) as (monitor, pilot):
        assert "_zone" not in monitor.screen.query_one(LineView).text
        await pilot.press("slash", *"_zone", "enter")
        await until(pilot, lambda: any("1 of 1" in line for line in screen_lines(monitor)))
        assert any("probe.py:131 _zone" in line for line in screen_lines(monitor))


async def test_new_lines_do_not_move_a_search_away() -> None:
    stage = FakeBackend((FAILED,), events=LOG)
    async with opened(stage) as (monitor, pilot):
        await pilot.press("slash", *"needle", "enter", "n")
        stage.events = (LogLine(0, ago(705), "info", "an earlier needle"), *LOG)
        await until(pilot, lambda: any("3 of 6" in line for line in screen_lines(monitor)))
        assert any("step 40 needle" in line for line in screen_lines(monitor))


async def test_what_was_folded_again_is_unfolded_by_going_there() -> None:
    async with opened(RAISED) as (monitor, pilot):
        await pilot.press("slash", *"_zone", "enter")
        await until(pilot, lambda: any("1 of 1" in line for line in screen_lines(monitor)))
        for _ in range(2):  # z unfolds what is not yet unfolded first
            if "_zone" in monitor.screen.query_one(LineView).text:
                await pilot.press("z")
        assert "_zone" not in monitor.screen.query_one(LineView).text
        await pilot.press("n")
        await until(pilot, lambda: any("probe.py:131 _zone" in line for line in screen_lines(monitor)))
