"""A person at a terminal: the real command in a real pseudo-terminal, its output read as it comes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence

import psutil

from tests.benchmarks.parent import PATIENCE


class Terminal:
    """A program in a pseudo-terminal. `began` is when it was started; times are those of time.perf_counter."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], columns: int, lines: int, cwd: str
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=dict(environment),
            cwd=cwd,
            start_new_session=True,
            # Its own terminal in every sense, so that it hears of the end of whoever measures. It takes no lock.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
        )
        os.close(slave)

    def read_until(self, text: str, seconds: float = PATIENCE) -> float:
        """Read until `text` has come. Returns when that was. Raises TimeoutError, showing the end of what came instead."""
        return self.read_until_all(text, seconds=seconds)[0]

    def read_until_all(self, *texts: str, seconds: float = PATIENCE) -> list[float]:
        """Read until all of them have come, in whatever order. Returns when each of them had."""
        came: dict[str, float] = {}
        seen, deadline = b"", time.perf_counter() + seconds
        while len(came) < len(texts):
            if time.perf_counter() > deadline:
                raise TimeoutError(f"waited for {set(texts) - set(came)} in vain, after {seen[-2000:]!r}")
            seen += self.read(0.5)
            now = time.perf_counter()
            came |= {text: now for text in texts if text not in came and text.encode() in seen}
        return [came[text] for text in texts]

    def read_for(self, seconds: float) -> int:
        """Read for so long. Returns how many bytes came."""
        deadline, count = time.perf_counter() + seconds, 0
        while (left := deadline - time.perf_counter()) > 0:
            count += len(self.read(left))
        return count

    def press(self, key: str) -> float:
        """Press a key. Returns when that was."""
        os.write(self._master, key.encode())
        return time.perf_counter()

    def wait(self, seconds: float = PATIENCE) -> float:
        """Wait for the program to end, reading on. Returns when that was."""
        deadline = time.perf_counter() + seconds
        while self.process.poll() is None:
            if time.perf_counter() > deadline:
                raise TimeoutError("the program does not end")
            self.read(0.002)
        return time.perf_counter()

    def memory(self) -> int:
        """Resident bytes of the program itself."""
        resident: int = psutil.Process(self.process.pid).memory_info().rss
        return resident

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._master)

    def read(self, seconds: float) -> bytes:
        """What comes within so long; nothing when nothing does."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return b""
        try:
            return os.read(self._master, 65536)
        except OSError:  # the program has closed its side
            time.sleep(0.001)
            return b""


@contextlib.contextmanager
def terminal(
    command: Sequence[str], environment: Mapping[str, str], *, columns: int = 80, lines: int = 24
) -> Iterator[Terminal]:
    found = Terminal(command, environment, columns, lines, environment["HOME"])
    try:
        yield found
    finally:
        found.close()
