"""Drift reports: written by their run, kind by kind, and findings that people accept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from store.db.engine import Database
from store.errors import InputInvalid, NotFound
from store.intune import backups
from store.intune.drift_records import Finding, KindCompared
from store.intune.inventory import storable
from store.model.records import User
from store.model.tables import drift_acceptances, drift_findings, drift_reports, tenants
from store.model.types import utcnow
from store.people import access, audit
from store.people.access import Right, member_tenants

_report = drift_reports.c
_finding = drift_findings.c

#: Reports of a tenant that are kept: of one a day, more than a year.
KEPT: Final = 400
#: Reports that are removed at once.
_REMOVED: Final = 10
#: Characters of a reason.
MAX_REASON: Final = 500
_ACCEPT: Final = "accept drift"


def begin(db: Database, tenant_id: int, run_id: int, backup_set_id: int | None = None) -> None:
    """Begin the report of a run. The set that it compares with takes no more from here on. The oldest report goes with its
    findings if the tenant has more than KEPT; what was accepted stays accepted.

    Raises NotFound for a set that the tenant does not have, InputInvalid for one that is not finished, and DatabaseAway.
    """
    with db.write() as connection:
        if backup_set_id is not None:
            backups.seal(connection, tenant_id, backup_set_id, f"drift run {run_id}")
        values: dict[str, Any] = {"run_id": run_id, "tenant_id": tenant_id, "backup_set_id": backup_set_id, "kinds": []}
        connection.execute(sa.insert(drift_reports).values(values))
        _forget(connection, tenant_id)


def _forget(connection: sa.Connection, tenant_id: int) -> None:
    newest = sa.select(_report.run_id).where(_report.tenant_id == tenant_id).order_by(_report.run_id.desc())
    old = connection.execute(newest.offset(KEPT).limit(_REMOVED)).scalars().all()
    if old:
        connection.execute(sa.delete(drift_reports).where(_report.run_id.in_(old)))


def add(db: Database, run_id: int, findings: Sequence[Finding]) -> None:
    """Add findings to a report, in one transaction."""
    if not findings:
        return
    with db.write() as connection:
        connection.execute(
            sa.insert(drift_findings),
            [
                {
                    "run_id": run_id,
                    "kind": one.kind,
                    "external_id": storable(one.external_id),
                    "policy_name": storable(one.policy_name),
                    "change": one.change,
                    "path": storable(one.path),
                    "old": storable(one.old),
                    "new": storable(one.new),
                    "words": storable(one.words) or None,
                    "fingerprint": one.fingerprint,
                }
                for one in findings
            ],
        )


def note_kinds(db: Database, run_id: int, kinds: Sequence[KindCompared]) -> None:
    """Record what was compared so far, of each kind."""
    with db.write() as connection:
        change = sa.update(drift_reports).where(_report.run_id == run_id)
        connection.execute(change.values(kinds=storable([kind.as_json() for kind in kinds])))


def accept(db: Database, user: User, finding_id: int, reason: str, until: dt.datetime | None = None) -> None:
    """Accept a finding, and whatever run finds the same change, until an instant (None: for ever).

    Raises NotFound for a finding that the user cannot see, Forbidden for a role below manager, InputInvalid for a reason
    that says nothing or an instant that is over, and DatabaseAway.
    """
    reason = storable(reason.strip())[:MAX_REASON]
    if not reason:
        raise InputInvalid("an acceptance needs a reason", "say why the change may stay")
    query = (
        sa.select(_report.tenant_id, tenants.c.slug, _finding.fingerprint)
        .join(drift_reports, _report.run_id == _finding.run_id)
        .join(tenants, tenants.c.id == _report.tenant_id)
        .where(_finding.id == finding_id, _report.tenant_id.in_(member_tenants(user.id)))
    )
    with db.read_one() as connection:
        row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"no finding {finding_id}", "'opsmon drift show RUN' lists them")
    access.require_right(db, user, row.slug, Right.RESTORE, _ACCEPT)
    values = {"tenant_id": row.tenant_id, "fingerprint": row.fingerprint, "user_id": user.id, "user_name": user.name}
    with db.write() as connection:
        if until is not None and until <= connection.execute(sa.select(utcnow())).scalar_one():
            raise InputInvalid("the acceptance would be over at once", "give a day to come, or none")
        connection.execute(sa.insert(drift_acceptances).values(reason=reason, until=until, **values))
        audit.record(
            connection,
            audit.DRIFT_ACCEPTED,
            str(finding_id),
            login=user.login,
            user_id=user.id,
            tenant_id=row.tenant_id,
            detail={"until": until.isoformat() if until else None},
            reason=reason,
        )
