"""Pictures of drift, in every state that a person can meet."""

from __future__ import annotations

from typing import Any

from screens.monitor import Monitor
from store.intune.drift_page import DriftDetail, DriftReports
from store.people.access import Membership, Role
from tests.screens.conftest import CONTOSO
from tests.screens.drift.stage import DETAIL, FINDINGS, LISTED, WANTED, report, stage
from tests.screens.pictures import Picture

OPEN = ("C", "j", "enter")


def test_reports(picture: Picture) -> None:
    assert picture(stage(), "C", in_ascii=True)


def test_reports_on_a_narrow_terminal(picture: Picture) -> None:
    assert picture(stage(), "C", sizes=((40, 16), (60, 20)))


def test_no_report_yet(picture: Picture) -> None:
    assert picture(stage((LISTED, DriftReports(CONTOSO, (), has_more=False))), "C", sizes=((80, 24),))


def test_a_report(picture: Picture) -> None:
    assert picture(stage(), *OPEN, in_ascii=True)


def test_both_sides_of_a_finding(picture: Picture) -> None:
    assert picture(stage(), *OPEN, "tab", "enter")


def test_all_unfolded(picture: Picture) -> None:
    assert picture(stage(), *OPEN, "z", "G")


def test_nothing_changed(picture: Picture) -> None:
    nothing = DriftDetail(report(kinds=()), (), has_more=False)
    assert picture(stage((WANTED, nothing)), *OPEN, sizes=((80, 24),))


def test_more_findings_than_a_page(picture: Picture) -> None:
    assert picture(stage((WANTED, DriftDetail(report(), FINDINGS[:3], has_more=True))), *OPEN, "G", sizes=((80, 24),))


def test_a_report_that_is_not_there(picture: Picture) -> None:
    assert picture(stage((WANTED, None)), *OPEN, sizes=((80, 24),))


def test_accepting(picture: Picture) -> None:
    assert picture(stage(), *OPEN, "tab", "a", *"Planned", "enter")


def test_accepting_without_a_reason(picture: Picture) -> None:
    assert picture(stage(), *OPEN, "tab", "a", "enter", sizes=((80, 24),))


def test_who_may_not_accept(picture: Picture) -> None:
    operator = (Membership(CONTOSO, Role.OPERATOR),)

    async def before(pilot: Any, monitor: Monitor) -> None:
        assert monitor.snapshot

    assert picture(stage(members=operator), *OPEN, "tab", "a", sizes=((80, 24),), before=before)
    assert DETAIL.findings
