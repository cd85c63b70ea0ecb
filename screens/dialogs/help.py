"""Help, generated from the key bindings of the screen below, so that it always matches what the keys do."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from screens.base import PolledModal

#: Actions that Textual binds by itself for every scrollable or focusable widget.
_TEXTUALS = ("scroll_", "page_left", "page_right", "screen.copy_text", "app.focus_", "app.help_quit", "command_palette")
_WORDS = """\
Everything on the screens is read from the database, once a second: "live" means that it answers, "stale" says since when it \
does not. A run is queued, running or completed; completed, it succeeded, partially succeeded or failed. The cursor stays on \
its run while others come and go; on the first line it follows the newest. Keys act on the run under the cursor."""


class HelpModal(PolledModal[None]):
    """The keys of one screen, and a short explanation of the screens."""

    DEFAULT_CSS = """
    HelpModal { align: center middle; }
    HelpModal VerticalScroll { width: 76; max-width: 100%; height: auto; max-height: 90%; background: $panel; padding: 0 2; }
    """

    def __init__(self, of: Screen[Any]) -> None:
        super().__init__()
        self._keys = keys_of(of)

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(self._content(), markup=False)

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def _content(self) -> Content:
        lines = [Content.assemble((f"{keys:<18}", "bold"), words) for keys, words in self._keys]
        return Content("\n").join([Content.styled("Keys", "bold underline"), *lines, Content(""), Content(_WORDS)])


def keys_of(screen: Screen[Any]) -> list[tuple[str, str]]:
    """The enabled keys of the screen with their descriptions. Keys of the same action are joined."""
    found: dict[tuple[str, str], list[str]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.description and not binding.system and not binding.action.startswith(_TEXTUALS):
            key = binding.key_display or screen.app.get_key_display(binding)
            found.setdefault((binding.action, binding.description), []).append(key)
    return [(" ".join(dict.fromkeys(keys)), words) for (_, words), keys in found.items()]
