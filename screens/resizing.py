"""Screens that always use the terminal's current size, whatever an older resize message says.

After laying out a screen, Textual posts the screen its size behind the messages already waiting. With two different
sizes in the queue, each layout would trigger the next one for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual import events
from textual.command import CommandPalette
from textual.screen import Screen
from textual.widgets import Input

if TYPE_CHECKING:
    Base = Screen[Any]
else:
    Base = object


class NewestSize(Base):
    """Mixin for screens that fill the terminal; put it before the screen class."""

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Resize) and event.size != self.app.size:
            size = self.app.size
            event = events.Resize(size, size, size, event.pixel_size)
        await super().on_event(event)


class Ground(NewestSize, Screen[None]):
    """The empty screen below all others."""


class Palette(NewestSize, CommandPalette):
    """The command palette. Its icon is left out: it is not ASCII, and wider than some terminals think."""

    DEFAULT_CSS = """
    Palette SearchIcon { display: none; }
    Palette > Vertical { margin-top: 1; }
    Palette #--input, Palette #--input.--list-visible { border: none; border-top: solid $line; padding: 0 1; }
    Palette CommandInput, Palette CommandInput:focus { border: none; height: 1; margin-bottom: 1; }
    Palette CommandInput:ansi > .input--cursor { background: ansi_default; color: ansi_default; text-style: reverse; }
    Palette CommandList { border-top: none; border-bottom: solid $line; scrollbar-size-vertical: 1; }
    Palette CommandList > .option-list--option { text-style: none; }
    Palette CommandList > .option-list--option-highlighted { text-style: bold; }
    Palette CommandList:ansi > .option-list--option-highlighted { text-style: bold underline; }
    """

    def on_mount(self) -> None:
        # As in all fields: what blinks is sent again and again.
        self.query_one(Input).cursor_blink = False
