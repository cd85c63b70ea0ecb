"""A run's log lines. They are sanitized where they are made, and bounded per run by the one that makes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from store.records import Event
from store.tables import run_events
from store.types import seconds_ago

MAX_EVENTS = 500
MAX_MESSAGE = 500


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A line that was logged `age` seconds before it is stored: instants are the database server's."""

    level: str
    message: str
    age: float = 0.0


_APPEND = sa.insert(run_events).values(
    run_id=sa.bindparam("p_run_id"),
    level=sa.bindparam("p_level"),
    message=sa.bindparam("p_message"),
    at=seconds_ago(sa.bindparam("p_age", type_=sa.Float)),
)


def append(connection: sa.Connection, run_id: int, new: Sequence[NewEvent]) -> None:
    lines = [{"p_run_id": run_id, "p_level": e.level, "p_message": e.message, "p_age": max(0.0, e.age)} for e in new]
    connection.execute(_APPEND, lines)


def of_run(connection: sa.Connection, run_id: int, after: int = 0, limit: int = MAX_EVENTS) -> tuple[Event, ...]:
    """The newest `limit` lines of a run with ids above `after`, oldest first."""
    query = sa.select(run_events.c.id, run_events.c.at, run_events.c.level, run_events.c.message)
    query = (
        query.where(run_events.c.run_id == run_id, run_events.c.id > after)
        .order_by(run_events.c.id.desc())
        .limit(limit)
    )
    rows = connection.execute(query).mappings().all()
    return tuple(Event(**row) for row in reversed(rows))
