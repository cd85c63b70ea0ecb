"""The filter of the audit trail: terms as in the filter of runs, all of which must hold.

`by:ann -action:run.* tenant:contoso since:7d run:17`. Several values of one name, also with commas, are alternatives. A term
with `-` or `!` before it must not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

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
class AuditTerms:
    """The values of a filter's terms. An empty field restricts nothing; `by`, which is lower-case, and `actions` are globs."""

    by: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    runs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class AuditWanted(AuditTerms):
    """Which events are wanted, newest first: those that satisfy every field, and nothing of `exclude`."""

    since: TimeBound | None = None
    exclude: AuditTerms = field(default_factory=AuditTerms)
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
    include, exclude, since = AuditTerms(), AuditTerms(), None
    for token in found:
        try:
            run_filter.check_term(token.text)
            negated, term = run_filter.sign_and_term(token.text)
            if term.startswith("since:"):
                since = _since(term, negated)
            elif negated:
                exclude = _add(exclude, term)
            else:
                include = _add(include, term)
            if _size(include) + _size(exclude) > run_filter.MOST_VALUES:
                raise FilterInvalid("the filters have too many values", f"write at most {run_filter.MOST_VALUES}")
        except FilterInvalid as error:
            raise FilterInvalid(error.message, error.hint, token.start, token.end) from None
    return AuditWanted(include.by, include.actions, include.tenants, include.runs, since, exclude)


def _since(term: str, negated: bool) -> TimeBound:
    value = run_filter.unquoted(term.partition(":")[2])
    if negated:
        raise FilterInvalid("since cannot be turned round", f"write since:{value}")
    return run_filter.when("since", value)


def _add(found: AuditTerms, term: str) -> AuditTerms:
    name, colon, _ = term.partition(":")
    if not colon or name not in _FIELDS:
        raise FilterInvalid(f"'{term[:40]}' is no filter", f"known are {', '.join(f'{one}:' for one in NAMES)}")
    field_, read = _FIELDS[name]
    more: dict[str, Any] = {field_: (*getattr(found, field_), *map(read, run_filter.values_of(term, NAMES)))}
    return replace(found, **more)


def _size(values: AuditTerms) -> int:
    return sum(len(getattr(values, name)) for name in AuditTerms.__dataclass_fields__)


#: The field of each name, and the function that reads a value of it.
_FIELDS: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    "by": ("by", lambda value: run_filter.glob_of(value.lower())),
    "action": ("actions", run_filter.glob_of),
    "tenant": ("tenants", str),
    "run": ("runs", run_filter.number_of),
}
