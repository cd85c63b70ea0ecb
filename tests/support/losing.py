"""Programs whose terminal goes away while they run."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import psutil

from tests.support.waiting import HANG, wait_for

#: Where the program is in its terminal's session, if it is.
Place = Literal["leader", "free", "child"]
#: Where a lock's address may be; below it are descriptors.
_ADDRESSES: Final = 1 << 20


class Losing:
    """`python -m ARGUMENTS` in a terminal of 80 by 24 of its own; `lose` takes the terminal away.

    Who leads the terminal's session is sent a SIGHUP then. Nobody is where no session has it (`free`); a shell that ignores it
    and does not pass it on keeps it from its `child`, whose reads then end instead of failing.
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], place: Place) -> None:
        self.seen = b""
        self._master, terminal = os.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        kept = {name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES")}

        def begin() -> None:
            if place != "free":
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        shell = ["/bin/sh", "-c", "trap '' HUP; \"$@\"; exit $?", "sh"] if place == "child" else []
        self.process = subprocess.Popen(
            [*shell, sys.executable, "-m", *arguments],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env={**kept, "TERM": "xterm-256color"},
            start_new_session=True,
            preexec_fn=begin,  # noqa: PLW1509 (no thread of ours holds a lock that it would need)
        )
        os.close(terminal)
        self._has_shell = bool(shell)
        self._reading = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reading.set()
        self._reader.start()

    @property
    def pid(self) -> int:
        """The program's process id."""
        if not self._has_shell:
            return self.process.pid
        (program,) = psutil.Process(self.process.pid).children()
        pid: int = program.pid
        return pid

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while self._reading.is_set():
                if select.select([self._master], [], [], 0.02)[0]:
                    self.seen += os.read(self._master, 65536)

    def send(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def wait_for(self, text: bytes) -> None:
        """Wait until it has been sent."""
        wait_for(lambda: text in self.seen, f"{text!r}", seen=lambda: self.seen[-2000:])

    def jam(self) -> None:
        """Read nothing more, and have it write until it can go on with nothing: the loop itself waits for the terminal."""
        self._stop_reading()

        def is_jammed() -> bool:
            with contextlib.suppress(BlockingIOError):
                self.send(b"\x0c")
            waits_for_a_lock = self._waits_in(self.pid) > _ADDRESSES
            return waits_for_a_lock and any(self._waits_in(thread) == 2 for thread in self._threads())

        os.set_blocking(self._master, False)
        wait_for(is_jammed, "the loop to wait for the terminal")

    def _threads(self) -> list[int]:
        return [thread.id for thread in psutil.Process(self.pid).threads()]

    def _waits_in(self, thread: int) -> int:
        """The first argument of the system call that the thread is in: a descriptor, or a lock's address. -1 outside of calls."""
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{self.pid}/task/{thread}/syscall").read_text().split()
            return int(words[1], 16) if len(words) > 1 else -1
        return -1

    def _stop_reading(self) -> None:
        # A read that is under way would keep the terminal.
        self._reading.clear()
        self._reader.join()

    def lose(self) -> None:
        """Take the terminal away."""
        self._stop_reading()
        master, self._master = self._master, -1
        os.close(master)

    def end(self) -> int:
        """Wait for the end. Returns the exit code; minus a signal's number when that ended it."""
        return self.process.wait(HANG)

    def close(self) -> None:
        if self._master >= 0:
            self.lose()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def losing(arguments: Sequence[str], place: Place, environment: Mapping[str, str] = os.environ) -> Iterator[Losing]:
    """At the end the program is gone, whatever it does."""
    program = Losing(arguments, environment, place)
    try:
        yield program
    finally:
        program.close()
