"""The log lines of a run. The code that creates them sanitizes them and limits their number."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from store.model.records import NO_TIME, LogLine, Run
from store.model.tables import run_events

#: The maximum number of log lines of a run.
MAX_EVENTS = 500
#: The maximum number of lines about the exception that ended it, which are kept beside the others.
MAX_FRAMES = 40
#: The maximum length of a log line, in characters.
MAX_MESSAGE = 500


@dataclass(frozen=True, slots=True)
class NewLogLine:
    """A log line to store."""

    #: debug, info, warning or error.
    level: str
    message: str
    #: Seconds since it was logged. The instant that is stored is by the database's clock.
    age: float = 0.0


def append(connection: sa.Connection, run: Run, new: Sequence[NewLogLine]) -> None:
    """Store the lines in the transaction of the run's change. Their instants are not before the run's start."""
    first = run.started_at or NO_TIME

    def at(event: NewLogLine) -> dt.datetime:
        return max(first, run.updated_at - dt.timedelta(seconds=max(0.0, event.age)))

    lines = [{"run_id": run.id, "level": e.level, "message": e.message, "at": at(e)} for e in new]
    connection.execute(sa.insert(run_events), lines)


def read_log(
    connection: sa.Connection, run_id: int, after: int = 0, limit: int = MAX_EVENTS + MAX_FRAMES
) -> tuple[LogLine, ...]:
    """The newest `limit` log lines of a run with ids above `after`, oldest first."""
    query = sa.select(run_events.c.id, run_events.c.at, run_events.c.level, run_events.c.message)
    query = (
        query.where(run_events.c.run_id == run_id, run_events.c.id > after)
        .order_by(run_events.c.id.desc())
        .limit(limit)
    )
    rows = connection.execute(query).mappings().all()
    return tuple(LogLine(**row) for row in reversed(rows))
