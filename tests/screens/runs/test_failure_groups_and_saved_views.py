"""The groups of failed runs, and named views, on a real database."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from textual.widgets import Input, OptionList

from screens.backend import Backend
from screens.bulk.screen import BulkScreen
from screens.bulk_retry import Phase
from screens.monitor import Monitor
from screens.runs.failure_groups import FailureGroupsScreen
from screens.runs.saved_views_modal import SavedViewsModal
from screens.runs.screen import RunsScreen
from screens.widgets.header_lines import Line
from screens.widgets.row_table import RowTable
from store.db.engine import Database
from store.model.records import Failure, Outcome, Run
from store.model.tables import operation_runs
from store.people import access
from store.runs import lifecycle
from store.runs.seeding import SeedRun, seed_runs
from store.search import saved_views
from store.search.filter import parse_line
from store.search.pages import Order
from store.search.saved_views import MOST, SavedView
from tests.screens.conftest import HOSTILE, FakeBackend, LiveHarness, running, toasts, until
from tests.support.waiting import HANG

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def watching(backend: Backend) -> AsyncIterator[tuple[Monitor, Any]]:
    monitor = Monitor(backend)
    async with running(monitor, (120, 40)) as pilot:
        await until(pilot, lambda: monitor.snapshot and "live" in monitor.freshness, "the first snapshot")
        yield monitor, pilot


def all_runs(db: Database) -> list[Run]:
    with db.read() as connection:
        ids = connection.execute(sa.select(operation_runs.c.id).order_by(operation_runs.c.id)).scalars().all()
    return [run for id_ in ids if (run := lifecycle.get(db, id_))]


def fail(house: LiveHarness, *listed: tuple[str, str, str]) -> list[int]:
    """Runs that failed: (operation, codes with blanks between them, key); the newest is the first."""
    tenant = access.require_right(house.db, house.users["ann"], "contoso", access.Right.VIEW)
    seed_runs(
        house.db,
        [
            SeedRun(
                tenant.id, type_, Outcome.FAILED, 3600 * 10 - 60 * number,
                failures=tuple(Failure(code, f"{code} said no") for code in codes.split()),
                context={"parameters": {"key": key} if type_ == "system.probe" else {}},
            )
            for number, (type_, codes, key) in enumerate(reversed(listed))
        ],
    )  # fmt: skip
    return [run.id for run in reversed(all_runs(house.db))][: len(listed)]


FAILED = (
    ("system.probe", "x.y graph.throttled", "a"),
    ("system.probe", "x.y", "b"),
    ("inventory.sync", "x.y", ""),
    ("system.probe", "graph.throttled", "c"),
    ("system.probe", "x.y", "d"),
)


def rows(monitor: Monitor) -> list[int]:
    return [row.key for row in monitor.screen.query_one(RowTable).rows]


def lines(monitor: Monitor) -> list[str]:
    return [" ".join(cell.text for cell in row.cells) for row in monitor.screen.query_one(RowTable).rows]


async def groups(pilot: Any, monitor: Monitor) -> FailureGroupsScreen:
    await pilot.press("F")
    await until(pilot, lambda: isinstance(monitor.screen, FailureGroupsScreen) and rows(monitor), "the groups")
    assert isinstance(monitor.screen, FailureGroupsScreen)
    return monitor.screen


async def filtered(pilot: Any, monitor: Monitor, line: str) -> None:
    listed = monitor.screen
    assert isinstance(listed, RunsScreen)
    listed._show(SavedView("", line))
    await until(pilot, lambda: monitor.snapshot and monitor.snapshot.request.wanted == parse_line(line), "the filter")


@pytest.mark.parametrize(
    "line", ["", "type:system.*", "type:system.*,inventory.sync code:x.*,graph.throttled", "x.y mine by:*"]
)
async def test_enter_on_a_group_shows_exactly_its_runs(house: LiveHarness, line: str) -> None:
    ids = fail(house, *FAILED)
    async with watching(house.backend("ann")) as (monitor, pilot):
        if line and "mine" not in line:
            await filtered(pilot, monitor, line)
        screen = await groups(pilot, monitor)
        assert lines(monitor)[0].split()[:3] == ["3", "system.probe", "x.y"]
        assert lines(monitor)[1].split()[:3] == ["2", "system.probe", "graph.throttled"]
        assert screen.query_one("#words", Line).text.startswith(
            " 3 groups" if "system.* " not in f"{line} " else " 2 groups"
        )
        await pilot.press("j", "enter")
        await until(pilot, lambda: isinstance(monitor.screen, RunsScreen), "the list")
        await until(pilot, lambda: rows(monitor) == [ids[0], ids[3]], "the runs of the group")
        assert monitor.screen.view.tab == "Failed"  # type: ignore[attr-defined]
        assert monitor.screen.view.terms.endswith("type:system.probe code:graph.throttled")  # type: ignore[attr-defined]


async def test_r_retries_a_whole_group_after_a_dry_run(house: LiveHarness) -> None:
    ids = fail(house, *FAILED)
    async with watching(house.backend("ann")) as (monitor, pilot):
        await groups(pilot, monitor)
        await pilot.press("r")
        await until(pilot, lambda: isinstance(monitor.screen, BulkScreen), "the dry run")
        screen = monitor.screen
        assert isinstance(screen, BulkScreen)
        await until(pilot, lambda: screen.job.phase is Phase.READY, "its end")
        assert [item.run_id for item in screen.job.items] == [ids[0], ids[1], ids[4]]
        assert "system.probe failed with x.y" in screen.job.words
        assert len(all_runs(house.db)) == len(ids), "nothing is started yet"
        await pilot.press("r")
        await until(pilot, lambda: screen.job.phase is Phase.DONE, "the end")
        assert [run.retry_of_id for run in all_runs(house.db)[len(ids) :]] == [ids[0], ids[1], ids[4]]


async def test_without_failed_runs_there_is_no_group_to_retry() -> None:
    monitor = Monitor(FakeBackend().backend())
    async with running(monitor, (80, 24)) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        await pilot.press("F")
        await until(pilot, lambda: isinstance(monitor.screen, FailureGroupsScreen), "the screen")
        await until(pilot, lambda: " No failed runs" in monitor.screen.query_one("#words", Line).text, "the words")
        await pilot.press("r")
        await until(pilot, lambda: any("There is no group." in toast for toast in toasts(monitor)), "the reason")
        await pilot.press("escape")
        assert isinstance(monitor.screen, RunsScreen)


async def test_a_hostile_code_is_shown_and_opened(house: LiveHarness) -> None:
    tenant = access.require_right(house.db, house.users["ann"], "contoso", access.Right.VIEW)
    failed = [SeedRun(tenant.id, "system.probe", Outcome.FAILED, 60, failures=(Failure(HOSTILE, HOSTILE),))]
    seed_runs(house.db, failed)
    async with watching(house.backend("ann")) as (monitor, pilot):
        await groups(pilot, monitor)
        assert not any(sign in lines(monitor)[0] for sign in "\x1b\x07\x9b\u202e")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(monitor.screen, RunsScreen) and len(rows(monitor)) == 1, "its run")
        assert monitor.screen.view.terms.isprintable()  # type: ignore[attr-defined]


# ---- views


async def kept(pilot: Any, monitor: Monitor, name: str) -> None:
    """Keep what the list shows."""
    await pilot.press("V")
    await until(pilot, lambda: isinstance(monitor.screen, SavedViewsModal), "the views")
    field = monitor.screen.query_one(Input)
    if not field.has_focus:
        await pilot.press("tab")
    field.value = name
    await pilot.press("enter")


async def test_a_view_is_kept_shown_by_its_key_and_deleted(house: LiveHarness) -> None:
    ids = fail(house, *FAILED)
    async with watching(house.backend("ann")) as (monitor, pilot):
        await pilot.press("f1")
        await until(
            pilot, lambda: any("There is no view 1" in toast for toast in toasts(monitor)), "that there is none"
        )
        await filtered(pilot, monitor, "type:system.probe")
        await pilot.press("5", "o")
        await kept(pilot, monitor, "probes")
        await until(pilot, lambda: isinstance(monitor.screen, RunsScreen), "the list")
        await filtered(pilot, monitor, "")
        await kept(pilot, monitor, "all of it")
        await until(pilot, lambda: len(monitor.saved_views.all) == 2, "both")
    async with watching(house.backend("ann")) as (monitor, pilot):
        await until(pilot, lambda: len(monitor.saved_views.all) == 2, "the views of before")
        await pilot.press("f1")
        listed = monitor.screen
        assert isinstance(listed, RunsScreen)
        assert (listed.view.terms, listed.view.tab, listed.view.order) == ("type:system.probe", "Failed", Order.STARTED)
        await until(pilot, lambda: sorted(rows(monitor)) == sorted({*ids} - {ids[2]}), "its runs")
        await pilot.press("f2")
        assert (listed.view.terms, listed.view.tab, listed.view.order) == ("", "All", Order.CREATED)
        await pilot.press("V")
        await until(pilot, lambda: isinstance(monitor.screen, SavedViewsModal), "the views")
        await pilot.press("delete", "enter")
        await until(pilot, lambda: [view.name for view in monitor.saved_views.all] == ["all of it"], "the other one")
        assert monitor.screen.query_one(OptionList).option_count == 1
        await pilot.press("enter")
        await until(pilot, lambda: monitor.screen is listed, "the list")
    assert [view.name for view in saved_views.read(house.db, house.users["ann"].id)] == ["all of it"]


async def test_a_view_without_a_name_and_a_tenth_are_refused(house: LiveHarness) -> None:
    ann = house.users["ann"].id
    for number in range(MOST):
        saved_views.save(house.db, ann, SavedView(f"view {number}"))
    async with watching(house.backend("ann")) as (monitor, pilot):
        await until(pilot, lambda: len(monitor.saved_views.all) == MOST, "the views")
        await kept(pilot, monitor, "  ")
        await until(pilot, lambda: any("a view needs a name" in toast for toast in toasts(monitor)), "the reason")
        monitor.screen.query_one(Input).value = "one more"
        await pilot.press("enter")
        await until(pilot, lambda: any("9 views already" in toast for toast in toasts(monitor)), "the reason")
        assert isinstance(monitor.screen, SavedViewsModal)


async def test_who_leaves_the_views_before_the_database_answers_is_where_they_went() -> None:
    go_on = threading.Event()

    class Slow(FakeBackend):
        def save_view(self, view: SavedView) -> tuple[SavedView, ...]:
            go_on.wait(HANG)
            return super().save_view(view)

        def delete_view(self, name: str) -> tuple[SavedView, ...]:
            go_on.wait(HANG)
            return super().delete_view(name)

    stage = Slow(kept=[SavedView("old")])
    monitor = Monitor(stage.backend())
    async with running(monitor, (80, 24)) as pilot:
        await until(pilot, lambda: monitor.snapshot and monitor.saved_views.all, "the view")
        await pilot.press("V")
        await until(pilot, lambda: isinstance(monitor.screen, SavedViewsModal), "the views")
        await pilot.press("delete", "enter", "escape")
        await kept(pilot, monitor, "new")
        await pilot.press("escape", "F")
        await until(pilot, lambda: isinstance(monitor.screen, FailureGroupsScreen), "another screen")
        go_on.set()
        await until(pilot, lambda: [view.name for view in stage.kept] == ["new"], "both")
        await pilot.pause()
        assert isinstance(monitor.screen, FailureGroupsScreen)
        assert monitor._exception is None


async def test_a_view_of_another_version_says_what_is_wrong_with_it() -> None:
    monitor = Monitor(FakeBackend(kept=[SavedView("old", "colour:red")]).backend())
    async with running(monitor, (80, 24)) as pilot:
        await until(pilot, lambda: monitor.snapshot and monitor.saved_views.all, "the view")
        await pilot.press("f1")
        await until(pilot, lambda: any("'colour:red' is no filter" in toast for toast in toasts(monitor)), "the reason")
