"""How instants are shown: by age, by the clock of UTC, by the clock of a zone with summer time."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from screens.text.column_widths import ColumnSpec
from screens.text.times import AGES, TimeStyle
from store.model.records import NO_CODE, NO_TIME, UNREADABLE
from tests.screens.conftest import AT, ago

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
UTC, LOCAL = TimeStyle("utc", BERLIN), TimeStyle("local", BERLIN)
INSTANTS = st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(9000, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001


def test_the_key_goes_round() -> None:
    style, seen = TimeStyle("age", BERLIN), []
    for _ in range(4):
        seen.append(style.words(AT))
        style = style.next
    assert seen == ["Times as ages.", "Times in UTC.", "Times in local time, +01:00 now.", "Times as ages."]
    assert style.local is BERLIN


@pytest.mark.parametrize(
    ("seconds", "column", "sentence"),
    [
        (0, ("now", "12:00:00", "13:00:00"), ("just now", "at 12:00:00", "at 13:00:00")),
        (240, ("4m", "11:56:00", "12:56:00"), ("4m ago", "at 11:56:00", "at 12:56:00")),
        # Yesterday in UTC is today in Berlin.
        (43_200 + 1800, ("12h30", "02-28 23:30", "00:30:00"), ("12h30 ago", "on 02-28 at 23:30", "at 00:30:00")),
        # Last year in UTC is this year in Berlin.
        (59 * 86_400 + 45_000, ("59d", "2025-12-31", "01-01 00:30"), ("59d ago", "on 2025-12-31", "on 01-01 at 00:30")),
    ],
)
def test_columns_and_sentences(seconds: float, column: tuple[str, ...], sentence: tuple[str, ...]) -> None:
    styles = (AGES, UTC, LOCAL)
    assert tuple(style.told(ago(seconds), AT) for style in styles) == column
    assert tuple(style.ago(ago(seconds), AT) for style in styles) == sentence


def test_instants_in_full_name_their_zone() -> None:
    assert [style.instant(AT) for style in (AGES, UTC, LOCAL)] == [
        "2026-03-01 12:00:00 UTC",
        "2026-03-01 12:00:00 UTC",
        "2026-03-01 13:00:00 +01:00",
    ]
    assert (LOCAL.minute(AT), LOCAL.zone(AT), LOCAL.instant(None)) == ("2026-03-01 13:00", "+01:00", "")


def test_an_hour_that_comes_twice_is_told_apart_by_its_offset() -> None:
    first = dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)
    both = [LOCAL.instant(first), LOCAL.instant(first + dt.timedelta(hours=1))]
    assert both == ["2026-10-25 02:30:00 +02:00", "2026-10-25 02:30:00 +01:00"]


@pytest.mark.parametrize("style", [UTC, LOCAL, TimeStyle("local", zoneinfo.ZoneInfo("America/New_York"))])
def test_what_cannot_be_read_is_told_as_such(style: TimeStyle) -> None:
    assert style.told(None, AT) == ""
    assert (style.told(NO_TIME, AT), style.ago(NO_TIME, AT)) == (NO_CODE, f"at {NO_CODE}")
    assert (style.instant(NO_TIME), style.minute(NO_TIME), style.there(NO_TIME)) == (UNREADABLE, UNREADABLE, NO_TIME)


@pytest.mark.parametrize("title", ["Age", "Made", "Planned"])
@pytest.mark.parametrize("style", [UTC, LOCAL])
@given(then=INSTANTS, now=INSTANTS)
def test_every_clock_time_and_its_title_fit_their_column(
    style: TimeStyle, title: str, then: dt.datetime, now: dt.datetime
) -> None:
    room = style.room(ColumnSpec(5, 5, 3), title)
    assert room.least == room.wants >= max(cell_len(style.told(then, now)), cell_len(style.heading(title)))


def test_titles_say_what_the_column_tells() -> None:
    assert [style.heading() for style in (AGES, UTC, LOCAL)] == ["Age", "At (UTC)", "At"]
    assert [style.heading("Made") for style in (AGES, UTC, LOCAL)] == ["Made", "Made (UTC)", "Made"]
    assert AGES.room(ColumnSpec(5, 5, 3)) == ColumnSpec(5, 5, 3)


def test_without_a_zone_it_is_that_of_the_machine() -> None:
    assert TimeStyle("local").there(AT).utcoffset() == AT.astimezone().utcoffset()
