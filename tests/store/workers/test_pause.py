"""A queue is paused once at a time, by an owner, and whoever asks is told by whom."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from store.db.engine import Database
from store.errors import Forbidden
from store.model.records import Tenant, User
from store.model.tables import queue_pauses
from store.people.access import Role
from store.workers import heartbeats
from store.workers import pause as queue_pause
from store.workers.pause import QueuePause
from tests.support.people import make_older, make_user, make_worker


@pytest.fixture
def owner(db: Database, tenant: Tenant) -> User:
    return make_user(db, "olga", **{tenant.slug: Role.OWNER})


def current(db: Database) -> QueuePause | None:
    with db.read() as connection:
        return queue_pause.current(connection)


def pauses(db: Database) -> list[bool]:
    """For each pause that ever was, the oldest first, whether it has ended."""
    with db.read() as connection:
        query = sa.select(queue_pauses.c.resumed_at).order_by(queue_pauses.c.id)
        return [at is not None for at in connection.execute(query).scalars()]


def test_a_pause_holds_until_it_is_ended(db: Database, owner: User) -> None:
    assert current(db) is None
    assert queue_pause.pause(db, owner)
    found = current(db)
    assert found
    assert (found.login, found.name) == ("olga", owner.name)
    assert queue_pause.resume(db, owner)
    assert current(db) is None
    assert queue_pause.pause(db, owner)
    assert pauses(db) == [True, False]


def test_pausing_and_resuming_twice_changes_nothing(db: Database, owner: User, tenant: Tenant) -> None:
    other = make_user(db, "otto", **{tenant.slug: Role.OWNER})
    assert not queue_pause.resume(db, owner)
    assert queue_pause.pause(db, owner)
    before = current(db)
    assert not queue_pause.pause(db, other)
    assert current(db) == before
    assert queue_pause.resume(db, other)
    assert not queue_pause.resume(db, owner)
    assert pauses(db) == [True]


def test_of_owners_who_pause_at_once_one_does(db: Database, owner: User) -> None:
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: queue_pause.pause(db, owner), range(8)))
    assert sorted(done) == [False] * 7 + [True]
    assert pauses(db) == [False]


@pytest.mark.parametrize("role", [Role.MANAGER, Role.OPERATOR, Role.READONLY, None])
def test_only_owners_pause_and_resume(db: Database, owner: User, tenant: Tenant, role: Role | None) -> None:
    somebody = make_user(db, **({tenant.slug: role} if role else {}))
    with pytest.raises(Forbidden):
        queue_pause.pause(db, somebody)
    assert current(db) is None
    queue_pause.pause(db, owner)
    with pytest.raises(Forbidden):
        queue_pause.resume(db, somebody)
    assert current(db)


def test_a_worker_hears_of_the_pause_with_its_beat(db: Database, owner: User) -> None:
    worker_id = make_worker(db)
    told = [heartbeats.heartbeat(db, worker_id, 0).queue_is_paused]
    queue_pause.pause(db, owner)
    told.append(heartbeats.heartbeat(db, worker_id, 0).queue_is_paused)
    queue_pause.resume(db, owner)
    told.append(heartbeats.heartbeat(db, worker_id, 0).queue_is_paused)
    assert told == [False, True, False]


def test_who_paused_and_since_when_is_the_first_ones(db: Database, owner: User) -> None:
    queue_pause.pause(db, owner)
    make_older(db, queue_pauses, _newest_id(db), "paused_at", 3600)
    before = current(db)
    queue_pause.pause(db, owner)
    assert current(db) == before


def _newest_id(db: Database) -> int:
    with db.read() as connection:
        return int(connection.execute(sa.select(sa.func.max(queue_pauses.c.id))).scalar_one())
