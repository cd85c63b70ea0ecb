"""The filter language of the command line and of the screens' filter line.

Terms are separated by blanks and all must hold; several values of one name, also with commas, are alternatives. A term with
`-` or `!` before it must not hold. What has no name is a word to look for in initiator, operation and failures:
`status:running outcome:failed type:inventory.* tenant:contoso by:ann since:2h -code:graph.throttled "scope tags"`.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, TypeVar

from store.errors import FilterInvalid
from store.model.records import Outcome
from store.search.globs import MOST_STARS, collapsed


class FilterStatus(StrEnum):
    """What a filter calls a run's status: the statuses, and `preview` for a run that is held, which is not `queued` then."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    PREVIEW = "preview"


E = TypeVar("E", FilterStatus, Outcome)
#: A time span back from the database's now, or an instant.
TimeBound = dt.timedelta | dt.datetime

_SPAN: Final = re.compile(r"(\d{1,6})([smhdw])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_TOKEN: Final = re.compile(r'(?:"[^"]*"?|[^\s"])+')
#: Characters that a database cannot search for: NUL and lone surrogates (bytes of a command line that are not UTF-8).
_IMPOSSIBLE: Final = re.compile("[\x00\ud800-\udfff]")
_NUMBER: Final = re.compile(r"[0-9]{1,18}")
#: Each name with a description of its values, for help and completion.
NAMES: Final = {
    "status": "queued, running, completed or preview",
    "outcome": "pending, succeeded, partially_succeeded, failed or cancelled",
    "type": "an operation; * stands for anything",
    "tenant": "a tenant's slug",
    "by": "an initiator's login or name; * stands for anything",
    "since": "2h, 7d, 2w or 2026-03-01 or 2026-03-01T14:30 (UTC)",
    "before": "the same: what was opened earlier",
    "code": "a failure's code; * stands for anything",
    "retry-of": "a run's number: what retries it",
    "id": "a run's number",
}
#: The terms without a value: the user's own runs, and those that somebody has acknowledged.
MINE: Final = "mine"
ACKED: Final = "acked"
FLAGS: Final = (MINE, ACKED)
DEFAULT_WINDOW: Final = dt.timedelta(days=30)
#: Longer than any run can be old, and short enough for a database's calendar.
ANY_TIME: Final = dt.timedelta(days=36_500)
#: Limits of a filter: terms, values in all terms, characters of a term and of a value. Nobody types more, and databases limit
#: the size of a statement.
MOST_TERMS: Final = 50
MOST_VALUES: Final = 200
LONGEST_TERM: Final = 4000
LONGEST_VALUE: Final = 200
#: Short words and what they stand for.
_SHORT: Final = {"partial": Outcome.PARTIALLY_SUCCEEDED.value, "ok": Outcome.SUCCEEDED.value}


@dataclass(frozen=True, slots=True)
class Terms:
    """The values of a filter's terms. An empty field restricts nothing.

    Types, initiators and codes are globs with `*`; words are lower-case.
    """

    statuses: tuple[FilterStatus, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    types: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    retry_of: tuple[int, ...] = ()
    ids: tuple[int, ...] = ()
    words: tuple[str, ...] = ()
    mine: bool = False
    acked: bool = False


@dataclass(frozen=True, slots=True)
class RunFilter(Terms):
    """Matches the runs that satisfy every field and nothing of `exclude`.

    `within` is the slug of the tenant chosen beside the terms. It restricts further: it never widens.
    """

    since: TimeBound = DEFAULT_WINDOW
    before: TimeBound | None = None
    exclude: Terms = field(default_factory=Terms)
    within: str | None = None

    @property
    def acknowledged(self) -> bool | None:
        """Whether the runs are acknowledged; None if the filter says nothing about that. One that says both matches nothing."""
        return self.acked if self.acked or self.exclude.acked else None

    @property
    def excludes_chosen(self) -> bool:
        """Whether the terms exclude the chosen tenant."""
        if self.within is None:
            return False
        return self.within in self.exclude.tenants or bool(self.tenants and self.within not in self.tenants)


@dataclass(frozen=True, slots=True)
class Token:
    """A term of a filter line and its position."""

    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def tokens(line: str) -> list[Token]:
    """Split a line into terms. Text between quotation marks stays together."""
    return [Token(match[0], match.start()) for match in _TOKEN.finditer(line)]


def parse_line(line: str) -> RunFilter:
    """Parse a line. Raises FilterInvalid with the position and the values that are possible there."""
    return _parse(tokens(line))


def line_of(terms: Iterable[str]) -> str:
    """The terms as one line, as `parse_line` reads it: a term with blanks is quoted behind its name."""
    return " ".join(map(_quoted, terms))


def _quoted(term: str) -> str:
    name, colon, value = term.partition(":")
    if '"' in term or not any(char.isspace() for char in term):
        return term
    return f'{name}:"{value}"' if colon and not any(char.isspace() for char in name) else f'"{term}"'


def parse(terms: Iterable[str]) -> RunFilter:
    """Parse a list of terms, one each. Raises FilterInvalid."""
    return _parse([Token(term, 0) for term in terms])


def _parse(found: Iterable[Token]) -> RunFilter:
    include, exclude, window = Terms(), Terms(), dict[str, TimeBound]()
    found = list(found)
    if len(found) > MOST_TERMS:
        raise FilterInvalid(f"these are {len(found)} filters", f"write at most {MOST_TERMS}")
    for token in found:
        try:
            check_term(token.text)
            negated, text = sign_and_term(token.text)
            name, colon, value = text.partition(":")
            if colon and name in ("since", "before"):
                window[name] = when(name, unquoted(value), negated)
            elif negated:
                exclude = _add(exclude, text)
            else:
                include = _add(include, text)
        except FilterInvalid as error:
            raise FilterInvalid(error.message, error.hint, token.start, token.end) from None
    if _size(include) + _size(exclude) > MOST_VALUES:
        raise FilterInvalid("the filters have too many values", f"write at most {MOST_VALUES}")
    if include.ids or include.retry_of:
        window.setdefault("since", ANY_TIME)
    fields = {name: getattr(include, name) for name in Terms.__dataclass_fields__}
    return RunFilter(**fields, exclude=exclude, **window)  # type: ignore[arg-type]


def sign_and_term(text: str) -> tuple[bool, str]:
    """Whether the term is negated, and the term without its `-` or `!`."""
    negated = text[:1] in ("-", "!") and len(text) > 1
    return negated, text[1:] if negated else text


def check_term(term: str) -> None:
    """Raises FilterInvalid for text that a database cannot search for."""
    if len(term) > LONGEST_TERM:
        raise FilterInvalid(f"'{term[:20]}…' is too long", f"a filter has at most {LONGEST_TERM} characters")
    if _IMPOSSIBLE.search(term):
        raise FilterInvalid("a filter holds a character that no text has", "leave it out")


def _size(values: Terms) -> int:
    return sum(len(found) for name in Terms.__dataclass_fields__ if isinstance(found := getattr(values, name), tuple))


def _add(found: Terms, term: str) -> Terms:
    if term in FLAGS:
        return replace(found, **{term: True})  # type: ignore[arg-type]
    name, colon, _ = term.partition(":")
    if not colon or term.startswith('"'):
        return _add_word(found, term)
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, 1)
        hint = (
            f"did you mean '{near[0]}'?"
            if near
            else f"known are {', '.join((*NAMES, *FLAGS))}, and words without a colon"
        )
        raise FilterInvalid(f"'{term}' is no filter", hint)
    field_, read = _FIELDS[name]
    more: dict[str, Any] = {field_: (*getattr(found, field_), *map(read, values_of(term, NAMES)))}
    return replace(found, **more)


def values_of(term: str, names: Mapping[str, str]) -> list[str]:
    """The values of a term whose name is one of `names`, which describe them. Raises FilterInvalid for none, or a long one."""
    name, _, value = term.partition(":")
    values = [one for one in unquoted(value).split(",") if one]
    if not values:
        raise FilterInvalid(f"the filter '{term}' lacks its value", f"write {name}:VALUE ({names[name]})")
    for one in values:
        _check_length(one)
    return values


def _add_word(found: Terms, term: str) -> Terms:
    word = unquoted(term).strip().lower()
    if not word:
        raise FilterInvalid(f"'{term}' is no filter", f"known are {', '.join((*NAMES, *FLAGS))}, and words")
    _check_length(word)
    return replace(found, words=(*found.words, word))


def _check_length(value: str) -> None:
    if len(value) > LONGEST_VALUE:
        raise FilterInvalid(f"'{value[:20]}…' is too long", f"write at most {LONGEST_VALUE} characters")


def glob_of(value: str) -> str:
    """The glob, with adjacent stars merged. Raises FilterInvalid if it has too many, or is too long."""
    _check_length(value)
    glob = collapsed(value)
    if glob.count("*") > MOST_STARS:
        raise FilterInvalid(f"'{value[:20]}…' has too many *", f"write at most {MOST_STARS}")
    return glob


def unquoted(text: str) -> str:
    """The text without its quotation marks."""
    return text.replace('"', "")


def _one_of(kind: type[E], name: str, value: str) -> E:
    try:
        return kind(value)
    except ValueError:
        raise FilterInvalid(f"'{value}' is no {name}", f"known are {', '.join(kind)}") from None


def number_of(value: str) -> int:
    """A run's number. Raises FilterInvalid."""
    if not _NUMBER.fullmatch(value):
        raise FilterInvalid(f"'{value}' is no run's number", "write its digits, as in 4711")
    return int(value)


#: The field of each name, and the function that reads a value of it.
_FIELDS: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    "status": ("statuses", lambda value: _one_of(FilterStatus, "status", value)),
    "outcome": ("outcomes", lambda value: _one_of(Outcome, "outcome", _SHORT.get(value, value))),
    "type": ("types", glob_of),
    "tenant": ("tenants", str),
    "by": ("by", lambda value: glob_of(value.lower())),
    "code": ("codes", glob_of),
    "id": ("ids", number_of),
    "retry-of": ("retry_of", number_of),
}


def when(name: str, value: str, negated: bool = False) -> TimeBound:
    """The value of `since:` or `before:`. Raises FilterInvalid, also for one that is negated."""
    if negated:
        other = "before" if name == "since" else "since"
        raise FilterInvalid(f"{name} cannot be turned round", f"write {other}:{value}")
    if not value:
        raise FilterInvalid(f"the filter '{name}:' lacks its value", f"write {name}:VALUE ({NAMES[name]})")
    match = _SPAN.fullmatch(value)
    if match:
        return min(ANY_TIME, dt.timedelta(**{_UNITS[match[2]]: int(match[1])}))
    try:
        instant = dt.datetime.fromisoformat(value)
    except ValueError:
        raise FilterInvalid(f"'{value}' is no time", f"write {name}:2h, {name}:7d or {name}:2026-03-01") from None
    if not 1000 <= instant.year < 9000:
        raise FilterInvalid(f"'{value}' is no time", "write a year of four digits")
    return instant.replace(tzinfo=instant.tzinfo or dt.UTC).astimezone(dt.UTC)
