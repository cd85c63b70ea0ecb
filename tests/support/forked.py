"""Processes of opsmon that begin warm: forked from a process that has imported everything, so that none does it again.

They are processes as any other: with a pid, an environment, a working folder and a log of their own, to be killed and frozen.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final

from tests.support.waiting import HANG

ROOT: Final = Path(__file__).resolve().parents[2]

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["tests.support.warm"])
_starting = threading.Lock()


def warm_up() -> None:
    """Start the process that others are forked from, and make its folder, unless they are there."""
    # What is imported once and for all is looked for there. The working folder is the whole process's.
    with _starting, contextlib.chdir(ROOT):
        forkserver.ensure_running()


class Forked:
    """`opsmon ARGV` in a process of its own. Its standard output and error go to the file `log`, its input is empty."""

    def __init__(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        log: Path,
        paths: Sequence[str] = (),
        *,
        main: str = "opsmon.cli.main:main",
        piped: bool = False,
        session: bool = False,
    ) -> None:
        """`paths` come first where modules, and installed packages, are looked for. `main` is what it does: a function that
        takes the arguments and returns the exit code. `piped`: its standard input lasts until `stdin` is closed, or we end.
        `session`: it leads one of its own.
        """
        self.stdin: Connection | None = None
        reading: Connection | None = None
        if piped:
            reading, self.stdin = context.Pipe(duplex=False)
        given = _Given(tuple(argv), dict(environment), str(folder), str(log), tuple(paths), main, reading, session)
        self._process: ForkServerProcess = context.Process(target=_be, args=(given,), daemon=True)
        warm_up()
        self._process.start()
        if reading is not None:
            reading.close()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """The exit code; a negative one is that of the signal that ended it. None while it runs."""
        return self._process.exitcode

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM, unless it has ended already."""
        if self.poll() is None:
            self._process.terminate()

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self._process.kill()
        self.wait()

    def wait(self, seconds: float = HANG) -> int:
        """Wait until it has ended, and return its exit code."""
        self._process.join(seconds)
        assert self._process.exitcode is not None, f"process {self.pid} does not end"
        return self._process.exitcode


@dataclass(frozen=True)
class _Given:
    """The surroundings of the process."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    folder: str
    log: str
    paths: tuple[str, ...]
    main: str
    stdin: Connection | None
    session: bool


def _be(given: _Given) -> None:
    """What the process does: become one that was started with these arguments in these surroundings."""
    os.environ.clear()
    os.environ.update(given.environment)
    time.tzset()
    os.chdir(given.folder)
    if given.session:
        os.setsid()
    _redirect_streams(given)
    sys.path[:0] = given.paths
    importlib.invalidate_caches()
    sys.argv = ["opsmon", *given.argv]
    module, _, name = given.main.partition(":")
    main: Callable[[Sequence[str]], int] = getattr(importlib.import_module(module), name)
    code = main(given.argv)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _redirect_streams(given: _Given) -> None:
    if given.stdin is None:
        _redirect(os.devnull, os.O_RDONLY, 0)
    else:
        os.dup2(given.stdin.fileno(), 0)
        given.stdin.close()
    _redirect(given.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 1, 2)


def _redirect(path: str, flags: int, *descriptors: int) -> None:
    opened = os.open(path, flags, 0o600)
    for descriptor in descriptors:
        os.dup2(opened, descriptor)
    os.close(opened)
