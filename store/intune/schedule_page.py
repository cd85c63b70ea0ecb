"""The schedules of a tenant as a screen shows them: when each fires next, what became of its last minute, and its history.

Only members of a tenant find anything of it: for others neither the tenant nor its schedules exist (NotFound).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from store.errors import InputInvalid, NotFound
from store.intune import cron
from store.intune.browse import tenant_of
from store.intune.schedule_records import Schedule, Tick, What
from store.intune.schedules import MAX_SCHEDULES, schedule_from_row, select_schedules
from store.model.records import Run, Tenant
from store.model.row_mapping import run_columns, runs_from
from store.model.tables import backup_schedules, operation_runs, schedule_ticks, tenants
from store.people.access import Membership

#: Minutes of a schedule's history that are listed.
LISTED: Final = 100

_schedule = backup_schedules.c
_tick = schedule_ticks.c
_run = operation_runs.c


@dataclass(frozen=True, slots=True)
class SchedulesWanted:
    """Asks for the schedules of the tenant with this slug, and for the history of the one with the id `ticks_of`."""

    tenant: str
    ticks_of: int | None = None


@dataclass(frozen=True, slots=True)
class Ticked:
    """What became of a minute, and the run that it opened or met; None if there is none, or if it was removed since."""

    tick: Tick
    run: Run | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """When a schedule fires next."""

    #: In UTC; None if it does not within 50 years, or cannot be read here.
    at: dt.datetime | None = None
    #: Why it cannot be read here, for people.
    problem: str | None = None
    #: The instant as of which this was computed.
    since: dt.datetime | None = None

    def holds(self, now: dt.datetime) -> bool:
        """Whether this is still so at `now`, which may lie before the instant of the computation: clocks are set back."""
        return self.since is not None and self.since <= now and (self.at is None or now < self.at)


@dataclass(frozen=True, slots=True)
class ListedSchedule:
    """A schedule with its next time (None while it is off) and the newest minute of its history (None: there is none)."""

    schedule: Schedule
    next: Next | None = None
    last: Ticked | None = None


@dataclass(frozen=True, slots=True)
class SchedulePage:
    """A tenant's schedules, ordered by name."""

    tenant: Tenant
    schedules: tuple[ListedSchedule, ...] = ()
    #: The history that is wanted, newest first; empty also if the tenant has no such schedule.
    ticks: tuple[Ticked, ...] = ()
    #: Whether there may be more of it.
    has_more: bool = False

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs on the page."""
        shown = [*(listed.last for listed in self.schedules), *self.ticks]
        return tuple({one.run.id: one.run for one in shown if one and one.run}.values())

    @property
    def next_times(self) -> dict[tuple[str, str], Next]:
        """The next times of the schedules that are on, by cron and zone."""
        found = ((listed.schedule.settings, listed.next) for listed in self.schedules)
        return {(settings.cron, settings.zone): one for settings, one in found if one}


def read(
    connection: sa.Connection,
    members: Sequence[Membership],
    wanted: SchedulesWanted | None,
    now: dt.datetime,
    known: Mapping[tuple[str, str], Next] | None = None,
) -> SchedulePage | None:
    """What is wanted; None if nothing is, or if there is no such tenant for a user with these memberships.

    `now` is the database's clock. `known` are the next times of an earlier page, which are taken over while they hold.
    """
    try:
        return page(connection, members, wanted, now, known or {}) if wanted else None
    except NotFound:
        return None


def page(
    connection: sa.Connection,
    members: Sequence[Membership],
    wanted: SchedulesWanted,
    now: dt.datetime,
    known: Mapping[tuple[str, str], Next],
) -> SchedulePage:
    """What is wanted. Raises NotFound for the tenant."""
    tenant = tenant_of(members, wanted.tenant)
    own = select_schedules().where(_schedule.tenant_id == tenant.id).order_by(_schedule.name, _schedule.id)
    found = [schedule_from_row(row) for row in connection.execute(own.limit(MAX_SCHEDULES)).mappings()]
    last = _last_ticks(connection, [schedule.id for schedule in found])
    is_here = wanted.ticks_of in {schedule.id for schedule in found}
    history = _history(connection, wanted.ticks_of) if is_here and wanted.ticks_of else []
    runs = _runs(connection, tenant, {tick.run_id for tick in [*last.values(), *history] if tick.run_id})
    return SchedulePage(
        tenant,
        tuple(
            ListedSchedule(one, _next(one, now, known), _ticked(last[one.id], runs) if one.id in last else None)
            for one in found
        ),
        tuple(_ticked(tick, runs) for tick in history[:LISTED]),
        has_more=len(history) > LISTED,
    )


def next_of(text: str, zone: str, now: dt.datetime) -> Next:
    """The next time after `now` of a cron expression in a zone."""
    try:
        found = cron.next_times(text, zone, now, 1)
    except InputInvalid as error:
        return Next(None, str(error), now)
    return Next(found[0] if found else None, None, now)


def _next(schedule: Schedule, now: dt.datetime, known: Mapping[tuple[str, str], Next]) -> Next | None:
    settings = schedule.settings
    if not settings.enabled:
        return None
    before = known.get((settings.cron, settings.zone))
    return before if before and before.holds(now) else next_of(settings.cron, settings.zone, now)


def _ticked(tick: Tick, runs: Mapping[int, Run]) -> Ticked:
    return Ticked(tick, runs.get(tick.run_id) if tick.run_id else None)


def _select_ticks() -> sa.Select[Any]:
    return sa.select(_tick.schedule_id, _tick.minute, _tick.what, _tick.run_id, _tick.detail, _tick.created_at)


def _last_ticks(connection: sa.Connection, schedule_ids: Sequence[int]) -> dict[int, Tick]:
    """The newest minute of each schedule: one step into the index of (schedule, minute) each."""
    if not schedule_ids:
        return {}
    newest = sa.select(sa.func.max(_tick.minute, type_=_tick.minute.type)).where(_tick.schedule_id == _schedule.id)
    newest = newest.correlate(backup_schedules)
    query = _select_ticks().join(
        backup_schedules, sa.and_(_schedule.id == _tick.schedule_id, _tick.minute == newest.scalar_subquery())
    )
    rows = connection.execute(query.where(_schedule.id.in_(schedule_ids)))
    return {schedule_id: _tick_from(rest) for schedule_id, *rest in rows}


def _history(connection: sa.Connection, schedule_id: int) -> list[Tick]:
    query = _select_ticks().where(_tick.schedule_id == schedule_id).order_by(_tick.minute.desc()).limit(LISTED + 1)
    return [_tick_from(rest) for _, *rest in connection.execute(query)]


def _tick_from(values: Sequence[Any]) -> Tick:
    minute, what, *rest = values
    return Tick(minute, What(what), *rest)


def _runs(connection: sa.Connection, tenant: Tenant, ids: Collection[int]) -> dict[int, Run]:
    if not ids:
        return {}
    query = sa.select(*run_columns(context=False)).join(tenants, tenants.c.id == _run.tenant_id)
    query = query.where(_run.id.in_(sorted(ids)), _run.tenant_id == tenant.id)
    return {run.id: run for run in runs_from(connection.execute(query))}
