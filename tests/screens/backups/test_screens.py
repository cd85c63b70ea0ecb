"""What the keys of the backups' screens do, and what the screens ask of the database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from textual.widgets import Input, Select

from screens.backups.item import BackupItemScreen
from screens.backups.set import BackupSetScreen
from screens.backups.sets import BackupSetsScreen
from screens.monitor import Monitor
from screens.run.screen import RunScreen
from screens.runs.screen import RunsScreen
from screens.start.form import FormScreen
from screens.widgets.header_lines import Line
from screens.widgets.line_view import LineView
from screens.widgets.row_table import RowTable
from store.db.engine import Database
from store.intune import backups
from store.intune.backup_page import ItemWanted
from store.intune.backup_records import BackupKind
from store.intune.backup_sets import BackupSets, SetsWanted, SetWanted
from store.model.records import Tenant
from store.people import access
from store.people.access import Membership, Role
from tests.screens.backups.stage import DETAIL, ITEM, MAKING, ONE, REGISTRY, SETS, pages, stage
from tests.screens.conftest import (
    CONTOSO,
    HOSTILE,
    FakeBackend,
    LiveHarness,
    a_run,
    polls,
    running,
    screen_lines,
    toasts,
    until,
)
from tests.store.intune.test_backup_sets import make
from tests.store.intune.test_backups import item

pytestmark = pytest.mark.anyio

#: What the three screens ask for.
WANTED = (SetsWanted("contoso"), SetWanted(14), ItemWanted(1))
#: The keys from the list of runs to an incomplete set.
TO_SET = ("B", "j", "j", "enter")


async def pressed(pilot: Any, *keys: str) -> None:
    """Each key, and what it asks for."""
    for key in keys:
        await pilot.press(key)
        await polls(pilot)


async def opened(pilot: Any, *keys: str) -> Monitor:
    monitor: Monitor = pilot.app
    await until(pilot, lambda: monitor.snapshot)
    await pressed(pilot, *keys)
    await until(pilot, lambda: monitor.backend.background.wait(0), "the kinds")
    await polls(pilot)
    return monitor


def asked(monitor: Monitor) -> object:
    return monitor.data.poller.request.backups


def cells(monitor: Monitor, column: int) -> list[str]:
    return [row.cells[column].text.strip() for row in monitor.screen.query_one(RowTable).rows]


def above(monitor: Monitor) -> str:
    return monitor.screen.query_one(LineView).text


def told(monitor: Monitor, where: str = "#words") -> str:
    return monitor.screen.query_one(where, Line).text.strip()


async def test_only_what_the_screen_on_top_wants_is_read_and_nothing_when_none_is_open() -> None:
    async with running(Monitor(stage().backend())) as pilot:
        monitor = await opened(pilot)
        assert asked(monitor) is None
        for keys, wanted in zip((("B",), ("j", "j", "enter"), ("enter",)), WANTED, strict=True):
            await pressed(pilot, *keys)
            assert asked(monitor) == wanted
        for kind, below in ((BackupSetScreen, WANTED[1]), (BackupSetsScreen, WANTED[0]), (RunsScreen, None)):
            await pressed(pilot, "escape")
            assert isinstance(monitor.screen, kind)
            assert asked(monitor) == below


async def test_sets_say_how_they_stand() -> None:
    async with running(Monitor(stage().backend())) as pilot:
        monitor = await opened(pilot, "B")
        assert cells(monitor, 0)[:4] == ["● making", "✗ unfinished", "◐ incomplete", "✓ complete"]
        assert cells(monitor, 6)[:3] == ["1 of 23", "3 of 23", "23"]
        assert cells(monitor, 5)[2:4] == ["6", "3"]
        await pressed(pilot, "j")
        assert told(monitor, "#how") == "Unfinished: retry run 915 to go on with it. 20 items so far."
        await pressed(pilot, "j", "j", "j")
        assert told(monitor, "#under").endswith("by Ann Alba, run 912. Drift run 12 stands on it.")


async def test_a_set_says_what_could_not_be_read_and_what_was_not_looked_at() -> None:
    async with running(Monitor(stage().backend())) as pilot:
        monitor = await opened(pilot, *TO_SET)
        assert "more: z shows them" in above(monitor)
        await pressed(pilot, "z")
        text = " ".join(above(monitor).split())
        assert "Not read: Mobile apps (812 of 900): 88 objects could not be read" in text
        assert "Not read: Scripts, Health scripts: Microsoft Graph refused" in text
        assert "Not looked at: linux compliance policies, device configurations" in text
        assert "mobile apps" not in text.partition("Not looked at")[2]
        await pressed(pilot, "j")
        assert told(monitor, "#under") == "✗ content missing: settings: 50 of 61; ◐ secret unreadable: psk"
        await pressed(pilot, "k")
        assert told(monitor, "#under") == "", "what is whole is quiet"


async def test_without_the_operation_nothing_is_said_of_kinds_that_were_not_looked_at() -> None:
    known = stage()
    async with running(Monitor(FakeBackend(backups=known.backups, members=known.members).backend())) as pilot:
        monitor = await opened(pilot, "B")
        assert cells(monitor, 6)[0] == "1"
        await pressed(pilot, "j", "j", "enter", "z")
        assert "Not looked at" not in above(monitor)


async def test_past_the_end_of_a_page_is_the_next_one_and_back() -> None:
    async with running(Monitor(stage(*pages(3)).backend())) as pilot:
        monitor = await opened(pilot, *TO_SET)
        assert cells(monitor, 2) == ["Policy 1", "Policy 2", "Policy 3"]
        await pressed(pilot, "G", "j")
        assert cells(monitor, 2)[0] == "Policy 11"
        assert told(monitor) == "Items 201 to 203 of 1,404. j on the last goes on."
        await pressed(pilot, "k")
        assert (cells(monitor, 2)[0], monitor.screen.query_one(RowTable).cursor_key) == ("Policy 1", 3)
        await pressed(pilot, "G", "j", "G", "j", "G", "j")
        assert cells(monitor, 2)[0] == "Policy 21", "behind the last page is nothing"
        await pressed(pilot, "g")
        assert cells(monitor, 2)[0] == "Policy 1"


async def test_a_search_and_what_is_not_whole_are_taken_back_one_after_the_other() -> None:
    async with running(Monitor(stage().backend())) as pilot:
        monitor = await opened(pilot, *TO_SET)
        await pressed(pilot, "f")
        assert asked(monitor) == SetWanted(14, lacking=True)
        await pressed(pilot, "slash", *"bit", "enter")
        assert asked(monitor) == SetWanted(14, text="bit", lacking=True)
        await pressed(pilot, "slash", "x", "escape", "escape")
        assert asked(monitor) == SetWanted(14, lacking=True)
        await pressed(pilot, "escape")
        assert (asked(monitor), type(monitor.screen)) == (SetWanted(14), BackupSetScreen)


async def test_a_search_without_a_result_says_so() -> None:
    nothing = replace(DETAIL, items=())
    async with running(Monitor(stage((SetWanted(14, text="zz"), nothing)).backend())) as pilot:
        monitor = await opened(pilot, *TO_SET, "slash", *"zz", "enter")
        assert told(monitor) == "No items with 'zz' in the name. esc shows all."


async def test_the_form_that_adds_to_a_set_knows_which() -> None:
    async with running(Monitor(stage().backend())) as pilot:
        monitor = await opened(pilot, "B", "j", "j", "a")
        await until(pilot, lambda: isinstance(monitor.screen, FormScreen), "the form")
        assert monitor.screen.query_one("#tenant", Select).value == "contoso"
        assert "14" in [field.value for field in monitor.screen.query(Input)]
        assert [monitor.focused] == [monitor.screen.query_one("#go")], "nothing is left to be filled in"


@pytest.mark.parametrize(
    ("down", "reason"),
    [
        (0, "Run 916 is still writing to backup set 16."),
        (4, "Backup set 12 takes no more: drift run 12 stands on it."),
    ],
)
async def test_what_takes_no_more_says_why(down: int, reason: str) -> None:
    async with running(Monitor(stage().backend())) as pilot:
        monitor = await opened(pilot, "B", *"j" * down, "a")
        assert (type(monitor.screen), toasts(monitor)[-1]) == (BackupSetsScreen, reason)
        await pressed(pilot, "enter", "a")
        assert (type(monitor.screen), toasts(monitor)[-1]) == (BackupSetScreen, reason)
        assert len(toasts(monitor)) == 2


async def test_the_run_of_a_set_is_opened_and_an_import_has_none() -> None:
    async with running(Monitor(stage(runs=(a_run(914),)).backend())) as pilot:
        monitor = await opened(pilot, "B", "j", "j", "o")
        assert isinstance(monitor.screen, RunScreen)
        assert monitor.screen.run_id == 914
        await pressed(pilot, "escape", "j", "j", "j", "j", "o")
        assert toasts(monitor)[-1].endswith("Backup set 10 has no run: it was imported.")


async def test_an_empty_list_says_what_to_press_and_the_key_opens_the_form() -> None:
    nothing = (SetsWanted("contoso"), BackupSets(CONTOSO, (), False))
    async with running(Monitor(stage(nothing).backend())) as pilot:
        monitor = await opened(pilot, "B")
        assert told(monitor) == "No backup set yet. s starts Back up policies."
        await pressed(pilot, "a", "o")
        assert toasts(monitor)[-1].endswith("There is no backup set here.")
        await pressed(pilot, "s")
        await until(pilot, lambda: isinstance(monitor.screen, FormScreen), "the form")
        assert monitor.screen.query_one("#tenant", Select).value == "contoso"


async def test_who_may_only_look_is_told_why_nothing_starts() -> None:
    reader = (Membership(CONTOSO, Role.READONLY),)
    async with running(Monitor(stage(members=reader).backend())) as pilot:
        monitor = await opened(pilot, "B", "j", "j")
        for key in ("s", "a"):
            await pressed(pilot, key)
            assert isinstance(monitor.screen, BackupSetsScreen)
            assert "You may not start runs in any tenant" in toasts(monitor)[-1]


async def test_a_set_that_is_removed_while_it_is_open_is_said_and_takes_no_keys() -> None:
    state = stage()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_SET, "enter")
        del state.backups[SetWanted(14)], state.backups[ItemWanted(1)]
        await polls(pilot)
        assert "There is no such item any more" in above(monitor)
        await pressed(pilot, "z")
        assert toasts(monitor)[-1].endswith("The item has not been read, or is gone.")
        await pressed(pilot, "escape")
        assert told(monitor) == "There is no backup set 14 any more, or it is not yours to see."
        assert (cells(monitor, 0), above(monitor)) == ([], "")
        await pressed(pilot, "a", "enter")
        assert isinstance(monitor.screen, BackupSetScreen)
        assert toasts(monitor)[-1].endswith("There is no backup set here.")


async def test_while_the_database_is_away_what_was_read_stays() -> None:
    state = stage()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, "B")
        before = cells(monitor, 2)
        state.away = "connection refused"
        await until(pilot, lambda: "stale" in monitor.freshness, "that it is away")
        assert cells(monitor, 2) == before
        await pilot.press("j")
        assert told(monitor, "#how").startswith("Unfinished")
        state.away = ""
        await until(pilot, lambda: monitor.freshness == "live", "that it is back")
        assert cells(monitor, 2) == before


async def test_a_set_that_is_being_made_grows_on_the_screen() -> None:
    state = stage()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, "B")
        state.backups[SetsWanted("contoso")] = replace(SETS, sets=(replace(MAKING, items={"whole": 7}), *SETS.sets[1:]))
        await polls(pilot)
        assert cells(monitor, 4)[0] == "7"


async def test_an_item_shows_names_of_then_and_its_body_as_a_tree() -> None:
    async with running(Monitor(stage().backend())) as pilot:
        monitor = await opened(pilot, *TO_SET, "enter")
        assert isinstance(monitor.screen, BackupItemScreen)
        text = above(monitor)
        assert "Sales (g1)" in text
        assert "unknown-group-id, of unknown name" in text
        assert "Include      Sales, filter include: Corporate devices" in text
        assert "✗ content missing: settings: 50 of 61" in text
        assert "value: on" not in text
        await pressed(pilot, "z")
        assert "value: on" in above(monitor)


async def test_an_item_whose_assignments_are_unknown_says_so() -> None:
    unknown = replace(ONE, id=1, item=replace(ITEM, assignments=None, references=()))
    async with running(Monitor(stage((ItemWanted(1), unknown)).backend())) as pilot:
        monitor = await opened(pilot, *TO_SET, "enter")
        assert "Unknown: they could not be read." in above(monitor)
        assert "Refers to" not in above(monitor)


async def test_nothing_hostile_reaches_the_terminal() -> None:
    odd = replace(ONE, id=5, item=replace(ITEM, name=HOSTILE, external_id=HOSTILE, platform=HOSTILE))
    failed = BackupKind(HOSTILE, 1, 0, HOSTILE, HOSTILE)
    detail = replace(DETAIL, kinds=(failed,), found=replace(DETAIL.found, name=HOSTILE, selection={"filter": HOSTILE}))
    async with running(Monitor(stage((ItemWanted(5), odd), (SetWanted(14), detail)).backend())) as pilot:
        monitor = await opened(pilot, "B")
        for keys in (("G", "k"), ("g", "j", "j"), ("enter",), ("z", "j", "j", "j", "j"), ("enter",), ("z", "end")):
            await pressed(pilot, *keys)
            seen = "".join(screen_lines(monitor))
            assert not any(char in seen for char in "\x1b\x07\x9b\u202e")
        assert isinstance(monitor.screen, BackupItemScreen)


def tenant_of(db: Database, house: LiveHarness) -> Tenant:
    return access.require_right(db, house.users["ron"], "contoso", access.Right.VIEW)


async def test_from_the_database_to_the_screen(house: LiveHarness) -> None:
    """Both databases, and the labels of kinds that the Graph client knows."""
    house.dispatcher.registry = REGISTRY
    tenant = tenant_of(house.db, house)
    set_id = make(house.db, tenant, item("p1", name="Wi-Fi"), item("p2", name="VPN", gaps=[("reference_lost", "x")]))
    async with running(Monitor(house.backend("ron"))) as pilot:
        monitor = await opened(pilot, "B")
        assert (cells(monitor, 0), cells(monitor, 6)) == (["✓ complete"], ["1 of 23"])
        await pressed(pilot, "enter", "f")
        assert cells(monitor, 2) == ["VPN"]
        await pressed(pilot, "escape", "j", "enter")
        assert "Sales" in above(monitor)
        assert "text: a" in above(monitor)
        with house.db.write() as connection:
            backups.remove(connection, set_id)
        await polls(pilot)
        assert "There is no such item any more" in above(monitor)


async def test_strangers_find_nothing(house: LiveHarness) -> None:
    set_id = make(house.db, tenant_of(house.db, house), item("p1"))
    async with running(Monitor(house.backend("nob"))) as pilot:
        monitor = await opened(pilot)
        monitor.navigator.backup_set(set_id)
        await until(pilot, lambda: isinstance(monitor.screen, BackupSetScreen))
        await until(pilot, lambda: "not yours to see" in told(monitor), "the refusal")
