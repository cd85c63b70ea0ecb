"""The filter of the audit trail: terms as in the filter of runs, all of which must hold.

`by:ann action:restore.* tenant:contoso since:7d run:17`. Several values of one name, also with commas, are alternatives.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from store.errors import FilterInvalid
from store.search import filter as run_filter
from store.search.filter import TimeBound, Token, tokens

#: Each name with a description of its values, for help and completion.
NAMES: Final = {
    "by": "a login or name; * stands for anything",
    "action": "what was done, as run.retried; * stands for anything",
    "tenant": "a tenant's slug",
    "since": "2h, 7d, 2w or 2026-03-01 or 2026-03-01T14:30 (UTC)",
    "run": "a run's number",
}


@dataclass(frozen=True, slots=True)
class AuditWanted:
    """Which events are wanted, newest first. An empty field restricts nothing; `by` and `actions` are globs."""

    by: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    runs: tuple[int, ...] = ()
    since: TimeBound | None = None
    #: The slug of the tenant that is chosen beside the terms. It restricts further.
    within: str | None = None
    #: Only events with smaller ids: what comes after a page.
    before: int | None = None
    #: At most so many, 1 to 1,000.
    limit: int = 100


def parse_line(line: str) -> AuditWanted:
    """Parse a filter line. Raises FilterInvalid with the position and the values that are possible there."""
    return _parse(tokens(line))


def parse(terms: Iterable[str]) -> AuditWanted:
    """Parse a list of terms, one each. Raises FilterInvalid."""
    return _parse([Token(term, 0) for term in terms])


def _parse(found: list[Token]) -> AuditWanted:
    if len(found) > run_filter.MOST_TERMS:
        raise FilterInvalid(f"these are {len(found)} filters", f"write at most {run_filter.MOST_TERMS}")
    values: dict[str, list[str]] = {name: [] for name in NAMES}
    read = AuditWanted()
    for token in found:
        try:
            name, more = _values(token.text)
            values[name] += more
            read = _read(values)
        except FilterInvalid as error:
            raise FilterInvalid(error.message, error.hint, token.start, token.end) from None
    return read


def _values(term: str) -> tuple[str, list[str]]:
    run_filter.check_term(term)
    name, colon, value = term.partition(":")
    if not colon or name not in NAMES:
        raise FilterInvalid(f"'{term[:40]}' is no filter", f"known are {', '.join(f'{one}:' for one in NAMES)}")
    found = [one for one in value.replace('"', "").split(",") if one]
    if not found:
        raise FilterInvalid(f"the filter '{term}' lacks its value", f"write {name}:VALUE ({NAMES[name]})")
    if len(found) > run_filter.MOST_VALUES:
        raise FilterInvalid("the filters have too many values", f"write at most {run_filter.MOST_VALUES}")
    return name, found


def _read(values: dict[str, list[str]]) -> AuditWanted:
    if sum(map(len, values.values())) > run_filter.MOST_VALUES:
        raise FilterInvalid("the filters have too many values", f"write at most {run_filter.MOST_VALUES}")
    since = values["since"]
    return AuditWanted(
        by=tuple(run_filter.glob_of(one.lower()) for one in values["by"]),
        actions=tuple(run_filter.glob_of(one) for one in values["action"]),
        tenants=tuple(values["tenant"]),
        runs=tuple(run_filter.number_of(one) for one in values["run"]),
        since=run_filter.when("since", since[-1]) if since else None,
    )
