"""What a worker's log says of a database that is away: one line when it begins, one a minute, one when it ends."""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Iterator

import psycopg
import pytest

from store import snapshot
from store.db.engine import Database
from store.errors import DatabaseAway, DatabaseReadOnly, OpsmonError, QueueUnavailable, SchemaMismatch
from store.model.records import Outcome
from store.workers import heartbeats
from tasks.queue.faults import Faults
from tests.conftest import PrivatePostgres
from tests.support.waiting import wait_for
from tests.support.worker import WorkerProcess
from tests.tasks.conftest import MakeStage, WorkerHarness


class Log:
    """A worker's faults, what they log, and a clock that the test moves."""

    def __init__(self, db: Database, caplog: pytest.LogCaptureFixture) -> None:
        self.now = 1000.0
        self.faults = Faults(db, lambda: self.now)
        self._caplog = caplog
        caplog.set_level(logging.INFO, "opsmon")

    def fails(self, what: str, error: Exception) -> None:
        def action() -> None:
            raise error

        assert self.faults.attempt(what, action) is False

    def goes_well(self, what: str) -> None:
        assert self.faults.attempt(what, lambda: None)

    def lines(self) -> list[str]:
        """What was logged since the last call; with the kind of the traceback, if one was."""
        found = [
            record.getMessage()
            + (f" [{record.exc_info[0].__name__}]" if record.exc_info and record.exc_info[0] else "")
            for record in self._caplog.records
        ]
        self._caplog.clear()
        return found


@pytest.fixture
def log(sqlite_url: str, caplog: pytest.LogCaptureFixture) -> Iterator[Log]:
    db = Database(sqlite_url)
    yield Log(db, caplog)
    db.close()


AWAY = DatabaseAway("the database does not answer", "gone")


def test_a_fault_is_told_when_it_begins_once_a_minute_and_when_it_ends(log: Log) -> None:
    for _ in range(960):
        for what in ("beat", "rescue", "take messages", "complete run 1"):
            log.fails(what, AWAY)
        log.now += 0.125
    assert log.lines() == [
        "cannot beat: the database does not answer: gone",
        "for 1 min: cannot beat: the database does not answer: gone",
    ]
    log.goes_well("beat")
    log.goes_well("take messages")
    log.goes_well("complete run 1")
    assert log.lines() == []  # it lasts for as long as anything fails
    log.goes_well("rescue")
    assert log.lines() == ["the database is well again, after 2 min"]
    log.goes_well("rescue")
    assert log.lines() == []
    log.fails("rescue", AWAY)
    assert log.lines() == ["cannot rescue: the database does not answer: gone"]


def test_another_kind_of_fault_is_told_at_once_and_once(log: Log) -> None:
    for _ in range(100):
        for error in (AWAY, DatabaseReadOnly("the database only reads"), SchemaMismatch("other tables")):
            log.fails("beat", error)
    assert log.lines() == [
        "cannot beat: the database does not answer: gone",
        "cannot beat: the database only reads",
        "cannot beat: other tables",
    ]


def test_what_finds_out_nothing_ends_no_fault(log: Log) -> None:
    log.fails("tick", AWAY)
    assert log.faults.attempt("tick", lambda: False)
    assert log.lines() == ["cannot tick: the database does not answer: gone"]
    log.goes_well("tick")
    assert log.lines() == ["the database is well again, after 0 s"]


def test_the_drivers_own_errors_have_no_traceback(log: Log) -> None:
    locked = sqlite3.OperationalError("database is locked")
    locked.sqlite_errorcode = sqlite3.SQLITE_BUSY
    log.fails("take messages", locked)
    (line,) = log.lines()
    assert re.fullmatch(r"cannot take messages: the database has been locked for [\d.]+ s: database is locked", line)


def test_what_is_unforeseen_has_a_traceback_once_a_minute_for_each_place(log: Log) -> None:
    def divide() -> None:
        raise ZeroDivisionError

    def look_up() -> None:
        raise KeyError("x")

    for _ in range(3):
        assert not log.faults.attempt("beat", divide)
        assert not log.faults.attempt("rescue", divide)
        assert not log.faults.attempt("rescue", look_up)
    assert log.lines() == ["cannot beat [ZeroDivisionError]", "cannot rescue [KeyError]"]
    log.now += 60
    assert not log.faults.attempt("rescue", divide)
    assert log.lines() == ["cannot rescue (and 5 times before) [ZeroDivisionError]"]


@pytest.mark.parametrize("error", [DatabaseAway(), DatabaseReadOnly(), SchemaMismatch(), QueueUnavailable()])
def test_no_error_of_ours_has_a_traceback(log: Log, error: OpsmonError) -> None:
    log.fails("beat", error)
    assert log.lines() == [f"cannot beat: {error}"]


# ---- real workers


def told(worker: WorkerProcess) -> list[str]:
    """The log's lines since the worker was ready, without those about a run's life."""
    lines = re.split(r"worker \d+ is ready.*\n", worker.log, maxsplit=1)[1].splitlines()
    return [re.sub(r"^\S+ (\w+) +(\S+):", r"\1 \2:", line) for line in lines if not re.search(r": run \d+", line)]


def assert_told_once(worker: WorkerProcess, begins: str) -> None:
    """One line for the beginning, one for the end; a machine that is slow may take minutes."""
    wait_for(lambda: "the database is well again" in worker.log, "the end of the fault", seen=lambda: worker.log)
    lines = told(worker)
    assert "Traceback" not in worker.log
    first, *lasting, last = lines
    assert re.match(begins, first), lines
    assert re.match(r"WARNING opsmon\.worker: the database is well again, after \d+ (s|min)$", last), lines
    assert all(re.match(r"WARNING opsmon\.worker: for \d+ min: ", line) for line in lasting), lines


@pytest.mark.kill
@pytest.mark.worker
@pytest.mark.parametrize("is_immediate", [False, True], ids=["shutdown", "crash"])
def test_a_restart_of_the_server_is_two_lines(
    private_postgres: PrivatePostgres, make_stage: MakeStage, is_immediate: bool
) -> None:
    stage = make_stage(private_postgres.url)
    worker, seen = stage.worker(), stage.worker(log_level="DEBUG")
    private_postgres.stop(immediately=is_immediate)
    for what in ("beat", "rescue", "take messages"):
        for_each_slot = 8 if what == "take messages" else 3
        wait_for(lambda what=what, n=for_each_slot: seen.log.count(f"cannot {what}: ") > n, what)  # type: ignore[misc]
    worker.says("cannot ")
    private_postgres.start()
    stage.db.close()
    assert_told_once(worker, r"WARNING opsmon\.worker: cannot [a-z ]+: the database does not answer: ")
    run = stage.start("test.mark", name="lines")
    assert stage.completed(run.id).outcome is Outcome.SUCCEEDED


@pytest.mark.worker
def test_a_server_that_only_reads_is_two_lines(private_postgres: PrivatePostgres, make_stage: MakeStage) -> None:
    stage = make_stage(private_postgres.url)
    worker, seen = stage.worker(), stage.worker(log_level="DEBUG")
    held = stage.start("test.hold", name="flag")
    stage.running(held.id, success=3)
    with private_postgres.reading_only():
        late = WorkerProcess(stage.url, stage.folder)
        assert late.exit_code() == 1
        assert re.fullmatch(
            r"opsmon: the database only reads \(cannot execute INSERT .*\): see 'opsmon doctor'\n", late.log
        )
        for what in ("beat", "rescue", "take messages"):
            wait_for(lambda what=what: seen.log.count(f"cannot {what}: the database only reads") > 3, what)  # type: ignore[misc]
        worker.says("the database only reads")
        stage.flag("flag")
        with pytest.raises(DatabaseReadOnly, match="the database only reads: cannot execute"):
            stage.start("test.mark", name="lines")
        poll = snapshot.take(stage.db, snapshot.Request(stage.user.id))
        assert (poll.only_reads, len(poll.runs)) == (True, 1)
    assert_told_once(worker, r"WARNING opsmon\.worker: cannot [a-z ]+\d*: the database only reads: cannot execute ")
    assert not snapshot.take(stage.db, snapshot.Request(stage.user.id)).only_reads
    assert stage.completed(held.id).outcome is Outcome.SUCCEEDED
    run = stage.start("test.mark", name="lines")
    assert stage.completed(run.id).outcome is Outcome.SUCCEEDED


@pytest.mark.worker
def test_tables_that_are_gone_for_a_while_are_two_lines_and_lose_no_run(stage: WorkerHarness) -> None:
    worker = stage.worker()
    held = stage.start("test.hold", name="flag")
    stage.running(held.id, success=3)
    stage.execute("ALTER TABLE workers RENAME TO elsewhere")
    worker.says("cannot ")
    stage.execute("ALTER TABLE elsewhere RENAME TO workers")
    stage.flag("flag")
    assert_told_once(
        worker, r"WARNING opsmon\.worker: cannot [a-z ]+: the database's tables are not those of this program"
    )
    assert stage.completed(held.id).outcome is Outcome.SUCCEEDED


@pytest.mark.worker
def test_a_queue_that_is_locked_is_two_lines(stage: WorkerHarness) -> None:
    """The beats go well meanwhile: what fails is one thing alone."""
    if stage.db.is_sqlite:
        worker = stage.worker()
        stage.execute("ALTER TABLE task RENAME TO elsewhere")
        worker.says("cannot take messages")
        back = "ALTER TABLE elsewhere RENAME TO task"
        stage.execute(back)
    else:
        worker = stage.worker(database_seconds=1)
        with psycopg.connect(stage.url) as other:
            other.execute("LOCK TABLE huey_task")
            worker.says("cannot take messages: the database has been locked for")
            before = workers_beat(stage)
            wait_for(lambda: workers_beat(stage) > before)
    assert_told_once(worker, r"WARNING opsmon\.worker: cannot take messages: the database")


def workers_beat(stage: WorkerHarness) -> float:
    with stage.db.read() as connection:
        return max(worker.beat_at.timestamp() for worker in heartbeats.alive(connection, 3600))
