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
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final

from tests.support.waiting import HANG

ROOT: Final = Path(__file__).resolve().parents[2]

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["tests.support.warm"])


class Forked:
    """`opsmon ARGV` in a process of its own. Its standard output and error go to the file `log`, its input is empty."""

    def __init__(
        self, argv: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path, paths: Sequence[str] = ()
    ) -> None:
        """`paths` come first where modules, and installed packages, are looked for."""
        self._process: ForkServerProcess = context.Process(
            target=_be, args=(tuple(argv), dict(environment), str(folder), str(log), tuple(paths)), daemon=True
        )
        with contextlib.chdir(ROOT):  # what is imported once and for all is looked for there
            self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """The exit code; a negative one is that of the signal that ended it. None while it runs."""
        return self._process.exitcode

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self._process.kill()
        self.wait()

    def wait(self) -> int:
        """Wait until it has ended, and return its exit code."""
        self._process.join(HANG)
        assert self._process.exitcode is not None, f"process {self.pid} does not end"
        return self._process.exitcode


def _be(argv: tuple[str, ...], environment: dict[str, str], folder: str, log: str, paths: tuple[str, ...]) -> None:
    """What the process does: become one that was started with these arguments in these surroundings."""
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    _redirect(os.devnull, os.O_RDONLY, 0)
    _redirect(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 1, 2)
    sys.path[:0] = paths
    importlib.invalidate_caches()
    sys.argv = ["opsmon", *argv]
    main: Callable[[Sequence[str]], int] = importlib.import_module("opsmon.cli").main
    code = main(argv)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _redirect(path: str, flags: int, *descriptors: int) -> None:
    opened = os.open(path, flags, 0o600)
    for descriptor in descriptors:
        os.dup2(opened, descriptor)
    os.close(opened)
