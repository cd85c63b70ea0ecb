"""Schedules of backups: who may see and change them, and their history. store/runs/ticking.py lets them fire.

Every member of the tenant sees its schedules; managers change them. A change and its audit event are one transaction.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, replace
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from store.db.engine import Database
from store.errors import InputInvalid, NotFound
from store.intune.schedule_records import Schedule, ScheduleSettings, Tick, What, kinds_from
from store.model.records import Tenant, User
from store.model.tables import backup_schedules, schedule_ticks, tenants
from store.model.types import at_most, now_after, utcnow
from store.people import audit
from store.people.access import Right, member_tenants, require_right

#: Schedules that a tenant may have.
MAX_SCHEDULES: Final = 100

_schedule = backup_schedules.c
_tick = schedule_ticks.c
_CHANGE: Final = "change its schedules"
_FIELDS: Final = tuple(field.name for field in fields(ScheduleSettings))


class NameTaken(InputInvalid):
    """The tenant has a schedule of that name."""


def add(db: Database, user: User, tenant: str, settings: ScheduleSettings) -> Schedule:
    """Add a schedule to the tenant, given by its slug. It fires for the first time in a minute that is yet to come.

    Raises NotFound, Forbidden, and InputInvalid if the settings cannot be used, the name is taken, or there are too many.
    """
    found = require_right(db, user, tenant, Right.RESTORE, _CHANGE)
    settings.check()
    with _unique_name(settings, tenant), db.write() as connection:
        _require_room(connection, found)
        values = {
            "tenant_id": found.id,
            "created_by_id": user.id,
            "created_by_name": user.name,
            "ticked_to": _this_minute(connection),
        }
        new = sa.insert(backup_schedules).values(_columns(settings) | values).returning(_schedule.id)
        schedule_id: int = connection.execute(new).scalar_one()
        _audit(connection, audit.SCHEDULE_ADDED, user, found.id, settings.name, asdict(settings))
        return _existing(connection, schedule_id)


def edit(db: Database, user: User, schedule_id: int, changes: Mapping[str, Any]) -> Schedule:
    """Change fields of ScheduleSettings, by their names, and leave the others as they are.

    Another cron, another zone, or being enabled again counts from now on: what would have been due before is not missed.
    Raises NotFound, Forbidden and InputInvalid.
    """
    old = _changeable(db, user, schedule_id)
    with _unique_name(replace(old.settings, **changes), old.tenant), db.write() as connection:
        connection.execute(sa.select(_schedule.id).where(_schedule.id == schedule_id).with_for_update())
        old = _existing(connection, schedule_id)  # as it is now that nobody else changes it
        settings = replace(old.settings, **changes)
        if settings == old.settings:
            return old
        settings.check()
        values = _columns(settings) | {"changed_at": now_after(_schedule.changed_at)}
        if _counts_from_now(old.settings, settings):
            values["ticked_to"] = _this_minute(connection)
        connection.execute(sa.update(backup_schedules).where(_schedule.id == schedule_id).values(values))
        detail = _differences(old.settings, settings)
        _audit(connection, audit.SCHEDULE_CHANGED, user, old.tenant_id, old.settings.name, detail)
        return _existing(connection, schedule_id)


def remove(db: Database, user: User, schedule_id: int) -> Schedule:
    """Remove a schedule with its history, and return it as it was. Its runs stay. Raises NotFound and Forbidden."""
    _changeable(db, user, schedule_id)
    with db.write() as connection:
        connection.execute(sa.select(_schedule.id).where(_schedule.id == schedule_id).with_for_update())
        old = _existing(connection, schedule_id)
        connection.execute(sa.delete(backup_schedules).where(_schedule.id == schedule_id))
        _audit(connection, audit.SCHEDULE_REMOVED, user, old.tenant_id, old.settings.name, asdict(old.settings))
        return old


def schedules_of(db: Database, user: User, tenant: str) -> tuple[Schedule, ...]:
    """The schedules of the tenant, given by its slug, ordered by name. Raises NotFound."""
    found = require_right(db, user, tenant, Right.VIEW)
    query = select_schedules().where(_schedule.tenant_id == found.id).order_by(_schedule.name, _schedule.id)
    with db.read_one() as connection:
        return tuple(schedule_from_row(row) for row in connection.execute(query).mappings())


def get(db: Database, user: User, schedule_id: int) -> Schedule:
    """The schedule, if the user is a member of its tenant. Raises NotFound."""
    query = select_schedules().where(_schedule.id == schedule_id, _schedule.tenant_id.in_(member_tenants(user.id)))
    with db.read_one() as connection:
        row = connection.execute(query).mappings().first()
    if row is None:
        raise _not_found(schedule_id)
    return schedule_from_row(row)


def read(db: Database, schedule_id: int) -> Schedule | None:
    """The schedule, or None. Checks no right: it is for operations; entry points for people use `get`."""
    with db.read_one() as connection:
        return _read(connection, schedule_id)


def ticks(db: Database, user: User, schedule_id: int, limit: int = 50) -> tuple[Tick, ...]:
    """What became of the schedule's minutes, the newest `limit`, newest first. Raises NotFound."""
    get(db, user, schedule_id)
    query = sa.select(_tick.minute, _tick.what, _tick.run_id, _tick.detail, _tick.created_at)
    query = query.where(_tick.schedule_id == schedule_id).order_by(_tick.minute.desc()).limit(at_most(limit))
    with db.read_one() as connection:
        rows = connection.execute(query).all()
    return tuple(Tick(minute, What(what), *rest) for minute, what, *rest in rows)


# ---- inside a transaction


def _changeable(db: Database, user: User, schedule_id: int) -> Schedule:
    found = get(db, user, schedule_id)
    require_right(db, user, found.tenant, Right.RESTORE, _CHANGE)
    return found


def _require_room(connection: sa.Connection, tenant: Tenant) -> None:
    """Raise InputInvalid if the tenant has no room for one more. Its row is locked: of two at once, the second counts the first."""
    connection.execute(sa.select(tenants.c.id).where(tenants.c.id == tenant.id).with_for_update(key_share=True))
    query = sa.select(sa.func.count()).select_from(backup_schedules).where(_schedule.tenant_id == tenant.id)
    if connection.execute(query).scalar_one() >= MAX_SCHEDULES:
        raise InputInvalid(f"{tenant.slug} has {MAX_SCHEDULES} schedules already", "remove one first")


@contextlib.contextmanager
def _unique_name(settings: ScheduleSettings, tenant: str) -> Iterator[None]:
    """Say so in our words if the database refuses a second schedule of that name."""
    try:
        yield
    except IntegrityError:
        raise NameTaken(f"{tenant} has a schedule '{settings.name}' already", "choose another name") from None


def _this_minute(connection: sa.Connection) -> dt.datetime:
    """The minute that has begun last, by the database's clock."""
    now: dt.datetime = connection.execute(sa.select(utcnow())).scalar_one()
    return now.replace(second=0, microsecond=0)


def _counts_from_now(old: ScheduleSettings, new: ScheduleSettings) -> bool:
    return (old.cron, old.zone) != (new.cron, new.zone) or (new.enabled and not old.enabled)


def _existing(connection: sa.Connection, schedule_id: int) -> Schedule:
    found = _read(connection, schedule_id)
    if found is None:
        raise _not_found(schedule_id)
    return found


def _read(connection: sa.Connection, schedule_id: int) -> Schedule | None:
    row = connection.execute(select_schedules().where(_schedule.id == schedule_id)).mappings().first()
    return None if row is None else schedule_from_row(row)


def _not_found(schedule_id: int) -> NotFound:
    return NotFound(f"no schedule {schedule_id}", "'opsmon schedules list' shows yours")


def _audit(
    connection: sa.Connection, action: str, user: User, tenant_id: int, name: str, detail: dict[str, Any]
) -> None:
    audit.record(connection, action, name, login=user.login, user_id=user.id, tenant_id=tenant_id, detail=detail)


def _differences(old: ScheduleSettings, new: ScheduleSettings) -> dict[str, Any]:
    """Each field that changed, with what it was and what it is."""
    before, after = asdict(old), asdict(new)
    return {name: {"before": before[name], "after": after[name]} for name in _FIELDS if before[name] != after[name]}


# ---- rows and records


def select_schedules() -> sa.Select[Any]:
    """Select schedules with the slugs of their tenants."""
    query = sa.select(backup_schedules, tenants.c.slug.label("tenant"))
    return query.join(tenants, tenants.c.id == _schedule.tenant_id)


def _columns(settings: ScheduleSettings) -> dict[str, Any]:
    return asdict(settings) | {"kinds": None if settings.kinds is None else list(settings.kinds)}


def schedule_from_row(row: sa.RowMapping) -> Schedule:
    """Map a row of `select_schedules` to a Schedule."""
    values = {name: row[name] for name in _FIELDS} | {"kinds": kinds_from(row["kinds"])}
    own = ("id", "tenant_id", "tenant", "created_by_name", "created_at", "changed_at", "ticked_to")
    return Schedule(settings=ScheduleSettings(**values), **{name: row[name] for name in own})
