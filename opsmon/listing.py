"""Lists of commands: which columns there are, which are chosen, and how they fit into a terminal's width. Pure."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from store.errors import InputInvalid

T = TypeVar("T")

#: Characters of the terminal between two columns.
GAP: Final = 2
#: The width to which a name may be cut before columns are left out, and after.
SHORT: Final = 12
SHORTEST: Final = 4
ELLIPSIS: Final = "…"


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """A column of a list."""

    #: The JSON field that it shows, by which `--columns` chooses it.
    field: str
    heading: str
    text: Callable[[T], object]
    #: In a narrow terminal the column with the highest number goes first; 0 stays.
    drop: int = 0
    is_number: bool = False
    #: Whether it may be cut, as names may; what is half a number is another number.
    is_name: bool = False
    #: Whether it is shown only in the form `wide`.
    is_wide: bool = False
    #: The SGR parameters of the cell, such as `1;31`; empty for none.
    paint: Callable[[T], str] = lambda _: ""


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """What a list of records looks like, in every form."""

    columns: tuple[Column[T], ...]
    json: Callable[[T], Mapping[str, Any]]
    #: What is said in place of an empty table.
    empty: str
    #: The JSON field that identifies a record, for the form `name`.
    name: str = "id"
    #: JSON fields that `--columns` knows even where there is no record.
    fields: tuple[str, ...] = ()

    def chosen(self, names: Sequence[str], records: Sequence[T]) -> list[Column[T]]:
        """The columns with these names, in this order. Raises InputInvalid for an unknown name."""
        there = {column.field: column for column in self.columns}
        known = list(dict.fromkeys([*there, *self.fields, *(self.json(records[0]) if records else ())]))
        for name in names:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
                raise InputInvalid(f"there is no column '{name[:64]}'", hint)
        return [there.get(name) or self._plain(name) for name in names]

    def _plain(self, name: str) -> Column[T]:
        """A column for a JSON field that the table does not show by itself."""
        return Column(name, name.upper().replace("_", " "), lambda record: self.json(record).get(name))

    def shown(self, *, wide: bool) -> list[Column[T]]:
        """The columns of the table, or of the wide one."""
        return [column for column in self.columns if wide or not column.is_wide]


def fit(columns: Sequence[Column[T]], lines: Sequence[Sequence[str]], width: int) -> tuple[list[int], list[int]]:
    """The indexes of the columns that have room in `width`, and their widths. `lines` are headings and cells.

    Columns go by their number `drop`; then names are cut, the widest first. What then is still too wide stays so.
    """
    natural = [max(map(text_width, column)) for column in zip(*lines, strict=True)]
    kept = list(range(len(columns)))

    def needed() -> int:
        least = (min(natural[i], SHORT) if columns[i].is_name else natural[i] for i in kept)
        return sum(least) + GAP * (len(kept) - 1)

    while needed() > width and (can_go := [i for i in kept if columns[i].drop]):
        kept.remove(max(can_go, key=lambda i: (columns[i].drop, i)))
    widths = {i: natural[i] for i in kept}
    for least in (SHORT, SHORTEST):
        _shrink(widths, [i for i in kept if columns[i].is_name], least, width - GAP * (len(kept) - 1))
    return kept, [widths[i] for i in kept]


def _shrink(widths: dict[int, int], names: Sequence[int], least: int, room: int) -> None:
    """Take from the widest name until all have room, or none is wider than `least`."""
    while sum(widths.values()) > room:
        widest = max(names, key=lambda i: widths[i], default=None)
        if widest is None or widths[widest] <= least:
            return
        widths[widest] -= 1


def cut(text: str, width: int) -> str:
    """The text in `width` columns of a terminal; one that is longer ends with an ellipsis."""
    if text_width(text) <= width:
        return text
    made, used = "", 0
    for char in text:
        used += text_width(char)
        if used > width - 1:
            break
        made += char
    return made + ELLIPSIS


def padded(text: str, width: int, *, right: bool) -> str:
    """The text with blanks up to `width`, before it if it stands to the right."""
    blanks = " " * (width - text_width(text))
    return blanks + text if right else text + blanks


def text_width(text: str) -> int:
    """The columns that a text takes in a terminal: two for a wide character, none for a combining one."""
    return sum(map(_char_width, text))


def _char_width(char: str) -> int:
    # Marks stand on the letter before them, and the vowels and finals of decomposed Hangul in the syllable that is begun.
    if unicodedata.category(char) in ("Mn", "Me") or "\u1160" <= char <= "\u11ff":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
