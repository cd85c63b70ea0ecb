"""The command palette: what the keys do, and views, tenants and themes by their names."""

from __future__ import annotations

import pytest
from textual.command import CommandPalette
from textual.widgets import Input

from screens.dialogs.help import HelpModal
from screens.monitor import Monitor
from screens.runs.screen import RunsScreen
from store.search.saved_views import SavedView
from tests.screens.conftest import FakeBackend, a_run, running, until

pytestmark = pytest.mark.anyio

KEPT = [SavedView("[/foo] failed [red]tonight", "outcome:failed since:8h", "Failed")]


async def chosen(monitor: Monitor, pilot: object, words: str) -> None:
    """Open the palette, type some words, and take the first that is found."""
    await pilot.press("ctrl+p")  # type: ignore[attr-defined]
    await until(pilot, lambda: isinstance(monitor.screen, CommandPalette), "the palette")
    await pilot.press(*words)  # type: ignore[attr-defined]
    found = monitor.screen.query_one("CommandList")
    await until(pilot, lambda: found.option_count, words)  # type: ignore[attr-defined]
    await pilot.pause()  # type: ignore[attr-defined]
    await pilot.press("enter")  # type: ignore[attr-defined]
    await until(pilot, lambda: not isinstance(monitor.screen, CommandPalette), "its end")


async def test_views_and_tenants_are_found_by_name() -> None:
    monitor = Monitor(FakeBackend((a_run(3),), kept=KEPT).backend())
    async with running(monitor, (80, 24)) as pilot:
        await until(pilot, lambda: monitor.snapshot and monitor.saved_views.all)
        await chosen(monitor, pilot, "tonight")
        screen = monitor.screen
        assert isinstance(screen, RunsScreen)
        await until(
            pilot, lambda: (screen.view.terms, screen.view.tab) == ("outcome:failed since:8h", "Failed"), "the view"
        )
        await chosen(monitor, pilot, "fabrikam")
        await until(pilot, lambda: monitor.tenant == "fabrikam", "the tenant")


async def test_its_cursor_does_not_blink() -> None:
    monitor = Monitor(FakeBackend((a_run(3),)).backend())
    async with running(monitor, (80, 24)) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pilot.press("colon")
        await until(pilot, lambda: isinstance(monitor.screen, CommandPalette), "the palette")
        await until(pilot, lambda: not monitor.screen.query_one(Input).cursor_blink)


async def test_what_keys_do_is_found_by_its_words() -> None:
    monitor = Monitor(FakeBackend((a_run(3),)).backend())
    async with running(monitor, (80, 24)) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await chosen(monitor, pilot, "help")
        await until(pilot, lambda: isinstance(monitor.screen, HelpModal), "the help")
