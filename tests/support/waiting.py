"""Waiting for something to become true. Deadlines end a hang; no machine is so slow that it would meet one."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

#: Seconds after which whatever was waited for will never come. While a test is being written, fewer tell sooner.
HANG: Final = int(os.environ.get("TESTS_HANG", "120"))
#: Seconds between two questions: the first, and the longest.
_EVERY: Final = (0.002, 0.05)


def wait_for(
    condition: Callable[[], T | None],
    what: str = "",
    *,
    seconds: float = HANG,
    seen: Callable[[], object] | None = None,
) -> T:
    """Ask until the answer is true and hand it back. An AssertionError of the condition counts as "not yet".

    Raises AssertionError when `seconds` have passed; it names `what` was waited for, the last answer, and what `seen` tells
    then: a log, a picture, a row.
    """
    deadline, (pause, longest) = time.monotonic() + seconds, _EVERY
    while True:
        late = time.monotonic() >= deadline  # before asking: the last question is asked at or after the deadline
        answer, reason = _ask(condition)
        if answer:
            return answer
        if late:
            name = what or getattr(condition, "__name__", "the condition")
            raise AssertionError(in_vain(name, seconds, answer, seen)) from reason
        time.sleep(pause)
        pause = min(longest, pause * 1.5)


def in_vain(what: str, seconds: float, answer: object, seen: Callable[[], object] | None = None) -> str:
    """The message of a wait that was in vain."""
    told = f"\n{seen()}" if seen else ""
    return f"waited {seconds:g} s in vain for {what} (last answer: {answer!r}){told}"


def _ask(condition: Callable[[], T | None]) -> tuple[T | None, AssertionError | None]:
    try:
        return condition(), None
    except AssertionError as reason:
        return None, reason
