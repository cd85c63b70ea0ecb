"""The time zone of this host, as a name of the tz database."""

from __future__ import annotations

import os
import zoneinfo
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

_LOCALTIME: Final = Path("/etc/localtime")


def host_zone(environment: Mapping[str, str] = os.environ, localtime: Path = _LOCALTIME) -> str | None:
    """The zone that TZ names, or else the one that the link /etc/localtime leads to (localtime(5)); None if it cannot be
    known: TZ may hold a rule instead of a name, and /etc/localtime may be a copy.
    """
    known = zoneinfo.available_timezones()
    if (given := environment.get("TZ")) is not None:
        # POSIX: a colon begins a name that the system defines. An empty TZ means UTC (tzset(3)).
        name = given.removeprefix(":") or "UTC"
        return next((one for one in (_names(name) if name.startswith("/") else [name]) if one in known), None)
    return next((name for path in _targets(localtime) for name in _names(path) if name in known), None)


def _targets(link: Path) -> Iterator[str]:
    """Where the link leads to, first as it says itself: there the name is the one that somebody chose."""
    try:
        yield str(link.readlink())
        yield str(link.resolve())
    except (OSError, RuntimeError):  # no link, or one in a circle
        return


def _names(path: str) -> Iterator[str]:
    """What may be the zone's name in a path such as /usr/share/zoneinfo/Europe/Berlin: its ends, the longest first."""
    parts = path.split("/")
    return ("/".join(parts[at:]) for at in range(len(parts)))
