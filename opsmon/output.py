"""Output of commands: JSON for scripts, aligned plain text for people; without control characters. Lists are fitted to a
terminal, and coloured on it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from opsmon.listing import GAP, Column, Listing, cut, fit, padded, text_width
from screens.text.format import instant
from store.model.records import NO_TIME, Counts
from store.sanitizer.sanitize import visible

#: The forms of a list.
FORMS: Final = ("table", "wide", "json", "jsonl", "name")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Output:
    """Prints a command's result on standard output, as JSON or as text; lists in one of the `FORMS`."""

    json: bool = False
    form: str = "table"
    #: The columns of a list by their JSON fields; empty for those that it has by itself.
    columns: tuple[str, ...] = ()

    @property
    def is_painted(self) -> bool:
        """Whether a list is for people, who see it in a terminal, where it can be painted over."""
        return not self.json and self.form in ("table", "wide") and _is_controlled()

    def show(self, value: object, text: Callable[[], str]) -> None:
        """Print `value` as JSON, or else the result of `text`."""
        # ASCII only: foreign text can then neither control the terminal nor break the locale's encoding.
        written = json.dumps(as_json(value), indent=2, ensure_ascii=True) if self.json else text()
        sys.stdout.write(written + "\n")

    def rows(self, listing: Listing[T], records: Sequence[T], text: Callable[[], str] | None = None) -> None:
        """Print a list in the form and with the columns that were asked for.

        `text` makes what stands in place of the plain table, unless columns are chosen. Raises InputInvalid for a column
        that there is not.
        """
        chosen = listing.chosen(self.columns, records)  # before anything is printed
        if self.form in ("jsonl", "name"):
            sys.stdout.write("".join(f"{line}\n" for line in self.lines(listing, records)))
        elif self.json:
            self.show([_fields(listing, chosen, one) for one in records], str)
        elif records and text and self.form == "table" and not chosen:
            sys.stdout.write(text() + "\n")
        else:
            sys.stdout.write(self.table(listing, records) + "\n")

    def table(self, listing: Listing[T], records: Sequence[T]) -> str:
        """The list for people, as wide as the terminal unless all columns are asked for."""
        if not records:
            return listing.empty
        columns = listing.chosen(self.columns, records) or listing.shown(wide=self.form == "wide")
        room = None if self.form == "wide" else terminal_width()
        return listed(columns, records, room, painted=takes_colour())

    def lines(self, listing: Listing[T], records: Sequence[T]) -> list[str]:
        """The records as JSON, or as their names alone, one on each line."""
        if self.form == "name":
            return [visible(str(listing.json(one)[listing.name])) for one in records]
        chosen = listing.chosen(self.columns, records)
        return [json.dumps(as_json(_fields(listing, chosen, one)), ensure_ascii=True) for one in records]


def _fields(listing: Listing[T], chosen: Sequence[Column[T]], record: T) -> Mapping[str, Any]:
    """The record as JSON; of it only the chosen columns, if there are any. A column that is no field is its text."""
    made = listing.json(record)
    if not chosen:
        return made
    return {one.field: made[one.field] if one.field in made else cell(one.text(record)) for one in chosen}


def listed(columns: Sequence[Column[T]], records: Sequence[T], width: int | None, *, painted: bool = False) -> str:
    """The records as a table under headings, in a terminal of this width; None for one that is never too narrow."""
    lines = [[one.heading for one in columns], *([cell(one.text(record)) for one in columns] for record in records)]
    kept, widths = fit(columns, lines, sys.maxsize if width is None else width)
    made = []
    for number, line in enumerate(lines):
        texts = [
            padded(cut(line[i], room), room, right=columns[i].is_number) for i, room in zip(kept, widths, strict=True)
        ]
        texts[-1] = texts[-1].rstrip()
        if painted and number:
            texts = [_painted(text, columns[i].paint(records[number - 1])) for i, text in zip(kept, texts, strict=True)]
        made.append((" " * GAP).join(texts).rstrip())
    return "\n".join(made)


def _painted(text: str, sgr: str) -> str:
    return f"\x1b[{sgr}m{text}\x1b[0m" if sgr and text.strip() else text


def terminal_width() -> int | None:
    """The width of the terminal that standard output is; None if it is none: what is piped is not cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def takes_colour() -> bool:
    """Whether standard output is a terminal that may be coloured (https://no-color.org)."""
    return _is_controlled() and not os.environ.get("NO_COLOR")


def _is_controlled() -> bool:
    """Whether standard output is a terminal that understands control sequences."""
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb")


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
    widths = [max(map(text_width, column)) for column in zip(*lines, strict=True)]
    right = set(right)
    return "\n".join(
        "  ".join(
            padded(text, width, right=number in right)
            for number, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def pairs(items: Iterable[tuple[str, object]]) -> str:
    """Names and values, one pair per line."""
    cells = [(name, cell(value)) for name, value in items]
    width = max((text_width(name) for name, _ in cells), default=0)
    return "\n".join(f"{padded(name, width, right=False)}  {value}".rstrip() for name, value in cells)


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
