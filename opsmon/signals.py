"""Ends the screens in an orderly way on SIGTERM, SIGHUP or the loss of the terminal: restores the terminal and cleans up."""

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
#: Seconds that quitting may take: a lost terminal may block it for ever.
LAST_RESORT: Final = 3
#: Standard input and error: the screens read from one and write to the other.
TERMINAL: Final = (0, 2)


def leave(number: int) -> NoReturn:
    """Exit with the shell's code for a signal: 128 plus its number."""
    raise SystemExit(128 + number)


@contextlib.contextmanager
def ended_by_signals(quit_: Callable[[int], None] = leave) -> Iterator[None]:
    """Call `quit_` with the signal's number, in the main thread, for SIGTERM and SIGHUP within this block.

    The loss of the terminal counts as SIGHUP even if the system sends none: to a process without control of its
    terminal, or under `nohup`. A process that does not leave the block within LAST_RESORT seconds is killed.
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
    """Send the main thread a SIGHUP if the terminal is lost within this block."""
    over, end = os.pipe()
    watch = select.poll()
    for descriptor in (over, *filter(os.isatty, TERMINAL)):
        watch.register(descriptor, 0)  # only the end, which poll always reports

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
