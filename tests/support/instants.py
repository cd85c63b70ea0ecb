"""Whether the instants of runs, and of what belongs to them, are in the order in which things happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from store.db.engine import Database
from store.model.tables import notifications, operation_runs, rescues, run_events

_run = operation_runs.c
#: What cannot come before what; an instant that is not there is left out.
_OF_A_RUN = ("created_at", "dispatched_at", "started_at", "completed_at", "updated_at")
_OF_OTHERS: Sequence[tuple[sa.Table, Sequence[sa.Column[Any]]]] = (
    (notifications, (_run.created_at, notifications.c.created_at, notifications.c.read_at)),
    (notifications, (notifications.c.created_at, _run.updated_at)),
    (rescues, (_run.created_at, rescues.c.at, _run.updated_at)),
    (run_events, (_run.started_at, run_events.c.at, _run.updated_at)),
)


def out_of_order(db: Database) -> list[str]:
    """What is, of all runs in the database."""
    wrong: list[str] = []
    told = notifications.c.kind == "completed"
    with db.read() as connection:

        def look(query: sa.Select[Any], names: Sequence[str]) -> None:
            for run_id, *row in connection.execute(query).all():
                found = {name: at for name, at in zip(names, row, strict=True) if at is not None}
                if list(found.values()) != sorted(found.values()):
                    wrong.append(f"run {run_id}: {found}")

        look(sa.select(_run.id, *(_run[name] for name in _OF_A_RUN)), _OF_A_RUN)
        for table, columns in _OF_OTHERS:
            names = [f"{column.table.name}.{column.name}" for column in columns]
            look(sa.select(_run.id, *columns).join_from(table, operation_runs), names)
        completed = (_run.completed_at, notifications.c.created_at)
        look(
            sa.select(_run.id, *completed).join_from(notifications, operation_runs).where(told),
            ("completed_at", "told at"),
        )
    return wrong
