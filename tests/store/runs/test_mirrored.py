"""A restore has the state of the run that carries it out, from the moment in which somebody executes it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from store.db.engine import Database
from store.intune import backups
from store.intune.backup_records import BackupItem, NewSet
from store.model.records import Failure, Outcome, Run, Tenant, User
from store.model.tables import backup_items, restore_items, restore_runs, workers
from store.model.types import utcnow
from store.runs import lifecycle
from store.runs.lifecycle import Result
from tests.store.runs.test_held import again, open_held, release
from tests.support.people import FAILED, SUCCEEDED, make_older

PARTIAL = Result(Outcome.PARTIALLY_SUCCEEDED)


class Restore:
    """A previewed restore of one item in the database, and its run."""

    def __init__(self, db: Database, tenant: Tenant, run: Run) -> None:
        self.db, self.run = db, run
        set_id = backups.begin(db, tenant.id, NewSet("x", {}, "System"))
        item = BackupItem("scripts", "p", "p", None, {}, "content", "canonical", [], "none")
        backups.add(db, tenant.id, set_id, [item])
        row = {"tenant_id": tenant.id, "source_tenant_id": tenant.id, "backup_set_id": set_id, "initiator_name": "x"}
        row |= {"scope": {}, "ticks": [], "status": "previewed", "previewed_at": utcnow()}
        with db.write() as connection:
            insert = sa.insert(restore_runs).returning(restore_runs.c.id)
            self.id = connection.execute(insert.values(**row, run_id=run.id)).scalar_one()
            # Another one, of another run: none of the changes is its own.
            other = connection.execute(insert.values(**row)).scalar_one()
            of_set = connection.execute(sa.select(backup_items.c.id)).scalar_one()
            place = {"backup_item_id": of_set, "position": 0}
            connection.execute(sa.insert(restore_items).values(restore_id=self.id, **place))
            waits = {"result": "waiting", "done_at": utcnow()}
            connection.execute(sa.insert(restore_items).values(restore_id=other, **place, **waits))

    def set_result(self, result: str) -> None:
        values = {"result": result, "result_code": "graph.forbidden", "done_at": utcnow()}
        with self.db.write() as connection:
            connection.execute(sa.update(restore_items).where(restore_items.c.restore_id == self.id).values(values))

    @property
    def status(self) -> str:
        """The status of the restore; the other one must be as it was."""
        query = sa.select(restore_runs.c.status).order_by(restore_runs.c.id != self.id)
        with self.db.read() as connection:
            own, other = connection.execute(query).scalars()
        assert other == "previewed"
        return str(own)


@pytest.fixture
def restore(db: Database, tenant: Tenant, user: User) -> Restore:
    return Restore(db, tenant, open_held(db, tenant, user))


def claimed(db: Database, user: User, restore: Restore, worker_id: int) -> None:
    assert release(db, restore.run, user)
    assert restore.status == "queued"
    assert lifecycle.mark_dispatched(db, restore.run.id)
    assert restore.status == "queued"
    assert lifecycle.claim(db, restore.run.id, worker_id)
    assert restore.status == "running"


@pytest.mark.parametrize(
    ("result", "of_item", "status"),
    [
        (SUCCEEDED, "done", "completed"),
        (PARTIAL, "failed", "partial"),
        (FAILED, "failed", "failed"),
        (SUCCEEDED, "waiting", "waiting_for_approval"),
        (PARTIAL, "waiting", "waiting_for_approval"),
        (FAILED, "waiting", "waiting_for_approval"),
    ],
)
def test_a_restore_has_the_state_of_its_run(
    db: Database, user: User, restore: Restore, worker_id: int, result: Result, of_item: str, status: str
) -> None:
    claimed(db, user, restore, worker_id)
    restore.set_result(of_item)
    assert lifecycle.finish(db, restore.run.id, worker_id, result)
    assert restore.status == status


def test_a_restore_whose_worker_is_lost_has_failed(db: Database, user: User, restore: Restore, worker_id: int) -> None:
    claimed(db, user, restore, worker_id)
    make_older(db, workers, worker_id, "beat_at", 60)
    assert lifecycle.fail_lost(db, again(db, restore.run), 30)
    assert restore.status == "failed"


def test_a_restore_that_could_not_be_queued_has_failed(db: Database, user: User, restore: Restore) -> None:
    assert release(db, restore.run, user)
    assert lifecycle.fail_dispatch(db, restore.run.id, Failure("queue.dispatch_failed", "no"))
    assert restore.status == "failed"


def test_what_is_refused_leaves_the_restore_as_it_is(db: Database, restore: Restore, worker_id: int) -> None:
    assert lifecycle.claim(db, restore.run.id, worker_id) is None
    assert lifecycle.fail_dispatch(db, restore.run.id, Failure("queue.dispatch_failed", "no")) is None
    assert restore.status == "previewed"
