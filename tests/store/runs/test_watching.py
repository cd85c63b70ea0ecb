"""Watching a colleague's run: who may, being told of its end once, and how many one may watch."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from store.db.engine import Database
from store.errors import InputInvalid, NotFound
from store.model.records import Outcome, Tenant, User
from store.model.tables import memberships
from store.people.access import Role
from store.runs import detail as run_detail
from store.runs import watching
from store.runs.watching import tell, unwatch, watch
from store.snapshot import Request, take
from tests.support.people import FAILED, end_run, make_tenant, make_user, open_run, start_run
from tests.support.waiting import HANG


@pytest.fixture
def colleague(db: Database, tenant: Tenant) -> User:
    return make_user(db, **{tenant.slug: Role.READONLY})


def news(db: Database, user: User) -> list[int]:
    return [note.run_id for note in take(db, Request(user.id)).ended_watches]


def test_the_end_of_a_watched_run_is_told_once_as_of_ones_own(
    db: Database, tenant: Tenant, user: User, colleague: User
) -> None:
    run = start_run(db, tenant, user)
    assert watch(db, colleague.id, run.id)
    assert not watch(db, colleague.id, run.id)
    assert news(db, colleague) == []
    end_run(db, run, FAILED)
    (note,) = take(db, Request(colleague.id)).ended_watches
    assert (note.run_id, note.kind, note.outcome, note.id) == (run.id, "completed", Outcome.FAILED, -run.id)
    assert (note.title, note.body) == ("Sync inventory failed", f"{tenant.slug}: 0 of 1 done, 1 failed, no.")
    assert news(db, user) == []
    assert tell(db, colleague.id, [run.id]) == {run.id}
    assert tell(db, colleague.id, [run.id]) == frozenset()
    assert news(db, colleague) == []


def test_of_several_sessions_one_tells(db: Database, tenant: Tenant, user: User, colleague: User) -> None:
    run = start_run(db, tenant, user)
    watch(db, colleague.id, run.id)
    end_run(db, run)
    ready, told = threading.Barrier(4), list[frozenset[int]]()

    def session() -> None:
        ready.wait(HANG)
        told.append(tell(db, colleague.id, [run.id]))

    threads = [threading.Thread(target=session) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(HANG)
    assert sorted(map(len, told)) == [0, 0, 0, 1]


def test_a_watch_at_the_moment_of_the_end_is_refused_or_told(
    db: Database, tenant: Tenant, user: User, colleague: User
) -> None:
    """Whoever is first: nobody watches what they are never told of."""
    for _ in range(6):
        run, ready, refused = start_run(db, tenant, user), threading.Barrier(2), list[bool]()

        def look(run_id: int, ready: threading.Barrier, refused: list[bool]) -> None:
            ready.wait(HANG)
            try:
                watch(db, colleague.id, run_id)
            except InputInvalid:
                refused.append(True)

        thread = threading.Thread(target=look, args=(run.id, ready, refused))
        thread.start()
        ready.wait(HANG)
        end_run(db, run)
        thread.join(HANG)
        assert (run.id in news(db, colleague)) != bool(refused)


def test_what_one_may_not_see_or_need_not_watch_is_refused(
    db: Database, tenant: Tenant, user: User, colleague: User
) -> None:
    hidden, own, over = (
        open_run(db, make_tenant(db)),
        open_run(db, tenant, colleague),
        end_run(db, open_run(db, tenant)),
    )
    with pytest.raises(NotFound):
        watch(db, colleague.id, hidden.id)
    with pytest.raises(InputInvalid, match="is yours"):
        watch(db, colleague.id, own.id)
    with pytest.raises(InputInvalid, match="has ended"):
        watch(db, colleague.id, over.id)


def test_who_left_the_tenant_is_told_nothing(db: Database, tenant: Tenant, user: User, colleague: User) -> None:
    run = start_run(db, tenant, user)
    watch(db, colleague.id, run.id)
    with db.write() as connection:
        connection.execute(sa.delete(memberships).where(memberships.c.user_id == colleague.id))
    end_run(db, run)
    assert news(db, colleague) == []


def test_a_run_says_whether_one_watches_it(db: Database, tenant: Tenant, user: User, colleague: User) -> None:
    run = open_run(db, tenant, user)

    def is_watched(by: User) -> bool:
        with db.read() as connection:
            return run_detail.read_visible(connection, by.id, run.id).watched

    watch(db, colleague.id, run.id)
    assert (is_watched(colleague), is_watched(user)) == (True, False)
    assert unwatch(db, colleague.id, run.id)
    assert not unwatch(db, colleague.id, run.id)
    assert not is_watched(colleague)


def test_of_too_many_the_oldest_that_ended_falls_out(
    db: Database, tenant: Tenant, user: User, colleague: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "MOST", 3)
    runs = [open_run(db, tenant, user) for _ in range(5)]
    for run in runs[:3]:
        watch(db, colleague.id, run.id)
    with pytest.raises(InputInvalid, match="3 runs that have not ended"):
        watch(db, colleague.id, runs[3].id)
    assert not watch(db, colleague.id, runs[0].id), "it is watched already, and needs no room"
    end_run(db, runs[1])
    assert watch(db, colleague.id, runs[3].id)
    assert news(db, colleague) == []


def test_a_poll_tells_of_a_bounded_number(db: Database, tenant: Tenant, user: User, colleague: User) -> None:
    runs = [open_run(db, tenant, user) for _ in range(watching.TOLD_AT_ONCE + 2)]
    for run in runs:
        watch(db, colleague.id, run.id)
        end_run(db, run)
    first = news(db, colleague)
    assert first == [run.id for run in runs[:1:-1]]
    tell(db, colleague.id, first)
    assert news(db, colleague) == [runs[1].id, runs[0].id]
