"""Watches: a user wants to be told of the end of somebody else's run.

`notifications` has the runs that one started; a watch is a row of its own, and being told of the end marks it, so that of several
sessions of a user one tells.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from store.db.engine import Database
from store.errors import InputInvalid
from store.model.lenient import counts_from, failures_from
from store.model.records import OUTCOME_LABELS, Notification, Outcome, Status
from store.model.tables import operation_runs, run_watches, tenants
from store.model.types import among, at_most, wall_clock
from store.people.access import member_tenants, read_visible_run

#: Watches of a user; of more, the oldest of those whose runs have ended fall out.
MOST: Final = 200
#: Ended runs that one poll tells of.
TOLD_AT_ONCE: Final = 20

_watch, _run = run_watches.c, operation_runs.c


def watch(db: Database, user_id: int, run_id: int) -> bool:
    """Watch the run. Returns whether it is new: False if the user watches it already.

    Raises NotFound for a run that does not exist for the user, InputInvalid for one that has ended, for the user's own, whose end
    they are told of anyway, and if they watch MOST runs that have not ended.
    """
    with db.write() as connection:
        run = read_visible_run(connection, user_id, run_id)
        if run.status is Status.COMPLETED:
            raise InputInvalid(f"run {run_id} has ended", "watch a run that is queued or runs")
        if run.user_id == user_id:
            raise InputInvalid(f"run {run_id} is yours", "you are told of its end anyway")
        _make_room(connection, user_id, run_id)
        # If it ends from here on, the row is there: the next poll tells.
        new = postgresql.insert(run_watches).values(run_id=run_id, user_id=user_id, at=wall_clock())
        added = connection.execute(new.on_conflict_do_nothing().returning(_watch.run_id)).first()
    return added is not None


def unwatch(db: Database, user_id: int, run_id: int) -> bool:
    """Watch the run no longer. Returns whether the user did."""
    with db.write_one() as connection:
        gone = sa.delete(run_watches).where(_watch.run_id == run_id, _watch.user_id == user_id)
        return connection.execute(gone).rowcount > 0


def is_watched(connection: sa.Connection, user_id: int, run_id: int) -> bool:
    """Whether the user watches the run."""
    query = sa.select(_watch.run_id).where(_watch.run_id == run_id, _watch.user_id == user_id)
    return connection.execute(query).first() is not None


def tell(db: Database, user_id: int, run_ids: Sequence[int]) -> frozenset[int]:
    """Mark the ends of these runs as told. Returns those that nobody told the user of before: only these are news."""
    change = (
        sa.update(run_watches)
        .where(_watch.user_id == user_id, among(_watch.run_id, list(run_ids)), _watch.told_at.is_(None))
        .values(told_at=wall_clock())
        .returning(_watch.run_id)
    )
    with db.write_one() as connection:
        return frozenset(connection.execute(change).scalars())


def ended(connection: sa.Connection, user_id: int) -> tuple[Notification, ...]:
    """The ends of watched runs that the user was not told of, newest first, at most TOLD_AT_ONCE, as notifications.

    Each has the negative number of its run as its id, which no stored notification has.
    """
    rows = connection.execute(_ended(), {"p_user_id": user_id}).all()
    return tuple(_as_notification(user_id, row) for row in rows)


@functools.cache
def _ended() -> sa.Select[Any]:
    user_id = sa.bindparam("p_user_id", type_=sa.BigInteger)
    columns = (_run.id, _run.label, _run.type, _run.outcome, _run.completed_at, tenants.c.slug)
    query = sa.select(*columns, _run.summary_counts, _run.failure_summary)
    query = query.select_from(run_watches).join(operation_runs, _run.id == _watch.run_id)
    query = query.join(tenants, tenants.c.id == _run.tenant_id)
    # Who was made the initiator since, by executing a restore, is told by the notification.
    is_other = sa.or_(_run.user_id.is_(None), _run.user_id != user_id)
    mine = _run.tenant_id.in_(member_tenants(user_id))  # type: ignore[arg-type]
    query = query.where(_watch.user_id == user_id, _watch.told_at.is_(None), _run.status == Status.COMPLETED.value)
    return query.where(mine, is_other).order_by(_watch.run_id.desc()).limit(at_most(TOLD_AT_ONCE))


def _as_notification(user_id: int, row: sa.Row[Any]) -> Notification:
    outcome = Outcome(row.outcome)
    from store.runs.effects import completed_body  # not before the first paint: most polls find no end

    body = completed_body(counts_from(row.summary_counts), failures_from(row.failure_summary))
    title = f"{row.label or row.type} {OUTCOME_LABELS[outcome].lower()}"
    body = f"{row.slug}: {body}"
    return Notification(-row.id, row.id, user_id, "completed", title, body, row.completed_at, None, outcome)


def _make_room(connection: sa.Connection, user_id: int, run_id: int) -> None:
    """Of as many watches as there may be, forget the oldest whose run has ended. Raises InputInvalid if none has."""
    mine = sa.select(_watch.run_id, _run.status).join(operation_runs, _run.id == _watch.run_id)
    rows = connection.execute(mine.where(_watch.user_id == user_id).order_by(_watch.at, _watch.run_id)).all()
    if len(rows) < MOST or run_id in [row.run_id for row in rows]:
        return
    over = [row.run_id for row in rows if row.status == Status.COMPLETED.value][: len(rows) - MOST + 1]
    if not over:
        raise InputInvalid(f"you watch {len(rows)} runs that have not ended", "watch one of them no longer")
    connection.execute(sa.delete(run_watches).where(_watch.user_id == user_id, _watch.run_id.in_(over)))
