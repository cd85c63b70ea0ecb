"""The screens in a real terminal, through the thin driver and through Textual's own: the same pictures, in far fewer bytes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.emulator import Emulator
from tests.support.terminal import Terminal, closing
from tests.support.waiting import HANG, in_vain

pytestmark = pytest.mark.terminal

TEXTUALS_OWN = "textual.drivers.linux_driver:LinuxDriver"


class Program(Terminal):
    """The screens over crafted runs, which go on as the file says."""

    def __init__(self, file: Path, size: tuple[int, int], driver: str = "") -> None:
        super().__init__("tests.support.stage_main", [str(file), "60"], size, {"TEXTUAL_DRIVER": driver})
        self._polls = file.with_suffix(".polls")

    def read_on(self, polls: int = 3) -> int:
        """Read until so many more polls have been shown, and nothing more comes. Returns how many bytes came."""
        before, wanted = self.received, self._shown() + polls
        self.read_until(lambda: self._shown() >= wanted, f"{polls} more polls")
        while self.read():
            pass
        return self.received - before

    def _shown(self) -> int:
        """How many polls the program has shown; it may just be writing that down."""
        return int(self._polls.read_text() or 0) if self._polls.exists() else 0

    def cost(self, act: Callable[[], object], shows: str) -> int:
        """The bytes that came for what is done, until `shows` is on the screen and nothing more comes."""
        before = self.received
        act()
        self.wait_for(shows)
        self.read_on()
        return self.received - before


@contextlib.contextmanager
def program(file: Path, size: tuple[int, int], driver: str = "") -> Iterator[Program]:
    with closing(Program(file, size, driver)) as started:
        assert isinstance(started, Program)
        started.wait_for("live")
        yield started


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "step"
    made.write_text("1 0")
    return made


def same(thin: Program, whole: Program, shows: str) -> None:
    """Both show the text, and the same around it; only what goes on at the moment may differ for a moment."""
    deadline = time.monotonic() + HANG
    while not (thin.shows(shows) and thin.screen.seen() == whole.screen.seen() and cursor(thin) == cursor(whole)):
        assert time.monotonic() < deadline, in_vain(
            f"{shows!r} on both", HANG, False, lambda: f"{thin.screen.text()}\n\n{whole.screen.text()}"
        )
        for one in (thin, whole):
            while one.read(0.02):
                pass


def cursor(one: Program) -> tuple[int, int, bool]:
    """Where it stands, and whether it is hidden."""
    at = one.screen.cursor
    return at.y, at.x, at.hidden


#: A key, and what it shows, or what goes away: escape must be alone, or it is taken for the beginning of something else.
WALK = (
    ("j", "999"), ("\x1b[6~", "live"), ("G", "boom [/foo]"), ("g", "1000"), (" ", "1000"), ("/", "live"), ("zebra", "zebra"),
    ("\x1b", "/ filter"), ("?", "Page down"), ("\x1b", "not Page down"), ("n", "What"), ("\x1b", "not What"), ("t", "Show runs of"),
    ("\x1b", "not Show runs of"),
)  # fmt: skip


@pytest.mark.parametrize("size", [(120, 40), (60, 20)])
def test_the_picture_is_that_of_textuals_own_driver(file: Path, size: tuple[int, int]) -> None:
    with program(file, size) as thin, program(file, size, TEXTUALS_OWN) as whole:
        same(thin, whole, "live")
        for key, shows in WALK:
            for one in (thin, whole):
                one.send(key)
            same(thin, whole, shows)
        file.write_text("7 5")
        same(thin, whole, " 17%" if size[0] > 60 else "running")
        for one in (thin, whole):
            one.screen = Emulator(100, 30)
            one.child.setwinsize(30, 100)
        same(thin, whole, " 17%")
        assert 5 * thin.received < whole.received


def test_what_is_sent_is_small(file: Path) -> None:
    with program(file, (120, 40)) as thin:
        thin.cost(lambda: None, "966")
        assert thin.received <= 15_000
        assert thin.read_on(polls=10) == 0
        for step, rows in ((2, 1), (3, 5), (4, 36)):
            cost = thin.cost(lambda step=step, rows=rows: file.write_text(f"{step} {rows}"), f" {100 * step // 40}%")  # type: ignore[misc]
            assert 0 < cost <= 200 + 150 * rows
        assert 0 < thin.cost(lambda: thin.send("G"), "boom [/foo]") <= 8_000


def test_ctrl_l_paints_over_what_others_have_written(file: Path) -> None:
    with program(file, (80, 24)) as thin:
        thin.cost(lambda: None, "998")
        before = thin.screen.seen()
        thin.screen.feed("\x1b[5;5HBroadcast message from root\r\n\n\nThe system is going down")
        thin.send("\x0c")
        thin.read_until(lambda: thin.screen.seen() == before, "painted over")


def test_at_the_end_no_style_is_left(file: Path) -> None:
    with program(file, (80, 24)) as thin:
        thin.send("q")
        thin.end()
        assert b"\x1b[?1049l" in thin.seen
        assert thin.screen.cursor.attrs == Emulator(80, 24).cursor.attrs
        assert not thin.screen.cursor.hidden
