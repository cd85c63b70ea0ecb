"""The screens on a real database with a real queue, on both databases: from keys to rows, and from rows to toasts."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from textual.widgets import Input, Static

from screens.inbox.screen import InboxScreen
from screens.monitor import Monitor
from screens.notify.toasts import Toast
from screens.poll.poller import Arrived
from screens.run.screen import RunScreen
from screens.runs.screen import RunsScreen
from screens.start.form import FormScreen
from screens.start.picker import OperationPicker
from screens.tenants.picker import TenantPicker
from screens.widgets.header_lines import Line
from screens.widgets.line_view import LineView
from screens.widgets.row_table import RowTable
from store.errors import Forbidden, QueueUnavailable
from store.model.records import Run
from store.people import access
from store.runs import lifecycle
from store.runs.outcome import failure
from tests.screens.conftest import (
    FakeBackend,
    LiveHarness,
    a_run,
    nobody_dispatches,
    polls,
    running,
    runs_of_all_states,
    toasts,
    told,
    until,
)
from tests.support import people
from tests.support.waiting import HANG

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def watching(house: LiveHarness, login: str) -> AsyncIterator[tuple[Monitor, Any]]:
    monitor = Monitor(house.backend(login))
    async with running(monitor, (120, 40)) as pilot:
        await until(pilot, lambda: monitor.snapshot and "live" in monitor.freshness, "the first snapshot")
        yield monitor, pilot


def rows(monitor: Monitor) -> list[int]:
    return [row.key for row in monitor.screen.query_one(RowTable).rows]


def all_runs(house: LiveHarness) -> list[Run]:
    found = [lifecycle.get(house.db, number) for number in range(1, 400)]
    return [run for run in found if run]


async def open_form(pilot: Any, monitor: Monitor, name: str) -> None:
    monitor.choose_tenant("contoso")
    await pilot.press("s")
    await until(
        pilot, lambda: isinstance(monitor.screen, OperationPicker) and monitor.screen._operations, "the operations"
    )
    await pilot.press(*name, "enter")
    await until(pilot, lambda: isinstance(monitor.screen, FormScreen), "the form")


async def test_two_keys_and_enter_queue_a_run_and_its_initiator_is_told_once(house: LiveHarness) -> None:
    async with watching(house, "ann") as (monitor, pilot):
        await open_form(pilot, monitor, "probe")
        await pilot.press("enter")
        await until(pilot, lambda: rows(monitor) if isinstance(monitor.screen, RunsScreen) else None, "the row")
        await until(pilot, lambda: toasts(monitor), "the toast")
        (run,) = all_runs(house)
        assert (run.type, run.tenant, run.status, run.user_id) == (
            "system.probe",
            "contoso",
            "queued",
            house.users["ann"].id,
        )
        assert house.dispatcher._queue.waiting(9) == [run.id]  # type: ignore[attr-defined]
        worker = people.make_worker(house.db)
        lifecycle.claim(house.db, run.id, worker)
        lifecycle.finish(house.db, run.id, worker, people.SUCCEEDED)
        assert [toast.split(" · ")[0] for toast in toasts(monitor)] == ["Probe queued"]
        ended = ["Probe succeeded"]
        await until(
            pilot, lambda: [toast.split(" · ")[0] for toast in toasts(monitor)] == ended, "the toast of its end"
        )
        await pilot.press("v")
        await until(pilot, lambda: isinstance(monitor.screen, RunScreen) and monitor.screen._detail, "the run")
        assert monitor.screen.run_id == run.id  # type: ignore[attr-defined]
        await until(pilot, lambda: monitor.snapshot and monitor.snapshot.unread == 0, "that both count as read")
    async with watching(house, "ann") as (monitor, pilot):
        await polls(pilot, 3)
        assert toasts(monitor) == [], "what was told is not told again"


async def test_a_form_that_cannot_be_used_stays_and_says_why(house: LiveHarness) -> None:
    async with watching(house, "ann") as (monitor, pilot):
        await open_form(pilot, monitor, "probe")
        field = monitor.screen._fields["items"]  # type: ignore[attr-defined]
        assert isinstance(field, Input)
        field.value = "many"
        await pilot.press("ctrl+s")
        note = monitor.screen.query_one("#under-items", Static)
        await until(pilot, lambda: "whole number" in str(note.render()), "the reason")
        assert isinstance(monitor.screen, FormScreen)
        assert all_runs(house) == []


async def test_a_twin_is_said_before_enter_and_joined_after(house: LiveHarness) -> None:
    ann = house.users["ann"]
    twin = house.dispatcher.start(ann, "contoso", "system.probe", {}).run
    async with watching(house, "ann") as (monitor, pilot):
        await open_form(pilot, monitor, "probe")
        note = monitor.screen.query_one("#note", Static)
        await until(pilot, lambda: f"Run {twin.id} by" in str(note.render()), "the twin")
        await pilot.press("enter")
        await until(pilot, lambda: any("joined" in toast for toast in toasts(monitor)), "the receipt")
    assert [run.id for run in all_runs(house)] == [twin.id]


async def test_what_cannot_be_queued_is_said_to_be_failed(house: LiveHarness) -> None:
    class Refuses:
        def send(self, run_id: int) -> None:
            raise QueueUnavailable("the queue refused the message")

    house.dispatcher._queue = Refuses()
    async with watching(house, "ann") as (monitor, pilot):
        await open_form(pilot, monitor, "probe")
        await pilot.press("enter")
        await until(pilot, lambda: any("could not be queued" in toast for toast in toasts(monitor)), "the receipt")
    (run,) = all_runs(house)
    assert (run.status, run.failure_summary[0].code) == ("completed", "queue.dispatch_failed")


async def test_retry_links_to_the_run_that_it_retries(house: LiveHarness) -> None:
    old = house.dispatcher.start(house.users["ann"], "contoso", "system.probe", {"items": 3}).run
    lifecycle.fail_dispatch(house.db, old.id, failure("operation.error"))
    async with watching(house, "ann") as (monitor, pilot):
        await until(pilot, lambda: rows(monitor) == [old.id], "the run")
        await pilot.press("r", "enter")
        await until(pilot, lambda: isinstance(monitor.screen, RunsScreen) and len(rows(monitor)) == 2, "the retry")
    new = all_runs(house)[-1]
    assert (new.retry_of_id, new.parameters, new.user_id) == (old.id, old.parameters, house.users["ann"].id)


async def test_a_run_that_is_not_completed_cannot_be_retried_and_the_key_says_why(house: LiveHarness) -> None:
    run = house.dispatcher.start(house.users["ann"], "contoso", "system.probe", {}).run
    async with watching(house, "ann") as (monitor, pilot):
        await until(pilot, lambda: rows(monitor) == [run.id], "the run")
        assert monitor.screen.check_action("retry", ()) is None, "shown dimmed"
        await pilot.press("r")
        await until(pilot, lambda: any("only a completed run" in toast for toast in toasts(monitor)), "the reason")
    assert len(all_runs(house)) == 1


async def test_a_readonly_member_starts_and_retries_nothing(house: LiveHarness) -> None:
    run = people.end_run(
        house.db,
        people.open_run(house.db, access.require_right(house.db, house.users["ann"], "contoso", access.Right.VIEW)),
    )
    async with watching(house, "ron") as (monitor, pilot):
        await until(pilot, lambda: rows(monitor) == [run.id], "the run")
        await pilot.press("r")
        await until(pilot, lambda: any("You may look at contoso" in toast for toast in toasts(monitor)), "the reason")
        await pilot.press("s")
        await until(pilot, lambda: any("may not start" in toast for toast in toasts(monitor)), "the reason")
        assert isinstance(monitor.screen, RunsScreen)
        # The screens only mirror what is checked below them.
        with pytest.raises(Forbidden):
            house.dispatcher.retry(house.users["ron"], run.id)
    assert len(all_runs(house)) == 1


async def test_who_is_no_member_finds_nothing(house: LiveHarness) -> None:
    run = house.dispatcher.start(house.users["ann"], "contoso", "system.probe", {}).run
    async with watching(house, "nob") as (monitor, pilot):
        await polls(pilot, 3)
        assert rows(monitor) == []
        monitor.navigator.run(run.id)
        detail = await until(pilot, lambda: monitor.screen.query("#detail"), "the screen of the run")
        await until(pilot, lambda: "not yours to see" in detail.first(LineView).text, "that there is none")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(monitor.screen, RunsScreen), "the list")
        await pilot.press("t")
        await until(pilot, lambda: isinstance(monitor.screen, TenantPicker), "the tenants")
        assert [option.id for option in monitor.screen.query_one("OptionList").options] == ["-"]  # type: ignore[attr-defined]


async def test_the_tenant_narrows_the_list(house: LiveHarness) -> None:
    for slug in ("contoso", "fabrikam"):
        house.dispatcher.start(house.users["ann"], slug, "system.probe", {})
    async with watching(house, "ann") as (monitor, pilot):
        await until(pilot, lambda: len(rows(monitor)) == 2, "both")
        await pilot.press("t")
        await until(pilot, lambda: isinstance(monitor.screen, TenantPicker), "the tenants")
        await pilot.press("j", "j", "enter")
        await until(pilot, lambda: isinstance(monitor.screen, RunsScreen) and len(rows(monitor)) == 1, "one")
        assert "fabrikam" in monitor.screen.query_one("#header", Line).text


async def test_membership_that_ends_takes_the_rows_away(house: LiveHarness) -> None:
    house.dispatcher.start(house.users["ann"], "contoso", "system.probe", {})
    async with watching(house, "ron") as (monitor, pilot):
        await until(pilot, lambda: len(rows(monitor)) == 1, "the run")
        with house.db.write() as connection:
            connection.exec_driver_sql("DELETE FROM memberships WHERE role = 'readonly'")
        await until(pilot, lambda: rows(monitor) == [], "nothing")


async def test_the_inbox_is_cleared(house: LiveHarness) -> None:
    house.dispatcher.start(house.users["ann"], "contoso", "system.probe", {})
    async with watching(house, "ann") as (monitor, pilot):
        await pilot.press("n")
        await until(pilot, lambda: isinstance(monitor.screen, InboxScreen) and monitor.screen._shown, "the inbox")
        await pilot.press("c", "enter")
        await until(pilot, lambda: monitor.snapshot and monitor.snapshot.unread == 0, "all read")


async def test_a_wrong_filter_says_where_and_keeps_the_old_one(house: LiveHarness) -> None:
    house.dispatcher.start(house.users["ann"], "contoso", "system.probe", {})
    async with watching(house, "ann") as (monitor, pilot):
        await pilot.press("slash", *"status:completed", "enter")
        await until(pilot, lambda: rows(monitor) == [], "the filtered list")
        await pilot.press("slash", *"x", "enter")
        await until(pilot, lambda: any("is no status" in toast for toast in toasts(monitor)), "the reason")
        assert monitor.screen.view.terms == "status:completed"  # type: ignore[attr-defined]
        await pilot.press("escape")
        await until(pilot, lambda: monitor.screen.query_one(RowTable).has_focus, "the table")
        await pilot.press("escape")
        await until(pilot, lambda: len(rows(monitor)) == 1, "the whole list")


# ---- on crafted snapshots


@asynccontextmanager
async def staged(stage: FakeBackend, size: tuple[int, int] = (100, 30)) -> AsyncIterator[tuple[Monitor, Any]]:
    monitor = Monitor(stage.backend())
    async with running(monitor, size) as pilot:
        await until(pilot, lambda: monitor.snapshot or stage.away, "the first snapshot")
        yield monitor, pilot


async def test_a_database_that_goes_away_is_said_once_and_once_that_it_is_back() -> None:
    stage = FakeBackend(runs_of_all_states())
    async with staged(stage) as (monitor, pilot):
        stage.away = "gone"
        await until(pilot, lambda: "stale" in monitor.screen.query_one("#header", Line).text, "stale")
        await polls(pilot, 3)
        assert len(rows(monitor)) == 6, "the last rows stay"
        assert len(toasts(monitor)) == 1
        stage.away = ""
        await until(pilot, lambda: "live" in monitor.screen.query_one("#header", Line).text, "live")
        assert len(toasts(monitor)) == 2


async def test_many_notifications_at_once_are_counted() -> None:
    stage = FakeBackend(runs_of_all_states(), inbox=(told(1, 993),))
    async with staged(stage) as (monitor, pilot):
        stage.inbox = (*(told(id_, 900 + id_) for id_ in range(20, 1, -1)), told(1, 993))
        await until(pilot, lambda: len(toasts(monitor)) == 5, "five toasts")
        assert "15 more" in toasts(monitor)[0]


async def test_a_notification_that_becomes_visible_late_is_told_all_the_same() -> None:
    stage = FakeBackend(runs_of_all_states(), inbox=(told(1, 990),))
    async with staged(stage) as (monitor, pilot):
        stage.inbox = (told(5, 991), *stage.inbox)
        await until(pilot, lambda: len(toasts(monitor)) == 1, "the first")
        stage.inbox = (stage.inbox[0], told(4, 992, title="late"), *stage.inbox[1:])
        await until(pilot, lambda: len(toasts(monitor)) == 2, "the late one")
        assert "late" in toasts(monitor)[-1]


async def test_escape_never_quits() -> None:
    async with staged(FakeBackend(runs_of_all_states())) as (monitor, pilot):
        for _ in range(3):
            await pilot.press("escape")
            await pilot.pause()
        assert monitor.is_running
        assert isinstance(monitor.screen, RunsScreen)


async def test_help_lists_exactly_the_bindings_of_the_screen() -> None:
    from screens.key_words import keys_of

    async with staged(FakeBackend(runs_of_all_states())) as (monitor, pilot):
        listed = {one.keys: (one.words, one.group) for one in keys_of(monitor.screen)}
        for keys, words in {
            "s": ("Start an operation", "Act"),
            "r": ("Retry the run, or all marked ones", "Act"),
            "space": ("Mark the run", "Act"),
            "p": ("Pause or resume polling", "Look"),
            "/": ("Filter the runs", "Look"),
            ": ^k ^p": ("Palette of commands", "Elsewhere"),
            "0 to 5": ("Tab of that number", "Move"),
            "f1 to f9": ("Saved view of that number", "Look"),
            "l → tab": ("Next tab", "Move"),
            "q ^q": ("Quit opsmon", "Elsewhere"),
        }.items():
            assert listed[keys] == words
        await pilot.press("question_mark")
        await until(pilot, lambda: len(monitor.screen_stack) == 3, "the help")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(monitor.screen, RunsScreen), "the list")


async def test_the_table_is_drawn_anew_at_every_size() -> None:
    async with staged(FakeBackend(runs_of_all_states())) as (monitor, pilot):
        for size in ((60, 20), (140, 40), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert len(rows(monitor)) == 6


async def test_a_poll_that_changes_nothing_paints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = FakeBackend(tuple(a_run(id_) for id_ in range(990, 950, -1)))
    async with staged(stage) as (_, pilot):
        await polls(pilot, 2)
        painted: list[object] = []
        monkeypatch.setattr(RowTable, "refresh", lambda self, *a, **k: painted.append(a))
        await polls(pilot, 4)
        assert painted == []
        stage.runs = (*stage.runs[:7], replace(stage.runs[7], label="changed"), *stage.runs[8:])
        await until(pilot, lambda: painted, "one line")
        assert len(painted) == 1


async def test_a_snapshot_that_is_older_than_what_is_shown_is_dropped() -> None:
    stage = FakeBackend((a_run(15), a_run(14)))
    async with staged(stage) as (monitor, pilot):
        monitor.data.poller.stop()
        await pilot.pause()
        request = monitor.data.poller.request

        def comes(generation: int) -> None:
            monitor._polled(Monitor.Polled(Arrived(generation, stage.fetch(request))))

        comes(1000)
        stage.runs = (a_run(13),)
        comes(999)
        assert rows(monitor) == [15, 14]
        comes(1001)
        assert rows(monitor) == [13]


async def test_a_toast_has_nothing_that_a_terminal_obeys() -> None:
    async with staged(FakeBackend(runs_of_all_states())) as (monitor, pilot):
        monitor.toast(Toast("one\x1b]0;x\x07\ntwo\u202e", "\x9bthree"))
        await until(pilot, lambda: toasts(monitor), "the toast")
        assert toasts(monitor)[-1] == "�three · one␛]0;x␇  two�"


async def test_a_screen_that_was_left_hears_no_more_of_what_it_asked_for() -> None:
    """The answer comes when its widgets are gone."""
    stage, go_on = FakeBackend(runs_of_all_states()), threading.Event()

    def slow() -> Any:
        assert go_on.wait(HANG)
        return nobody_dispatches()

    monitor = Monitor(stage.backend(slow))
    async with running(monitor) as pilot:
        await pilot.press("s")
        await until(pilot, lambda: isinstance(monitor.screen, OperationPicker), "the operations' screen")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(monitor.screen, RunsScreen), "the list")
        go_on.set()
        await until(pilot, lambda: monitor.backend.background.wait(0), "the answer")
        assert monitor.is_running
        assert toasts(monitor) == []
