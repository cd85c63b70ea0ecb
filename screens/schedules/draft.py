"""What is typed into the form of a schedule: its checks, field by field, and the next times of its cron. Pure functions.

They may take tens of milliseconds: the form calls them in background threads.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from store.errors import InputInvalid
from store.intune import cron
from store.intune.schedule_records import MAX_KEEP, ScheduleSettings

#: Times that are shown under the cron.
SHOWN: Final = 5
#: Settings that can be used: one field after the other is put into them to be checked.
_USABLE: Final = ScheduleSettings("a name", "* * * * *", "UTC")


@dataclass(frozen=True, slots=True)
class Draft:
    """The contents of the form's fields."""

    name: str = ""
    cron: str = ""
    zone: str = "UTC"
    keep: str = ""
    enabled: bool = True
    #: None: all.
    kinds: tuple[str, ...] | None = None

    @classmethod
    def of(cls, settings: ScheduleSettings) -> Draft:
        """The fields as the settings fill them."""
        keep = "" if settings.keep is None else str(settings.keep)
        return cls(settings.name, settings.cron, settings.zone, keep, settings.enabled, settings.kinds)

    def settings(self) -> ScheduleSettings:
        """The settings, with blanks at the ends of texts left out. Raises InputInvalid if `keep` is no number."""
        return ScheduleSettings(
            self.name.strip(),
            " ".join(self.cron.split()),
            self.zone.strip(),
            self.kinds,
            _number(self.keep.strip()),
            self.enabled,
        )

    def problems(self) -> dict[str, str]:
        """What is wrong with each field that cannot be used, by the field's name."""
        checks: dict[str, Callable[[], None]] = {
            "name": lambda: _check(name=self.name.strip()),
            "cron": lambda: cron.check(self.cron, _USABLE.zone),
            "zone": lambda: cron.check(_USABLE.cron, self.zone.strip()),
            "keep": lambda: _check(keep=_number(self.keep.strip())),
            "kinds": lambda: _check(kinds=self.kinds),
        }
        found = {name: _problem(check) for name, check in checks.items()}
        return {name: problem for name, problem in found.items() if problem}

    def changes_of(self, old: ScheduleSettings) -> dict[str, Any]:
        """The fields of the settings that differ from the old ones. Raises InputInvalid as `settings` does."""
        before, after = asdict(old), asdict(self.settings())
        return {name: value for name, value in after.items() if value != before[name]}


@dataclass(frozen=True, slots=True)
class Preview:
    """When a cron fires in a zone, or what is wrong with either, by the field's name."""

    times: tuple[dt.datetime, ...] = ()
    problems: dict[str, str] = field(default_factory=dict)


def preview(text: str, zone: str, after: dt.datetime) -> Preview:
    """The next times after `after`. The work is bounded: what does not fire within 50 years is looked at no further."""
    problem = _problem(lambda: cron.check(_USABLE.cron, zone.strip()))
    if problem:
        return Preview(problems={"zone": problem})
    if not text.strip():
        return Preview()
    try:
        times = cron.next_times(text, zone.strip(), after, SHOWN)
    except InputInvalid as error:
        return Preview(problems={"cron": str(error)})
    return Preview(times) if times else Preview(problems={"cron": "the cron never fires"})


def _check(**field_: Any) -> None:
    ScheduleSettings(**{**asdict(_USABLE), **field_}).check()


def _problem(check: Callable[[], object]) -> str:
    try:
        check()
    except InputInvalid as error:
        return str(error)
    return ""


def _number(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(MAX_KEEP)):
        raise InputInvalid(f"keep cannot be '{text[:20]}'", f"use 1 to {MAX_KEEP}, or leave it empty to keep all")
    return int(text)
