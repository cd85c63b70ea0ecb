"""Starting: the receipt is true whatever the queue does, and a run whose dispatcher died is picked up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from store.db.dialects import Timeouts
from store.errors import DatabaseAway, Forbidden, InputInvalid, NotFound, QueueUnavailable, RunChanged
from store.model.records import Outcome, Run, Status
from store.people import access, admin
from store.people.access import Role
from store.runs import lifecycle
from tasks.dispatch import Receipt, Started, Verdict
from tasks.queue.queue import Queue
from tests.conftest import PrivatePostgres
from tests.support import people
from tests.support.forked import ROOT
from tests.support.waiting import HANG, wait_for
from tests.tasks.conftest import MakeStage, WorkerHarness, assert_failed

#: Seconds that a queue has in tests in which it does not answer.
SHORT = 0.3


class SendThen:
    """A queue that takes the message and then says that it did not."""

    def __init__(self, queue: Queue, then: Callable[[int], object] = lambda run_id: None) -> None:
        self._queue, self._then = queue, then

    def send(self, run_id: int) -> None:
        self._queue.send(run_id)
        self._then(run_id)
        raise QueueUnavailable("the queue did not answer in time")


def hold(stage: WorkerHarness, sender: Any = None) -> Started:
    return stage.dispatcher(sender).start(stage.user, "contoso", "test.hold", {"name": "flag"})


def assert_refused(stage: WorkerHarness, started: Started) -> None:
    """Told as failed, and only that; the identity is free for the next one."""
    assert started.receipt is Receipt.DISPATCH_FAILED
    assert_failed(started.run, "queue.dispatch_failed")
    assert stage.run(started.run.id) == started.run
    assert started.run.dispatched_at is None
    assert stage.told(started.run.id) == ["completed"]
    again = hold(stage)
    assert again.receipt is Receipt.QUEUED
    assert again.run.id != started.run.id


def in_background(action: Callable[[], Started]) -> Callable[[], Started | None]:
    """Start it in a thread; asks for the answer."""
    answers: list[Started] = []
    threading.Thread(target=lambda: answers.append(action()), daemon=True).start()
    return lambda: answers[0] if answers else None


# ---- what is right


def test_a_started_run_is_queued_and_its_initiator_told(stage: WorkerHarness) -> None:
    started = hold(stage)
    assert (started.receipt, started.run.status) == (Receipt.QUEUED, Status.QUEUED)
    assert started.run.dispatched_at
    assert stage.queue.waiting(10) == [started.run.id]
    assert stage.told(started.run.id) == ["queued"]


def test_a_twin_is_joined_and_nobody_is_told_again(stage: WorkerHarness) -> None:
    first = hold(stage).run
    bob = admin.add_user(stage.db, "bob", "Bob")
    admin.grant(stage.db, "bob", "contoso", Role.OPERATOR)
    joined = stage.dispatcher().start(bob, "contoso", "test.hold", {"name": "flag"})
    assert (joined.receipt, joined.run.id, joined.run.initiator_name) == (Receipt.ATTACHED, first.id, "Ann")
    assert stage.queue.waiting(10) == [first.id]
    assert stage.told(first.id) == ["queued"]
    assert "Bob" not in [run.initiator_name for run in stage.runs()]


def test_a_retry_is_a_new_run_of_the_same_parameters(stage: WorkerHarness) -> None:
    first = hold(stage).run
    with pytest.raises(RunChanged):
        stage.dispatcher().retry(stage.user, first.id)
    stage.flag("flag")
    stage.tracker().execute(first.id)
    again = stage.dispatcher().retry(stage.user, first.id)
    assert (again.receipt, again.run.retry_of_id) == (Receipt.QUEUED, first.id)
    assert (again.run.type, again.run.parameters) == (first.type, first.parameters)
    assert stage.run(first.id).outcome is Outcome.SUCCEEDED


def test_what_may_not_be_started_leaves_no_trace(stage: WorkerHarness) -> None:
    users = {name: admin.add_user(stage.db, name) for name in ("rob", "eve")} | {"ann": stage.user}
    admin.grant(stage.db, "rob", "contoso", Role.READONLY)
    before = stage.everything()
    for login, type_, parameters, error in (
        ("rob", "test.hold", {"name": "x"}, Forbidden),
        ("eve", "test.hold", {"name": "x"}, NotFound),
        ("ann", "test.none", {}, InputInvalid),
        ("ann", "test.hold", {}, InputInvalid),
        ("ann", "test.hold", {"name": 1}, InputInvalid),
        ("ann", "test.hold", {"name": "x", "other": 1}, InputInvalid),
    ):
        with pytest.raises(error):
            stage.dispatcher().start(users[login], "contoso", type_, parameters)
    assert stage.everything() == before


@pytest.mark.parametrize(("role", "may"), [(Role.OPERATOR, False), (Role.MANAGER, True), (Role.OWNER, True)])
def test_an_operation_says_which_role_may_start_and_retry_it(stage: WorkerHarness, role: Role, may: bool) -> None:
    other = admin.add_user(stage.db, "rob")
    admin.grant(stage.db, "rob", "contoso", role)
    admin.grant(stage.db, "ann", "contoso", Role.OWNER)
    old = stage.start("test.careful")
    stage.tracker().execute(old.id)
    dispatcher = stage.dispatcher()
    acts: list[Callable[[], Started]] = [
        lambda: dispatcher.retry(other, old.id),
        lambda: dispatcher.start(other, "contoso", "test.careful", {}),
    ]
    for act in acts:
        if may:
            assert act().receipt in (Receipt.QUEUED, Receipt.ATTACHED)
        else:
            with pytest.raises(Forbidden, match=r"may not start or retry 'test.careful', which wants the role manager"):
                act()
    (foretold,) = dispatcher.dry_run_retries(other, [old.id])
    assert (foretold.verdict is not Verdict.REFUSED) == may
    assert dispatcher.start(other, "contoso", "test.mark", {"name": "x"}).receipt is Receipt.QUEUED


def bound_run(stage: WorkerHarness, context: dict[str, Any], *, held: bool = False) -> Run:
    """A run of the operation that is started from its restore alone: previewed only, or failed."""
    tenant = access.require_right(stage.db, stage.user, "contoso", access.Right.VIEW)
    run = people.open_run(stage.db, tenant, stage.user, type="test.bound", context=context, held=held)
    return run if held else people.end_run(stage.db, run, people.FAILED)


def test_what_is_started_from_its_restore_alone_is_not_started_by_its_name(stage: WorkerHarness) -> None:
    eve = admin.add_user(stage.db, "eve")
    before, dispatcher = stage.everything(), stage.dispatcher()
    for parameters in ({"name": "x"}, {}):
        for ask in (dispatcher.start, dispatcher.twin):
            with pytest.raises(InputInvalid) as refused:
                ask(stage.user, "contoso", "test.bound", parameters)
            assert refused.value.message == "'test.bound' is started from its restore alone"
            assert refused.value.hint == "'opsmon restore' lists the restores"
    with pytest.raises(NotFound):
        dispatcher.start(eve, "contoso", "test.bound", {"name": "x"})
    assert stage.everything() == before


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize(
    ("context", "place", "hint"),
    [
        ({"restore_run_id": 5}, "restore 5", "'opsmon restore show 5' says how to go on"),
        ({"restore_run_id": "5"}, "its restore", "'opsmon restore' lists the restores"),
        ({"restore_run_id": True}, "its restore", "'opsmon restore' lists the restores"),
        ({"restore_run_id": -5}, "its restore", "'opsmon restore' lists the restores"),
        ({"restore_run_id": 5.0}, "its restore", "'opsmon restore' lists the restores"),
        ({}, "its restore", "'opsmon restore' lists the restores"),
    ],
)
def test_its_retry_is_refused_and_names_the_restore(
    stage: WorkerHarness, context: dict[str, Any], place: str, hint: str, held: bool
) -> None:
    run, dispatcher = bound_run(stage, context, held=held), stage.dispatcher()
    before = stage.everything()
    for ask in (dispatcher.retry, dispatcher.to_retry):
        with pytest.raises(InputInvalid) as refused:
            ask(stage.user, run.id)
        assert (refused.value.message, refused.value.hint) == (f"run {run.id} belongs to {place}", hint)
    (foretold,) = dispatcher.dry_run_retries(stage.user, [run.id])
    assert (foretold.verdict, foretold.reason) == (Verdict.REFUSED, str(refused.value))
    assert stage.everything() == before


def test_who_may_not_retry_is_told_that_first(stage: WorkerHarness) -> None:
    run, dispatcher = bound_run(stage, {"restore_run_id": 5}), stage.dispatcher()
    rob = admin.add_user(stage.db, "rob")
    with pytest.raises(NotFound):
        dispatcher.retry(rob, run.id)
    admin.grant(stage.db, "rob", "contoso", Role.READONLY)
    with pytest.raises(Forbidden):
        dispatcher.retry(rob, run.id)
    assert dispatcher.dry_run_retries(rob, [run.id])[0].code == Forbidden.code


def test_a_preview_of_any_operation_is_called_one(stage: WorkerHarness) -> None:
    tenant = access.require_right(stage.db, stage.user, "contoso", access.Right.VIEW)
    run = people.open_run(stage.db, tenant, stage.user, type="test.mark", held=True)
    with pytest.raises(RunChanged, match=f"run {run.id} is a preview"):
        stage.dispatcher().retry(stage.user, run.id)
    assert stage.dispatcher().dry_run_retries(stage.user, [run.id])[0].reason.startswith("it is a preview")


# ---- a queue that refuses, or hangs


def test_a_queue_that_raises_fails_the_run(stage: WorkerHarness) -> None:
    stage.execute(f"ALTER TABLE {stage.message_table} RENAME TO elsewhere")
    started = hold(stage)
    stage.execute(f"ALTER TABLE elsewhere RENAME TO {stage.message_table}")
    assert_refused(stage, started)


def test_a_queue_that_hangs_fails_the_run_in_time(stage: WorkerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    released, queue = threading.Event(), Queue(stage.db, timeout=SHORT)
    monkeypatch.setattr(queue.huey().storage, "enqueue", lambda *_: released.wait())
    started = wait_for(in_background(lambda: hold(stage, queue)), "the receipt")
    assert_refused(stage, started)
    released.set()


def test_a_locked_queue_table_fails_the_run_in_time(postgres_url: str, make_stage: MakeStage) -> None:
    stage = make_stage(postgres_url)
    with stage.db.write() as connection:
        connection.execute(sa.text("LOCK TABLE huey_task IN ACCESS EXCLUSIVE MODE"))
        started = wait_for(in_background(lambda: hold(stage, Queue(stage.db, timeout=SHORT))), "the receipt")
    assert_refused(stage, started)


@contextmanager
def writing(stage: WorkerHarness) -> Iterator[None]:
    """Another program that keeps SQLite's only write lock."""
    with stage.db.write() as connection:
        connection.execute(sa.text("UPDATE users SET name = name"))
        yield


def test_a_message_that_waits_for_the_write_lock_too_long_changes_nothing(
    sqlite_url: str, make_stage: MakeStage
) -> None:
    stage = make_stage(sqlite_url)
    queue = Queue(stage.db, timeout=SHORT)

    class Locked:
        def send(self, run_id: int) -> None:
            with writing(stage):
                queue.send(run_id)

    started = hold(stage, Locked())
    assert started.receipt is Receipt.DISPATCH_FAILED
    wait_for(lambda: stage.queue.waiting(10) == [started.run.id], "the message that comes late")
    stage.tracker().execute(started.run.id)
    assert stage.run(started.run.id) == started.run
    assert stage.told(started.run.id) == ["completed"]


@pytest.mark.worker
def test_a_message_that_arrives_after_all_starts_no_run_that_was_given_up(stage: WorkerHarness) -> None:
    started = stage.dispatcher(SendThen(stage.queue)).start(stage.user, "contoso", "test.mark", {"name": "lines"})
    assert started.receipt is Receipt.DISPATCH_FAILED
    behind = stage.start("test.mark", name="lines", key="behind it")
    assert stage.queue.waiting(10) == [started.run.id, behind.id]
    worker = stage.worker(worker_slots=1)
    stage.completed(behind.id)
    assert f"run {started.run.id}: nothing to claim" in worker.log
    assert stage.run(started.run.id) == started.run
    assert stage.told(started.run.id) == ["completed"]
    assert stage.marks("lines") == [str(behind.id)]


def test_a_worker_that_is_quicker_than_the_refusal_is_right(stage: WorkerHarness) -> None:
    sender = SendThen(stage.queue, then=stage.tracker().execute)
    started = stage.dispatcher(sender).start(stage.user, "contoso", "test.mark", {"name": "lines"})
    assert (started.receipt, started.run.outcome) == (Receipt.QUEUED, Outcome.SUCCEEDED)
    assert stage.told(started.run.id) == ["queued", "completed"]
    assert stage.marks("lines") == [str(started.run.id)]


@pytest.mark.kill
def test_a_queue_whose_connection_died_meanwhile_connects_again(
    private_postgres: PrivatePostgres, make_stage: MakeStage
) -> None:
    stage = make_stage(private_postgres.url)
    first = stage.start("test.mark", name="lines")
    private_postgres.stop()
    private_postgres.start()
    stage.db.close()
    second = stage.start("test.mark", name="lines", key="after the restart")
    assert stage.queue.waiting(10) == [first.id, second.id]


# ---- a dispatcher that dies

DIES = """
import os, signal
from opsmon.services import Services
from opsmon.settings import load
from store.people import access
from tasks.dispatch import Dispatcher

class Dies:
    def send(self, run_id):
        os.kill(os.getpid(), signal.SIGKILL)

services = Services(load())
Dispatcher(services.db, Dies(), services.registry).start(
    access.find_user(services.db, "ann"), "contoso", "system.probe", {"seconds": 0}
)
"""


@pytest.mark.kill
@pytest.mark.worker
def test_a_run_whose_process_was_killed_before_it_was_queued_is_picked_up(stage: WorkerHarness) -> None:
    environment = {**os.environ, "OPSMON_DATABASE_URL": stage.url, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", DIES], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    (run,) = stage.runs()
    assert (run.status, run.dispatched_at, stage.messages(), stage.told(run.id)) == (Status.QUEUED, None, [], [])
    stage.age("operation_runs", 20 * HANG, "true", "created_at", "updated_at")
    stage.worker()
    assert stage.completed(run.id).outcome is Outcome.SUCCEEDED
    assert stage.told(run.id) == ["queued", "completed"]


@pytest.mark.kill
@pytest.mark.worker
def test_a_run_that_was_opened_before_the_server_froze_is_picked_up_once(
    private_postgres: PrivatePostgres, make_stage: MakeStage
) -> None:
    stage = make_stage(private_postgres.url, Timeouts(connect=1, transaction=1))
    queue = Queue(stage.db, timeout=SHORT)

    class Freezes:
        def send(self, run_id: int) -> None:
            private_postgres.freeze()
            queue.send(run_id)

    with pytest.raises(DatabaseAway):
        stage.dispatcher(Freezes()).start(stage.user, "contoso", "test.mark", {"name": "lines"})
    private_postgres.thaw()
    stage.age("operation_runs", 20 * HANG, "true", "created_at", "updated_at")
    stage.worker()
    (run,) = stage.runs()
    # Refused or executed: the refusal that nobody waited for any more may still have reached the server.
    ended = stage.completed(run.id)
    if ended.outcome is Outcome.SUCCEEDED:
        assert stage.marks("lines") == [str(run.id)]
        assert stage.told(run.id) == ["queued", "completed"]
    else:
        assert_failed(ended, "queue.dispatch_failed")
        assert stage.marks("lines") == []
        assert stage.told(run.id) == ["completed"]


# ---- one after the other


def test_a_run_is_there_for_every_worker_before_its_message_is(stage: WorkerHarness) -> None:
    """Asked on a connection of its own: what another one has not committed yet is not there for it."""
    there: list[bool] = []

    class Looks:
        def send(self, run_id: int) -> None:
            found = lifecycle.get(stage.db, run_id)
            there.append(found is not None and found.status is Status.QUEUED)

    started = hold(stage, Looks())
    assert (started.receipt, there) == (Receipt.QUEUED, [True])


def test_only_a_newer_retry_is_the_one_whose_receipt_was_lost(stage: WorkerHarness) -> None:
    first = hold(stage).run
    stage.flag("flag")
    stage.tracker().execute(first.id)
    dispatcher = stage.dispatcher()
    assert dispatcher.retried(stage.user, first.id, None) is None
    again = dispatcher.retry(stage.user, first.id).run
    found = dispatcher.retried(stage.user, first.id, None)
    assert found
    assert (found.receipt, found.run.id) == (Receipt.QUEUED, again.id)
    assert dispatcher.retried(stage.user, first.id, again.id) is None, "that one was known before"
