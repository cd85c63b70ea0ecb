"""The footer: the keys of a screen in one line, as many as there is room for, and `?` always."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textual import events
from textual.binding import ActiveBinding
from textual.content import Content
from textual.screen import Screen

from screens.widgets.header_lines import Line

#: The action whose key leads to all the others.
_HELP = "help"
#: Blanks between two keys.
_GAP = "  "


@dataclass(frozen=True, slots=True)
class Shown:
    """A key of the footer: how it is `written`, its `word`, which `key` a click on it presses, whether it does something."""

    written: str
    word: str
    key: str
    enabled: bool = True
    is_help: bool = False

    @property
    def told(self) -> Content:
        """What the footer says of it."""
        dim = "" if self.enabled else " dim"
        return Content.assemble((self.written, f"bold accent{dim}"), " ", (self.word, f"quiet{dim}"))

    @property
    def width(self) -> int:
        """In cells."""
        return self.told.cell_length


def fitting(keys: Sequence[Shown], width: int) -> list[Shown]:
    """The keys that fit into `width` cells with a blank at both ends: help always, then the others from the first on."""
    room = width - 2 - sum(one.width + len(_GAP) for one in keys if one.is_help) + len(_GAP)
    kept = []
    for one in keys:
        if not one.is_help:
            room -= one.width + len(_GAP)
            if room < 0:
                break
            kept.append(one)
    return [*kept, *(one for one in keys if one.is_help)]


class KeyLine(Line):
    """The footer of a screen. A click on a key presses it. It is painted only when another key is shown, or does something."""

    DEFAULT_CSS = "KeyLine { dock: bottom; }"

    def __init__(self) -> None:
        super().__init__()
        self._keys: list[Shown] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def on_resize(self) -> None:
        self._write()

    def _changed(self, screen: Screen[Any]) -> None:
        # Without the terminal's focus no widget has it, and no key is pressed: the line stays as it was.
        if screen.app.app_focus:
            self.call_after_refresh(self._write)

    def _write(self) -> None:
        if not self.is_attached or not self.size.width:
            return
        self._keys = fitting([self._as_shown(one) for one in self._active()], self.size.width)
        self.put(Content.assemble(" ", Content(_GAP).join([one.told for one in self._keys])))

    def _active(self) -> list[ActiveBinding]:
        """The screen's keys that want to be shown, one an action."""
        found: dict[str, ActiveBinding] = {}
        for active in self.screen.active_bindings.values():
            if active.binding.show:
                found.setdefault(active.binding.action, active)
        return list(found.values())

    def _as_shown(self, active: ActiveBinding) -> Shown:
        binding = active.binding
        written = self.app.get_key_display(binding)
        return Shown(written, binding.description, binding.key, active.enabled, binding.action == _HELP)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Press the key under the pointer."""
        end = 1
        for one in self._keys:
            if end <= event.x < end + one.width:
                self.app.simulate_key(one.key)
            end += one.width + len(_GAP)
