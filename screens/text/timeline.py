"""A run's history in chronological order: one rule for the screens and the command line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Literal

from screens.text import format as fmt
from store.model.records import Run
from store.people import audit
from store.people.audit import AuditEvent
from store.runs.detail import RunDetail

What = Literal["created", "queued", "started", "log", "completed", "audit"]


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
    """Created, queued, started and the log lines, sorted by time; then the run's completion, and what people did about it.

    The run of a restore is created as a preview; it is queued only once somebody executes it, who is its initiator then.

    SQLite may store the last log lines a moment after the completion; they still belong before it.
    """
    run = detail.run
    own: list[tuple[What, dt.datetime | None, str]] = [
        ("created", run.created_at, _creation(run)),
        ("queued", run.dispatched_at, _queueing(run)),
        ("started", run.started_at, f"by worker {run.worker_id}" if run.worker_id else "by a worker"),
    ]
    moments = [Moment(what, at, what, message) for what, at, message in own if at]
    moments += [Moment(event.id, event.at, "log", event.message, event.level) for event in detail.events]
    moments.sort(key=lambda moment: moment.at)
    if run.completed_at:
        moments.append(Moment("completed", run.completed_at, "completed", fmt.label(run).lower()))
    return moments + [
        Moment(("audit", event.id), event.at, "audit", words)
        for event in detail.audit
        if (words := _what_was_done(event))
    ]


def _what_was_done(event: AuditEvent) -> str | None:
    """The event in words; None for one that the run's creation says already, and for those of other kinds."""
    detail = event.detail if isinstance(event.detail, Mapping) else {}
    words = {
        audit.RUN_RETRIED: f"retried by {event.name} as run {detail.get('run', '?')}",
        audit.RUN_ACKNOWLEDGED: f"acknowledged by {event.name}",
        audit.RUN_UNACKNOWLEDGED: f"acknowledgement taken back by {event.name}",
    }.get(event.action)
    return f"{words}: {event.reason}" if words and event.reason else words


def _creation(run: Run) -> str:
    if run.restore_id is None:
        return f"by {run.initiator_name}"
    return f"as the preview of restore {run.restore_id}" + (f", by {run.initiator_name}" if run.held else "")


def _queueing(run: Run) -> str:
    return "waiting for a worker" if run.restore_id is None else f"by {run.initiator_name}, waiting for a worker"
