"""Output of commands: JSON for scripts, aligned plain text for people; without control characters or colour."""

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
    """Prints a command's result on standard output, as JSON or as text."""

    json: bool = False

    def show(self, value: object, text: Callable[[], str]) -> None:
        """Print `value` as JSON, or else the result of `text`."""
        # ASCII only: foreign text can then neither control the terminal nor break the locale's encoding.
        written = json.dumps(as_json(value), indent=2, ensure_ascii=True) if self.json else text()
        sys.stdout.write(written + "\n")


def as_json(value: Any) -> Any:
    """`value` as JSON types: records become objects with their fields' names, instants become ISO 8601 in UTC with a Z."""
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
    # JSON has neither NaN nor infinity.
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _instant_as_json(value: dt.datetime) -> str:
    return value.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], right: Iterable[int] = ()) -> str:
    """Align rows under headings; columns whose index is in `right` are aligned to the right."""
    lines = [list(headings), *([cell(value) for value in row] for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    right = set(right)
    return "\n".join("  ".join(_padded(line, widths, right)).rstrip() for line in lines)


def pairs(items: Iterable[tuple[str, object]]) -> str:
    """Names and values, one pair per line."""
    cells = [(name, cell(value)) for name, value in items]
    width = max((_width(name) for name, _ in cells), default=0)
    return "\n".join(f"{name}{' ' * (width - _width(name))}  {value}".rstrip() for name, value in cells)


def cell(value: object) -> str:
    """A value as one line of text for people."""
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
    """The columns that a text takes in a terminal: two for a wide character, none for a combining one."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
