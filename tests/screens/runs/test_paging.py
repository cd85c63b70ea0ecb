"""Through a list of many runs, with a bounded window of them in memory."""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screens.monitor import Monitor
from screens.runs import paging
from screens.runs.columns import RunRow
from screens.runs.paging import cursor_of
from screens.runs.screen import RunsScreen
from screens.widgets.row_table import RowTable
from store.model.records import Failure, Outcome, Run
from store.people import access
from store.runs.seeding import SeedRun, seed_runs
from store.search import keyset
from store.search import matching as matching_runs
from store.search.filter import RunFilter
from store.search.keyset import Cursor
from store.search.pages import Page
from store.snapshot import Request, Snapshot
from tests.screens.conftest import FakeBackend, LiveHarness, a_run, polls, running, toasts, until
from tests.support.waiting import HANG

pytestmark = pytest.mark.anyio
SIZE = (100, 24)


@asynccontextmanager
async def shown(monitor: Monitor) -> AsyncIterator[Any]:
    async with running(monitor, SIZE) as pilot:
        yield pilot


def past(house: LiveHarness, many: int, **more: object) -> None:
    tenants = [member.tenant.id for member in access.memberships_of(house.db, house.users["ann"].id)]
    ends = (Outcome.SUCCEEDED, Outcome.FAILED)
    seed_runs(
        house.db,
        (
            SeedRun(tenants[n % 2], f"some.type{n % 3}", ends[n % 2], age=60 + n // 3, took=n % 50, **more)  # type: ignore[arg-type]
            for n in range(many)
        ),
    )


def everything(house: LiveHarness, wanted: RunFilter | None = None) -> list[int]:
    found = matching_runs.all_matching(house.db, house.users["ann"].id, wanted or RunFilter(), "All", 100_000)
    assert not found.more
    return list(found.ids)


def is_at(table: RowTable, key: int) -> bool:
    return table.painted_key == key


def has_gone_on(table: RowTable, key: int) -> bool:
    """The whole way: at the window's edge, the rest of a page waits for its rows."""
    screen = table.screen
    assert isinstance(screen, RunsScreen)
    return table.painted_key != key and not screen._table.position.lines


def is_ordered(monitor: Monitor, order: str) -> bool:
    return monitor.snapshot is not None and monitor.snapshot.request.order == order


def seen(table: RowTable) -> list[int]:
    """The runs that are on the glass."""
    top = round(table.scroll_y)
    return [row.key for row in table.painted_rows[top : top + table.size.height - 1]]


async def test_page_by_page_every_run_is_seen_once_and_in_order(house: LiveHarness) -> None:
    past(house, 400)
    ids = everything(house)
    monitor = Monitor(house.backend("ann"))
    async with shown(monitor) as pilot:
        table = monitor.screen.query_one(RowTable)
        await until(pilot, lambda: table.painted_key == ids[0], "the newest")
        found, most = list[int](), 0
        for way, key in (("down", "ctrl+d"), ("up", "ctrl+u")):
            found = [table.painted_key or 0]
            end = ids[-1] if way == "down" else ids[0]
            while (here := found[-1]) != end:
                await pilot.press(key)
                await until(pilot, functools.partial(has_gone_on, table, here), f"the next page after {here}")
                found.append(table.painted_key or 0)
                most = max(most, len(table.rows))
            lines = [ids.index(id_) for id_ in found]
            steps = [abs(b - a) for a, b in itertools.pairwise(lines)]
            assert lines == sorted(lines, reverse=way == "up")
            assert max(steps) <= table.size.height - 1, "a page is never more than what was seen"
        assert most <= paging.MOST


async def test_the_ends_are_one_key_away(house: LiveHarness) -> None:
    past(house, 500)
    ids = everything(house)
    monitor = Monitor(house.backend("ann"))
    async with shown(monitor) as pilot:
        table = monitor.screen.query_one(RowTable)
        await until(pilot, lambda: table.painted_key == ids[0])
        await pilot.press("G")
        await until(pilot, lambda: table.painted_key == ids[-1], "the oldest")
        assert seen(table)[-1] == ids[-1]
        await pilot.press("g")
        await until(pilot, lambda: table.painted_key == ids[0], "the newest")
        await until(pilot, lambda: table._anchor.following, "it follows again")


async def test_a_page_is_a_page_also_where_its_rows_are_on_their_way(house: LiveHarness) -> None:
    """The window ends in the middle of the page: the cursor goes the rest of the way once the next one is there."""
    past(house, 600)
    ids = everything(house)
    monitor = Monitor(house.backend("ann"))
    async with shown(monitor) as pilot:
        table = monitor.screen.query_one(RowTable)
        await until(pilot, lambda: table.painted_key == ids[0])
        lines = 0
        for _ in range(12):
            await pilot.press("ctrl+d")
            lines += table.size.height - 2
            await until(pilot, functools.partial(is_at, table, ids[lines]), f"line {lines}")


@pytest.mark.parametrize("way", [1, -1], ids=["down", "up"])
async def test_a_page_is_a_page_also_where_the_new_rows_are_not_painted_yet(way: int) -> None:
    """What is in view looks otherwise in the next window, so that the table still goes by the picture of the last one."""
    stage = Slow(tuple(a_run(id_) for id_ in range(900, 500, -1)))
    monitor = Monitor(stage.backend())
    async with shown(monitor) as pilot:
        table = monitor.screen.query_one(RowTable)
        await until(pilot, lambda: table.painted_key == 900, "the newest")
        if way < 0:
            await pilot.press("G")
            await until(pilot, lambda: table.painted_key == 501, "the oldest")
        start, page, key = table.painted_key or 0, table.size.height - 2, "ctrl+d" if way > 0 else "ctrl+u"
        stage.answers.clear()
        pages = 0
        while table.cursor_line not in (0, len(table.rows) - 1) or not pages:
            await pilot.press(key)
            pages += 1
        stage.runs = tuple(replace(run, label="Otherwise") for run in stage.runs)
        stage.answers.set()
        await until(pilot, lambda: table.painted_key == start - way * page * pages, f"{pages} pages")


async def test_what_a_key_still_wants_comes_with_the_next_snapshot_though_nothing_is_new_in_it() -> None:
    """On a busy machine the rows may not be painted yet when the rest of a page is due."""
    monitor = Monitor(FakeBackend(tuple(a_run(id_) for id_ in range(900, 880, -1))).backend())
    async with shown(monitor) as pilot:
        table, screen = monitor.screen.query_one(RowTable), monitor.screen
        assert isinstance(screen, RunsScreen)
        await until(pilot, lambda: table.painted_key == 900, "the newest")
        await pilot.press("j", "j")
        screen._table.position.owe(898, 3)
        await until(pilot, lambda: table.painted_key == 895, "three lines further")


class Slow(FakeBackend):
    """Answers when the test lets it."""

    def __init__(self, runs: tuple[Run, ...]) -> None:
        super().__init__(runs)
        self.answers = threading.Event()
        self.answers.set()

    def fetch(self, request: Request) -> Snapshot:
        assert self.answers.wait(HANG)
        return super().fetch(request)


async def test_what_comes_in_above_moves_nothing_that_one_looks_at(house: LiveHarness) -> None:
    past(house, 600)
    monitor = Monitor(house.backend("ann"))
    async with shown(monitor) as pilot:
        table = monitor.screen.query_one(RowTable)
        await until(pilot, lambda: table.painted_key)
        for _ in range(6):
            await pilot.press("ctrl+d")
            await polls(pilot)
        screen = monitor.screen
        assert isinstance(screen, RunsScreen)
        await until(
            pilot,
            lambda: (
                monitor.snapshot
                and monitor.snapshot.request == monitor.data.poller.request
                and not screen._table.position.lines
            ),
            "all the rows that the keys want",
        )
        before, here = seen(table), table.painted_key
        past(house, 40)
        await polls(pilot, 3)
        assert (seen(table), table.painted_key) == (before, here)


async def test_a_search_that_finds_nothing_so_far_back_goes_on(
    house: LiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one run that matches is far beyond what one walk looks at."""
    monkeypatch.setattr("store.search.plan.SCAN", 200)
    keyset._bound_query.cache_clear()
    tenant = access.memberships_of(house.db, house.users["ann"].id)[0].tenant.id
    seed_runs(house.db, [SeedRun(tenant, "x.y", Outcome.FAILED, age=9e5, failures=(Failure("x.y", "needle"),))])
    past(house, 900)
    monitor = Monitor(house.backend("ann"))
    async with shown(monitor) as pilot:
        table = monitor.screen.query_one(RowTable)
        await until(pilot, lambda: table.painted_key)
        await pilot.press("slash", *"needle", "enter")
        await until(
            pilot, lambda: monitor.snapshot and monitor.snapshot.page.scanned_to and not table.rows, "an honest end"
        )
        for _ in range(30):
            await pilot.press("ctrl+d")
            await polls(pilot)
            if table.rows:
                break
        await until(
            pilot, lambda: [row.run.type for row in table.rows if isinstance(row, RunRow)] == ["x.y"], "the needle"
        )
    keyset._bound_query.cache_clear()


async def test_orders_take_turns(house: LiveHarness) -> None:
    past(house, 120)
    monitor = Monitor(house.backend("ann"))
    async with shown(monitor) as pilot:
        table = monitor.screen.query_one(RowTable)
        await until(pilot, lambda: table.painted_key)
        for key in ("started", "duration", "type", "created"):
            await pilot.press("o")
            await until(pilot, functools.partial(is_ordered, monitor, key), key)
            runs = monitor.snapshot.runs if monitor.snapshot else ()
            assert [run.id for run in runs] == [row.key for row in table.rows]
            if key == "duration":
                took = [_took(run) for run in runs]
                assert took == sorted(took, reverse=True)
                assert took[0] >= 48
        assert "The newest first." in toasts(monitor)[-1]


def _took(run: Run) -> float:
    assert run.completed_at
    assert run.started_at
    return round((run.completed_at - run.started_at).total_seconds())


RUNS = tuple(a_run(id_) for id_ in range(700, 0, -1))


@settings(max_examples=200)
@given(st.integers(0, 499), st.integers(5, 60), st.booleans(), st.booleans(), st.integers(10, 500))
def test_a_window_is_asked_for_before_its_edge(line: int, height: int, above: bool, below: bool, size: int) -> None:
    """Whatever page is asked for, its window holds the cursor's row, and asking again for the same row changes nothing."""
    page = Page(RUNS[:size], above, below)
    line = min(line, size - 1)
    place = cursor_of(RUNS[size // 2])
    asked = paging.next_place(place, page, line, height)
    assert asked in (None, place, cursor_of(page.runs[line]))
    if asked is None:
        assert not above
        assert line < height < paging.window(None, height), "the row is in the window of the top"
    if asked == place and line != size // 2:
        assert not below or line < size - 2 * height
        assert not above or line >= min(2 * height, size)


@given(st.integers(0, 2000))
def test_windows_are_bounded(height: int) -> None:
    assert paging.LEAST <= paging.window(None, height) <= paging.MOST
    assert paging.window(Cursor(RUNS[0].created_at, 1), height) <= paging.MOST
