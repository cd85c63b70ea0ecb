"""What the keys of drift do, and what they ask of the database."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from textual.widgets import Input, Static

from screens.dialogs.confirm import ConfirmModal
from screens.drift.accept_modal import AcceptModal
from screens.drift.report import DriftReportScreen
from screens.drift.report_lines import View, lines
from screens.drift.reports import DriftReportsScreen
from screens.monitor import Monitor
from screens.run.screen import RunScreen
from screens.start.form import FormScreen
from screens.widgets.line_view import LineView
from store.intune.drift_page import DriftDetail, ReportWanted
from store.model.records import Outcome, Status
from store.people.access import Membership, Role
from tasks.dispatch import Dispatcher
from tasks.operations.drift_generate import generate
from tasks.sdk.registry import Registry
from tests.screens.conftest import AT, CONTOSO, FakeBackend, polls, running, toasts, until
from tests.screens.drift.stage import FINDINGS, WANTED, report, stage

pytestmark = pytest.mark.anyio


async def pressed(pilot: Any, *keys: str) -> None:
    """Each key, and what it asks for."""
    for key in keys:
        await pilot.press(key)
        await polls(pilot)


def asked(monitor: Monitor) -> object:
    return monitor.data.poller.request.drift


def page(monitor: Monitor) -> str:
    return monitor.screen.query_one(LineView).text


async def opened(pilot: Any, monitor: Monitor) -> None:
    await until(pilot, lambda: monitor.snapshot)
    await pressed(pilot, "C", "j", "enter")
    assert isinstance(monitor.screen, DriftReportScreen)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"status": Status.RUNNING, "outcome": Outcome.PENDING}, "not finished"),
        ({"outcome": Outcome.FAILED}, "The comparison failed"),
    ],
)
def test_half_a_report_does_not_say_that_nothing_changed(changed: dict[str, Any], words: str) -> None:
    view = View(AT, 80, frozenset(), str)
    whole, half = (
        "\n".join(line.text for line in lines(DriftDetail(one, (), False), view))
        for one in (report(), report(**changed))
    )
    assert "Nothing changed." in whole
    assert "Nothing changed." not in half
    assert words in half
    assert words not in whole


async def test_a_report_is_read_while_it_is_open() -> None:
    monitor = Monitor(stage().backend())
    async with running(monitor) as pilot:
        await opened(pilot, monitor)
        assert asked(monitor) == WANTED
        assert "8 findings in 152 policies of 2 kinds, the newest sync compared with the sync before." in page(monitor)
        await pressed(pilot, "v")
        assert isinstance(monitor.screen, RunScreen)
        await pressed(pilot, "escape", "escape")
        assert isinstance(monitor.screen, DriftReportsScreen)
        await pressed(pilot, "escape")
        assert asked(monitor) is None


async def test_enter_shows_both_sides_and_z_all() -> None:
    monitor = Monitor(stage().backend())
    async with running(monitor) as pilot:
        await opened(pilot, monitor)
        assert "Before" not in page(monitor)
        await pressed(pilot, "tab", "enter")
        assert page(monitor).count("Before") == 1
        await pressed(pilot, "enter")
        assert "Before" not in page(monitor)
        await pressed(pilot, "z")
        assert page(monitor).count("Before") == 6, "all but what was added and removed"
        assert "intents: never read whole" in page(monitor)
        await pressed(pilot, "z")
        assert "Before" not in page(monitor)


async def test_findings_come_in_pages() -> None:
    first, second = (
        DriftDetail(report(), FINDINGS[:3], has_more=True),
        DriftDetail(report(), FINDINGS[3:], has_more=False),
    )
    monitor = Monitor(stage((WANTED, first), (ReportWanted(412, 3), second)).backend())
    async with running(monitor) as pilot:
        await opened(pilot, monitor)
        await pressed(pilot, "left_square_bracket", "right_square_bracket")
        assert asked(monitor) == ReportWanted(412, 3)
        assert "From finding 4 on." in page(monitor)
        await pressed(pilot, "right_square_bracket", "left_square_bracket")
        assert asked(monitor) == WANTED


async def accepting(pilot: Any, monitor: Monitor) -> AcceptModal:
    await opened(pilot, monitor)
    await pressed(pilot, "tab", "a")
    assert isinstance(monitor.screen, AcceptModal)
    return monitor.screen


async def test_a_finding_is_accepted_with_reason_and_day() -> None:
    backend = stage()
    monitor = Monitor(backend.backend())
    async with running(monitor) as pilot:
        await accepting(pilot, monitor)
        await pilot.press(*"planned", "enter", *"2027-02-28", "enter")
        await until(pilot, lambda: backend.accepted)
        assert backend.accepted == [(1, "planned", dt.datetime(2027, 3, 1, tzinfo=dt.UTC))]
        await until(pilot, lambda: isinstance(monitor.screen, DriftReportScreen))


async def test_without_a_day_it_is_accepted_for_good() -> None:
    backend = stage()
    monitor = Monitor(backend.backend())
    async with running(monitor) as pilot:
        await accepting(pilot, monitor)
        await pilot.press(*"planned", "enter", "enter")
        await until(pilot, lambda: backend.accepted)
        assert backend.accepted == [(1, "planned", None)]


async def test_nonsense_stays_in_the_form_with_what_is_wrong() -> None:
    backend = stage()
    monitor = Monitor(backend.backend())
    async with running(monitor) as pilot:
        modal = await accepting(pilot, monitor)
        await pilot.press("enter")
        assert "A reason is needed" in said(modal)
        await pilot.press(*"planned", "enter", *"tomorrow", "enter")
        assert "not a day" in said(modal)
        assert modal.query_one("#reason", Input).value == "planned"
        backend.away = "the database is away"
        await pilot.press(*["backspace"] * 8, "enter")
        await until(pilot, lambda: "the database is away" in said(modal))
        assert (backend.accepted, monitor.screen) == ([], modal)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(monitor.screen, ConfirmModal), "the question before it is lost")
        await pilot.press("escape")
        await until(pilot, lambda: monitor.screen is modal)
        assert modal.query_one("#reason", Input).value == "planned"
        await pilot.press("escape", "enter")
        await until(pilot, lambda: isinstance(monitor.screen, DriftReportScreen))


def said(modal: AcceptModal) -> str:
    return str(modal.query_one("#problem", Static).content)


async def test_who_may_not_accept_is_told_and_who_chose_nothing() -> None:
    operator = stage(members=(Membership(CONTOSO, Role.OPERATOR),))
    assert await _told(operator, "tab", "a") == "Only managers and owners of contoso accept drift."
    assert await _told(stage(), "a") == "Choose a finding first: tab goes from one to the next."


async def _told(backend: FakeBackend, *keys: str) -> str:
    monitor = Monitor(backend.backend())
    async with running(monitor) as pilot:
        await opened(pilot, monitor)
        await pressed(pilot, *keys)
        (toast,) = toasts(monitor)
        return str(toast)


async def test_s_opens_the_form_of_a_comparison() -> None:
    backend = stage()
    monitor = Monitor(backend.backend(lambda: Dispatcher(None, None, Registry.of([generate]))))  # type: ignore[arg-type]
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pressed(pilot, "C", "s")
        await until(pilot, lambda: isinstance(monitor.screen, FormScreen))
