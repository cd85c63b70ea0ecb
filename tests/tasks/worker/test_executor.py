"""What surrounds every operation: its end is stored whatever it does, and its progress now and then."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from opsmon import OperationFailed, RunContext, operation
from store.errors import DatabaseAway
from store.model.records import Counts, Outcome, Run, Status
from store.model.tables import operation_runs
from store.runs import lifecycle
from store.runs import log as run_log
from store.workers import heartbeats
from tasks.sdk.registry import Registry
from tasks.worker.executor import RunExecutor
from tests.support.waiting import HANG, wait_for
from tests.tasks.conftest import WorkerHarness, assert_failed


def carry_out(stage: WorkerHarness, function: Callable[[RunContext], None], **more: Any) -> Run:
    """Start and execute a run of a function in this process."""
    run, tracker = prepare(stage, function, **more)
    tracker.execute(run.id)
    return stage.run(run.id)


def prepare(
    stage: WorkerHarness, function: Callable[[RunContext], None], timeout: float = 3600, **more: Any
) -> tuple[Run, RunExecutor]:
    stage.registry = Registry.of([operation("test.here", label="Here", timeout=timeout)(function)])
    return stage.start("test.here"), stage.tracker(registry=stage.registry, **more)


class Clock:
    """Seconds as the test says."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


# ---- how a run ends


def nothing(run: RunContext) -> None:
    """No item, no trouble."""


def all_done(run: RunContext) -> None:
    run.total(3)
    run.success(2)
    run.skipped()


def some_done(run: RunContext) -> None:
    run.success()
    run.failed("test.no", "this one")
    run.failed("test.no", "this one")


def none_done(run: RunContext) -> None:
    run.failed("test.no", "this one")


def left_over(run: RunContext) -> None:
    run.total(3)
    run.success()


def raises_late(run: RunContext) -> None:
    run.success()
    raise RuntimeError("boom")


def raises_early(run: RunContext) -> None:
    raise RuntimeError("boom")


def known(run: RunContext) -> None:
    raise OperationFailed("test.known", "it is known", "do that")


def nested(run: RunContext) -> None:
    raise ExceptionGroup("many", [ValueError("one"), KeyError("two")])


def exits(run: RunContext) -> None:
    raise SystemExit(3)


def interrupts(run: RunContext) -> None:
    raise KeyboardInterrupt


def has_no_text(run: RunContext) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ValueError("no text")

    raise Mute


def has_a_wrong_code(run: RunContext) -> None:
    raise OperationFailed(404, "not found")  # type: ignore[arg-type]


def notes_what_json_cannot_hold(run: RunContext) -> None:
    run.note("ratio", float("nan"))
    run.note("text", "a\x00b\ud800")
    run.success()


ENDS: dict[Callable[[RunContext], None], tuple[Outcome, list[str]]] = {
    nothing: (Outcome.SUCCEEDED, []),
    all_done: (Outcome.SUCCEEDED, []),
    some_done: (Outcome.PARTIALLY_SUCCEEDED, ["test.no"]),
    none_done: (Outcome.FAILED, ["test.no"]),
    left_over: (Outcome.PARTIALLY_SUCCEEDED, ["operation.incomplete"]),
    raises_late: (Outcome.PARTIALLY_SUCCEEDED, ["operation.error"]),
    raises_early: (Outcome.FAILED, ["operation.error"]),
    known: (Outcome.FAILED, ["test.known"]),
    nested: (Outcome.FAILED, ["operation.error"]),
    exits: (Outcome.FAILED, ["operation.error"]),
    interrupts: (Outcome.FAILED, ["operation.error"]),
    has_no_text: (Outcome.FAILED, ["operation.error"]),
    has_a_wrong_code: (Outcome.FAILED, ["operation.error"]),
    notes_what_json_cannot_hold: (Outcome.SUCCEEDED, []),
}


def test_however_an_operation_ends_its_run_is_completed(stage: WorkerHarness) -> None:
    found = {function: carry_out(stage, function) for function in ENDS}
    assert {run.status for run in found.values()} == {Status.COMPLETED}
    assert {
        function: (run.outcome, [failure.code for failure in run.failure_summary]) for function, run in found.items()
    } == ENDS
    assert [stage.told(run.id) for run in found.values()] == [["queued", "completed"]] * len(ENDS)


def test_the_frames_of_an_exception_are_in_the_runs_log(stage: WorkerHarness) -> None:
    def floods_and_raises(context: RunContext) -> None:
        for number in range(run_log.MAX_EVENTS + 10):
            context.log(f"line {number}")
        raise ValueError("password=Hunter2Hunter2")

    run = carry_out(stage, floods_and_raises)
    with stage.db.read() as connection:
        lines = run_log.read_log(connection, run.id)
    told = [line.message for line in lines if line.level == "error"]
    assert told[0] == "ValueError, raised in"
    assert told[-1].startswith("tests/tasks/worker/test_executor.py:")
    assert told[-1].endswith(" floods_and_raises")
    assert "Hunter2" not in str(lines)
    assert lines[0].message == "line 0"


@pytest.mark.worker
def test_an_operation_cannot_take_the_worker_down(stage: WorkerHarness) -> None:
    stage.worker(worker_slots=1)
    run, behind = stage.start("test.exit"), stage.start("test.mark", name="lines")
    assert_failed(stage.completed(run.id), "operation.error")
    assert stage.completed(behind.id).outcome is Outcome.SUCCEEDED


def test_an_end_that_cannot_be_stored_as_it_is_is_stored_as_a_failure(
    stage: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = lifecycle.finish

    def refuse_counts(*arguments: Any) -> Run | None:
        if arguments[-1].counts:
            raise ValueError("cannot be stored")
        return finish(*arguments)

    monkeypatch.setattr(lifecycle, "finish", refuse_counts)
    assert_failed(carry_out(stage, all_done), "operation.error")


# ---- progress


class Statements:
    """Counts the UPDATEs of runs that a database carries out."""

    def __init__(self, stage: WorkerHarness) -> None:
        self.updates: list[str] = []
        event.listen(stage.db._engine, "before_cursor_execute", self._see)

    def _see(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "UPDATE operation_runs" in statement:
            self.updates.append("finish" if "completed_at=" in statement else "progress")

    def taken(self) -> list[str]:
        found, self.updates[:] = self.updates[:], []
        return found


def test_progress_is_stored_at_most_twice_a_second_and_once_at_the_end(stage: WorkerHarness) -> None:
    clock, go, done = Clock(), threading.Semaphore(0), threading.Semaphore(0)

    def count(run: RunContext) -> None:
        run.total(100)
        for _ in range(100):
            go.acquire()
            run.success()
            done.release()

    run, tracker = prepare(stage, count, clock=clock)
    thread = threading.Thread(target=tracker.execute, args=(run.id,), daemon=True)
    thread.start()
    go.release()
    done.acquire()
    seen = Statements(stage)
    for _ in range(98):
        tracker.flush_and_expire()
        clock.now += 1 / 16
        go.release()
        done.acquire()
    # Six seconds with something new sixteen times a second: at once, and then every half second.
    assert seen.taken() == ["progress"] * 13
    go.release()
    thread.join(HANG)
    assert seen.taken() == ["finish"]
    assert stage.run(run.id).summary_counts == Counts(100, 100)


def counted(stage: WorkerHarness, tracker: RunExecutor, run: Run) -> Counts | None:
    """What is stored of the run after a tick."""
    tracker.flush_and_expire()
    return stage.run(run.id).summary_counts


def test_without_anything_new_nothing_is_stored(stage: WorkerHarness) -> None:
    clock, over = Clock(), threading.Event()

    def wait(run: RunContext) -> None:
        run.total(1)
        over.wait()

    run, tracker = prepare(stage, wait, clock=clock)
    thread = threading.Thread(target=tracker.execute, args=(run.id,), daemon=True)
    thread.start()
    wait_for(lambda: counted(stage, tracker, run) == Counts(1))
    seen = Statements(stage)
    for _ in range(20):
        clock.now += 1
        tracker.flush_and_expire()
    assert seen.taken() == []
    over.set()
    thread.join(HANG)


def test_progress_that_could_not_be_stored_is_stored_later(
    stage: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, over, told = Clock(), threading.Event(), threading.Event()

    def tell(run: RunContext) -> None:
        run.success(3)
        run.log("a line")
        told.set()
        over.wait()

    run, tracker = prepare(stage, tell, clock=clock)
    thread = threading.Thread(target=tracker.execute, args=(run.id,), daemon=True)
    thread.start()
    assert told.wait(HANG)
    with monkeypatch.context() as patched:
        patched.setattr(lifecycle, "progress", _away)
        with pytest.raises(DatabaseAway):
            tracker.flush_and_expire()
    clock.now += 0.5
    tracker.flush_and_expire()
    assert stage.run(run.id).summary_counts == Counts(3, 3)
    assert "a line" in stage.everything()
    over.set()
    thread.join(HANG)


def _away(*_: object) -> None:
    raise DatabaseAway


def test_progress_that_cannot_be_stored_keeps_no_other_run_from_its_deadline(
    stage: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    tracker = stage.tracker(clock=clock)
    first, second = stage.start("test.hold", name="flag"), stage.start("test.stuck", name="flag")
    for run in (first, second):
        threading.Thread(target=tracker.execute, args=(run.id,), daemon=True).start()
        stage.running(run.id)
    wait_for(lambda: len(tracker._slots) == 2)
    monkeypatch.setattr(lifecycle, "progress", lambda *_: 1 / 0)
    clock.now += 60

    def is_over() -> bool:
        with contextlib.suppress(ZeroDivisionError):
            tracker.flush_and_expire()
        return stage.run(second.id).status is Status.COMPLETED

    wait_for(is_over)
    stage.flag("flag")
    stage.completed(first.id)


# ---- deadlines


@pytest.mark.worker
def test_a_run_is_completed_at_its_deadline_whatever_its_operation_does(stage: WorkerHarness) -> None:
    worker = stage.worker()
    deaf, polite = stage.start("test.stuck", name="deaf"), stage.start("test.patient", name="polite")
    ended = [stage.completed(run.id) for run in (deaf, polite)]
    for run, counts in zip(ended, (Counts(1, 1), Counts(10, 3)), strict=True):
        assert_failed(run, "operation.timeout")
        assert run.summary_counts == counts
        assert stage.told(run.id) == ["queued", "completed"]
    wait_for(lambda: stage.marks("polite.ended"), "RunEnded in the operation that asks")
    wait_for(lambda: stuck_slots(stage) == 1, "the stuck slot to show")
    again = stage.start("test.stuck", name="deaf")  # the identity is free, and so are the other slots
    stage.running(again.id)
    stage.flag("deaf")
    wait_for(lambda: stuck_slots(stage) == 0, "the slot to come back")
    worker.says(f"run {deaf.id}: its operation returned after the run had been completed")
    assert "deaf.returned" in {path.name for path in stage.folder.iterdir()}
    assert [stage.run(run.id) for run in ended] == ended
    assert stage.completed(again.id).outcome is not Outcome.PENDING


def stuck_slots(stage: WorkerHarness) -> int:
    with stage.db.read() as connection:
        (worker,) = heartbeats.alive(connection, 30)
    return worker.stuck_slots


def test_a_late_return_changes_nothing_and_a_late_call_raises(stage: WorkerHarness) -> None:
    clock, go, heard = Clock(), threading.Event(), []

    def late(run: RunContext) -> None:
        run.success()
        go.wait()
        for call in (run.check, run.success, lambda: run.log("x"), lambda: run.sleep(0), lambda: run.note("a", 1)):
            try:
                call()
            except Exception as error:
                heard.append(type(error).__name__)

    run, tracker = prepare(stage, late, timeout=60, clock=clock)
    thread = threading.Thread(target=tracker.execute, args=(run.id,), daemon=True)
    thread.start()
    wait_for(lambda: counted(stage, tracker, run))
    clock.now += 59.9
    tracker.flush_and_expire()
    assert stage.run(run.id).status is Status.RUNNING
    clock.now += 0.1
    tracker.flush_and_expire()
    ended = stage.run(run.id)
    assert_failed(ended, "operation.timeout")
    assert tracker.stuck_slots() == 1
    go.set()
    thread.join(HANG)
    assert heard == ["RunEnded"] * 5
    assert tracker.stuck_slots() == 0
    assert stage.run(run.id) == ended
    assert stage.told(run.id) == ["queued", "completed"]


# ---- the database away, or slow to answer


def test_an_end_is_stored_as_soon_as_the_database_is_back(
    stage: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.worker.executor.RETRY_EVERY", 0.01)
    finish, tries = lifecycle.finish, []

    def away_at_first(*arguments: Any) -> Run | None:
        tries.append(1)
        return finish(*arguments) if len(tries) > 3 else _away()  # type: ignore[func-returns-value]

    monkeypatch.setattr(lifecycle, "finish", away_at_first)
    assert carry_out(stage, all_done).outcome is Outcome.SUCCEEDED
    assert len(tries) == 4


def test_a_claim_whose_answer_was_lost_is_carried_out(stage: WorkerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server made the claim, and the connection broke before it could say so."""
    monkeypatch.setattr("tasks.worker.executor.RETRY_EVERY", 0.01)
    claim, tries = lifecycle.claim, []

    def answer_lost_at_first(*arguments: Any) -> Run | None:
        answer = claim(*arguments)
        tries.append(answer)
        return answer if len(tries) > 1 else _away()  # type: ignore[func-returns-value]

    monkeypatch.setattr(lifecycle, "claim", answer_lost_at_first)
    run = carry_out(stage, all_done)
    assert [bool(answer) for answer in tries] == [True, False]
    assert (run.status, run.outcome) == (Status.COMPLETED, Outcome.SUCCEEDED)
    assert stage.told(run.id) == ["queued", "completed"]


def test_a_worker_does_not_take_its_own_run_for_a_lost_claim(stage: WorkerHarness) -> None:
    go, executions = threading.Event(), []

    def wait(run: RunContext) -> None:
        executions.append(run.id)
        go.wait(HANG)

    run, tracker = prepare(stage, wait)
    thread = threading.Thread(target=tracker.execute, args=(run.id,), daemon=True)
    thread.start()
    wait_for(lambda: executions)
    tracker.execute(run.id)  # the message comes a second time, to the same worker
    go.set()
    thread.join(HANG)
    assert executions == [run.id]
    assert stage.run(run.id).outcome is Outcome.SUCCEEDED


def test_a_worker_that_takes_no_more_leaves_the_run_to_others(stage: WorkerHarness) -> None:
    run, tracker = prepare(stage, all_done)
    tracker.close()
    assert not tracker.execute(run.id)
    assert tracker.wait_until_idle(0)
    assert stage.run(run.id) == run
    other = stage.tracker(registry=stage.registry)
    assert other.execute(run.id)
    assert stage.run(run.id).outcome is Outcome.SUCCEEDED


def test_a_worker_is_not_idle_while_it_claims(stage: WorkerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    claim, claiming, go = lifecycle.claim, threading.Event(), threading.Event()

    def slow(*arguments: Any) -> Run | None:
        claiming.set()
        assert go.wait(HANG)
        return claim(*arguments)

    monkeypatch.setattr(lifecycle, "claim", slow)
    run, tracker = prepare(stage, all_done)
    thread = threading.Thread(target=tracker.execute, args=(run.id,), daemon=True)
    thread.start()
    assert claiming.wait(HANG)
    tracker.close()
    assert not tracker.wait_until_idle(0.01)
    go.set()
    assert tracker.wait_until_idle(HANG)
    thread.join(HANG)
    assert stage.run(run.id).outcome is Outcome.SUCCEEDED


def test_statements_are_counted_at_all(stage: WorkerHarness) -> None:
    seen = Statements(stage)
    stage.execute("UPDATE operation_runs SET label = label")
    assert seen.taken() == ["progress"]
    with stage.db.read() as connection:
        connection.execute(sa.select(1))
    assert seen.taken() == []


# ---- rows that another version has written


@pytest.mark.parametrize("context", [[], "text", {"parameters": []}, {"parameters": {"?": "unreadable"}}])
def test_a_run_whose_parameters_cannot_be_read_fails_and_the_next_one_is_carried_out(
    stage: WorkerHarness, context: Any
) -> None:
    run, tracker = prepare(stage, nothing)
    with stage.db.write() as connection:
        connection.execute(sa.update(operation_runs).where(operation_runs.c.id == run.id).values(context=context))
    tracker.execute(run.id)
    assert_failed(stage.run(run.id), "input.invalid")
    behind = stage.start("test.here")
    tracker.execute(behind.id)
    assert stage.run(behind.id).outcome is Outcome.SUCCEEDED
