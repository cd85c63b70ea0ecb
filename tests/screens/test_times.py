"""`Z` goes from ages to clock times in UTC, to those of the terminal's zone, and back; on every screen, and the next time."""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from screens.backend import PLAIN, Appearance
from screens.memory import AS_EVER, Opening
from screens.monitor import Monitor
from screens.run import sections
from screens.run.parts import View
from screens.text.times import TimeStyle
from screens.widgets.row_table import RowTable
from screens.workers import lines
from store.model.records import LogLine, Outcome
from store.runs.detail import RunDetail
from store.search.last_view import LastView, Times
from store.workers.throughput import Hour, HourlyThroughput
from tests.screens.conftest import AT, WORKER, FakeBackend, a_run, ago, polls, running, shown, toasts, told, until
from tests.screens.pictures import SIZES, Picture
from tests.screens.test_pictures import EVENTS, MANY

pytestmark = pytest.mark.anyio

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
IN_BERLIN = Appearance(zone=BERLIN)
#: 990 was opened ten minutes before noon in UTC.
LISTED = (a_run(990), a_run(1, created_at=ago(90_000)), a_run(2, created_at=ago(90 * 86_400)))


@asynccontextmanager
async def opened(
    stage: FakeBackend, look: Appearance = IN_BERLIN, opening: Opening = AS_EVER, width: int = 80
) -> AsyncIterator[Any]:
    async with running(Monitor(stage.backend(), look=look, opening=opening), (width, 24)) as pilot:
        await until(pilot, lambda: pilot.app.snapshot, "the first snapshot")
        await pilot.pause()
        yield pilot


def _are_shown(pilot: Any, words: tuple[str, ...]) -> bool:
    return all(word in shown(pilot.app) for word in words)


@pytest.mark.parametrize("width", [40, 80, 140])
async def test_the_list_tells_ages_then_clock_times(width: int) -> None:
    async with opened(FakeBackend(LISTED), width=width) as pilot:
        expected = (
            ("Age", "10m", "1d", "90d"),
            ("At (UTC)", "11:50:00", "02-28 11:00", "2025-12-01"),
            (" At", "12:50:00", "02-28 12:00", "2025-12-01"),
            ("Age", "10m", "1d", "90d"),
        )
        for words in expected:
            await until(pilot, functools.partial(_are_shown, pilot, words), str(words))
            await pilot.press("Z")


async def test_a_toast_says_what_is_shown_and_it_is_kept() -> None:
    stage = FakeBackend(LISTED)
    async with opened(stage, opening=Opening(LastView())) as pilot:
        await pilot.press("Z")
        assert "Times in UTC." in "".join(toasts(pilot.app))
        await until(pilot, lambda: stage.last and stage.last[-1].times == "utc", "what is stored")
    async with opened(stage, opening=Opening(stage.last[-1])) as pilot:
        assert "At (UTC)" in shown(pilot.app)


@pytest.mark.parametrize(("kept", "title"), [(None, "At (UTC)"), ("age", "Age"), ("local", "At ")])
async def test_the_setting_is_for_those_who_never_chose(kept: Times | None, title: str) -> None:
    look = Appearance(times="utc", zone=BERLIN)
    async with opened(FakeBackend(LISTED), look, Opening(LastView(times=kept))) as pilot:
        await until(pilot, lambda: title in shown(pilot.app), title)
    assert PLAIN.times == "age"


async def test_the_list_follows_what_was_chosen_above_it() -> None:
    async with opened(FakeBackend(LISTED)) as pilot:
        await pilot.press("n", "Z", "escape")
        await until(pilot, lambda: "At (UTC)" in shown(pilot.app), "clock times in the list")


@pytest.mark.parametrize("style", ["age", "utc", "local"])
async def test_a_poll_that_changes_nothing_paints_nothing(style: Times, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = FakeBackend(tuple(a_run(id_) for id_ in range(990, 950, -1)))
    async with opened(stage, opening=Opening(LastView(times=style))) as pilot:
        await polls(pilot, 2)
        painted: list[object] = []
        monkeypatch.setattr(RowTable, "refresh", lambda self, *a, **k: painted.append(a))
        await polls(pilot, 4)
        assert painted == []
        await pilot.press("Z")
        assert painted, "this test can see a paint"


async def test_the_order_by_creation_is_chosen_by_its_title_in_every_style() -> None:
    async with opened(FakeBackend(LISTED)) as pilot:
        for title in ("Age", "At (UTC)", "At"):
            await until(pilot, functools.partial(_are_shown, pilot, (title,)), title)
            await pilot.press("o")
            line = pilot.app.screen.query_one(RowTable)
            head = line.render_line(0).text
            await pilot.click(RowTable, offset=(head.index(title) + 1, 0))
            await until(pilot, lambda: pilot.app.screen.view.order == "created", "the order by creation")
            await pilot.press("Z")


async def test_inbox_and_run_follow_the_zone() -> None:
    stage = FakeBackend(LISTED, inbox=(told(4, 990),), events=EVENTS)
    async with opened(stage, opening=Opening(LastView(times="local"))) as pilot:
        await pilot.press("enter")
        words = ("Timeline (+01:00)", "2026-03-01 12:50:00 +01:00", "12:50:10")
        await until(pilot, lambda: all(word in shown(pilot.app) for word in words), str(words))
        await pilot.press("n")
        await until(pilot, lambda: " At " in shown(pilot.app) and "Age" not in shown(pilot.app), "the inbox")


async def test_the_card_stays_in_utc() -> None:
    async with opened(FakeBackend(LISTED), opening=Opening(LastView(times="local"))) as pilot:
        await pilot.press("enter")
        await until(pilot, lambda: "Timeline (+01:00)" in shown(pilot.app), "the run")
        await pilot.press("c")
        await until(pilot, lambda: "2026-03-01 11:50:00 UTC" in shown(pilot.app), "the card")


def test_an_hour_that_comes_twice_is_told_apart_in_the_timeline() -> None:
    first = dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)
    second = first + dt.timedelta(hours=1)
    run = a_run(
        5,
        Outcome.FAILED,
        created_at=first,
        dispatched_at=first,
        started_at=first,
        completed_at=second,
        updated_at=second,
    )
    detail = RunDetail(run, (LogLine(1, second, "info", "again"),), (run,))
    view = View(AT, (WORKER,), frozenset(), 80, times=TimeStyle("local", BERLIN))
    lines = [line.text.rstrip() for line in sections.lines(detail, view)]
    begin = lines.index("Timeline (+02:00)")
    assert lines[begin + 1 : begin + 7] == [
        "02:30:00  opened",
        "02:30:00  queued",
        "02:30:00  started by worker 3",
        "2026-10-25 +01:00",
        "02:30:00    again",
        "02:30:00  failed",
    ]


def test_the_hours_of_the_workers_screen_follow_the_zone() -> None:
    hours = HourlyThroughput(AT, (1,), tuple(Hour(ago(3600 * n), 1) for n in (2, 1, 0)), ago(60))
    told_hours = [
        lines.hours_table(hours, 80, TimeStyle(style, BERLIN)).plain.split("\n")[0].split()
        for style in ("age", "utc", "local")
    ]
    utc = ["Hour", "(UTC)", "10", "11", "12"]
    assert told_hours == [utc, utc, ["At", "+01:00", "11", "12", "13"]]
    assert "since 03-01 12:59" in lines.looked_back(hours, TimeStyle("local", BERLIN))


def test_the_list_in_utc(picture: Picture) -> None:
    assert picture(FakeBackend(MANY), "Z", sizes=SIZES, before=_quietly)


def test_a_run_in_utc(picture: Picture) -> None:
    assert picture(FakeBackend(MANY, events=EVENTS), "Z", "j", "j", "j", "enter", sizes=SIZES, before=_quietly)


async def _quietly(pilot: Any, monitor: Monitor) -> None:
    """The toast would stand over what is looked at."""
    monitor.message = lambda *_, **__: None  # type: ignore[method-assign]
