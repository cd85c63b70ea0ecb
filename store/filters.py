"""Which runs: the filter as the command line and the screens' filter line write it.

Terms are separated by blanks and all must hold; several values of one name are alternatives:
`status:running outcome:failed type:inventory.* tenant:contoso since:2h mine`.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from store.errors import InputInvalid
from store.records import Outcome, Status

E = TypeVar("E", Status, Outcome)
_SINCE = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_NAMES = ("status", "outcome", "type", "tenant", "since", "mine")
DEFAULT_WINDOW = dt.timedelta(days=30)
#: Longer than any run can have been there, and not so long that a database's calendar ends before it.
_EVER = dt.timedelta(days=36_500)


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Runs that are wanted. An empty field wants all. `types` are globs with `*`; `since` counts back from the database's now."""

    statuses: tuple[Status, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    types: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    since: dt.timedelta = DEFAULT_WINDOW
    mine: bool = False


def parse(terms: Iterable[str]) -> RunFilter:
    """The filter that the terms write. Raises InputInvalid, which names the term and what is possible in its place."""
    found = RunFilter()
    for term in terms:
        found = _add(found, term)
    return found


def _add(found: RunFilter, term: str) -> RunFilter:
    name, colon, value = term.partition(":")
    if term == "mine":
        return replace(found, mine=True)
    if name not in _NAMES or name == "mine" or not colon:
        near = difflib.get_close_matches(name, _NAMES, 1)
        raise InputInvalid(
            f"'{term}' is no filter", f"did you mean '{near[0]}'?" if near else f"known are {', '.join(_NAMES)}"
        )
    if not value:
        raise InputInvalid(f"the filter '{term}' lacks its value", f"write {name}:VALUE")
    if name == "status":
        return replace(found, statuses=(*found.statuses, _one_of(Status, name, value)))
    if name == "outcome":
        return replace(found, outcomes=(*found.outcomes, _one_of(Outcome, name, value)))
    if name == "type":
        return replace(found, types=(*found.types, value))
    if name == "tenant":
        return replace(found, tenants=(*found.tenants, value))
    return replace(found, since=_since(value))


def _one_of(kind: type[E], name: str, value: str) -> E:
    try:
        return kind(value)
    except ValueError:
        raise InputInvalid(f"'{value}' is no {name}", f"known are {', '.join(kind)}") from None


def _since(value: str) -> dt.timedelta:
    match = _SINCE.fullmatch(value)
    if not match:
        raise InputInvalid(f"'{value}' is no time span", "write a number and s, m, h, d or w: since:2h")
    return min(_EVER, dt.timedelta(**{_UNITS[match[2]]: int(match[1])}))
