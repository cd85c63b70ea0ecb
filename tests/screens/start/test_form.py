"""The form of an operation: where it may be started, and what is said at its fields."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from textual.widgets import Input, Select, Static

from screens.dialogs.confirm import ConfirmModal
from screens.monitor import Monitor
from screens.runs.screen import RunsScreen
from screens.start.form import FormScreen
from store.people.access import Membership, Role
from tasks.sdk.operation import Operation, operation
from tasks.sdk.registry import Registry
from tests.screens.conftest import CONTOSO, FABRIKAM, FakeBackend, LiveHarness, running, until

pytestmark = pytest.mark.anyio


@operation("test.careful", label="Careful", right="manager")
def _careful(run: object) -> None: ...


CAREFUL: Operation = Registry.of([_careful]).get("test.careful")


@pytest.mark.parametrize(
    ("contoso", "offered", "note"),
    [
        (Role.MANAGER, ["contoso"], ""),
        (Role.OPERATOR, [], "you may not start or retry 'test.careful', which wants the role manager"),
    ],
)
async def test_a_form_offers_the_tenants_where_one_may_start_it(contoso: Role, offered: list[str], note: str) -> None:
    members = (Membership(CONTOSO, contoso), Membership(FABRIKAM, Role.OPERATOR))
    monitor = Monitor(FakeBackend(members=members).backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        monitor.navigator.form(CAREFUL)
        await until(pilot, lambda: isinstance(monitor.screen, FormScreen), "the form")
        tenants = monitor.screen.query_one("#tenant", Select)
        assert [value for _, value in tenants._options if value is not Select.NULL] == offered
        await pilot.press("ctrl+s")
        if note:
            assert isinstance(monitor.screen, FormScreen)
            shown = monitor.screen._under["tenant"]
            await until(pilot, lambda: note in str(shown.render()), "the reason")


@operation("test.zone", label="Zone")
def zone(run: object, name: str, items: int = 3, note: str | None = None) -> None:
    """Flush a zone.

    Args:
        name: what to flush
        items: how many at once
    """


async def zone_form(pilot: Any) -> FormScreen:
    await until(pilot, lambda: pilot.app.snapshot, "the first snapshot")
    pilot.app.navigator.form(Registry.of([zone]).get("test.zone"), None, "contoso")
    await until(pilot, lambda: isinstance(pilot.app.screen, FormScreen), "the form")
    screen = pilot.app.screen
    assert isinstance(screen, FormScreen)
    return screen


def under(screen: FormScreen) -> dict[str, str]:
    return {name: str(one.render()) for name, one in screen._under.items() if one.display}


async def test_a_wrong_value_is_told_at_its_field_and_has_the_focus() -> None:
    monitor = Monitor(FakeBackend().backend())
    async with running(monitor, (80, 24)) as pilot:
        screen = await zone_form(pilot)
        assert screen.focused is screen._fields["name"], "the first required field that is empty"
        assert under(screen) == {}, "nothing is wrong before somebody has begun"
        await pilot.press("tab", *"many", "ctrl+s")
        assert under(screen) == {"name": "is empty: give name=VALUE", "items": "cannot be 'many': give a whole number"}
        assert screen.focused is screen._fields["name"]
        await pilot.press(*"a.example", "ctrl+s")
        assert screen.focused is screen._fields["items"]
        assert list(under(screen)) == ["items"]


async def test_what_is_typed_replaces_what_stood_in_the_field() -> None:
    monitor = Monitor(FakeBackend().backend())
    async with running(monitor, (80, 24)) as pilot:
        screen = await zone_form(pilot)
        await pilot.press("tab", "7")
        items = screen._fields["items"]
        assert isinstance(items, Input)
        assert items.value == "7"


async def test_what_is_typed_replaces_what_was_refused_where_the_cursor_is() -> None:
    monitor = Monitor(FakeBackend().backend())
    async with running(monitor, (80, 24)) as pilot:
        screen = await zone_form(pilot)
        await pilot.press(*"a.example", "tab", *"many", "enter")
        items = screen._fields["items"]
        assert isinstance(items, Input)
        assert (screen.focused, items.value) == (items, "many")
        await pilot.press("7")
        assert items.value == "7"


@operation("test.speed", label="Speed")
def speed(run: object, pace: Literal["slow", "middling", "fast"]) -> None: ...


async def test_a_letter_finds_what_an_open_choice_has() -> None:
    members = (Membership(CONTOSO, Role.OPERATOR), Membership(FABRIKAM, Role.OPERATOR))
    monitor = Monitor(FakeBackend(members=members).backend())
    async with running(monitor, (80, 24)) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        monitor.navigator.form(Registry.of([speed]).get("test.speed"))
        await until(pilot, lambda: isinstance(monitor.screen, FormScreen), "the form")
        assert isinstance(monitor.screen, FormScreen)
        await pilot.press("enter", "f", "enter", "tab", "enter", "m", "enter")
        chosen = [one.value for one in monitor.screen.query(Select)]
        assert chosen == ["fabrikam", "middling"]


async def test_the_help_is_that_of_the_field_under_the_cursor() -> None:
    monitor = Monitor(FakeBackend().backend())
    async with running(monitor, (80, 24)) as pilot:
        screen = await zone_form(pilot)
        said = screen.query_one("#help", Static)
        await until(pilot, lambda: str(said.render()) == "what to flush (required)", "the first field's help")
        await pilot.press("tab")
        await until(pilot, lambda: str(said.render()) == "how many at once (integer)", "the second one's")
        await pilot.press("tab", "tab")
        await until(pilot, lambda: not str(said.render()), "none")
        assert screen.focused is screen.query_one("#go")


async def test_esc_asks_before_it_drops_what_was_typed() -> None:
    monitor = Monitor(FakeBackend().backend())
    async with running(monitor, (80, 24)) as pilot:
        screen = await zone_form(pilot)
        await pilot.press(*"a.exam", "escape")
        await until(pilot, lambda: isinstance(monitor.screen, ConfirmModal), "the question")
        await pilot.press("escape")
        assert monitor.screen is screen
        await pilot.press("escape", "enter")
        await until(pilot, lambda: isinstance(monitor.screen, RunsScreen), "the list")
        await zone_form(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(monitor.screen, RunsScreen), "the list, unasked")


async def test_what_was_started_last_is_the_first_to_start(house: LiveHarness) -> None:
    async with running(Monitor(house.backend("ann")), (100, 30)) as pilot:
        await until(pilot, lambda: pilot.app.snapshot, "the list")
        await pilot.press("s", *"probe", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, FormScreen), "the form")
        pilot.app.screen.query_one("#tenant", Select).value = "contoso"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: pilot.app.memory.last.started == ("system.probe",), "what is kept")
        await pilot.press("s", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, FormScreen), "its form again")
        assert pilot.app.screen.place == "start system.probe"
