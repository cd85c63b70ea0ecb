"""SIGTERM and a closed terminal end the screens as quitting does: the terminal is put right, and everything put away."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Within this block SIGTERM and SIGHUP raise SystemExit with the shell's code for them, 128 and the number."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, _leave) for number in numbers]
    try:
        yield
    finally:
        for number, old in zip(numbers, before, strict=True):
            signal.signal(number, old)


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
