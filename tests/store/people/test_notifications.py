"""Who is told what: once, the initiator alone, in the transaction that makes it true."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from store.db.engine import Database
from store.model.records import Counts, Failure, Notification, Outcome, Run, Status, Tenant, User
from store.model.tables import memberships, operation_runs, run_events
from store.people import notifications
from store.people.access import Role
from store.runs import lifecycle
from store.runs.lifecycle import Result
from store.runs.log import NewLogLine
from store.runs.outcome import failure
from store.workers import heartbeats
from tests.support.people import (
    SUCCEEDED,
    end_run,
    kinds_told,
    make_older,
    make_tenant,
    make_user,
    new_run,
    open_run,
    start_run,
    told,
)
from tests.support.waiting import HANG


def inbox(db: Database, user: User) -> list[Notification]:
    with db.read() as connection:
        return list(notifications.inbox(connection, user.id))


def unread(db: Database, user: User, cap: int = 100) -> tuple[int, int]:
    """How many are unread by the list, and by the count."""
    with db.read() as connection:
        return len(notifications.unread(connection, user.id)), notifications.unread_now(connection, user.id, cap)[0]


# ---- when


def test_nobody_is_told_before_the_message_is_queued(db: Database, tenant: Tenant, user: User) -> None:
    run = open_run(db, tenant, user)
    assert kinds_told(db, run) == []
    lifecycle.mark_dispatched(db, run.id)
    assert kinds_told(db, run) == ["queued"]


def test_a_worker_that_is_quicker_than_its_dispatcher_tells_in_its_stead(
    db: Database, tenant: Tenant, user: User
) -> None:
    """Queued comes before completed, whoever was first, and each comes once."""
    run = open_run(db, tenant, user)
    end_run(db, run)
    assert lifecycle.mark_dispatched(db, run.id) is None
    assert kinds_told(db, run) == ["queued", "completed"]


def test_each_is_told_once_whatever_is_said_again(db: Database, tenant: Tenant, user: User, worker_id: int) -> None:
    run = open_run(db, tenant, user)
    for _ in range(2):
        lifecycle.mark_dispatched(db, run.id)
        lifecycle.redispatch(db, run.id, 0)
        lifecycle.claim(db, run.id, worker_id)
        lifecycle.finish(db, run.id, worker_id, SUCCEEDED)
        lifecycle.fail_dispatch(db, run.id, Failure("x.y", "no"))
    assert kinds_told(db, run) == ["queued", "completed"]


def test_what_could_not_be_queued_was_never_queued(db: Database, tenant: Tenant, user: User) -> None:
    run = open_run(db, tenant, user)
    lifecycle.fail_dispatch(db, run.id, failure("queue.dispatch_failed"))
    assert kinds_told(db, run) == ["completed"]


def test_a_lost_run_tells_its_initiator(db: Database, tenant: Tenant, user: User, worker_id: int) -> None:
    run = start_run(db, tenant, user, worker_id)
    heartbeats.deregister(db, worker_id)
    assert lifecycle.fail_lost(db, run, 30)
    assert lifecycle.fail_lost(db, run, 30) is None
    assert [(note.kind, note.title) for note in told(db, run)][1:] == [("completed", "Sync inventory failed")]


# ---- whom


def test_nobody_is_told_for_the_system(db: Database, tenant: Tenant) -> None:
    run = open_run(db, tenant)
    lifecycle.mark_dispatched(db, run.id)
    end_run(db, run)
    assert told(db, run) == []


def test_who_joins_a_twin_is_told_nothing(db: Database, tenant: Tenant, user: User) -> None:
    bob = make_user(db, "bob", contoso=Role.OWNER)
    run = open_run(db, tenant, user, key="x")
    lifecycle.mark_dispatched(db, run.id)
    assert lifecycle.create_or_attach(db, new_run(tenant, bob, key="x")) == (lifecycle.get(db, run.id), False)
    end_run(db, run)
    assert {note.user_id for note in told(db, run)} == {user.id}
    assert inbox(db, bob) == []


def test_who_joins_a_run_of_the_systems_is_told_nothing(db: Database, tenant: Tenant, user: User) -> None:
    run = open_run(db, tenant, key="x")
    lifecycle.create_or_attach(db, new_run(tenant, user, key="x"))
    end_run(db, run)
    assert inbox(db, user) == []


# ---- in one transaction

BREAK = {
    True: ("CREATE TRIGGER refuse BEFORE INSERT ON {} BEGIN SELECT RAISE(ABORT, 'refused'); END",),
    False: (
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION refuse()",
    ),
}
MEND = {True: "DROP TRIGGER refuse", False: "DROP FUNCTION refuse CASCADE"}


@contextlib.contextmanager
def inserts_refused(db: Database, table: str) -> Iterator[None]:
    """Meanwhile the database refuses every new row of the table."""
    with db.write() as connection:
        for statement in BREAK[db.is_sqlite]:
            connection.exec_driver_sql(statement.format(table))
    yield
    with db.write() as connection:
        connection.exec_driver_sql(MEND[db.is_sqlite])


CHANGES: dict[str, Callable[[Database, Run, int], object]] = {
    "mark_dispatched": lambda db, run, worker_id: lifecycle.mark_dispatched(db, run.id),
    "claim": lambda db, run, worker_id: lifecycle.claim(db, run.id, worker_id),
    "refuse": lambda db, run, worker_id: lifecycle.fail_dispatch(db, run.id, Failure("x.y", "no")),
    "redispatch": lambda db, run, worker_id: lifecycle.redispatch(db, run.id, 30),
}


def test_who_cannot_be_told_leaves_the_run_as_it_was(db: Database, tenant: Tenant, user: User, worker_id: int) -> None:
    waiting = open_run(db, tenant, user, key="x")
    make_older(db, operation_runs, waiting.id, "updated_at", 60)
    run, _ = lifecycle.create_or_attach(db, new_run(tenant, user, key="x"))
    for change in CHANGES.values():
        with inserts_refused(db, "notifications"), pytest.raises(IntegrityError):
            change(db, run, worker_id)
        assert lifecycle.get(db, run.id) == run


def test_an_end_that_cannot_be_told_did_not_happen(db: Database, tenant: Tenant, user: User, worker_id: int) -> None:
    run = start_run(db, tenant, user, worker_id)
    log = (NewLogLine("info", "the last line"),)
    with inserts_refused(db, "notifications"), pytest.raises(IntegrityError):
        lifecycle.finish(db, run.id, worker_id, Result(Outcome.SUCCEEDED, log=log))
    assert lifecycle.get(db, run.id) == run
    with db.read() as connection:
        assert connection.execute(sa.select(run_events)).all() == []


def test_an_end_whose_lines_cannot_be_stored_is_not_told(
    db: Database, tenant: Tenant, user: User, worker_id: int
) -> None:
    run = start_run(db, tenant, user, worker_id)
    with inserts_refused(db, "run_events"), pytest.raises(IntegrityError):
        lifecycle.finish(db, run.id, worker_id, Result(Outcome.SUCCEEDED, log=(NewLogLine("info", "x"),)))
    assert lifecycle.get(db, run.id) == run
    assert kinds_told(db, run) == ["queued"]


def test_dispatcher_and_worker_at_once_tell_once(db: Database, tenant: Tenant, user: User, worker_id: int) -> None:
    """The worker claims and finishes while the dispatcher marks, each as soon as it can."""
    for _ in range(25):
        run = open_run(db, tenant, user)
        start, errors = threading.Barrier(2), list[BaseException]()

        def together(
            *steps: Callable[[], object], start: threading.Barrier = start, errors: list[BaseException] = errors
        ) -> None:
            start.wait(HANG)
            try:
                for step in steps:
                    step()
            except BaseException as error:
                errors.append(error)

        dispatcher = threading.Thread(target=together, args=(lambda id_=run.id: lifecycle.mark_dispatched(db, id_),))
        worker = threading.Thread(
            target=together,
            args=(
                lambda id_=run.id: lifecycle.claim(db, id_, worker_id),
                lambda id_=run.id: lifecycle.finish(db, id_, worker_id, SUCCEEDED),
            ),
        )
        for thread in (dispatcher, worker):
            thread.start()
        for thread in (dispatcher, worker):
            thread.join(HANG)
        assert errors == []
        now = lifecycle.get(db, run.id)
        assert now
        assert (now.status, kinds_told(db, run)) == (Status.COMPLETED, ["queued", "completed"])


# ---- what


SAID = [
    (Result(Outcome.SUCCEEDED), "Sync inventory succeeded", "contoso: Done."),
    (Result(Outcome.SUCCEEDED, Counts(3, 2, 0, 1)), "Sync inventory succeeded", "contoso: 2 of 3 done, 1 skipped."),
    (
        Result(Outcome.PARTIALLY_SUCCEEDED, Counts(3, 2, 1), (Failure("graph.forbidden", "Refused"),)),
        "Sync inventory partially succeeded",
        "contoso: 2 of 3 done, 1 failed, Refused.",
    ),
    (Result(Outcome.FAILED, None, (Failure("x.y", "It broke"),)), "Sync inventory failed", "contoso: It broke."),
]


def test_a_notification_says_what_happened(db: Database, tenant: Tenant, user: User) -> None:
    for result, title, body in SAID:
        run = end_run(db, open_run(db, tenant, user), result)
        queued, completed = told(db, run)
        assert (queued.title, queued.body) == ("Sync inventory queued", "contoso: Waiting for a worker.")
        assert (completed.title, completed.body) == (title, body)
        assert {(note.run_id, note.user_id, note.read_at) for note in (queued, completed)} == {(run.id, user.id, None)}


def test_without_a_label_the_type_stands_in(db: Database, tenant: Tenant, user: User) -> None:
    run = end_run(db, open_run(db, tenant, user, label=None))
    assert [note.title for note in told(db, run)] == ["inventory.sync queued", "inventory.sync succeeded"]


# ---- reading


def test_the_inbox_is_ones_own_newest_first(db: Database, tenant: Tenant, user: User) -> None:
    bob = make_user(db, "bob", contoso=Role.READONLY)
    for owner in (user, bob, user):
        end_run(db, open_run(db, tenant, owner))
    found = inbox(db, user)
    assert [note.user_id for note in found] == [user.id] * 4
    assert [note.id for note in found] == sorted((note.id for note in found), reverse=True)
    assert unread(db, user) == (4, 4)
    assert unread(db, bob) == (2, 2)
    assert unread(db, user, cap=3)[1] == 3


def test_opening_a_run_reads_what_is_about_it(db: Database, tenant: Tenant, user: User) -> None:
    first, second = (end_run(db, open_run(db, tenant, user)) for _ in range(2))
    assert notifications.mark_read(db, user.id, run_id=first.id) == 2
    assert notifications.mark_read(db, user.id, run_id=first.id) == 0
    assert unread(db, user) == (2, 2)
    assert {note.run_id for note in inbox(db, user) if note.read_at is None} == {second.id}


def test_clearing_the_inbox_reads_what_was_seen_and_nothing_newer(db: Database, tenant: Tenant, user: User) -> None:
    end_run(db, open_run(db, tenant, user))
    seen = inbox(db, user)[0].id
    end_run(db, open_run(db, tenant, user))
    assert notifications.mark_read(db, user.id, up_to=seen) == 2
    assert unread(db, user) == (2, 2)


def test_nobody_reads_for_somebody_else(db: Database, tenant: Tenant, user: User) -> None:
    run = end_run(db, open_run(db, tenant, user))
    bob = make_user(db, "bob", contoso=Role.OWNER)
    assert notifications.mark_read(db, bob.id, run_id=run.id) == 0
    assert notifications.mark_read(db, bob.id) == 0
    assert unread(db, user) == (2, 2)


def test_who_left_a_tenant_no_longer_hears_of_it(db: Database, tenant: Tenant, user: User) -> None:
    """Neither in the lists nor in the number, though others are still members and told."""
    other = make_tenant(db, "fabrikam")
    bob = make_user(db, "bob", contoso=Role.OPERATOR, fabrikam=Role.OPERATOR)
    end_run(db, open_run(db, tenant, bob))
    end_run(db, open_run(db, tenant, user))
    kept = end_run(db, open_run(db, other, bob))
    with db.write() as connection:
        gone = (memberships.c.tenant_id == tenant.id, memberships.c.user_id == bob.id)
        connection.execute(sa.delete(memberships).where(*gone))
    assert {note.run_id for note in inbox(db, bob)} == {kept.id}
    assert unread(db, bob) == (2, 2)


# ---- how it ended


def test_how_the_run_ended_is_a_value_and_no_matter_of_words(db: Database, tenant: Tenant, user: User) -> None:
    """A label may say what it likes, and the title ends with it."""
    ends = (Outcome.SUCCEEDED, Outcome.PARTIALLY_SUCCEEDED, Outcome.FAILED)
    waits = open_run(db, tenant, user, label="has failed")
    lifecycle.mark_dispatched(db, waits.id)
    ended = {
        end_run(db, open_run(db, tenant, user, label=f"not {other}"), Result(end, Counts(2, 1, 1))).id: end
        for end in ends
        for other in ends
    }
    seen = {note.run_id: note.outcome for note in inbox(db, user) if note.kind == "completed"}
    assert seen == ended
    assert [note.outcome for note in inbox(db, user) if note.run_id == waits.id] == [Outcome.PENDING]
