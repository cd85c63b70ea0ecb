"""The empty frame before the screens, in a real terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from tests.support.waiting import HANG

pytestmark = pytest.mark.terminal

LEAVES = b"\x1b[?1049l"


@contextmanager
def opsmon(home: Path, **variables: str) -> Iterator[pexpect.spawn]:
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
    environment |= {"HOME": str(home), "TERM": "xterm-256color", "LANG": "C.UTF-8", **variables}
    terminal = pexpect.spawn(sys.executable, ["-m", "opsmon"], env=environment, dimensions=(24, 80), timeout=HANG)
    try:
        yield terminal
    finally:
        terminal.close(force=True)


def test_it_stands_before_the_screens_which_then_have_the_terminal(tmp_path: Path) -> None:
    with opsmon(tmp_path, OPSMON_DATABASE_URL=f"sqlite:///{tmp_path / 'x.db'}") as terminal:
        terminal.expect("opsmon  loading")
        terminal.expect("live")
        terminal.send("q")
        terminal.expect(pexpect.EOF)
        terminal.wait()
        assert terminal.exitstatus == 0
        assert terminal.before.count(LEAVES) == 1


def test_what_went_wrong_is_told_on_the_main_screen(tmp_path: Path) -> None:
    with opsmon(tmp_path, OPSMON_DATABASE_URL=f"sqlite:///{tmp_path / 'x.db'}", OPSMON_THEME="nosuch") as terminal:
        terminal.expect(pexpect.EOF)
        terminal.wait()
        frame, _, told = terminal.before.partition(LEAVES)
        assert b"loading" in frame
        assert b"opsmon: there is no theme 'nosuch'" in told
        assert terminal.exitstatus == 2


def test_without_a_terminal_nothing_is_drawn(tmp_path: Path) -> None:
    with opsmon(tmp_path, TERM="dumb") as terminal:
        terminal.expect(pexpect.EOF)
        assert b"\x1b" not in terminal.before
