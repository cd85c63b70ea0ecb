"""Keys that the settings change: their names are those of the screens' bindings, and a changed one does what the old one did."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import screens
from screens.backend import Appearance
from screens.key_names import KEY_NAMES
from screens.key_words import keys_of
from screens.monitor import Monitor
from screens.widgets.row_table import RowTable
from tests.screens.conftest import FakeBackend, a_run, running, until

pytestmark = pytest.mark.anyio


def all_bindings() -> list[Binding]:
    found = []
    for module in pkgutil.walk_packages(screens.__path__, "screens."):
        for thing in vars(importlib.import_module(module.name)).values():
            if isinstance(thing, type) and issubclass(thing, DOMNode) and thing.__module__.startswith("screens."):
                found += [one for one in thing.__dict__.get("BINDINGS", []) if isinstance(one, Binding)]
    return found


async def test_the_names_of_keys_are_those_of_the_bindings() -> None:
    assert {binding.id for binding in all_bindings() if binding.id} == KEY_NAMES


async def test_what_people_do_often_can_be_given_another_key() -> None:
    without = {binding.action for binding in all_bindings() if not binding.id}
    assert without <= {
        "back", "app.quit", "complete", "earlier(1)", "earlier(-1)", "confirm", "start", "app.focus_next", "copy",
        "write", "delete", "cursor(1)", "cursor(-1)",
    }  # fmt: skip


async def test_a_key_of_ones_own() -> None:
    monitor = Monitor(
        FakeBackend((a_run(3), a_run(2))).backend(), look=Appearance(keys={"down": "ctrl+n", "help": "f12"})
    )
    async with running(monitor, (80, 24)) as pilot:
        table = monitor.screen.query_one(RowTable)
        await until(pilot, lambda: table.painted_key == 3)
        await pilot.press("j")
        assert table.cursor_key == 3
        await pilot.press("ctrl+n")
        assert table.cursor_key == 2
        assert ("^n", "Down") in {(one.keys, one.words) for one in keys_of(monitor.screen)}


async def test_a_theme_of_sixteen_colours() -> None:
    monitor = Monitor(FakeBackend((a_run(3),)).backend(), look=Appearance(theme="ansi-dark"))
    async with running(monitor, (80, 24)) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        assert monitor.native_ansi_color
