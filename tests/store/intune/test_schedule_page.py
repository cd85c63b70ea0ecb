"""The schedules of a tenant as a screen shows them: next times, last minutes, history; and nothing of it for a stranger."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
import sqlalchemy as sa

from store import snapshot
from store.db.engine import Database
from store.errors import NotFound
from store.intune import schedule_page, schedules
from store.intune.schedule_page import Next, SchedulePage, SchedulesWanted
from store.intune.schedule_records import Schedule, ScheduleSettings, What
from store.model.records import Run, Status, Tenant, User
from store.model.tables import backup_schedules, schedule_ticks, workers
from store.people import access
from store.people.access import Role
from store.runs import ticking
from store.snapshot import Request, SnapshotCache
from tests.store.test_plans import sent_statements
from tests.support import people

BEGIN = dt.datetime(2040, 5, 1, 12, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
NIGHTLY = ScheduleSettings("nightly", "30 2 * * *", "Europe/Berlin")
EVERY_MINUTE = replace(NIGHTLY, name="often", cron="* * * * *")


@pytest.fixture
def manager(db: Database, tenant: Tenant) -> User:
    return people.make_user(db, "mary", **{tenant.slug: Role.MANAGER})


def taken(
    db: Database, user: User, tenant: Tenant, of: Schedule | None = None, cache: SnapshotCache | None = None
) -> SchedulePage:
    wanted = SchedulesWanted(tenant.slug, of.id if of else None)
    found = snapshot.take(db, Request(user.id, schedules=wanted), cache).schedules
    assert found
    return found


def looked_at_until(db: Database, schedule: Schedule, at: dt.datetime) -> None:
    change = sa.update(backup_schedules).where(backup_schedules.c.id == schedule.id).values(ticked_to=at)
    with db.write() as connection:
        connection.execute(change)


def test_nothing_yet(db: Database, tenant: Tenant, manager: User) -> None:
    assert taken(db, manager, tenant) == SchedulePage(tenant)


def test_schedules_come_by_name_with_their_next_times(db: Database, tenant: Tenant, manager: User) -> None:
    off = schedules.add(db, manager, tenant.slug, replace(NIGHTLY, name="a", enabled=False))
    new = schedules.add(db, manager, tenant.slug, replace(NIGHTLY, kinds=("scripts",), keep=3))
    first, second = taken(db, manager, tenant).schedules
    assert (first.schedule, first.next, first.last) == (off, None, None)
    assert (second.schedule, second.last) == (new, None)
    assert second.next
    assert second.next.at
    berlin = second.next.at.astimezone(dt.timezone(dt.timedelta(hours=1)))
    assert (berlin.hour, berlin.minute) in {(2, 30), (1, 30)}, "half past two in Berlin, in winter or in summer"


def test_a_schedule_that_cannot_be_read_here_says_why(db: Database, tenant: Tenant, manager: User) -> None:
    new = schedules.add(db, manager, tenant.slug, NIGHTLY)
    with db.write() as connection:
        connection.execute(sa.update(backup_schedules).values(zone="Nowhere/Else"))
    (listed,) = taken(db, manager, tenant).schedules
    assert listed.schedule.id == new.id
    assert listed.next
    assert "Nowhere/Else" in (listed.next.problem or "")


def test_the_newest_minute_and_the_history_come_with_their_runs(db: Database, tenant: Tenant, manager: User) -> None:
    new = schedules.add(db, manager, tenant.slug, EVERY_MINUTE)
    other = schedules.add(db, manager, tenant.slug, replace(EVERY_MINUTE, name="other", enabled=False))
    looked_at_until(db, new, BEGIN)
    (opened,) = ticking.tick(db, BEGIN + MINUTE)
    (joined,) = ticking.tick(db, BEGIN + 2 * MINUTE)
    assert opened.run
    people.end_run(db, opened.run, people.FAILED)
    found = taken(db, manager, tenant, new)
    assert [one.tick.what for one in found.ticks] == [What.JOINED, What.OPENED]
    assert found.schedules[0].last == found.ticks[0]
    assert found.schedules[1].last is None
    assert found.ticks[0].tick.minute == joined.minute
    assert [(one.run.id, one.run.status) for one in found.ticks if one.run] == [(opened.run.id, Status.COMPLETED)] * 2
    assert [run.id for run in found.runs] == [opened.run.id]
    assert taken(db, manager, tenant, other).ticks == taken(db, manager, tenant).ticks == ()


def test_a_run_that_was_removed_leaves_the_minute(db: Database, tenant: Tenant, manager: User) -> None:
    new = schedules.add(db, manager, tenant.slug, EVERY_MINUTE)
    with db.write() as connection:
        row = {"schedule_id": new.id, "minute": BEGIN, "what": "opened"}
        connection.execute(sa.insert(schedule_ticks).values(row))
    last = taken(db, manager, tenant).schedules[0].last
    assert last
    assert (last.tick.what, last.run) == (What.OPENED, None)


def test_no_more_is_listed_than_is_bearable(
    db: Database, tenant: Tenant, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = schedules.add(db, manager, tenant.slug, EVERY_MINUTE)
    rows = [{"schedule_id": new.id, "minute": BEGIN + n * MINUTE, "what": "missed"} for n in range(3)]
    with db.write() as connection:
        connection.execute(sa.insert(schedule_ticks), rows)
    monkeypatch.setattr(schedule_page, "LISTED", 2)
    found = taken(db, manager, tenant, new)
    assert ([one.tick.minute for one in found.ticks], found.has_more) == ([BEGIN + 2 * MINUTE, BEGIN + MINUTE], True)
    monkeypatch.setattr(schedule_page, "LISTED", 3)
    assert not taken(db, manager, tenant, new).has_more


def test_a_stranger_finds_nothing(db: Database, tenant: Tenant, manager: User) -> None:
    new = schedules.add(db, manager, tenant.slug, NIGHTLY)
    stranger = people.make_user(db, **{people.make_tenant(db, "other").slug: Role.OWNER})
    for wanted in (SchedulesWanted(tenant.slug), SchedulesWanted(tenant.slug, new.id)):
        assert snapshot.take(db, Request(stranger.id, schedules=wanted)).schedules is None
        of = access.memberships_of(db, stranger.id)
        with pytest.raises(NotFound), db.read() as connection:
            schedule_page.page(connection, of, wanted, BEGIN, {})
    there = snapshot.take(db, Request(stranger.id, schedules=SchedulesWanted("other", new.id))).schedules
    assert there
    assert (there.schedules, there.ticks) == ((), ()), "no history of another tenant's schedule"


def test_who_may_only_look_sees_all(db: Database, tenant: Tenant, manager: User) -> None:
    schedules.add(db, manager, tenant.slug, NIGHTLY)
    looking = people.make_user(db, **{tenant.slug: Role.READONLY})
    assert [one.schedule for one in taken(db, looking, tenant).schedules] == [
        one.schedule for one in taken(db, manager, tenant).schedules
    ]


def test_so_many_schedules_ask_for_so_few_statements(db: Database, tenant: Tenant, manager: User) -> None:
    new = schedules.add(db, manager, tenant.slug, EVERY_MINUTE)
    looked_at_until(db, new, BEGIN)
    for n in range(5):
        schedules.add(db, manager, tenant.slug, replace(NIGHTLY, name=f"n{n}"))
    assert ticking.tick(db, BEGIN + MINUTE)
    with sent_statements(db) as bare:
        snapshot.take(db, Request(manager.id))
    with sent_statements(db) as sent:
        taken(db, manager, tenant, new)
    assert len(sent) - len(bare) == 4, "schedules, newest minutes, history, runs"


def test_next_times_are_computed_again_only_when_they_have_passed(
    db: Database, tenant: Tenant, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedules.add(db, manager, tenant.slug, replace(NIGHTLY, cron="0 0 29 2 *"))
    computed: list[str] = []
    real = schedule_page.next_of

    def counted(text: str, zone: str, now: dt.datetime) -> Next:
        computed.append(text)
        return real(text, zone, now)

    monkeypatch.setattr(schedule_page, "next_of", counted)
    cache = SnapshotCache()
    assert taken(db, manager, tenant, cache=cache) == taken(db, manager, tenant, cache=cache)
    assert computed == ["0 0 29 2 *"]


def test_a_next_time_holds_until_it_comes_or_the_clock_is_set_back() -> None:
    one = schedule_page.next_of("* * * * *", "UTC", BEGIN)
    assert one == Next(BEGIN + MINUTE, None, BEGIN)
    assert one.holds(BEGIN + MINUTE / 2)
    assert not one.holds(BEGIN + MINUTE)
    assert not one.holds(BEGIN - MINUTE)


def test_silence_is_told_of_a_schedules_run_too(db: Database, tenant: Tenant, manager: User) -> None:
    new = schedules.add(db, manager, tenant.slug, EVERY_MINUTE)
    run: Run = people.start_run(db, tenant)
    with db.write() as connection:
        row = {"schedule_id": new.id, "minute": BEGIN, "what": "opened", "run_id": run.id}
        connection.execute(sa.insert(schedule_ticks).values(row))
        connection.execute(sa.update(workers).values(beat_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC)))
    request = Request(manager.id, limit=0, schedules=SchedulesWanted(tenant.slug))
    assert not snapshot.take(db, request.only_list()).silences, "the list does not show it"
    assert run.id in snapshot.take(db, request).silences
