"""Workers: who lives, and what is left behind by those who do not."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from store.db.engine import Database
from store.model.records import Tenant, Worker
from store.model.tables import operation_runs
from store.model.tables import workers as workers_table
from store.runs import lifecycle
from store.runs.log import MAX_EVENTS, MAX_FRAMES, NewLogLine, append, read_log
from store.workers import heartbeats
from tests.support.people import end_run, make_older, make_worker, open_run, start_run

LONG = 600.0


def alive(db: Database, within: float = LONG) -> list[Worker]:
    with db.read() as connection:
        return list(heartbeats.alive(connection, within))


def test_a_worker_lives_from_when_it_registers(db: Database) -> None:
    worker_id = heartbeats.register(db, host="here", pid=17, version="1.2", slots=4, embedded=True)
    (worker,) = alive(db)
    assert (worker.id, worker.host, worker.pid, worker.version, worker.slots) == (worker_id, "here", 17, "1.2", 4)
    assert (worker.embedded, worker.stuck_slots, worker.running, worker.stopped_at) == (True, 0, 0, None)
    assert 0 <= worker.beat_age < LONG


def test_who_has_not_beaten_or_has_stopped_is_not_alive(db: Database) -> None:
    living, silent, stopped = (make_worker(db) for _ in range(3))
    make_older(db, workers_table, silent, "beat_at", LONG + 1)
    heartbeats.deregister(db, stopped)
    assert [worker.id for worker in alive(db)] == [living]
    heartbeats.heartbeat(db, silent, 3)
    assert [(worker.id, worker.stuck_slots) for worker in alive(db)] == [(living, 0), (silent, 3)]


def test_the_age_of_a_beat_is_by_the_databases_clock(db: Database, worker_id: int) -> None:
    make_older(db, workers_table, worker_id, "beat_at", 100)
    assert 100 <= alive(db)[0].beat_age < 130


def test_a_worker_has_in_hand_what_it_runs(db: Database, tenant: Tenant, worker_id: int) -> None:
    first, *_ = [start_run(db, tenant, worker_id=worker_id) for _ in range(3)]
    end_run(db, first)
    start_run(db, tenant)
    open_run(db, tenant)
    assert {worker.id: worker.running for worker in alive(db)}[worker_id] == 2


def test_runs_of_dead_workers_are_lost(db: Database, tenant: Tenant) -> None:
    living, silent, stopped = (make_worker(db) for _ in range(3))
    started = {worker: start_run(db, tenant, worker_id=worker) for worker in (living, silent, stopped)}
    end_run(db, start_run(db, tenant, worker_id=silent))
    make_older(db, workers_table, silent, "beat_at", LONG + 1)
    heartbeats.deregister(db, stopped)
    assert {run.id for run in heartbeats.stalled_runs(db, LONG)} == {started[silent].id, started[stopped].id}
    assert len(heartbeats.stalled_runs(db, LONG, limit=1)) == 1


def test_runs_wait_whose_message_never_came_or_was_long_ago(db: Database, tenant: Tenant) -> None:
    def opened(age: float, dispatched: float | None = None) -> int:
        run = open_run(db, tenant)
        make_older(db, operation_runs, run.id, "updated_at", age)
        if dispatched is not None:
            lifecycle.mark_dispatched(db, run.id)
            make_older(db, operation_runs, run.id, "dispatched_at", dispatched)
        return run.id

    never, long_ago = opened(20), opened(500, 100)
    opened(1)  # its dispatcher may still be about it
    opened(500, 50)
    start_run(db, tenant)
    end_run(db, open_run(db, tenant))
    found = heartbeats.undelivered_runs(db, never_queued_for=10, queued_for=60)
    assert [run.id for run in found] == [never, long_ago]
    assert [run.id for run in heartbeats.undelivered_runs(db, never_queued_for=10, queued_for=60, limit=1)] == [never]


# ---- log lines


def test_log_lines_come_oldest_first_and_the_newest_of_them(db: Database, tenant: Tenant) -> None:
    run, other, most = open_run(db, tenant), open_run(db, tenant), MAX_EVENTS + MAX_FRAMES
    with db.write() as connection:
        append(connection, run, [NewLogLine("info", str(number)) for number in range(most + 10)])
        append(connection, other, [NewLogLine("error", "another run's")])
    with db.read() as connection:
        found = read_log(connection, run.id)
        assert [line.message for line in found] == [str(number) for number in range(10, most + 10)]
        assert read_log(connection, run.id, limit=2) == found[-2:]
        assert read_log(connection, run.id, after=found[-3].id) == found[-2:]


def test_a_line_is_dated_when_it_was_logged(db: Database, tenant: Tenant) -> None:
    run = open_run(db, tenant)
    with db.write() as connection:
        append(
            connection, run, [NewLogLine("info", "before", 90), NewLogLine("info", "now"), NewLogLine("info", "x", -5)]
        )
        before, now, never_in_the_future = read_log(connection, run.id)
    assert (now.at - before.at).total_seconds() == pytest.approx(90, abs=5)
    assert (never_in_the_future.at - now.at).total_seconds() == pytest.approx(0, abs=4)
    with db.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(operation_runs)).scalar_one() == 1


def test_lost_runs_are_those_of_an_instant(db: Database, tenant: Tenant) -> None:
    """What was silent for too long by then, and not what has become so since."""
    long_ago, of_late = make_worker(db), make_worker(db)
    lost, living = start_run(db, tenant, worker_id=long_ago), start_run(db, tenant, worker_id=of_late)
    make_older(db, workers_table, long_ago, "beat_at", 2 * LONG)
    make_older(db, workers_table, of_late, "beat_at", LONG + 1)
    now = heartbeats.heartbeat(db, make_worker(db), 0).at
    assert {run.id for run in heartbeats.stalled_runs(db, LONG, now)} == {lost.id, living.id}
    before = now - dt.timedelta(seconds=LONG / 2)
    assert [run.id for run in heartbeats.stalled_runs(db, LONG, before)] == [lost.id]


def test_of_a_run_whose_worker_has_missed_two_beats_it_is_known_for_how_long_it_is_silent(
    db: Database, tenant: Tenant
) -> None:
    living, silent, stopped = (make_worker(db) for _ in range(3))
    started = {worker: start_run(db, tenant, worker_id=worker) for worker in (living, silent, stopped)}
    done = end_run(db, start_run(db, tenant, worker_id=silent))
    make_older(db, workers_table, silent, "beat_at", LONG + 5)
    heartbeats.deregister(db, stopped)
    with db.read() as connection:
        found = heartbeats.silences(connection, [*started.values(), done, open_run(db, tenant)], LONG)
        assert heartbeats.silences(connection, [started[living], done], LONG) == {}
    assert set(found) == {started[silent].id, started[stopped].id}
    assert LONG + 5 <= found[started[silent].id] < 2 * LONG
