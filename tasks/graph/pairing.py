"""Which element of a list is which element of a later state of the list.

Elements are told by what names them, else by what they are, else by where they stand. Nothing here changes its
arguments. The elements are JSON in canonical form (canonical.py).
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

#: What names an element among its like, the stronger first. Enums stand last: they name only where each occurs once,
#: as the actions of a compliance rule mostly do.
_NAMES: Final = (
    ("settingInstance", "settingDefinitionId"),
    ("settingDefinitionId",),
    ("definitionId",),
    ("omaUri",),
    ("definition", "id"),
    ("presentation", "id"),
    ("definition@odata.bind",),
    ("presentation@odata.bind",),
    ("id",),
    ("locale",),
    ("name",),
    ("displayName",),
    ("key",),
    ("actionType",),
)

#: The place in an element that names it, and the name there.
Name = tuple[tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class Pairing:
    """Two states of a list, element by element; elements are given by their indexes."""

    #: (index before, index after) of each element that both have, in the order before.
    pairs: list[tuple[int, int]]
    #: Indexes before, of elements that are gone.
    removed: list[int]
    #: Indexes after, of elements that are new.
    added: list[int]
    #: The name of each element before and after; None where nothing names it.
    old_names: list[Name | None]
    new_names: list[Name | None]

    @property
    def is_reordered(self) -> bool:
        """Whether the elements that both states have stand in another order."""
        after = [new for _, new in self.pairs]
        return after != sorted(after)


def pair(old: Sequence[Any], new: Sequence[Any], *, ordered: bool = True) -> Pairing:
    """Pairs the elements of two states of a list.

    Elements of one name are a pair, and so are equal ones without a name: those of a longest common subsequence first,
    then those that moved. Of the others those are a pair that stand at the same position between two elements of the
    common subsequence (in a list that is not ordered: at the same position among the others). Elements that the same
    place names differently are never a pair.
    """
    old_names, new_names = _named(old, new)
    before = [name or _text(one) for name, one in zip(old_names, old, strict=True)]
    after = [name or _text(one) for name, one in zip(new_names, new, strict=True)]
    if before == after:
        return Pairing([(index, index) for index in range(len(old))], [], [], old_names, new_names)
    common = _common(before, after)
    found = dict(common)
    found.update(_moved(before, after, common))
    found.update(_at_one_position(old_names, new_names, found, common if ordered else []))
    taken = set(found.values())
    return Pairing(
        sorted(found.items()),
        [index for index in range(len(old)) if index not in found],
        [index for index in range(len(new)) if index not in taken],
        old_names,
        new_names,
    )


# ---- by name


def _named(old: Sequence[Any], new: Sequence[Any]) -> tuple[list[Name | None], list[Name | None]]:
    """The name of each element: by the first place of _NAMES that gives it a name that no other element has there."""
    names: tuple[list[Name | None], list[Name | None]] = ([None] * len(old), [None] * len(new))
    for place in _NAMES:
        if None not in names[0] and None not in names[1]:
            break
        given = [_at(one, place) for one in old], [_at(one, place) for one in new]
        twice = _twice(given[0]) | _twice(given[1])
        for side, texts in zip(names, given, strict=True):
            for index, text in enumerate(texts):
                if side[index] is None and text is not None and text not in twice:
                    side[index] = (place, text)
    return names


def _at(element: Any, place: tuple[str, ...]) -> str | None:
    """The text at a place of an element; None if there is no text."""
    for key in place:
        element = element.get(key) if isinstance(element, dict) else None
    return element if isinstance(element, str) else None


def _twice(texts: list[str | None]) -> set[str | None]:
    return {text for text, count in Counter(texts).items() if count > 1}


# ---- by what they are


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _common(old: Sequence[Any], new: Sequence[Any]) -> list[tuple[int, int]]:
    """A longest common subsequence, as pairs of indexes.

    Source: Hunt and Szymanski, "A fast algorithm for computing longest common subsequences", 1977. It is fast where few
    elements are equal.
    """
    places: defaultdict[Any, list[int]] = defaultdict(list)
    for index in reversed(range(len(new))):
        places[new[index]].append(index)
    # For each length: where in `new` the subsequence ends that ends first, and its pairs, linked backwards.
    ends: list[int] = []
    chains: list[tuple[int, int, Any]] = []
    for index, one in enumerate(old):
        for place in places.get(one, ()):
            at = bisect_left(ends, place)
            ends[at : at + 1] = [place]
            chains[at : at + 1] = [(index, place, chains[at - 1] if at else None)]
    pairs = []
    link = chains[-1] if chains else None
    while link:
        pairs.append((link[0], link[1]))
        link = link[2]
    return pairs[::-1]


def _moved(old: Sequence[Any], new: Sequence[Any], common: list[tuple[int, int]]) -> dict[int, int]:
    """Pairs of equal elements that the common subsequence leaves out."""
    found, taken = dict(common), {index for _, index in common}
    left: defaultdict[Any, deque[int]] = defaultdict(deque)
    for index, one in enumerate(new):
        if index not in taken:
            left[one].append(index)
    return {index: left[one].popleft() for index, one in enumerate(old) if index not in found and left.get(one)}


# ---- by where they stand


def _at_one_position(
    old: list[Name | None], new: list[Name | None], found: dict[int, int], anchors: list[tuple[int, int]]
) -> dict[int, int]:
    """Pairs, in order, of elements that are not yet in `found` and stand between the same two anchors."""
    old_anchors, new_anchors = [one for one, _ in anchors], [one for _, one in anchors]
    taken = set(found.values())
    gaps: defaultdict[int, list[int]] = defaultdict(list)
    for index in range(len(new)):
        if index not in taken:
            gaps[bisect_left(new_anchors, index)].append(index)
    made: dict[int, int] = {}
    for index, name in enumerate(old):
        if index not in found:
            gap = gaps[bisect_left(old_anchors, index)]
            at = next((at for at, other in enumerate(gap) if not _are_two(name, new[other])), None)
            if at is not None:
                made[index] = gap[at]
                del gap[: at + 1]
    return made


def _are_two(name: Name | None, other: Name | None) -> bool:
    """Whether two names are of two things: the same place names them differently."""
    return name is not None and other is not None and name[0] == other[0]
