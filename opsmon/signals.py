"""SIGTERM and a terminal that goes away end the screens as quitting does: the terminal is put right, and everything put away."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final, NoReturn

SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP)
#: Seconds that quitting may take; a terminal that is gone may hold it for ever.
LAST_RESORT: Final = 3
#: Standard input and error: what the screens read from and write to.
TERMINAL: Final = (0, 2)


def leave(number: int) -> NoReturn:
    """End with the shell's code for a signal: 128 and its number."""
    raise SystemExit(128 + number)


@contextlib.contextmanager
def ended_by_signals(quit_: Callable[[int], None] = leave) -> Iterator[None]:
    """Within this block the two signals call `quit_` with their number, in the main thread.

    A terminal that goes away is a SIGHUP, also where the system sends none: to a process that does not control its
    terminal, or below `nohup`. A process that has not left the block a few seconds later is killed.
    """

    def handle(number: int, _frame: FrameType | None) -> None:
        signal.alarm(LAST_RESORT)
        quit_(number)

    before = [signal.signal(number, handle) for number in SIGNALS]
    try:
        with _told_of_a_lost_terminal():
            yield
    finally:
        signal.alarm(0)
        for number, old in zip(SIGNALS, before, strict=True):
            signal.signal(number, old)


@contextlib.contextmanager
def _told_of_a_lost_terminal() -> Iterator[None]:
    """Within this block the main thread gets a SIGHUP when the terminal is gone."""
    over, end = os.pipe()
    watch = select.poll()
    for descriptor in (over, *filter(os.isatty, TERMINAL)):
        watch.register(descriptor, 0)  # nothing but the end, which is always told

    def wait() -> None:
        if all(descriptor != over for descriptor, _ in watch.poll()):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGHUP)

    thread = threading.Thread(target=wait, name="terminal", daemon=True)
    thread.start()
    try:
        yield
    finally:
        os.close(end)
        thread.join()
        os.close(over)
