"""Ctrl+z, and `fg`, in a real shell: what people expect of vim and less."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.emulator import Emulator
from tests.support.processes import has_ended
from tests.support.terminal import PROMPT, Terminal, closing
from tests.support.waiting import wait_for

pytestmark = pytest.mark.terminal

CTRL_Z = "\x1a"
#: What is to be off while the shell has the terminal: the alternate screen, the mouse, focus, pasting, in-band sizes.
BORROWED = {"1049", "1000", "1003", "1004", "2048"}


class Shell(Terminal):
    """An interactive shell that starts the screens over crafted runs."""

    def __init__(self, file: Path) -> None:
        super().__init__("tests.support.stage_main", [str(file), "60"], shell=True)
        self._looked_at = 0

    def say(self, line: str) -> None:
        """Have the shell do that, on an empty screen."""
        self.screen = Emulator(self.screen.columns, self.screen.lines)
        self._looked_at = self.received
        self.send(f"{line}\r")

    def answer(self, line: str) -> str:
        """What the command prints."""
        self.say(f"{line} | sed 's/^/= /; s/$/ =/'")
        found: list[bytes] = []

        def has_answered() -> bool:
            found[:] = re.findall(rb"= ([^=\r\n]*) =\r\n", self.seen[self._looked_at :])
            return bool(found) and self.screen.text().rstrip().endswith(PROMPT.rstrip())

        self.read_until(has_answered, f"what {line} prints")
        return found[0].decode()

    def wait_for_prompt(self, after: str) -> None:
        """Wait until the shell has said that, and asks again."""
        pattern = re.compile(after.encode() + b".*" + PROMPT.encode(), re.DOTALL)
        self.read_until(lambda: bool(pattern.search(self.seen, self._looked_at)), f"a prompt after {after!r}")
        self._looked_at = self.received

    def suspend(self) -> None:
        self._looked_at = self.received
        self.send(CTRL_Z)
        self.wait_for_prompt("Stopped")

    def modes(self) -> set[str]:
        """The private modes that are set now."""
        found: set[str] = set()
        for modes, sign in re.findall(rb"\x1b\[\?([\d;]+)([hl])", self.seen):
            names = set(modes.decode().split(";"))
            found = found | names if sign == b"h" else found - names
        return found

    @property
    def programs(self) -> list[psutil.Process]:
        """The screens' process, once it is there."""
        below = psutil.Process(self.child.pid).children(recursive=True)
        return [one for one in below if one.cmdline()[1:3] == ["-m", "tests.support.stage_main"]]

    def is_stopped(self) -> bool:
        return [one.status() for one in self.programs] == [psutil.STATUS_STOPPED]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "step"
    made.write_text("1 0")
    return made


@pytest.fixture
def shell(file: Path) -> Iterator[Shell]:
    with closing(Shell(file)) as started:
        assert isinstance(started, Shell)
        started.wait_for(PROMPT)
        try:
            yield started
        finally:
            # What is stopped does not end with its shell.
            with contextlib.suppress(psutil.NoSuchProcess):
                for process in psutil.Process(started.child.pid).children(recursive=True):
                    process.kill()


def shows_whole(shell: Shell, file: Path) -> None:
    """Wait until it shows just what it would if it had been started now."""
    columns, lines = shell.screen.columns, shell.screen.lines
    with closing(Terminal("tests.support.stage_main", [str(file), "60"], (columns, lines))) as anew:
        anew.wait_for("live")

        def is_the_same() -> bool:
            anew.read(0.02)
            return shell.screen.seen() == anew.screen.seen()

        shell.read_until(is_the_same, "the whole picture")


@pytest.mark.parametrize("size", [(80, 24), (100, 30)])
def test_ctrl_z_gives_the_terminal_back_and_fg_paints_anew(shell: Shell, file: Path, size: tuple[int, int]) -> None:
    before = shell.answer("stty -g")
    shell.say(shell.command)
    shell.wait_for("live")
    assert BORROWED - {"2048"} <= shell.modes()
    shell.suspend()
    assert not BORROWED & shell.modes()
    assert {"25", "7"} <= shell.modes()  # the cursor is shown, and lines wrap
    assert shell.is_stopped()
    assert shell.answer("stty -g") == before
    assert shell.answer("echo $((6 * 7))") == "42"
    shell.child.setwinsize(size[1], size[0])
    shell.screen = Emulator(*size)
    shell.say("fg")
    shell.wait_for("live")
    shows_whole(shell, file)
    shell.send("q")
    shell.wait_for_prompt(re.escape("\x1b[?1049l"))
    assert shell.answer("stty -g") == before


def test_in_the_background_it_stays_stopped(shell: Shell, file: Path) -> None:
    shell.say(shell.command)
    shell.wait_for("live")
    shell.suspend()
    shell.say("bg")
    wait_for(shell.is_stopped)
    assert not BORROWED & shell.modes()
    shell.say("fg")
    shell.wait_for("live")
    shows_whole(shell, file)


def test_started_in_the_background_it_comes_with_fg(shell: Shell, file: Path) -> None:
    shell.say(f"{shell.command} &")
    shell.read_until(shell.is_stopped, "a stop")
    shell.say("fg")
    shell.wait_for("live")
    shows_whole(shell, file)


def test_who_has_started_it_is_stopped_too(shell: Shell, file: Path) -> None:
    """`make run`, sudo, a script: the shell waits for them."""
    shell.say(f"sh -c '{shell.command}; true'")
    shell.wait_for("live")
    shell.suspend()
    shell.say("fg")
    shell.wait_for("live")
    shows_whole(shell, file)


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP])
def test_a_stop_from_elsewhere(shell: Shell, file: Path, number: signal.Signals) -> None:
    before = shell.answer("stty -g")
    shell.say(shell.command)
    shell.wait_for("live")
    # Once a key is answered, what the terminal has answered before it was read: else the shell would get to read that.
    shell.send("?")
    shell.wait_for("Page down")
    shell.send("\x1b")
    shell.wait_for("not Page down")
    os.kill(shell.programs[0].pid, number)
    shell.wait_for_prompt("Stopped")
    shell.say("fg")
    shell.wait_for("live")
    shows_whole(shell, file)
    shell.send("?")
    shell.wait_for("Page down")
    shell.send("\x1b")
    shell.wait_for("not Page down")
    shell.send("q")
    shell.wait_for_prompt(re.escape("\x1b[?1049l"))
    assert shell.answer("stty -g") == before


def test_where_there_is_no_shell_nothing_is_stopped(file: Path) -> None:
    with closing(Terminal("tests.support.stage_main", [str(file), "60"])) as terminal:
        terminal.wait_for("live")
        terminal.send(CTRL_Z)
        terminal.wait_for("There is no shell to go back to.")
        terminal.send("q")
        assert terminal.end() == 0


@pytest.mark.kill
def test_suspended_it_ends_with_its_terminal(shell: Shell) -> None:
    shell.say(shell.command)
    shell.wait_for("live")
    (program,) = shell.programs
    shell.suspend()
    shell.child.close(force=True)
    wait_for(lambda: has_ended(program.pid))
