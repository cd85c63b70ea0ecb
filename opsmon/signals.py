"""SIGTERM and a closed terminal end the screens as quitting does: the terminal is put right, and everything put away."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final, NoReturn

SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP)
#: Seconds that quitting may take; a terminal that is gone may hold it for ever.
LAST_RESORT: Final = 3


def leave(number: int) -> NoReturn:
    """End with the shell's code for a signal: 128 and its number."""
    raise SystemExit(128 + number)


@contextlib.contextmanager
def ended_by_signals(quit_: Callable[[int], None] = leave) -> Iterator[None]:
    """Within this block the two signals call `quit_` with their number, in the main thread.

    A process that has not left the block a few seconds later is killed.
    """

    def handle(number: int, _frame: FrameType | None) -> None:
        signal.alarm(LAST_RESORT)
        quit_(number)

    before = [signal.signal(number, handle) for number in SIGNALS]
    try:
        yield
    finally:
        signal.alarm(0)
        for number, old in zip(SIGNALS, before, strict=True):
            signal.signal(number, old)
