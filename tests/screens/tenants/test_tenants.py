"""The tenant that is chosen and the filter narrow each other: nothing is shown, counted, retried or started elsewhere."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.widgets import Select, Static

from screens.bulk.screen import BulkScreen
from screens.bulk_retry import Phase
from screens.monitor import Monitor
from screens.runs.failure_groups import FailureGroupsScreen
from screens.runs.screen import RunsScreen
from screens.start.form import FormScreen
from screens.widgets.header_lines import Line
from screens.widgets.row_table import RowTable
from store.model.records import Failure, Outcome, Run, Tenant
from store.people import access
from store.people.access import Membership, Role
from store.runs import lifecycle
from store.runs.seeding import SeedRun, seed_runs
from store.search.filter import parse_line
from store.search.pages import Order
from store.search.saved_views import SavedView
from tasks.operations.probe import probe
from tasks.sdk.registry import Registry
from tests.screens.conftest import (
    AT,
    FABRIKAM,
    MEMBER,
    FakeBackend,
    LiveHarness,
    a_run,
    polls,
    running,
    toasts,
    until,
)

pytestmark = pytest.mark.anyio

TENANTS = ("contoso", "fabrikam")


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest) -> str:
    """What screens do with keys is the same over both databases; what is asked of those is tested there."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@asynccontextmanager
async def watching(house: LiveHarness, login: str = "ann") -> AsyncIterator[tuple[Monitor, Any]]:
    monitor = Monitor(house.backend(login))
    async with running(monitor, (120, 40)) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        yield monitor, pilot


@pytest.fixture
def failed(house: LiveHarness) -> dict[str, list[int]]:
    """The ids of two runs that failed, in each tenant, newest first."""
    for slug in TENANTS:
        tenant = access.require_right(house.db, house.users["ann"], slug, access.Right.VIEW)
        past = [
            SeedRun(
                tenant.id, "system.probe", Outcome.FAILED, 3600 - 60 * number, failures=(Failure("x.y", "no"),),
                context={"parameters": {"key": f"{slug}{number}"}},
            )
            for number in range(2)
        ]  # fmt: skip
        seed_runs(house.db, past)
    found = all_runs(house)
    return {slug: sorted((run.id for run in found if run.tenant == slug), reverse=True) for slug in TENANTS}


def all_runs(house: LiveHarness) -> list[Run]:
    found = [lifecycle.get(house.db, number) for number in range(1, 40)]
    return [run for run in found if run]


def rows(monitor: Monitor) -> list[int]:
    return [row.key for row in monitor.screen.query_one(RowTable).rows]


def line(monitor: Monitor, name: str) -> str:
    return monitor.screen.query_one(f"#{name}", Line).text


async def choose(pilot: Any, monitor: Monitor, slug: str) -> None:
    await pilot.press("t", *"j" * (TENANTS.index(slug) + 1), "enter")
    await until(pilot, lambda: monitor.tenant == slug, slug)


async def filtered(pilot: Any, monitor: Monitor, terms: str) -> None:
    await pilot.press("slash", *terms, "enter")
    wanted = monitor.in_tenant(parse_line(terms))
    await until(pilot, lambda: monitor.snapshot and monitor.snapshot.request.wanted == wanted, "the filter's list")


async def test_a_filter_that_names_another_tenant_than_the_chosen_one_leaves_nothing_and_says_so(
    house: LiveHarness, failed: dict[str, list[int]]
) -> None:
    async with watching(house) as (monitor, pilot):
        await choose(pilot, monitor, "fabrikam")
        await filtered(pilot, monitor, "outcome:failed tenant:contoso")
        await until(pilot, lambda: rows(monitor) == [], "nothing")
        assert "fabrikam is chosen" in line(monitor, "empty")
        assert "0 of 0" in line(monitor, "filter")
        assert "All 0" in line(monitor, "tabs")
        await pilot.press("A")
        await until(pilot, lambda: any("No run in fabrikam matches" in toast for toast in toasts(monitor)), "why not")
        await pilot.press("F")
        await until(pilot, lambda: isinstance(monitor.screen, FailureGroupsScreen), "the groups")
        await until(pilot, lambda: "fabrikam is chosen" in line(monitor, "words"), "that nothing can match")
        assert rows(monitor) == []
    assert len(all_runs(house)) == 4


@pytest.mark.parametrize("terms", ["tenant:fabrikam", "tenant:contoso,fabrikam", "-tenant:contoso", "outcome:failed"])
async def test_what_the_dry_run_says_is_what_is_retried(
    house: LiveHarness, failed: dict[str, list[int]], terms: str
) -> None:
    async with watching(house) as (monitor, pilot):
        await choose(pilot, monitor, "fabrikam")
        await filtered(pilot, monitor, terms)
        await until(pilot, lambda: rows(monitor) == failed["fabrikam"], "its runs")
        await pilot.press("A")
        await until(pilot, lambda: isinstance(monitor.screen, BulkScreen), "the dry run")
        job = monitor.screen.job  # type: ignore[attr-defined]
        await until(pilot, lambda: job.phase is Phase.READY, "its end")
        assert [item.run_id for item in job.items] == failed["fabrikam"]
        assert f"in fabrikam that match {terms}" in job.words
        await pilot.press("r")
        await until(pilot, lambda: job.phase is Phase.DONE, "the receipts")
    assert {run.tenant for run in all_runs(house)[4:]} == {"fabrikam"}
    assert len(all_runs(house)) == 6


async def test_groups_follow_the_tenant_that_is_chosen_over_them(
    house: LiveHarness, failed: dict[str, list[int]]
) -> None:
    async with watching(house) as (monitor, pilot):
        await pilot.press("F")
        await until(pilot, lambda: isinstance(monitor.screen, FailureGroupsScreen) and rows(monitor), "the groups")
        await choose(pilot, monitor, "fabrikam")
        await until(pilot, lambda: isinstance(monitor.screen, FailureGroupsScreen) and rows(monitor), "the groups")
        assert "failure groups in fabrikam" in line(monitor, "header")
        await pilot.press("r")
        await until(pilot, lambda: isinstance(monitor.screen, BulkScreen), "the dry run")
        assert [item.run_id for item in monitor.screen.job.items] == failed["fabrikam"]  # type: ignore[attr-defined]


async def test_marks_and_the_place_in_the_list_do_not_outlive_the_tenant(
    house: LiveHarness, failed: dict[str, list[int]]
) -> None:
    async with watching(house) as (monitor, pilot):
        await until(pilot, lambda: len(rows(monitor)) == 4, "all")
        listed = monitor.screen
        assert isinstance(listed, RunsScreen)
        await pilot.press("space", "space", "space")
        assert len(listed._marked) == 3
        await choose(pilot, monitor, "contoso")
        await until(pilot, lambda: rows(monitor) == failed["contoso"], "its runs")
        assert listed._marked == {}
        assert any("nothing is marked" in toast for toast in toasts(monitor))
        assert listed.query_one(RowTable).cursor_key == failed["contoso"][0]


async def test_a_view_that_names_another_tenant_says_that_nothing_can_match(
    house: LiveHarness, failed: dict[str, list[int]]
) -> None:
    async with watching(house) as (monitor, pilot):
        await choose(pilot, monitor, "fabrikam")
        listed = monitor.screen
        assert isinstance(listed, RunsScreen)
        listed.show_view(SavedView("theirs", "tenant:contoso", "Failed", Order.CREATED))
        await until(pilot, lambda: rows(monitor) == [] and "fabrikam is chosen" in line(monitor, "empty"), "the reason")


async def test_the_filter_line_completes_the_chosen_tenant_alone(house: LiveHarness) -> None:
    async with watching(house) as (monitor, pilot):
        await choose(pilot, monitor, "fabrikam")
        await pilot.press("slash", *"tenant:")
        await until(pilot, lambda: line(monitor, "filter").strip() == "tenant:fabrikam", "the suggestion")
        await pilot.press(*"contoso ")
        await until(pilot, lambda: "fabrikam is chosen" in line(monitor, "filter"), "that it cannot match")


async def test_a_form_starts_in_the_chosen_tenant_or_in_the_only_one_else_it_asks(house: LiveHarness) -> None:
    async with watching(house) as (monitor, pilot):
        await pilot.press("s", *"probe", "enter")
        await until(pilot, lambda: isinstance(monitor.screen, FormScreen), "the form")
        tenant = monitor.screen.query_one("#tenant", Select)
        assert tenant.value is Select.NULL
        assert tenant.has_focus
        await pilot.press("ctrl+s")
        note = monitor.screen.query_one("#under-tenant", Static)
        await until(pilot, lambda: "the tenant is not chosen" in str(note.render()), "the reason")
        assert all_runs(house) == []
        await pilot.press("enter", "down", "enter", "ctrl+s")
        await until(pilot, lambda: all_runs(house), "the run")
    assert [run.tenant for run in all_runs(house)] == ["contoso"]


async def test_a_form_never_falls_back_to_another_tenant_than_the_chosen_one() -> None:
    """Of fabrikam one is a reader there: the only tenant in which one may start runs is another one."""
    monitor = Monitor(FakeBackend((a_run(1),)).backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        monitor.push_screen(FormScreen(Registry.of([probe]).get("system.probe")))
        await until(pilot, lambda: isinstance(monitor.screen, FormScreen), "the form")
        assert monitor.screen.query_one("#tenant", Select).value == "contoso"
        await pilot.press("escape")
        monitor.choose_tenant(FABRIKAM.slug)
        monitor.push_screen(FormScreen(Registry.of([probe]).get("system.probe")))
        await until(pilot, lambda: isinstance(monitor.screen, FormScreen), "the form")
        assert monitor.screen.query_one("#tenant", Select).value is Select.NULL
        await pilot.press("ctrl+s")
        note = monitor.screen.query_one("#under-tenant", Static)
        await until(
            pilot, lambda: "you may look at fabrikam, not start or retry runs there" in str(note.render()), "the reason"
        )


async def test_a_form_follows_the_tenant_that_is_chosen_over_it() -> None:
    """Of fabrikam one is a reader: then none is chosen in the form. A retry stays where its run was."""
    third = Membership(Tenant(3, "umbrella", "Umbrella", AT), Role.OPERATOR)
    monitor = Monitor(FakeBackend((a_run(1),), members=(*MEMBER, third)).backend())
    operation = Registry.of([probe]).get("system.probe")
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        monitor.choose_tenant("contoso")
        for form, follows in ((FormScreen(operation), True), (FormScreen(operation, retry_of=a_run(1)), False)):
            monitor.push_screen(form)
            await until(pilot, functools.partial(form.query, "#tenant"), "the form")
            field = form.query_one("#tenant", Select)
            assert field.value == "contoso"
            monitor.choose_tenant("umbrella")
            assert field.value == ("umbrella" if follows else "contoso")
            monitor.choose_tenant("fabrikam")
            assert field.value == (Select.NULL if follows else "contoso")
            monitor.choose_tenant("contoso")
            assert field.value == "contoso"
            await pilot.press("escape")


async def test_who_loses_the_chosen_tenant_is_told_that_everywhere() -> None:
    stage = FakeBackend((a_run(1, Outcome.FAILED),))
    monitor = Monitor(stage.backend())
    async with running(monitor, (120, 40)) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        await choose(pilot, monitor, "contoso")
        await until(pilot, lambda: rows(monitor) == [1], "its run")
        stage.members, stage.runs = MEMBER[1:], ()
        lost = "you are no member of contoso any more"
        await until(pilot, lambda: lost in line(monitor, "empty"), "the reason")
        await pilot.press("F")
        await until(
            pilot, lambda: isinstance(monitor.screen, FailureGroupsScreen) and lost in line(monitor, "words"), "it too"
        )
        monitor.push_screen(FormScreen(Registry.of([probe]).get("system.probe")))
        await until(pilot, lambda: isinstance(monitor.screen, FormScreen), "the form")
        await pilot.press("ctrl+s")
        note = monitor.screen.query_one("#under-tenant", Static)
        await until(pilot, lambda: lost in str(note.render()), "the form, too")
        stage.members = MEMBER
        await polls(pilot)
        assert monitor.no_member is None
