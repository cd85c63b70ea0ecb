"""A worker process: how it ends, and how it gets through the database being away."""

from __future__ import annotations

import datetime as dt
import signal

import pytest
import sqlalchemy as sa

from store.model.records import Counts, Outcome, Status
from store.model.tables import workers as workers_table
from store.workers import heartbeats
from tasks.sdk.context import GraphSettings, OperationResources
from tasks.worker.worker import Worker, WorkerOptions
from tests.conftest import PrivatePostgres
from tests.support.instants import out_of_order
from tests.support.waiting import wait_for
from tests.support.worker import WorkerProcess
from tests.tasks.conftest import MakeStage, WorkerHarness, assert_failed


def stopped_at(stage: WorkerHarness, worker: WorkerProcess) -> dt.datetime | None:
    query = sa.select(workers_table.c.stopped_at).where(workers_table.c.id == worker.id)
    with stage.db.read() as connection:
        found: dt.datetime | None = connection.execute(query).scalar_one()
        assert (worker.id in {alive.id for alive in heartbeats.alive(connection, 30)}) == (found is None)
    return found


# ---- SIGTERM, SIGINT and SIGHUP


@pytest.mark.kill
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.worker
def test_a_signal_lets_a_run_finish_and_leaves_what_waits(stage: WorkerHarness, number: signal.Signals) -> None:
    worker = stage.worker(worker_slots=1, grace_seconds=600)
    run, waiting = stage.start("test.hold", name="flag"), stage.start("test.mark", name="lines")
    stage.running(run.id)
    assert stopped_at(stage, worker) is None
    worker.signal(number)
    worker.says(f"{number.name}: the worker is asked to stop")
    worker.says("stops: waiting up to 600.0 s")
    stage.flag("flag")
    assert worker.exit_code() == 0
    assert stage.run(run.id).outcome is Outcome.SUCCEEDED
    assert stopped_at(stage, worker)
    assert (stage.run(waiting.id), stage.queue.waiting(10)) == (waiting, [waiting.id])
    stage.worker()
    assert stage.completed(waiting.id).outcome is Outcome.SUCCEEDED


@pytest.mark.kill
@pytest.mark.worker
def test_after_the_grace_time_what_runs_is_completed_as_stopped(stage: WorkerHarness) -> None:
    worker = stage.worker(grace_seconds=0.5)
    asks, deaf = stage.start("test.hold", name="never"), stage.start("test.deaf", name="never")
    for run in (asks, deaf):
        stage.running(run.id, success=1)
    worker.stop()
    assert worker.exit_code() == 0
    for run_id, counts in ((asks.id, Counts(10, 3)), (deaf.id, Counts(1, 1))):
        assert_failed(stage.run(run_id), "worker.stopped")
        assert stage.run(run_id).summary_counts == counts
        assert stage.told(run_id) == ["queued", "completed"]
    assert stopped_at(stage, worker)
    assert stage.dispatcher().start(stage.user, "contoso", "test.hold", {"name": "never"}).run.id > deaf.id


@pytest.mark.kill
@pytest.mark.worker
def test_a_second_sigterm_ends_the_grace_time(stage: WorkerHarness) -> None:
    worker = stage.worker(grace_seconds=600)
    run = stage.start("test.hold", name="never")
    stage.running(run.id)
    worker.stop()
    worker.says("stops: waiting up to 600.0 s")
    assert stage.run(run.id).status is Status.RUNNING
    worker.stop()
    assert worker.exit_code() == 0
    assert_failed(stage.run(run.id), "worker.stopped")


@pytest.mark.kill
@pytest.mark.worker
def test_a_stuck_slot_is_not_waited_for(stage: WorkerHarness) -> None:
    worker = stage.worker(grace_seconds=600)
    run = stage.start("test.stuck", name="never")
    assert_failed(stage.completed(run.id), "operation.timeout")
    worker.stop()
    assert worker.exit_code() == 0
    assert_failed(stage.run(run.id), "operation.timeout")


@pytest.mark.kill
@pytest.mark.worker
def test_an_idle_worker_ends_on_each_signal(stage: WorkerHarness) -> None:
    found = stage.workers(3)
    for worker, number in zip(found, (signal.SIGTERM, signal.SIGINT, signal.SIGHUP), strict=True):
        worker.signal(number)
    assert [worker.exit_code() for worker in found] == [0, 0, 0]
    assert all(stopped_at(stage, worker) for worker in found)


def test_a_message_that_is_taken_while_the_worker_stops_is_put_back(stage: WorkerHarness) -> None:
    tools = OperationResources(stage.db, GraphSettings("", "", lambda slug: None))
    worker = Worker(stage.db, stage.registry, tools, WorkerOptions())
    run = stage.start("test.mark", name="lines")
    stage.execute(f"DELETE FROM {stage.message_table}")  # as the consumer has done
    worker._executor.close()
    worker._execute(run.id)
    assert (stage.run(run.id), stage.queue.waiting(10)) == (run, [run.id])
    worker._queue.close()


@pytest.mark.worker
def test_the_instants_of_runs_are_in_order_however_quick_the_worker_is(stage: WorkerHarness) -> None:
    """A worker may claim a run while its dispatcher still says that it is queued."""
    stage.worker(worker_slots=4)
    started = [stage.start("test.mark", name=f"lines-{number}") for number in range(60)]
    for run in started:
        assert stage.completed(run.id).outcome is Outcome.SUCCEEDED
    assert out_of_order(stage.db) == []


# ---- the database away


def restarted(server: PrivatePostgres, stage: WorkerHarness) -> None:
    """The server is back, and this process has forgotten the connections that died with it."""
    server.start()
    stage.db.close()


@pytest.mark.kill
@pytest.mark.worker
def test_the_end_of_a_run_is_stored_once_the_database_is_back(
    private_postgres: PrivatePostgres, make_stage: MakeStage
) -> None:
    stage = make_stage(private_postgres.url)
    worker = stage.worker(log_level="DEBUG")
    returns, raises = stage.start("test.deaf", name="flag"), stage.start("test.raise", name="flag")
    for run in (returns, raises):
        stage.running(run.id, success=1)
    private_postgres.stop(immediately=True)
    stage.flag("flag")
    for run in (returns, raises):
        worker.says(f"cannot complete run {run.id}: the database does not answer")
    restarted(private_postgres, stage)
    ended = stage.completed(returns.id)
    assert (ended.outcome, ended.worker_id) == (Outcome.SUCCEEDED, worker.id)
    assert [failure.code for failure in stage.completed(raises.id).failure_summary] == ["operation.error"]
    for run in (returns, raises):
        assert stage.told(run.id) == ["queued", "completed"]
    # It beats again, and takes messages as before.
    behind = stage.start("test.mark", name="lines")
    assert stage.completed(behind.id).worker_id == worker.id
    wait_for(lambda: stopped_at(stage, worker) is None, "the worker to live")


@pytest.mark.kill
@pytest.mark.worker
def test_a_worker_that_stops_without_a_database_ends_all_the_same(
    private_postgres: PrivatePostgres, make_stage: MakeStage
) -> None:
    stage = make_stage(private_postgres.url)
    worker = stage.worker(grace_seconds=0.2)
    run = stage.start("test.hold", name="never")
    stage.running(run.id, success=3)
    private_postgres.stop(immediately=True)
    worker.stop()
    assert worker.exit_code() == 0
    restarted(private_postgres, stage)
    stage.silence(worker)
    stage.worker()
    assert_failed(stage.completed(run.id), "worker.lost")
