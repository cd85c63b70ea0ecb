"""Code that is not ours, such as a plug-in's module while it is imported: whatever it does, we come back from it in time, and our
streams are ours again.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import IO, Final, TypeVar

T = TypeVar("T")

#: Seconds that code which was given up may take to notice.
_TO_NOTICE: Final = 0.2
#: The streams are the whole process's.
_streams = threading.Lock()


class NothingCame(Exception):
    """The work brought nothing; the text says why."""


def aside(work: Callable[[], T], seconds: float) -> T:
    """What `work` returns, done in a thread of its own. What it prints goes nowhere, what it reads has ended.

    A thread, because nothing else can be given up; it leaves signals alone, too: Python lets the main thread alone change them.
    Raises NothingCame for whatever `work` raises, SystemExit included, and when `seconds` have passed.
    """
    done: list[T] = []
    failed: list[str] = []

    def do() -> None:
        try:
            done.append(work())
        except BaseException as error:  # SystemExit, and whatever else means to end a program
            failed.append(_told(error))

    thread = threading.Thread(target=do, name="plug-in", daemon=True)
    with _put_away():
        thread.start()
        thread.join(seconds)
        late = thread.is_alive()
        if late:
            _end(thread)
    if done:
        return done[0]
    raise NothingCame(f"it has not ended after {seconds:g} s" if late or not failed else failed[0])


def _told(error: BaseException) -> str:
    try:
        text = str(error)
    except BaseException:  # its own __str__ is no better than the rest
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _end(thread: threading.Thread) -> None:
    """Raise SystemExit in the thread, so that it neither prints nor works on. It hears nothing within a call that waits."""
    import ctypes

    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
    thread.join(_TO_NOTICE)


@contextlib.contextmanager
def _put_away() -> Iterator[None]:
    """Within this block the process has no standard input and output; afterwards they are as before, whatever became of them.

    Standard error stays: complaints belong there, and screens are painted through it.
    """
    with _streams, _descriptor_put_away(1):
        before = sys.stdin, sys.stdout, sys.stderr
        # New ones each time, since who wraps one closes it in the end; but not before, hence the name.
        instead = _nowhere_as_stream("r"), _nowhere_as_stream("w")
        sys.stdin, sys.stdout = instead
        try:
            yield
        finally:
            sys.stdin, sys.stdout, sys.stderr = before


@contextlib.contextmanager
def _descriptor_put_away(number: int) -> Iterator[None]:
    """For what goes past `sys.stdout`: other programs, libraries in C."""
    try:
        kept = os.dup(number)
    except OSError:  # closed by who started us
        yield
        return
    try:
        os.dup2(_nowhere(), number)
        yield
    finally:
        os.dup2(kept, number)
        os.close(kept)


def _nowhere_as_stream(mode: str) -> IO[str]:
    # Whatever the locale: what nobody sees is no reason to fail.
    return open(_nowhere(), mode, encoding="utf-8", errors="backslashreplace", closefd=False)


@functools.cache
def _nowhere() -> int:
    """Open until the process ends: a plug-in may have taken what it was given as standard output for its log."""
    return os.open(os.devnull, os.O_RDWR)
