"""Waiting for something to become true, with a deadline instead of a hopeful sleep."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(condition: Callable[[], T], seconds: float = 10, what: str = "", every: float = 0.02) -> T:
    """Ask until the answer is true and hand it back. Raises AssertionError, naming `what`, when `seconds` have passed.

    An AssertionError of the condition counts as "not yet"; the last one is told when time runs out.
    """
    deadline = time.monotonic() + seconds
    while True:
        late = time.monotonic() >= deadline  # before asking: the last question is asked at or after the deadline
        answer, reason = _ask(condition)
        if answer:
            return answer
        if late:
            name = what or getattr(condition, "__name__", "the condition")
            raise AssertionError(f"waited {seconds:g} s in vain for {name} (last answer: {answer!r})") from reason
        time.sleep(every)


def _ask(condition: Callable[[], T]) -> tuple[T | None, AssertionError | None]:
    try:
        return condition(), None
    except AssertionError as reason:
        return None, reason
