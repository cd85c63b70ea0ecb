"""A run's log lines. They are sanitized where they are made, and bounded per run by the one that makes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from store.model.records import NO_TIME, LogLine, Run
from store.model.tables import run_events

MAX_EVENTS = 500
MAX_MESSAGE = 500


@dataclass(frozen=True, slots=True)
class NewLogLine:
    """A line that was logged `age` seconds before it is stored: instants are the database server's."""

    level: str
    message: str
    age: float = 0.0


def append(connection: sa.Connection, run: Run, new: Sequence[NewLogLine]) -> None:
    """Store the lines with the change of the run that is made in the same transaction; none lies before the run's start."""
    first = run.started_at or NO_TIME

    def at(event: NewLogLine) -> dt.datetime:
        return max(first, run.updated_at - dt.timedelta(seconds=max(0.0, event.age)))

    lines = [{"run_id": run.id, "level": e.level, "message": e.message, "at": at(e)} for e in new]
    connection.execute(sa.insert(run_events), lines)


def read_log(connection: sa.Connection, run_id: int, after: int = 0, limit: int = MAX_EVENTS) -> tuple[LogLine, ...]:
    """The newest `limit` lines of a run with ids above `after`, oldest first."""
    query = sa.select(run_events.c.id, run_events.c.at, run_events.c.level, run_events.c.message)
    query = (
        query.where(run_events.c.run_id == run_id, run_events.c.id > after)
        .order_by(run_events.c.id.desc())
        .limit(limit)
    )
    rows = connection.execute(query).mappings().all()
    return tuple(LogLine(**row) for row in reversed(rows))
