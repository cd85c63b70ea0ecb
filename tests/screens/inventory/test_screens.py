"""What the keys of the inventory's screens do, and what the screens ask of the database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from textual.widgets import Select

from screens.inventory.kinds import KindsScreen
from screens.inventory.policies import PoliciesScreen
from screens.inventory.policy import PolicyScreen
from screens.monitor import Monitor
from screens.runs.screen import RunsScreen
from screens.start.form import FormScreen
from screens.tenants.picker import TenantPicker
from screens.widgets.header_lines import Line
from screens.widgets.line_view import LineView
from screens.widgets.name_search import NameSearch
from screens.widgets.row_table import RowTable
from store.intune import inventory
from store.intune.browsed import KindsWanted, PoliciesWanted, PolicyWanted
from store.intune.inventory import SeenPolicy
from store.people import access, admin
from store.people.access import Role
from tasks.operations.policy_sync import sync
from tasks.sdk.registry import Registry
from tests.screens.conftest import HOSTILE, MEMBER, LiveHarness, polls, running, screen_lines, toasts, until
from tests.screens.inventory.stage import BEFORE, KIND, MANY, POLICY, pages, policy, stage
from tests.support import people

pytestmark = pytest.mark.anyio

#: What the three screens ask for.
WANTED = (KindsWanted("contoso"), PoliciesWanted("contoso", KIND), PolicyWanted(1))


async def pressed(pilot: Any, *keys: str) -> None:
    """Each key, and what it asks for."""
    for key in keys:
        await pilot.press(key)
        await polls(pilot)


def asked(monitor: Monitor) -> object:
    return monitor.data.poller.request.inventory


def names(monitor: Monitor) -> list[str]:
    return [row.cells[0].text.strip() for row in monitor.screen.query_one(RowTable).rows]


def text(monitor: Monitor) -> str:
    return monitor.screen.query_one(LineView).text


def told(monitor: Monitor) -> str:
    return monitor.screen.query_one("#words", Line).text.strip()


async def test_only_what_the_screen_on_top_wants_is_read_and_nothing_when_none_is_open() -> None:
    monitor = Monitor(stage().backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        assert asked(monitor) is None
        for key, wanted in zip(("i", "enter", "enter"), WANTED, strict=True):
            await pressed(pilot, key)
            assert asked(monitor) == wanted
        for kind, below in ((PoliciesScreen, WANTED[1]), (KindsScreen, WANTED[0]), (RunsScreen, None)):
            await pressed(pilot, "escape")
            assert isinstance(monitor.screen, kind)
            assert asked(monitor) == below


async def test_of_several_tenants_one_is_chosen_first() -> None:
    monitor = Monitor(stage(members=MEMBER).backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "i")
        assert isinstance(monitor.screen, TenantPicker)
        await pressed(pilot, "j", "enter")
        assert isinstance(monitor.screen, KindsScreen)
        assert asked(monitor) == KindsWanted("fabrikam")
        assert monitor.tenant is None, "the list goes on to show all"
        monitor.choose_tenant("contoso")
        await polls(pilot)
        assert asked(monitor) == KindsWanted("contoso")


async def test_past_the_end_of_a_page_is_the_next_one_and_back() -> None:
    monitor = Monitor(stage(*pages(3)).backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "i", "enter")
        assert names(monitor) == ["Policy 1", "Policy 2", "Policy 3"]
        await pressed(pilot, "G", "j")
        assert (names(monitor)[0], monitor.screen.query_one(RowTable).cursor_key) == ("Policy 11", 11)
        await pressed(pilot, "k")
        assert (names(monitor)[0], monitor.screen.query_one(RowTable).cursor_key) == ("Policy 1", 3)
        await pressed(pilot, "G", "j", "G", "j", "G", "j")
        assert names(monitor)[0] == "Policy 21", "behind the last page is nothing"
        await pressed(pilot, "g")
        assert names(monitor)[0] == "Policy 1"


async def test_a_search_is_applied_left_and_taken_back() -> None:
    monitor = Monitor(stage().backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "i", "enter")
        await pressed(pilot, "slash", *"bit", "enter")
        assert asked(monitor) == PoliciesWanted("contoso", KIND, "bit")
        await pressed(pilot, "slash", "x", "escape")
        assert asked(monitor) == PoliciesWanted("contoso", KIND, "bit")
        assert not monitor.screen.query_one(NameSearch).has_class("editing")
        await pressed(pilot, "escape")
        assert (asked(monitor), type(monitor.screen)) == (PoliciesWanted("contoso", KIND), PoliciesScreen)
        await pressed(pilot, "slash", "y", "enter")
        assert asked(monitor) == PoliciesWanted("contoso", KIND, "bitxy"), "what was typed and left is there again"
        await pressed(pilot, "slash", "z", "enter")
        assert asked(monitor) == PoliciesWanted("contoso", KIND, "bitxyz"), "and once it was searched for, that is"


async def test_versions_are_walked_and_compared() -> None:
    monitor = Monitor(stage().backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "i", "enter", "enter", "]")
        assert toasts(monitor)[-1].endswith("There is no version after this one.")
        await pressed(pilot, "[")
        assert asked(monitor) == PolicyWanted(1, 6)
        await pressed(pilot, "]", "d")
        assert asked(monitor) == PolicyWanted(1, None, compared=True)
        await until(pilot, lambda: "- removed" in text(monitor), "the difference")
        assert '+ added      "gaps": [' in text(monitor)
        await pressed(pilot, "d")
        assert "- removed" not in text(monitor)


async def test_without_a_version_before_there_is_no_difference() -> None:
    monitor = Monitor(stage((PolicyWanted(1), policy(MANY[-1]))).backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "i", "enter", "enter", "d", "[")
        assert asked(monitor) == PolicyWanted(1)
        reasons = ["This is the oldest version: there is none before it.", "There is no version before this one."]
        assert toasts(monitor) == reasons


async def test_a_version_is_opened_and_the_others_are_unfolded() -> None:
    monitor = Monitor(stage().backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "i", "enter", "enter", "tab", "tab", "enter")
        assert asked(monitor) == PolicyWanted(1, BEFORE.state.id)
        assert "and 3 older" in text(monitor)
        await pressed(pilot, "tab", "tab", "tab", "enter")
        assert "older" not in text(monitor)


async def test_a_policy_that_is_gone_or_not_ones_own_is_said() -> None:
    monitor = Monitor(stage((PolicyWanted(1), None)).backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "i", "enter", "enter")
        assert text(monitor) == "There is no policy 1 any more, or it is not yours to see."


async def test_nothing_hostile_reaches_the_terminal() -> None:
    monitor = Monitor(stage((PolicyWanted(1), replace(POLICY, name=HOSTILE))).backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        for key in ("i", "enter", "enter", "z", "d"):
            await pressed(pilot, key)
            seen = "".join(screen_lines(monitor))
            assert not any(char in seen for char in "\x1b\x07\x9b\u202e")


async def test_the_form_of_sync_policies_is_opened(house: LiveHarness) -> None:
    house.dispatcher.registry = Registry.of([sync])
    monitor = Monitor(house.backend("ann"))
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        monitor.choose_tenant("contoso")
        await pressed(pilot, "i")
        assert told(monitor) == "No inventory yet. s starts Sync policies."
        await pressed(pilot, "s")
        await until(pilot, lambda: isinstance(monitor.screen, FormScreen), "the form")


async def test_the_form_is_for_the_tenant_that_is_shown(house: LiveHarness) -> None:
    """Whatever tenant the list shows, or none."""
    house.dispatcher.registry = Registry.of([sync])
    admin.grant(house.db, "ann", "fabrikam", Role.OPERATOR)
    monitor = Monitor(house.backend("ann"))
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        for tenant in ("fabrikam", "contoso"):
            monitor.navigator.inventory(tenant)
            await until(pilot, lambda: isinstance(monitor.screen, KindsScreen), "the inventory")
            await pressed(pilot, "s")
            await until(pilot, lambda: isinstance(monitor.screen, FormScreen), "the form")
            assert monitor.screen.query_one("#tenant", Select).value == tenant
            await pressed(pilot, "escape", "escape")


async def test_who_may_only_look_is_told_why_nothing_starts(house: LiveHarness) -> None:
    monitor = Monitor(house.backend("ron"))
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "i", "s")
        assert told(monitor) == "No inventory yet. Somebody who may start runs starts Sync policies."
        assert "You may not start runs in any tenant" in toasts(monitor)[-1]


async def test_from_the_database_to_the_screen(house: LiveHarness) -> None:
    """Both databases, and the labels of kinds that the Graph client knows."""
    tenant = access.require_right(house.db, house.users["ron"], "contoso", access.Right.VIEW)
    run = people.start_run(house.db, tenant)
    inventory.upsert(house.db, tenant.id, run.id, {KIND: [SeenPolicy("p", "Wi-Fi", None, {"id": "p"}, None, "iOS")]})
    monitor = Monitor(house.backend("ron"))
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "i")
        assert names(monitor) == ["Configuration policies"]
        await pressed(pilot, "enter")
        assert names(monitor) == ["Wi-Fi"]
        await pressed(pilot, "enter")
        assert isinstance(monitor.screen, PolicyScreen)
        assert "only listed" in text(monitor)
