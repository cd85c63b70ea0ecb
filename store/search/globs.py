"""Texts with `*` for anything: what a filter names types, initiators and codes with. Matched in bounded time, whatever they are."""

from __future__ import annotations

import re
from typing import Final

#: More stars say nothing that fewer do not. A database, too, tries the more ways the more there are.
MOST_STARS: Final = 5

_STARS: Final = re.compile(r"\*+")


def collapsed(glob: str) -> str:
    """The same with one star for several side by side."""
    return _STARS.sub("*", glob)


def matches(glob: str, text: str) -> bool:
    """Whether the text is as the glob says. What is between stars is looked for once, from left to right: none goes back."""
    first, *between = glob.split("*")
    if not between:
        return glob == text
    last = between.pop()
    place, end = len(first), len(text) - len(last)
    if place > end or not text.startswith(first) or not text.endswith(last):
        return False
    for part in between:
        found = text.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True
