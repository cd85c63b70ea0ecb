"""`opsmon drift`: shows what a drift report found, and accepts findings."""

from __future__ import annotations

import argparse
from typing import Final

from opsmon.cli.commands.session import Session
from opsmon.output import as_json, cell
from screens.text import changes
from screens.text.format import instant, several
from store.intune import drift, drift_page
from store.intune.drift_page import DriftReport, ListedFinding, ReportWanted
from store.people import access
from tasks.graph.resources import BY_NAME

#: Characters of a finding on its line; JSON has all of it.
MOST: Final = 200


def show(session: Session, arguments: argparse.Namespace) -> int:
    """Print a report with all its findings. Returns the exit code."""
    report, findings = _read(session, arguments.run_id)
    shown = {**as_json(report), "findings": as_json(findings)}
    session.output.show(shown, lambda: "\n".join(_lines(report, findings)))
    return 0


def accept(session: Session, arguments: argparse.Namespace) -> int:
    """Accept a finding. Returns the exit code."""
    drift.accept(session.db, session.user, arguments.finding_id, arguments.reason, arguments.until)
    until = f"until {instant(arguments.until, 'Z')}" if arguments.until else "for good"
    session.output.show(
        {"finding": arguments.finding_id, "reason": arguments.reason, "until": arguments.until},
        lambda: f"Finding {arguments.finding_id} is accepted {until}.",
    )
    return 0


def _read(session: Session, run_id: int) -> tuple[DriftReport, list[ListedFinding]]:
    members = access.memberships_of(session.db, session.user.id)
    findings: list[ListedFinding] = []
    while True:
        after = findings[-1].id if findings else 0
        with session.db.read() as connection:
            page = drift_page.detail(connection, members, ReportWanted(run_id, after))
        findings += page.findings
        if not page.has_more:
            return page.report, findings


def _lines(report: DriftReport, findings: list[ListedFinding]) -> list[str]:
    lines = [_head(report, findings), *filter(None, [changes.caution(report)])]
    for kind, name, some in changes.by_policy(findings):
        lines += ["", f"{cell(name)} ({_label(kind)}, {cell(some[0].external_id)})"]
        lines += [f"  {one.id:>6}  {_cut(cell(changes.sentence(one)))}{_accepted(one)}" for one in some]
    if left_out := [f"{_label(one.kind)}: {cell(one.reason)}" for one in report.kinds if one.reason]:
        lines += ["", "Not compared:", *(f"  {text}" for text in left_out)]
    return lines


def _head(report: DriftReport, findings: list[ListedFinding]) -> str:
    compared = [kind for kind in report.kinds if not kind.reason]
    policies, accepted = sum(kind.policies for kind in compared), sum(one.accepted is not None for one in findings)
    told = several(len(findings), "finding") + (f", {accepted} accepted" if accepted else "")
    return (
        f"{told} in {several(policies, 'policy', 'policies')} of {several(len(compared), 'kind')} of {report.tenant}, "
        f"compared with {changes.compared_with(report)} by run {report.run_id} on {instant(report.created_at, 'Z')}."
    )


def _label(kind: str) -> str:
    return BY_NAME[kind].label if kind in BY_NAME else cell(kind)


def _cut(text: str) -> str:
    return text if len(text) <= MOST else f"{text[: MOST - 1]}…"


def _accepted(finding: ListedFinding) -> str:
    if finding.accepted is None:
        return ""
    until = f" until {instant(finding.accepted.until, 'Z')}" if finding.accepted.until else ""
    return f"  (accepted by {cell(finding.accepted.user_name)}{until}: {cell(finding.accepted.reason)})"
