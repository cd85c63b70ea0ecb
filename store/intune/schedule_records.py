"""What a schedule of backups says, and what became of its minutes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from store.errors import InputInvalid
from store.intune import cron
from store.sanitizer.sanitize import visible

#: Characters of a name.
MAX_NAME: Final = 100
#: Kinds of policy that a schedule may name, and characters of each.
MAX_KINDS: Final = 200
MAX_KIND: Final = 64
#: Backups that a schedule may keep, if it does not keep all.
MAX_KEEP: Final = 10_000


@dataclass(frozen=True, slots=True)
class ScheduleSettings:
    """What a person decides about a schedule."""

    #: Unique in the tenant.
    name: str
    #: Five fields; see store/intune/cron.py.
    cron: str
    #: The zone of the cron's times: a name of the tz database.
    zone: str
    #: The kinds of policy to back up; None: all. The caller knows which there are.
    kinds: tuple[str, ...] | None = None
    #: How many of its backups are kept; None: all.
    keep: int | None = None
    enabled: bool = True

    def check(self) -> None:
        """Raise InputInvalid, which names the field, if one of them cannot be used."""
        if not self.name or len(self.name) > MAX_NAME or visible(self.name) != self.name:
            raise InputInvalid(
                "the schedule's name cannot be stored", f"use 1 to {MAX_NAME} characters that can be seen"
            )
        cron.check(self.cron, self.zone)
        if self.keep is not None and not 1 <= self.keep <= MAX_KEEP:
            raise InputInvalid(f"keep cannot be {self.keep}", f"use 1 to {MAX_KEEP}, or leave it out to keep all")
        if self.kinds is not None:
            _check_kinds(self.kinds)


def _check_kinds(kinds: tuple[str, ...]) -> None:
    if not kinds or len(kinds) > MAX_KINDS:
        raise InputInvalid(f"kinds cannot be {len(kinds)}", f"name 1 to {MAX_KINDS}, or leave them out for all")
    for kind in kinds:
        if not kind or len(kind) > MAX_KIND or visible(kind) != kind:
            raise InputInvalid(f"kinds cannot hold '{visible(kind[:MAX_KIND])}'", "name kinds of policy")
    if len(set(kinds)) < len(kinds):
        raise InputInvalid("kinds name one of them twice", "name each once")


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule of backups."""

    id: int
    tenant_id: int
    #: The tenant's slug.
    tenant: str
    settings: ScheduleSettings
    #: The name, as it was then, of the user who added it.
    created_by_name: str
    created_at: dt.datetime
    changed_at: dt.datetime
    #: The whole minute up to which, itself included, somebody has looked whether it is due.
    ticked_to: dt.datetime


class What(StrEnum):
    """What became of a minute in which a schedule was due."""

    #: It opened a run.
    OPENED = "opened"
    #: It met a run of its own that was still active.
    JOINED = "joined"
    #: Nobody was there to open a run.
    MISSED = "missed"
    #: It cannot be read where it was looked at.
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Tick:
    """What became of a minute, or of several in a row that were missed."""

    #: In UTC; the first of those that were missed.
    minute: dt.datetime
    what: What
    #: The run that it opened, or met; None also if that run was removed since.
    run_id: int | None
    #: For people; code must not parse it.
    detail: str | None
    created_at: dt.datetime


def kinds_from(value: Any) -> tuple[str, ...] | None:
    """The kinds as the column has them. What cannot be read means all: a backup of more harms nobody."""
    if not isinstance(value, list):
        return None
    return tuple(kind for kind in value if isinstance(kind, str)) or None
