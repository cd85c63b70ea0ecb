"""Formats schedules of backups as plain text and as JSON for the commands."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from opsmon.cli.kind_names import label
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


def schedules_table(schedules: Sequence[ShownSchedule]) -> str:
    """The schedules as a table. The next time is in UTC, as all times of commands are."""
    headings = ("SCHEDULE", "TENANT", "NAME", "CRON", "ZONE", "KINDS", "KEEPS", "NEXT", "LAST")
    return table(headings, map(_row, schedules), right=[0])


def _row(shown: ShownSchedule) -> tuple[object, ...]:
    one = shown.schedule.settings
    kinds = ", ".join(map(label, one.kinds)) if one.kinds else "all"
    coming = shown.next_at or ("-" if one.enabled else "disabled")
    keeps = "all" if one.keep is None else one.keep
    return (
        *(shown.schedule.id, shown.schedule.tenant, one.name, one.cron, one.zone, kinds, keeps),
        *(coming, _last(shown)),
    )


def _last(shown: ShownSchedule) -> str:
    if shown.last is None:
        return "-"
    text = f"{instant(shown.last.minute, 'Z')} {shown.last.what}"
    if shown.last.run_id is not None:
        text += f" run {shown.last.run_id}"
    if shown.last_run is not None:
        text += f", {explain.state(shown.last_run, None).lower()}"
    return f"{text}: {shown.last.detail}" if shown.last.detail else text


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
