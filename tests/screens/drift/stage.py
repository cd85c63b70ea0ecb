"""Drift reports for the screens to look at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from store.intune.drift_page import (
    Acceptance,
    DriftDetail,
    DriftReport,
    DriftReports,
    DriftWanted,
    ListedFinding,
    ReportsWanted,
    ReportWanted,
)
from store.intune.drift_records import KindCompared
from store.model.records import Outcome, Status
from store.people.access import Membership, Role
from tests.screens.conftest import CONTOSO, HOSTILE, FakeBackend, ago

HOUR = 3_600
LISTED = ReportsWanted("contoso")
WANTED = ReportWanted(412)
REASONS = (KindCompared("intents", "never read whole"), KindCompared("scope_tags", "read whole once"))
COMPARED = (
    KindCompared("configuration_policies", "", 140, 4, ago(26 * HOUR), ago(2 * HOUR)),
    KindCompared("scripts", "", 12, 4, ago(26 * HOUR), ago(2 * HOUR)),
)


def report(run_id: int = 412, **changed: Any) -> DriftReport:
    made = DriftReport(
        run_id, "contoso", Status.COMPLETED, Outcome.SUCCEEDED, None, ago(HOUR), "Alice Alba", (*COMPARED, *REASONS)
    )
    return replace(made, **changed)


REPORTS = (
    report(413, status=Status.RUNNING, outcome=Outcome.PENDING, kinds=COMPARED[:1], created_at=ago(30)),
    report(),
    report(398, backup_set_id=12, kinds=(replace(COMPARED[0], findings=0),), created_at=ago(30 * HOUR)),
    report(377, outcome=Outcome.PARTIALLY_SUCCEEDED, created_at=ago(80 * HOUR), initiator_name="System"),
    report(300, outcome=Outcome.FAILED, kinds=(), created_at=ago(800 * HOUR), initiator_name=HOSTILE),
)
RULES = [{"action": "allow", "name": f"Rule {number}", "ports": [80, 443]} for number in range(3)]
FINDINGS = (
    ListedFinding(
        1, "configuration_policies", "p1", "Firewall", "modified", "settings[firewall_rules].value", RULES, RULES[:2], ""
    ),
    ListedFinding(2, "configuration_policies", "p1", "Firewall", "order", "settings", ["a", "b"], ["b", "a"], ""),
    ListedFinding(3, "configuration_policies", "p2", "Kiosk", "added", "", None, None, ""),
    ListedFinding(
        4, "configuration_policies", "p3", "Wi-Fi Köln 漢字", "modified", "description",
        "The old text, which is long enough to be wrapped",
        "The new text, which is a bit longer than the old one and is wrapped as well", "",
        Acceptance("Bob", "planned for the move", ago(HOUR), None),
    ),
    ListedFinding(
        5, "scripts", "s1", "Map drives", "assignment", "assignments[g]", {"target": {"groupId": "g", "kind": "include"}},
        {"target": {"groupId": "g", "kind": "exclude"}}, "Sales: include → exclude",
    ),
    ListedFinding(6, "scripts", "s1", "Map drives", "modified", "runAsAccount", None, "user", ""),
    ListedFinding(7, "scripts", "s2", "Old script", "removed", "", None, None, ""),
    ListedFinding(8, "scripts", "s3", HOSTILE, "modified", HOSTILE, HOSTILE, HOSTILE * 3, ""),
)  # fmt: skip
DETAIL = DriftDetail(report(), FINDINGS, has_more=False)


def stage(*more: tuple[DriftWanted, Any], **changed: Any) -> FakeBackend:
    """A backend with these reports. `more` replaces what is found, or with None takes it away."""
    known: dict[DriftWanted, Any] = {
        LISTED: DriftReports(CONTOSO, REPORTS, has_more=False),
        WANTED: DETAIL,
        **dict(more),
    }
    member = changed.pop("members", (Membership(CONTOSO, Role.OWNER),))
    return FakeBackend(drift={wanted: one for wanted, one in known.items() if one}, members=member, **changed)
