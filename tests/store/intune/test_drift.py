"""Drift: findings that are accepted, by whom, and for which change."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from store.db.engine import Database
from store.errors import Forbidden, InputInvalid, NotFound
from store.intune import drift, drift_page
from store.intune.drift_page import ReportsWanted, ReportWanted
from store.intune.drift_records import Finding, KindCompared
from store.model.records import Run, Tenant, User
from store.model.tables import audit_events, drift_acceptances, drift_findings, drift_reports
from store.people import access
from store.people.access import Role
from tests.support import people

CHANGE = Finding("scripts", "p1", "Map drives", "modified", "description", "old", "new")


@pytest.fixture
def run(db: Database, tenant: Tenant) -> Run:
    run = people.start_run(db, tenant)
    drift.begin(db, tenant.id, run.id)
    return run


def rows(db: Database, table: sa.Table) -> list[sa.Row[Any]]:
    with db.read() as connection:
        return list(connection.execute(sa.select(table).order_by(*table.primary_key)))


def member(db: Database, tenant: Tenant, role: Role) -> User:
    return people.make_user(db, **{tenant.slug: role})


def test_a_finding_is_accepted_by_a_manager_with_a_reason(db: Database, tenant: Tenant, run: Run) -> None:
    drift.add(db, run.id, [CHANGE])
    (finding,) = rows(db, drift_findings)
    manager = member(db, tenant, Role.MANAGER)
    until = dt.datetime.now(dt.UTC) + dt.timedelta(days=30)
    drift.accept(db, manager, finding.id, "  Planned for the migration ", until)
    (accepted,) = rows(db, drift_acceptances)
    assert (accepted.fingerprint, accepted.user_name, accepted.reason) == (
        CHANGE.fingerprint,
        manager.name,
        "Planned for the migration",
    )
    (event,) = rows(db, audit_events)
    assert (event.action, event.subject, event.login, event.reason) == (
        "drift.accepted",
        str(finding.id),
        manager.login,
        "Planned for the migration",
    )
    assert event.tenant_id == tenant.id


def test_who_may_not_accept_does_not(db: Database, tenant: Tenant, run: Run) -> None:
    drift.add(db, run.id, [CHANGE])
    (finding,) = rows(db, drift_findings)
    with pytest.raises(Forbidden, match="may not accept drift"):
        drift.accept(db, member(db, tenant, Role.OPERATOR), finding.id, "x")
    stranger = member(db, people.make_tenant(db, "fabrikam"), Role.OWNER)
    for user, id_ in ((stranger, finding.id), (member(db, tenant, Role.OWNER), 4711)):
        with pytest.raises(NotFound):
            drift.accept(db, user, id_, "x")
    manager = member(db, tenant, Role.MANAGER)
    with pytest.raises(InputInvalid, match="needs a reason"):
        drift.accept(db, manager, finding.id, " ")
    with pytest.raises(InputInvalid, match="over at once"):
        drift.accept(db, manager, finding.id, "x", dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1))
    assert rows(db, drift_acceptances) == []


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({"old": "even older"}, True),
        ({"policy_name": "Renamed"}, True),
        ({"new": "something else"}, False),
        ({"path": "name"}, False),
        ({"external_id": "p2"}, False),
        ({"kind": "intents"}, False),
        ({"change": "order"}, False),
    ],
)
def test_what_is_accepted_is_what_the_policy_has_become(other: dict[str, Any], same: bool) -> None:
    assert (replace(CHANGE, **other).fingerprint == CHANGE.fingerprint) is same


def test_a_report_says_what_was_compared(db: Database, tenant: Tenant, run: Run) -> None:
    at = dt.datetime(2026, 3, 4, 5, 6, tzinfo=dt.UTC)
    kinds = [KindCompared("scripts", "", 12, 3, at, at), KindCompared("intents", "never read whole")]
    drift.note_kinds(db, run.id, kinds)
    (row,) = rows(db, drift_reports)
    assert [KindCompared.from_json(one) for one in row.kinds] == kinds
    assert KindCompared.from_json({"kind": 7, "policies": "x", "before": "never"}) == KindCompared("7")


def test_a_report_is_read_page_by_page_with_what_is_accepted(db: Database, tenant: Tenant, run: Run) -> None:
    others = [replace(CHANGE, external_id=f"p{number}") for number in range(2, 5)]
    drift.add(db, run.id, [CHANGE, *others])
    drift.note_kinds(db, run.id, [KindCompared("scripts", "", 12, 4)])
    manager = member(db, tenant, Role.MANAGER)
    mine = access.memberships_of(db, manager.id)
    first, second = (row.id for row in rows(db, drift_findings)[:2])
    drift.accept(db, manager, first, "once")
    drift.accept(db, manager, first, "again")
    drift.accept(db, manager, second, "for a while", dt.datetime.now(dt.UTC) + dt.timedelta(days=1))
    with db.write() as connection:  # a day later
        over = sa.update(drift_acceptances).where(drift_acceptances.c.reason == "for a while")
        then = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        connection.execute(over.values(created_at=then, until=then + dt.timedelta(days=1)))
    with db.read() as connection:
        page = drift_page.detail(connection, mine, ReportWanted(run.id), limit=3)
        rest = drift_page.detail(connection, mine, ReportWanted(run.id, page.findings[-1].id), limit=3)
        listed = drift_page.reports(connection, mine, tenant.slug)
    assert [one.external_id for one in page.findings + rest.findings] == ["p1", "p2", "p3", "p4"]
    assert (page.has_more, rest.has_more, page.report.findings) == (True, False, 4)
    assert [one.accepted and one.accepted.reason for one in page.findings] == ["again", None, None]
    assert [(one.run_id, one.tenant, one.findings) for one in listed.reports] == [(run.id, tenant.slug, 4)]


def test_the_same_change_in_a_later_report_is_accepted_and_another_is_not(
    db: Database, tenant: Tenant, run: Run
) -> None:
    drift.add(db, run.id, [CHANGE])
    manager = member(db, tenant, Role.MANAGER)
    drift.accept(db, manager, rows(db, drift_findings)[0].id, "planned")
    later = people.start_run(db, tenant)
    drift.begin(db, tenant.id, later.id)
    drift.add(db, later.id, [replace(CHANGE, old="other"), replace(CHANGE, new="other")])
    with db.read() as connection:
        page = drift_page.detail(connection, access.memberships_of(db, manager.id), ReportWanted(later.id))
    assert [one.accepted is not None for one in page.findings] == [True, False]


def test_the_oldest_report_goes_and_what_was_accepted_stays(
    db: Database, tenant: Tenant, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drift, "KEPT", 2)
    drift.add(db, run.id, [CHANGE])
    drift.accept(db, member(db, tenant, Role.MANAGER), rows(db, drift_findings)[0].id, "planned")
    other = people.make_tenant(db, "fabrikam")
    kept = [run.id]
    for of in (tenant, other):
        later = people.start_run(db, of)
        drift.begin(db, of.id, later.id)
        drift.add(db, later.id, [CHANGE])
        kept.append(later.id)
    assert [row.run_id for row in rows(db, drift_findings)] == kept, "nobody has more than two"
    last = people.start_run(db, tenant)
    drift.begin(db, tenant.id, last.id)
    assert [row.run_id for row in rows(db, drift_reports)] == [*kept[1:], last.id]
    assert [row.run_id for row in rows(db, drift_findings)] == kept[1:]
    assert len(rows(db, drift_acceptances)) == 1


def test_strangers_find_no_report(db: Database, tenant: Tenant, run: Run) -> None:
    stranger = access.memberships_of(db, member(db, people.make_tenant(db, "fabrikam"), Role.OWNER).id)
    with db.read() as connection:
        assert drift_page.read(connection, stranger, ReportWanted(run.id)) is None
        assert drift_page.read(connection, stranger, ReportsWanted(tenant.slug)) is None
        assert drift_page.read(connection, stranger, None) is None
