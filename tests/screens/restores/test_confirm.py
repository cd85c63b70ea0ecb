"""The confirmation of a restore: its impact, what is ticked and typed, what is refused, and one whole way over a database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from textual.widgets import Button, Input, Static

from screens.monitor import Monitor
from screens.restores.confirm import ExecuteScreen
from screens.restores.history import RestoresScreen
from screens.restores.restore import RestoreScreen
from screens.widgets.checkbox import Check
from store.intune import restore_mappings, restores
from store.intune.restore_mappings import Decision
from store.intune.restore_page import RestoreWanted
from store.intune.restore_records import Restore, RestoreItem, RestoreState
from store.model.records import Status
from store.people.access import Membership, Role
from store.runs import lifecycle, restoring
from store.runs.restoring import Confirmation
from tests.screens.conftest import AT, CONTOSO, HOSTILE, LiveHarness, ago, polls, running, toasts, until
from tests.screens.pictures import Picture
from tests.screens.restores.driving import above, calls, is_clean, last_toast, opened, pressed, question
from tests.screens.restores.impacts import ITEMS, RESTORE, WANTING, an_item
from tests.screens.restores.stage import (
    READY,
    Changes,
    RestoresBackend,
    detail_of,
    stage,
)
from tests.store.intune.test_backups import item
from tests.support import people
from tests.support import restoring as preparing

pytestmark = pytest.mark.anyio

#: The keys from the list of runs to the confirmation of restore 10, and to the name of its tenant, all ticked.
TO_CONFIRM = ("X", *"jjjj", "enter", "E")
REVIEWED = (*TO_CONFIRM, "space", "tab")


def confirming(items: tuple[RestoreItem, ...] = ITEMS, restore: Restore = RESTORE, **changed: Any) -> RestoresBackend:
    """A backend on which restore 10 has these items."""
    found = detail_of(replace(READY, restore=restore))
    changes = Changes(reviewed={10: (restore, items)})
    return stage((RestoreWanted(10), found), changes=changes, **changed)


def changed_to(state: RestoresBackend, restore: Restore, items: tuple[RestoreItem, ...] = ITEMS) -> None:
    """Somebody changes restore 10."""
    state.restores[RestoreWanted(10)] = detail_of(replace(READY, restore=restore))
    state.restore_changes.reviewed[10] = (restore, items)


def seen(monitor: Monitor, where: str) -> str:
    return str(monitor.screen.query_one(where, Static).render())


def button(monitor: Monitor) -> str:
    found = monitor.screen.query_one(Button)
    return f"{'dimmed: ' if found.has_class('dimmed') else ''}{found.label}"


def tick(monitor: Monitor, where: str) -> Check:
    return monitor.screen.query_one(where, Check)


def seen_screen(monitor: Monitor) -> type:
    return type(monitor.screen)


async def test_the_impact_is_told_in_words() -> None:
    async with running(Monitor(confirming().backend()), (120, 40)) as pilot:
        monitor = await opened(pilot, *TO_CONFIRM)
        impact = seen(monitor, "#impact")
        for words in (
            "30 will be made, 3 changed, 4 left as they are, 1 skipped, 0 blocked.",
            "Assignments: 63 kept, 3 skipped, 3 failed.",
            "Reaches everybody in Contoso Ltd: no.",
            "Before the first write, a backup set is made of the 3 objects it overwrites.",
            "previewed 4m ago",
        ):
            assert words in impact
        assert seen(monitor, "#named") == "Type the name of the tenant: Contoso Ltd"


async def test_a_dry_run_is_executed_once_it_is_reviewed_and_named() -> None:
    state = confirming()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_CONFIRM)
        assert (monitor.focused, button(monitor)) == (tick(monitor, "#reviewed"), "dimmed: Execute as a dry run")
        assert seen(monitor, "#why") == "Tick 'I reviewed the impact'."
        await pressed(pilot, "space")
        assert seen(monitor, "#why") == "Type the name of the tenant exactly."
        await pressed(pilot, "tab", *"contoso ltd", "enter")
        assert (last_toast(monitor), state.dispatches.executed) == ("Type the name of the tenant exactly.", [])
        await pressed(pilot, "ctrl+u", *"Contoso Ltd")
        assert (button(monitor), seen(monitor, "#why")) == ("Execute as a dry run", "")
        await pressed(pilot, "enter")
        assert state.dispatches.executed == [
            (10, Confirmation("Contoso Ltd", True, True, RESTORE.previewed_at), 24 * 3600)
        ]
        assert isinstance(monitor.screen, RestoreScreen)
        assert calls(state) == []


async def test_it_writes_only_when_the_dry_run_is_switched_off() -> None:
    state = confirming()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_CONFIRM, "shift+tab", "space")
        assert button(monitor) == "dimmed: Execute: write for real"
        await pressed(pilot, "tab", "space", "tab", *"Contoso Ltd", "tab", "enter")
        assert [one[1].dry_run for one in state.dispatches.executed] == [False]


async def test_a_refusal_is_told_and_what_was_typed_stays() -> None:
    state = confirming()
    state.dispatches.refuses = "restore 10 is running"
    async with running(Monitor(state.backend()), (80, 24)) as pilot:
        monitor = await opened(pilot, *REVIEWED, *"Contoso Ltd", "enter")
        assert seen(monitor, "#note").startswith("Not executed: restore 10 is running")
        assert (monitor.screen.query_one(Input).value, tick(monitor, "#reviewed").value) == ("Contoso Ltd", True)
        state.dispatches.refuses = ""
        await pressed(pilot, "enter")
        assert len(state.dispatches.executed) == 1


async def test_a_tick_is_asked_for_and_given_together_with_the_execution() -> None:
    state = confirming(WANTING[:-1])
    async with running(Monitor(state.backend()), (100, 40)) as pilot:
        monitor = await opened(pilot, *REVIEWED, *"Contoso Ltd")
        assert "Reaches everybody in Contoso Ltd: yes, 1 object." in seen(monitor, "#impact")
        assert seen(monitor, "#means-everybody") == "1 object will reach all users or all devices of Contoso Ltd."
        assert seen(monitor, "#why") == "Give the tick that it wants, or leave these objects out."
        assert not tick(monitor, "#tick-downgrade").parent.has_class("shown")  # type: ignore[union-attr]
        tick(monitor, "#tick-everybody").focus()
        await pressed(pilot, "space", "ctrl+s")
        assert calls(state) == [("tick", 10, ["everybody"])]
        assert len(state.dispatches.executed) == 1


async def test_a_tick_that_changes_what_is_written_wants_another_preview_and_nothing_else() -> None:
    state = confirming(WANTING)
    async with running(Monitor(state.backend()), (100, 40)) as pilot:
        monitor = await opened(pilot, *TO_CONFIRM)
        assert seen(monitor, "#means-downgrade").endswith("Another preview shows it.")
        tick(monitor, "#tick-downgrade").focus()
        await pressed(pilot, "space")
        assert button(monitor) == "Agree, to preview it again"
        await pressed(pilot, "ctrl+s")
        assert calls(state) == [("tick", 10, ["downgrade"])]
        assert last_toast(monitor) == (
            "You agreed to security baselines that become plain policies: that changes what is written, "
            "so p previews it again."
        )
        assert (type(monitor.screen), state.dispatches.executed) == (RestoreScreen, [])


async def test_another_impact_is_reviewed_again() -> None:
    state = confirming()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *REVIEWED, *"Contoso Ltd")
        changed_to(state, replace(RESTORE, updated_at=AT, previewed_at=ago(5)), ITEMS[:-2])
        await polls(pilot)
        await until(pilot, lambda: not tick(monitor, "#reviewed").value, "that the review is taken back")
        assert "3 left as they are" in seen(monitor, "#impact")
        await pressed(pilot, "enter")
        assert (last_toast(monitor), state.dispatches.executed) == ("Tick 'I reviewed the impact'.", [])


async def test_a_change_that_no_poll_has_seen_is_refused() -> None:
    state = confirming()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *REVIEWED, *"Contoso Ltd")
        state.restore_changes.reviewed[10] = (replace(RESTORE, previewed_at=ago(1)), ITEMS)
        await pilot.press("enter")
        await until(pilot, lambda: "has changed meanwhile" in seen(monitor, "#note"), "the refusal")
        assert state.dispatches.executed == []


@pytest.mark.parametrize(
    ("restore", "items", "why"),
    [
        (replace(RESTORE, previewed_at=ago(25 * 3600)), ITEMS, "The preview is 25 h old: esc, and p makes another."),
        (RESTORE, (*ITEMS, an_item(50, "ambiguous")), "1 object blocked: esc, and b shows them."),
        (RESTORE, ITEMS[-1:], "Every object is left out: there is nothing to restore."),
    ],
)
async def test_what_is_in_the_way_is_said(restore: Restore, items: tuple[RestoreItem, ...], why: str) -> None:
    state = confirming(items, restore)
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *REVIEWED, *"Contoso Ltd", "enter")
        assert (seen(monitor, "#why"), last_toast(monitor), state.dispatches.executed) == (why, why, [])


async def test_a_restore_that_was_executed_by_somebody_else_is_executed_no_more() -> None:
    state = confirming()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *REVIEWED, *"Contoso Ltd")
        changed_to(state, replace(RESTORE, status=RestoreState.QUEUED))
        await polls(pilot)
        await pressed(pilot, "enter")
        assert last_toast(monitor) == "Restore 10 is queued, and not previewed any more."
        state.restores.pop(RestoreWanted(10))
        await polls(pilot)
        assert seen(monitor, "#impact").startswith("There is no restore 10 any more")
        assert state.dispatches.executed == []


@pytest.mark.parametrize("role", [Role.READONLY, Role.OPERATOR])
async def test_who_may_not_restore_is_told_so_also_when_the_right_is_taken_away_later(role: Role) -> None:
    wants = "You may look at contoso, not restore into it: that wants the role manager."
    state = confirming()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *REVIEWED, *"Contoso Ltd")
        state.members = (Membership(CONTOSO, role),)
        await polls(pilot)
        await pressed(pilot, "enter")
        assert (last_toast(monitor), state.dispatches.executed) == (wants, [])
        await pressed(pilot, "escape", "enter", "E")
        assert isinstance(monitor.screen, RestoreScreen)
        assert last_toast(monitor) == wants


@pytest.mark.parametrize(
    ("down", "key", "reason"),
    [
        (2, "E", "Restore 12 is not previewed: p previews it."),
        (5, "E", "Restore 9 is under way: run 909 carries it out."),
        (5, "e", "Restore 9 is under way: run 909 carries it out."),
        (6, "e", "Restore 8 waits for approval: C goes on with it."),
        (8, "e", "Restore 6 was executed: r on its backup set plans another one."),
    ],
)
async def test_keys_that_cannot_be_used_yet_say_why(down: int, key: str, reason: str) -> None:
    async with running(Monitor(stage().backend())) as pilot:
        monitor = await opened(pilot, "X", *"j" * down, "enter", key)
        assert (type(monitor.screen), last_toast(monitor)) == (RestoreScreen, reason)


async def test_esc_asks_before_what_was_ticked_is_lost() -> None:
    async with running(Monitor(confirming().backend())) as pilot:
        monitor = await opened(pilot, *TO_CONFIRM, "escape")
        assert seen_screen(monitor) is RestoreScreen, "nothing was ticked"
        await pressed(pilot, "E", "space", "escape")
        assert question(monitor) == "Leave? What was entered is lost."
        await pressed(pilot, "escape")
        assert seen_screen(monitor) is ExecuteScreen
        await pressed(pilot, "escape", "enter", "escape")
        assert seen_screen(monitor) is RestoresScreen


async def test_a_hostile_name_is_shown_harmlessly_and_can_be_typed_as_it_is_shown() -> None:
    restore = replace(RESTORE, tenant_name="Con\x1b[31mtoso", backup_set=HOSTILE, initiator_name=HOSTILE)
    items = (*ITEMS, an_item(50, "create", {"needs": [HOSTILE]}, name=HOSTILE))
    state = confirming(items, restore)
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_CONFIRM)
        is_clean(monitor)
        assert seen(monitor, "#why").startswith("Give the tick")
        is_clean(monitor)
        changed_to(state, replace(restore, updated_at=AT))
        await polls(pilot)
        await pressed(pilot)
        shown = seen(monitor, "#named").split(": ")[1]
        monitor.screen.query_one(Input).value = shown
        tick(monitor, "#reviewed").value = True
        await pressed(pilot, "ctrl+s")
        assert [one[1].tenant_name for one in state.dispatches.executed] == ["Con\x1b[31mtoso"]


# ---- the whole way, both databases


async def test_from_the_form_to_a_queued_dry_run(house: LiveHarness) -> None:
    db = house.db
    house.users["mia"] = user = people.make_user(db, "mia", contoso=Role.MANAGER)
    found = preparing.naming(item("p1", name="Wi-Fi"), g1="Gone")
    set_id = preparing.backup(db, user, "contoso", [found, item("p2", name="VPN")])
    async with running(Monitor(house.backend("mia")), (120, 40)) as pilot:
        monitor = await opened(pilot, "B", "r")
        monitor.screen.query_one("#reason").focus()
        await pressed(pilot, *"ticket 4711", "enter")
        await until(pilot, lambda: isinstance(monitor.screen, RestoreScreen), "the new restore")
        await polls(pilot)
        assert "▸ 3 checks: 1 group not decided on" in above(monitor)
        restore_id = _only_restore(house)
        await pressed(pilot, "E")
        assert "Groups are undecided" in last_toast(monitor)

        restoring.decide(db, user, restore_id, [Decision("g1", "skip", None)])
        await polls(pilot)
        assert "▸ 4 preview: p makes it" in above(monitor)
        preparing.previewed(db, user, restores.visible(db, user, restore_id))
        await polls(pilot)
        assert "▸ 5 confirm: E shows the impact" in above(monitor)
        await pressed(pilot, "E")
        await until(pilot, lambda: "2 will be made" in seen(monitor, "#impact"), "the impact")
        await pressed(pilot, "space", "tab", *restores.visible(db, user, restore_id).tenant_name, "enter")
        await until(pilot, lambda: isinstance(monitor.screen, RestoreScreen), "the execution")
        await polls(pilot)
        assert any("v: view run" in one for one in toasts(monitor)), toasts(monitor)
    done = restores.visible(db, user, restore_id)
    run = lifecycle.get(db, done.run_id or 0)
    assert run
    assert (done.status, done.dry_run, done.backup_set_id, done.reason) == (
        RestoreState.QUEUED, True, set_id, "ticket 4711",
    )  # fmt: skip
    assert (run.status, run.held, run.user_id, run.restore_id) == (Status.QUEUED, False, user.id, restore_id)


def _only_restore(house: LiveHarness) -> int:
    with house.db.read() as connection:
        (found,) = connection.execute(restores.select_restores()).mappings()
        assert restore_mappings.unresolved(connection, found["id"]) == 1
    return int(found["id"])


# ---- pictures


def test_confirmation(picture: Picture) -> None:
    assert picture(confirming(), *TO_CONFIRM, in_ascii=True)


def test_confirmation_with_ticks(picture: Picture) -> None:
    assert picture(confirming(WANTING), *REVIEWED, *"Contoso")


def test_confirmation_that_is_blocked(picture: Picture) -> None:
    assert picture(confirming((*ITEMS, an_item(50, "blocked"))), *TO_CONFIRM, sizes=((80, 24),))


def test_confirmation_that_was_refused(picture: Picture) -> None:
    state = confirming()
    state.dispatches.refuses = "the impact was not reviewed"
    assert picture(state, *REVIEWED, *"Contoso Ltd", "enter", sizes=((80, 24),))


def test_confirmation_on_a_narrow_terminal(picture: Picture) -> None:
    assert picture(confirming(WANTING), *TO_CONFIRM, sizes=((40, 16), (60, 20)))
