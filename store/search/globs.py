"""Globs, in which `*` stands for any text. Matching takes bounded time for every pattern and text."""

from __future__ import annotations

import re
from typing import Final

#: More stars express nothing new, and each multiplies the work of a database's LIKE.
MOST_STARS: Final = 5

_STARS: Final = re.compile(r"\*+")


def collapsed(glob: str) -> str:
    """The glob with adjacent stars merged into one."""
    return _STARS.sub("*", glob)


def matches(glob: str, text: str) -> bool:
    """Whether the text matches the glob. Each part between stars is searched once, from left to right, without backtracking."""
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
