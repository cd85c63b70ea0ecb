"""Scheduled backups in a real worker, over real HTTP: sets of a schedule, how many are kept, and the last one repeated."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from store.intune import backups, schedules
from store.intune.schedule_records import ScheduleSettings
from store.model.records import Outcome, Run
from store.model.tables import backup_items, backup_schedules, backup_sets
from store.people.access import Role
from tasks.graph.simulator import Fault
from tests.support import people
from tests.support.waiting import wait_for
from tests.tasks.conftest import assert_failed
from tests.tasks.operations.conftest import Sync, codes


def add(sync: Sync, *kinds: str, keep: int | None = None, cron: str = "0 3 * * *") -> int:
    owner = people.make_user(sync.stage.db, contoso=Role.OWNER)
    settings = ScheduleSettings("Nightly", cron, "Europe/Berlin", kinds or None, keep)
    return schedules.add(sync.stage.db, owner, "contoso", settings).id


def run_now(sync: Sync, schedule: int) -> Run:
    return sync.run("backup_schedule.run_now", schedule=schedule)


def sets(sync: Sync) -> list[sa.Row[Any]]:
    with sync.stage.db.read() as connection:
        return list(connection.execute(sa.select(backup_sets).order_by(backup_sets.c.id)))


@pytest.mark.worker
def test_a_schedule_makes_sets_and_keeps_the_last(sync: Sync) -> None:
    sync.worker()
    schedule = add(sync, "scope_tags", "scripts", keep=2)
    for _ in range(4):
        assert run_now(sync, schedule).outcome is Outcome.SUCCEEDED
    found = sets(sync)
    assert [(row.name, row.schedule_id) for row in found] == [("Nightly", schedule)] * 2
    assert [row.id for row in found] == [3, 4]
    with sync.stage.db.read() as connection:
        kinds = connection.execute(sa.select(backup_items.c.kind).distinct()).scalars()
        assert set(kinds) == {"scope_tags", "scripts"}


@pytest.mark.worker
def test_what_failed_pushes_out_nothing_and_what_something_stands_on_stays(sync: Sync) -> None:
    sync.worker()
    schedule = add(sync, "scope_tags", keep=1)
    run_now(sync, schedule)
    with sync.stage.db.write() as connection:
        backups.seal(connection, sets(sync)[0].tenant_id, sets(sync)[0].id, "drift run 9")
    run_now(sync, schedule)
    sync.faults(Fault("roleScopeTags", status=403, count=None))
    assert_failed(run_now(sync, schedule), "graph.forbidden")
    assert [row.id for row in sets(sync)] == [1, 2, 3]
    sync.faults()
    run_now(sync, schedule)
    assert [row.id for row in sets(sync)] == [1, 4]


@pytest.mark.worker
def test_the_last_backup_that_failed_is_repeated_in_its_set(sync: Sync) -> None:
    sync.worker()
    schedule = add(sync, "scope_tags", "scripts")
    fine = run_now(sync, schedule)
    assert fine.outcome is Outcome.SUCCEEDED
    refused = sync.run("backup_schedule.retry", schedule=schedule)
    assert_failed(refused, "input.invalid")
    assert "did not fail" in refused.failure_summary[0].message


@pytest.mark.worker
def test_a_failed_backup_is_gone_on_with(sync: Sync) -> None:
    sync.worker()
    schedule = add(sync, "scope_tags", "scripts")
    sync.faults(Fault("roleScopeTags", status=403, count=None))
    failed = run_now(sync, schedule)
    assert (failed.outcome, codes(failed)) == (Outcome.PARTIALLY_SUCCEEDED, ["graph.forbidden"])
    sync.faults()
    again = sync.run("backup_schedule.retry", schedule=schedule)
    assert again.outcome is Outcome.SUCCEEDED
    assert again.summary_counts is not None
    assert again.summary_counts.success == len(sync.tenant.listed("scope_tags")), "the scripts are not read again"
    assert sync.stage.run(again.id).retry_of_id == failed.id
    assert [row.run_id for row in sets(sync)] == [again.id]


@pytest.mark.worker
def test_a_schedule_that_is_not_the_tenants_is_not_found(sync: Sync) -> None:
    sync.worker()
    for type_ in ("backup_schedule.run_now", "backup_schedule.retry"):
        run = sync.run(type_, schedule=4711)
        assert_failed(run, "input.invalid")
        assert "no schedule 4711" in run.failure_summary[0].message


@pytest.mark.worker
def test_workers_start_what_is_due_as_system_and_tell_nobody(sync: Sync) -> None:
    schedule = add(sync, "scope_tags", cron="* * * * *")
    people.make_older(sync.stage.db, backup_schedules, schedule, "ticked_to", 60)
    sync.worker()
    run = wait_for(lambda: next(iter(sync.stage.runs()), None), "the schedule to open a run")
    ended = sync.stage.completed(run.id)
    assert (ended.type, ended.initiator_name, ended.user_id) == ("backup_schedule.run_now", "System", None)
    assert ended.outcome is Outcome.SUCCEEDED
    assert sync.stage.told(run.id) == []
    assert sets(sync)[0].initiator_name == "System"
