"""A queue that is paused: what runs goes on, what waits waits, nothing is lost or doubled, and it all goes on afterwards."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from store.model.records import Outcome, Status, User
from store.model.tables import rescues
from store.people import admin
from store.people.access import Role
from store.workers import pause as queue_pause
from tasks.queue.queue import Queue
from tasks.sdk.context import GraphSettings, OperationResources
from tasks.worker.rescuer import Rescuer, RescueTimeouts
from tasks.worker.worker import Worker, WorkerOptions
from tests.support.waiting import HANG, wait_for
from tests.tasks.conftest import MakeStage, WorkerHarness
from tests.tasks.worker.test_rescuer import beats


@pytest.fixture
def owner(stage: WorkerHarness) -> User:
    user = admin.add_user(stage.db, "olga")
    admin.grant(stage.db, "olga", "contoso", Role.OWNER)
    return user


@pytest.mark.worker
def test_while_the_queue_is_paused_what_waits_waits_and_what_runs_goes_on(stage: WorkerHarness, owner: User) -> None:
    worker = stage.worker()
    running = stage.start("test.hold", name="flag")
    stage.running(running.id)
    queue_pause.pause(stage.db, owner)
    worker.says("the queue is paused")
    waiting = [stage.start("test.mark", name="lines", key=f"{number}") for number in range(3)]
    stage.flag("flag")
    assert stage.completed(running.id).outcome is Outcome.SUCCEEDED
    # Long enough for its rescuer to take their messages for lost, were they not there: and it beats all the while.
    stage.age("operation_runs", 20 * HANG, "status = 'queued'", "dispatched_at", "created_at", "updated_at")
    beats(stage, 6, worker)
    assert [stage.run(run.id).status for run in waiting] == [Status.QUEUED] * 3
    assert sorted(stage.queue.waiting(10)) == [run.id for run in waiting]
    queue_pause.resume(stage.db, owner)
    for run in waiting:
        assert stage.completed(run.id).outcome is Outcome.SUCCEEDED
    assert sorted(stage.marks("lines")) == sorted(str(run.id) for run in waiting)
    with stage.db.read() as connection:
        assert connection.execute(sa.select(rescues)).all() == []


@pytest.mark.worker
def test_a_worker_that_starts_while_the_queue_is_paused_takes_nothing(stage: WorkerHarness, owner: User) -> None:
    queue_pause.pause(stage.db, owner)
    run = stage.start("test.mark", name="lines")
    worker = stage.worker()
    beats(stage, 5, worker)
    assert stage.run(run.id).status is Status.QUEUED
    queue_pause.resume(stage.db, owner)
    assert stage.completed(run.id).outcome is Outcome.SUCCEEDED


@pytest.mark.kill
def test_an_embedded_worker_obeys(stage: WorkerHarness, owner: User) -> None:
    options = WorkerOptions(slots=1, beat_every=0.05, embedded=True, grace=1)
    worker = Worker(
        stage.db, stage.registry, OperationResources(stage.db, GraphSettings("", "", lambda slug: None)), options
    )
    queue_pause.pause(stage.db, owner)
    run = stage.start("test.mark", name="lines")
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        wait_for(worker._queue._paused.is_set, "the worker to hear of the pause")
        seen = worker._heartbeat._settled._last
        wait_for(lambda: worker._heartbeat._settled._last != seen, "a beat")
        assert stage.run(run.id).status is Status.QUEUED
        queue_pause.resume(stage.db, owner)
        assert stage.completed(run.id).outcome is Outcome.SUCCEEDED
    finally:
        worker.stop()
        thread.join(HANG)
        worker._queue.close()
    assert not thread.is_alive()


def test_a_message_that_is_lost_during_a_pause_is_queued_again_once(stage: WorkerHarness, owner: User) -> None:
    queue_pause.pause(stage.db, owner)
    kept, lost = stage.start("test.mark", name="lines", key="kept"), stage.start("test.mark", name="lines", key="lost")
    stage.execute(f"DELETE FROM {stage.message_table}")
    stage.queue.enqueue(kept.id)
    never = stage.open(name="lines", key="never")
    stage.age("operation_runs", 90, "true", "dispatched_at", "created_at", "updated_at")
    rescuers = [Rescuer(stage.db, stage.queue, RescueTimeouts()) for _ in range(3)]
    done = [line for rescuer in rescuers for line in rescuer.rescue()]
    assert len(done) == 2
    assert sorted(stage.queue.waiting(10)) == [kept.id, lost.id, never.id]
    with stage.db.read() as connection:
        found = connection.execute(sa.select(rescues.c.run_id, rescues.c.what).order_by(rescues.c.run_id)).all()
    assert [tuple(row) for row in found] == [(lost.id, "queued_again"), (never.id, "queued")]


def test_a_queue_that_is_held_hands_out_nothing_however_it_was_waited_for(stage: WorkerHarness) -> None:
    """Also when its connection was given up meanwhile: the consumer goes on with the one that it has."""
    queue = Queue(stage.db)
    storage = queue.huey().storage
    assert queue.set_paused(True)
    assert not queue.set_paused(True)
    queue.enqueue(1)
    assert storage.dequeue() is None
    queue._huey = None
    assert queue.set_paused(False)
    assert storage.dequeue() is not None
    storage.close()
    queue.close()


def test_a_slot_that_waits_for_a_message_takes_none_that_comes_after_the_pause(
    postgres_url: str, make_stage: MakeStage
) -> None:
    """On PostgreSQL, where it is woken by the message."""
    stage = make_stage(postgres_url)
    queue = Queue(stage.db)
    storage, taken = queue.huey().storage, []
    waits = threading.Thread(target=lambda: taken.append(storage.dequeue()))
    waits.start()
    wait_for(lambda: getattr(storage._listen_local, "conn", None), "the slot to listen")
    queue.set_paused(True)
    stage.queue.enqueue(1)
    waits.join(HANG)
    assert taken == [None]
    assert stage.queue.waiting(10) == [1]
    queue.close()
