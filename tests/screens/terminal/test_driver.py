"""What the thin driver leaves out changes nothing of what a terminal shows."""

from __future__ import annotations

import itertools
import sys
import unicodedata
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from screens.terminal.cell_width import CERTAIN, clusters
from screens.terminal.interpreter import Interpreter
from screens.terminal.sgr import apply, blank, delta, linked
from tests.support.emulator import Emulator
from tests.support.properties import examples

COLUMNS, LINES = 24, 6
HOME = "\x1b[1;1H"

PARAMETERS = (
    "", "0", "1", "3", "4", "7", "9", "22", "24", "27", "31", "39", "42", "49", "94", "102",
    "38;5;17", "48;5;99", "38;2;1;2;3", "48;2;9;8;7", "1;4;38;2;200;1;1;48;2;0;0;9", "0;1;31", "7;44",
)  # fmt: skip

styles = st.sampled_from(PARAMETERS).map("\x1b[{}m".format)
texts = st.text("ab xyz  │●漢字é", min_size=1, max_size=12)
moves = st.tuples(st.integers(1, LINES), st.integers(1, COLUMNS)).map(lambda at: f"\x1b[{at[0]};{at[1]}H")
#: As Textual paints: a move, and pieces that each have a style and a reset.
pieces = st.lists(st.tuples(styles, texts).map(lambda piece: f"{piece[0]}{piece[1]}\x1b[0m"), max_size=4).map("".join)
painted = st.tuples(moves, pieces).map("".join)
rest = st.sampled_from(
    ["\n", "\r", "\x1b[2J", "\x1b[K", "\x1b[1J", "\x1b[A", "\x1b[2B", "\x1b[C", "\x1b[3D", "\x1b[5L", "\x1b[?7l", "\x1b[?7h",
     "\x1b[?25h", "\x1b[?25l", "\x07", "\x1b]2;a title\x07", "e\u0301", "\u0301", "\x1b7\x1b[0;7m\x1b[2;2Hsaved\x1b8",
     "x" * (COLUMNS + 3), "\x1b[99;99H", "\x1bD", "\x1bM", "\x1bc"]
)  # fmt: skip
writes = st.lists(st.one_of(painted, painted, painted, styles, texts, moves, rest), min_size=1, max_size=25)


def shown_of(data: list[str]) -> Emulator:
    terminal = Emulator(COLUMNS, LINES)
    for write in data:
        terminal.feed(write)
    return terminal


def thinned(data: list[str]) -> list[str]:
    glass = Interpreter(COLUMNS, LINES)
    return [glass.feed(write) for write in data]


def cut(text: str, places: list[int]) -> list[str]:
    edges = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:stop] for start, stop in itertools.pairwise(edges)]


@examples(100)
@given(writes)
def test_the_screen_is_the_same_after_each_write(data: list[str]) -> None:
    glass, whole, thin = Interpreter(COLUMNS, LINES), Emulator(COLUMNS, LINES), Emulator(COLUMNS, LINES)
    for write in data:
        whole.feed(write)
        thin.feed(glass.feed(write))
        assert thin.seen() == whole.seen()
        assert (thin.cursor.y, thin.cursor.x) == (whole.cursor.y, whole.cursor.x)
        assert thin.title == whole.title


@examples(60)
@given(writes, st.lists(st.integers(0, 2000), max_size=12))
def test_it_is_the_same_wherever_the_bytes_are_cut(data: list[str], places: list[int]) -> None:
    text = "".join(data)
    whole, thin = shown_of([text]), shown_of(thinned(cut(text, places)))
    assert thin.seen() == whole.seen()
    assert (thin.cursor.y, thin.cursor.x) == (whole.cursor.y, whole.cursor.x)


def a_line(number: int, *words: tuple[str, str]) -> str:
    pieces = "".join(f"\x1b[{style}m{text}\x1b[0m" for style, text in words)
    return f"\x1b[{number};1H{pieces}"


#: Whole rows, as Textual paints a screen; each row is as wide as the screen.
rows = st.lists(
    st.tuples(st.sampled_from(PARAMETERS), st.sampled_from(["abc   ", "漢字  ", "      ", "│●-│ é"])),
    min_size=COLUMNS // 6, max_size=COLUMNS // 6,
)  # fmt: skip
screens = st.lists(rows, min_size=LINES, max_size=LINES).map(
    lambda all_rows: "\n".join(a_line(y, *row) for y, row in enumerate(all_rows, 1)) + HOME
)


@examples(30)
@given(screens, screens)
def test_what_is_painted_again_is_not_sent_again(one: str, other: str) -> None:
    glass = Interpreter(COLUMNS, LINES)
    began = glass.feed(one)
    assert glass.feed(one) == ""
    there = glass.feed(other)
    back = glass.feed(one)
    assert shown_of([began, there]).seen() == shown_of([other]).seen()
    assert shown_of([began, there, back]).seen() == shown_of([one]).seen()


def test_a_frame_that_changes_nothing_has_no_bracket() -> None:
    glass = Interpreter(COLUMNS, LINES)
    line = a_line(2, ("31", "abc")) + HOME
    first = ["\x1b[?2026h", line, "\x1b[?2026l"]
    assert "".join(map(glass.feed, first)).count("\x1b[?2026") == 2
    assert "".join(map(glass.feed, first)) == ""


def test_one_changed_cell_is_sent_alone() -> None:
    glass = Interpreter(COLUMNS, LINES)
    glass.feed(a_line(2, ("31", "abcdefghijkl")) + HOME)
    assert glass.feed(a_line(2, ("31", "abcdefXhijkl")) + HOME) == "\x1b[2;7HX\x1b[1H"


def test_a_style_that_the_terminal_has_is_not_sent_again() -> None:
    glass = Interpreter(COLUMNS, LINES)
    glass.feed("\x1b[?1049h")
    sent = glass.feed(a_line(1, ("1;31;44", "ab"), ("1;31;44", "cd"), ("31;44", "e"), ("32;44", " "), ("31;44", "f")))
    assert sent == "\x1b[1H\x1b[1;31;44mabcd\x1b[22me f"


def test_after_forgetting_everything_is_sent_whole() -> None:
    line = a_line(3, ("31", "abc")) + HOME
    glass = Interpreter(COLUMNS, LINES)
    first = glass.feed(line)
    glass.resize(COLUMNS, LINES)
    assert glass.feed(line) == first


@pytest.mark.parametrize(
    "sequence", ["\x1b[?1049h", "\x1b[2J", "\x1bc", "\x1b[3M", "\x1bP0;0q#0~\x1b\\", "\x1b_Gf=1;AA\x1b\\"]
)
def test_what_may_alter_the_glass_is_passed_and_makes_it_forget(sequence: str) -> None:
    glass = Interpreter(COLUMNS, LINES)
    line = a_line(3, ("31", "abc")) + HOME
    glass.feed(line)
    assert sequence in glass.feed(sequence)
    assert "abc" in glass.feed(line)


@pytest.mark.parametrize(
    "sequence",
    ["\x1b[?1000h", "\x1b[?2026$p", "\x1b[>25u", "\x1b[<u", "\x1b[?25l", "\x1b]52;c;YWJj\x07", "\x1b[22;0t", "\x07",
     "\x1b[2 q", "\x1bPtmux;\x1b\x1b]9;hi\x07\x1b\\"],
)  # fmt: skip
def test_what_alters_nothing_is_passed_and_nothing_forgotten(sequence: str) -> None:
    glass = Interpreter(COLUMNS, LINES)
    line = a_line(3, ("31", "abc")) + HOME
    glass.feed(line)
    for half in range(len(sequence)):
        sent = glass.feed(sequence[:half]) + glass.feed(sequence[half:])
        assert sent == sequence
    assert glass.feed(line) == ""


def test_links_open_and_close() -> None:
    glass = Interpreter(COLUMNS, LINES)
    line = f"{HOME}\x1b]8;id=1;http://a\x1b\\\x1b[31mab\x1b[0m\x1b]8;;\x1b\\cd{HOME}"
    assert glass.feed(line) == "\x1b[1H" + ("\x1b]8;id=1;http://a\x1b\\\x1b[0;31mab\x1b]8;;\x1b\\\x1b[mcd\r")
    assert glass.feed(line) == ""


@pytest.mark.parametrize(
    "character", ["\U0001f469\u200d\U0001f467", "\u2764\ufe0f", "\U0001f1e9\U0001f1ea", "e\u0301", "\u231a"]
)
def test_a_row_of_uncertain_width_is_sent_whole_and_the_cursor_placed_after_it(character: str) -> None:
    def painted(end: str) -> str:
        row = f"{character} text {end}"
        return a_line(2, ("31", row + " " * (COLUMNS - cell_len(row)))) + a_line(3, ("32", end)) + HOME

    glass = Interpreter(COLUMNS, LINES)
    glass.feed(painted("one"))
    assert glass.feed(painted("one")) == ""
    sent = glass.feed(painted("two"))
    assert f"\x1b[2K\x1b[31m{character} text two" in sent
    assert "\x1b[3H" in sent[sent.index("two") :]


def test_certain_characters_are_as_wide_as_is_said() -> None:
    for code in range(0x20, 0x1FFFF):
        char = chr(code)
        if CERTAIN(char):
            assert cell_len(char) == 1
            assert unicodedata.category(char)[0] not in "MC"
            assert unicodedata.east_asian_width(char) not in "WF"


@given(st.text("ae\u0301\u200d\U0001f469\u2764\ufe0f漢\U0001f1e9", max_size=12))
def test_clusters_are_the_text(text: str) -> None:
    assert "".join(cluster.text for cluster in clusters(text)) == text


@given(st.lists(st.sampled_from(PARAMETERS), max_size=6), st.lists(st.sampled_from(PARAMETERS), max_size=6))
@example(["1", "2"], ["1"])
def test_a_change_of_style_arrives_at_the_style(before: list[str], after: list[str]) -> None:
    old = new = ""
    for parameters in before:
        old = apply(old, parameters)
    for parameters in after:
        new = apply(new, parameters)
    arrived = old
    for sequence in filter(None, delta(old, new).split("m")):
        arrived = apply(arrived, sequence.removeprefix("\x1b["))
    assert arrived == new
    assert (delta(old, new) == "") == (old == new)


def test_a_blank_hides_what_only_characters_show() -> None:
    assert blank(apply("", "1;3;31;44")) == "44"
    assert blank(apply("", "4;31;44")) == apply("", "4;31;44")
    assert apply(linked(apply("", "31"), "id=1;x"), "0") == "\0id=1;x"


def steps(work: Callable[[], object]) -> int:
    """How many lines of Python are run, and each round of a loop: what it costs, on any machine."""
    count = itertools.count()

    def trace(_frame: FrameType, _event: str, _argument: object) -> Callable[..., Any]:
        next(count)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return next(count)


def test_a_full_repaint_costs_little_a_piece_and_next_to_nothing_a_cell() -> None:
    """As Textual paints a screen of 40 lines, 12 styled pieces in each."""

    def screen(word: str, width: int) -> str:
        return "".join(
            a_line(y, *[(f"38;2;{x};{y};7;48;2;1;2;{x % 3}", word.ljust(width)) for x in range(12)])
            for y in range(1, 41)
        )

    def cost(width: int) -> int:
        glass = Interpreter(12 * width, 40)
        glass.feed(screen("one", width))
        return steps(partial(glass.feed, screen("two", width)))

    pieces, narrow, wide = 12 * 40, cost(10), cost(40)
    assert narrow < 200 * pieces
    assert wide - narrow < 3 * (40 - 10) * pieces


def test_a_cell_that_changes_its_style_alone_is_sent() -> None:
    glass = Interpreter(COLUMNS, LINES)
    glass.feed(a_line(2, ("31", "abc"), ("32", "def")) + HOME)
    changed = a_line(2, ("31", "abc"), ("33", "def")) + HOME
    assert shown_of([a_line(2, ("31", "abc"), ("32", "def")), glass.feed(changed)]).seen() == shown_of([changed]).seen()
