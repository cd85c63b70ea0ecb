"""The query options of OData, as far as the tools that read Intune use them. Everything else is refused with 400, as
Graph does: an option that is ignored would pass for one that works.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from tasks.graph.simulator.request import GraphError

_KNOWN: Final = {"$select", "$filter", "$expand", "$top", "$search", "$count", "$skiptoken", "$deltatoken", "$orderby"}
_TERM: Final = re.compile(r"([\w.]+(?:/\w+)*)\s+(eq|ne|ge|le|gt|lt)\s+('(?:[^']|'')*'|[^\s()]+)", re.IGNORECASE)
_STARTS: Final = re.compile(r"startswith\(\s*(\w+)\s*,\s*('(?:[^']|'')*')\s*\)", re.IGNORECASE)
#: A clause; quotation marks and backslashes inside it take a backslash before them (concepts/search-query-parameter.md).
_SEARCH: Final = re.compile(r'"(\w+):((?:[^"\\]|\\["\\])*)"')
#: One path in brackets, as some clients write it.
_BRACKETED: Final = re.compile(r"\(([\w./]+)\)")
#: Graph refuses more.
MAX_OR: Final = 15
#: Properties that every kind has, whether or not an object at hand shows it.
_COMMON: Final = {
    "id",
    "version",
    "displayName",
    "name",
    "description",
    "createdDateTime",
    "lastModifiedDateTime",
    "@odata.type",
}


@dataclass(frozen=True, slots=True)
class Expand:
    """One property to expand, with the query options inside its brackets."""

    name: str
    query: Query


@dataclass(frozen=True, slots=True)
class Query:
    """The options of one request."""

    select: tuple[str, ...] = ()
    expand: tuple[Expand, ...] = ()
    filter: str = ""
    search: str = ""
    top: int | None = None
    count: bool = False
    given: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def parse(text: str) -> Query:
        """From the part of a URL behind `?`. Raises GraphError (400)."""
        # Some clients send a second question mark, and Graph does not mind.
        return _parsed(parse_qsl(text.lstrip("?"), keep_blank_values=True))

    @property
    def skip(self) -> int:
        """Number of objects that earlier pages had. Raises GraphError (400)."""
        return skip_of(self.given["$skiptoken"]) if "$skiptoken" in self.given else 0

    def check(self, allowed: Iterable[str]) -> None:
        """Raise GraphError (400) if an option was given that this path does not take."""
        known = {*allowed, "$skiptoken"}
        for name in self.given:
            if name.startswith("$") and name not in known:
                raise GraphError(400, "BadRequest", f"The query option '{name}' is not allowed.")

    def expanded(self, allowed: Iterable[str]) -> dict[str, Query]:
        """The expanded properties by name. Raises GraphError (400) for one that is not `allowed`."""
        known = {name.lower(): name for name in allowed}
        for one in self.expand:
            if one.name.lower() not in known:
                raise GraphError(400, "BadRequest", f"Could not find a property named '{one.name}' to expand.")
        return {known[one.name.lower()]: one.query for one in self.expand}

    def selected(self, items: Sequence[Mapping[str, Any]], known: Iterable[str] = ()) -> list[dict[str, Any]]:
        """The items that pass `$filter` and `$search`. Raises GraphError (400) for a property that nothing has."""
        properties = _COMMON | set(known) | {key for item in items for key in item}
        for name in self.select:
            _refuse_unknown(name, properties)
        passes = _filter(self.filter, properties) if self.filter else lambda item: True
        if self.search:
            passes = _both(passes, _search(self.search))
        return [dict(item) for item in items if passes(item)]

    def cut(self, item: Mapping[str, Any], keep: Iterable[str] = ()) -> dict[str, Any]:
        """The item with the selected properties only; `keep` stay, too."""
        if not self.select:
            return dict(item)
        wanted = {name.lower() for name in self.select} | {name.lower() for name in keep} | {"@odata.type"}
        return {key: value for key, value in item.items() if key.lower() in wanted}


def _parsed(pairs: Iterable[tuple[str, str]]) -> Query:
    given = dict(pairs)
    for name in given:
        if name.startswith("$") and name not in _KNOWN:
            raise GraphError(400, "BadRequest", f"The query option '{name}' is not recognised.")
    return Query(
        select=tuple(name.strip() for name in given.get("$select", "").split(",") if name.strip()),
        expand=tuple(_expand(part) for part in _split(given.get("$expand", ""), ",")),
        filter=given.get("$filter", ""),
        search=given.get("$search", ""),
        top=_top(given["$top"]) if "$top" in given else None,
        count=given.get("$count", "").lower() == "true",
        given=given,
    )


def _top(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) == 0:
        raise GraphError(400, "BadRequest", f"Invalid value '{text}' for $top.")
    return int(text)


def token_of(skip: int) -> str:
    """A page token for `skip` objects: opaque, as Graph's are."""
    return base64.urlsafe_b64encode(f"simulated-page:{skip}".encode()).decode().rstrip("=")


def skip_of(token: str) -> int:
    """The number in a page token. Raises GraphError (400) for one that was not made here."""
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError):
        text = ""
    head, _, number = text.partition(":")
    if head != "simulated-page" or not number.isdecimal():
        raise GraphError(400, "BadRequest", "The page token is not valid.")
    return int(number)


def _split(text: str, by: str) -> Iterator[str]:
    """The parts of a list, cut outside of brackets only."""
    depth, start = 0, 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == by and depth == 0:
            yield text[start:at].strip()
            start = at + 1
    if text[start:].strip():
        yield text[start:].strip()


def _expand(text: str) -> Expand:
    name, bracket, inside = text.partition("(")
    if bracket and not inside.endswith(")"):
        raise GraphError(400, "BadRequest", f"'{text}' cannot be expanded.")
    pairs = [tuple(part.split("=", 1)) for part in _split(inside[:-1], ";")] if bracket else []
    if any(len(pair) != 2 for pair in pairs):
        raise GraphError(400, "BadRequest", f"'{text}' cannot be expanded.")
    return Expand(name.strip(), _parsed((pair[0], pair[1]) for pair in pairs))


def _refuse_unknown(name: str, properties: set[str]) -> None:
    if name.lower() not in {known.lower() for known in properties}:
        raise GraphError(400, "BadRequest", f"Could not find a property named '{name}'.")


Passes = Callable[[Mapping[str, Any]], bool]


def _filter(text: str, properties: set[str]) -> Passes:
    text = _BRACKETED.sub(r"\1", text.strip())
    alternatives = re.split(r"\s+or\s+", text, flags=re.IGNORECASE)
    if len(alternatives) > MAX_OR:
        raise GraphError(400, "Request_UnsupportedQuery", "Too many child clauses specified in search filter.")
    groups = [
        [_term(term, properties) for term in re.split(r"\s+and\s+", one.strip("() "), flags=re.IGNORECASE)]
        for one in alternatives
    ]
    return lambda item: any(all(term(item) for term in group) for group in groups)


def _term(text: str, properties: set[str]) -> Passes:
    text = text.strip()
    if starts := _STARTS.fullmatch(text) or _STARTS.fullmatch(text + ")"):
        _refuse_unknown(starts[1], properties)
        name, beginning = starts[1], str(_value(starts[2])).lower()
        return lambda item: str(item.get(name, "")).lower().startswith(beginning)
    if term := _TERM.fullmatch(text):
        name, how, value = term[1], term[2].lower(), _value(term[3])
        cast, _, inner = name.partition("/")
        if "." in cast:  # a property of a derived type: other objects do not have it
            return lambda item: _compare(item.get(inner), how, value)
        _refuse_unknown(cast, properties)
        return lambda item: _compare(item.get(name), how, value)
    raise GraphError(400, "BadRequest", "Invalid filter clause.")


def _value(text: str) -> Any:
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if text.lower() == "null":
        return None
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else text


def _compare(there: Any, how: str, value: Any) -> bool:
    if isinstance(value, bool) and there is None:
        there = False
    if isinstance(there, str) and isinstance(value, str):
        there, value = there.lower(), value.lower()
    if how in ("eq", "ne"):
        return bool(there == value) == (how == "eq")
    try:
        return bool({"ge": there >= value, "le": there <= value, "gt": there > value, "lt": there < value}[how])
    except TypeError:
        return False


def _search(text: str) -> Passes:
    found = _SEARCH.fullmatch(text.strip())
    if not found:
        raise GraphError(400, "BadRequest", "Invalid $search clause.")
    words = _words(re.sub(r"\\(.)", r"\1", found[2]))
    name = found[1]
    # Graph looks for words that begin so, in any order; symbols are between words.
    return lambda item: all(any(part.startswith(word) for part in _words(str(item.get(name, "")))) for word in words)


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"\W+", text.lower()) if word]


def _both(one: Passes, other: Passes) -> Passes:
    return lambda item: one(item) and other(item)
