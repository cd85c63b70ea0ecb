"""Plots over hours: what is drawn for which numbers, at every width."""

from __future__ import annotations

import datetime as dt
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.content import Content

from screens.text import hour_plots
from screens.text.ascii import in_ascii
from screens.text.hour_plots import ASCII, COLOURED, HEIGHT, PLAIN, ROWS, Durations, Signs, Spans, Stacked, draw

T = TypeVar("T")
HOURS = 24
NOON = dt.datetime(2026, 2, 28, 13, tzinfo=dt.UTC)
DAY = tuple(NOON + dt.timedelta(hours=number) for number in range(HOURS))

all_signs = st.sampled_from([COLOURED, PLAIN, ASCII])
counts = st.integers(0, 10**7).flatmap(lambda number: st.tuples(st.just(number), st.integers(0, number)))
spans = st.none() | st.floats(0, 1e7)


def a_day(values: st.SearchStrategy[T]) -> st.SearchStrategy[tuple[T, ...]]:
    """A value for each hour."""
    return st.lists(values, min_size=HOURS, max_size=HOURS).map(tuple)


columns: st.SearchStrategy[hour_plots.Plot] = st.one_of(
    a_day(counts).map(
        lambda day: Stacked("Ended an hour (UTC)", tuple(one for one, _ in day), tuple(bad for _, bad in day))
    ),
    a_day(spans).map(lambda day: Spans("Longest wait", day)),
)
plots = columns | a_day(st.tuples(spans, spans)).map(
    lambda day: Durations("Took", tuple(median for median, _ in day), tuple(p95 for _, p95 in day))
)


def text(lines: list[Content]) -> list[str]:
    return [line.plain.rstrip() for line in lines]


def drawn(cells: list[tuple[str, str]]) -> str:
    """A column's signs, from its foot up."""
    return "".join(sign for sign, _ in reversed(cells)).rstrip()


def roles(cells: list[tuple[str, str]]) -> list[str]:
    """The roles of what is drawn in a column, from its foot up."""
    return [role for sign, role in reversed(cells) if sign != " "]


@given(plots, st.integers(20, 200), all_signs, st.integers(0, 23))
def test_every_line_is_as_wide_as_its_room(plot: hour_plots.Plot, width: int, signs: Signs, first: int) -> None:
    hours = [NOON + dt.timedelta(hours=first + number) for number in range(HOURS)]
    lines = draw(plot, hours, width, signs)
    assert len(lines) == HEIGHT
    assert {cell_len(line.plain) for line in lines} == {width}
    assert all(in_ascii(line.plain) == line.plain for line in lines) or signs is not ASCII


@given(columns, st.integers(20, 200), all_signs)
def test_a_gap_stands_before_every_column(plot: hour_plots.Plot, width: int, signs: Signs) -> None:
    *above, foot = (line.plain for line in draw(plot, DAY, width, signs)[1 : 1 + ROWS])
    axis_label, *feet = foot.split()
    assert axis_label == "0"
    assert len(feet) >= 7 or width < 26
    assert foot.strip() == " ".join(["0", *feet])
    assert {len(sign) for sign in feet} == {1}
    first = len(foot.rstrip()) - 2 * len(feet) + 1
    for line in above:
        assert all(line[place] == " " for place in range(first - 1, width, 2))
        assert len(line.rstrip()) <= len(foot.rstrip())


def test_a_plot_of_a_day() -> None:
    numbers = (0, 3, 5, 8, 120, 44, 30, 2, 0, 0, 16, 20, 64, 11, 5, 5, 7, 9, 80, 90, 30, 2, 1, 4)
    found = draw(Stacked("Ended", numbers, tuple(number // 30 for number in numbers)), DAY, 54, COLOURED)
    assert text(found) == [
        "Ended  █ failed",
        " 120         █                             ▁",
        "             █               ▁           ▃ █",
        "  60         █ ▁             █           █ █",
        "             █ █ ▂           █           █ █ ▂",
        "   0 · ▁ ▂ ▃ █ █ █ ▁ · · ▅ ▇ █ ▄ ▂ ▂ ▂ ▃ █ █ █ ▁ ▁ ▁",
        "         15    18    21    00    03    06    09    12",
        "     02-28                 03-01",
    ]


def test_below_the_columns_are_hours_of_the_clock_and_dates() -> None:
    found = draw(Spans("Longest wait", (1.0,) * HOURS), DAY, 54, COLOURED)
    foot, clock, dates = (line.plain for line in found[-3:])
    for label, hour in (("15", 2), ("00", 11), ("12", 23)):
        assert clock.index(label) == 5 + 2 * hour
        assert foot[5 + 2 * hour] == "█"
    assert (dates.index("02-28"), dates.index("03-01")) == (5, clock.index("00"))


@pytest.mark.parametrize("hour", range(24))
def test_the_date_of_today_is_there_from_midnight_on(hour: int) -> None:
    hours = [dt.datetime(2026, 3, 1, hour, tzinfo=dt.UTC) - dt.timedelta(hours=23 - number) for number in range(HOURS)]
    dates = draw(Spans("x", (1.0,) * HOURS), hours, 54, COLOURED)[-1].plain
    assert "03-01" in dates
    assert all(word in ("02-28", "03-01") for word in dates.split())


def test_a_column_that_grows_changes_its_own_cells_alone() -> None:
    before, after = (draw(Stacked("Ended", (90,) * 23 + (last,), (0,) * 24), DAY, 54, COLOURED) for last in (40, 50))
    changed = {
        place
        for old, new in zip(before, after, strict=True)
        for place, signs in enumerate(zip(old.plain, new.plain, strict=True))
        if signs[0] != signs[1]
    }
    assert changed == {5 + 2 * 23}


def test_a_narrow_plot_has_the_newest_hours() -> None:
    found = draw(Spans("Longest wait", (None,) * 23 + (3.0,)), DAY, 20, COLOURED)
    assert text(found) == [
        "Longest wait",
        " 4 s",
        "                 ▆",
        " 2 s             █",
        "                 █",
        "   0 · · · · · · █",
        "     06    09    12",
        "     03-01",
    ]


def test_where_no_column_fits_the_title_is_left() -> None:
    assert text(draw(Spans("Longest wait", (1.0,) * HOURS), DAY, 6, COLOURED)) == ["Longe…", *[""] * 7]


def test_an_hour_without_runs_is_a_quiet_foot() -> None:
    for cells in (
        hour_plots.stacked(0, 0, 10, COLOURED),
        hour_plots.column(None, 10, COLOURED),
        hour_plots.column(0.0, 10, COLOURED),
        hour_plots.marks(None, None, 10, COLOURED),
    ):
        assert (drawn(cells), roles(cells)) == ("·", ["line"])


@given(counts, st.integers(0, 10**7), all_signs)
def test_failures_never_vanish_and_are_never_invented(pair: tuple[int, int], more: int, signs: Signs) -> None:
    number, failed = pair
    cells = hour_plots.stacked(number, failed, number + more or 1, signs)
    found = roles(cells)
    assert ("failed" in found) == bool(failed)
    assert found == sorted(found)  # those that went well stand below
    assert len(cells) == ROWS


@given(counts, st.integers(0, 10**7))
def test_a_column_is_about_as_high_as_its_number(pair: tuple[int, int], more: int) -> None:
    number, failed = pair
    top = number + more or 1
    found = drawn(hour_plots.stacked(number, failed, top, COLOURED)).replace("·", "")
    assert abs(sum(COLOURED.levels.index(sign) + 1 for sign in found) - 40 * number / top) <= 5


def test_the_share_of_failures_has_their_role() -> None:
    assert roles(hour_plots.stacked(100, 40, 100, COLOURED)) == ["done"] * 3 + ["failed"] * 2
    assert roles(hour_plots.stacked(100, 100, 100, COLOURED)) == ["failed"] * 5
    assert roles(hour_plots.stacked(97, 1, 100, COLOURED)) == ["done"] * 4 + ["failed"]
    assert drawn(hour_plots.stacked(20, 1, 100, COLOURED)) == "█▁"


def test_without_colour_failures_differ_in_their_sign() -> None:
    assert drawn(hour_plots.stacked(100, 40, 100, PLAIN)) == "███xx"
    assert drawn(hour_plots.stacked(100, 40, 100, ASCII)) == "###xx"
    titles = [draw(Stacked("Ended", (1,) * 24, (1,) * 24), DAY, 60, signs)[0].plain for signs in (COLOURED, PLAIN)]
    assert [title.rstrip() for title in titles] == ["Ended  █ failed", "Ended  x failed"]


def test_in_ascii_the_height_of_a_cell_stays_readable() -> None:
    found = [drawn(hour_plots.column(eighths / 8, 5, ASCII)) for eighths in range(1, 17)]
    assert found == [".", ".", ".", ":", ":", ":", "#", "#", *("#.",) * 3, *("#:",) * 3, "##", "##"]


def test_median_and_p95_differ_in_sign_and_are_joined() -> None:
    assert drawn(hour_plots.marks(1, 9.9, 10, COLOURED)) == "●│││━"
    assert roles(hour_plots.marks(1, 9.9, 10, COLOURED)) == ["accent", "line", "line", "line", "partial"]
    assert drawn(hour_plots.marks(1, 1.5, 10, COLOURED)) == "◉"
    assert drawn(hour_plots.marks(5, 10, 10, ASCII)) == "  o|="


def test_side_by_side_are_two_cells_between_plots() -> None:
    lines = draw(Spans("Longest wait", (1.0,) * HOURS), DAY, 30, COLOURED)
    both = hour_plots.side_by_side([lines, lines]).plain.splitlines()
    assert both == [f"{line.plain}  {line.plain}" for line in lines]


@pytest.mark.parametrize(
    ("ascii_only", "no_color", "signs"), [(True, True, ASCII), (True, False, ASCII), (False, True, PLAIN), (False, False, COLOURED)]
)  # fmt: skip
def test_signs_are_those_that_the_terminal_can_show(ascii_only: bool, no_color: bool, signs: Signs) -> None:
    assert hour_plots.signs_for(ascii_only, no_color) is signs


@given(st.lists(counts, max_size=12), st.booleans())
def test_a_sparkline_has_a_cell_for_each_number(pairs: list[tuple[int, int]], ascii_only: bool) -> None:
    found = hour_plots.sparkline([one for one, _ in pairs], [bad for _, bad in pairs], ascii_only)
    assert found.cell_length == len(pairs)
    assert found.plain.isascii() or not ascii_only
    assert [sign in "· " for sign in found.plain] == [not one for one, _ in pairs]


def test_a_sparkline_rises_with_its_numbers() -> None:
    numbers, none = range(9), [0] * 9
    assert hour_plots.sparkline(numbers, none, False).plain == "·▁▂▃▄▅▆▇█"
    assert hour_plots.sparkline(numbers, none, True).plain == " _.:-=+*#"
