"""Acknowledging and watching: from the list and from a run's screen, what may not be, and what others did in between."""

from __future__ import annotations

from typing import Any, cast

import pytest

from screens.attending import told
from screens.dialogs.acknowledge import AcknowledgeModal
from screens.monitor import Monitor
from screens.notify.toasts import Toast
from screens.run.screen import RunScreen
from screens.runs.screen import RunsScreen
from screens.widgets.row_table import RowTable
from store.model.records import Acknowledgement, Outcome, Status
from store.people.access import Membership, Role, memberships_of
from store.runs import acknowledging, watching
from store.runs.acknowledging import Receipt, Verdict
from tests.screens.conftest import (
    HOSTILE,
    FakeBackend,
    LiveHarness,
    a_run,
    ago,
    polls,
    running,
    screen_lines,
    toasts,
    until,
)  # fmt: skip
from tests.support import people

pytestmark = pytest.mark.anyio

FAILED = a_run(995, Outcome.FAILED)
PARTIAL = a_run(994, Outcome.PARTIALLY_SUCCEEDED)
FINE = a_run(993)
THEIRS = a_run(992, Outcome.PENDING, Status.RUNNING, user_id=2, initiator_name="Bob Berg")
MINE = a_run(991, Outcome.PENDING, Status.QUEUED)
FOREIGN = a_run(990, Outcome.FAILED, tenant="fabrikam", tenant_id=2)
SEEN_TO = a_run(989, Outcome.FAILED, acknowledged_at=ago(60))
ALL = (FAILED, PARTIAL, FINE, THEIRS, MINE, FOREIGN, SEEN_TO)


async def on(pilot: Any, run_id: int) -> RowTable:
    """The list, with the cursor on the run."""
    table = pilot.app.screen.query_one(RowTable)
    await until(pilot, lambda: pilot.app.screen.painted_run)
    while table.cursor_key != run_id:
        await pilot.press("j")
    await until(pilot, lambda: table.painted_key == run_id)
    return cast("RowTable", table)


async def test_the_run_under_the_cursor_is_acknowledged_with_a_note() -> None:
    stage = FakeBackend(ALL)
    monitor = Monitor(stage.backend())
    async with running(monitor, (80, 24)) as pilot:
        await on(pilot, 994)
        await pilot.press("a", *"seen", "enter")
        await until(pilot, lambda: stage.acknowledged)
        assert stage.acknowledged == [((994,), "seen")]
        await until(pilot, lambda: "Run 994 acknowledged." in toasts(monitor))
        assert isinstance(monitor.screen, RunsScreen)


async def test_a_note_is_not_needed_and_esc_acknowledges_nothing() -> None:
    stage = FakeBackend(ALL)
    monitor = Monitor(stage.backend())
    async with running(monitor, (80, 24)) as pilot:
        await on(pilot, 995)
        await pilot.press("a", *"qn", "escape", "enter")
        assert isinstance(monitor.screen, RunsScreen)
        await pilot.press("a", "enter")
        await until(pilot, lambda: stage.acknowledged)
        assert stage.acknowledged == [((995,), "")]


async def test_all_that_are_marked_at_once_and_the_marks_are_gone_only_then() -> None:
    stage = FakeBackend(ALL)
    monitor = Monitor(stage.backend())
    async with running(monitor, (80, 24)) as pilot:
        await on(pilot, 995)
        await pilot.press("space", "space", "a", "escape")
        assert any("2 marked" in line for line in screen_lines(monitor))
        await pilot.press("a", "enter")
        await until(pilot, lambda: stage.acknowledged == [((995, 994), "")])
        await until(pilot, lambda: not any("2 marked" in line for line in screen_lines(monitor)))
        assert "2 runs acknowledged." in toasts(monitor)


async def test_one_that_is_acknowledged_is_asked_about_and_taken_back() -> None:
    stage = FakeBackend(ALL)
    monitor = Monitor(stage.backend())
    async with running(monitor, (80, 24)) as pilot:
        await on(pilot, 989)
        await pilot.press("a", "escape")
        assert not stage.taken_back
        await pilot.press("a", "enter")
        await until(pilot, lambda: stage.taken_back == [989])
        await until(pilot, lambda: "Run 989 no longer acknowledged." in toasts(monitor))


@pytest.mark.parametrize(
    ("run_id", "key", "why"),
    [
        (993, "a", "Run 993 succeeded: only what went wrong is acknowledged."),
        (992, "a", "Run 992 is running: only what went wrong is acknowledged."),
        (990, "a", "You may look at fabrikam, not acknowledge its runs."),
        (991, "W", "Run 991 is yours: you are told of its end anyway."),
        (995, "W", "Run 995 has ended: what is queued or runs can be watched."),
    ],
)
@pytest.mark.parametrize("opened", [False, True])
async def test_what_cannot_be_says_why(run_id: int, key: str, why: str, opened: bool) -> None:
    stage = FakeBackend(ALL)
    monitor = Monitor(stage.backend())
    async with running(monitor, (80, 24)) as pilot:
        await on(pilot, run_id)
        if opened:
            await pilot.press("enter")
            await polls(pilot)
        await pilot.press(key)
        await until(pilot, lambda: why in toasts(monitor))
        assert not isinstance(monitor.screen, AcknowledgeModal)
        assert not stage.watches


async def test_a_colleagues_run_is_watched_and_then_no_longer() -> None:
    stage = FakeBackend(ALL)
    monitor = Monitor(stage.backend())
    async with running(monitor, (80, 24)) as pilot:
        await on(pilot, 992)
        await pilot.press("W")
        await until(pilot, lambda: stage.watches == {992})
        await until(pilot, lambda: "You watch run 992: you will be told of its end." in toasts(monitor))
        await pilot.press("W")
        await until(pilot, lambda: not stage.watches)
        await until(pilot, lambda: "You no longer watch run 992." in toasts(monitor))


async def test_a_runs_screen_says_who_has_seen_to_it_and_that_one_watches() -> None:
    known = Acknowledgement(989, 2, "bob", HOSTILE, ago(60), HOSTILE)
    stage = FakeBackend((SEEN_TO,), detail={"acknowledgement": known})
    monitor = Monitor(stage.backend())
    async with running(monitor, (140, 40)) as pilot:
        await on(pilot, 989)
        await pilot.press("enter")
        await until(pilot, lambda: any("Acknowledged by" in line for line in screen_lines(monitor)))
        assert "\x1b" not in "".join(screen_lines(monitor))


async def test_the_note_stays_when_the_database_is_away() -> None:
    stage = FakeBackend(ALL)
    monitor = Monitor(stage.backend())
    async with running(monitor, (80, 24)) as pilot:
        await on(pilot, 995)
        await pilot.press("a", *"seen")
        stage.away = "no route"
        await pilot.press("enter")
        await until(pilot, lambda: any("no route" in line for line in screen_lines(monitor)))
        stage.away = ""
        await pilot.press("enter")
        await until(pilot, lambda: stage.acknowledged == [((995,), "seen")])


def test_receipts_of_many_are_told_in_two_lines() -> None:
    receipts = [
        Receipt(1, Verdict.DONE, ""),
        Receipt(2, Verdict.ALREADY, f"run 2 is acknowledged already, by {HOSTILE}"),
        Receipt(3, Verdict.NOT_FAILED, "run 3 went well"),
    ]
    toast = told(receipts)
    first, second = toast.text.split("\n")
    assert first == "Run 1 acknowledged."
    assert second.startswith("Run 2 is acknowledged already, by ")
    assert second.endswith("1 more are not, either.")
    assert "\x1b" not in second
    assert toast.severity == "warning"


# ---- on a database


async def test_a_colleague_was_quicker_and_is_named(house: LiveHarness) -> None:
    bob = people.make_user(house.db, "bob", contoso=Role.OPERATOR)
    tenant = next(one.tenant for one in read_members(house, "ann") if one.tenant.slug == "contoso")
    run = people.end_run(house.db, people.start_run(house.db, tenant), people.FAILED)
    monitor = Monitor(house.backend("ann"))
    async with running(monitor, (80, 24)) as pilot:
        await on(pilot, run.id)
        await pilot.press("a")
        assert isinstance(monitor.screen, AcknowledgeModal)
        acknowledging.acknowledge(house.db, bob, [run.id], "mine")
        await pilot.press(*"late", "enter")
        await until(pilot, lambda: toasts(monitor))
        assert "acknowledged already, by bob" in toasts(monitor)[0]
        await pilot.press("5")
        empty = "Nothing failed that nobody has seen to."
        await until(pilot, lambda: any(empty in line for line in screen_lines(monitor)))
        await pilot.press("1")
        await on(pilot, run.id)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(monitor.screen, RunScreen))
        await until(pilot, lambda: any(line.rstrip().endswith(": mine") for line in screen_lines(monitor)))


async def test_a_readonly_member_acknowledges_nothing(house: LiveHarness) -> None:
    tenant = next(one.tenant for one in read_members(house, "ron") if one.tenant.slug == "contoso")
    run = people.end_run(house.db, people.start_run(house.db, tenant), people.FAILED)
    monitor = Monitor(house.backend("ron"))
    async with running(monitor, (80, 24)) as pilot:
        await on(pilot, run.id)
        await pilot.press("a")
        await until(pilot, lambda: any("You may look at contoso" in one for one in toasts(monitor)))


async def test_a_watch_is_kept_and_shown(house: LiveHarness) -> None:
    tenant = next(one.tenant for one in read_members(house, "ann") if one.tenant.slug == "contoso")
    run = people.start_run(house.db, tenant, house.users["ron"])
    monitor = Monitor(house.backend("ann"))
    async with running(monitor, (80, 24)) as pilot:
        await on(pilot, run.id)
        await pilot.press("enter")
        await until(pilot, lambda: any("Started by" in line for line in screen_lines(monitor)))
        await pilot.press("W")
        await until(pilot, lambda: any("You watch this run." in line for line in screen_lines(monitor)))
        await pilot.press("W")
        await until(pilot, lambda: not any("You watch this run." in line for line in screen_lines(monitor)))
        assert any("no longer watch" in one for one in toasts(monitor))


async def test_of_two_sessions_one_tells_the_end(house: LiveHarness) -> None:
    tenant = next(one.tenant for one in read_members(house, "ann") if one.tenant.slug == "contoso")
    run = people.start_run(house.db, tenant, house.users["ron"])
    watching.watch(house.db, house.users["ann"].id, run.id)
    first, second = Monitor(house.backend("ann")), Monitor(house.backend("ann"))
    async with running(first, (80, 24)) as pilot, running(second, (80, 24)) as other:
        await until(pilot, lambda: first.snapshot)
        await until(other, lambda: second.snapshot)
        people.end_run(house.db, run, people.FAILED)
        await polls(pilot, 2)
        await polls(other, 2)
        await until(pilot, lambda: [*toasts(first), *toasts(second)])
        for one in (pilot, other):
            await until(one, lambda one=one: one.app.backend.background.wait(0))  # type: ignore[misc]
            await polls(one)
        told_of = [one for one in [*toasts(first), *toasts(second)] if f"run {run.id}" in one]
        assert len(told_of) == 1, told_of
        assert not second.snapshot or not second.snapshot.recent_notifications


def read_members(house: LiveHarness, login: str) -> tuple[Membership, ...]:
    return memberships_of(house.db, house.users[login].id)


async def test_the_toasts_of_one_run_replace_one_another() -> None:
    monitor = Monitor(FakeBackend(ALL).backend())
    async with running(monitor, (80, 24)):
        for title in ("Probe queued", "Probe runs", "Probe failed"):
            monitor.toast(Toast("contoso: …\nv: view run 5", title, run_id=5))
        monitor.toast(Toast("contoso: …\nv: view run 6", "Probe queued", run_id=6))
        assert [one.partition(" · ")[0] for one in toasts(monitor)] == ["Probe failed", "Probe queued"]
