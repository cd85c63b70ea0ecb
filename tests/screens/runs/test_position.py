"""Where in the list a key wanted to go that has no rows yet."""

from __future__ import annotations

import datetime as dt

import pytest

from screens.runs.position import Position, Step
from store.search.keyset import Cursor
from store.search.pages import Page

HERE = Cursor(dt.datetime(2026, 3, 1, tzinfo=dt.UTC), 7)


def owing(lines: int) -> Position:
    position = Position(place=HERE)
    position.owe(edge=898, lines=lines)
    return position


@pytest.mark.parametrize(
    ("lines", "line", "rows", "painted", "step"),
    [
        (3, 5, 40, True, Step.MOVE),
        (3, 5, 40, False, Step.PAINT),
        (-3, 5, 40, True, Step.MOVE),
        (3, 39, 40, True, Step.NOTHING),
        (-3, 0, 40, True, Step.NOTHING),
    ],
)
def test_a_move_goes_on_once_there_are_painted_rows_that_way(
    lines: int, line: int, rows: int, painted: bool, step: Step
) -> None:
    position = owing(lines)
    page = Page(has_newer=True, has_older=True)
    assert position.step(HERE, page, 898, line, rows, painted) is step
    assert position.waits
    assert position.settle() == lines
    assert not position.waits


def test_a_move_waits_for_the_window_that_was_asked_for() -> None:
    position = owing(3)
    assert position.step(None, Page(has_older=True), 898, 5, 40, True) is Step.NOTHING
    assert position.waits


def test_a_move_is_dropped_where_the_list_ends() -> None:
    position = owing(3)
    assert position.step(HERE, Page(has_newer=True), 898, 39, 40, True) is Step.NOTHING
    assert not position.waits


def test_a_move_is_dropped_when_the_cursor_has_gone_elsewhere() -> None:
    position = owing(3)
    assert position.step(HERE, Page(has_older=True), 899, 5, 40, True) is Step.NOTHING
    assert not position.waits


def test_another_list_begins_at_its_top_and_owes_nothing() -> None:
    position = owing(3)
    position.restart()
    assert (position.place, position.jump, position.lines) == (None, "first", 0)
    assert position.waits, "for the list's first row"
