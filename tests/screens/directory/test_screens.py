"""What the keys of the directory's screen do, and what it asks of the database."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from screens.directory.group_modal import GroupModal
from screens.directory.screen import DirectoryScreen
from screens.monitor import Monitor
from screens.runs.screen import RunsScreen
from screens.start.form import FormScreen
from screens.tenants.picker import TenantPicker
from screens.widgets.header_lines import Line
from screens.widgets.line_view import LineView
from screens.widgets.name_search import NameSearch
from screens.widgets.row_diff import Line as TableLine
from screens.widgets.row_table import RowTable
from store.intune import directory
from store.intune.directory_page import DirectoryWanted
from store.people import access
from store.snapshot import Request, Snapshot
from tasks.operations.directory_groups_sync import sync
from tasks.sdk.registry import Registry
from tests.screens.conftest import FABRIKAM, MEMBER, LiveHarness, polls, running, screen_lines, toasts, until
from tests.screens.directory.stage import GROUPS, HOSTILES, WANTED, found, stage
from tests.support import people
from tests.support.waiting import HANG

pytestmark = pytest.mark.anyio


async def pressed(pilot: Any, *keys: str) -> None:
    """Each key, and what it asks for."""
    for key in keys:
        await pilot.press(key)
        await polls(pilot)


def asked(monitor: Monitor) -> object:
    return monitor.data.poller.request.directory


def names(monitor: Monitor) -> list[str]:
    return [row.cells[0].text.strip() for row in monitor.screen.query_one(RowTable).rows]


def told(monitor: Monitor) -> str:
    return monitor.screen.query_one("#words", Line).text.strip()


async def test_the_directory_is_asked_for_while_it_is_open() -> None:
    monitor = Monitor(stage().backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        assert asked(monitor) is None
        await pressed(pilot, "D")
        assert asked(monitor) == WANTED
        assert names(monitor)[:3] == ["All sales", "Interns␣", "Interns"]
        await pressed(pilot, "escape")
        assert (type(monitor.screen), asked(monitor)) == (RunsScreen, None)


async def test_of_several_tenants_one_is_chosen_first_and_t_switches() -> None:
    others = DirectoryWanted("fabrikam"), found(GROUPS[3], tenant=FABRIKAM)
    monitor = Monitor(stage(others, members=MEMBER).backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "D")
        assert isinstance(monitor.screen, TenantPicker)
        await pressed(pilot, "j", "enter")
        assert names(monitor) == ["Lisbon office"]
        assert monitor.tenant is None, "the list goes on to show all"
        await pressed(pilot, "t", "j", "enter")
        assert (asked(monitor), names(monitor)[0]) == (WANTED, "All sales")


async def test_each_letter_asks_at_once_without_a_second_poll_being_waited_for() -> None:
    monitor = Monitor(stage().backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "D", "slash")
        for text in ("s", "sa", "sal"):
            begun = monitor.data.poller.generation
            await pilot.press(text[-1])
            assert asked(monitor) == DirectoryWanted("contoso", text)
            await until(pilot, lambda: told(monitor).startswith(f"'{text}'"), "the answer")  # noqa: B023
            assert monitor.data.poller.generation > begun
        assert names(monitor) == ["All sales", "Sales of all sorts"]


class Slow:
    """A backend that answers a search for `text` only when `goes_on` is set."""

    def __init__(self, text: str, *more: Any) -> None:
        self._stage = stage(*more)
        self._text = text
        self.is_asked = threading.Event()
        self.goes_on = threading.Event()
        self.monitor = Monitor(self._stage.backend())
        self.monitor.data.poller._fetch = self._fetch

    def _fetch(self, request: Request) -> Snapshot:
        if request.directory == DirectoryWanted("contoso", self._text):
            self.is_asked.set()
            assert self.goes_on.wait(HANG)
        return self._stage.fetch(request)


def watch_rows(table: RowTable, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows the table is given each time from now on."""
    given: list[int] = []
    show = table.show

    def watched(rows: Sequence[TableLine], header: str, **how: Any) -> None:
        given.append(len(rows))
        show(rows, header, **how)

    monkeypatch.setattr(table, "show", watched)
    return given


async def test_an_answer_to_an_older_text_is_not_shown_as_the_answer_to_the_new_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = Slow("s", (DirectoryWanted("contoso", "s"), found(GROUPS[3])))
    monitor = slow.monitor
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "D")
        old = names(monitor)
        await pilot.press("slash", "s")
        await until(pilot, slow.is_asked.is_set, "the question that hangs")
        await pilot.press("a", "enter")
        assert told(monitor) == "Searching 'sa'.", "keys answer while the database does not"
        assert names(monitor) == old
        await pilot.press("enter", "y")
        assert isinstance(monitor.screen, DirectoryScreen), "a row of before is not opened"
        assert toasts(monitor) == ["The search has not been answered yet."] * 2
        painted = watch_rows(monitor.screen.query_one(RowTable), monkeypatch)
        slow.goes_on.set()
        await until(pilot, lambda: told(monitor).startswith("'sa'"), "the answer")
        assert names(monitor) == ["All sales", "Sales of all sorts"]
        assert set(painted) == {2}, "the one group of `s` was never shown"


async def test_a_search_is_kept_left_and_taken_back() -> None:
    monitor = Monitor(stage().backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "D", "j", "slash", *"sal", "enter")
        assert asked(monitor) == DirectoryWanted("contoso", "sal")
        assert monitor.screen.query_one(RowTable).cursor_key == 1, "what is found is seen from its first"
        await pressed(pilot, "slash", "x", "escape")
        assert asked(monitor) == DirectoryWanted("contoso", "sal")
        assert not monitor.screen.query_one(NameSearch).has_class("editing")
        await pressed(pilot, "escape")
        assert (asked(monitor), type(monitor.screen)) == (WANTED, DirectoryScreen)


async def test_the_cursor_stays_on_its_group_from_poll_to_poll() -> None:
    backend = stage()
    monitor = Monitor(backend.backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "D", "j", "j")
        backend.directory[WANTED] = found(*GROUPS[1:])
        await polls(pilot)
        assert monitor.screen.query_one(RowTable).cursor_key == GROUPS[2].id


async def test_a_group_is_shown_its_id_copied_and_its_members_are_said_to_be_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backend = stage()
    monitor = Monitor(backend.backend())
    copied: list[str] = []

    def copy(text: str) -> bool:
        copied.append(text)
        return True

    monkeypatch.setattr(monitor, "copy_to_clipboard", copy)
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "D", "y", "j", "enter", "y")
        assert copied == [GROUPS[0].group_id, GROUPS[1].group_id]
        assert isinstance(monitor.screen, GroupModal)
        text = monitor.screen.query_one(LineView).text
        for words in ("Interns␣", GROUPS[1].group_id, "Ends with a blank.", "only groups are cached"):
            assert words in text
        changed = found(GROUPS[0], HOSTILES[0], *GROUPS[2:])
        backend.directory[WANTED] = changed
        await polls(pilot)
        assert monitor.screen.query_one(LineView).text == text, "what is gone stays as it was"
        await pressed(pilot, "escape")
        assert isinstance(monitor.screen, DirectoryScreen)


async def test_nothing_hostile_reaches_the_terminal() -> None:
    monitor = Monitor(stage((WANTED, found(*HOSTILES))).backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        for key in ("D", "enter"):
            await pressed(pilot, key)
            seen = "".join(screen_lines(monitor))
            assert not any(char in seen for char in "\x1b\x07\x9b\u202e")


async def test_the_form_of_sync_groups_is_opened(house: LiveHarness) -> None:
    house.dispatcher.registry = Registry.of([sync])
    monitor = Monitor(house.backend("ann"))
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        monitor.choose_tenant("contoso")
        await pressed(pilot, "D")
        assert told(monitor) == "No groups yet. s starts Sync groups."
        await pressed(pilot, "s")
        await until(pilot, lambda: isinstance(monitor.screen, FormScreen), "the form")


async def test_who_may_only_look_is_told_why_nothing_starts(house: LiveHarness) -> None:
    monitor = Monitor(house.backend("ron"))
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "D", "s")
        assert told(monitor) == "No groups yet. Somebody who may start runs starts Sync groups."
        assert "You may not start runs in any tenant" in toasts(monitor)[-1]


async def test_from_the_database_to_the_screen(house: LiveHarness) -> None:
    tenant = access.require_right(house.db, house.users["ron"], "contoso", access.Right.VIEW)
    run = people.start_run(house.db, tenant)
    round_ = directory.begin_round(house.db, tenant.id, run.id)
    groups = [{"id": "a", "displayName": "Köln "}, {"id": "b", "displayName": "Bonn"}]
    directory.apply(house.db, tenant.id, round_, groups)
    directory.end_round(house.db, tenant.id, run.id, round_, "link", complete=True)
    monitor = Monitor(house.backend("ron"))
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "D")
        assert (names(monitor), told(monitor)) == (["Bonn", "Köln␣"], "2 groups, read just now.")
        await pressed(pilot, "slash", *"kol")
        assert (names(monitor), told(monitor)) == (["Köln␣"], "'kol': 1 of 2 groups, read just now.")
