"""The line in which a filter is written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from screens.monitor import Monitor
from screens.runs.filter_input import FilterInput
from screens.runs.list_head import ListHead
from screens.runs.screen import RunsScreen
from screens.widgets.header_lines import Line
from screens.widgets.row_table import RowTable
from store.search.filter import parse_line
from tests.screens.conftest import FakeBackend, running, runs_of_all_states, toasts, until

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def editing(stage: FakeBackend, terms: str = "") -> AsyncIterator[tuple[RunsScreen, Any]]:
    """The list with this filter, and the line open."""
    monitor = Monitor(stage.backend())
    async with running(monitor, (120, 30)) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        screen = monitor.screen
        assert isinstance(screen, RunsScreen)
        if terms:
            await write(pilot, screen, terms, "enter")
            await until(pilot, lambda: screen.view.terms == terms, "the filter")
        await pilot.press("slash")
        await until(pilot, lambda: edit(screen).has_focus, "the line")
        yield screen, pilot


def app_of(screen: RunsScreen) -> Monitor:
    assert isinstance(screen.app, Monitor)
    return screen.app


def edit(screen: RunsScreen) -> FilterInput:
    return screen.query_one(FilterInput)


def hinted(screen: RunsScreen) -> str:
    return screen.query_one("#filter", Line).text


async def write(pilot: Any, screen: RunsScreen, text: str, *keys: str) -> None:
    if not edit(screen).has_focus:
        await pilot.press("slash")
        await until(pilot, lambda: edit(screen).has_focus, "the line")
    line = edit(screen)
    line.insert_text_at_cursor(text)
    await pilot.press(*keys)


async def test_enter_applies_the_line_and_the_list_has_the_keys_again() -> None:
    async with editing(FakeBackend(runs_of_all_states())) as (screen, pilot):
        await write(pilot, screen, "  outcome:failed   tenant:fabrikam", "enter")
        await until(pilot, lambda: screen.view.terms == "outcome:failed tenant:fabrikam", "the filter")
        await until(pilot, lambda: [row.key for row in screen.query_one(RowTable).rows] == [991], "its run")
        assert screen.query_one(RowTable).has_focus
        assert not edit(screen).has_class("editing")
        assert hinted(screen).startswith(" / outcome:failed tenant:fabrikam")


async def test_blanks_between_quotation_marks_stay() -> None:
    async with editing(FakeBackend()) as (screen, pilot):
        edit(screen).value = typed = '  mine  "two  words"  '
        await pilot.press("enter")
        await until(pilot, lambda: screen.view.terms == 'mine "two  words"', "the filter")
        assert parse_line(typed) == screen._wanted, "what was typed is what holds"


async def test_a_wrong_filter_keeps_the_old_one_and_selects_what_is_wrong() -> None:
    async with editing(FakeBackend(runs_of_all_states()), "outcome:failed") as (screen, pilot):
        before = screen._wanted
        await write(pilot, screen, " status:none mine", "enter")
        await until(pilot, lambda: toasts(app_of(screen)), "the reason")
        assert "at 16: 'none' is no status" in toasts(app_of(screen))[-1]
        assert edit(screen).selected_text == "status:none"
        assert edit(screen).has_focus
        assert (screen.view.terms, screen._wanted) == ("outcome:failed", before)
        # What is typed next takes the place of what was wrong.
        await pilot.press(*"mine", "enter")
        await until(pilot, lambda: screen.view.terms == "outcome:failed mine mine", "the mended filter")


async def test_hints_while_one_types() -> None:
    async with editing(FakeBackend(runs_of_all_states())) as (screen, pilot):
        await until(pilot, lambda: hinted(screen).startswith(" status:  outcome:  type:"), "the names")
        await write(pilot, screen, "outcome:f")
        await until(pilot, lambda: hinted(screen) == " outcome:failed", "the value")
        await write(pilot, screen, "x")
        await until(pilot, lambda: "'fx' is no outcome" in hinted(screen), "what is wrong")
        await pilot.press("escape")
        await until(pilot, lambda: hinted(screen).startswith(" / filter"), "the filter again")


async def test_tab_completes_names_then_values() -> None:
    async with editing(FakeBackend(runs_of_all_states())) as (screen, pilot):
        await write(pilot, screen, "mine ten", "tab")
        await until(pilot, lambda: edit(screen).value == "mine tenant:", "the name")
        await write(pilot, screen, "f", "tab")
        await until(pilot, lambda: edit(screen).value == "mine tenant:fabrikam ", "a tenant of the user's")
        await pilot.press("tab")
        assert edit(screen).value == "mine tenant:fabrikam "
        assert edit(screen).has_focus, "with nothing to complete, tab goes nowhere"
        edit(screen).value = "type:system"
        await until(pilot, lambda: screen.query_one(ListHead).types, "the operations that there are")
        await pilot.press("end", "tab")
        assert edit(screen).value == "type:system.probe "


async def test_the_next_term_or_a_comma_goes_on_behind_what_tab_completed() -> None:
    async with editing(FakeBackend(runs_of_all_states())) as (screen, pilot):
        await write(pilot, screen, "outcome:f", "tab")
        await pilot.press(*",pa", "tab", *"ten", "tab", "f", "tab", "comma", "space", "comma")
        assert edit(screen).value == "outcome:failed,partially_succeeded tenant:fabrikam, ,"


async def test_the_right_arrow_takes_what_is_shown_behind_the_cursor() -> None:
    async with editing(FakeBackend(runs_of_all_states())) as (screen, pilot):
        await write(pilot, screen, "by:ann")
        await until(pilot, lambda: edit(screen)._suggestion == 'by:"Ann Alba"', "the suggestion")
        await pilot.press("right")
        await until(pilot, lambda: edit(screen).value == 'by:"Ann Alba"', "the value")


async def test_escape_leaves_the_filter_as_it_was() -> None:
    async with editing(FakeBackend(runs_of_all_states()), "outcome:failed") as (screen, pilot):
        await write(pilot, screen, " mine", "escape")
        await until(pilot, lambda: screen.query_one(RowTable).has_focus, "the list")
        assert not edit(screen).has_class("editing")
        assert screen.view.terms == "outcome:failed"
        await pilot.press("slash")
        assert edit(screen).value == "outcome:failed", "the line begins with what holds"
        await pilot.press("escape")
        await pilot.press("escape")
        await until(pilot, lambda: screen.view.terms == "", "that the second esc clears it")


async def test_keys_of_the_list_are_letters_in_the_line() -> None:
    async with editing(FakeBackend(runs_of_all_states())) as (screen, pilot):
        await pilot.press(*"srAqVF1?", "space", "x")
        assert edit(screen).value == "srAqVF1? x"
        assert screen.app.screen is screen
        assert not screen._marked
        assert toasts(app_of(screen)) == []
