"""What the screens see: everything of one instant, and nothing that is not asked for."""

from __future__ import annotations

import threading
from collections import deque

import pytest
import sqlalchemy as sa

from store.db.engine import Database
from store.model.records import Count, Counts, Outcome, Run, Tenant, User
from store.model.tables import memberships
from store.model.tables import workers as workers_table
from store.people import admin
from store.people.access import Role
from store.runs import lifecycle
from store.runs.lifecycle import Result
from store.runs.log import NewLogLine
from store.search.filter import parse
from store.snapshot import RECENT, Request, Snapshot, take
from store.workers import heartbeats
from tests.support.people import FAILED, end_run, make_older, make_tenant, make_worker, open_run, start_run
from tests.support.waiting import HANG


def seen(db: Database, user: User, line: str = "", tab: str = "All") -> Snapshot:
    return take(db, Request(user.id, parse(line.split()), tab))


def test_an_empty_house(db: Database, tenant: Tenant, user: User) -> None:
    now = take(db, request := Request(user.id))
    assert now.request == request
    assert [member.tenant for member in now.memberships] == [tenant]
    assert (now.runs, now.workers, now.recent_notifications, now.unread) == ((), (), (), 0)
    assert (now.detail, now.inbox) == (None, None)
    assert set(now.counts.values()) == {Count(0)}


def test_the_list_leaves_the_context_out_and_the_detail_does_not(db: Database, tenant: Tenant, user: User) -> None:
    run = end_run(db, open_run(db, tenant, user))
    again = open_run(db, tenant, user, retry_of_id=run.id)
    now = take(db, Request(user.id, run_id=run.id))
    assert [found.context for found in now.runs] == [None, None]
    assert now.detail
    assert now.detail.run == run
    assert [found.id for found in now.detail.attempts] == [run.id, again.id]


def test_the_detail_holds_the_log(db: Database, tenant: Tenant, user: User, worker_id: int) -> None:
    run = start_run(db, tenant, user, worker_id)
    log = (NewLogLine("info", "one", 2), NewLogLine("error", "two", 1))
    lifecycle.finish(db, run.id, worker_id, Result(Outcome.FAILED, log=log))
    now = take(db, Request(user.id, run_id=run.id))
    assert now.detail
    assert [(line.level, line.message) for line in now.detail.events] == [("info", "one"), ("error", "two")]


def test_tabs_and_counts(db: Database, tenant: Tenant, user: User) -> None:
    partial = Result(Outcome.PARTIALLY_SUCCEEDED, Counts(2, 1, 1))
    done = {tab: end_run(db, open_run(db, tenant), result).id for tab, result in
            (("Failed", FAILED), ("Partial", partial), ("Succeeded", Result(Outcome.SUCCEEDED)))}  # fmt: skip
    active = {open_run(db, tenant).id, start_run(db, tenant).id}
    assert seen(db, user).counts == {
        "All": Count(5),
        "Active": Count(2),
        "Succeeded": Count(1),
        "Partial": Count(1),
        "Failed": Count(1),
    }
    assert {run.id for run in seen(db, user, tab="Active").runs} == active
    for tab, run_id in done.items():
        assert [run.id for run in seen(db, user, tab=tab).runs] == [run_id]


def test_a_tab_narrows_the_filter_and_never_widens_it(db: Database, tenant: Tenant, user: User) -> None:
    end_run(db, open_run(db, tenant), FAILED)
    end_run(db, open_run(db, tenant))
    now = seen(db, user, "outcome:failed", "Succeeded")
    assert now.runs == ()
    assert [now.counts[tab] for tab in ("Succeeded", "Failed", "All")] == [Count(0), Count(1), Count(1)]
    assert len(seen(db, user, "outcome:failed outcome:succeeded", "Failed").runs) == 1


def test_the_newest_come_first_and_no_more_than_asked_for(db: Database, tenant: Tenant, user: User) -> None:
    opened = [open_run(db, tenant).id for _ in range(5)]
    assert [run.id for run in take(db, Request(user.id, limit=3)).runs] == opened[:1:-1]


def test_a_time_span_reaches_as_far_back_as_can_be(db: Database, tenant: Tenant, user: User) -> None:
    open_run(db, tenant)
    assert len(seen(db, user, "since:999999w").runs) == 1
    assert seen(db, user, "since:0s").runs == ()


def test_a_tenant_that_is_gone_is_an_empty_list(db: Database, tenant: Tenant, user: User) -> None:
    """Somebody is taken out of a tenant while they look at it."""
    run = open_run(db, tenant, user)
    request = Request(user.id, parse(["tenant:contoso"]), run_id=run.id)
    assert take(db, request).detail
    with db.write() as connection:
        connection.execute(sa.delete(memberships))
    now = take(db, request)
    assert (now.memberships, now.runs, now.detail) == ((), (), None)
    assert set(now.counts.values()) == {Count(0)}


def test_notifications_are_the_users_newest(db: Database, tenant: Tenant, user: User) -> None:
    for _ in range(RECENT // 2 + 2):
        end_run(db, open_run(db, tenant, user))
    now = take(db, Request(user.id, inbox=True))
    assert len(now.recent_notifications) == RECENT
    assert now.inbox
    assert now.inbox[:RECENT] == now.recent_notifications
    assert (len(now.inbox), now.unread) == (RECENT + 4, RECENT + 4)


def test_workers_are_those_that_beat(db: Database, user: User) -> None:
    living, silent = make_worker(db), make_worker(db)
    make_older(db, workers_table, silent, "beat_at", 60)
    assert [worker.id for worker in seen(db, user).workers] == [living]
    assert [worker.id for worker in take(db, Request(user.id, lost_after=90)).workers] == [living, silent]
    heartbeats.deregister(db, living)
    assert seen(db, user).workers == ()


def test_everything_is_of_one_instant(db: Database, tenant: Tenant, user: User, worker_id: int) -> None:
    """While runs come and go, what stands in several places of a snapshot agrees."""
    over = threading.Event()

    def go_on() -> None:
        in_hand: deque[Run] = deque()
        while not over.is_set():
            run = lifecycle.claim(db, open_run(db, tenant, user).id, worker_id)
            assert run
            in_hand.append(run)
            if len(in_hand) > 3:
                end_run(db, in_hand.popleft())

    writer = threading.Thread(target=go_on)
    writer.start()
    try:
        sizes = set()
        for _ in range(40):
            now = take(db, Request(user.id, limit=999))
            active = [run for run in now.runs if run.outcome is Outcome.PENDING]
            assert now.counts["All"] == Count(len(now.runs))
            assert now.counts["Active"] == Count(len(active))
            assert now.workers[0].running == sum(run.worker_id == worker_id for run in active)
            newest = {note.run_id for note in now.recent_notifications if note.kind == "completed"}
            assert newest <= {run.id for run in now.runs if run.outcome is not Outcome.PENDING}
            sizes.add(len(now.runs))
    finally:
        over.set()
        writer.join(HANG)
    assert len(sizes) > 3, "nothing happened meanwhile"


@pytest.mark.parametrize("role", Role)
def test_every_role_sees_the_monitor(db: Database, tenant: Tenant, role: Role) -> None:
    run: Run = open_run(db, tenant)
    member = admin.add_user(db, "bob")
    admin.grant(db, "bob", make_tenant(db, "fabrikam").slug, role)
    assert seen(db, member).runs == ()
    admin.grant(db, "bob", "contoso", role)
    assert [found.id for found in seen(db, member).runs] == [run.id]
