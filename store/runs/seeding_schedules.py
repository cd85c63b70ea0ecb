"""Gives a schedule a past, for the demo and tests: it was added long ago, and its seeded runs are the minutes that it fired in."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from store.db.engine import Database
from store.intune.schedule_records import Schedule, What
from store.model.tables import backup_schedules, operation_runs, schedule_ticks
from store.model.types import utcnow
from store.runs import ticking

_run = operation_runs.c


def seed_ticks(db: Database, schedule: Schedule, age: float, missed: float | None = None) -> int:
    """Let the schedule have been added `age` seconds ago, and write a tick for each run of it that there is.

    `missed` is the age, in seconds, of a minute that no worker was there for. Returns the number of ticks. Raises DatabaseAway.
    """
    with db.write() as connection:
        now: dt.datetime = connection.execute(sa.select(utcnow())).scalar_one()
        added = now - dt.timedelta(seconds=age)
        change = sa.update(backup_schedules).where(backup_schedules.c.id == schedule.id)
        connection.execute(change.values(created_at=added, changed_at=added))
        ticks = [_tick(schedule.id, at, What.OPENED, run_id) for run_id, at in _runs(connection, schedule)]
        if missed is not None:
            at = now - dt.timedelta(seconds=missed)
            ticks.append(_tick(schedule.id, at, What.MISSED, None, "1 time missed, workers were away"))
        if ticks:
            connection.execute(sa.insert(schedule_ticks), ticks)
    return len(ticks)


def _runs(connection: sa.Connection, schedule: Schedule) -> list[tuple[int, dt.datetime]]:
    """The schedule's runs, with the instants of their creation."""
    query = sa.select(_run.id, _run.created_at, _run.context).where(
        _run.tenant_id == schedule.tenant_id, _run.type == ticking.TYPE
    )
    return [
        (row.id, row.created_at)
        for row in connection.execute(query)
        if row.context.get("parameters", {}).get(ticking.PARAMETER) == schedule.id
    ]


def _tick(
    schedule_id: int, at: dt.datetime, what: What, run_id: int | None, detail: str | None = None
) -> dict[str, object]:
    minute = at.replace(second=0, microsecond=0)
    return {
        "schedule_id": schedule_id,
        "minute": minute,
        "run_id": run_id,
        "what": what.value,
        "detail": detail,
        "created_at": at,
    }
