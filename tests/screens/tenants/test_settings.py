"""A tenant's settings: what is shown, who may change what, and choosing the group by a search of one's own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from textual.widgets import Static

from screens.backend import CredentialsState
from screens.monitor import Monitor
from screens.tenants.group_search import GroupSearchScreen
from screens.tenants.screen import TenantScreen
from screens.tenants.sign_in_modal import SignInModal
from store.errors import Forbidden
from store.intune.directory_page import DirectoryWanted
from store.intune.tenant_page import Member, TenantDetail, TenantWanted
from store.intune.tenant_settings import ChosenGroup
from store.people.access import Membership, Role
from tasks.graph.group_search import GroupSearch
from tasks.graph.simulator import SimulatedTenant, Simulator
from tests.screens.conftest import AT, CONTOSO, FakeBackend, polls, running, toasts, until
from tests.screens.directory.stage import GROUPS, found
from tests.screens.pictures import Picture
from tests.tasks.graph.person import Ticking, settings_at

pytestmark = pytest.mark.anyio

WANTED = TenantWanted("contoso")
MEMBERS = (
    Member("ann", "Ann Smith", Role.OWNER),
    Member("bob", "Bob \x1b[31mRed", Role.MANAGER),
    Member("zoe", "", Role.READONLY),
)
CHOSEN = ChosenGroup("11111111-2222-3333-4444-555555555555", "Helpdesk ", "Ann", AT - dt.timedelta(hours=3))


FINE = CredentialsState("a certificate, until 2027-01-01 00:00:00Z")


@dataclass
class Port:
    """What the screens ask of a tenant's settings."""

    state: CredentialsState = FINE
    search: Any = None
    chosen: list[tuple[str, str, str]] = field(default_factory=list)
    refuses: bool = False

    def credentials(self, tenant: str) -> CredentialsState:
        return self.state

    def group_search(self, tenant: str) -> GroupSearch:
        found: GroupSearch = self.search
        return found

    def choose_group(self, tenant: str, group_id: str, name: str) -> ChosenGroup:
        if self.refuses:
            raise Forbidden("as manager of contoso you may not choose its group", "ask an owner of contoso")
        self.chosen.append((tenant, group_id, name))
        return ChosenGroup(group_id, name, "Ann", AT)

    def forget_group(self, tenant: str) -> bool:
        self.chosen.append((tenant, "", ""))
        return True


def stage(port: Port | None = None, role: Role = Role.OWNER, **more: Any) -> FakeBackend:
    detail = TenantDetail(CONTOSO, role, MEMBERS, rbac_group=CHOSEN, directory_read_at=AT - dt.timedelta(hours=2))
    members = (Membership(CONTOSO, role),)
    directory = {DirectoryWanted("contoso"): found(*GROUPS), DirectoryWanted("contoso", "sal"): found(GROUPS[0])}
    tenants = {WANTED: replace(detail, **more)}
    return FakeBackend(members=members, tenants=tenants, directory=directory, tenant_port=port or Port())


def test_settings_and_members(picture: Picture) -> None:
    assert picture(stage(), "T", shows="certificate", in_ascii=True)


def test_credentials_that_cannot_be_used_and_no_group_yet(picture: Picture) -> None:
    bad = Port(
        CredentialsState("no credentials are set up for contoso: see [credentials.contoso] in opsmon.toml", is_bad=True)
    )
    assert picture(stage(bad, Role.READONLY, rbac_group=None, directory_read_at=None), "T", shows="opsmon.toml")


def without_client(simulator: Simulator) -> GroupSearch:
    return GroupSearch("contoso", settings_at(simulator.url, delegated_client_id=None))


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator([SimulatedTenant("contoso")]) as simulator:
        for number, name in enumerate(("Sales", "Sales Berlin", "Pilot")):
            simulator.tenant("contoso").put(
                "groups", {"id": f"g{number}", "displayName": name, "securityEnabled": True}
            )
        yield simulator


def test_without_a_sign_in_the_cached_directory_is_searched_and_the_reason_stands_there(
    picture: Picture, simulator: Simulator
) -> None:
    port = Port(search=without_client(simulator))
    assert picture(stage(port), "T", "e", shows="delegated_client_id", in_ascii=True)


def a_search(simulator: Simulator) -> GroupSearch:
    """A search whose waits take no time."""
    clock = Ticking()
    simulator.sign_in.device_codes.clock = clock
    # By this one a code never ends, however often it is asked for.
    return GroupSearch("contoso", settings_at(simulator.url), clock=lambda: 0.0, wait=clock.wait)


async def opened(pilot: Any, monitor: Monitor, screen: type, *keys: str) -> Any:
    await until(pilot, lambda: monitor.snapshot, "the first snapshot")
    await pilot.press(*keys)
    await until(pilot, lambda: isinstance(monitor.screen, screen), f"{screen.__name__}")
    await polls(pilot)
    return monitor.screen


async def test_a_cached_group_is_chosen_after_a_question(simulator: Simulator) -> None:
    port = Port(search=without_client(simulator))
    monitor = Monitor(stage(port).backend())
    async with running(monitor, (120, 40)) as pilot:
        screen = await opened(pilot, monitor, GroupSearchScreen, "T", "e")
        await until(pilot, lambda: screen._rows, "the cached groups")
        await pilot.press("slash", *"sal", "enter")
        await until(pilot, lambda: len(screen._rows) == 1, "the group that was searched")
        await pilot.press("enter", "enter")
        await until(pilot, lambda: port.chosen, "the choice")
        assert port.chosen == [("contoso", GROUPS[0].group_id, GROUPS[0].name)]
        await until(pilot, lambda: isinstance(monitor.screen, TenantScreen), "the settings again")


async def test_who_is_no_owner_is_told_why(simulator: Simulator) -> None:
    port = Port(search=without_client(simulator))
    monitor = Monitor(stage(port, Role.MANAGER).backend())
    async with running(monitor, (120, 40)) as pilot:
        await opened(pilot, monitor, TenantScreen, "T")
        await pilot.press("e", "x")
        await until(pilot, lambda: len(toasts(monitor)) == 2, "both reasons")
        assert all("wants the role owner" in text for text in toasts(monitor))
        assert isinstance(monitor.screen, TenantScreen)
        assert port.chosen == []


async def test_a_person_signs_in_searches_as_they_type_and_chooses(simulator: Simulator) -> None:
    simulator.tenant("contoso").device_answers = ["authorization_pending", "success"]
    port = Port(search=a_search(simulator))
    monitor = Monitor(stage(port).backend())
    async with running(monitor, (120, 40)) as pilot:
        screen = await opened(pilot, monitor, GroupSearchScreen, "T", "e")
        await pilot.press("s")
        await until(pilot, lambda: screen._is_ready, "the end of the sign-in")
        await until(pilot, lambda: monitor.screen is screen, "the search again")
        await pilot.press("slash", *"ber", "enter")
        await until(pilot, lambda: [one.name for one in screen._rows.values()] == ["Sales Berlin"], "the answer")
        await pilot.press("enter", "enter")
        await until(pilot, lambda: port.chosen, "the choice")
        assert port.chosen == [("contoso", "g1", "Sales Berlin")]
        await until(pilot, lambda: port.search.state.status != "ready", "the token to be forgotten")


async def test_any_key_stops_a_sign_in(simulator: Simulator) -> None:
    simulator.tenant("contoso").device_answers = ["authorization_pending"]
    port = Port(search=a_search(simulator))
    simulator.sign_in.device_codes.clock = lambda: 0.0
    monitor = Monitor(stage(port).backend())
    async with running(monitor, (120, 40)) as pilot:
        screen = await opened(pilot, monitor, GroupSearchScreen, "T", "e")
        await pilot.press("s")
        await until(pilot, lambda: isinstance(monitor.screen, SignInModal), "the sign-in")
        code = monitor.screen.query_one("#code", Static)
        await until(pilot, lambda: str(code.render()).strip(), "the code to enter")
        await pilot.press("k")
        await until(pilot, lambda: monitor.screen is screen, "the search again")
        await until(pilot, lambda: toasts(monitor), "what became of it")
        assert not screen._is_ready
        assert screen._cached is not None
