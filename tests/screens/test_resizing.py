"""Resizes end, the newest size wins, and one that changes nothing does nothing. The terminal's size is what it says it is."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.geometry import Size
from textual.screen import Screen

from screens.dialogs.help import HelpModal
from screens.inbox.screen import InboxScreen
from screens.monitor import Monitor
from screens.resizing import Ground, Palette
from screens.run.screen import RunScreen
from screens.runs.failure_groups import FailureGroupsScreen
from screens.runs.saved_views_modal import SavedViewsModal
from screens.runs.screen import RunsScreen
from screens.start.picker import OperationPicker
from screens.tenants.picker import TenantPicker
from screens.workers.screen import WorkersScreen
from store.db.engine import Database
from tests.screens.conftest import FakeBackend, polls, running, runs_of_all_states, until
from tests.support.terminal import Terminal, closing

SIZES = (Size(70, 20), Size(120, 40), Size(90, 30))
OPENED = {
    "": RunsScreen,
    "question_mark": HelpModal,
    "n": InboxScreen,
    "w": WorkersScreen,
    "i": TenantPicker,
    "D": TenantPicker,
    "B": TenantPicker,
    "F": FailureGroupsScreen,
    "t": TenantPicker,
    "V": SavedViewsModal,
    "s": OperationPicker,
    "enter": RunScreen,
    "ctrl+p": Palette,
}


async def opened(pilot: Any, monitor: Monitor, key: str) -> Screen[Any]:
    await until(pilot, lambda: monitor.snapshot, "the first snapshot")
    if key:
        await pilot.press(key)
    await until(pilot, lambda: isinstance(monitor.screen, OPENED[key]), "the screen")
    return monitor.screen


@pytest.mark.anyio
@pytest.mark.parametrize("key", OPENED)
async def test_sizes_that_wait_together_end_at_the_newest(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a screen finds in its queue when the size has changed twice while it was busy."""
    laid_out: list[Size | None] = []
    monitor = Monitor(FakeBackend(runs_of_all_states()).backend())
    async with running(monitor) as pilot:
        screen = await opened(pilot, monitor, key)
        layout = screen._refresh_layout

        def counted(size: Size | None = None, scroll: bool = False) -> None:
            laid_out.append(size)
            layout(size, scroll)

        monkeypatch.setattr(screen, "_refresh_layout", counted)
        for older, newer in itertools.permutations(SIZES, 2):
            monitor._size = newer
            for size in (older, newer):
                screen.post_message(events.Resize(size, size, size))
                screen.call_later(_nothing)  # neighbours in a queue become one
            await polls(pilot)
            assert {each.size for each in monitor.screen_stack} == {newer}
        await polls(pilot, 3)
        before = len(laid_out)
        await polls(pilot, 3)
        assert len(laid_out) == before, "it goes on laying itself out"
        assert before <= 60


def _nothing() -> None:
    """A message that is no resize."""


@pytest.mark.anyio
async def test_a_resize_that_changes_nothing_paints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monitor = Monitor(FakeBackend(runs_of_all_states()).backend())
    async with running(monitor) as pilot:
        await opened(pilot, monitor, "")
        await polls(pilot, 3)
        painted: list[object] = []
        monkeypatch.setattr(monitor, "_display", lambda *what: painted.append(what))
        for _ in range(5):
            monitor.post_message(events.Resize(monitor.size, monitor.size))
        await polls(pilot, 2)
        assert not painted


@pytest.mark.anyio
async def test_every_screen_is_laid_out_at_the_newest_size() -> None:
    """Also those that Textual would make by itself."""
    monitor = Monitor(FakeBackend(runs_of_all_states()).backend())
    async with running(monitor) as pilot:
        await opened(pilot, monitor, "ctrl+p")
        assert [type(screen) for screen in monitor.screen_stack] == [Ground, RunsScreen, Palette]
        await pilot.press("escape")
        monitor.search_themes()
        await until(pilot, lambda: isinstance(monitor.screen, Palette), "the themes")


@pytest.fixture
def url(db: Database, database_url: str) -> str:
    from store.people.access import Role
    from tests.support import people

    tenant = people.make_tenant(db, "contoso")
    people.end_run(db, people.open_run(db, tenant, people.make_user(db, "ann", contoso=Role.OWNER)))
    return database_url


@pytest.mark.terminal
def test_six_resizes_while_a_screen_opens_end_and_q_is_heard(url: str) -> None:
    with closing(Terminal("tests.support.screens_main", ["ann"], more={"OPSMON_DATABASE_URL": url})) as terminal:
        terminal.wait_for("live")
        for key, size in zip("wn?wn?", itertools.cycle(((24, 80), (40, 140), (15, 60))), strict=False):
            terminal.send(key)
            terminal.child.setwinsize(*size)
            time.sleep(0.03)  # as a hand drags a window
        terminal.child.setwinsize(12, 70)
        terminal.screen.resize(12, 70)
        terminal.send("\x11")  # ctrl+q, whatever is on top
        assert terminal.end() == 0


@pytest.mark.terminal
def test_what_the_environment_says_of_the_size_is_not_believed(url: str, tmp_path: Path) -> None:
    more = {"OPSMON_DATABASE_URL": url, "COLUMNS": "60", "LINES": "15"}
    with closing(Terminal("tests.support.screens_main", ["ann"], (100, 30), more)) as terminal:
        terminal.wait_for("live")
        terminal.wait_for("Quit")
        assert "Quit" in terminal.screen.text().splitlines()[29]
        terminal.child.setwinsize(20, 90)
        terminal.screen.resize(20, 90)
        terminal.read_until(lambda: "Quit" in terminal.screen.text().splitlines()[19], "the last line")
        terminal.send("\x11")  # ctrl+q, whatever is on top
        assert terminal.end() == 0
