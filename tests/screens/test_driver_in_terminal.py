"""The screens in a real terminal, through the thin driver and through Textual's own: the same pictures, in far fewer bytes."""

from __future__ import annotations

import codecs
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import psutil
import pytest

from tests.screens.emulator import Emulator
from tests.support.waiting import wait_for

TEXTUALS_OWN = "textual.drivers.linux_driver:LinuxDriver"
KIND = b"\x1b[?2026$p"


class Program:
    """The program in a pseudo-terminal, and what that shows."""

    def __init__(self, file: Path, size: tuple[int, int], driver: str = "") -> None:
        columns, lines = size
        # Whoever takes pictures in this process leaves their size behind.
        kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        environment = {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        environment |= {"LC_ALL": "C.UTF-8", "TEXTUAL_DRIVER": driver}
        command = ["-m", "tests.support.stage_main", str(file), "60"]
        self.child = pexpect.spawn(sys.executable, command, env=environment, dimensions=(lines, columns), timeout=20)
        self.screen = Emulator(columns, lines)
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self.bytes = 0

    def read(self, seconds: float = 0.1) -> bytes:
        try:
            data: bytes = self.child.read_nonblocking(1 << 16, timeout=seconds)
        except pexpect.TIMEOUT:
            return b""
        if KIND in data:  # as a terminal answers that knows synchronized updates
            self.child.send("\x1b[?2026;2$y")
        self.bytes += len(data)
        self.screen.feed(self._decode(data))
        return data

    def read_for(self, seconds: float) -> int:
        """Read for so long. Returns how many bytes came."""
        before, end = self.bytes, time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.read(left)
        return self.bytes - before

    def shows(self, text: str) -> bool:
        """Whether the text is on the screen; of `not TEXT`, whether it is not."""
        wanted = text.removeprefix("not ")
        return (wanted in self.screen.text()) == (wanted == text)

    def read_until(self, condition: Callable[[], bool], what: object) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, f"still not {what}:\n{self.screen.text()}"
            self.read()

    def cost(self, act: Callable[[], object], shows: str) -> int:
        """The bytes that came for what is done, until `shows` is on the screen and nothing more comes."""
        before = self.bytes
        act()
        self.read_until(lambda: self.shows(shows), shows)
        while self.read(0.4):
            pass
        return self.bytes - before


@contextlib.contextmanager
def program(file: Path, size: tuple[int, int], driver: str = "") -> Iterator[Program]:
    started = Program(file, size, driver)
    try:
        started.read_until(lambda: started.shows("live"), "live")
        yield started
    finally:
        started.child.close(force=True)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "step"
    made.write_text("1 0")
    return made


def same(thin: Program, whole: Program, shows: str) -> None:
    """Both show the text, and the same around it; only what goes on at the moment may differ for a moment."""
    deadline = time.monotonic() + 20
    while not (thin.shows(shows) and thin.screen.seen() == whole.screen.seen()):
        assert time.monotonic() < deadline, (
            f"not the same, or no {shows!r}:\n{thin.screen.text()}\n\n{whole.screen.text()}"
        )
        for one in (thin, whole):
            while one.read(0.05):
                pass
    assert (thin.screen.cursor.y, thin.screen.cursor.x) == (whole.screen.cursor.y, whole.screen.cursor.x)
    assert thin.screen.cursor.hidden == whole.screen.cursor.hidden


#: A key, and what it shows, or what goes away: escape must be alone, or it is taken for the beginning of something else.
WALK = (
    ("j", "999"), ("\x1b[6~", "live"), ("G", "boom [/foo]"), ("g", "1000"), (" ", "1000"), ("/", "live"), ("zebra", "zebra"),
    ("\x1b", "filter: none"), ("?", "Keys"), ("\x1b", "not Keys"), ("n", "What"), ("\x1b", "not What"), ("t", "Show runs of"),
    ("\x1b", "not Show runs of"),
)  # fmt: skip


@pytest.mark.parametrize("size", [(120, 40), (60, 20)])
def test_the_picture_is_that_of_textuals_own_driver(file: Path, size: tuple[int, int]) -> None:
    with program(file, size) as thin, program(file, size, TEXTUALS_OWN) as whole:
        same(thin, whole, "live")
        for key, shows in WALK:
            for one in (thin, whole):
                one.child.send(key)
            same(thin, whole, shows)
        file.write_text("7 5")
        same(thin, whole, "7/40" if size[0] > 60 else "running")
        for one in (thin, whole):
            one.screen = Emulator(100, 30)
            one.child.setwinsize(30, 100)
        same(thin, whole, "7/40")
        assert 5 * thin.bytes < whole.bytes


def test_what_is_sent_is_small(file: Path) -> None:
    with program(file, (120, 40)) as thin:
        thin.cost(lambda: None, "966")
        assert thin.bytes <= 15_000
        assert thin.read_for(1.0) == 0
        for step, rows in ((2, 1), (3, 5), (4, 36)):
            cost = thin.cost(lambda step=step, rows=rows: file.write_text(f"{step} {rows}"), f"{step}/40")  # type: ignore[misc]
            assert 0 < cost <= 200 + 150 * rows
        assert 0 < thin.cost(lambda: thin.child.send("G"), "boom [/foo]") <= 8_000


def test_ctrl_l_paints_over_what_others_have_written(file: Path) -> None:
    with program(file, (80, 24)) as thin:
        thin.cost(lambda: None, "998")
        before = thin.screen.seen()
        thin.screen.feed("\x1b[5;5HBroadcast message from root\r\n\n\nThe system is going down")
        thin.child.send("\x0c")
        thin.read_until(lambda: thin.screen.seen() == before, "painted over")


def test_after_a_stop_the_screen_is_painted_whole(file: Path) -> None:
    with program(file, (80, 24)) as thin:
        thin.cost(lambda: None, "998")
        before = thin.screen.seen()
        os.kill(thin.child.pid, signal.SIGTSTP)
        seen = bytearray()
        while b"\x1b[?1049l" not in seen:
            seen += thin.read(20)
        wait_for(lambda: psutil.Process(thin.child.pid).status() == psutil.STATUS_STOPPED)
        thin.screen = Emulator(80, 24)
        os.kill(thin.child.pid, signal.SIGCONT)
        thin.read_until(lambda: thin.screen.seen() == before, "painted whole")


def test_at_the_end_no_style_is_left(file: Path) -> None:
    with program(file, (80, 24)) as thin:
        thin.child.send("q")
        seen = b""
        with contextlib.suppress(pexpect.EOF):
            while True:
                seen += thin.read()
        assert b"\x1b[?1049l" in seen
        assert thin.screen.cursor.attrs == Emulator(80, 24).cursor.attrs
        assert not thin.screen.cursor.hidden
