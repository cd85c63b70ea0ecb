"""The past of a schedule: a tick for each of its runs, and for a minute that was missed."""

from __future__ import annotations

import datetime as dt

from store.db.engine import Database
from store.intune import schedules
from store.intune.schedule_records import ScheduleSettings, What
from store.model.records import Outcome
from store.people import admin
from store.people.access import Role
from store.runs import ticking
from store.runs.seeding import SeedRun, seed_runs
from store.runs.seeding_schedules import seed_ticks

HOUR = 3600.0


def test_each_run_of_the_schedule_is_a_tick(db: Database) -> None:
    tenant, user = admin.add_tenant(db, "contoso"), admin.add_user(db, "alice")
    admin.grant(db, "alice", "contoso", Role.MANAGER)
    mine, other = (schedules.add(db, user, "contoso", ScheduleSettings(name, "0 1 * * *", "UTC")) for name in "ab")
    seed_runs(db, [seeded(tenant.id, mine.id, 9), seeded(tenant.id, other.id, 8), seeded(tenant.id, mine.id, 7)])
    assert seed_ticks(db, mine, 20 * HOUR, missed=8 * HOUR) == 3
    ticks = schedules.ticks(db, user, mine.id)
    assert [(tick.what, tick.run_id) for tick in ticks] == [(What.OPENED, 3), (What.MISSED, None), (What.OPENED, 1)]
    assert all(tick.minute.second == 0 for tick in ticks)
    found = schedules.get(db, user, mine.id)
    assert mine.created_at - found.created_at > dt.timedelta(hours=19)
    assert schedules.ticks(db, user, other.id) == ()


def test_one_without_runs_has_no_ticks(db: Database) -> None:
    admin.add_tenant(db, "contoso")
    user = admin.add_user(db, "alice")
    admin.grant(db, "alice", "contoso", Role.MANAGER)
    added = schedules.add(db, user, "contoso", ScheduleSettings("a", "0 1 * * *", "UTC"))
    assert seed_ticks(db, added, HOUR) == 0
    assert schedules.ticks(db, user, added.id) == ()


def seeded(tenant_id: int, schedule_id: int, hours: int) -> SeedRun:
    parameters = {"parameters": {ticking.PARAMETER: schedule_id}}
    return SeedRun(tenant_id, ticking.TYPE, Outcome.SUCCEEDED, hours * HOUR, context=parameters)
