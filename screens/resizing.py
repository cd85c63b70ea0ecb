"""Screens that are laid out at the terminal's present size, whatever size an older message tells of.

When Textual has laid a screen out it tells the screen its size, in a message behind those that wait already. Two sizes in one
queue would go on like that for ever, each laid out because of the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual import events
from textual.command import CommandPalette
from textual.screen import Screen

if TYPE_CHECKING:
    Base = Screen[Any]
else:
    Base = object


class NewestSize(Base):
    """Put before the class of a screen that fills the terminal."""

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Resize) and event.size != self.app.size:
            size = self.app.size
            event = events.Resize(size, size, size, event.pixel_size)
        await super().on_event(event)


class Ground(NewestSize, Screen[None]):
    """What lies under all screens."""


class Palette(NewestSize, CommandPalette):
    """The command palette."""
