"""Makes outside text safe for the terminal. All such text must pass through here.

Textual strips no escape sequences, and parses markup nearly everywhere. Here control characters become visible signs,
and the result is plain text in objects that are never parsed.
"""

from __future__ import annotations

import functools
import unicodedata
from typing import Final

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.text import Text
from textual.content import Content

#: Unicode categories of characters that move, hide or reorder others, or that a terminal may execute.
_DANGEROUS: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
#: Start of the Unicode block with visible signs for the control characters 0 to 31.
_CONTROL_PICTURES: Final = 0x2400
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


@functools.lru_cache(maxsize=4096)
def clean(text: str) -> str:
    """`text` on one line, with nothing in it that a terminal would execute; dangerous characters become visible signs."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    if char in "\t\n\r":
        return " "
    if char < " ":
        return chr(_CONTROL_PICTURES + ord(char))
    return _REPLACEMENT if unicodedata.category(char) in _DANGEROUS else char


def fit(text: str, width: int) -> str:
    """`text`, cleaned, in exactly `width` cells: cut with an ellipsis, or padded with blanks."""
    text = clean(text)
    if cell_len(text) > width:
        return set_cell_size(set_cell_size(text, max(0, width - 1)).rstrip() + "…", width) if width > 1 else "…"[:width]
    return set_cell_size(text, width)


def figure(text: str, width: int) -> str:
    """A number, id or time in exactly `width` cells: whole, or only an ellipsis. Cut, it would read as a different value."""
    return fit(text if cell_len(clean(text)) <= width else "…", width)


def wrap(text: str, width: int) -> list[str]:
    """`text`, cleaned, in lines of at most `width` cells (at least 10), broken between words where possible."""
    lines, width = [""], max(10, width)
    for number, word in enumerate(clean(text).split(" ")):
        longer = f"{lines[-1]} {word}" if number else word
        if cell_len(longer) <= width:
            lines[-1] = longer
        else:
            begun = "" if lines[-1].strip() else lines.pop()[: width // 2]
            parts = chop_cells(word, width - len(begun)) or [""]
            lines += [begun + parts[0], *parts[1:]]
    return lines


def plain(text: str) -> Content:
    """`text`, cleaned, as content that is not parsed as markup."""
    return Content(clean(text))


def findable(text: str) -> Text:
    """`text`, cleaned and not parsed as markup, for the options of a `Select`: what is typed finds those of this type alone."""
    return Text(clean(text))


def unmarked(text: str) -> str:
    """`text`, cleaned and without brackets, for the few places where Textual takes only a str and parses it as markup."""
    return clean(text).replace("[", "(").replace("]", ")")
