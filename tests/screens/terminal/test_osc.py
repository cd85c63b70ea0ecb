"""Whatever a text is, the sequence that is made of it is one, and holds nothing that a terminal would obey."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screens.terminal import osc
from screens.terminal.interpreter import Interpreter
from screens.terminal.osc import Kind

TMUX = {"TMUX": "/tmp/tmux-0/default,1,0"}
SCREEN = {"STY": "1.pts-0.host"}
ENVIRONMENTS: tuple[dict[str, str], ...] = ({}, TMUX, SCREEN)
BREAKERS = ";:\x1b\x07\x9c\x9d\\]\n\r\t\x00\x18\x1aP\u202e"
HOSTILE = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(BREAKERS)), max_size=400)
LINES = "a\nb ü"
COUNTS = {"bell": 0, "osc9": 1, "osc777": 1, "osc99": 2}


def unwrapped(sequence: str, environment: dict[str, str]) -> str:
    """What tmux or screen hand on to the terminal."""
    if environment is TMUX:
        parts = re.findall(r"\x1bPtmux;((?:[^\x1b]|\x1b\x1b)*)\x1b\\", sequence)
        assert sequence == "".join(f"\x1bPtmux;{part}\x1b\\" for part in parts)
        return "".join(parts).replace("\x1b\x1b", "\x1b")
    if environment is SCREEN:
        parts = sequence.split("\x1b\\")[:-1]
        assert all(part.startswith("\x1bP") and len(part.encode()) < 256 for part in parts)
        return "".join(part.removeprefix("\x1bP") for part in parts)
    return sequence


def payloads(sequence: str) -> list[str]:
    """The operating system commands, of which the text must consist; none of them holds a control character."""
    found = re.findall(r"\x1b\]([^\x00-\x1f\x7f-\x9f]*)\x07", sequence)
    assert sequence == "".join(f"\x1b]{payload}\x07" for payload in found)
    return found


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("kind", ["osc9", "osc777", "osc99"])
@given(title=HOSTILE, body=HOSTILE)
def test_no_notification_breaks_out(environment: dict[str, str], kind: Kind, title: str, body: str) -> None:
    found = payloads(unwrapped(osc.notification(kind, title, body, environment), environment))
    assert len(found) == COUNTS[kind]
    fields = {"osc9": 1, "osc777": 3, "osc99": 2}[kind]
    assert all(payload.count(";") == fields for payload in found)


@given(HOSTILE)
def test_no_title_breaks_out(text: str) -> None:
    assert len(payloads(osc.title(text))) == 1


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@given(text=HOSTILE)
def test_the_clipboard_gets_the_text_and_nothing_else(environment: dict[str, str], text: str) -> None:
    sequence = osc.clipboard(text, environment)
    assert sequence is not None
    plain, wrapped = sequence.split("\x1bP", 1) if environment is TMUX else ("", sequence)
    whole = unwrapped(f"\x1bP{wrapped}" if plain else wrapped, environment)
    assert not plain or plain == whole
    (payload,) = payloads(whole)
    copied = base64.b64decode(payload.removeprefix("52;c;")).decode()
    assert copied.count("\n") == text.count("\n")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", copied)


def test_lines_are_copied_as_lines() -> None:
    assert osc.clipboard(LINES, {}) == f"\x1b]52;c;{base64.b64encode(LINES.encode()).decode()}\x07"


def test_too_long_a_text_is_refused() -> None:
    most = osc.clipboard("ü" * (osc.MOST_COPIED // 2), {})
    assert most
    assert len(most) <= 100_000
    assert osc.clipboard("x" * (osc.MOST_COPIED + 1), {}) is None


def test_the_bell_is_a_bell_everywhere() -> None:
    assert {osc.notification("bell", "t", "b", environment) for environment in ENVIRONMENTS} == {"\x07"}


def test_a_number_is_no_progress_bar() -> None:
    assert osc.notification("osc9", "4", "", {}) == "\x1b]9; 4\x07"


def test_both_parts_of_a_notification_have_one_name() -> None:
    names = re.findall(r"i=([^:;]+)", osc.notification("osc99", "t", "b", {}))
    assert names[0] == names[1]
    assert names[0] not in osc.notification("osc99", "t", "c", {})


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_thin_driver_lets_them_pass(environment: dict[str, str]) -> None:
    glass = Interpreter(20, 3)
    line = "\x1b[1;1Habc\x1b[1;1H"
    glass.feed(line)
    sequences = [
        osc.clipboard("x", environment) or "", osc.notification("osc99", "t", "b", environment),
        osc.title("t"), osc.PUSH_TITLE, osc.POP_TITLE,
    ]  # fmt: skip
    for sequence in sequences:
        assert glass.feed(sequence) == sequence
    assert glass.feed(line) == ""
