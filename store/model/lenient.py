"""Lenient readers of JSON columns: another version of the program, or a person, may have written them.

Unknown keys are ignored. A value of the wrong shape is reported as unreadable, never as data. No row prevents another one from
being read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from store.model.records import NO_CODE, UNREADABLE, UNREADABLE_JSON, Counts, Failure

#: The depth to which nested values are kept, so that code which walks them recursively stays within the recursion limit.
DEPTH: Final = 40
_MOST: Final = 2**63 - 1


def loads(text: str | bytes) -> Any:
    """The value of a JSON column; UNREADABLE_JSON for a text that is not JSON, or that Python cannot parse."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return dict(UNREADABLE_JSON)


def counts_from(value: Any) -> Counts | None:
    """The counts; None if there are none, or they cannot be read."""
    if value is None:
        return None
    try:
        counts = Counts(value["total"], value["success"], value["failed"], value["skipped"])
    except (KeyError, TypeError, IndexError):
        return None
    numbers = (counts.total, counts.success, counts.failed, counts.skipped)
    return counts if all(type(number) is int and 0 <= number <= _MOST for number in numbers) else None


def failures_from(value: Any) -> tuple[Failure, ...]:
    """The failures. In one that cannot be read, NO_CODE replaces the code, UNREADABLE the message, or both."""
    if value is None:
        return ()
    # The same as in store/model/json_columns.py: a value that is not a list is one unreadable failure.
    return tuple([_failure(item) for item in value]) if isinstance(value, list) else (Failure(NO_CODE, UNREADABLE),)


def _failure(item: Any) -> Failure:
    if not isinstance(item, dict):
        return Failure(NO_CODE, UNREADABLE)
    code, message, count = item.get("code"), item.get("message"), item.get("count", 1)
    # A failure whose count cannot be read has happened at least once.
    is_count = type(count) is int and 0 <= count <= _MOST
    return Failure(
        _text(code) if isinstance(code, str) else NO_CODE,
        _text(message) if isinstance(message, str) else UNREADABLE,
        count if is_count else 1,
    )


def _text(text: str) -> str:
    """Replace lone surrogates: JSON can express them, but they can be neither stored nor sent."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def context_from(value: Any) -> Mapping[str, Any] | None:
    """The context; UNREADABLE_JSON if it is not an object."""
    if value is None:
        return None
    if not isinstance(value, dict):
        return dict(UNREADABLE_JSON)
    context: dict[str, Any] = _bounded(value, DEPTH)
    return context


def _bounded(value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        return {_text(key): _bounded(item, depth - 1) for key, item in value.items()} if depth else UNREADABLE
    if isinstance(value, list):
        return [_bounded(item, depth - 1) for item in value] if depth else UNREADABLE
    return _text(value) if isinstance(value, str) else value
