"""A program in a pseudo-terminal whose picture a test can look at, and every byte that it sends."""

from __future__ import annotations

import codecs
import contextlib
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import pexpect

from tests.support.emulator import Emulator
from tests.support.waiting import HANG, in_vain

#: What a program asks a terminal for that may know synchronized updates.
_KIND = b"\x1b[?2026$p"
PROMPT: Final = "shell> "
_NONE: Mapping[str, str] = MappingProxyType({})


class Terminal:
    """`python -m MODULE ARGUMENTS` in a terminal of a size, columns by lines."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        size: tuple[int, int] = (80, 24),
        more: Mapping[str, str] = _NONE,
        *,
        shell: bool = False,
    ) -> None:
        """`more` comes on top of this process's environment. With `shell`, a shell is there that has `command` to be told."""
        columns, lines = size
        # Whoever takes pictures in this process leaves their size behind.
        kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
        kept |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
        program = [sys.executable, "-m", module, *arguments]
        #: What starts the program, for a shell.
        self.command = shlex.join(program)
        started = ["bash", "--norc", "--noprofile", "-i"] if shell else program
        environment = {**kept, "PS1": PROMPT, **more}
        self.child = pexpect.spawn(started[0], started[1:], env=environment, dimensions=(lines, columns), timeout=HANG)
        self.screen = Emulator(columns, lines)
        self.seen = b""
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    @property
    def received(self) -> int:
        """How many bytes have come."""
        return len(self.seen)

    def send(self, keys: str) -> None:
        self.child.send(keys)

    def read(self, seconds: float = 0.05) -> bytes:
        """What comes, waited for at most so long. Raises pexpect.EOF at the end."""
        try:
            data: bytes = self.child.read_nonblocking(1 << 16, timeout=seconds)
        except pexpect.TIMEOUT:
            return b""
        if _KIND in data:  # as a terminal answers that knows them
            self.child.send("\x1b[?2026;2$y")
        self.seen += data
        self.screen.feed(self._decode(data))
        return data

    def shows(self, text: str) -> bool:
        """Whether the text is on the screen; of `not TEXT`, whether it is not."""
        wanted = text.removeprefix("not ")
        return (wanted in self.screen.text()) == (wanted == text)

    def wait_for(self, text: str) -> None:
        """Read until the terminal shows the text, or does not show it any more: see `shows`."""
        self.read_until(lambda: self.shows(text), repr(text))

    def read_until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + HANG
        while not condition():
            assert time.monotonic() < deadline, in_vain(what, HANG, False, self.screen.text)
            self.read(0.02)

    def end(self) -> int | None:
        """Read until the program has ended. Returns its exit code, None when a signal ended it."""
        deadline = time.monotonic() + HANG
        with contextlib.suppress(pexpect.EOF):
            while True:
                assert time.monotonic() < deadline, in_vain("the end", HANG, False, self.screen.text)
                self.read(0.2)
        self.child.wait()
        status: int | None = self.child.exitstatus
        return status


@contextlib.contextmanager
def closing(terminal: Terminal) -> Iterator[Terminal]:
    """At the end the program is gone, whatever it does."""
    try:
        yield terminal
    finally:
        terminal.child.close(force=True)
