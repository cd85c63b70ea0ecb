"""Pictures of screens, kept in `__snapshots__`: one application shows a state at every size, and then in ASCII. A picture
in ASCII that is kept is that of a second one, which was started so.

A picture that differs fails its test and says where both lie. `pytest --snapshot-update` keeps the new ones: look at them.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest
from rich.cells import cell_len
from syrupy.assertion import SnapshotAssertion
from textual.screen import Screen
from textual.widgets import Input

from screens.base import PolledView
from screens.monitor import Monitor
from screens.text import themes
from screens.text.ascii import in_ascii
from tests.screens.conftest import FakeBackend, polls, running, screen_lines, shown, until

SIZES: Final = ((80, 24), (140, 40))
#: The themes beside the dark one that every picture is taken in, by the ends of the pictures' names.
OTHER_THEMES: Final = {"light": themes.LIGHT, "16": themes.SIXTEEN}
Size = tuple[int, int]
Before = Callable[[Any, Monitor], Awaitable[None]]


async def _nothing(pilot: Any, monitor: Monitor) -> None:
    pass


@dataclass(frozen=True)
class State:
    """How an application comes to show what a picture is taken of."""

    stage: FakeBackend
    keys: tuple[str, ...]
    live: bool = True
    before: Before = _nothing
    shows: str = ""
    theme: str = ""

    @asynccontextmanager
    async def played(self, size: Size, *, ascii_only: bool) -> AsyncIterator[tuple[Any, Monitor]]:
        """The application in the state, at rest."""
        monitor = Monitor(self.stage.backend(), ascii_only=ascii_only)
        hangs = self.stage.hangs or threading.Event()
        hangs.clear()
        async with running(monitor, size) as pilot:
            if self.theme:
                monitor.theme = self.theme
            try:
                await self._play(pilot, monitor)
                yield pilot, monitor
            finally:
                hangs.set()

    async def _play(self, pilot: Any, monitor: Monitor) -> None:
        if self.live:
            await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        await self.before(pilot, monitor)
        for key, following in zip(self.keys, (*self.keys[1:], ""), strict=False):
            await pilot.press(key)
            if not (isinstance(monitor.focused, Input) and len(key) == len(following) == 1):
                await self.settle(pilot)
        await self.settle(pilot)
        await until(pilot, lambda: self.shows in shown(monitor), f"{self.shows!r}")

    async def settle(self, pilot: Any) -> None:
        """What was asked for is there, and nothing is done in the background any more."""
        if self.stage.hangs:
            await pilot.pause()
            return
        background = pilot.app.backend.background
        await until(pilot, lambda: background.wait(0), "the end of what is done in the background")
        await polls(pilot)


def _is_of_size(monitor: Monitor, size: Size) -> bool:
    """Whether the screen is laid out for it: its own size is the terminal's, however far it has come."""
    return monitor.screen._compositor.size == size


async def _show_in_ascii(pilot: Any, monitor: Monitor) -> None:
    """Let the screens say anew, in ASCII, what they show."""
    monitor.ascii_only = True
    for screen in monitor.screen_stack:
        if isinstance(screen, PolledView):
            screen.show_again()
    await pilot.pause()


def _see_ascii(monitor: Monitor) -> None:
    """The screen has no other sign of ours, and no line is longer for it."""
    for line in screen_lines(monitor):
        assert in_ascii(line) == line, f"a sign that is not ASCII's: {line!r}"
        assert cell_len(line) <= monitor.size.width, f"a line that is too long: {line!r}"


@dataclass(frozen=True)
class Picture:
    """Compares what a state looks like with the pictures that are kept."""

    kept: SnapshotAssertion
    folder: Path

    def __call__(
        self,
        stage: FakeBackend,
        *keys: str,
        sizes: tuple[Size, ...] = SIZES,
        live: bool = True,
        in_ascii: bool = False,
        before: Before = _nothing,
        shows: str = "",
        theme: str = "",
    ) -> bool:
        """The state is that of `stage` after `before` and the keys, once it shows the words `shows`, which come late.
        `theme` is the name of a theme; "": the one that the application chooses.

        `live`: the keys come once a snapshot has.

        That it has in ASCII no other sign of ours is always looked at; `in_ascii` keeps a picture of that, too.
        """
        state = State(stage, keys, live, before, shows, theme)
        asyncio.run(self._look(state, sizes, then_in_ascii=not in_ascii))
        if in_ascii:
            asyncio.run(self._look_in_ascii(state, sizes[-1]))
        return True

    def in_other_themes(self, shown_by: type[Screen[Any]], state: State) -> None:
        """Compare the state, which a screen of the class `shown_by` shows, in the light theme and in 16 colours, each at
        every size. One application shows them all: what it has painted takes the colours of the theme that is chosen.
        """
        asyncio.run(self._look_in_themes(shown_by, state))

    def opened_in_other_themes(self, shown_by: type[Screen[Any]], state: State) -> None:
        """The same for a screen that keeps the colours in which it was opened: an application of its own for each theme."""
        for name, theme in OTHER_THEMES.items():
            asyncio.run(self._look_in_theme(shown_by, replace(state, theme=theme), name))

    async def _look_in_theme(self, shown_by: type[Screen[Any]], state: State, name: str) -> None:
        async with state.played(SIZES[0], ascii_only=False) as (pilot, monitor):
            assert isinstance(monitor.screen, shown_by), shown(monitor)
            for size in SIZES:
                await self._resize(pilot, monitor, state, size)
                self._compare(monitor, f"{size[0]}x{size[1]}-{name}")

    async def _look_in_themes(self, shown_by: type[Screen[Any]], state: State) -> None:
        async with state.played(SIZES[0], ascii_only=False) as (pilot, monitor):
            assert isinstance(monitor.screen, shown_by), shown(monitor)
            for size in SIZES:
                await self._resize(pilot, monitor, state, size)
                for name, theme in OTHER_THEMES.items():
                    monitor.theme = theme
                    await pilot.pause()
                    self._compare(monitor, f"{size[0]}x{size[1]}-{name}")

    async def _look(self, state: State, sizes: tuple[Size, ...], *, then_in_ascii: bool) -> None:
        async with state.played(sizes[0], ascii_only=False) as (pilot, monitor):
            self._compare(monitor, f"{sizes[0][0]}x{sizes[0][1]}")
            for width, height in sizes[1:]:
                await self._resize(pilot, monitor, state, (width, height))
                self._compare(monitor, f"{width}x{height}")
            if then_in_ascii:
                await _show_in_ascii(pilot, monitor)
                _see_ascii(monitor)

    async def _resize(self, pilot: Any, monitor: Monitor, state: State, size: Size) -> None:
        if _is_of_size(monitor, size):
            return
        await pilot.resize_terminal(*size)
        await until(pilot, functools.partial(_is_of_size, monitor, size), "the new size")
        await state.settle(pilot)

    async def _look_in_ascii(self, state: State, size: Size) -> None:
        async with state.played(size, ascii_only=True) as (_, monitor):
            _see_ascii(monitor)
            self._compare(monitor, f"{size[0]}x{size[1]}-ascii")

    def _compare(self, monitor: Monitor, name: str) -> None:
        seen = monitor.export_screenshot(title=monitor.title, simplify=True)
        if seen != self.kept(name=name):
            file = self.folder / f"{name}.svg"
            file.write_text(seen)
            pytest.fail(f"not the picture that is kept: see {file}\n{shown(monitor)}", pytrace=False)
