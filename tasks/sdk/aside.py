"""Runs foreign code, such as the import of a plug-in, with a time limit and without access to standard input and output."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import IO, Final, TypeVar

T = TypeVar("T")

#: Seconds for abandoned code to end.
_TO_NOTICE: Final = 0.2
#: Guards the standard streams, which belong to the whole process.
_streams = threading.Lock()


class NothingCame(Exception):
    """The code returned nothing; the text says why."""


def aside(work: Callable[[], T], seconds: float) -> T:
    """Call `work` in a thread of its own and return its result. Its output is discarded, and its input is empty.

    A thread can be abandoned, and cannot change signal handlers: Python allows only the main thread to do that. Raises
    NothingCame for anything that `work` raises, SystemExit included, and after `seconds`.
    """
    done: list[T] = []
    failed: list[str] = []

    def do() -> None:
        try:
            done.append(work())
        except BaseException as error:  # SystemExit, and whatever else would end a program
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
    except BaseException:  # its __str__ may fail, too
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _end(thread: threading.Thread) -> None:
    """Raise SystemExit in the thread, so that it stops printing and working. It has no effect inside a blocking call."""
    import ctypes

    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
    thread.join(_TO_NOTICE)


@contextlib.contextmanager
def _put_away() -> Iterator[None]:
    """Detach the process from standard input and output within this block, and restore them afterwards in any case.

    Standard error stays: it is the place for complaints, and the screens are painted through it.
    """
    with _streams, _descriptor_put_away(1):
        before = sys.stdin, sys.stdout, sys.stderr
        # New streams each time: code that wraps one closes it in the end. The variable keeps them open until then.
        instead = _nowhere_as_stream("r"), _nowhere_as_stream("w")
        sys.stdin, sys.stdout = instead
        try:
            yield
        finally:
            sys.stdin, sys.stdout, sys.stderr = before


@contextlib.contextmanager
def _descriptor_put_away(number: int) -> Iterator[None]:
    """The same for output that bypasses `sys.stdout`: other programs, and libraries in C."""
    try:
        kept = os.dup(number)
    except OSError:  # the parent closed it
        yield
        return
    try:
        os.dup2(_nowhere(), number)
        yield
    finally:
        os.dup2(kept, number)
        os.close(kept)


def _nowhere_as_stream(mode: str) -> IO[str]:
    # Independent of the locale: discarded output must not raise an encoding error.
    return open(_nowhere(), mode, encoding="utf-8", errors="backslashreplace", closefd=False)


@functools.cache
def _nowhere() -> int:
    """A descriptor of the null device. It stays open: a plug-in may keep using the standard output that it found."""
    return os.open(os.devnull, os.O_RDWR)
