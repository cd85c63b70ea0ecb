"""The form of an operation that not everybody may start."""

from __future__ import annotations

import pytest
from textual.widgets import Select, Static

from screens.monitor import Monitor
from screens.start.form import FormScreen
from store.people.access import Membership, Role
from tasks.sdk.operation import Operation, operation
from tasks.sdk.registry import Registry
from tests.screens.conftest import CONTOSO, FABRIKAM, FakeBackend, running, until

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
            shown = monitor.screen.query_one("#note", Static)
            await until(pilot, lambda: note in str(shown.render()), "the reason")
