"""What happened to a run, in the order of time: one rule for the screen and the command line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

from screens.text import format as fmt
from store.runs.detail import RunDetail

What = Literal["created", "queued", "started", "log", "completed"]


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline. `level` is that of a log line ("info", "warning", …); everything else is "info"."""

    #: What makes the line this one: a log line's id, or what happened.
    key: Hashable
    at: dt.datetime
    what: What
    message: str
    level: str = "info"


def timeline(detail: RunDetail) -> list[Moment]:
    """Created, queued, started and the log lines by their instants; the end of the run is the last of all.

    SQLite stores the last log lines a moment after the end: that is no reason to show them behind it.
    """
    run = detail.run
    own: list[tuple[What, dt.datetime | None, str]] = [
        ("created", run.created_at, f"by {run.initiator_name}"),
        ("queued", run.dispatched_at, "waiting for a worker"),
        ("started", run.started_at, f"by worker {run.worker_id}"),
    ]
    moments = [Moment(what, at, what, message) for what, at, message in own if at]
    moments += [Moment(event.id, event.at, "log", event.message, event.level) for event in detail.events]
    moments.sort(key=lambda moment: moment.at)
    if run.completed_at:
        moments.append(Moment("completed", run.completed_at, "completed", fmt.label(run).lower()))
    return moments
