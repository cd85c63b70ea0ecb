"""Keys act in the order in which they were typed, on the screen at which they were typed, however quick they come."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from textual import events
from textual.keys import _character_to_key
from textual.widgets import Input, Select

from screens.backups.sets import BackupSetsScreen
from screens.bulk.screen import BulkScreen
from screens.dialogs.confirm import ConfirmModal
from screens.dialogs.help import HelpModal
from screens.directory.screen import DirectoryScreen
from screens.drift.reports import DriftReportsScreen
from screens.inbox.screen import InboxScreen
from screens.inventory.kinds import KindsScreen
from screens.monitor import Monitor
from screens.restores.history import RestoresScreen
from screens.run.screen import RunScreen
from screens.runs.filter_input import FilterInput
from screens.runs.saved_views_modal import SavedViewsModal
from screens.runs.screen import RunsScreen
from screens.schedules.screen import SchedulesScreen
from screens.start.form import FormScreen
from screens.start.picker import OperationPicker
from screens.tenants.picker import TenantPicker
from screens.widgets.line_input import LineInput
from screens.widgets.row_table import RowTable
from screens.workers.screen import WorkersScreen
from store.model.records import Failure, Outcome, Run
from store.people import access
from store.people.access import Membership, Role
from store.runs import lifecycle
from store.runs.seeding import SeedRun, seed_runs
from store.search.saved_views import SavedView
from tasks.dispatch import Dispatcher
from tasks.operations.probe import probe
from tasks.sdk.context import RunContext
from tasks.sdk.operation import operation
from tasks.sdk.registry import Registry
from tests.screens.conftest import (
    CONTOSO,
    FakeBackend,
    LiveHarness,
    a_run,
    polls,
    running,
    runs_of_all_states,
    toasts,
    until,
)
from tests.support.waiting import HANG

pytestmark = pytest.mark.anyio

NAMED = {
    "\r": "enter",
    "\x1b": "escape",
    "\t": "tab",
    " ": "space",
    "\x10": "ctrl+p",
    "\x15": "ctrl+u",
    "\x13": "ctrl+s",
}


def typed(monitor: Monitor, text: str) -> None:
    """What a terminal sends for one write of it: every key, before any of them is handled."""
    for char in text:
        key = NAMED.get(char) or (char if char.isalnum() else _character_to_key(char))
        monitor.post_message(events.Key(key, char if char.isprintable() else None))


def rows(monitor: Monitor) -> list[int]:
    return [row.key for row in monitor.screen.query_one(RowTable).rows]


async def at_rest(pilot: Any) -> None:
    monitor: Monitor = pilot.app
    await until(
        pilot, lambda: not monitor.message_queue_size and not monitor.gate._task, "that all keys were handed out"
    )


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest) -> str:
    """What screens do with keys is the same over both databases; what is asked of those is tested there."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@asynccontextmanager
async def watching(house: LiveHarness) -> AsyncIterator[tuple[Monitor, Any]]:
    monitor = Monitor(house.backend("ann"))
    async with running(monitor, (120, 40)) as pilot:
        await until(pilot, lambda: monitor.snapshot and "live" in monitor.freshness, "the first snapshot")
        monitor.choose_tenant("contoso")
        await polls(pilot)
        yield monitor, pilot


@pytest.fixture
def failed(house: LiveHarness) -> Run:
    """A run that failed, and can be retried."""
    tenant = access.require_right(house.db, house.users["ann"], "contoso", access.Right.VIEW)
    seed_runs(house.db, [SeedRun(tenant.id, "system.probe", Outcome.FAILED, 60.0, failures=(Failure("x.y", "no"),))])
    (run,) = all_runs(house)
    return run


def all_runs(house: LiveHarness) -> list[Run]:
    return [run for number in range(1, 20) if (run := lifecycle.get(house.db, number))]


@pytest.mark.parametrize(
    ("keys", "terms"),
    [
        ("/r\r", "r"),
        ("/retry-of:4\r", "retry-of:4"),
        ("/sAert\x15type:qnw\r", "type:qnw"),
        ("/x\r/r\r", "xr"),
        ("//\r", "/"),
    ],
)
async def test_what_follows_the_filters_key_goes_into_the_filter(
    house: LiveHarness, failed: Run, keys: str, terms: str
) -> None:
    async with watching(house) as (monitor, pilot):
        typed(monitor, keys)
        await at_rest(pilot)
        listed = monitor.screen
        assert isinstance(listed, RunsScreen)
        assert listed.view.terms == terms
        assert toasts(monitor) == []
    assert [run.id for run in all_runs(house)] == [failed.id]


async def test_an_operation_is_started_by_one_write(house: LiveHarness) -> None:
    """Pick, narrow, enter, fill in two fields, start: and what follows acts on the list."""
    async with watching(house) as (monitor, pilot):
        typed(monitor, "sprobe\r\t\x157\x13?")
        await until(pilot, lambda: all_runs(house), "the run")
        await at_rest(pilot)
        assert isinstance(monitor.screen, HelpModal)
    (run,) = all_runs(house)
    assert (run.type, run.tenant) == ("system.probe", "contoso")


async def test_a_retry_is_edited_by_one_write(house: LiveHarness, failed: Run) -> None:
    async with watching(house) as (monitor, pilot):
        await until(pilot, lambda: rows(monitor) == [failed.id], "the run")
        typed(monitor, "e")
        await at_rest(pilot)
        assert isinstance(monitor.screen, FormScreen)
        typed(monitor, "\x1be\x13j")
        await until(pilot, lambda: len(all_runs(house)) == 2, "the retry")
        await at_rest(pilot)
        await until(pilot, lambda: isinstance(monitor.screen, RunsScreen), "the list")
    assert all_runs(house)[1].retry_of_id == failed.id


async def test_a_view_is_kept_and_shown_by_one_write(house: LiveHarness, failed: Run) -> None:
    async with watching(house) as (monitor, pilot):
        typed(monitor, "/outcome:failed\rVrArs\r\x1bV\r")
        await at_rest(pilot)
        assert [view.name for view in monitor.saved_views.all] == ["rArs"]
        listed = monitor.screen
        assert isinstance(listed, RunsScreen)
        assert listed.view.terms == "outcome:failed"
    assert len(all_runs(house)) == 1


async def test_a_tenant_is_chosen_by_one_write(house: LiveHarness, failed: Run) -> None:
    async with watching(house) as (monitor, pilot):
        typed(monitor, "tj\r/r\r")
        await at_rest(pilot)
        assert monitor.tenant == "fabrikam"
        assert isinstance(monitor.screen, RunsScreen)
        assert monitor.screen.view.terms == "r"
    assert len(all_runs(house)) == 1


async def test_the_palette_is_used_by_one_write(house: LiveHarness, failed: Run) -> None:
    async with watching(house) as (monitor, pilot):
        typed(monitor, ":tenant fab\rs")
        await until(pilot, lambda: monitor.tenant == "fabrikam", "the tenant")
        await until(pilot, lambda: isinstance(monitor.screen, OperationPicker), "what came after")
    assert len(all_runs(house)) == 1


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("?", HelpModal),
        ("n", InboxScreen),
        ("w", WorkersScreen),
        ("i", KindsScreen),
        ("D", DirectoryScreen),
        ("C", DriftReportsScreen),
        ("S", SchedulesScreen),
        ("B", BackupSetsScreen),
        ("X", RestoresScreen),
        ("\r", RunScreen),
        ("t", TenantPicker),
        ("V", SavedViewsModal),
        ("s", OperationPicker),
    ],
)
async def test_a_key_behind_one_that_opens_a_screen_acts_there(
    house: LiveHarness, failed: Run, key: str, kind: type
) -> None:
    """`A` is nothing there, escape comes back; at the list `A` would open a dry run."""
    async with watching(house) as (monitor, pilot):
        await until(pilot, lambda: rows(monitor) == [failed.id], "the run")
        # Without one the views would take the `A` for a name, and ask before they drop it.
        monitor.saved_views.keep(SavedView("kept"), lambda: None)
        await until(pilot, lambda: monitor.saved_views.all, "a view")
        typed(monitor, f"{key}A")
        await at_rest(pilot)
        assert isinstance(monitor.screen, kind)
        typed(monitor, "\x1bA")
        await until(pilot, lambda: isinstance(monitor.screen, BulkScreen), "the dry run")
    assert len(all_runs(house)) == 1


async def test_a_question_is_answered_by_one_write() -> None:
    stage = FakeBackend(runs_of_all_states(), members=(Membership(CONTOSO, Role.OWNER),))
    monitor = Monitor(stage.backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        typed(monitor, "w")
        await at_rest(pilot)
        screen = monitor.screen
        assert isinstance(screen, WorkersScreen)
        screen._load = NotPaused  # type: ignore[assignment]
        typed(monitor, "P\x1bP\rP")
        await at_rest(pilot)
        assert isinstance(monitor.screen, ConfirmModal)
        await until(pilot, lambda: stage.held == [True], "that it was paused, once")


class NotPaused:
    """A queue that is not paused."""

    paused = None


async def test_a_choice_in_a_form_is_made_by_one_write() -> None:
    members = (Membership(CONTOSO, Role.OWNER), Membership(replace(CONTOSO, id=2, slug="fabrikam"), Role.OWNER))
    monitor = Monitor(FakeBackend(runs_of_all_states(), members=members).backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        monitor.push_screen(FormScreen(Registry.of([probe]).get("system.probe")))
        await until(pilot, lambda: isinstance(monitor.screen, FormScreen), "the form")
        form = monitor.screen
        for key in ("enter", "down", "down", "enter", "tab", "ctrl+u", "3", "r"):
            monitor.post_message(events.Key(key, key if len(key) == 1 else None))
        await at_rest(pilot)
        assert form.query_one("#tenant", Select).value == "fabrikam"
        assert form.query(Input).first().value == "3r"


async def test_keys_that_come_while_a_slow_thing_opens_wait_for_it_and_esc_gives_it_up() -> None:
    """`e` asks the database for the run's parameters, which hangs. Esc forgets it, and what was typed behind it."""
    answer = threading.Event()
    stage = FakeBackend((a_run(7, Outcome.FAILED),))
    monitor = Monitor(stage.backend(lambda: Slow(answer)))  # type: ignore[arg-type,return-value]
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot and rows(monitor) == [7], "the run")
        typed(monitor, "eq?")
        await polls(pilot, 2)
        assert isinstance(monitor.screen, RunsScreen)
        typed(monitor, "\x1b?")
        await until(pilot, lambda: isinstance(monitor.screen, HelpModal), "the help")
        answer.set()
        await polls(pilot, 2)
        assert isinstance(monitor.screen, HelpModal)
        assert not any(isinstance(screen, FormScreen) for screen in monitor.screen_stack)
        typed(monitor, "\x1be5")
        await until(pilot, lambda: isinstance(monitor.screen, FormScreen), "the form")


async def test_ctrl_q_quits_while_something_slow_opens() -> None:
    answer = threading.Event()
    monitor = Monitor(FakeBackend((a_run(7, Outcome.FAILED),)).backend(lambda: Slow(answer)))  # type: ignore[arg-type,return-value]
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot and rows(monitor) == [7], "the run")
        try:
            typed(monitor, "e")
            await polls(pilot)
            monitor.post_message(events.Key("ctrl+q", None))
            await until(pilot, lambda: not monitor.is_running or monitor._exit, "the end")
        finally:
            answer.set()


async def test_keys_go_on_when_what_they_wait_for_exits() -> None:
    """A plug-in may: what it does in a thread of ours must not keep the gate closed."""
    monitor = Monitor(FakeBackend((a_run(7, Outcome.FAILED),)).backend(Exits))  # type: ignore[arg-type]
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot and rows(monitor) == [7], "the run")
        typed(monitor, "e?")
        await until(pilot, lambda: isinstance(monitor.screen, HelpModal), "the help")
        assert any("SystemExit: 3" in toast for toast in toasts(monitor))


class Exits:
    """Ends its thread instead of an answer."""

    def to_retry(self, user: Any, run_id: int) -> Any:
        raise SystemExit(3)


async def test_keys_keep_their_order_while_a_search_ends_whose_field_is_gone() -> None:
    monitor = Monitor(FakeBackend(runs_of_all_states()).backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        adrift, answer = Input(), asyncio.Event()
        with monitor._context():
            found = monitor.workers._new_worker(answer.wait(), adrift, start=True)
        typed(monitor, "/abc")
        await until(pilot, lambda: monitor.screen.query_one(Input).value == "abc", "the text")
        await at_rest(pilot)
        answer.set()
        await found.wait()


class Slow:
    """Answers once the event is set."""

    def __init__(self, answer: threading.Event) -> None:
        self._answer = answer

    def to_retry(self, user: Any, run_id: int) -> Any:
        assert self._answer.wait(HANG)
        return Registry.of([probe]).get("system.probe"), a_run(run_id, type="system.probe", context={"parameters": {}})

    def twin(self, *_: Any) -> None:
        return None


async def test_a_run_that_is_joined_opens_no_screen_under_ones_fingers(house: LiveHarness, failed: Run) -> None:
    async with watching(house) as (monitor, pilot):
        dispatcher: Dispatcher = house.dispatcher
        twin = dispatcher.retry(house.users["ann"], failed.id).run
        await until(pilot, lambda: rows(monitor) == [twin.id, failed.id], "both")
        monitor.actions.retry(failed)
        typed(monitor, "\r")
        await until(pilot, lambda: any("joined" in toast for toast in toasts(monitor)), "the receipt")
        assert isinstance(monitor.screen, RunsScreen)
        typed(monitor, "v")
        await until(pilot, lambda: isinstance(monitor.screen, RunScreen) and monitor.screen.run_id == twin.id, "it")


async def test_what_is_pasted_keeps_its_place_among_the_keys() -> None:
    monitor = Monitor(FakeBackend(runs_of_all_states()).backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        typed(monitor, "/")
        monitor.post_message(events.Paste("outcome:"))
        typed(monitor, "failed\r")
        await at_rest(pilot)
        assert monitor.screen.view.terms == "outcome:failed"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "pasted", ["outcome:failed\ntype:x\n", "outcome:failed\r\n\r\n  type:x", "outcome:failed\ttype:x"]
)
async def test_several_lines_that_are_pasted_become_one_and_none_is_taken_for_enter(pasted: str) -> None:
    monitor = Monitor(FakeBackend(runs_of_all_states()).backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        typed(monitor, "/x ")
        monitor.post_message(events.Paste(pasted))
        await at_rest(pilot)
        edit = monitor.screen.query_one(FilterInput)
        assert edit.has_focus
        assert edit.value == "x outcome:failed type:x"
        monitor.post_message(events.Paste(" "))
        await at_rest(pilot)
        assert edit.value == "x outcome:failed type:x"


async def test_what_is_pasted_into_a_list_of_texts_are_its_texts() -> None:
    monitor = Monitor(FakeBackend(runs_of_all_states()).backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        monitor.push_screen(FormScreen(Registry.of([many_names]).get("test.many")))
        await until(pilot, lambda: isinstance(monitor.screen, FormScreen), "the form")
        field = monitor.screen.query_one(LineInput)
        assert field.has_focus
        monitor.post_message(events.Paste("one\ntwo\n"))
        await at_rest(pilot)
        assert field.value == "one, two"


@operation("test.many", label="Many names")
def many_names(run: RunContext, names: tuple[str, ...]) -> None:
    """Take names."""


async def test_a_paste_beside_a_field_does_nothing_and_says_so() -> None:
    stage = FakeBackend(runs_of_all_states())
    monitor = Monitor(stage.backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        monitor.post_message(events.Paste("rrAq\nq"))
        await until(pilot, lambda: any("A paste goes into a field" in toast for toast in toasts(monitor)), "that")
        await at_rest(pilot)
        assert isinstance(monitor.screen, RunsScreen)


async def test_a_thousand_keys_are_handled_in_order(house: LiveHarness) -> None:
    async with watching(house) as (monitor, pilot):
        text = "".join(chr(ord("a") + number % 26) for number in range(1000))
        typed(monitor, f"/{text}")
        await at_rest(pilot)
        assert monitor.screen.query_one(Input).value == text
