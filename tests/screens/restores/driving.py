"""Drives the screens of restores: keys, and what is seen after them."""

from __future__ import annotations

from typing import Any

from textual.widgets import Input

from screens.dialogs.confirm import ConfirmModal
from screens.monitor import Monitor
from screens.widgets.header_lines import Line
from screens.widgets.line_view import LineView
from screens.widgets.row_table import RowTable
from tests.screens.conftest import polls, screen_lines, toasts, until
from tests.screens.restores.stage import RestoresBackend


async def pressed(pilot: Any, *keys: str) -> None:
    """Each key, what it asks for, and what it does in the background; of a text, what its last letter asks for."""
    for key, following in zip(keys, (*keys[1:], ""), strict=False):
        await pilot.press(key)
        if isinstance(pilot.app.focused, Input) and len(key) == len(following) == 1:
            continue
        await until(pilot, lambda: pilot.app.backend.background.wait(0), "the end of what is done")
        await polls(pilot)


async def opened(pilot: Any, *keys: str) -> Monitor:
    monitor: Monitor = pilot.app
    await until(pilot, lambda: monitor.snapshot)
    await pressed(pilot, *keys)
    return monitor


def asked(monitor: Monitor) -> object:
    return monitor.data.poller.request.restores


def cells(monitor: Monitor, column: int) -> list[str]:
    return [row.cells[column].text.strip() for row in monitor.screen.query_one(RowTable).rows]


def above(monitor: Monitor) -> str:
    return monitor.screen.query_one(LineView).text


def told(monitor: Monitor, where: str = "#words") -> str:
    return monitor.screen.query_one(where, Line).text.strip()


def question(monitor: Monitor) -> str:
    assert isinstance(monitor.screen, ConfirmModal)
    return monitor.screen.question


def last_toast(monitor: Monitor) -> str:
    return toasts(monitor)[-1]


def calls(state: RestoresBackend) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = state.restore_changes.calls
    return found


def is_clean(monitor: Monitor) -> None:
    """Nothing that a terminal would obey is on the screen."""
    seen = "".join(screen_lines(monitor))
    assert not any(char in seen for char in "\x1b\x07\x9b\u202e")
