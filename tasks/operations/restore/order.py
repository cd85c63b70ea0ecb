"""The order of a restore: what others refer to comes first."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Set
from typing import TypeVar

from tasks.graph.resource import GraphResource

Key = TypeVar("Key", bound=Hashable)


def in_order(items: Iterable[tuple[Key, GraphResource, Set[Key]]]) -> list[Key]:
    """The keys in the order in which the items are made: (key, kind, keys that it refers to). Keys are unique.

    The order of the kinds goes first; among kinds of one order, an item comes after those that it refers to, and else as
    given. References to what is not among the items do not count. Where items refer to each other in a circle, the one
    that was given first is made first.
    """
    ranks: defaultdict[int, dict[Key, Set[Key]]] = defaultdict(dict)
    for key, kind, refs in items:
        ranks[kind.order][key] = refs
    return [key for rank in sorted(ranks) for key in _by_references(ranks[rank])]


def _by_references(refs: Mapping[Key, Set[Key]]) -> list[Key]:
    """Kahn's algorithm, always with the first in the given order."""
    keys = list(refs)
    place = {key: number for number, key in enumerate(keys)}
    waits = {number: {place[ref] for ref in refs[key] if ref in place} - {number} for number, key in enumerate(keys)}
    needed_by: defaultdict[int, list[int]] = defaultdict(list)
    for number, needed in waits.items():
        for one in needed:
            needed_by[one].append(number)
    ready = [number for number, needed in waits.items() if not needed]
    made: list[int] = []
    while waits:
        number = heapq.heappop(ready) if ready else _first_of_a_circle(waits)
        del waits[number]
        made.append(number)
        for one in needed_by[number]:
            if one in waits:
                waits[one].discard(number)
                if not waits[one]:
                    heapq.heappush(ready, one)
    return [keys[number] for number in made]


def _first_of_a_circle(waits: Mapping[int, Set[int]]) -> int:
    """The first item of a circle that waits for nothing outside of itself; everybody in `waits` waits for somebody."""
    reached = _reached(waits, next(iter(waits)))
    while True:
        # Whoever does not reach all of it stands nearer to the circle that everything here waits for.
        nearer = next((inner for one in sorted(reached) if len(inner := _reached(waits, one)) < len(reached)), None)
        if nearer is None:
            return min(reached)
        reached = nearer


def _reached(waits: Mapping[int, Set[int]], start: int) -> set[int]:
    """Everything that an item waits for, itself included if it stands in a circle."""
    found: set[int] = set()
    open_ = [start]
    while open_:
        new = waits[open_.pop()] - found
        found |= new
        open_ += new
    return found
