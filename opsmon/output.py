"""What commands print: JSON for scripts, aligned plain text for people; no control character, no colour."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from screens.text.format import instant
from store.model.records import NO_TIME, Counts
from store.sanitizer.sanitize import visible


@dataclass(frozen=True, slots=True)
class Output:
    """Where a command's answer goes: standard output, in the form that was asked for."""

    json: bool = False

    def show(self, value: object, text: Callable[[], str]) -> None:
        """Print `value` as JSON or, without --json, the text."""
        # Only ASCII: neither a terminal nor the locale can then make anything of what came from outside.
        written = json.dumps(as_json(value), indent=2, ensure_ascii=True) if self.json else text()
        sys.stdout.write(written + "\n")


def as_json(value: Any) -> Any:
    """`value` as JSON holds it: records with their fields' names, instants in ISO 8601, UTC, with Z."""
    if isinstance(value, dt.datetime):
        return None if value == NO_TIME else _instant_as_json(value)
    if isinstance(value, Counts):
        return value.as_json()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    # JSON has no number that is none, or is without an end.
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _instant_as_json(value: dt.datetime) -> str:
    return value.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], right: Iterable[int] = ()) -> str:
    """Rows under headings, in columns; those whose numbers are in `right` are aligned to the right."""
    lines = [list(headings), *([cell(value) for value in row] for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    right = set(right)
    return "\n".join("  ".join(_padded(line, widths, right)).rstrip() for line in lines)


def pairs(items: Iterable[tuple[str, object]]) -> str:
    """Names and values, one pair a line."""
    told = [(name, cell(value)) for name, value in items]
    width = max((_width(name) for name, _ in told), default=0)
    return "\n".join(f"{name}{' ' * (width - _width(name))}  {value}".rstrip() for name, value in told)


def cell(value: object) -> str:
    """A value on one line, for people."""
    if value is None:
        return "-"
    if isinstance(value, dt.datetime):
        return instant(value, "Z")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple | dict):
        return visible(json.dumps(as_json(value), ensure_ascii=False))
    return visible(str(value))


def _padded(line: Sequence[str], widths: Sequence[int], right: set[int]) -> Iterable[str]:
    for number, (text, width) in enumerate(zip(line, widths, strict=True)):
        blanks = " " * (width - _width(text))
        yield blanks + text if number in right else text + blanks


def _width(text: str) -> int:
    """Columns that a terminal gives the text: two for a wide character, none for one that combines."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
