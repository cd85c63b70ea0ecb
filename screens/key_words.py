"""What the keys of a screen do, in words: for the help and the palette, from the bindings themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from textual.binding import ActiveBinding
from textual.screen import Screen

from screens.key_names import KEY_GROUPS

#: Actions that Textual binds by itself for every scrollable or focusable widget.
_TEXTUALS: Final = (
    "scroll_", "page_left", "page_right", "screen.copy_text", "app.focus_", "app.help_quit",
)  # fmt: skip
#: Keys of one action that are all named.
_MOST: Final = 4
_GROUP_OF: Final = {name: group for group, names in KEY_GROUPS.items() for name in names}


@dataclass(frozen=True, slots=True)
class KeyWords:
    """What keys do: `words` say it with its object ("pause polling"), `group` is one of the help's."""

    keys: str
    words: str
    group: str


def own_bindings(screen: Screen[Any]) -> Iterator[ActiveBinding]:
    """The screen's bindings that are ours and enabled, in the order in which keys are looked up."""
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.description and not binding.system and not binding.action.startswith(_TEXTUALS):
            yield active


def words_of(active: ActiveBinding) -> str:
    """What the key does, with its object. The footer has room for the short form alone."""
    return active.binding.tooltip or active.binding.description


def keys_of(screen: Screen[Any]) -> list[KeyWords]:
    """The enabled keys of the screen, those that do the same together."""
    found: dict[str, list[ActiveBinding]] = {}
    for active in own_bindings(screen):
        found.setdefault(words_of(active), []).append(active)
    return [_joined(screen, words, several) for words, several in found.items()]


def _joined(screen: Screen[Any], words: str, several: list[ActiveBinding]) -> KeyWords:
    shown = [one.binding.key_display or screen.app.get_key_display(one.binding) for one in several]
    group = _GROUP_OF.get(several[0].binding.id or "", "Move" if several[0].binding.action == "back" else "Act")
    keys = list(dict.fromkeys(shown))
    told = " ".join(keys) if len(keys) <= _MOST else f"{keys[0]} to {keys[-1]}"
    return KeyWords(told, words, group)
