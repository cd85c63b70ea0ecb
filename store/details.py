"""One run, whole: what its screen shows, read in the transaction of the poll."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from store import events, queries
from store.access import read_visible_run
from store.errors import NotFound
from store.records import Event, Run


@dataclass(frozen=True, slots=True)
class Detail:
    """One run, whole, with its log lines and its attempts, oldest first."""

    run: Run
    events: tuple[Event, ...]
    attempts: tuple[Run, ...]


def read(connection: sa.Connection, user_id: int, run_id: int | None) -> Detail | None:
    """What there is of the run; None when none is wanted, or it is not there (any more) for this user."""
    if run_id is None:
        return None
    try:
        run = read_visible_run(connection, user_id, run_id)
    except NotFound:
        return None
    return Detail(run, events.of_run(connection, run.id), queries.attempts(connection, run))
