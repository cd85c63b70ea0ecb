"""Notes that operations store in a run's context: sanitized, and limited in number and size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from store.runs.log import MAX_MESSAGE
from store.sanitizer.sanitize import sanitize, sanitize_value

#: The largest integer that every JSON reader represents exactly.
MAX_NUMBER: Final = 2**53
#: Limits of one note: characters of a key, items of a list or object, levels of nesting, and values in all.
MAX_KEY: Final = 100
MAX_ITEMS: Final = 100
MAX_DEPTH: Final = 10
MAX_VALUES: Final = 1000
#: Limits of a run: notes, JSON characters of one note, and of all. The row is read whole, and written with every progress.
MAX_NOTES: Final = 100
MAX_NOTE: Final = 10_000
MAX_ALL: Final = 50_000
#: The context's key for the number of notes left out.
LEFT_OUT: Final = "notes left out"


class Notes:
    """A run's context with the operation's notes. A note beyond the limits is left out whole and counted: half a note
    would mislead.
    """

    def __init__(self, context: Mapping[str, Any]) -> None:
        self._opened_with = dict(context)
        self._notes: dict[str, Any] = {}
        self._sizes: dict[str, int] = {}
        self._left_out: set[str] = set()
        self._more = 0

    @property
    def context(self) -> dict[str, Any]:
        """The context with the notes, and with the number of notes left out if there are any."""
        found = self._opened_with | self._notes
        number = len(self._left_out) + self._more
        if number:
            bounds = f"a run keeps {MAX_NOTES} notes, {MAX_NOTE:,} characters each, {MAX_ALL:,} in all"
            found[LEFT_OUT] = f"{number:,}: {bounds}"
        return found

    def put(self, key: str, value: Any) -> None:
        """Store a note under its key, replacing an earlier one. If it is left out, the earlier one is removed all the same."""
        self._notes.pop(key, None)
        self._sizes.pop(key, None)
        self._opened_with.pop(key, None)
        self._left_out.discard(key)
        try:
            kept = clean(value, key) if len(self._notes) < MAX_NOTES else None
            size = len(key) + len(json.dumps(kept))
        except _TooLong:
            kept, size = None, MAX_NOTE + 1
        is_room = len(self._notes) < MAX_NOTES and sum(self._sizes.values()) + size <= MAX_ALL
        if size <= MAX_NOTE and is_room:
            self._notes[key], self._sizes[key] = kept, size
        elif len(self._left_out) < MAX_NOTES:
            self._left_out.add(key)
        else:
            self._more += 1


class _TooLong(Exception):
    """The note is longer than any note may be; the rest of it is not examined."""


class _Budget:
    """What one note may still hold: values, and characters of text."""

    def __init__(self) -> None:
        self._values = MAX_VALUES
        self._characters = MAX_NOTE

    def has_value(self) -> bool:
        """Use up one value; False if none was left."""
        self._values -= 1
        return self._values >= 0

    def text(self, text: str) -> str:
        """Use up the text's characters. Raises _TooLong."""
        self._characters -= len(text)
        if self._characters < 0:
            raise _TooLong
        return text


def clean(value: Any, name: str = "") -> Any:
    """Convert a value to JSON types, sanitize it under its name, and cut lists and nesting that exceed the limits.

    Raises _TooLong if its texts alone are longer than a note may be.
    """
    return _clean(value, MAX_DEPTH, _Budget(), name)


def _clean(value: Any, depth: int, left: _Budget, name: str) -> Any:
    if not left.has_value() or (not depth and isinstance(value, Mapping | list | tuple)):
        return "…"
    if isinstance(value, str):
        return left.text(sanitize_value(name, value, MAX_MESSAGE))
    if isinstance(value, Mapping):
        some = list(value.items())[:MAX_ITEMS]
        return {left.text(sanitize(str(key), MAX_KEY)): _clean(item, depth - 1, left, str(key)) for key, item in some}
    if isinstance(value, list | tuple):
        return [_clean(item, depth - 1, left, name) for item in value[:MAX_ITEMS]]
    # A number that JSON cannot hold would prevent the run from being stored, and so from ending.
    is_number = isinstance(value, int | float) and -MAX_NUMBER <= value <= MAX_NUMBER
    return value if value is None or is_number else left.text(sanitize_value(name, str(value), MAX_MESSAGE))
