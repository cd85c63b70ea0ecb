"""Chooses the round numbers of a plot's axis. Pure functions."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

#: Tops whose halves are round, too. They go on with ten times each.
_OF_COUNTS: Final = (2, 4, 6, 8, 10, 12, 16)
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_OF_SECONDS: Final = (
    2, 4, 6, 10, 20, 30, 40, _MINUTE, 2 * _MINUTE, 4 * _MINUTE, 6 * _MINUTE, 10 * _MINUTE, 20 * _MINUTE,
    30 * _MINUTE, 40 * _MINUTE, _HOUR, 2 * _HOUR, 4 * _HOUR, 6 * _HOUR, 12 * _HOUR, _DAY,
)  # fmt: skip
_UNITS: Final = ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "m"), (1, "s"))
_THOUSANDS: Final = ((10**9, "G"), (10**6, "M"), (10**3, "k"))


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from 0 to `top`, with the labels of its top and of its middle ("": it is none that is round)."""

    top: float
    top_label: str
    middle_label: str


def counts(largest: int) -> Scale:
    """The axis for whole numbers up to `largest`."""
    if largest <= 1:
        return Scale(1, "1", "")
    top = _least(_decades(), largest)
    return Scale(top, _short(top), _short(top // 2))


def seconds(longest: float) -> Scale:
    """The axis for durations up to `longest` seconds, in a unit for people: `40 s`, `10m`, `2h`, `4d`."""
    if longest <= 1:
        return Scale(1, "1 s", "")
    top = _least(itertools.chain(_OF_SECONDS, (_DAY * days for days in _decades())), longest)
    return Scale(top, _span(top), _span(top // 2))


def _decades() -> Iterator[int]:
    for power in itertools.count():
        yield from (step * 10**power for step in _OF_COUNTS)


def _least(tops: Iterable[int], largest: float) -> int:
    return next(top for top in tops if top >= largest)


def _short(number: int) -> str:
    """The number, in thousands, millions or billions where it is whole ones: `500`, `1200`, `2k`."""
    for size, unit in _THOUSANDS:
        if number >= size and number % size == 0:
            return f"{number // size}{unit}"
    return str(number)


def _span(whole: int) -> str:
    size, unit = next((size, unit) for size, unit in _UNITS if whole >= size and whole % size == 0)
    return f"{whole // size}{' s' if unit == 's' else unit}"
