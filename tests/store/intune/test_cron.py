"""When a cron expression fires: in three zones, over both changes of the clock, one of which is of half an hour."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from itertools import islice, pairwise

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from store.errors import InputInvalid
from store.intune import cron

BERLIN, ST_JOHNS, LORD_HOWE = "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"
DAY = dt.timedelta(days=1)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def fired(expression: str, zone: str, day: str) -> list[str]:
    """The times in UTC, with `+` for the next day, at which it fires on that day of the zone."""
    midnight = dt.datetime.fromisoformat(day)
    begin, end = (found.replace(tzinfo=zoneinfo.ZoneInfo(zone)) for found in (midnight, midnight + DAY))
    found = cron.due(expression, zone, begin - dt.timedelta(minutes=1), end - dt.timedelta(minutes=1))
    first = begin.astimezone(dt.UTC).date()
    return [f"{instant:%H:%M}" + "+" * (instant.date() - first).days for instant in found]


# ---- changes of the clock

#: Spring: clocks go from 02:00 to 03:00, and on Lord Howe to 02:30.
SPRING = [
    # what runs at a fixed time that is skipped runs right after
    (BERLIN, "2025-03-30", "30 2 * * *", ["01:00+"]),
    (BERLIN, "2025-03-30", "0,30 2,3 * * *", ["01:00+", "01:30+"]),
    (BERLIN, "2025-03-30", "0-59/20 2 * * *", ["01:00+"]),
    (BERLIN, "2025-03-30", "59 1 * * *", ["00:59+"]),
    (BERLIN, "2025-03-30", "0 3 * * *", ["01:00+"]),
    # what runs by the clock on the wall does not
    (BERLIN, "2025-03-30", "*/30 2 * * *", []),
    (BERLIN, "2025-03-30", "30 */2 * * *", ["23:30", *(f"{hour:02}:30+" for hour in range(2, 22, 2))]),
    (ST_JOHNS, "2025-03-09", "30 2 * * *", ["05:30"]),
    (ST_JOHNS, "2025-03-09", "15 2,3 * * *", ["05:30", "05:45"]),
    (ST_JOHNS, "2025-03-09", "*/30 2 * * *", []),
    (LORD_HOWE, "2025-10-05", "15 2 * * *", ["15:30"]),
    (LORD_HOWE, "2025-10-05", "30 2 * * *", ["15:30"]),
    (LORD_HOWE, "2025-10-05", "15,45 2 * * *", ["15:30", "15:45"]),
    (LORD_HOWE, "2025-10-05", "*/15 2 * * *", ["15:30", "15:45"]),
    (LORD_HOWE, "2025-10-05", "*/20 3 * * *", ["16:00", "16:20", "16:40"]),
]

#: Autumn: clocks go from 03:00 back to 02:00, in St. John's from 02:00 to 01:00, on Lord Howe from 02:00 to 01:30.
AUTUMN = [
    # what runs at a fixed time runs in the first of the two
    (BERLIN, "2025-10-26", "30 2 * * *", ["00:30+"]),
    (BERLIN, "2025-10-26", "30 1-3 * * *", ["23:30", "00:30+", "02:30+"]),
    # what runs by the clock on the wall runs in both
    (BERLIN, "2025-10-26", "*/30 2 * * *", ["00:00+", "00:30+", "01:00+", "01:30+"]),
    (BERLIN, "2025-10-26", "15 * * * *", ["22:15", "23:15", *(f"{hour:02}:15+" for hour in range(23))]),
    (ST_JOHNS, "2025-11-02", "30 1 * * *", ["04:00"]),
    (ST_JOHNS, "2025-11-02", "*/30 1 * * *", ["03:30", "04:00", "04:30", "05:00"]),
    (LORD_HOWE, "2025-04-06", "45 1 * * *", ["14:45"]),
    (LORD_HOWE, "2025-04-06", "15 1 * * *", ["14:15"]),
    (LORD_HOWE, "2025-04-06", "*/15 1 * * *", ["14:00", "14:15", "14:30", "14:45", "15:00", "15:15"]),
    (LORD_HOWE, "2025-04-06", "*/20 3 * * *", ["16:30", "16:50", "17:10"]),
]


@pytest.mark.parametrize(("zone", "day", "expression", "expected"), [*SPRING, *AUTUMN])
def test_changes_of_the_clock(zone: str, day: str, expression: str, expected: list[str]) -> None:
    assert fired(expression, zone, day) == expected


def test_looking_from_within_a_doubled_hour_finds_nothing_that_is_past() -> None:
    """02:45 was in the first of the two hours."""
    after = utc("2025-10-26 01:20")
    assert cron.next_times("45 2 * * *", BERLIN, after, 1) == (utc("2025-10-27 01:45"),)
    assert list(cron.due("45 2 * * *", BERLIN, after, after + dt.timedelta(hours=1))) == []


def test_where_the_change_is_at_midnight() -> None:
    """In Beirut 00:00 to 01:00 is skipped on that day."""
    assert fired("0 0 * * *", "Asia/Beirut", "2025-03-30") == ["22:00"]
    assert fired("*/30 0 * * *", "Asia/Beirut", "2025-03-30") == []


def test_a_day_that_a_zone_skipped_is_no_change_of_the_clock_to_make_up_for() -> None:
    """Samoa went over the date line."""
    found = cron.next_times("0 12 * * *", "Pacific/Apia", utc("2011-12-29 00:00"), 3)
    assert found == (utc("2011-12-29 22:00"), utc("2011-12-30 22:00"), utc("2011-12-31 22:00"))


EXPRESSIONS = st.builds(
    "{} {} {} * {}".format,
    st.lists(st.integers(0, 59), min_size=1, max_size=3).map(lambda found: ",".join(map(str, found))),
    st.sampled_from(["1", "2", "3", "0-5", "1-23/2", "2,3"]),
    st.sampled_from(["*", "*", "L", "1-15", "26,30"]),
    st.sampled_from(["*", "*", "mon-fri", "SUN", "7", "0#5", "5L"]),
)


@given(EXPRESSIONS, st.sampled_from([BERLIN, ST_JOHNS, LORD_HOWE, "UTC"]), st.integers(0, 2 * 366 * 24))
def test_fixed_times_are_those_that_cronsim_finds(expression: str, zone: str, hours: int) -> None:
    start = utc("2024-01-01 00:00") + dt.timedelta(hours=hours)
    simulated = CronSim(expression, start.astimezone(zoneinfo.ZoneInfo(zone)))
    instants = [found.astimezone(dt.UTC) for found in islice(simulated, 30)]
    # Begun within a doubled hour, it gives the same time again.
    wanted = sorted({found for found in instants if found > start})[:25]
    assert list(cron.next_times(expression, zone, start, 25)) == wanted


@given(st.sampled_from([row[:3] for row in [*SPRING, *AUTUMN]]), st.lists(st.integers(0, 60 * 48), max_size=12))
def test_a_span_fires_what_its_parts_fire(row: tuple[str, str, str], cuts: list[int]) -> None:
    zone, day, expression = row
    begin = utc(day) - dt.timedelta(hours=24)
    ends = [begin + dt.timedelta(minutes=cut) for cut in sorted({0, *cuts, 60 * 48})]
    parts = [one for a, b in pairwise(ends) for one in cron.due(expression, zone, a, b)]
    assert parts == list(cron.due(expression, zone, ends[0], ends[-1])) == sorted(set(parts))


# ---- bounds


def test_the_end_counts_and_the_beginning_does_not() -> None:
    at, before = utc("2025-01-01 12:00"), utc("2025-01-01 11:59")
    assert list(cron.due("0 12 * * *", "UTC", before, at)) == [at]
    assert list(cron.due("0 12 * * *", "UTC", at, at + dt.timedelta(hours=23))) == []
    assert list(cron.due("0 12 * * *", "UTC", at, before)) == []


def test_an_endless_span_is_found_as_it_is_asked_for() -> None:
    found = cron.due("* * * * *", BERLIN, utc("2000-01-01 00:00"), utc("2900-01-01 00:00"))
    assert next(found) == utc("2000-01-01 00:01")


def test_rare_days_are_found() -> None:
    """February 29 on a Sunday: day of month and day of week both hold, where one of them begins with a star."""
    assert cron.next_times("0 0 * 2 sun#5", "UTC", utc("2024-03-01 00:00"), 2) == (
        utc("2032-02-29 00:00"),
        utc("2060-02-29 00:00"),
    )


# ---- what is refused


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("60 * * * *", "the cron's minute cannot be '60'"),
        ("0 25 * * *", "the cron's hour cannot be '25'"),
        ("0 0 0 * *", "the cron's day of month cannot be '0'"),
        ("0 0 * 13 *", "the cron's month cannot be '13'"),
        ("0 0 * * 8", "the cron's day of week cannot be '8'"),
        ("*/0 * * * *", "the cron's minute cannot be '*/0'"),
        ("5-1 * * * *", "the cron's minute cannot be '5-1'"),
        ("0 \x1b[31m9 * * *", "the cron's hour cannot be '9'"),
        ("", "a cron has 5 fields, and this one 0"),
        ("@daily", "a cron has 5 fields, and this one 1"),
        ("0 0 0 * * *", "a cron has 5 fields, and this one 6"),
        ("0" * 101, "the cron is too long: use at most 100 characters"),
        ("0 0 30 2 *", "the cron never fires: its months have no such day"),
        ("0 0 31 4,6,9,11 *", "the cron never fires"),
        ("0 0 */10 2 mon#5", "the cron never fires"),
    ],
)
def test_a_cron_that_cannot_be_used_is_refused_in_one_line(expression: str, told: str) -> None:
    with pytest.raises(InputInvalid, match=re.escape(told)) as caught:
        cron.check(expression, BERLIN)
    assert str(caught.value).isprintable()
    assert caught.value.hint


@pytest.mark.parametrize(
    "zone",
    ["", "Berlin", "Europe", "../etc/passwd", "/etc/passwd", "right/Europe/Berlin", "x\0y", "\ud800", "a" * 5000],
)
def test_an_unknown_zone_is_refused_in_one_line(zone: str) -> None:
    with pytest.raises(InputInvalid, match=r"the zone '.*' is unknown here: use a name") as caught:
        cron.check("0 0 * * *", zone)
    assert len(str(caught.value)) < 200
    assert str(caught.value).isprintable()


@given(st.text(alphabet="0123456789*/,-#LWlSUNmon ²\0", max_size=40), st.text(max_size=12))
def test_whatever_is_given_nothing_else_is_raised(expression: str, zone: str) -> None:
    for each in (f"0 {expression} * * *", expression):
        for where in (zone, "UTC"):
            try:
                cron.check(each, where)
            except InputInvalid:
                continue
            assert cron.next_times(each, where, utc("2024-01-01 00:00"), 1)
