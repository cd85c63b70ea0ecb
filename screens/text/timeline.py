"""A run's history in chronological order: one rule for the screens and the command line."""

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
    """One line of the timeline: `what` happened at `at` (UTC), with a `message`.

    `level` is a log line's ("info", "warning", …), otherwise "info".
    """

    #: Identifies the line in the timeline: a log line's id, or `what`.
    key: Hashable
    at: dt.datetime
    what: What
    message: str
    level: str = "info"


def timeline(detail: RunDetail) -> list[Moment]:
    """Created, queued, started and the log lines, sorted by time; the run's completion comes last.

    SQLite may store the last log lines a moment after the completion; they still belong before it.
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
