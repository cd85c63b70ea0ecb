"""What the restores' screens show, and what they ask of the database."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from screens.monitor import Monitor
from screens.restores.candidates import CandidatesModal
from screens.restores.history import RestoresScreen
from screens.restores.item import RestoreItemScreen
from screens.restores.restore import RestoreScreen
from screens.runs.screen import RunsScreen
from store.db.engine import Database
from store.intune import backups, restores
from store.intune.backup_records import NewSet
from store.intune.restore_numbers import Numbers
from store.intune.restore_page import RestoreItemWanted, Restores, RestoresWanted, RestoreWanted
from store.intune.restore_records import RestoreState, Scope
from store.model.records import Tenant
from store.model.tables import restore_items
from store.model.types import utcnow
from store.people import access
from store.people.access import Role
from store.runs import lifecycle, restoring
from store.runs.restore_states import new_run
from tests.screens.conftest import (
    CONTOSO,
    HOSTILE,
    LiveHarness,
    polls,
    running,
    until,
)
from tests.screens.restores.driving import (
    above,
    asked,
    calls,
    cells,
    is_clean,
    last_toast,
    opened,
    pressed,
    told,
)
from tests.screens.restores.stage import (
    BECAME,
    HISTORY,
    RUNNING,
    an_item,
    detail_of,
    pages,
    stage,
)
from tests.store.intune.test_backups import item
from tests.support import people

pytestmark = pytest.mark.anyio

#: What the three screens ask for.
WANTED = (RestoresWanted("contoso"), RestoreWanted(11), RestoreItemWanted(11, 1))
#: The keys from the list of runs to a previewed restore.
TO_RESTORE = ("X", "j", "j", "j", "enter")


async def test_only_what_the_screen_on_top_wants_is_read_and_nothing_when_none_is_open() -> None:
    async with running(Monitor(stage().backend())) as pilot:
        monitor = await opened(pilot)
        assert asked(monitor) is None
        for keys, wanted in zip((("X",), ("j", "j", "j", "enter"), ("enter",)), WANTED, strict=True):
            await pressed(pilot, *keys)
            assert asked(monitor) == wanted
        for kind, below in ((RestoreScreen, WANTED[1]), (RestoresScreen, WANTED[0]), (RunsScreen, None)):
            await pressed(pilot, "escape")
            assert isinstance(monitor.screen, kind)
            assert asked(monitor) == below


async def test_the_history_says_how_restores_stand_and_what_comes_next() -> None:
    async with running(Monitor(stage().backend()), (140, 40)) as pilot:
        monitor = await opened(pilot, "X")
        assert cells(monitor, 0)[:4] == ["○ groups undecided", "● previewing", "○ not previewed", "… previewed"]
        assert (cells(monitor, 3)[0], cells(monitor, 4)[8]) == ("fabrikam → contoso", "create, dry run")
        assert [cells(monitor, column)[7] for column in (5, 6, 7, 8)] == ["40", "36", "2", "2"]
        assert told(monitor, "#how").startswith("Some groups are undecided: m maps or skips")
        await pressed(pilot, "j")
        assert told(monitor, "#how") == "Run 906 reads contoso for the preview."
        await pressed(pilot, "j")
        assert told(monitor, "#how").startswith("The preview failed: run 904 says why. p has a worker")
        await pressed(pilot, "j", "j")
        assert told(monitor, "#how") == "Nothing of it is blocked: enter shows what would be done."


@pytest.mark.parametrize(
    ("ticks", "says"),
    [({}, "E shows the impact, and executes it"), ({"everybody": 2}, "agree to assignments to all users or all")],
)
async def test_a_preview_says_what_it_waits_for(ticks: dict[str, int], says: str) -> None:
    ready = detail_of(HISTORY.restores[4], missing_ticks=ticks)
    async with running(Monitor(stage((RestoreWanted(10), ready)).backend())) as pilot:
        monitor = await opened(pilot, "X", *"jjjj", "enter")
        assert says in above(monitor)
        assert "1 left out" in above(monitor)


async def test_items_move_while_their_run_runs() -> None:
    state = stage()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, "X", *"jjjjj", "enter")
        assert (cells(monitor, 1)[4], "13 of 40 objects" in above(monitor)) == ("", True)
        more = replace(RUNNING, numbers=Numbers(40, {}, {"done": 14, "failed": 1}))
        items = (*BECAME[:4], replace(BECAME[4], result="done"))
        state.restores[RestoreWanted(9)] = detail_of(more, items=items)
        await polls(pilot)
        assert (cells(monitor, 1)[4], "15 of 40 objects" in above(monitor)) == ("✓ done", True)


async def test_blocked_ones_and_failed_ones_are_shown_alone_and_esc_shows_all_again() -> None:
    async with running(Monitor(stage().backend())) as pilot:
        monitor = await opened(pilot, *TO_RESTORE, "b")
        assert asked(monitor) == RestoreWanted(11, "blocked")
        assert set(cells(monitor, 0)) == {"✗ blocked"}
        await pressed(pilot, "f")
        assert asked(monitor) == RestoreWanted(11, "failed")
        assert told(monitor) == "No objects failed or waiting for approval. esc shows all."
        await pressed(pilot, "escape")
        assert (asked(monitor), type(monitor.screen)) == (RestoreWanted(11), RestoreScreen)
        await pressed(pilot, "b", "b")
        assert asked(monitor) == RestoreWanted(11)


async def test_past_the_end_of_a_page_is_the_next_one_and_back() -> None:
    async with running(Monitor(stage(*pages(2)).backend())) as pilot:
        monitor = await opened(pilot, *TO_RESTORE, "G", "j")
        assert cells(monitor, 3)[0] == "Policy 11"
        assert told(monitor) == "Objects 201 to 203 of 40."
        await pressed(pilot, "k")
        assert cells(monitor, 3)[0] == "Policy 1"


async def test_an_item_shows_assignments_with_their_reasons_and_what_is_overwritten() -> None:
    async with running(Monitor(stage().backend()), (100, 60)) as pilot:
        monitor = await opened(pilot, *TO_RESTORE, "enter")
        assert isinstance(monitor.screen, RestoreItemScreen)
        text = " ".join(above(monitor).split())
        assert "✗ failed exclude group Pilot nothing stands for it (restore.not_kept)" in text
        assert '~ omaSettings[x].value is 5 becomes {"a": [1, 2]}' in text
        assert "+ description is nothing becomes" in text
        assert "@ assignments: assigned to all devices And 1,200 more." in text


async def test_an_empty_history_says_so_and_no_key_acts() -> None:
    nothing = (RestoresWanted("contoso"), Restores(CONTOSO, (), False))
    state = stage(nothing)
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, "X")
        assert told(monitor) == "No restore into contoso yet: B shows backup sets, r on one plans its restore."
        for key in ("p", "v", "D", "u", "C"):
            await pressed(pilot, key)
            assert last_toast(monitor) == "There is no restore here."
        assert (calls(state), state.dispatches.started) == ([], [])


async def test_a_restore_that_is_gone_is_said_and_takes_no_keys() -> None:
    state = stage()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_RESTORE, "enter")
        del state.restores[RestoreWanted(11)], state.restores[RestoreItemWanted(11, 1)]
        await polls(pilot)
        assert "There is no such item any more" in above(monitor)
        await pressed(pilot, "y")
        assert last_toast(monitor) == "The item has not been read, or is gone."
        await pressed(pilot, "escape")
        assert told(monitor) == "There is no restore 11 any more, or it is not yours to see."
        await pressed(pilot, "x")
        assert (last_toast(monitor), calls(state)) == ("There is no restore here.", [])


async def test_while_the_database_is_away_what_was_read_stays() -> None:
    state = stage()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_RESTORE)
        before = cells(monitor, 0)
        state.away = "connection refused"
        await until(pilot, lambda: "stale" in monitor.freshness, "that it is away")
        assert cells(monitor, 0) == before
        await pilot.press("j", "j", "j")
        assert told(monitor, "#under") == 'the group "Pilot" is not in the target'
        state.away = ""
        await until(pilot, lambda: monitor.freshness == "live", "that it is back")
        assert cells(monitor, 0) == before


async def test_nothing_hostile_reaches_the_terminal() -> None:
    odd = an_item(name=HOSTILE, external_id=HOSTILE, result_message=HOSTILE, plan={"candidates": [{"id": HOSTILE}]})
    found = replace(odd, item=replace(odd.item, action="ambiguous"))
    state = stage(*((RestoreItemWanted(11, number), found) for number in (5, 8)))
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, "X")
        for keys in (("G", "k"), ("enter",), ("z",), ("escape", "g", *"jjj", "enter"), (*"jjjj", "c")):
            await pressed(pilot, *keys)
            is_clean(monitor)
        assert isinstance(monitor.screen, CandidatesModal)
        await pressed(pilot, "escape", *"jjj", "x")
        is_clean(monitor)
        await pressed(pilot, "enter", "enter")
        is_clean(monitor)
        assert isinstance(monitor.screen, RestoreItemScreen)


# ---- both databases


def previewed(house: LiveHarness) -> int:
    """A previewed restore of contoso into itself by Mia, a manager of it: one object is blocked, one would be created."""
    db: Database = house.db
    house.users["mia"] = user = people.make_user(db, "mia", contoso=Role.MANAGER)
    tenant = access.require_right(db, user, "contoso", access.Right.RESTORE)
    set_id = backups.begin(db, tenant.id, NewSet("Before", {}, "Mia"), people.start_run(db, tenant).id)
    backups.add(db, tenant.id, set_id, [item("p1", name="Wi-Fi"), item("p2", name="VPN")])
    backups.end(db, set_id)
    found = restoring.plan(db, user, set_id, "contoso", Scope())
    with db.write() as connection:
        run, _ = lifecycle.create_or_attach_within(connection, new_run(found, user.id, "Mia", held=True))
        plan = {"reasons": [{"code": "x.y", "words": "no such group"}]}
        change = sa.update(restore_items).where(restore_items.c.position == 0)
        connection.execute(sa.update(restore_items).values(action="create", plan={}))
        connection.execute(change.values(action="blocked", plan=plan))
        values = {"status": "previewed", "run_id": run.id, "previewed_at": utcnow()}
        restores.set_values(connection, found.id, **values)
    return found.id


async def test_from_the_database_to_the_screen_and_back(house: LiveHarness) -> None:
    restore_id = previewed(house)
    async with running(Monitor(house.backend("mia"))) as pilot:
        monitor = await opened(pilot, "X")
        assert cells(monitor, 0) == ["… previewed"]
        await pressed(pilot, "enter", "b")
        assert (cells(monitor, 3), told(monitor, "#under")) == (["Wi-Fi"], "no such group")
        await pressed(pilot, "x", "enter")
        assert cells(monitor, 1) == ["\N{EN DASH} left out"]
        assert "E shows the impact" in above(monitor)
        await pressed(pilot, "enter")
        assert "no such group (x.y)" in above(monitor)
        await pressed(pilot, "escape", "D", "enter")
        found = restores.visible(house.db, house.users["mia"], restore_id)
        assert found.status in (RestoreState.CHECKED, RestoreState.SCOPED)


async def test_strangers_find_nothing(house: LiveHarness) -> None:
    restore_id = previewed(house)
    async with running(Monitor(house.backend("nob"))) as pilot:
        monitor = await opened(pilot)
        monitor.navigator.restore(restore_id)
        await until(pilot, lambda: isinstance(monitor.screen, RestoreScreen))
        await polls(pilot)
        assert told(monitor) == f"There is no restore {restore_id} any more, or it is not yours to see."


async def test_the_palette_opens_them_and_another_tenant_is_followed() -> None:
    fabrikam = Tenant(2, "fabrikam", "Fabrikam", HISTORY.tenant.created_at)
    other = (RestoresWanted("fabrikam"), Restores(fabrikam, HISTORY.restores[:1], has_more=True))
    async with running(Monitor(stage(other).backend())) as pilot:
        monitor = await opened(pilot)
        await pressed(pilot, "ctrl+p", *"restores")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(monitor.screen, RestoresScreen), "the restores")
        monitor.choose_tenant("fabrikam")
        await polls(pilot)
        assert (asked(monitor), told(monitor)) == (other[0], "The newest 1 restore into fabrikam.")
