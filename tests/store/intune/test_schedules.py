"""Schedules of backups: who may change them, and that each of their minutes comes true once, whoever is killed meanwhile."""

from __future__ import annotations

import datetime as dt
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from store.db.engine import Database
from store.errors import Forbidden, InputInvalid, NotFound
from store.intune import schedule_records, schedules
from store.intune.schedule_records import Schedule, ScheduleSettings, Tick, What
from store.model.records import Run, Status, Tenant, User
from store.model.tables import audit_events, backup_schedules, operation_runs, schedule_ticks
from store.people.access import Role
from store.runs import lifecycle, ticking
from store.runs.identity import identity_hash
from tests.support import ticking as processes
from tests.support.forked import Forked
from tests.support.people import end_run, make_tenant, make_user
from tests.support.waiting import wait_for

MINUTE = dt.timedelta(minutes=1)
#: Long after the database's now, at which schedules are added.
BEGIN = dt.datetime(2040, 5, 1, 12, 0, tzinfo=dt.UTC)
NIGHTLY = ScheduleSettings("nightly", "30 2 * * *", "Europe/Berlin")
EVERY_MINUTE = replace(NIGHTLY, cron="* * * * *")


@pytest.fixture
def manager(db: Database, tenant: Tenant) -> User:
    return make_user(db, "mary", **{tenant.slug: Role.MANAGER})


Add = Callable[..., Schedule]


@pytest.fixture
def add(db: Database, tenant: Tenant, manager: User) -> Add:
    """A schedule that was looked at up to BEGIN."""

    def make(settings: ScheduleSettings = EVERY_MINUTE, ticked_to: dt.datetime = BEGIN) -> Schedule:
        new = schedules.add(db, manager, tenant.slug, settings)
        change(db, new, ticked_to=ticked_to)
        return schedules.get(db, manager, new.id)

    return make


def change(db: Database, schedule: Schedule, **values: Any) -> None:
    """By hand."""
    with db.write() as connection:
        connection.execute(sa.update(backup_schedules).where(backup_schedules.c.id == schedule.id).values(values))


def history(db: Database, manager: User, schedule: Schedule) -> list[tuple[What, int | None]]:
    """What became of its minutes, and the run, oldest first."""
    return [(tick.what, tick.run_id) for tick in reversed(schedules.ticks(db, manager, schedule.id))]


def runs(db: Database) -> list[Run]:
    with db.read() as connection:
        ids = connection.execute(sa.select(operation_runs.c.id).order_by(operation_runs.c.id)).scalars().all()
    found = [lifecycle.get(db, run_id) for run_id in ids]
    return [run for run in found if run]


def audited(db: Database) -> list[tuple[str, str, Any]]:
    query = sa.select(audit_events.c.action, audit_events.c.subject, audit_events.c.detail, audit_events.c.login)
    query = query.where(audit_events.c.action.startswith("backup_schedule.")).order_by(audit_events.c.id)
    with db.read() as connection:
        rows = connection.execute(query).all()
    assert {row.login for row in rows} <= {"mary"}
    return [(row.action, row.subject, row.detail) for row in rows]


# ---- changing and looking


def test_what_is_added_is_read_back_changed_and_removed(db: Database, tenant: Tenant, manager: User) -> None:
    settings = replace(NIGHTLY, kinds=("scripts", "filters"), keep=7)
    new = schedules.add(db, manager, tenant.slug, settings)
    assert (new.settings, new.tenant, new.created_by_name) == (settings, tenant.slug, manager.name)
    assert (new.ticked_to.second, new.ticked_to.microsecond) == (0, 0)
    assert dt.timedelta(0) <= new.created_at - new.ticked_to < MINUTE
    assert schedules.get(db, manager, new.id) == schedules.read(db, new.id) == new
    other = schedules.add(db, manager, tenant.slug, replace(NIGHTLY, name="all", enabled=False))
    assert schedules.schedules_of(db, manager, tenant.slug) == (other, new)

    changed = schedules.edit(db, manager, new.id, {"keep": None, "name": "weekly"})
    assert changed.settings == replace(settings, keep=None, name="weekly")
    assert changed.changed_at > new.changed_at
    assert schedules.edit(db, manager, new.id, {"name": "weekly"}) == changed

    assert schedules.remove(db, manager, new.id) == changed
    assert schedules.schedules_of(db, manager, tenant.slug) == (other,)
    assert schedules.read(db, new.id) is None
    after = schedules.add(db, manager, tenant.slug, settings)
    assert after.id > other.id  # runs of the one that was removed name its id

    added = {
        "name": "nightly", "cron": "30 2 * * *", "zone": "Europe/Berlin", "kinds": ["scripts", "filters"], "keep": 7,
        "enabled": True,
    }  # fmt: skip
    assert audited(db) == [
        ("backup_schedule.added", "nightly", added),
        ("backup_schedule.added", "all", added | {"name": "all", "kinds": None, "keep": None, "enabled": False}),
        (
            "backup_schedule.changed",
            "nightly",
            {"name": {"before": "nightly", "after": "weekly"}, "keep": {"before": 7, "after": None}},
        ),
        ("backup_schedule.removed", "weekly", added | {"name": "weekly", "keep": None}),
        ("backup_schedule.added", "nightly", added),
    ]


def test_managers_change_members_look_and_for_others_there_is_nothing(db: Database, tenant: Tenant, add: Add) -> None:
    schedule = add()
    operator, reader = (make_user(db, contoso=role) for role in (Role.OPERATOR, Role.READONLY))
    stranger = make_user(db, **{make_tenant(db, "fabrikam").slug: Role.OWNER})
    changes: list[Callable[[User], object]] = [
        lambda user: schedules.add(db, user, "contoso", NIGHTLY),
        lambda user: schedules.edit(db, user, schedule.id, {"keep": 1}),
        lambda user: schedules.remove(db, user, schedule.id),
    ]
    looks: list[Callable[[User], object]] = [
        lambda user: schedules.get(db, user, schedule.id),
        lambda user: schedules.schedules_of(db, user, "contoso"),
        lambda user: schedules.ticks(db, user, schedule.id),
    ]
    for each in changes:
        for member in (operator, reader):
            with pytest.raises(Forbidden, match="of contoso you may not change its schedules"):
                each(member)
    for each in looks:
        each(reader)
    for each in [*changes, *looks]:
        with pytest.raises(NotFound) as caught:
            each(stranger)
        assert caught.value.message in ("no tenant 'contoso'", f"no schedule {schedule.id}")
    assert schedules.read(db, schedule.id) == schedule
    assert len(audited(db)) == 1


def test_a_name_is_taken_once_in_a_tenant(db: Database, tenant: Tenant, manager: User) -> None:
    schedules.add(db, manager, tenant.slug, NIGHTLY)
    other = schedules.add(db, manager, tenant.slug, replace(NIGHTLY, name="other"))
    attempts: list[Callable[[], object]] = [
        lambda: schedules.add(db, manager, tenant.slug, NIGHTLY),
        lambda: schedules.edit(db, manager, other.id, {"name": "nightly"}),
    ]
    for again in attempts:
        with pytest.raises(InputInvalid, match="contoso has a schedule 'nightly' already: choose another name"):
            again()
    elsewhere = make_tenant(db, "fabrikam")
    owner = make_user(db, fabrikam=Role.OWNER)
    assert schedules.add(db, owner, elsewhere.slug, NIGHTLY).settings == NIGHTLY
    assert len(audited_names(db)) == 3


def audited_names(db: Database) -> list[str]:
    with db.read() as connection:
        query = sa.select(audit_events.c.subject).where(audit_events.c.action == "backup_schedule.added")
        return list(connection.execute(query).scalars())


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "\x1b[31m"}, "name"),
        ({"cron": "0 25 * * *"}, "cron's hour"),
        ({"cron": "0 0 30 2 *"}, "cron never fires"),
        ({"zone": "Berlin"}, "zone 'Berlin'"),
        ({"keep": 0}, "keep cannot be 0"),
        ({"keep": 10_001}, "keep cannot be 10001"),
        ({"kinds": ()}, "kinds cannot be 0"),
        ({"kinds": ("a", "a")}, "twice"),
        ({"kinds": ("a\0",)}, "kinds cannot hold 'a'"),
        ({"kinds": tuple(f"kind{number}" for number in range(201))}, "kinds cannot be 201"),
    ],
)
def test_what_cannot_be_used_is_refused(
    db: Database, tenant: Tenant, manager: User, add: Add, changed: dict[str, Any], told: str
) -> None:
    schedule = add(NIGHTLY)
    attempts: list[Callable[[], object]] = [
        lambda: schedules.add(db, manager, tenant.slug, replace(NIGHTLY, **{"name": "new"} | changed)),
        lambda: schedules.edit(db, manager, schedule.id, changed),
    ]
    for attempt in attempts:
        with pytest.raises(InputInvalid, match=told) as caught:
            attempt()
        assert str(caught.value).isprintable()
    assert schedules.schedules_of(db, manager, tenant.slug) == (schedule,)


def test_a_tenant_has_only_so_many(
    db: Database, tenant: Tenant, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedules, "MAX_SCHEDULES", 1)
    schedules.add(db, manager, tenant.slug, NIGHTLY)
    with pytest.raises(InputInvalid, match="contoso has 1 schedules already: remove one first"):
        schedules.add(db, manager, tenant.slug, replace(NIGHTLY, name="other"))


def test_kinds_that_cannot_be_read_are_all() -> None:
    assert schedule_records.kinds_from({"no": "list"}) is None
    assert schedule_records.kinds_from([1, "scripts", None]) == ("scripts",)
    assert schedule_records.kinds_from([1]) is None


# ---- firing


def test_a_minute_opens_a_run_and_the_next_one_joins_it(db: Database, manager: User, tenant: Tenant, add: Add) -> None:
    schedule = add()
    assert ticking.tick(db, BEGIN + MINUTE - dt.timedelta(milliseconds=1)) == ()
    (first,) = ticking.tick(db, BEGIN + MINUTE)
    assert first.run
    assert (first.minute, first.what) == (BEGIN + MINUTE, What.OPENED)
    assert ticking.tick(db, BEGIN + MINUTE) == ticking.tick(db, BEGIN + 1.9 * MINUTE) == ()
    (second,) = ticking.tick(db, BEGIN + 2.5 * MINUTE)
    assert (second.minute, second.what, second.run) == (BEGIN + 2 * MINUTE, What.JOINED, first.run)
    end_run(db, first.run)
    (third,) = ticking.tick(db, BEGIN + 3 * MINUTE)
    assert third.run
    assert history(db, manager, schedule) == [
        (What.OPENED, first.run.id),
        (What.JOINED, first.run.id),
        (What.OPENED, third.run.id),
    ]
    run = third.run
    assert (run.type, run.tenant, run.user_id, run.initiator_name) == (
        "backup_schedule.run_now", tenant.slug, None, "System",
    )  # fmt: skip
    assert (run.status, run.dispatched_at, run.parameters) == (Status.QUEUED, None, {"schedule": schedule.id})
    # The same as a person's start of that schedule would get.
    assert run.run_identity_hash == identity_hash(tenant.id, run.type, {"schedule": schedule.id})


def test_the_databases_now_counts_if_none_is_given(db: Database, manager: User, add: Add) -> None:
    schedule = add()
    change(db, schedule, enabled=False)
    assert ticking.tick(db) == ()
    change(db, schedule, enabled=True)
    now = schedules.add(db, manager, "contoso", replace(NIGHTLY, name="now")).ticked_to
    change(db, schedule, ticked_to=now - MINUTE)
    assert ticking.tick(db)[0].what is What.OPENED


def test_what_was_missed_is_one_row_and_is_not_made_up_for(db: Database, manager: User, add: Add) -> None:
    schedule = add()
    ticking.tick(db, BEGIN + 13 * MINUTE)
    ticks = schedules.ticks(db, manager, schedule.id)
    assert told(ticks) == [
        (BEGIN + 13 * MINUTE, What.OPENED, None),
        (BEGIN + MINUTE, What.MISSED, "12 times missed, workers were away"),
    ]
    assert len(runs(db)) == 1
    assert schedules.get(db, manager, schedule.id).ticked_to == BEGIN + 13 * MINUTE


def told(ticks: tuple[Tick, ...]) -> list[tuple[dt.datetime, What, str | None]]:
    return [(tick.minute, tick.what, tick.detail) for tick in ticks]


@pytest.mark.parametrize(("seconds", "what"), [(0, What.OPENED), (89, What.OPENED), (90, What.MISSED)])
def test_a_minute_is_made_up_for_within_the_grace_time(
    db: Database, manager: User, add: Add, seconds: int, what: What
) -> None:
    schedule = add(replace(NIGHTLY, cron="5 12 * * *", zone="UTC"))
    (ticked,) = ticking.tick(db, BEGIN + 5 * MINUTE + dt.timedelta(seconds=seconds))
    assert (ticked.what, ticked.minute) == (what, BEGIN + 5 * MINUTE)
    detail = "1 time missed, workers were away" if what is What.MISSED else None
    assert told(schedules.ticks(db, manager, schedule.id)) == [(BEGIN + 5 * MINUTE, what, detail)]


def test_years_away_are_counted_up_to_a_bound(db: Database, add: Add) -> None:
    add(ticked_to=BEGIN - dt.timedelta(days=5 * 365))
    missed, opened = ticking.tick(db, BEGIN)
    assert missed.detail == "at least 1000 times missed, workers were away"
    assert (opened.what, opened.minute) == (What.OPENED, BEGIN)


def test_a_skipped_hour_in_spring_runs_right_after_it_and_is_not_missed(db: Database, add: Add) -> None:
    gap = dt.datetime(2041, 3, 31, 1, 0, tzinfo=dt.UTC)  # 02:00 in Berlin, which becomes 03:00
    add(NIGHTLY, ticked_to=gap - MINUTE)
    (ticked,) = ticking.tick(db, gap)
    assert (ticked.what, ticked.minute) == (What.OPENED, gap)
    assert ticking.tick(db, gap + 59 * MINUTE) == ()


def test_what_is_not_enabled_waits_and_counts_from_when_it_is(db: Database, manager: User, add: Add) -> None:
    schedule = add()
    change(db, schedule, ticked_to=BEGIN - dt.timedelta(days=10_000), enabled=False)
    assert ticking.tick(db, BEGIN) == ()
    enabled = schedules.edit(db, manager, schedule.id, {"enabled": True})
    assert dt.timedelta(0) <= enabled.changed_at - enabled.ticked_to < MINUTE
    change(db, schedule, ticked_to=BEGIN)
    other = schedules.edit(db, manager, schedule.id, {"keep": 3})
    assert other.ticked_to == BEGIN
    for what in ({"cron": "*/2 * * * *"}, {"zone": "UTC"}):
        change(db, schedule, ticked_to=BEGIN)
        assert schedules.edit(db, manager, schedule.id, what).ticked_to < BEGIN


def test_one_that_was_changed_after_it_was_read_does_not_fire(
    db: Database, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = add()
    for changed in ({"cron": "0 0 1 1 *"}, {"zone": "UTC"}, {"enabled": False}, {"ticked_to": BEGIN + 5 * MINUTE}):
        due = ticking._due

        def meanwhile(*arguments: Any, due: Any = due, changed: dict[str, Any] = changed) -> Any:
            change(db, schedule, **changed)
            return due(*arguments)

        with monkeypatch.context() as patched:
            patched.setattr(ticking, "_due", meanwhile)
            assert ticking.tick(db, BEGIN + MINUTE) == ()
        change(db, schedule, cron="* * * * *", zone="Europe/Berlin", enabled=True, ticked_to=BEGIN)
    assert len(ticking.tick(db, BEGIN + MINUTE)) == 1


def test_a_minute_fires_once_even_if_somebody_sets_the_schedule_back(db: Database, manager: User, add: Add) -> None:
    schedule = add()
    (ticked,) = ticking.tick(db, BEGIN + MINUTE)
    assert ticked.run
    end_run(db, ticked.run)
    change(db, schedule, ticked_to=BEGIN)
    assert ticking.tick(db, BEGIN + MINUTE) == ()
    assert history(db, manager, schedule) == [(What.OPENED, ticked.run.id)]


def test_a_clock_that_was_wrong_for_a_while_silences_no_schedule(db: Database, manager: User, add: Add) -> None:
    """It was days ahead, once, and has been set back: nobody would have backed up until those days were over."""
    schedule, daily = add(), add(replace(NIGHTLY, name="daily", cron="0 13 * * *", zone="UTC"))
    before = ticking.tick(db, BEGIN + dt.timedelta(days=3))
    end_all(db)
    assert len(before) == 3  # the minute, and what both seem to have missed
    ticked = ticking.tick(db, BEGIN + 5 * MINUTE)
    assert [(one.schedule_id, one.what) for one in ticked] == [(schedule.id, What.MISSED), (daily.id, What.MISSED)]
    assert ticked[0].detail == "the clock was set back from 2040-05-04 12:00 UTC, times before now may be missed"
    (minutely,) = ticking.tick(db, BEGIN + 6 * MINUTE)
    assert (minutely.what, minutely.minute) == (What.OPENED, BEGIN + 6 * MINUTE)
    end_all(db)
    hourly = [one for one in ticking.tick(db, BEGIN + 60 * MINUTE) if one.schedule_id == daily.id]
    assert [one.what for one in hourly] == [What.OPENED], "the wrong clock had called this minute missed"
    end_all(db)
    change(db, schedule, ticked_to=BEGIN + dt.timedelta(days=3) - MINUTE)
    assert schedule.id not in {one.schedule_id for one in ticking.tick(db, BEGIN + dt.timedelta(days=3))}, (
        "it had its run"
    )


def test_a_clock_that_goes_back_a_little_is_waited_for(db: Database, manager: User, add: Add) -> None:
    schedule = add(ticked_to=BEGIN + ticking.AHEAD)
    assert ticking.tick(db, BEGIN) == ()
    assert schedules.get(db, manager, schedule.id) == schedule


def end_all(db: Database) -> None:
    for run in runs(db):
        if run.status is not Status.COMPLETED:
            end_run(db, run)


def test_one_that_cannot_be_read_says_so_once_and_hinders_no_other(db: Database, manager: User, add: Add) -> None:
    odd, good = add(), add(replace(EVERY_MINUTE, name="good"))
    change(db, odd, zone="Mars/Olympus")
    for number in (1, 2, 3):
        ticked = ticking.tick(db, BEGIN + number * MINUTE)
        assert [one.schedule_id for one in ticked] == ([odd.id, good.id] if number == 1 else [good.id])
    (failed,) = schedules.ticks(db, manager, odd.id)
    assert (failed.what, failed.minute, failed.run_id) == (What.FAILED, BEGIN + MINUTE, None)
    assert failed.detail
    assert failed.detail.startswith("the zone 'Mars/Olympus' is unknown here")
    assert [what for what, _ in history(db, manager, good)] == [What.OPENED, What.JOINED, What.JOINED]


def test_history_is_kept_for_a_while_and_goes_with_its_schedule(db: Database, manager: User, add: Add) -> None:
    schedule = add(replace(EVERY_MINUTE, cron="0 12 * * *", zone="UTC"), ticked_to=BEGIN - MINUTE)
    for days in (0, 399, 401):
        ticking.tick(db, BEGIN + dt.timedelta(days=days))
    kept = [tick.minute for tick in schedules.ticks(db, manager, schedule.id)]
    assert kept[-1] == BEGIN + dt.timedelta(days=1)  # the first of those that were missed
    assert len(runs(db)) == 1
    schedules.remove(db, manager, schedule.id)
    with db.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(schedule_ticks)).scalar_one() == 0
    assert len(runs(db)) == 1


# ---- processes


class Crowd:
    """Processes that tick as of an instant that the test sets."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._folder = folder
        self.processes: list[Forked] = []

    def set_now(self, now: dt.datetime) -> None:
        processes.set_now(self._folder, now)

    def begin(self, main: str) -> Forked:
        path = f"tests.support.ticking:{main}"
        log = self._folder / f"log-{len(self.processes)}"
        new = Forked([self._url, str(self._folder)], os.environ, self._folder, log, main=path)
        self.processes.append(new)
        return new

    def has_ticked(self, process: Forked) -> bool:
        assert process.poll() is None, self.logs()
        return (self._folder / f"ticks-{process.pid}").exists()

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in self._folder.glob("log-*"))

    def end(self) -> list[int]:
        (self._folder / "over").touch()
        return [process.wait() for process in self.processes]


@pytest.fixture
def crowd(database_url: str, tmp_path: Path) -> Any:
    folder = tmp_path / "ticking"
    folder.mkdir()
    found = Crowd(database_url, folder)
    yield found
    for process in found.processes:
        process.kill()


@pytest.mark.kill
@pytest.mark.parametrize("main", ["die_before_the_run", "die_after_the_run"])
def test_one_that_is_killed_within_a_tick_leaves_nothing_and_another_one_does_it(
    db: Database, manager: User, add: Add, crowd: Crowd, main: str
) -> None:
    schedule = add()
    crowd.set_now(BEGIN + MINUTE)
    assert crowd.begin(main).wait() == -signal.SIGKILL, crowd.logs()
    assert (history(db, manager, schedule), runs(db)) == ([], [])
    assert schedules.get(db, manager, schedule.id) == schedule
    (ticked,) = ticking.tick(db, BEGIN + MINUTE)
    assert history(db, manager, schedule) == [(What.OPENED, runs(db)[0].id)]
    assert ticked.run == runs(db)[0]


@pytest.mark.kill
def test_each_minute_comes_true_once_whoever_is_killed(db: Database, manager: User, add: Add, crowd: Crowd) -> None:
    """Four processes tick over half an hour; two are killed while they do. Every third run stays active for a minute more."""
    schedule = add()
    crowd.set_now(BEGIN)
    ticking_ones = [crowd.begin("keep_ticking") for _ in range(4)]
    wait_for(lambda: all(map(crowd.has_ticked, ticking_ones)), "all four to tick", seen=crowd.logs)
    expected: list[tuple[What, int | None]] = []
    for number in range(1, 31):
        crowd.set_now(BEGIN + number * MINUTE)
        if number in (10, 20):
            ticking_ones.pop().kill()
        found = wait_for(partial(newest_of, db, manager, schedule, number), f"minute {number}", seen=crowd.logs)
        expected.append((What.JOINED if number % 3 == 1 and number > 1 else What.OPENED, found.run_id))
        if number % 3:
            end_run(db, runs(db)[-1])
    assert sorted(crowd.end()) == [-signal.SIGKILL, -signal.SIGKILL, 0, 0]

    ticks = schedules.ticks(db, manager, schedule.id, limit=1000)
    assert [tick.minute for tick in reversed(ticks)] == [BEGIN + number * MINUTE for number in range(1, 31)]
    assert history(db, manager, schedule) == expected
    opened = [run_id for what, run_id in expected if what is What.OPENED]
    assert [run.id for run in runs(db)] == opened  # none without its row, and each in one
    for (_, before), (what, run_id) in pairwise(expected):
        assert (run_id == before) == (what is What.JOINED)


def newest_of(db: Database, manager: User, schedule: Schedule, number: int) -> Tick | None:
    """The newest row, once there are so many."""
    found = schedules.ticks(db, manager, schedule.id)
    assert len(found) <= number
    return found[0] if len(found) == number else None
