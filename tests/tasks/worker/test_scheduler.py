"""Schedules fire in workers, and their runs are queued: also while the queue is paused, and later if it refuses."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import replace
from typing import cast

import pytest
import sqlalchemy as sa

from store.errors import QueueUnavailable
from store.intune import schedules
from store.intune.schedule_records import Schedule, ScheduleSettings, What
from store.model.records import Outcome, Run, Status, User
from store.model.tables import backup_schedules
from store.people import admin
from store.people.access import Role
from store.runs import ticking
from store.workers import pause
from tasks.dispatch import Receipt
from tasks.queue.queue import Queue
from tasks.sdk.registry import Registry
from tasks.worker.rescuer import Rescuer, RescueTimeouts
from tasks.worker.scheduler import Scheduler
from tests.support.plugged import plug_in
from tests.support.scheduled import run_now
from tests.support.worker import plugins
from tests.tasks.conftest import WorkerHarness

MINUTE = dt.timedelta(minutes=1)
EVERY_MINUTE = ScheduleSettings("nightly", "* * * * *", "Europe/Berlin")


REGISTRY = Registry.of([run_now])


@pytest.fixture
def manager(stage: WorkerHarness) -> User:
    user = admin.add_user(stage.db, "mary")
    admin.grant(stage.db, "mary", "contoso", Role.OWNER)
    stage.registry = REGISTRY
    return user


@pytest.fixture
def schedule(stage: WorkerHarness, manager: User) -> Schedule:
    """One that is due."""
    return due(stage, manager, EVERY_MINUTE)


def due(stage: WorkerHarness, manager: User, settings: ScheduleSettings) -> Schedule:
    """A schedule that nobody has looked at for a minute."""
    new = schedules.add(stage.db, manager, "contoso", settings)
    look_back(stage, new, new.ticked_to - MINUTE)
    return new


def look_back(stage: WorkerHarness, schedule: Schedule, to: dt.datetime) -> None:
    change = sa.update(backup_schedules).where(backup_schedules.c.id == schedule.id).values(ticked_to=to)
    with stage.db.write() as connection:
        connection.execute(change)


def scheduler(stage: WorkerHarness, queue: object = None, registry: Registry = REGISTRY) -> Scheduler:
    return Scheduler(stage.db, cast(Queue, queue or stage.queue), registry)


def opened(ticked: tuple[ticking.Ticked, ...]) -> Run:
    """The run that was opened; if a minute has passed just now, the one before may have been missed."""
    (run,) = [one.run for one in ticked if one.what is What.OPENED]
    assert run
    return run


def test_a_run_that_a_schedule_opens_is_queued_and_carried_out(
    stage: WorkerHarness, manager: User, schedule: Schedule, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "opsmon.schedules"):
        run = opened(scheduler(stage).tick())
    assert f"schedule {schedule.id} of " in caplog.text
    assert f"opened run {run.id}" in caplog.text
    assert stage.queue.waiting(10) == [run.id]
    assert stage.run(run.id).dispatched_at
    # A person who starts it meanwhile gets that run.
    started = stage.dispatcher().start(manager, "contoso", ticking.TYPE, {"schedule": schedule.id})
    assert (started.receipt, started.run.id) == (Receipt.ATTACHED, run.id)
    assert stage.tracker().execute(run.id)
    assert stage.run(run.id).outcome is Outcome.SUCCEEDED


def test_one_that_joins_an_active_run_queues_nothing(stage: WorkerHarness, manager: User, schedule: Schedule) -> None:
    started = stage.dispatcher().start(manager, "contoso", ticking.TYPE, {"schedule": schedule.id})
    ticked = scheduler(stage).tick()
    assert [one.run.id for one in ticked if one.run and one.what is What.JOINED] == [started.run.id]
    assert stage.queue.waiting(10) == [started.run.id]


def test_where_the_operation_is_not_known_nothing_happens(stage: WorkerHarness, schedule: Schedule) -> None:
    before = schedules.read(stage.db, schedule.id)
    assert scheduler(stage, registry=Registry.of([])).tick() == ()
    assert (schedules.read(stage.db, schedule.id), stage.runs()) == (before, [])


def test_while_the_queue_is_paused_runs_are_opened_and_wait_in_it(
    stage: WorkerHarness, manager: User, schedule: Schedule
) -> None:
    assert pause.pause(stage.db, manager)
    run = opened(scheduler(stage).tick())
    assert stage.queue.waiting(10) == [run.id]
    assert stage.run(run.id).status is Status.QUEUED


class Refusing:
    """A queue that takes nothing."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def send(self, run_id: int) -> None:
        self.asked.append(run_id)
        raise QueueUnavailable("the queue did not take the message")


def test_what_the_queue_refuses_is_queued_by_a_rescuer(
    stage: WorkerHarness, manager: User, schedule: Schedule, caplog: pytest.LogCaptureFixture
) -> None:
    due(stage, manager, replace(EVERY_MINUTE, name="other"))
    refusing = Refusing()
    ticked = scheduler(stage, refusing).tick()
    ids = [one.run.id for one in ticked if one.run and one.what is What.OPENED]
    assert refusing.asked == ids  # one that is refused keeps no other from being sent
    assert len(ids) == 2
    assert "cannot queue what schedules opened" in caplog.text
    assert [(stage.run(run_id).status, stage.run(run_id).dispatched_at) for run_id in ids] == [
        (Status.QUEUED, None)
    ] * 2
    stage.age("operation_runs", 11, "true", "created_at", "updated_at")
    Rescuer(stage.db, stage.queue, RescueTimeouts()).rescue()
    assert sorted(stage.queue.waiting(10)) == ids
    assert all(stage.run(run_id).dispatched_at for run_id in ids)


@pytest.mark.worker
def test_a_worker_lets_schedules_fire(stage: WorkerHarness, manager: User, schedule: Schedule) -> None:
    plug_in(plugins(stage.folder), "scheduled", entry="scheduled = tests.support.scheduled")
    worker = stage.worker()
    worker.says(f"schedule {schedule.id} of ")
    (run,) = stage.runs()
    done = stage.completed(run.id)
    assert (done.type, done.initiator_name, done.worker_id) == (ticking.TYPE, "System", worker.id)
