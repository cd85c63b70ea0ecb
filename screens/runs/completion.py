"""Completes the filter line, and explains what is wrong in it. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from store.errors import FilterInvalid
from store.model.records import Outcome, Run
from store.search.filter import FLAGS, LONGEST_VALUE, NAMES, FilterStatus, RunFilter, parse_line, tokens
from store.search.globs import MOST_STARS, collapsed

#: Maximum number of suggestions shown at once.
TOLD: Final = 8
_SPANS: Final = ("1h", "2h", "8h", "24h", "7d", "30d")
#: Names of terms that cannot be negated.
_ONE_WAY: Final = ("since", "before")


@dataclass(frozen=True, slots=True)
class Known:
    """Values to complete with: `values` by the name of their term."""

    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: The tenant chosen outside the line, if any: no other tenant can match.
    chosen: str | None = None

    def of(self, name: str) -> Sequence[str]:
        """The values for the term of this name; empty if none are known."""
        fixed = {"status": tuple(FilterStatus), "outcome": tuple(Outcome), "since": _SPANS, "before": _SPANS}
        return fixed.get(name) or self.values.get(name, ())


def known_from(runs: Iterable[Run], tenants: Iterable[str], types: Iterable[str], chosen: str | None) -> Known:
    """Values from the runs in view, the user's tenants (or the chosen one), and the registered operations."""
    runs = tuple(runs)
    values = {
        "type": sorted({*types, *(run.type for run in runs)}),
        "tenant": sorted(tenants) if chosen is None else [chosen],
        "by": sorted({run.initiator_name for run in runs}),
        "code": sorted({failure.code for run in runs for failure in run.failure_summary}),
    }
    return Known(values, chosen)


def contradiction(wanted: RunFilter, no_member: str | None = None) -> str | None:
    """Why no run can match: the filter excludes the chosen tenant, or the user is no member of it. None if runs can match."""
    if no_member:
        return f"No run can match: {no_member}. t chooses another tenant."
    if not wanted.excludes_chosen:
        return None
    return f"No run can match: {wanted.within} is chosen, and the filter leaves it out. t chooses another."


def suggestions(line: str, known: Known) -> list[str]:
    """What the last term may be completed to, best first: names before the colon, values after it."""
    terms = tokens(line)
    last = terms[-1].text if terms and terms[-1].end == len(line) else ""
    sign = last[:1] if last[:1] in ("-", "!") else ""
    name, colon, value = last[len(sign) :].partition(":")
    if sign and name in _ONE_WAY:
        return []
    if not colon:
        starts = [f"{known_name}:" for known_name in NAMES if not (sign and known_name in _ONE_WAY)] + [*FLAGS]
        return [sign + start for start in starts if start.startswith(name) and start != name]
    *before, open_value = value.replace('"', "").split(",")
    chosen = "".join(f"{one}," for one in before)
    begins = [one for one in known.of(name) if one.lower().startswith(open_value.lower()) and one not in before]
    fitting = [one for one in begins if _can_be_written(one)]
    return [f"{sign}{name}:{chosen}{_quoted(one)}" for one in fitting if one != open_value]


def _can_be_written(value: str) -> bool:
    """Whether the value may be suggested. Values come from outside: control characters and ambiguous ones are left out."""
    if not 0 < len(value) <= LONGEST_VALUE or collapsed(value).count("*") > MOST_STARS:
        return False
    return value.isprintable() and not set(value) & set('",')


def term(name: str, value: str) -> str:
    """The filter term for this value; characters that a line cannot hold become `*`, which matches anything."""
    writable = collapsed("".join("*" if char in '",' or not char.isprintable() else char for char in value))
    if len(writable) > LONGEST_VALUE or writable.count("*") > MOST_STARS:
        # Only its beginning: a filter value is limited in length and in stars.
        writable = "*".join(writable[: LONGEST_VALUE - 1].split("*")[:MOST_STARS]).rstrip("*") + "*"
    return f"{name}:{_quoted(writable or '*')}"


def replaced(line: str, terms: Mapping[str, str]) -> str:
    """The line with a term for each of these names and values, in the place of its own terms of those names."""
    kept = [token.text for token in tokens(line) if token.text.partition(":")[0] not in terms]
    return " ".join([*kept, *(term(name, value) for name, value in terms.items())])


def _quoted(value: str) -> str:
    return f'"{value}"' if " " in value else value


def completed(line: str, known: Known) -> str | None:
    """The line with its last term completed; None if nothing fits, or no term is begun."""
    last = tokens(line)[-1] if tokens(line) else None
    if last is None or last.end != len(line):
        return None
    fitting = suggestions(line, known)
    return line[: last.start] + fitting[0] if fitting else None


def hint(line: str, known: Known) -> str:
    """The line below the filter line: possible completions, or else what is wrong and where."""
    fitting = suggestions(line, known)
    if fitting and line[-1:] != " ":
        more = f"  … {len(fitting) - TOLD} more" if len(fitting) > TOLD else ""
        return "  ".join(fitting[:TOLD]) + more
    try:
        wanted = replace(parse_line(line), within=known.chosen)
    except FilterInvalid as error:
        return where(error)
    if impossible := contradiction(wanted):
        return impossible
    return 'enter: apply   esc: leave it   tab: complete   -term: not   "two words"'


def where(error: FilterInvalid) -> str:
    """The error's message with its position in the line, counted from 1."""
    return f"at {error.start + 1}: {error}"
