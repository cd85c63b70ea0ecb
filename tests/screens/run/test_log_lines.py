"""The timeline's lines: what belongs to an exception is folded, and what is searched for is marked wherever it stands."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from screens.run import log_lines
from screens.run.log_lines import END, fold_targets, matches
from screens.run.log_search import LogSearch
from screens.run.parts import View
from screens.widgets.line_view import Line
from store.model.records import LogLine
from store.runs.detail import RunDetail
from store.runs.log import MAX_EVENTS, MAX_FRAMES
from tests.screens.conftest import AT, ago
from tests.screens.run.test_pictures import FAILED, RAISED_LOG, TRACE
from tests.screens.test_pure import ANY_TEXT
from tests.support.properties import examples

DETAIL = RunDetail(FAILED, RAISED_LOG, (FAILED,))
FOLD = (3,)


def shown(of: RunDetail = DETAIL, width: int = 80, **changed: Any) -> list[Line]:
    return list(log_lines.log_lines(of, View(AT, (), changed.pop("opened", frozenset()), width, **changed)))


def marked(lines: list[Line]) -> list[str]:
    return [cell.text for line in lines for cell in line.cells if "underline" in cell.style and "accent" in cell.style]


def test_what_belongs_to_an_exception_is_under_one_heading() -> None:
    assert fold_targets(DETAIL) == {FOLD}
    folded = [line.text for line in shown()]
    assert [text for text in folded if "Where it failed (4 frames)" in text]
    assert not any("probe.py" in text for text in folded)
    opened = "\n".join(line.text for line in shown(opened=frozenset({FOLD})))
    assert all(line in opened for line in TRACE)


def test_an_error_that_is_no_frame_stays_a_line() -> None:
    events = (LogLine(1, ago(9), "error", "it raised in"), LogLine(2, ago(8), "error", "a.py:17 f"))
    assert not fold_targets(RunDetail(FAILED, events, (FAILED,)))


def test_lines_after_the_frames_are_not_theirs() -> None:
    events = (*RAISED_LOG, LogLine(40, ago(680), "error", "what follows"))
    folded = [line.text for line in shown(RunDetail(FAILED, events, (FAILED,)))]
    assert any("what follows" in text for text in folded)


def test_a_search_finds_without_case_and_as_it_stands() -> None:
    assert matches(DETAIL, "PROBE") == (1, 4, 5)
    assert matches(DETAIL, "p.obe") == ()
    assert matches(DETAIL, "") == ()


def test_each_hit_is_marked_and_the_present_one_otherwise() -> None:
    lines = shown(search="zone", found=2)
    assert marked(lines) == ["zone", "zone"]
    styles = [cell.style for line in lines for cell in line.cells if cell.text == "zone"]
    assert sum("reverse" in style for style in styles) == 1


def test_what_the_end_of_a_line_parts_is_marked_whole() -> None:
    events = (LogLine(1, ago(9), "info", "x" * 25 + " needle thread " + "y" * 20),)
    lines = shown(RunDetail(FAILED, events, (FAILED,)), width=44, search="needle thread")
    assert "needle thread" not in "\n".join(line.text for line in lines)
    assert any("needle" in text for text in marked(lines))


@given(message=ANY_TEXT, searched=ANY_TEXT, width=st.integers(20, 90))
@examples(60)
def test_marks_change_no_text(message: str, searched: str, width: int) -> None:
    of = RunDetail(FAILED, (LogLine(1, ago(9), "info", message),), (FAILED,))
    plain, found = shown(of, width), shown(of, width, search=searched)
    assert [line.text for line in plain] == [line.text for line in found]


def test_the_last_line_can_be_followed() -> None:
    assert shown()[-1].key == END


def test_a_search_goes_round_and_stays_where_it_is() -> None:
    search = LogSearch("probe").read(DETAIL)
    assert (search.keys, search.at) == ((1, 4, 5), 1)
    assert search.go(1).at == 4
    assert search.go(-1).at == 5
    assert search.begin({4, 5}).at == 4
    more = RunDetail(FAILED, (LogLine(0, ago(800), "info", "probe"), *RAISED_LOG), (FAILED,))
    again = search.go(1).read(more)
    assert (again.at, again.words(more, 80).plain.split("   ")[0]) == (4, " / probe  3 of 4")


def test_a_log_that_may_be_longer_says_so() -> None:
    most = MAX_EVENTS + MAX_FRAMES
    events = tuple(LogLine(n, ago(900 - n), "info", "x") for n in range(1, most + 1))
    search = LogSearch("nothing")
    assert f"no line has it in the newest {most} lines" in search.words(RunDetail(FAILED, events, ()), 90).plain
    assert "newest" not in search.words(DETAIL, 90).plain
