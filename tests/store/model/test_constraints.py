"""What the database itself refuses, whoever writes to it: each CHECK by its name."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from store.db.engine import Database
from store.intune import backups, directory, schedules, versions
from store.intune.backup_records import BackupItem, BackupKind, NewSet
from store.intune.inventory import SeenPolicy
from store.intune.schedule_records import ScheduleSettings
from store.intune.versions import ReadPolicy
from store.model.records import Tenant, User
from store.model.tables import (
    backup_items,
    backup_schedules,
    backup_set_kinds,
    backup_sets,
    directory_groups,
    drift_acceptances,
    drift_findings,
    drift_reports,
    memberships,
    metadata,
    notifications,
    operation_runs,
    policy_versions,
    rescues,
    restore_items,
    restore_mappings,
    restore_runs,
    run_acknowledgements,
    run_events,
    schedule_ticks,
)
from store.model.types import UtcTime
from store.people.access import Role
from tests.support.people import make_user, open_run, start_run

NOW, NULL = sa.func.current_timestamp(), sa.null()
COMPLETED = {"status": "completed", "outcome": "failed", "completed_at": NOW}

#: Changes of a queued run and of a running one that the database must refuse, and by which CHECK.
REFUSED: list[tuple[str, str, dict[str, Any]]] = [
    ("status", "queued", {"status": "paused"}),
    ("status", "queued", {"status": ""}),
    ("status", "queued", {"status": "Queued"}),
    ("outcome", "queued", COMPLETED | {"outcome": "unknown"}),
    ("outcome", "queued", COMPLETED | {"outcome": ""}),
    ("outcome_when_completed", "queued", COMPLETED | {"outcome": "pending"}),
    ("outcome_when_completed", "queued", {"outcome": "failed"}),
    ("outcome_when_completed", "queued", {"outcome": "cancelled"}),
    ("outcome_when_completed", "running", {"outcome": "succeeded"}),
    ("started_when_running", "queued", {"status": "running"}),
    ("started_when_running", "running", {"started_at": NULL}),
    ("started_when_running", "running", {"worker_id": NULL}),
    ("completed_at_when_completed", "queued", {"completed_at": NOW}),
    ("completed_at_when_completed", "running", {"completed_at": NOW}),
    ("completed_at_when_completed", "queued", COMPLETED | {"completed_at": NULL}),
    ("held", "running", {"held": sa.true()}),
    ("acknowledged", "running", {"acknowledged_at": NOW}),
    ("acknowledged", "running", COMPLETED | {"outcome": "succeeded", "acknowledged_at": NOW}),
]


def constraint_of(error: IntegrityError) -> str:
    diag = getattr(error.orig, "diag", None)
    if diag is not None:
        return str(diag.constraint_name)
    match = re.search(r"CHECK constraint failed: (\w+)", str(error.orig))
    return match[1] if match else str(error.orig)


def test_a_run_cannot_be_in_a_state_that_is_none(db: Database, tenant: Tenant) -> None:
    state = {"queued": open_run(db, tenant), "running": start_run(db, tenant)}
    for check, before, values in REFUSED:
        change = sa.update(operation_runs).where(operation_runs.c.id == state[before].id).values(values)
        with pytest.raises(IntegrityError) as caught, db.write() as connection:
            connection.execute(change)
        assert constraint_of(caught.value) == f"ck_operation_runs_{check}", f"{before} with {values}"


def test_every_outcome_is_allowed_at_the_end_cancelled_too(db: Database, tenant: Tenant) -> None:
    for outcome in ("succeeded", "partially_succeeded", "failed", "cancelled"):
        change = sa.update(operation_runs).where(operation_runs.c.id == open_run(db, tenant).id)
        with db.write() as connection:
            assert connection.execute(change.values(COMPLETED | {"outcome": outcome})).rowcount == 1


def test_words_of_other_tables_are_checked_too(db: Database, tenant: Tenant, user: User) -> None:
    run = open_run(db, tenant, user)
    note = {"run_id": run.id, "user_id": user.id, "kind": "started", "title": "x", "body": "x"}
    line = {"run_id": run.id, "level": "loud", "message": "x"}
    rescue = {"run_id": run.id, "what": "forgotten"}
    note_of = {"run_id": run.id, "user_id": user.id, "note": "x" * 501}
    member = {"user_id": make_user(db).id, "tenant_id": tenant.id, "role": "admin"}
    for table, row, check in (
        (notifications, note, "ck_notifications_kind"),
        (run_events, line, "ck_run_events_level"),
        (memberships, member, "ck_memberships_role"),
        (rescues, rescue, "ck_rescues_what"),
        (run_acknowledgements, note_of, "ck_run_acknowledgements_note"),
    ):
        with pytest.raises(IntegrityError) as caught, db.write() as connection:
            connection.execute(sa.insert(table).values(row))
        assert constraint_of(caught.value) == check


#: Changes of a whole version of a policy, a cached group, a schedule and a minute of it that the database must refuse.
REFUSED_ELSEWHERE: list[tuple[sa.Table, str, dict[str, Any]]] = [
    (policy_versions, "completeness", {"completeness": "nearly"}),
    (policy_versions, "assignments", {"assignments_hash": NULL}),
    (policy_versions, "whole_has_assignments", {"assignments": NULL, "assignments_hash": NULL}),
    (directory_groups, "removed", {"removed_at": NOW}),
    (directory_groups, "removed_reason", {"removed_at": NOW, "removed_reason": "lost"}),
    (backup_schedules, "keep", {"keep": 0}),
    (schedule_ticks, "what", {"what": "forgotten"}),
]


def test_what_was_read_of_a_tenant_is_checked(db: Database, tenant: Tenant) -> None:
    run = open_run(db, tenant)
    seen = SeenPolicy("p", "p", None, {}, None)
    read = ReadPolicy("p", {}, "content", "canonical", [], "none")
    versions.record(db, tenant.id, run.id, {"scripts": [seen]}, {"scripts": [read]})
    directory.apply(db, tenant.id, 1, [{"id": "g", "displayName": "Group"}])
    manager = make_user(db, **{tenant.slug: Role.MANAGER})
    schedule = schedules.add(db, manager, tenant.slug, ScheduleSettings("nightly", "30 2 * * *", "UTC"))
    with db.write() as connection:
        minute = {"schedule_id": schedule.id, "minute": schedule.ticked_to, "what": "opened"}
        connection.execute(sa.insert(schedule_ticks).values(minute))
    for table, check, values in REFUSED_ELSEWHERE:
        with pytest.raises(IntegrityError) as caught, db.write() as connection:
            connection.execute(sa.update(table).values(values))
        assert constraint_of(caught.value) == f"ck_{table.name}_{check}"


#: Changes of backup sets and drift, of how far a kind is, and of an item; an item is never updated, so it is inserted so.
REFUSED_OF_BACKUPS: list[tuple[sa.Table, str, dict[str, Any]]] = [
    (backup_sets, "source", {"source": "guess"}),
    (backup_sets, "sealed", {"sealed_at": NOW}),
    (backup_set_kinds, "numbers", {"found": -1}),
    (backup_set_kinds, "failure", {"failure_code": "graph.forbidden"}),
    (backup_set_kinds, "all_or_failure", {"found": 2}),
    (drift_findings, "change", {"change": "moved"}),
    (drift_acceptances, "until", {"until": sa.literal_column("created_at", UtcTime)}),
    (backup_items, "completeness", {"completeness": "nearly"}),
    (backup_items, "assignments", {"assignments_hash": NULL}),
    (backup_items, "whole_has_assignments", {"assignments": NULL, "assignments_hash": NULL}),
]


def test_backups_and_drift_are_checked(db: Database, tenant: Tenant) -> None:
    set_id = backups.begin(db, tenant.id, NewSet("x", {}, "System"))
    item = BackupItem("scripts", "p", "p", None, {}, "content", "canonical", [], "none")
    backups.add(db, tenant.id, set_id, [item], [BackupKind("scripts", 1, 1)])
    run = open_run(db, tenant)
    report = {"run_id": run.id, "tenant_id": tenant.id, "kinds": []}
    finding = {"kind": "scripts", "external_id": "p", "policy_name": "p", "change": "added", "path": ""}
    accepted = {"tenant_id": tenant.id, "user_name": "Ann", "reason": "planned"}
    with db.write() as connection:
        connection.execute(sa.insert(drift_reports).values(report))
        connection.execute(sa.insert(drift_findings).values(run_id=run.id, fingerprint="f", **finding))
        connection.execute(sa.insert(drift_acceptances).values(fingerprint="f", **accepted))
    with db.read() as connection:
        (kept,) = connection.execute(sa.select(backup_items)).mappings().all()
    for table, check, values in REFUSED_OF_BACKUPS:
        change: sa.Update | sa.Insert = sa.update(table).values(values)
        if table is backup_items:
            changed = {**kept, "external_id": "other", **values}
            change = sa.insert(table).values({name: value for name, value in changed.items() if name != "id"})
        with pytest.raises(IntegrityError) as caught, db.write() as connection:
            connection.execute(change)
        assert constraint_of(caught.value) == f"ck_{table.name}_{check}"


#: Changes of a restore, of an item and of the decision on a group that the database must refuse.
REFUSED_OF_RESTORES: list[tuple[sa.Table, str, dict[str, Any]]] = [
    (restore_runs, "status", {"status": "cancelled", "previewed_at": NOW}),
    (restore_runs, "mode", {"mode": "delete"}),
    (restore_runs, "previewed", {"status": "previewed"}),
    (restore_items, "action", {"action": "delete"}),
    (restore_items, "result", {"result": "lost", "done_at": NOW}),
    (restore_items, "done", {"result": "skipped"}),
    (restore_items, "failure", {"result": "failed", "done_at": NOW}),
    (restore_mappings, "decision", {"decision": "guess"}),
    (restore_mappings, "found_by", {"found_by": "luck"}),
    (restore_mappings, "target", {"decision": "map"}),
]


def test_restores_are_checked(db: Database, tenant: Tenant) -> None:
    item = BackupItem("scripts", "p", "p", None, {}, "content", "canonical", [], "none")
    set_id = backups.begin(db, tenant.id, NewSet("x", {}, "System"))
    backups.add(db, tenant.id, set_id, [item])
    row = {"tenant_id": tenant.id, "source_tenant_id": tenant.id, "backup_set_id": set_id, "initiator_name": "x"}
    with db.write() as connection:
        restore = sa.insert(restore_runs).values(**row, scope={}, ticks=[]).returning(restore_runs.c.id)
        id_ = connection.execute(restore).scalar_one()
        of_set = connection.execute(sa.select(backup_items.c.id)).scalar_one()
        connection.execute(sa.insert(restore_items).values(restore_id=id_, backup_item_id=of_set, position=0))
        mapping = {"restore_id": id_, "source_id": "g", "uses": 1, "decision": "unresolved"}
        connection.execute(sa.insert(restore_mappings).values(mapping))
    for table, check, values in REFUSED_OF_RESTORES:
        with pytest.raises(IntegrityError) as caught, db.write() as connection:
            connection.execute(sa.update(table).values(values))
        assert constraint_of(caught.value) == f"ck_{table.name}_{check}"


def test_every_check_of_the_tables_is_tried_here() -> None:
    checks = {
        str(constraint.name)
        for table in metadata.tables.values()
        for constraint in (*table.constraints, *(one for column in table.columns for one in column.constraints))
        if isinstance(constraint, sa.CheckConstraint)
    }
    tried = {f"ck_operation_runs_{name}" for name, *_ in REFUSED}
    tried |= {
        f"ck_{table.name}_{check}" for table, check, _ in REFUSED_ELSEWHERE + REFUSED_OF_BACKUPS + REFUSED_OF_RESTORES
    }
    assert checks == tried | {
        "ck_notifications_kind",
        "ck_run_events_level",
        "ck_memberships_role",
        "ck_rescues_what",
        "ck_run_acknowledgements_note",
    }


def test_a_run_refers_to_what_exists(db: Database, tenant: Tenant) -> None:
    change = sa.update(operation_runs).where(operation_runs.c.id == open_run(db, tenant).id)
    for column in ("tenant_id", "user_id", "retry_of_id", "worker_id"):
        with pytest.raises(IntegrityError, match=r"(?i)foreign key"), db.write() as connection:
            connection.execute(change.values({column: 4711}))


def test_one_notification_a_run_and_kind(db: Database, tenant: Tenant, user: User) -> None:
    note = {"run_id": open_run(db, tenant, user).id, "user_id": user.id, "kind": "queued", "title": "x", "body": "x"}
    with db.write() as connection:
        connection.execute(sa.insert(notifications).values(note))
    with pytest.raises(IntegrityError), db.write() as connection:
        connection.execute(sa.insert(notifications).values(note))


def test_what_belongs_to_a_run_goes_with_it(db: Database, tenant: Tenant, user: User) -> None:
    run = open_run(db, tenant, user)
    with db.write() as connection:
        connection.execute(sa.insert(run_events).values(run_id=run.id, level="info", message="x"))
        connection.execute(sa.delete(operation_runs).where(operation_runs.c.id == run.id))
        assert connection.execute(sa.select(sa.func.count()).select_from(run_events)).scalar_one() == 0
