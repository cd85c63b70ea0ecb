"""How JSON columns are read: another version of the program, or a person, may have written them.

What is not known is ignored. What has not the shape that it should have is told as unreadable, and never as a fact; no row keeps
another one from being read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from store.model.records import NO_CODE, UNREADABLE, UNREADABLE_JSON, Counts, Failure

#: What is nested deeper is not shown: whatever walks through a value may call itself so often.
DEPTH: Final = 40
_MOST: Final = 2**63 - 1


def loads(text: str | bytes) -> Any:
    """The value that a column holds; UNREADABLE_JSON for a text that is no JSON, or none that Python takes."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return dict(UNREADABLE_JSON)


def counts_from(value: Any) -> Counts | None:
    """The counts; None when there are none that can be read."""
    if value is None:
        return None
    try:
        found = Counts(value["total"], value["success"], value["failed"], value["skipped"])
    except (KeyError, TypeError, IndexError):
        return None
    numbers = (found.total, found.success, found.failed, found.skipped)
    return found if all(type(number) is int and 0 <= number <= _MOST for number in numbers) else None


def failures_from(value: Any) -> tuple[Failure, ...]:
    """The failures; each that cannot be read stands for itself, as NO_CODE, UNREADABLE or both."""
    if value is None:
        return ()
    # As store/model/json_columns.py unfolds it: what is no list is one that cannot be read.
    return tuple([_failure(item) for item in value]) if isinstance(value, list) else (Failure(NO_CODE, UNREADABLE),)


def _failure(item: Any) -> Failure:
    if not isinstance(item, dict):
        return Failure(NO_CODE, UNREADABLE)
    code, message, count = item.get("code"), item.get("message"), item.get("count", 1)
    # That it happened once is all that a count says that cannot be read.
    is_count = type(count) is int and 0 <= count <= _MOST
    return Failure(
        _text(code) if isinstance(code, str) else NO_CODE,
        _text(message) if isinstance(message, str) else UNREADABLE,
        count if is_count else 1,
    )


def _text(text: str) -> str:
    """JSON can write halves of characters, which nothing can store or send."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def context_from(value: Any) -> Mapping[str, Any] | None:
    """The context; UNREADABLE_JSON in the place of one that is no object."""
    if value is None:
        return None
    if not isinstance(value, dict):
        return dict(UNREADABLE_JSON)
    found: dict[str, Any] = _bounded(value, DEPTH)
    return found


def _bounded(value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        return {_text(key): _bounded(item, depth - 1) for key, item in value.items()} if depth else UNREADABLE
    if isinstance(value, list):
        return [_bounded(item, depth - 1) for item in value] if depth else UNREADABLE
    return _text(value) if isinstance(value, str) else value
