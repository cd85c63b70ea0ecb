"""The other side of child.py: start one, talk with it line by line, end it. One that fails is reported with its own log."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[2]
#: Seconds after which what has not come is not coming any more. Only there to end a hang.
PATIENCE = 90.0
#: Characters of a log that are told, from its end.
TOLD = 4000


class ChildFailed(RuntimeError):
    """A child ended on its own, or said nothing."""


class Child:
    """A process of child.py. What it says is read as it comes, so that nobody waits for ever for one that hangs."""

    def __init__(self, role: str, arguments: tuple[str, ...], log: Path) -> None:
        self.role = role
        self._log = log
        with log.open("w") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.benchmarks.child", role, *arguments],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                bufsize=1,
            )
        #: None when no more can come.
        self._said: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, name=f"read-{role}", daemon=True)
        self._reader.start()

    def wait_until_ready(self) -> None:
        if (said := self.hear()) != "ready":
            self._fail(f"said {said!r} when it should have been ready")

    def tell(self, number: int) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(f"{number}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self._fail_as_ended()

    def hear(self, seconds: float = PATIENCE) -> str:
        """The next line that it says. Raises ChildFailed when none comes."""
        try:
            said = self._said.get(timeout=seconds)
        except queue.Empty:
            self._fail(f"said nothing for {seconds:g} s")
        if said is None:
            self._fail_as_ended()
        return said

    def check(self) -> None:
        """Raises ChildFailed when it has ended: for whoever waits for something that it does."""
        if self._process.poll() is not None:
            self._fail_as_ended()

    def finish(self) -> None:
        """Wait until it has done all it was started for, however long that takes."""
        if self._process.wait():
            self._fail_as_ended()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdin
        assert self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()

    def story(self) -> str:
        return f"the log of the {self.role}:\n{self._log.read_text(errors='replace')[-TOLD:]}"

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._said.put(line.strip())
        self._said.put(None)

    def _fail_as_ended(self) -> NoReturn:
        self._fail(f"ended with {self._process.wait()}")

    def _fail(self, what: str) -> NoReturn:
        raise ChildFailed(f"the {self.role} {what}")


@contextlib.contextmanager
def child(role: str, arguments: tuple[str, ...], log: Path) -> Iterator[Child]:
    """A child that ends with the block. An error in the block is told together with the child's log."""
    found = Child(role, arguments, log)
    try:
        yield found
    except Exception as error:
        error.add_note(found.story())
        raise
    finally:
        found.end()
