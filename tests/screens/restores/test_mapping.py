"""What the screen that maps groups shows, what its keys do and ask first, and why they are dimmed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NoReturn

import httpx
import pytest
from textual.widgets import Input, Select, Static

from screens.monitor import Monitor
from screens.restores.group_choice import GroupChoiceModal
from screens.restores.history import RestoresScreen
from screens.restores.mapping import MappingScreen
from screens.restores.restore import RestoreScreen
from screens.start.form import FormScreen
from screens.widgets.row_table import RowTable
from store.intune import restore_mappings, restores
from store.intune.directory_page import DirectoryWanted
from store.intune.restore_mapping_poll import MappingWanted
from store.intune.restore_mappings import Decision
from store.intune.restore_page import ListedRestore, RestoreWanted
from store.intune.restore_records import RestoreState, Scope
from store.people.access import Membership, Role
from store.runs import restoring
from tasks.graph.client import GraphClient
from tasks.operations.directory_groups_sync import sync
from tasks.sdk.registry import Registry
from tests.screens.conftest import CONTOSO, FABRIKAM, LiveHarness, polls, running, toasts, until
from tests.screens.directory.stage import found, group
from tests.screens.restores.driving import above, calls, cells, is_clean, last_toast, opened, pressed, question, told
from tests.screens.restores.groups import (
    GROUPS,
    HOSTILES,
    SALES,
    an_id,
    mapped,
    mapping_of,
    mapping_stage,
    skipped,
    unresolved,
)
from tests.screens.restores.stage import (
    COMPLETED,
    DRAFT,
    PARTIAL,
    PREVIEWED,
    PREVIEWING,
    RUNNING,
    SCOPED,
    WAITING,
    Changes,
)
from tests.store.intune.test_backups import item
from tests.support import people
from tests.support.restoring import backup, naming, see_groups

pytestmark = pytest.mark.anyio

TO_GROUPS = ("X", "m")
LOOKS = (Membership(CONTOSO, Role.OPERATOR), Membership(FABRIKAM, Role.OPERATOR))


def unresolve(number: int) -> Decision:
    return Decision(an_id(number), "unresolved")


def skip(number: int) -> Decision:
    return Decision(an_id(number), "skip")


def shown(monitor: Monitor) -> type:
    return type(monitor.screen)


def has_come(monitor: Monitor, **wanted: Any) -> bool:
    """Whether the newest snapshot is an answer to these requests."""
    request = monitor.snapshot and monitor.snapshot.request
    return all(getattr(request, name) == value for name, value in wanted.items())


async def to_groups(pilot: Any, restore_id: int) -> None:
    """Open the groups of a restore, wherever one is."""
    pilot.app.navigator.restore_mapping(restore_id)
    await until(pilot, lambda: has_come(pilot.app, restore_mapping=MappingWanted(restore_id)), "the groups")


def helper(monitor: Monitor) -> str:
    return str(monitor.screen.query_one("#directory", Static).content)


async def test_groups_say_how_they_stand_and_how_old_that_is() -> None:
    async with running(Monitor(mapping_stage().backend()), (140, 40)) as pilot:
        monitor = await opened(pilot, *TO_GROUPS)
        assert isinstance(monitor.screen, MappingScreen)
        states = ["✓ mapped", "✓ mapped", "✗ unresolved", "! mapped", "✗ unresolved", "– skipped", "! mapped"]  # noqa: RUF001
        assert cells(monitor, 0) == [*states, "✗ unresolved"]
        assert cells(monitor, 1)[1:3] == ["Interns␣", "Lisbon office"]
        assert cells(monitor, 3)[3] == "1,204"
        assert cells(monitor, 4)[1:3] == ["→ Interns␣", "2 groups have this name"]
        assert helper(monitor) == (
            "Cached directory of contoso, 12,004 groups, read 3h07 ago. Sync groups (s) refreshes it."
        )
        assert told(monitor) == "8 groups, 3 unresolved: that blocks the restore."


async def test_the_group_under_the_cursor_is_told_in_full() -> None:
    async with running(Monitor(mapping_stage().backend()), (80, 24)) as pilot:
        monitor = await opened(pilot, *TO_GROUPS, *"jjj")
        text = " ".join(above(monitor).split())
        assert "the types differ: dynamic and microsoft365 there, assigned here; 2 groups of the backup" in text
        assert "Mapped by Ann Alba, 3m ago." in text
        await pressed(pilot, "j")
        assert "Unresolved: no group has this name." in above(monitor)


async def test_what_was_never_read_says_so() -> None:
    never = mapping_of(SCOPED, read_at=None, complete_at=None)
    async with running(Monitor(mapping_stage(SCOPED, never).backend())) as pilot:
        monitor = await opened(pilot, *TO_GROUPS)
        assert helper(monitor) == "Cached directory of contoso, never read to its end. Sync groups (s) reads it."


async def test_only_unresolved_ones_are_shown_and_esc_shows_all_again() -> None:
    async with running(Monitor(mapping_stage().backend())) as pilot:
        monitor = await opened(pilot, *TO_GROUPS, "b")
        assert set(cells(monitor, 0)) == {"✗ unresolved"}
        assert told(monitor) == "3 unresolved of 8 groups. esc shows all."
        await pressed(pilot, "escape")
        assert (len(cells(monitor, 0)), type(monitor.screen)) == (8, MappingScreen)
        await pressed(pilot, "escape")
        assert isinstance(monitor.screen, RestoresScreen)


@pytest.mark.parametrize(
    ("down", "key", "decision", "says"),
    [
        (2, "x", skip(3), "Lisbon office is skipped: assignments to it are left out."),
        (5, "x", unresolve(6), "Sales of all sorts is unresolved again: f looks for what fits."),
        (0, "u", unresolve(1), "All sales is unresolved again: f looks for what fits."),
        (5, "u", unresolve(6), "Sales of all sorts is unresolved again: f looks for what fits."),
    ],
)
async def test_a_decision_is_taken_at_once(down: int, key: str, decision: Decision, says: str) -> None:
    state = mapping_stage()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_GROUPS, *"j" * down, key)
        assert calls(state) == [("decide", 14, decision)]
        assert (last_toast(monitor), type(monitor.screen)) == (says, MappingScreen)


async def test_all_that_are_unresolved_are_skipped_once_that_is_confirmed() -> None:
    state = mapping_stage()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_GROUPS, "A")
        assert question(monitor) == "Skip 3 groups, all that are unresolved? Assignments to them are left out."
        await pressed(pilot, "escape")
        assert calls(state) == []
        await pressed(pilot, "A", "enter")
        assert calls(state) == [("decide", 14, skip(3), skip(5), skip(8))]


async def test_groups_are_looked_for_again() -> None:
    state = mapping_stage()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_GROUPS, "f")
        assert (calls(state), last_toast(monitor)) == ([("suggest", 14)], "The groups were looked for again.")


@pytest.mark.parametrize(
    ("one", "costs"),
    [
        (PREVIEWED, "Another preview is needed then."),
        (PARTIAL, "What failed is tried again then, after another preview."),
    ],
)
@pytest.mark.parametrize("key", ["x", "u", "f", "A"])
async def test_what_undoes_a_preview_or_an_end_asks_first(one: ListedRestore, costs: str, key: str) -> None:
    state = mapping_stage(one)
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot)
        await to_groups(pilot, one.restore.id)
        await pressed(pilot, key)
        assert question(monitor).endswith(f"? {costs}") or question(monitor).endswith(f". {costs}")
        await pressed(pilot, "escape")
        assert calls(state) == []
        await pressed(pilot, key, "enter")
        assert len(calls(state)) == 1


# ---- the search


async def test_the_search_begins_with_the_name_and_asks_with_each_letter() -> None:
    state = mapping_stage()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_GROUPS, *"jj", "enter")
        assert shown(monitor) is GroupChoiceModal
        assert monitor.data.poller.request.directory == DirectoryWanted("contoso", "Lisbon office")
        assert monitor.data.poller.request.restore_mapping == MappingWanted(14)
        assert cells(monitor, 0) == ["Sales of all sorts"]
        await pressed(pilot, "ctrl+u", "s")
        assert monitor.data.poller.request.directory == DirectoryWanted("contoso", "s")
        assert (cells(monitor, 0), told(monitor)) == (["All sales", "Sales of all sorts"], "2 of 12,004 groups.")
        await pressed(pilot, "down", "up", "down", "enter")
        assert calls(state) == [("decide", 14, Decision(an_id(3), "map", SALES[1].group_id))]
        assert last_toast(monitor) == "Lisbon office is mapped to Sales of all sorts."
        assert shown(monitor) is MappingScreen


async def test_esc_leaves_the_search_and_changes_nothing() -> None:
    state = mapping_stage()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_GROUPS, *"jj", "enter", "escape")
        assert (type(monitor.screen), calls(state)) == (MappingScreen, [])
        assert monitor.data.poller.request.directory is None


async def test_a_search_that_finds_nothing_chooses_nothing() -> None:
    state = mapping_stage()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_GROUPS, *"jjjj", "enter")
        assert told(monitor) == "None of 12,004 groups has a name with these words. ctrl+u clears them."
        await pressed(pilot, "enter")
        assert (type(monitor.screen), calls(state)) == (GroupChoiceModal, [])


async def test_enter_before_the_answer_chooses_nothing() -> None:
    """What is on the screen is the answer to other words."""
    state = mapping_stage()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_GROUPS, *"jj", "enter")
        fetch = monitor.data.poller._fetch
        monitor.data.poller._fetch = lambda request: fetch(replace(request, directory=None))
        await pilot.press("backspace", "enter")
        await polls(pilot)
        assert (last_toast(monitor), calls(state)) == ("The search has not been answered yet.", [])
        assert isinstance(monitor.screen, GroupChoiceModal)


async def test_a_group_whose_name_is_not_known_begins_with_an_empty_search() -> None:
    async with running(Monitor(mapping_stage().backend())) as pilot:
        monitor = await opened(pilot, *TO_GROUPS, "G", "enter")
        assert monitor.screen.query_one(Input).value == ""
        assert cells(monitor, 0) == ["All sales", "Sales of all sorts"]


async def test_a_preview_is_asked_for_once_a_group_is_chosen() -> None:
    state = mapping_stage(PREVIEWED)
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, "X", *"jjj", "m", *"jj", "enter", "enter")
        assert question(monitor) == "Map Lisbon office to Sales of all sorts? Another preview is needed then."
        await pressed(pilot, "enter")
        assert calls(state) == [("decide", 11, Decision(an_id(3), "map", SALES[1].group_id))]


# ---- refusals


@pytest.mark.parametrize(
    ("one", "down", "reason"),
    [
        (DRAFT, 11, "Nothing of the backup set was chosen yet."),
        (PREVIEWING, 1, "Restore 13 is being previewed by run 906."),
        (RUNNING, 5, "Restore 9 is under way: run 909 carries it out."),
        (WAITING, 6, "Restore 8 waits for approval: C goes on with it."),
    ],
)
async def test_groups_that_cannot_be_decided_on_dim_the_keys(one: ListedRestore, down: int, reason: str) -> None:
    state = mapping_stage(one)
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, "X", *"j" * down, "m")
        assert (last_toast(monitor), type(monitor.screen)) == (reason, RestoresScreen)
        await pressed(pilot, "enter", "m")
        assert (last_toast(monitor), type(monitor.screen)) == (reason, RestoreScreen)
        await to_groups(pilot, one.restore.id)
        for key in ("enter", "x", "u", "A", "f"):
            await pressed(pilot, key)
            assert (last_toast(monitor), type(monitor.screen)) == (reason, MappingScreen)
        assert calls(state) == []


async def test_those_of_a_restore_with_nothing_left_may_be_looked_at() -> None:
    state = mapping_stage(COMPLETED)
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, "X", *"jjjjjjjj", "m", "x")
        assert isinstance(monitor.screen, MappingScreen)
        assert (last_toast(monitor), calls(state)) == ("Restore 6 has nothing left to do.", [])


async def test_what_there_is_nothing_to_do_for_says_so() -> None:
    decided = mapping_stage(SCOPED, mapping_of(SCOPED, [skipped(1, "Pilot")]))
    async with running(Monitor(decided.backend())) as pilot:
        monitor = await opened(pilot, *TO_GROUPS, "A")
        assert (last_toast(monitor), told(monitor)) == ("No group is unresolved.", "1 group, all decided.")
    left = mapping_stage(SCOPED, mapping_of(SCOPED, [unresolved(1, "Pilot")]))
    async with running(Monitor(left.backend())) as pilot:
        monitor = await opened(pilot, *TO_GROUPS, "u")
        assert last_toast(monitor) == "It is unresolved already."
    nothing = mapping_stage(SCOPED, mapping_of(SCOPED, []))
    async with running(Monitor(nothing.backend())) as pilot:
        monitor = await opened(pilot, *TO_GROUPS, "x")
        assert last_toast(monitor) == "There is no group here."


async def test_who_may_not_restore_looks_and_changes_nothing() -> None:
    state = mapping_stage(members=(Membership(CONTOSO, Role.READONLY),))
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_GROUPS)
        assert helper(monitor).endswith("Sync groups refreshes it.")
        for key in ("enter", "x", "u", "A", "f"):
            await pressed(pilot, key)
            assert last_toast(monitor) == "You may look at contoso, not restore into it: that wants the role manager."
            assert isinstance(monitor.screen, MappingScreen)
        await pressed(pilot, "s")
        assert (last_toast(monitor), calls(state)) == ("You may not start runs in any tenant: ask an owner.", [])


async def test_who_may_start_runs_may_sync_the_groups_of_the_target() -> None:
    state = mapping_stage(members=LOOKS)
    state.dispatches.registry = Registry.of([sync])
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot)
        await to_groups(pilot, 14)
        await pressed(pilot, "s")
        assert isinstance(monitor.screen, FormScreen)
        assert monitor.screen.place == "start directory_groups.sync"
        assert monitor.screen.query_one("#tenant", Select).value == "contoso"


async def test_what_the_store_refuses_is_told() -> None:
    state = mapping_stage(changes=Changes(refuses="restore 14 is running"))
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_GROUPS, "x")
        assert last_toast(monitor).startswith("restore 14 is running")


async def test_a_restore_that_is_gone_is_said_and_takes_no_keys() -> None:
    state = mapping_stage()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_GROUPS)
        state.restore_mapping.clear()
        await polls(pilot)
        assert told(monitor) == "There is no restore 14 any more, or it is not yours to see."
        await pressed(pilot, "x")
        assert (last_toast(monitor), calls(state)) == ("There is no restore here.", [])


async def test_the_cursor_stays_on_its_group_when_others_are_decided() -> None:
    state = mapping_stage()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_GROUPS, "b", "j")
        state.restore_mapping[MappingWanted(14)] = mapping_of(SCOPED, [mapped(3, "Lisbon office", "X"), *GROUPS[4:]])
        await polls(pilot)
        assert cells(monitor, 1)[0] == "Pilot"
        await pressed(pilot, "x")
        assert calls(state) == [("decide", 14, skip(5))]


async def test_nothing_hostile_reaches_the_terminal() -> None:
    state = mapping_stage(SCOPED, mapping_of(SCOPED, HOSTILES))
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_GROUPS)
        is_clean(monitor)
        await pressed(pilot, "j", "x")
        is_clean(monitor)
        await pressed(pilot, "enter")
        wanted = monitor.data.poller.request.directory
        assert wanted
        state.directory[wanted] = found(group(1, HOSTILES[0].decision.source_name or ""))
        await polls(pilot)
        is_clean(monitor)
        assert len(monitor.screen.query_one(RowTable).rows) == 1


# ---- both databases


def refuse(*_: object, **__: object) -> NoReturn:
    raise AssertionError("a screen called Graph")


def scoped(house: LiveHarness) -> int:
    """A restore of contoso's policies into fabrikam by Mia, a manager of both. Each of the four groups stands otherwise."""
    db = house.db
    house.users["mia"] = mia = people.make_user(db, "mia", contoso=Role.MANAGER, fabrikam=Role.MANAGER)
    see_groups(db, mia, "contoso", s1="Sales", s2="Pilot", s3="Interns", s4="Old")
    see_groups(db, mia, "fabrikam", t1="Sales", t2="Pilots", t3="Interns", t4="Interns")
    named = naming(item("p1", name="Wi-Fi"), s1="Sales", s2="Pilot", s3="Interns", s4="Old")
    return restoring.plan(db, mia, backup(db, mia, "contoso", [named]), "fabrikam", Scope()).id


def decisions(house: LiveHarness, restore_id: int) -> dict[str | None, tuple[str, str | None]]:
    with house.db.read() as connection:
        return {
            one.source_name: (one.decision, one.target_id) for one in restore_mappings.mapped(connection, restore_id)
        }


async def test_groups_are_mapped_without_any_call_to_graph(house: LiveHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GraphClient, "__init__", refuse)
    monkeypatch.setattr(httpx.Client, "__init__", refuse)
    monkeypatch.setattr(httpx.Client, "send", refuse)
    restore_id = scoped(house)
    async with running(Monitor(house.backend("mia")), (140, 40)) as pilot:
        monitor = await opened(pilot)
        monitor.navigator.restore(restore_id)
        await until(pilot, lambda: has_come(monitor, restores=RestoreWanted(restore_id)), "the restore")
        await pressed(pilot, "m")
        assert cells(monitor, 1) == ["Interns", "Old", "Pilot", "Sales"]
        assert cells(monitor, 4) == [
            "2 groups have this name", "no group has this name", "no group has this name", "→ Sales",
        ]  # fmt: skip
        assert helper(monitor).startswith("Cached directory of fabrikam, 4 groups, read just now.")
        await pressed(pilot, "enter", "down", "enter")
        await pressed(pilot, "j", "x", "j", "enter", "backspace", "enter")
        expected = {"Interns": ("map", "t4"), "Old": ("skip", None), "Pilot": ("map", "t2"), "Sales": ("map", "t1")}
        assert decisions(house, restore_id) == expected
        assert told(monitor) == "4 groups, all decided."
        await pressed(pilot, "escape")
        assert "p has a worker read fabrikam" in above(monitor)
        assert restores.visible(house.db, house.users["mia"], restore_id).status is RestoreState.CHECKED


async def test_after_a_sync_what_fits_is_found_again(house: LiveHarness) -> None:
    restore_id = scoped(house)
    async with running(Monitor(house.backend("mia")), (140, 40)) as pilot:
        monitor = await opened(pilot)
        await to_groups(pilot, restore_id)
        see_groups(house.db, house.users["mia"], "fabrikam", t5="Pilot")
        await polls(pilot)
        assert cells(monitor, 4)[2] == "a group is there that fits, and nobody chose it"
        await pressed(pilot, "f")
        assert cells(monitor, 4)[2] == "→ Pilot"


async def test_strangers_find_no_groups(house: LiveHarness) -> None:
    restore_id = scoped(house)
    async with running(Monitor(house.backend("ron"))) as pilot:
        monitor = await opened(pilot)
        await to_groups(pilot, restore_id)
        assert told(monitor) == f"There is no restore {restore_id} any more, or it is not yours to see."
        assert not toasts(monitor)
