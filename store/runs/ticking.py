"""Lets the schedules of backups fire: finds the minutes that are due, and opens a run for the newest.

Any number of processes may do this at once. Whoever moves a schedule's `ticked_to` forward writes the rows of its minutes and
opens its run, in that one transaction: a process that is killed leaves either everything or nothing, and another one does it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from store.db.engine import Database
from store.errors import InputInvalid
from store.intune import cron
from store.intune.schedule_records import What
from store.model.records import Outcome, Run, Status
from store.model.tables import backup_schedules, operation_runs, schedule_ticks
from store.model.types import at_most, utcnow
from store.people.access import SYSTEM
from store.runs import lifecycle
from store.runs.identity import identity_hash

#: The operation that a schedule starts; its one parameter, and its identity, is the schedule's id.
TYPE: Final = "backup_schedule.run_now"
PARAMETER: Final = "schedule"
LABEL: Final = "Run backup schedule"
#: A run is opened for the newest minute that is due, unless it is so late. What is older is missed, and not made up for.
GRACE: Final = dt.timedelta(seconds=90)
#: A schedule that was looked at by a minute so far ahead was so by a clock that was wrong, and has been set back since.
AHEAD: Final = dt.timedelta(minutes=10)
#: How many missed minutes are counted, and how long the history of a schedule is kept.
MOST_MISSED: Final = 1000
KEPT: Final = dt.timedelta(days=400)
#: Runs of all schedules among which the last one of a schedule is looked for.
_LOOKED_AT: Final = 2_000

_schedule = backup_schedules.c
_tick = schedule_ticks.c


@dataclass(frozen=True, slots=True)
class Ticked:
    """What one pass wrote about a minute of a schedule."""

    schedule_id: int
    minute: dt.datetime
    what: What
    #: The run that it opened, whose message the caller queues, or met.
    run: Run | None = None
    detail: str | None = None


def tick(db: Database, at: dt.datetime | None = None) -> tuple[Ticked, ...]:
    """Make one pass over the enabled schedules of all tenants, as of `at` (default: the database's now).

    The caller queues the messages of the runs that were opened. A rescuer does it for one who could not. Raises DatabaseAway.
    """
    now, waiting = _waiting(db, at)
    return tuple(done for one in waiting for done in _tick_one(db, one, now))


def last_failure(db: Database, tenant_id: int, schedule_id: int, types: Collection[str], before: int) -> int | None:
    """The id of the schedule's last run of these types, of those that are older than the run `before`, if it failed wholly or
    in part; None if it did not, or if there is none.
    """
    run = operation_runs.c
    query = (
        sa.select(run.id, run.outcome, run.context)
        .where(run.tenant_id == tenant_id, run.type.in_(types), run.status == Status.COMPLETED, run.id < before)
        .order_by(run.id.desc())
        .limit(at_most(_LOOKED_AT))
    )
    with db.read_one() as connection:
        for row in connection.execute(query):
            parameters = row.context.get("parameters") if isinstance(row.context, dict) else None
            if isinstance(parameters, dict) and parameters.get(PARAMETER) == schedule_id:
                return row.id if row.outcome in (Outcome.FAILED, Outcome.PARTIALLY_SUCCEEDED) else None
    return None


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A schedule of which nobody has looked at this minute yet, as it was read."""

    id: int
    tenant_id: int
    cron: str
    zone: str
    ticked_to: dt.datetime


@dataclass(frozen=True, slots=True)
class _Due:
    """What is due."""

    #: Minutes that nobody was there for: the first, and how many there are.
    missed: dt.datetime | None = None
    count: int = 0
    #: The minute to open a run for.
    current: dt.datetime | None = None
    #: Why the schedule cannot be read here.
    problem: str | None = None


def _waiting(db: Database, at: dt.datetime | None) -> tuple[dt.datetime, list[_Waiting]]:
    with db.read() as connection:
        now: dt.datetime = at or connection.execute(sa.select(utcnow())).scalar_one()
        columns = [_schedule[name] for name in _Waiting.__dataclass_fields__]
        is_behind, is_ahead = _schedule.ticked_to < _minute(now), _schedule.ticked_to > now + AHEAD
        query = sa.select(*columns).where(_schedule.enabled, sa.or_(is_behind, is_ahead)).order_by(_schedule.id)
        return now, [_Waiting(**row) for row in connection.execute(query).mappings()]


def _minute(instant: dt.datetime) -> dt.datetime:
    return instant.replace(second=0, microsecond=0)


def _due(one: _Waiting, now: dt.datetime) -> _Due:
    recent = max(one.ticked_to, now - GRACE)
    try:
        missed = list(islice(cron.due(one.cron, one.zone, one.ticked_to, recent), MOST_MISSED))
        fresh = list(cron.due(one.cron, one.zone, recent, now))
    except InputInvalid as error:
        return _Due(problem=str(error))
    missed = (missed + fresh[:-1])[:MOST_MISSED]
    return _Due(missed[0] if missed else None, len(missed), fresh[-1] if fresh else None)


def _tick_one(db: Database, one: _Waiting, now: dt.datetime) -> list[Ticked]:
    due = _due(one, now)
    with db.write() as connection:
        if not _claim(connection, one, _minute(now)):
            return []
        if one.ticked_to > now:
            return [_set_back(connection, one, now)]
        done = [_missed(connection, one, due), _fired(connection, one, due), _failed(connection, one, due, now)]
        written = [tick for tick in done if tick]
        if written:
            _forget(connection, one.id, now)
    return written


def _claim(connection: sa.Connection, one: _Waiting, to: dt.datetime) -> bool:
    """Move the schedule forward. False if another process has, or somebody has changed it since it was read."""
    change = sa.update(backup_schedules).where(
        _schedule.id == one.id,
        _schedule.enabled,
        _schedule.ticked_to == one.ticked_to,
        _schedule.cron == one.cron,
        _schedule.zone == one.zone,
    )
    return connection.execute(change.values(ticked_to=to)).rowcount == 1


def _set_back(connection: sa.Connection, one: _Waiting, now: dt.datetime) -> Ticked:
    """Record that the schedule counts from now again: else it would not fire until the clock is where it was. What the wrong
    clock called missed is yet to come, and must find its minutes free; a minute that had its run keeps it.
    """
    not_run = _tick.what.in_([What.MISSED.value, What.FAILED.value])
    early = sa.delete(schedule_ticks).where(_tick.schedule_id == one.id, _tick.minute > now, not_run)
    connection.execute(early)
    detail = f"the clock was set back from {one.ticked_to:%Y-%m-%d %H:%M} UTC, times before now may be missed"
    _record(connection, one.id, _minute(now), What.MISSED, detail)
    return Ticked(one.id, _minute(now), What.MISSED, detail=detail)


def _missed(connection: sa.Connection, one: _Waiting, due: _Due) -> Ticked | None:
    if due.missed is None:
        return None
    count = f"at least {due.count}" if due.count >= MOST_MISSED else str(due.count)
    detail = f"{count} time{'s' if due.count > 1 else ''} missed, workers were away"
    if _record(connection, one.id, due.missed, What.MISSED, detail) is None:
        return None
    return Ticked(one.id, due.missed, What.MISSED, detail=detail)


def _fired(connection: sa.Connection, one: _Waiting, due: _Due) -> Ticked | None:
    if due.current is None:
        return None
    tick_id = _record(connection, one.id, due.current, What.OPENED)
    if tick_id is None:  # before somebody set the schedule back, by hand
        return None
    run, opened = lifecycle.create_or_attach_within(connection, _new_run(one))
    what = What.OPENED if opened else What.JOINED
    pointed = sa.update(schedule_ticks).where(_tick.id == tick_id).values(run_id=run.id, what=what.value)
    connection.execute(pointed)
    return Ticked(one.id, due.current, what, run)


def _failed(connection: sa.Connection, one: _Waiting, due: _Due, now: dt.datetime) -> Ticked | None:
    """Record, once, that the schedule cannot be read: nobody knows when it is due, so every minute would say it again."""
    if due.problem is None:
        return None
    newest = sa.select(_tick.what, _tick.detail).where(_tick.schedule_id == one.id).order_by(_tick.minute.desc())
    said = connection.execute(newest.limit(1)).first()
    if said is not None and (said.what, said.detail) == (What.FAILED.value, due.problem):
        return None
    if _record(connection, one.id, _minute(now), What.FAILED, due.problem) is None:
        return None
    return Ticked(one.id, _minute(now), What.FAILED, detail=due.problem)


def _record(
    connection: sa.Connection, schedule_id: int, minute: dt.datetime, what: What, detail: str | None = None
) -> int | None:
    """Write the row of a minute and return its id; None if the minute has one."""
    values: dict[str, Any] = {"schedule_id": schedule_id, "minute": minute, "what": what.value, "detail": detail}
    new = postgresql.insert(schedule_ticks).values(values).on_conflict_do_nothing().returning(_tick.id)
    return connection.execute(new).scalar()


def _forget(connection: sa.Connection, schedule_id: int, now: dt.datetime) -> None:
    old = sa.delete(schedule_ticks).where(_tick.schedule_id == schedule_id, _tick.minute < now - KEPT)
    connection.execute(old)


def _new_run(one: _Waiting) -> lifecycle.NewRun:
    parameters = {PARAMETER: one.id}
    return lifecycle.NewRun(
        tenant_id=one.tenant_id,
        user_id=None,
        initiator_name=SYSTEM,
        type=TYPE,
        label=LABEL,
        run_identity_hash=identity_hash(one.tenant_id, TYPE, parameters),
        context={"parameters": parameters},
    )
