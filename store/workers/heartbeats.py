"""Worker processes: registration, heartbeats, and the runs that dead workers leave behind."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from store.db.engine import Database
from store.errors import WorkerUnknown
from store.model.records import NO_TIME, Run, Status, Worker
from store.model.row_mapping import run_columns, runs_from
from store.model.tables import IS_ACTIVE, IS_PAUSED, IS_QUEUED, operation_runs, tenants, workers
from store.model.types import UtcTime, now_after, seconds_ago, utcnow

_worker = workers.c
_run = operation_runs.c
_IS_RUNNING = sa.and_(IS_ACTIVE, _run.status == Status.RUNNING.value)


@dataclass(frozen=True, slots=True)
class Beat:
    """The answer to a worker's heartbeat."""

    #: The instant of the heartbeat, by the database's clock.
    at: dt.datetime
    queue_is_paused: bool


def register(db: Database, *, host: str, pid: int, version: str, slots: int, embedded: bool) -> int:
    """Register a new worker. Returns its id, for its heartbeats and claims."""
    new = (
        sa.insert(workers)
        .values(host=host, pid=pid, version=version, slots=slots, embedded=embedded)
        .returning(_worker.id)
    )
    with db.write_one() as connection:
        return int(connection.execute(new).scalar_one())


def heartbeat(db: Database, worker_id: int, stuck_slots: int) -> Beat:
    """Record a heartbeat. `stuck_slots` is the number of slots that hold an operation which did not end at its deadline.

    Raises WorkerUnknown if the present database does not have the worker, e.g. because it was replaced by an older one.
    """
    # The plain clock, not `now_after`: a heartbeat in the future would make a dead worker look alive.
    change = sa.update(workers).where(_worker.id == worker_id).values(beat_at=utcnow(), stuck_slots=stuck_slots)
    with db.write_one() as connection:
        # The same statement reads the pause, which saves a round trip.
        found = connection.execute(change.returning(_worker.beat_at, IS_PAUSED)).one_or_none()
    if found is None:
        raise WorkerUnknown
    at, is_paused = found
    return Beat(at, bool(is_paused))


def deregister(db: Database, worker_id: int) -> None:
    """Record that the worker shut down in good order and sends no more heartbeats."""
    with db.write_one() as connection:
        connection.execute(
            sa.update(workers).where(_worker.id == worker_id).values(stopped_at=now_after(_worker.beat_at))
        )


def alive(connection: sa.Connection, within: float) -> tuple[Worker, ...]:
    """Workers with a heartbeat in the last `within` seconds, ordered by id, with their numbers of running runs."""
    return tuple(worker_from(dict(row)) for row in connection.execute(_alive(within)).mappings())


@functools.lru_cache(maxsize=8)
def _alive(within: float) -> sa.Select[Any]:
    running = sa.select(sa.func.count()).where(_run.worker_id == _worker.id, _IS_RUNNING).scalar_subquery()
    query = sa.select(workers, running.label("running"), utcnow().label("now"))
    query = query.where(_worker.stopped_at.is_(None), _worker.beat_at > seconds_ago(sa.literal(within, sa.Float)))
    return query.order_by(_worker.id)


def silences(connection: sa.Connection, of: Iterable[Run], silent_after: float) -> dict[int, float]:
    """The seconds since the worker's last heartbeat, by run id, for the runs that are running on a silent or stopped worker."""
    running = {run.id: run.worker_id for run in of if run.status is Status.RUNNING and run.worker_id is not None}
    if not running:
        return {}
    ages = {}
    for id_, beat_at, now in connection.execute(_SILENT, {"p_ids": sorted(set(running.values())), "p_s": silent_after}):
        ages[id_] = 0.0 if NO_TIME in (beat_at, now) else max(0.0, (now - beat_at).total_seconds())
    return {run_id: ages[worker_id] for run_id, worker_id in running.items() if worker_id in ages}


_SILENT = sa.select(_worker.id, _worker.beat_at, utcnow()).where(
    _worker.id.in_(sa.bindparam("p_ids", expanding=True)),
    sa.or_(_worker.stopped_at.is_not(None), _worker.beat_at < seconds_ago(sa.bindparam("p_s", type_=sa.Float))),
)


def worker_from(row: dict[str, object]) -> Worker:
    """Map a row of `workers` with the database's `now`."""
    now = row.pop("now")
    assert isinstance(now, dt.datetime)
    beat_at = row["beat_at"]
    assert isinstance(beat_at, dt.datetime)
    return Worker(**row, beat_age=max(0.0, (now - beat_at).total_seconds()))  # type: ignore[arg-type]


def stalled_runs(
    db: Database, lost_after: float, as_of: dt.datetime | None = None, limit: int = 200
) -> tuple[Run, ...]:
    """At most `limit` running runs whose worker is lost: stopped, or without a heartbeat for `lost_after` seconds at `as_of`.

    `as_of` defaults to now. `store.runs.lifecycle.fail_lost` checks the condition again. Raises DatabaseAway.
    """
    ago = seconds_ago(sa.literal(lost_after, sa.Float))
    before = sa.literal(as_of - dt.timedelta(seconds=lost_after), UtcTime) if as_of else ago
    dead = sa.or_(_worker.beat_at < before, _worker.stopped_at.is_not(None))
    query = (
        sa.select(*run_columns())
        .join(workers, _worker.id == _run.worker_id)
        .join(tenants, tenants.c.id == _run.tenant_id)
    )
    return _runs(db, query.where(_IS_RUNNING, dead).limit(limit))


def undelivered_runs(db: Database, *, never_queued_for: float, queued_for: float, limit: int = 1000) -> tuple[Run, ...]:
    """Queued runs whose message may be lost, oldest first, at most `limit`.

    The message was not queued within `never_queued_for` seconds after the run began to wait for a worker, or was queued more
    than `queued_for` seconds ago. Raises DatabaseAway.
    """
    never = sa.and_(_run.dispatched_at.is_(None), _run.updated_at < seconds_ago(sa.literal(never_queued_for, sa.Float)))
    long_ago = _run.dispatched_at < seconds_ago(sa.literal(queued_for, sa.Float))
    query = sa.select(*run_columns()).join(tenants, tenants.c.id == _run.tenant_id)
    return _runs(
        db,
        query.where(IS_QUEUED, sa.or_(never, long_ago)).order_by(_run.id).limit(limit),
    )


def clock(db: Database) -> dt.datetime:
    """The database's now, to which the ages of heartbeats refer. Raises DatabaseAway."""
    with db.read_one() as connection:
        now: dt.datetime = connection.execute(sa.select(utcnow())).scalar_one()
    return now


def _runs(db: Database, query: sa.Select[tuple[object, ...]]) -> tuple[Run, ...]:
    with db.read() as connection:
        return runs_from(connection.execute(query))
