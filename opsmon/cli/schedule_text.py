"""Formats schedules of backups as plain text and as JSON for the commands."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from opsmon.cli.kind_names import label
from opsmon.listing import Column, Listing
from opsmon.output import as_json, cell, table
from screens.text import explain
from screens.text.format import instant
from store.intune.schedule_records import Schedule, Tick
from store.model.records import Run


@dataclass(frozen=True, slots=True)
class ShownSchedule:
    """A schedule with what is next, and what was last."""

    schedule: Schedule
    #: None if it is disabled, or its cron cannot be read here.
    next_at: dt.datetime | None
    last: Tick | None = None
    #: The run that the last tick opened or met, if it still is there.
    last_run: Run | None = None


def schedule_as_json(shown: ShownSchedule) -> dict[str, Any]:
    """The schedule as JSON, its settings beside its other fields."""
    whole = as_json(shown.schedule)
    settings = whole.pop("settings")
    run = shown.last_run
    last = shown.last and as_json(asdict(shown.last)) | {
        "run_status": run and run.status,
        "run_outcome": run and run.outcome,
    }
    return {**whole, **settings, "next_at": as_json(shown.next_at), "last": last}


def _kinds(shown: ShownSchedule) -> str:
    kinds = shown.schedule.settings.kinds
    return ", ".join(map(label, kinds)) if kinds else "all"


def _keeps(shown: ShownSchedule) -> object:
    keep = shown.schedule.settings.keep
    return "all" if keep is None else keep


def _coming(shown: ShownSchedule) -> object:
    return shown.next_at or ("-" if shown.schedule.settings.enabled else "disabled")


def _last(shown: ShownSchedule) -> str:
    if shown.last is None:
        return "-"
    text = f"{instant(shown.last.minute, 'Z')} {shown.last.what}"
    if shown.last.run_id is not None:
        text += f" run {shown.last.run_id}"
    if shown.last_run is not None:
        text += f", {explain.state(shown.last_run, None).lower()}"
    return f"{text}: {shown.last.detail}" if shown.last.detail else text


#: The list of schedules. The next time is in UTC, as all times of commands are.
SCHEDULES: Final[Listing[ShownSchedule]] = Listing(
    (
        Column("id", "SCHEDULE", lambda one: one.schedule.id, is_number=True),
        Column("tenant", "TENANT", lambda one: one.schedule.tenant, drop=1, is_name=True),
        Column("name", "NAME", lambda one: one.schedule.settings.name, drop=2, is_name=True),
        Column("cron", "CRON", lambda one: one.schedule.settings.cron, drop=5),
        Column("zone", "ZONE", lambda one: one.schedule.settings.zone, drop=6, is_name=True),
        Column("kinds", "KINDS", _kinds, drop=8, is_name=True),
        Column("keep", "KEEPS", _keeps, drop=7, is_number=True),
        Column("next_at", "NEXT", _coming, drop=3),
        Column("last", "LAST", _last, drop=4, is_name=True),
    ),
    schedule_as_json,
    "No schedules.",
)


def one_line(shown: ShownSchedule, what: str, zone_is: str = "") -> str:
    """One sentence about a schedule of which `what` was done, such as `is added`."""
    schedule, settings = shown.schedule, shown.schedule.settings
    where = f"{settings.zone} ({zone_is})" if zone_is else settings.zone
    coming = f"next at {instant(shown.next_at, 'Z')}" if shown.next_at else "disabled"
    head = f"Schedule {schedule.id} '{settings.name}' of {schedule.tenant} {what}"
    return cell(f"{head}: {settings.cron} in {where}, {coming}.")


def times_as_json(times: Sequence[dt.datetime], zone: str) -> list[dict[str, Any]]:
    """Each instant in UTC, and as a clock in the zone shows it."""
    return [{"at": as_json(one), "local": one.astimezone(zoneinfo.ZoneInfo(zone)).isoformat()} for one in times]


def times_table(times: Sequence[dt.datetime], zone: str) -> str:
    """The same as a table; the offset tells the two times of a doubled hour apart."""
    there = [one.astimezone(zoneinfo.ZoneInfo(zone)) for one in times]
    rows = [(one.strftime("%a"), one.isoformat(" ", "minutes"), at) for one, at in zip(there, times, strict=True)]
    return table(("DAY", f"IN {zone}", "IN UTC"), rows)
