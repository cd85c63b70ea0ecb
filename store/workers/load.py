"""How busy the house is: the workers and what they have in hand, what waits, and how the last hours went.

Every statement is bounded and walks an index, so that this can be read with each poll whatever lies in the database.
"""

from __future__ import annotations

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

#: Seconds for which a worker that stopped or went silent is still shown.
GONE_FOR: Final = 86_400.0
#: At most so many workers are shown, and so many of the newest are looked at for those that stopped.
MAX_WORKERS: Final = 500
#: At most so many runs in hand are named.
MAX_IN_FLIGHT: Final = 2000

_run = operation_runs.c
_worker = workers_table.c


@dataclass(frozen=True, slots=True)
class InFlightRun:
    """A run that a worker has in hand."""

    run_id: int
    title: str


@dataclass(frozen=True, slots=True)
class WorkerLoad:
    """A worker; `alive` unless it has stopped or gone silent. `has_others`: it has runs in tenants that are not one's own.

    How many is not told: numbers would tell how busy others are.
    """

    worker: Worker
    alive: bool
    runs: tuple[InFlightRun, ...] = ()
    has_others: bool = False


@dataclass(frozen=True, slots=True)
class SystemLoad:
    """The workers, what waits in the user's own tenants, the queue's pause, the last hours and the newest rescues."""

    workers: tuple[WorkerLoad, ...]
    waiting: QueueDepth
    paused: QueuePause | None
    hours: HourlyThroughput
    rescues: tuple[Rescue, ...]


def read(
    connection: sa.Connection, of: Sequence[Membership], lost_after: float, known: HourlyThroughput | None = None
) -> SystemLoad:
    """All of it for a member of these tenants. Without a beat in `lost_after` seconds a worker counts as silent.

    `known` hours are taken over while they hold; the rest is as of one instant.
    """
    waiting = queue_depth.read(connection, [member.tenant.id for member in of])
    return SystemLoad(
        workers=_workers(connection, of, lost_after),
        waiting=waiting,
        paused=queue_pause.current(connection),
        hours=last_hours(connection, of, waiting.at, known),
        rescues=rescues.recent(connection, of),
    )


# ---- who works


def _workers(connection: sa.Connection, of: Sequence[Membership], lost_after: float) -> tuple[WorkerLoad, ...]:
    """The living first, oldest first; then the others, newest first."""
    living = [WorkerLoad(worker, True) for worker in heartbeats.alive(connection, lost_after)[:MAX_WORKERS]]
    seen = {found.worker.id for found in living}
    gone = [WorkerLoad(worker, False) for worker in _gone(connection) if worker.id not in seen]
    return _with_runs(connection, of, [*living, *gone[: MAX_WORKERS - len(living)]])


def _gone(connection: sa.Connection) -> list[Worker]:
    """Workers that stopped or fell silent of late, and those that live. Which stopped is looked for among the newest."""
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
    mine = {member.tenant.id for member in of}
    runs: dict[int, list[InFlightRun]] = {id_: [] for id_ in ids}
    others = set[int]()
    for row in connection.execute(_IN_FLIGHT, {"p_ids": ids}):
        if row.tenant_id in mine:
            runs[row.worker_id].append(InFlightRun(row.id, row.title))
        else:
            others.add(row.worker_id)
    return tuple(
        replace(one, runs=tuple(sorted(runs[id_], key=lambda run: run.run_id)), has_others=id_ in others)
        for id_, one in zip(ids, found, strict=True)
    )


def _in_flight() -> sa.Select[Any]:
    columns = (_run.worker_id, _run.id, _run.tenant_id, sa.func.coalesce(_run.label, _run.type).label("title"))
    running = sa.and_(IS_ACTIVE, _run.status == sa.literal_column("'running'"))
    return (
        sa.select(*columns)
        .where(running, _run.worker_id.in_(sa.bindparam("p_ids", expanding=True)))
        .limit(at_most(MAX_IN_FLIGHT))
    )


_IN_FLIGHT = _in_flight()
