"""What the keys of the restores' screens do, what they ask first, and why they are dimmed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from textual.widgets import OptionList

from screens.monitor import Monitor
from screens.restores.candidates import CandidatesModal
from screens.restores.history import RestoresScreen
from screens.restores.restore import RestoreScreen
from screens.run.screen import RunScreen
from store.intune.restore_numbers import Numbers
from store.intune.restore_page import RestoreItemWanted, RestoresWanted, RestoreWanted
from store.intune.restore_records import RestoreState
from store.model.records import Status
from store.people.access import Membership, Role
from tests.screens.conftest import (
    CONTOSO,
    a_run,
    polls,
    running,
    until,
)
from tests.screens.restores.driving import (
    asked,
    calls,
    last_toast,
    opened,
    pressed,
    question,
)
from tests.screens.restores.stage import (
    HISTORY,
    PREVIEWED,
    Changes,
    a_restore,
    a_runs_state,
    an_item,
    detail_of,
    stage,
)

pytestmark = pytest.mark.anyio

#: The keys from the list of runs to a previewed restore.
TO_RESTORE = ("X", "j", "j", "j", "enter")
LOOKS = (Membership(CONTOSO, Role.OPERATOR),)


@pytest.mark.parametrize(
    ("down", "key", "asks", "done"),
    [
        (2, "p", "Preview restore 12 into contoso? It writes nothing there.", ("preview", 12)),
        (7, "p", "Preview restore 7 into contoso? It writes nothing there.", ("preview", 7)),
        (6, "C", "Go on with restore 8? It writes to contoso what is approved.", ("continue", 8)),
    ],
)
async def test_what_a_worker_does_is_asked_once_and_started(
    down: int, key: str, asks: str, done: tuple[str, int]
) -> None:
    state = stage()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, "X", *"j" * down, key)
        assert (question(monitor), state.dispatches.started) == (asks, [])
        await pressed(pilot, "escape", key, "enter")
        assert state.dispatches.started == [done]
        assert isinstance(monitor.screen, RestoresScreen)


async def test_a_preview_is_discarded_once_that_is_confirmed() -> None:
    state = stage()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_RESTORE, "D")
        assert question(monitor) == "Discard the preview of restore 11? Another one can be made."
        await pressed(pilot, "enter")
        assert calls(state) == [("discard", 11)]
        assert last_toast(monitor) == "The preview of restore 11 was discarded."


@pytest.mark.parametrize(
    ("down", "asks", "choice"),
    [
        (0, "Leave BitLocker out? Another preview is needed then.", {1: {"skip": True}}),
        (3, "Leave Pilot only out?", {4: {"skip": True}}),
        (5, "in again?", {6: {}}),
    ],
)
async def test_an_item_is_left_out_and_taken_in_again(down: int, asks: str, choice: dict[int, Any]) -> None:
    state = stage()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_RESTORE, *"j" * down, "x")
        assert question(monitor).endswith(asks)
        await pressed(pilot, "enter")
        assert calls(state) == [("choose", 11, choice)]


async def test_all_that_is_blocked_is_left_out_at_once() -> None:
    state = stage()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_RESTORE, "A")
        assert question(monitor).endswith("of restore 11, all that are blocked or ambiguous?")
        await pressed(pilot, "enter")
        assert calls(state) == [("leave_out_blocked", 11)]


async def test_a_candidate_is_chosen_from_a_list_that_follows_the_database() -> None:
    state = stage()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_RESTORE, *"jjjj", "c")
        assert isinstance(monitor.screen, CandidatesModal)
        assert asked(monitor) == RestoreItemWanted(11, 5)
        assert monitor.screen.query_one(OptionList).option_count == 2
        await pressed(pilot, "j", "enter")
        assert calls(state) == [("choose", 11, {5: {"target_id": "bbbb"}})]
        assert last_toast(monitor) == "Wi-Fi is decided: p previews the restore again."
        await pressed(pilot, "c")
        state.restores[RestoreItemWanted(11, 5)] = an_item(plan={})
        await polls(pilot)
        await pressed(pilot, "enter")
        assert isinstance(monitor.screen, CandidatesModal)
        assert len(calls(state)) == 1


async def test_undo_plans_a_restore_and_shows_it() -> None:
    state = stage()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, "X", *"jjjjjjj", "u")
        assert question(monitor) == "Plan a restore of what restore 7 overwrote in contoso (set 31)?"
        await pressed(pilot, "enter")
        await until(pilot, lambda: isinstance(monitor.screen, RestoreScreen), "the new restore")
        assert (calls(state), asked(monitor)) == ([("undo", 7)], RestoreWanted(1))


async def test_what_the_store_refuses_is_told() -> None:
    state = stage(changes=Changes(refuses="restore 7 is running"))
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, "X", *"jjjjjjj", "u", "enter")
        assert last_toast(monitor).startswith("restore 7 is running")
        assert isinstance(monitor.screen, RestoresScreen)
        await pressed(pilot, *"kkkk", "D", "enter")
        assert last_toast(monitor).startswith("restore 7 is running")


async def test_the_run_is_opened_of_a_preview_under_way_that_of_the_preview() -> None:
    state = stage(runs=(a_run(906), a_run(907)))
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, "X", "j", "v")
        assert isinstance(monitor.screen, RunScreen)
        assert monitor.screen.run_id == 906
        await pressed(pilot, "escape", "j", "j", "v")
        assert isinstance(monitor.screen, RunScreen)
        assert monitor.screen.run_id == 907


@pytest.mark.parametrize(
    ("down", "key", "reason"),
    [
        (0, "p", "Groups are undecided: m maps or skips them."),
        (0, "D", "Restore 14 has no preview to discard."),
        (0, "v", "Restore 14 has no run yet."),
        (1, "p", "Restore 13 is being previewed by run 906."),
        (3, "u", "Restore 11 has overwritten nothing that could be brought back."),
        (5, "p", "Restore 9 is under way: run 909 carries it out."),
        (5, "C", "Restore 9 does not wait for approval."),
        (6, "p", "Restore 8 waits for approval: C goes on with it."),
        (8, "p", "Restore 6 has nothing left to do."),
    ],
)
async def test_what_cannot_be_done_with_a_restore_says_why(down: int, key: str, reason: str) -> None:
    state = stage()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, "X", *"j" * down, key)
        assert (type(monitor.screen), last_toast(monitor)) == (RestoresScreen, reason)
        await pressed(pilot, "enter", key)
        assert (type(monitor.screen), last_toast(monitor)) == (RestoreScreen, reason)
        assert (calls(state), state.dispatches.started) == ([], [])


async def test_what_cannot_be_done_with_an_item_says_why() -> None:
    ended = detail_of(replace(PREVIEWED, numbers=Numbers(5, {}, {"done": 1})))
    async with running(Monitor(stage((RestoreWanted(11), ended)).backend())) as pilot:
        monitor = await opened(pilot, *TO_RESTORE, "x")
        assert last_toast(monitor) == "It is done already."
        await pressed(pilot, "c")
        assert last_toast(monitor).startswith("There is nothing to choose")


async def test_who_may_not_restore_is_told_which_role_it_wants() -> None:
    state = stage(members=LOOKS, runs=(a_run(907),))
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_RESTORE, "j", "j", "j", "j")
        for key in ("p", "x", "c", "D", "u", "C"):
            await pressed(pilot, key)
            assert type(monitor.screen) is RestoreScreen
            assert last_toast(monitor) == "You may look at contoso, not restore into it: that wants the role manager."
        await pressed(pilot, "v")
        assert isinstance(monitor.screen, RunScreen)
        assert (calls(state), state.dispatches.started) == ([], [])


async def test_a_restore_may_be_previewed_again_as_soon_as_its_preview_has_ended() -> None:
    state = stage()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, "X", "j")
        assert monitor.screen.check_action("preview", ()) is None
        ended = a_restore(13, RestoreState.CHECKED, Numbers(40), preview_run=a_runs_state(906, Status.COMPLETED))
        others = tuple(ended if one.restore.id == 13 else one for one in HISTORY.restores)
        state.restores[RestoresWanted("contoso")] = replace(HISTORY, restores=others)
        await polls(pilot)
        assert monitor.screen.check_action("preview", ())
