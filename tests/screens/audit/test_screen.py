"""The audit trail on the screens: pages, filter, the run of an event, and what each user may see."""

from __future__ import annotations

import pytest

from screens.audit.screen import AuditScreen
from screens.monitor import Monitor
from screens.run.screen import RunScreen
from screens.widgets.row_table import RowTable
from store.model.records import User
from store.people import audit
from store.runs import acknowledging
from tests.screens.audit.stage import stage
from tests.screens.conftest import LiveHarness, polls, running, screen_lines, toasts, until
from tests.support import people

pytestmark = pytest.mark.anyio


def keys(monitor: Monitor) -> list[int]:
    return [row.key for row in monitor.screen.query_one(RowTable).painted_rows]


async def test_pages_there_and_back() -> None:
    monitor = Monitor(stage().backend())
    async with running(monitor, (80, 24)) as pilot:
        await pilot.press("U")
        await until(pilot, lambda: keys(monitor) == [9, 8, 7, 6, 5, 4])
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: "This is the first page." in toasts(monitor))
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: keys(monitor) == [3, 2, 1])
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "There is nothing older." in toasts(monitor))
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: keys(monitor) == [9, 8, 7, 6, 5, 4])
        await pilot.press("U")
        assert sum(isinstance(one, AuditScreen) for one in monitor.screen_stack) == 1


async def test_enter_opens_the_run_and_says_where_there_is_none() -> None:
    monitor = Monitor(stage().backend())
    async with running(monitor, (80, 24)) as pilot:
        await pilot.press("U")
        await until(pilot, lambda: keys(monitor))
        await pilot.press("j", "j", "enter")
        await until(pilot, lambda: "This event is about no run." in toasts(monitor))
        await pilot.press("k", "enter")
        await until(pilot, lambda: isinstance(monitor.screen, RunScreen) and monitor.screen.run_id == 994)


async def test_a_filter_that_is_wrong_stays_to_be_mended_and_esc_takes_one_back() -> None:
    monitor = Monitor(stage().backend())
    async with running(monitor, (80, 24)) as pilot:
        await pilot.press("U")
        await until(pilot, lambda: keys(monitor))
        await pilot.press("slash", *"by:bob x", "enter")
        await until(pilot, lambda: any("'x' is no filter" in one for one in toasts(monitor)))
        await pilot.press("backspace", "backspace", "enter")
        await until(pilot, lambda: keys(monitor) == [7])
        await pilot.press("escape")
        await until(pilot, lambda: len(keys(monitor)) == 6)
        await pilot.press("escape")
        assert not isinstance(monitor.screen, AuditScreen)


async def test_a_member_sees_what_was_done_in_their_tenants_alone(house: LiveHarness) -> None:
    ann: User = house.users["ann"]
    with house.db.write() as connection:
        for tenant_id, subject in ((1, "of contoso"), (2, "of fabrikam")):
            audit.record(connection, audit.DRIFT_ACCEPTED, subject, login="ann", user_id=ann.id, tenant_id=tenant_id)
    monitor = Monitor(house.backend("ron"))
    async with running(monitor, (140, 40)) as pilot:
        await pilot.press("U")
        await until(pilot, lambda: keys(monitor))
        shown = "\n".join(screen_lines(monitor))
        assert "of contoso" in shown
        assert "of fabrikam" not in shown


async def test_what_was_acknowledged_stands_there_at_the_next_poll(house: LiveHarness) -> None:
    from store.people.access import memberships_of

    ann = house.users["ann"]
    tenant = next(one.tenant for one in memberships_of(house.db, ann.id) if one.tenant.slug == "contoso")
    run = people.end_run(house.db, people.start_run(house.db, tenant), people.FAILED)
    monitor = Monitor(house.backend("ann"))
    async with running(monitor, (140, 40)) as pilot:
        await pilot.press("U")
        await polls(pilot)
        acknowledging.acknowledge(house.db, ann, [run.id], "seen")
        await until(pilot, lambda: any("acknowledged" in line and "seen" in line for line in screen_lines(monitor)))
