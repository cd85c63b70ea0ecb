"""The load of the system: workers and their runs in flight, queue depth, throughput of the last hours, rescues.

Every statement is bounded and uses an index, so that each poll can read this from a database of any size.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from store.model.records import Worker
from store.model.tables import IS_ACTIVE, operation_runs
from store.model.tables import workers as workers_table
from store.model.types import at_most, seconds_ago, utcnow
from store.people.access import Membership
from store.workers import heartbeats, queue_depth, rescues
from store.workers import pause as queue_pause
from store.workers.pause import QueuePause
from store.workers.queue_depth import QueueDepth
from store.workers.rescues import Rescue
from store.workers.throughput import HourlyThroughput, last_hours

#: Seconds for which a stopped or silent worker is still shown.
GONE_FOR: Final = 86_400.0
#: The maximum number of workers that are shown. Stopped workers are searched among as many of the newest.
MAX_WORKERS: Final = 500
#: The maximum number of runs in flight that are read.
MAX_IN_FLIGHT: Final = 2000

_run = operation_runs.c
_worker = workers_table.c


@dataclass(frozen=True, slots=True)
class InFlightRun:
    """A run in flight: a worker carries it out."""

    run_id: int
    #: The label, or the type if there is none.
    title: str
    #: The tenant's slug, and the instant of the start.
    tenant: str = ""
    started_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class WorkerLoad:
    """A worker and its runs in flight."""

    worker: Worker
    #: Whether it has neither stopped nor gone silent.
    alive: bool
    #: Runs in the user's tenants, ordered by id.
    runs: tuple[InFlightRun, ...] = ()
    #: Whether it also has runs in other tenants. Their number is withheld: it would show how busy those are.
    has_others: bool = False


@dataclass(frozen=True, slots=True)
class SystemLoad:
    """The load of the system, as a member of some tenants may see it."""

    #: Workers that are alive, oldest first; then the others, newest first.
    workers: tuple[WorkerLoad, ...]
    #: The queue depth of the tenants.
    waiting: QueueDepth
    #: The pause of the queue; None if it is not paused.
    paused: QueuePause | None
    #: The throughput of the tenants.
    hours: HourlyThroughput
    #: The newest rescues in the tenants, newest first.
    rescues: tuple[Rescue, ...]


def read(
    connection: sa.Connection, of: Sequence[Membership], lost_after: float, known: HourlyThroughput | None = None
) -> SystemLoad:
    """Read the load for a member of the tenants. A worker without a heartbeat for `lost_after` seconds counts as silent.

    `known` is an earlier throughput, which is returned again while it is fresh.
    """
    waiting = queue_depth.read(connection, [member.tenant.id for member in of])
    return SystemLoad(
        workers=_workers(connection, of, lost_after),
        waiting=waiting,
        paused=queue_pause.current(connection),
        hours=last_hours(connection, of, waiting.at, known),
        rescues=rescues.recent(connection, of),
    )


# ---- workers and their runs


def _workers(connection: sa.Connection, of: Sequence[Membership], lost_after: float) -> tuple[WorkerLoad, ...]:
    """Workers that are alive, oldest first; then the others, newest first."""
    living = [WorkerLoad(worker, True) for worker in heartbeats.alive(connection, lost_after)[:MAX_WORKERS]]
    seen = {found.worker.id for found in living}
    gone = [WorkerLoad(worker, False) for worker in _gone(connection) if worker.id not in seen]
    return _with_runs(connection, of, [*living, *gone[: MAX_WORKERS - len(living)]])


def _gone(connection: sa.Connection) -> list[Worker]:
    """Workers with a heartbeat, or that stopped, in the last GONE_FOR seconds. Stopped ones are searched among the newest."""
    lately = _worker.beat_at > seconds_ago(sa.literal(GONE_FOR, sa.Float))
    newest = sa.select(workers_table).order_by(_worker.id.desc()).limit(at_most(MAX_WORKERS)).subquery("newest")
    silent = (
        sa.select(workers_table)
        .where(_worker.stopped_at.is_(None), lately)
        .limit(at_most(MAX_WORKERS))
        .subquery("silent")
    )
    stopped = newest.c.stopped_at > seconds_ago(sa.literal(GONE_FOR, sa.Float))
    either = sa.union_all(sa.select(newest).where(stopped), sa.select(silent)).subquery("gone")
    query = sa.select(*either.c, utcnow().label("now")).order_by(either.c.id.desc())
    return [heartbeats.worker_from(dict(row)) for row in connection.execute(query).mappings()]


def _with_runs(
    connection: sa.Connection, of: Sequence[Membership], found: Sequence[WorkerLoad]
) -> tuple[WorkerLoad, ...]:
    ids = [one.worker.id for one in found]
    if not ids:
        return ()
    mine = {member.tenant.id: member.tenant.slug for member in of}
    runs: dict[int, list[InFlightRun]] = {id_: [] for id_ in ids}
    others = set[int]()
    for row in connection.execute(_IN_FLIGHT, {"p_ids": ids}):
        if row.tenant_id in mine:
            runs[row.worker_id].append(InFlightRun(row.id, row.title, mine[row.tenant_id], row.started_at))
        else:
            others.add(row.worker_id)
    return tuple(
        replace(one, runs=tuple(sorted(runs[id_], key=lambda run: run.run_id)), has_others=id_ in others)
        for id_, one in zip(ids, found, strict=True)
    )


def _in_flight() -> sa.Select[Any]:
    title = sa.func.coalesce(_run.label, _run.type).label("title")
    columns = (_run.worker_id, _run.id, _run.tenant_id, title, _run.started_at)
    running = sa.and_(IS_ACTIVE, _run.status == sa.literal_column("'running'"))
    return (
        sa.select(*columns)
        .where(running, _run.worker_id.in_(sa.bindparam("p_ids", expanding=True)))
        .limit(at_most(MAX_IN_FLIGHT))
    )


_IN_FLIGHT = _in_flight()
