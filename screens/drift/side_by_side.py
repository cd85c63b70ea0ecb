"""Two JSON values side by side, line by line: what was on the left, what is on the right. Pure functions."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from screens.text.changes import NOTHING
from screens.text.safe import wrap

#: Lines of a value that are compared, and of a difference that are shown.
COMPARED: Final = 400
SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Pair:
    """Two lines that stand beside each other; `differ` says whether they do."""

    left: str
    right: str
    differ: bool


def side_by_side(old: Any, new: Any, width: int) -> tuple[list[Pair], bool]:
    """The lines of both values, cleaned and wrapped to `width` cells each, and whether there are more than are shown.

    A value that is absent is the word NOTHING.
    """
    before, after = _lines(old), _lines(new)
    pairs = list(_pairs(before[:COMPARED], after[:COMPARED], max(8, width)))
    return pairs[:SHOWN], len(pairs) > SHOWN or max(len(before), len(after)) > COMPARED


def _lines(value: Any) -> list[str]:
    if value is None:
        return [NOTHING]
    if isinstance(value, str):
        return value.splitlines() or ['""']
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).split("\n")


def _pairs(before: Sequence[str], after: Sequence[str], width: int) -> Iterator[Pair]:
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for what, a, b, c, d in matcher.get_opcodes():
        left, right = _wrapped(before[a:b], width), _wrapped(after[c:d], width)
        for place in range(max(len(left), len(right))):
            here, there = (side[place] if place < len(side) else "" for side in (left, right))
            yield Pair(here, there, what != "equal")


def _wrapped(lines: Sequence[str], width: int) -> list[str]:
    return [part for line in lines for part in (wrap(line, width) or [""])]
