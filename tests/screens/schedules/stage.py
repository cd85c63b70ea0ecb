"""Schedules of backups for the screens to look at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from store.intune.schedule_page import ListedSchedule, SchedulePage, SchedulesWanted, Ticked, next_of
from store.intune.schedule_records import Schedule, ScheduleSettings, Tick, What
from store.model.records import Failure, Outcome, Run, Status
from store.people.access import Membership, Role
from tasks.dispatch import Receipt, Started
from tasks.operations import backup_schedule, backup_set
from tasks.sdk.registry import Registry
from tests.screens.conftest import AT, CONTOSO, HOSTILE, FakeBackend, a_run, ago

WANTED = SchedulesWanted("contoso")
HOUR, DAY = 3_600, 86_400
OWNER = (Membership(CONTOSO, Role.OWNER),)
OPERATOR = (Membership(CONTOSO, Role.OPERATOR),)
READONLY = (Membership(CONTOSO, Role.READONLY),)


def schedule(id_: int, name: str, cron: str = "30 2 * * *", zone: str = "Europe/Berlin", **changed: Any) -> Schedule:
    settings = replace(ScheduleSettings(name, cron, zone), **changed)
    return Schedule(id_, 1, "contoso", settings, "Ann Alba", ago(90 * DAY), ago(90 * DAY), AT)


def tick(what: What, seconds: float, run: Run | None = None, detail: str | None = None) -> Ticked:
    """What became of the minute so many seconds ago."""
    return Ticked(Tick(ago(seconds), what, run.id if run else None, detail, ago(seconds)), run)


def listed(one: Schedule, last: Ticked | None = None, at: dt.datetime = AT) -> ListedSchedule:
    """A schedule, with its next time computed as of `at`."""
    settings = one.settings
    return ListedSchedule(one, next_of(settings.cron, settings.zone, at) if settings.enabled else None, last)


MISSED = "3 times missed, workers were away"
FAILED = a_run(
    987, Outcome.FAILED, label="Run backup schedule", failure_summary=(Failure("graph.forbidden", "Graph refused it."),)
)
PARTIAL = a_run(986, Outcome.PARTIALLY_SUCCEEDED, failure_summary=(Failure("graph.throttled", "Throttled"),))
RUNNING = a_run(990, Outcome.PENDING, Status.RUNNING)
NIGHTLY = schedule(1, "nightly", keep=14)
OFTEN = schedule(2, "scripts", "*/15 * * * *", "UTC", kinds=("scripts", "shell_scripts"), keep=1_000)
ALL = (
    listed(schedule(3, "leap day", "0 0 29 2 *", "America/New_York")),
    listed(NIGHTLY, tick(What.OPENED, 10.5 * HOUR, a_run(989))),
    listed(schedule(4, "noon", "0 12 * * 1-5", "Asia/Kolkata"), tick(What.MISSED, 2 * DAY, None, MISSED)),
    listed(schedule(5, "old", "@ @", "Nowhere/Else"), tick(What.FAILED, HOUR, None, "the zone is unknown here")),
    listed(schedule(6, "paused", enabled=False), tick(What.OPENED, 9 * DAY, PARTIAL)),
    listed(OFTEN, tick(What.JOINED, 10 * 60, RUNNING)),
    listed(schedule(7, "weekly", "0 4 * * 0", kinds=("scripts",)), tick(What.OPENED, 7 * DAY, FAILED)),
)
HISTORY = (
    tick(What.JOINED, 600, RUNNING),
    tick(What.OPENED, 1_500, RUNNING),
    tick(What.OPENED, 2_400, FAILED),
    tick(What.OPENED, 3_300, PARTIAL),
    tick(What.MISSED, 6 * HOUR, None, MISSED),
    tick(What.OPENED, 7 * HOUR),
    tick(What.FAILED, 2 * DAY, None, "the zone 'Nowhere/Else' is unknown here"),
    tick(What.OPENED, 30 * DAY, a_run(960)),
)
ODD = listed(
    schedule(8, "x" * 50 + "[red] 漢字 \u202e", kinds=(HOSTILE[:20], "scripts")),
    tick(What.FAILED, HOUR, None, HOSTILE),
)


def page(*schedules: ListedSchedule, **changed: Any) -> SchedulePage:
    return SchedulePage(CONTOSO, schedules, **changed)


@dataclass
class Changes:
    """Remembers what it was asked, and fails as it is told to."""

    error: Exception | None = None
    added: list[tuple[str, ScheduleSettings]] = field(default_factory=list)
    edited: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)

    def add(self, tenant: str, settings: ScheduleSettings) -> Schedule:
        self._fail()
        self.added.append((tenant, settings))
        return replace(NIGHTLY, settings=settings)

    def edit(self, schedule_id: int, changes: Mapping[str, Any]) -> Schedule:
        self._fail()
        self.edited.append((schedule_id, dict(changes)))
        return replace(NIGHTLY, settings=replace(NIGHTLY.settings, **changes))

    def remove(self, schedule_id: int) -> Schedule:
        self._fail()
        self.removed.append(schedule_id)
        return NIGHTLY

    def _fail(self) -> None:
        if self.error:
            raise self.error


class Stage(FakeBackend):
    """A backend whose operations are those of backups, and which remembers what was started."""

    def __init__(self, *schedules: ListedSchedule, changes: Changes | None = None, **more: Any) -> None:
        super().__init__(members=more.pop("members", OWNER), schedule_changes=changes or Changes(), **more)
        self.schedules = {WANTED: page(*schedules)}
        self.started: list[tuple[str, str, dict[str, Any]]] = []
        self.registry = Registry.of([backup_set.create, backup_schedule.run_now])

    def backend(self, dispatcher: Any = None) -> Any:
        chosen: Any = dispatcher or (lambda: self)
        return super().backend(chosen)

    def start(self, user: object, tenant: str, type_: str, values: dict[str, Any]) -> Started:
        self.started.append((tenant, type_, values))
        return Started(Receipt.QUEUED, RUNNING)
