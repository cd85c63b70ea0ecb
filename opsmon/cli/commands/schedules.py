"""`opsmon schedules`: the schedules of backups of the user's tenants."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from typing import Any, Final

from opsmon.cli.commands.runs import DONE
from opsmon.cli.commands.session import Session
from opsmon.cli.host_zone import host_zone
from opsmon.cli.kind_names import known_kinds
from opsmon.cli.schedule_text import (
    SCHEDULES,
    ShownSchedule,
    one_line,
    schedule_as_json,
    times_as_json,
    times_table,
)
from opsmon.output import cell
from store.errors import InputInvalid
from store.intune import cron, schedules
from store.intune.schedule_records import Schedule, ScheduleSettings
from store.people import access
from store.runs import detail, lifecycle

#: The zone of a schedule if that of the host cannot be known.
NO_ZONE: Final = "UTC"


def list_schedules(session: Session, arguments: argparse.Namespace) -> int:
    """Print the schedules of one tenant or of all, each with its next and its last time. Returns the exit code."""
    user, db = session.user, session.db
    slugs = [arguments.tenant]
    if arguments.tenant is None:
        slugs = [member.tenant.slug for member in access.memberships_of(db, user.id)]
    found = [_shown(session, one) for slug in slugs for one in schedules.schedules_of(db, user, slug)]
    session.output.rows(SCHEDULES, found)
    return DONE


def add(session: Session, arguments: argparse.Namespace) -> int:
    """Add a schedule. Returns the exit code."""
    zone, zone_is = _zone(arguments.zone)
    settings = ScheduleSettings(
        name=arguments.name,
        cron=arguments.cron,
        zone=zone,
        kinds=known_kinds(arguments.kinds) or None,
        keep=arguments.keep or None,
        enabled=not arguments.disabled,
    )
    shown = _shown(session, schedules.add(session.db, session.user, arguments.tenant, settings))
    session.output.show(schedule_as_json(shown), lambda: one_line(shown, "is added", zone_is))
    return DONE


def edit(session: Session, arguments: argparse.Namespace) -> int:
    """Change a schedule. Returns the exit code."""
    changes = _changes(arguments)
    if not changes:
        raise InputInvalid("nothing is to be changed", "see 'opsmon schedules edit --help'")
    shown = _shown(session, schedules.edit(session.db, session.user, arguments.schedule_id, changes))
    session.output.show(schedule_as_json(shown), lambda: one_line(shown, "is changed"))
    return DONE


def remove(session: Session, arguments: argparse.Namespace) -> int:
    """Remove a schedule. Returns the exit code."""
    old = schedules.remove(session.db, session.user, arguments.schedule_id)
    text = f"Schedule {old.id} '{cell(old.settings.name)}' of {old.tenant} is removed; its backups and runs stay."
    session.output.show(schedule_as_json(ShownSchedule(old, None)), lambda: text)
    return DONE


def coming(session: Session, arguments: argparse.Namespace) -> int:
    """Print the next times of a schedule, also of one that is disabled. Returns the exit code."""
    found = schedules.get(session.db, session.user, arguments.schedule_id).settings
    times = cron.next_times(found.cron, found.zone, _now(session), arguments.count)
    session.output.show(times_as_json(times, found.zone), lambda: times_table(times, found.zone))
    if not found.enabled:
        sys.stdout.flush()
        sys.stderr.write(f"opsmon: schedule {arguments.schedule_id} is disabled: --enable lets it run at these times\n")
    return DONE


# ---- parts


def _zone(given: str | None) -> tuple[str, str]:
    """The zone, and where it comes from if it was not given."""
    if given is not None:
        return given, ""
    if zone := host_zone():
        return zone, "the zone of this host"
    return NO_ZONE, "the zone of this host is not known"


def _changes(arguments: argparse.Namespace) -> dict[str, Any]:
    """The fields of ScheduleSettings that were given."""
    given = {name: getattr(arguments, name) for name in ("name", "cron", "zone", "enabled")}
    changes = {name: value for name, value in given.items() if value is not None}
    if arguments.keep is not None:
        changes["keep"] = arguments.keep or None
    if arguments.kinds:
        changes["kinds"] = None if arguments.kinds == ["all"] else known_kinds(arguments.kinds)
    return changes


def _shown(session: Session, schedule: Schedule) -> ShownSchedule:
    last = next(iter(schedules.ticks(session.db, session.user, schedule.id, 1)), None)
    run = lifecycle.get(session.db, last.run_id) if last and last.run_id is not None else None
    times = _next_times(session, schedule.settings) if schedule.settings.enabled else ()
    return ShownSchedule(schedule, next(iter(times), None), last, run)


def _next_times(session: Session, settings: ScheduleSettings) -> tuple[dt.datetime, ...]:
    """The next time; none if a zone is not known on this host: the list still shows the schedule."""
    try:
        return cron.next_times(settings.cron, settings.zone, _now(session), 1)
    except InputInvalid:
        return ()


def _now(session: Session) -> dt.datetime:
    """The time of the database's clock, by which schedules fire."""
    with session.db.read() as connection:
        return detail.clock(connection)
