"""The lifecycle as a model: what store.runs.lifecycle does, in any order and with the wrong workers, is what the model allows."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from store.db.engine import Database
from store.model.records import Counts, Failure, Outcome, Run, Status, Tenant, User
from store.model.row_mapping import run_columns, run_from_row
from store.model.tables import notifications, operation_runs, tenants
from store.model.tables import workers as workers_table
from store.runs import lifecycle, outcome
from store.runs.lifecycle import Result
from store.workers import heartbeats
from tests.support.people import (
    FAILED,
    SUCCEEDED,
    end_run,
    make_older,
    make_tenant,
    make_user,
    make_worker,
    new_run,
    open_run,
    start_run,
)
from tests.support.properties import examples

#: Seconds without a beat after which a worker is lost, and without a message after which a run is queued again.
LONG = 600.0

ENDS = {
    Outcome.SUCCEEDED: SUCCEEDED,
    Outcome.PARTIALLY_SUCCEEDED: Result(
        Outcome.PARTIALLY_SUCCEEDED, Counts(2, 1, 1), (Failure("graph.forbidden", "no"),)
    ),
    Outcome.FAILED: FAILED,
}


@dataclass
class Expected:
    """A run as the model has it."""

    key: int
    has_user: bool
    status: Status = Status.QUEUED
    outcome: Outcome = Outcome.PENDING
    worker_id: int | None = None
    dispatched: bool = False
    counts: Counts | None = None
    codes: tuple[str, ...] = ()
    #: Whether its message has been waiting for longer than LONG.
    waits_long: bool = False
    told: list[str] = field(default_factory=list)
    #: The row as it was when the run was completed: it never changes again.
    at_the_end: Run | None = None

    def tell(self, kind: str) -> None:
        if self.has_user and kind not in self.told:
            self.told.append(kind)

    def end(self, now: Run, with_: Outcome, *codes: str) -> None:
        self.status, self.outcome, self.at_the_end, self.codes = Status.COMPLETED, with_, now, codes
        self.tell("completed")


pick = st.integers(0, 7)


class Lifecycle(RuleBasedStateMachine):
    db: Database

    @initialize()
    def begin(self) -> None:
        self.tenant = make_tenant(self.db)
        self.user = make_user(self.db)
        living, dead, gone = (make_worker(self.db) for _ in range(3))
        make_older(self.db, workers_table, dead, "beat_at", 2 * LONG)
        heartbeats.deregister(self.db, gone)
        self.workers, self.living = (living, dead, gone), living
        self.model: dict[int, Expected] = {}

    def some(self, number: int) -> tuple[int, Expected] | None:
        return list(self.model.items())[number % len(self.model)] if self.model else None

    @rule(key=st.integers(0, 2), has_user=st.booleans())
    def open(self, key: int, has_user: bool) -> None:
        run, opened = lifecycle.create_or_attach(self.db, new_run(self.tenant, self.user if has_user else None, key))
        twins = [id_ for id_, run in self.model.items() if run.key == key and run.status is not Status.COMPLETED]
        if twins:
            assert (run.id, opened) == (twins[0], False)
        else:
            assert opened
            self.model[run.id] = Expected(key, has_user)

    @rule(number=pick)
    def mark_dispatched(self, number: int) -> None:
        if chosen := self.some(number):
            id_, run = chosen
            allowed = run.status is Status.QUEUED and not run.dispatched
            assert (lifecycle.mark_dispatched(self.db, id_) is not None) == allowed
            if allowed:
                run.dispatched, run.waits_long = True, False
                run.tell("queued")

    @rule(number=pick, worker=st.integers(0, 2))
    def claim(self, number: int, worker: int) -> None:
        if chosen := self.some(number):
            id_, run = chosen
            allowed = run.status is Status.QUEUED
            assert (lifecycle.claim(self.db, id_, self.workers[worker]) is not None) == allowed
            if allowed:
                run.status, run.worker_id, run.dispatched = Status.RUNNING, self.workers[worker], True
                run.tell("queued")

    @rule(number=pick, worker=st.integers(0, 2), done=st.integers(0, 9))
    def progress(self, number: int, worker: int, done: int) -> None:
        if chosen := self.some(number):
            id_, run = chosen
            allowed = run.status is Status.RUNNING and run.worker_id == self.workers[worker]
            result = Result(Outcome.PENDING, Counts(9, done))
            assert (lifecycle.progress(self.db, id_, self.workers[worker], result) is not None) == allowed
            if allowed:
                run.counts = result.counts

    @rule(number=pick, worker=st.integers(0, 2), how=st.sampled_from(list(ENDS)))
    def finish(self, number: int, worker: int, how: Outcome) -> None:
        if chosen := self.some(number):
            id_, run = chosen
            done = lifecycle.finish(self.db, id_, self.workers[worker], ENDS[how])
            assert (done is not None) == (run.status is Status.RUNNING and run.worker_id == self.workers[worker])
            if done:
                run.counts = ENDS[how].counts
                run.end(done, how, *(failure.code for failure in ENDS[how].failures))

    @rule(number=pick)
    def refuse(self, number: int) -> None:
        if chosen := self.some(number):
            id_, run = chosen
            done = lifecycle.fail_dispatch(self.db, id_, outcome.failure("queue.dispatch_failed"))
            assert (done is not None) == (run.status is Status.QUEUED)
            if done:
                run.end(done, Outcome.FAILED, "queue.dispatch_failed")

    @rule(number=pick, worker=st.integers(0, 2))
    def lose(self, number: int, worker: int) -> None:
        """A rescuer saw the run on some worker, perhaps long ago."""
        if chosen := self.some(number):
            id_, run = chosen
            seen = lifecycle.get(self.db, id_)
            assert seen
            done = lifecycle.fail_lost(self.db, replace(seen, worker_id=self.workers[worker]), LONG)
            allowed = run.status is Status.RUNNING and run.worker_id == self.workers[worker] != self.living
            assert (done is not None) == allowed
            if done:
                run.end(done, Outcome.FAILED, "worker.lost")

    @rule(number=pick)
    def wait_long(self, number: int) -> None:
        if (chosen := self.some(number)) and chosen[1].status is Status.QUEUED:
            id_, run = chosen
            make_older(self.db, operation_runs, id_, "created_at", 2 * LONG)
            if run.dispatched:
                make_older(self.db, operation_runs, id_, "dispatched_at", 2 * LONG)
            run.waits_long = True

    @rule(number=pick)
    def redispatch(self, number: int) -> None:
        if chosen := self.some(number):
            id_, run = chosen
            allowed = run.status is Status.QUEUED and run.waits_long
            assert (lifecycle.redispatch(self.db, id_, LONG) is not None) == allowed
            if allowed:
                run.dispatched, run.waits_long = True, False
                run.tell("queued")

    @invariant()
    def the_database_is_as_the_model(self) -> None:
        query = sa.select(*run_columns()).join(tenants).where(tenants.c.id == self.tenant.id)
        with self.db.read() as connection:
            found = {run.id: run for run in (run_from_row(dict(row)) for row in connection.execute(query).mappings())}
            told = connection.execute(
                sa.select(notifications.c.run_id, notifications.c.kind, notifications.c.user_id)
                .join(operation_runs)
                .where(operation_runs.c.tenant_id == self.tenant.id)
                .order_by(notifications.c.id)
            ).all()
        assert found.keys() == self.model.keys()
        assert {user_id for *_, user_id in told} <= {self.user.id}
        for id_, run in self.model.items():
            now = found[id_]
            assert (now.status, now.outcome, now.worker_id) == (run.status, run.outcome, run.worker_id)
            assert (now.dispatched_at is not None, now.summary_counts) == (run.dispatched, run.counts)
            assert tuple(failure.code for failure in now.failure_summary) == run.codes
            assert (now.started_at is not None) == (run.worker_id is not None)
            assert (now.completed_at is not None) == (run.status is Status.COMPLETED)
            assert run.at_the_end in (None, now)
            instants = (now.created_at, now.dispatched_at, now.started_at, now.completed_at, now.updated_at)
            assert [at for at in instants if at] == sorted(at for at in instants if at)
            assert [kind for run_id, kind, _ in told if run_id == id_] == run.told


def test_no_order_of_calls_leaves_the_lifecycle(db: Database) -> None:
    class OnThis(Lifecycle):
        pass

    OnThis.db = db
    run_state_machine_as_test(OnThis, settings=examples(20 if db.is_sqlite else 5))


# ---- what the model does not say


def test_a_run_that_is_not_there_changes_nothing(db: Database, worker_id: int) -> None:
    assert lifecycle.get(db, 17) is None
    assert lifecycle.mark_dispatched(db, 17) is None
    assert lifecycle.claim(db, 17, worker_id) is None
    assert lifecycle.finish(db, 17, worker_id, SUCCEEDED) is None
    assert lifecycle.fail_dispatch(db, 17, Failure("x.y", "no")) is None


def test_what_was_stored_before_is_kept_where_an_end_says_nothing(db: Database, tenant: Tenant) -> None:
    run = start_run(db, tenant)
    assert run.worker_id
    failures = (Failure("graph.forbidden", "no", 2),)
    lifecycle.progress(db, run.id, run.worker_id, Result(Outcome.PENDING, Counts(4, 1, 2), failures, (), {"a": 1}))
    done = lifecycle.finish(db, run.id, run.worker_id, Result(Outcome.FAILED))
    assert done
    assert (done.summary_counts, done.failure_summary, done.context) == (Counts(4, 1, 2), failures, {"a": 1})


def test_a_lost_run_keeps_its_counts_and_at_most_fifty_failures(db: Database, tenant: Tenant) -> None:
    run = start_run(db, tenant)
    assert run.worker_id
    failures = tuple(Failure("graph.forbidden", str(number)) for number in range(outcome.MAX_FAILURES))
    run = lifecycle.progress(db, run.id, run.worker_id, Result(Outcome.PENDING, Counts(99, 1, 50), failures)) or run
    heartbeats.deregister(db, run.worker_id or 0)
    lost = lifecycle.fail_lost(db, run, LONG)
    assert lost
    assert lost.summary_counts == Counts(99, 1, 50)
    assert len(lost.failure_summary) == outcome.MAX_FAILURES
    assert lost.failure_summary[-1].code == "worker.lost"


def test_a_living_workers_run_is_never_lost(db: Database, tenant: Tenant, worker_id: int) -> None:
    run = start_run(db, tenant, worker_id=worker_id)
    make_older(db, operation_runs, run.id, "started_at", 100 * LONG)
    assert lifecycle.fail_lost(db, run, LONG) is None
    make_older(db, workers_table, worker_id, "beat_at", LONG + 1)
    heartbeats.heartbeat(db, worker_id, 0)
    assert lifecycle.fail_lost(db, run, LONG) is None


def test_an_ended_run_frees_its_identity_in_the_same_moment(db: Database, tenant: Tenant) -> None:
    def refuse(db: Database, run: Run) -> Run | None:
        return lifecycle.fail_dispatch(db, run.id, Failure("x.y", "no"))

    ends: tuple[Callable[[Database, Run], object], ...] = (end_run, refuse)
    for end in ends:
        run = open_run(db, tenant, key="x")
        assert lifecycle.active_twin(db, tenant.id, run.run_identity_hash) == run
        end(db, run)
        assert lifecycle.active_twin(db, tenant.id, run.run_identity_hash) is None


def test_instants_are_the_databases_and_in_order(db: Database, tenant: Tenant) -> None:
    done = end_run(db, open_run(db, tenant))
    assert done.started_at
    assert done.completed_at
    assert done.dispatched_at
    assert done.created_at <= done.dispatched_at <= done.started_at <= done.completed_at == done.updated_at
    assert done.created_at.tzinfo is not None


def test_texts_are_stored_as_they_are(db: Database, tenant: Tenant, user: User) -> None:
    for text in ("\u202e", "it's", '"%s"', "100%", "ß\U0001f600", ":name", "$1"):
        context = {"parameters": {"key": text, text: [text, None, 1.5, True]}}
        run = open_run(db, tenant, user, context=context, label=text)
        assert (run.context, run.label) == (context, text)
        done = end_run(db, run, Result(Outcome.FAILED, failures=(Failure("x.y", text),)))
        assert done.failure_summary == (Failure("x.y", text),)


# ---- cancelled

ROOT = Path(__file__).parents[3]
#: The simulator is left out: approvals of Graph may be cancelled, too.
SOURCES = sorted(
    path
    for room in ("opsmon", "screens", "store", "tasks")
    for path in (ROOT / room).rglob("*.py")
    if "simulator" not in path.parts
)


def makers_of_cancelled(source: str) -> list[int]:
    """Lines that could make a run cancelled: that name the outcome other than as a key, in a comparison or where it is defined."""
    tree = ast.parse(source)
    harmless = set[ast.AST]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            harmless |= set(ast.walk(node))
        elif isinstance(node, ast.Dict):
            labels = [(key, value) for key, value in zip(node.keys, node.values, strict=True) if key]
            harmless |= {part for key, value in labels if names_it(key) for part in [key, *ast.walk(value)]}
        elif isinstance(node, ast.ClassDef) and node.name == "Outcome":
            harmless |= {part for line in node.body if isinstance(line, ast.Assign) for part in ast.walk(line)}
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.expr))
    return [node.lineno for node in nodes if names_it(node) and node not in harmless]


def names_it(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.lower() == "cancelled" or ("'cancelled'" in node.value and "outcome IN (" not in node.value)
    return (isinstance(node, ast.Attribute) and node.attr == "CANCELLED") or (
        isinstance(node, ast.Name) and node.id == "CANCELLED"
    )


def test_cancelled_is_produced_nowhere() -> None:
    assert len(SOURCES) > 40
    found = {
        path.relative_to(ROOT).as_posix(): makers_of_cancelled(path.read_text(encoding="utf-8")) for path in SOURCES
    }
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "source",
    ["x = Outcome.CANCELLED", "Result(Outcome.CANCELLED)", "f(outcome='cancelled')", 'x("SET outcome = \'cancelled\'")',
     "{1: Outcome.CANCELLED}", "Outcome('cancelled')", "return_(CANCELLED)"],
)  # fmt: skip
def test_who_would_produce_it_is_found(source: str) -> None:
    assert makers_of_cancelled(source) == [1]


def test_another_worker_neither_counts_nor_ends_a_run(db: Database, tenant: Tenant, worker_id: int) -> None:
    run = start_run(db, tenant, worker_id=worker_id)
    other = make_worker(db)
    assert lifecycle.progress(db, run.id, other, Result(Outcome.PENDING, Counts(9, 3))) is None
    assert lifecycle.finish(db, run.id, other, SUCCEEDED) is None
    assert lifecycle.get(db, run.id) == run
    assert lifecycle.finish(db, run.id, worker_id, SUCCEEDED)


def test_what_is_completed_is_neither_ended_lost_nor_refused_again(
    db: Database, tenant: Tenant, worker_id: int
) -> None:
    run = start_run(db, tenant, worker_id=worker_id)
    assert lifecycle.fail_dispatch(db, run.id, Failure("x.y", "no")) is None, "a worker has it in hand"
    done = lifecycle.finish(db, run.id, worker_id, SUCCEEDED)
    heartbeats.deregister(db, worker_id)
    assert lifecycle.finish(db, run.id, worker_id, FAILED) is None
    assert lifecycle.progress(db, run.id, worker_id, Result(Outcome.PENDING, Counts(9, 3))) is None
    assert lifecycle.fail_lost(db, run, LONG) is None
    assert lifecycle.fail_dispatch(db, run.id, Failure("x.y", "no")) is None
    assert lifecycle.get(db, run.id) == done
