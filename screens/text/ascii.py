"""Replaces the screens' own non-ASCII signs by ASCII signs of the same width, for terminals and fonts without them.

Letters in names and messages are not replaced: a `ü` that the terminal cannot show is better than a wrong name.
"""

from __future__ import annotations

import os
from typing import Final

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_SIGNS: Final = {
    "…": "~", "≥": ">", "⏎": "<", "•": "*", "●": "*", "○": ".", "✓": "+", "✗": "x", "◐": "~", "▪": "+", "·": ".",
    "\N{EN DASH}": "-", "\N{EM DASH}": "-", "\N{MULTIPLICATION SIGN}": "x",
    "→": ">", "←": "<", "↑": "^", "↓": "v", "⭘": "o", "↵": "<", "␣": "_",
    "▲": "^", "▼": "v", "▶": ">", "▸": ">", "◀": "<", "■": "#", "□": "o", "█": "#", "▓": "x", "▒": "-", "░": ".",
}  # fmt: skip
#: Signs at the edges of boxes and in scroll bars.
_VERTICAL: Final = "│┃║▌▐▎▏▍▋▊▉▕"
_HORIZONTAL: Final = "─━═▔"
_TABLE: Final = str.maketrans(
    {chr(code): "+" for code in range(0x2500, 0x2580)}
    | {chr(code): "_" for code in range(0x2581, 0x2588)}
    | {chr(code): " " for code in range(0x2596, 0x25A0)}
    | dict.fromkeys(_VERTICAL, "|")
    | dict.fromkeys(_HORIZONTAL, "-")
    | {"▀": "-", "▄": "_"}
    | _SIGNS
)


def in_ascii(text: str) -> str:
    """The text, with the screens' own signs replaced by ASCII."""
    return text if text.isascii() else text.translate(_TABLE)


class AsciiSigns(LineFilter):
    """A filter on Textual's output: draws borders, scroll bars and arrows, and everything of ours, in ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments with their text in ASCII."""
        return [
            segment if segment.text.isascii() else Segment(in_ascii(segment.text), segment.style, segment.control)
            for segment in segments
        ]


def wants_ascii() -> bool:
    """Whether the locale's encoding has no glyphs beyond ASCII."""
    names = (os.environ.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    chosen = next((name for name in names if name), "")
    return "utf" not in chosen.lower()
