"""The colours of all screens, by role. A style is words: roles and attributes, as in `failed` or `quiet underline`.

Three weights: loud (`failed`, `warn`: it needs a person), normal (`text`, `running`, `accent`, `partial`) and quiet (`quiet`,
`done`, `line`: labels, ages, what went well). Nothing is told by colour alone: a state is a glyph and a word, too.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

ATTRIBUTES: Final = frozenset({"bold", "dim", "italic", "underline", "reverse"})


@dataclass(frozen=True, slots=True)
class Ink:
    """What a role looks like: a colour (`#rrggbb`, one of the terminal's 16 by its name, "" for the terminal's own), and
    attributes such as `bold`.
    """

    colour: str = ""
    attributes: str = ""

    @property
    def rich(self) -> str:
        """The ink as a style of Rich."""
        return f"{self.attributes} {self.colour}".strip()


@dataclass(frozen=True, slots=True)
class Palette:
    """The inks of all roles for one kind of terminal. `grounds` are the backgrounds that they stand on; "" is the
    terminal's own.

    `cursor` is what the line under the cursor looks like, as a style of Rich; it changes no colour of what stands there.
    """

    name: str
    inks: Mapping[str, Ink]
    grounds: tuple[str, ...]
    cursor: str


DARK: Final = Palette(
    "dark",
    MappingProxyType(
        {
            "text": Ink("#d7dae0"),
            "quiet": Ink("#929aa7"),
            "line": Ink("#8d95a2"),
            "accent": Ink("#5fc9b8"),
            "running": Ink("#9cc3ff"),
            "failed": Ink("#ff8078", "bold"),
            "partial": Ink("#e3b341"),
            "done": Ink("#8aa893"),
            "warn": Ink("#ffa657", "bold"),
        }
    ),
    # The screen, fields and dialogs, the field with the focus or the line under the cursor.
    ("#15171b", "#1d2025", "#282c33"),
    "on #282c33",
)
LIGHT: Final = Palette(
    "light",
    MappingProxyType(
        {
            "text": Ink("#22262c"),
            "quiet": Ink("#5b626d"),
            "line": Ink("#5f6670"),
            "accent": Ink("#0b6b62"),
            "running": Ink("#1c58b0"),
            "failed": Ink("#a91f15", "bold"),
            "partial": Ink("#7a4f00"),
            "done": Ink("#43664b"),
            "warn": Ink("#934400", "bold"),
        }
    ),
    ("#fafaf7", "#efefec", "#e3e5e6"),
    "on #e3e5e6",
)
#: The terminal's own 16 colours, on its own ground, whatever that is: no colour that is unreadable on black or on white
#: alone, and dim for what is quiet.
SIXTEEN: Final = Palette(
    "16",
    MappingProxyType(
        {
            "text": Ink(),
            "quiet": Ink("", "dim"),
            "line": Ink("", "dim"),
            "accent": Ink("cyan"),
            "running": Ink("cyan", "bold"),
            "failed": Ink("red", "bold"),
            "partial": Ink("yellow"),
            "done": Ink("green", "dim"),
            "warn": Ink("yellow", "bold"),
        }
    ),
    ("",),
    "underline",
)
#: Without any colour (NO_COLOR).
NONE: Final = Palette(
    "none",
    MappingProxyType({role: Ink("", ink.attributes) for role, ink in SIXTEEN.inks.items()}),
    ("",),
    "underline",
)
ROLES: Final = tuple(DARK.inks)


def palette(dark: bool, ansi: bool, no_color: bool) -> Palette:
    """The palette of a theme that is dark or light, or keeps to the terminal's 16 colours (`ansi`)."""
    if no_color:
        return NONE
    return SIXTEEN if ansi else DARK if dark else LIGHT


@functools.lru_cache(maxsize=512)
def rich_style(style: str, of: str) -> str:
    """The style as one of Rich, in the palette with this name. Raises ValueError for a word that is no role."""
    inks = _PALETTES[of].inks
    return " ".join(filter(None, (word if word in ATTRIBUTES else _ink(inks, word).rich for word in style.split())))


@functools.lru_cache(maxsize=512)
def content_style(style: str, of: str = "dark") -> str:
    """The style as one of Textual's `Content`, which looks colours up as variables of the theme: `bold $failed`.

    Raises ValueError for a word that is no role.
    """
    inks, words = _PALETTES[of].inks, []
    for word in style.split():
        if word not in ATTRIBUTES:
            words += [_ink(inks, word).attributes, f"${word}"]
        else:
            words.append(word)
    return " ".join(filter(None, words))


def variables(of: Palette) -> dict[str, str]:
    """The roles' colours as variables of a Textual theme, by name."""
    return {role: _variable(ink.colour) for role, ink in of.inks.items()}


def _variable(colour: str) -> str:
    if not colour:
        return "ansi_default"
    return colour if colour.startswith("#") else f"ansi_{colour}"


def _ink(inks: Mapping[str, Ink], role: str) -> Ink:
    if role not in inks:
        raise ValueError(f"there is no role {role!r}: known are {', '.join(inks)}")
    return inks[role]


_PALETTES: Final = {one.name: one for one in (DARK, LIGHT, SIXTEEN, NONE)}
