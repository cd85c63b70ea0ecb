"""What travels through the queue, and what becomes of a message that comes twice, in vain, or from somebody else."""

from __future__ import annotations

import json
import os
import pickle
from collections import Counter

import pytest
import sqlalchemy as sa

from store.model.records import Outcome, Status
from store.model.tables import operation_runs
from store.people import access
from store.runs import lifecycle
from tasks.queue.message import read_message
from tasks.queue.queue import SQLITE_POLL
from tasks.sdk.registry import Registry
from tests.support import operations, people
from tests.support.waiting import HANG
from tests.tasks.conftest import WorkerHarness, assert_failed
from tests.tasks.worker.test_rescuer import beats


class Harmful:
    """Leaves a mark when it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(operations.place("unpickled")),)


GARBAGE = (
    b"",
    b"garbage",
    b"\xff\xfe\x00",
    b"null",
    b"17",
    b"[]",
    b"{}",
    b'{"run_id": null}',
    b'{"run_id": true}',
    b'{"run_id": 1.0}',
    b'{"run_id": "1"}',
    b'{"run_id": [1]}',
    b'{"run_id": 1, "parameters": {}}',
    b'{"id": 1}',
    b'{"run_id": 9' + b"9" * 30 + b"}",
    b"[" * 100_000,
)
#: Messages, but of no run.
NOBODYS = (b'{"run_id": 0}', b'{"run_id": -1}', b'{"run_id": 4711}')


@pytest.mark.parametrize("data", GARBAGE, ids=lambda data: repr(data[:20]))
def test_only_a_run_id_is_a_message(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (of whatever kind)
        read_message(data)


def test_a_message_is_the_runs_id_in_json_and_nothing_else(stage: WorkerHarness) -> None:
    run = stage.start("test.mark", name="lines", key="a parameter")
    (message,) = stage.messages()
    assert json.loads(message) == {"run_id": run.id}
    with stage.db.read() as connection:
        tables = sa.inspect(connection).get_table_names()
        hueys = [name for name in tables if name.removeprefix("huey_") in ("kv", "schedule", "counter")]
        assert len(hueys) == 3
        assert [connection.execute(sa.text(f"SELECT * FROM {name}")).all() for name in hueys] == [[], [], []]


@pytest.mark.kill
@pytest.mark.worker
def test_a_message_that_comes_five_times_is_executed_once(stage: WorkerHarness) -> None:
    found = [stage.start("test.mark", name="lines", key=f"{number}") for number in range(5)]
    for _ in range(4):
        for run in found:
            stage.queue.enqueue(run.id)
    workers = stage.workers(2)
    last = stage.start("test.mark", name="last")
    for run in (*found, last):
        assert stage.completed(run.id).outcome is Outcome.SUCCEEDED
        assert stage.told(run.id) == ["queued", "completed"]
    assert Counter(stage.marks("lines")) == {str(run.id): 1 for run in found}
    stage.queue.enqueue(last.id)  # too late by far
    for worker in workers:
        worker.stop()
    assert [worker.exit_code() for worker in workers] == [0, 0]
    assert stage.marks("last") == [str(last.id)]


@pytest.mark.worker
def test_a_second_delivery_while_the_run_is_running_is_refused(stage: WorkerHarness) -> None:
    worker = stage.worker()
    run = stage.start("test.hold", name="flag")
    before = stage.running(run.id, success=3)
    stage.queue.enqueue(run.id)
    worker.says(f"run {run.id}: nothing to claim")
    assert stage.run(run.id) == before
    stage.flag("flag")
    ended = stage.completed(run.id)
    assert ended.summary_counts
    assert (ended.outcome, ended.summary_counts.success) == (Outcome.SUCCEEDED, 10)


@pytest.mark.worker
def test_what_is_no_message_is_dropped_and_hurts_nothing(stage: WorkerHarness) -> None:
    for data in (pickle.dumps(Harmful()), *GARBAGE, *NOBODYS):
        stage.put_message(data)
    run = stage.start("test.mark", name="lines")
    never = stage.open(name="lines", key="never queued")
    stage.age("operation_runs", 20 * HANG, f"id = {never.id}", "created_at", "updated_at")
    worker = stage.worker(worker_slots=2)
    assert [stage.completed(found.id).outcome for found in stage.runs()] == [Outcome.SUCCEEDED] * 2
    stage.completed(run.id)
    assert stage.messages() == []
    assert not operations.place("unpickled").exists()
    worker.says("run 4711: nothing to claim")
    worker.stop()
    assert worker.exit_code() == 0
    assert worker.log.count("no message of opsmon was in the queue") == len(GARBAGE) + 1
    assert "Traceback" not in worker.log
    assert "Error" not in worker.log


def test_the_rescuer_passes_over_what_is_no_message(stage: WorkerHarness) -> None:
    for data in (*GARBAGE, *NOBODYS):
        stage.put_message(data)
    assert stage.queue.waiting(100) == [json.loads(data)["run_id"] for data in NOBODYS]


def test_a_run_of_a_type_that_no_worker_knows_fails(stage: WorkerHarness) -> None:
    run = stage.start("test.mark", name="lines")
    stage.tracker(registry=Registry.of([])).execute(run.id)
    assert_failed(stage.run(run.id), "operation.unknown")
    assert stage.told(run.id) == ["queued", "completed"]


def test_a_run_whose_parameters_are_not_valid_any_more_fails(stage: WorkerHarness) -> None:
    run = stage.start("test.mark", name="lines")
    with stage.db.write() as connection:
        connection.execute(sa.update(operation_runs).values(context={"parameters": {"title": "as it was called"}}))
    stage.tracker().execute(run.id)
    assert_failed(stage.run(run.id), "input.invalid")
    assert stage.marks("lines") == []


def test_a_message_that_comes_too_late_claims_nothing(stage: WorkerHarness) -> None:
    running, done = (stage.start("test.mark", name="lines", key=f"{number}") for number in range(2))
    tracker = stage.tracker()
    tracker.execute(done.id)
    assert lifecycle.claim(stage.db, running.id, stage.register())
    before = [stage.run(run.id) for run in (running, done)]
    assert [run.status for run in before] == [Status.RUNNING, Status.COMPLETED]
    for late in (tracker, stage.tracker()):
        late.execute(running.id)
        late.execute(done.id)
    assert [stage.run(run.id) for run in (running, done)] == before
    assert stage.marks("lines") == [str(done.id)]


def test_a_message_of_a_preview_claims_nothing(stage: WorkerHarness) -> None:
    """Nobody sends one; once the run is released, its message is taken."""
    tenant = access.require_right(stage.db, stage.user, "contoso", access.Right.VIEW)
    context = {"parameters": {"name": "lines", "key": ""}}
    run = people.open_run(stage.db, tenant, stage.user, type="test.mark", context=context, held=True)
    tracker = stage.tracker()
    tracker.execute(run.id)
    assert stage.run(run.id) == run
    assert stage.marks("lines") == []
    with stage.db.write() as connection:
        assert lifecycle.release(connection, run.id, stage.user, context)
    tracker.execute(run.id)
    assert stage.run(run.id).outcome is Outcome.SUCCEEDED
    assert stage.marks("lines") == [str(run.id)]


@pytest.mark.worker
def test_a_worker_that_has_been_idle_takes_every_run(stage: WorkerHarness) -> None:
    """How soon is measured by `make bench` (idle); here that none is missed, and that its looks do not grow rarer."""
    worker = stage.worker()
    for number in range(4):
        stage.completed(stage.start("test.mark", name="lines", key=f"{number}").id)
        beats(stage, 5, worker)  # by then it looks for messages as seldom as it ever does
    assert stage.marks("lines") == [str(run.id) for run in stage.runs()]
    assert SQLITE_POLL < 1


def test_a_second_message_starts_nothing_on_another_worker(stage: WorkerHarness) -> None:
    run = stage.start("test.mark", name="lines")
    assert lifecycle.claim(stage.db, run.id, stage.register())
    before = stage.run(run.id)
    stage.tracker().execute(run.id)
    assert (stage.marks("lines"), stage.run(run.id)) == ([], before)
