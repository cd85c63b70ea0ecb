"""Drift as a person goes through it: the reports of a tenant, and one with its findings, policy by policy.

Only members of a tenant find anything of it (NotFound). What a policy was and has become is confidential.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from store.errors import NotFound
from store.intune.browse import tenant_of
from store.intune.drift_records import KindCompared
from store.model.records import Outcome, Status, Tenant
from store.model.tables import drift_acceptances, drift_findings, drift_reports, operation_runs
from store.model.types import among, at_most, utcnow
from store.people.access import Membership

#: Reports of a tenant, and findings of a report, that are read at once.
REPORTS: Final = 100
PAGE: Final = 500

_report = drift_reports.c
_finding = drift_findings.c
_accepted = drift_acceptances.c
_run = operation_runs.c


@dataclass(frozen=True, slots=True)
class DriftReport:
    """A comparison, as its run made it."""

    run_id: int
    #: The tenant's slug.
    tenant: str
    status: Status
    outcome: Outcome
    #: The set that the newest syncs were compared with; None: with the syncs before them.
    backup_set_id: int | None
    created_at: dt.datetime
    initiator_name: str
    kinds: tuple[KindCompared, ...]

    @property
    def findings(self) -> int:
        """How many findings there are in all."""
        return sum(kind.findings for kind in self.kinds)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """That somebody accepted a change."""

    user_name: str
    reason: str
    created_at: dt.datetime
    #: None: for ever.
    until: dt.datetime | None


@dataclass(frozen=True, slots=True)
class ListedFinding:
    """A finding, with who accepted it if that holds."""

    id: int
    kind: str
    external_id: str
    policy_name: str
    change: str
    path: str
    #: As JSON; None: it was not there.
    old: Any
    new: Any
    words: str
    accepted: Acceptance | None = None


@dataclass(frozen=True, slots=True)
class ReportsWanted:
    """Asks for the newest reports of the tenant with this slug."""

    tenant: str


@dataclass(frozen=True, slots=True)
class ReportWanted:
    """Asks for a report and a page of its findings, behind the finding with the id `after`."""

    run_id: int
    after: int = 0


@dataclass(frozen=True, slots=True)
class DriftReports:
    """The newest reports of a tenant, the newest first."""

    tenant: Tenant
    reports: tuple[DriftReport, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class DriftDetail:
    """A report with a page of its findings, kind by kind and policy by policy, as its run found them."""

    report: DriftReport
    findings: tuple[ListedFinding, ...]
    has_more: bool


DriftFound = DriftReports | DriftDetail
DriftWanted = ReportsWanted | ReportWanted


def read(connection: sa.Connection, members: Sequence[Membership], wanted: DriftWanted | None) -> DriftFound | None:
    """What is wanted; None if nothing is, or if it does not exist for a user with these memberships."""
    try:
        match wanted:
            case ReportsWanted():
                return reports(connection, members, wanted.tenant)
            case ReportWanted():
                return detail(connection, members, wanted)
    except NotFound:
        return None
    return None


def reports(
    connection: sa.Connection, members: Sequence[Membership], tenant: str, limit: int = REPORTS
) -> DriftReports:
    """The newest reports of a tenant. Raises NotFound."""
    found = tenant_of(members, tenant)
    query = _reports().where(_report.tenant_id == found.id).order_by(_report.run_id.desc()).limit(at_most(limit + 1))
    rows = connection.execute(query).all()
    return DriftReports(
        found, tuple(_report_from(row, {found.id: found.slug}) for row in rows[:limit]), len(rows) > limit
    )


def detail(
    connection: sa.Connection, members: Sequence[Membership], wanted: ReportWanted, limit: int = PAGE
) -> DriftDetail:
    """A report with a page of its findings. Raises NotFound."""
    slugs = {member.tenant.id: member.tenant.slug for member in members}
    row = connection.execute(_reports().where(_report.run_id == wanted.run_id)).first()
    if row is None or row.tenant_id not in slugs:
        raise NotFound(
            f"run {wanted.run_id} has no drift report", "'opsmon runs type:drift.generate' lists those that have"
        )
    query = sa.select(drift_findings).where(_finding.run_id == wanted.run_id, _finding.id > wanted.after)
    rows = connection.execute(query.order_by(_finding.id).limit(at_most(limit + 1))).all()
    accepted = acceptances(connection, row.tenant_id, [found.fingerprint for found in rows])
    findings = tuple(_finding_from(found, accepted.get(found.fingerprint)) for found in rows[:limit])
    return DriftDetail(_report_from(row, slugs), findings, len(rows) > limit)


def acceptances(connection: sa.Connection, tenant_id: int, fingerprints: Sequence[str]) -> Mapping[str, Acceptance]:
    """The newest acceptance that holds now of each of these changes, by fingerprint."""
    holds = sa.or_(_accepted.until.is_(None), _accepted.until > utcnow())
    columns = (_accepted.fingerprint, _accepted.user_name, _accepted.reason, _accepted.created_at, _accepted.until)
    query = sa.select(*columns).where(
        _accepted.tenant_id == tenant_id, among(_accepted.fingerprint, set(fingerprints)), holds
    )
    rows = connection.execute(query.order_by(_accepted.id))
    return {row.fingerprint: Acceptance(row.user_name, row.reason, row.created_at, row.until) for row in rows}


def _reports() -> sa.Select[Any]:
    columns = (_run.status, _run.outcome, _run.initiator_name)
    return sa.select(drift_reports, *columns).join(operation_runs, _run.id == _report.run_id)


def _report_from(row: sa.Row[Any], slugs: Mapping[int, str]) -> DriftReport:
    kinds = row.kinds if isinstance(row.kinds, list) else []
    return DriftReport(
        row.run_id,
        slugs[row.tenant_id],
        Status(row.status),
        Outcome(row.outcome),
        row.backup_set_id,
        row.created_at,
        row.initiator_name,
        tuple(KindCompared.from_json(one) for one in kinds if isinstance(one, dict)),
    )


def _finding_from(row: sa.Row[Any], accepted: Acceptance | None) -> ListedFinding:
    facts = (row.id, row.kind, row.external_id, row.policy_name, row.change, row.path, row.old, row.new)
    return ListedFinding(*facts, row.words or "", accepted)
