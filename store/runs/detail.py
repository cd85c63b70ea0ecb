"""The detail of one run, read in the transaction of the poll. Every statement is bounded and uses an index."""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa

from store.errors import NotFound
from store.model.records import COUNT_CAP, NO_TIME, Acknowledgement, LogLine, Outcome, Run, Status, Worker
from store.model.tables import IS_QUEUED, operation_runs, workers
from store.model.types import at_most, utcnow
from store.people import audit
from store.people.access import member_tenants, read_visible_run
from store.people.audit import AuditEvent
from store.runs import acknowledging, twins, watching
from store.runs import attempts as retry_chain
from store.runs import log as run_log
from store.workers import pause as queue_pause
from store.workers.heartbeats import silences, worker_from
from store.workers.pause import QueuePause
from store.workers.queue_depth import waited

_run = operation_runs.c

#: Sample for the typical duration: at most MAX_SAMPLE recent runs, at least MIN_SAMPLE.
MAX_SAMPLE: Final = 200
MIN_SAMPLE: Final = 3


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """The position of a queued run. Ahead of it are the queued runs that were created earlier and whose message is in the queue."""

    #: The number of runs ahead in the user's tenants; COUNT_CAP + 1 means more than COUNT_CAP.
    ahead: int = 0
    #: Seconds since the creation of the oldest of them, and its id; None if there is none.
    oldest: float | None = None
    oldest_id: int | None = None
    #: The pause of the queue; None if it is not paused.
    pause: QueuePause | None = None
    #: Whether runs of other tenants are ahead too. Their number is withheld.
    others_ahead: bool = False


@dataclass(frozen=True, slots=True)
class TypicalDuration:
    """The durations of recent runs of the same tenant and type that succeeded.

    Percentiles are interpolated linearly; those of `throughput.Hour` are nearest ranks.
    """

    #: Seconds, in ascending order; at least MIN_SAMPLE values.
    durations: tuple[float, ...]

    @property
    def count(self) -> int:
        """The size of the sample."""
        return len(self.durations)

    @property
    def p50(self) -> float:
        """The median, in seconds."""
        return self._percentiles[49]

    @property
    def p95(self) -> float:
        """The 95th percentile, in seconds."""
        return self._percentiles[94]

    @property
    def _percentiles(self) -> Sequence[float]:
        import statistics  # not before the first paint: it brings fractions and decimal along

        return statistics.quantiles(self.durations, n=100, method="inclusive")

    def shorter_than(self, seconds: float) -> int:
        """The share of runs that took less than `seconds`, in percent, rounded down."""
        return 100 * bisect.bisect_left(self.durations, seconds) // self.count

    def longer_than(self, seconds: float) -> int:
        """The share of runs that took more than `seconds`, in percent, rounded down."""
        return 100 * (self.count - bisect.bisect_right(self.durations, seconds)) // self.count


@dataclass(frozen=True, slots=True)
class RunDetail:
    """A run with everything that its screen shows."""

    #: The run, with its context.
    run: Run
    #: Its newest log lines, oldest first.
    events: tuple[LogLine, ...]
    #: The retry chain that it belongs to, itself included, oldest first.
    attempts: tuple[Run, ...]
    #: Its position in the queue; None unless it is queued.
    waiting: QueuePosition | None = None
    #: The worker that claimed it; None before that.
    worker: Worker | None = None
    #: None if the sample would be too small.
    usual: TypicalDuration | None = None
    #: What the audit trail has about it, oldest first: who started it, retried it, acknowledged it.
    audit: tuple[AuditEvent, ...] = ()
    #: Who acknowledged it; None unless somebody has.
    acknowledgement: Acknowledgement | None = None
    #: Whether the user watches it.
    watched: bool = False
    #: The active run of the same identity, without context, if this run is completed: a retry would attach to it.
    twin: Run | None = None
    #: Seconds without a heartbeat after which a worker's runs are completed as lost.
    lost_after: float = 30.0
    #: Seconds since the worker's last heartbeat, by run id, for those of the run, its attempts and its twin that are running
    #: on a silent worker.
    silences: Mapping[int, float] = field(default_factory=dict)


def read(
    connection: sa.Connection, user_id: int, run_id: int | None, lost_after: float = 30.0, silent_after: float = 10.0
) -> RunDetail | None:
    """The detail of the run; None if `run_id` is None, or the run does not exist (any more) for the user."""
    if run_id is None:
        return None
    try:
        return read_visible(connection, user_id, run_id, lost_after, silent_after)
    except NotFound:
        return None


def read_visible(
    connection: sa.Connection, user_id: int, run_id: int, lost_after: float = 30.0, silent_after: float = 10.0
) -> RunDetail:
    """The detail of the run. Raises NotFound if it does not exist for the user."""
    run = read_visible_run(connection, user_id, run_id)
    attempts = retry_chain.attempts(connection, run)
    is_over = run.status is Status.COMPLETED
    twin = twins.read(connection, run.tenant_id, run.run_identity_hash, context=False) if is_over else None
    return RunDetail(
        run=run,
        events=run_log.read_log(connection, run.id),
        attempts=attempts,
        waiting=_waiting(connection, user_id, run) if run.status is Status.QUEUED and not run.held else None,
        worker=None if run.worker_id is None else _worker(connection, run.worker_id),
        usual=_typical_duration(connection, run),
        audit=audit.of_run(connection, run.id),
        acknowledgement=acknowledging.read(connection, run.id) if run.acknowledged_at else None,
        watched=watching.is_watched(connection, user_id, run.id),
        twin=twin,
        lost_after=lost_after,
        silences=silences(connection, [run, *attempts, *([twin] if twin else [])], silent_after),
    )


def clock(connection: sa.Connection) -> dt.datetime:
    """The database server's now, to which all ages refer."""
    now: dt.datetime = connection.execute(sa.select(utcnow())).scalar_one()
    return now


# ---- position in the queue


def _waiting(connection: sa.Connection, user_id: int, run: Run) -> QueuePosition:
    ahead, is_mine = _ahead_of(run), _run.tenant_id.in_(member_tenants(user_id))
    some = ahead.where(is_mine).limit(at_most(COUNT_CAP + 1)).subquery()
    others = ahead.where(~is_mine).limit(at_most(1)).exists()
    query = sa.select(sa.select(sa.func.count()).select_from(some).scalar_subquery(), others)
    count, others_ahead = connection.execute(query).one()
    oldest, oldest_id = _oldest(connection, user_id, run) if count else (None, None)
    return QueuePosition(int(count), oldest, oldest_id, queue_pause.current(connection), bool(others_ahead))


def _ahead_of(run: Run) -> sa.Select[tuple[int, dt.datetime]]:
    before = sa.tuple_(_run.created_at, _run.id) < sa.tuple_(sa.literal(run.created_at, _run.created_at.type), run.id)
    in_queue = sa.and_(IS_QUEUED, _run.dispatched_at.is_not(None))
    return sa.select(_run.id, _run.created_at).where(in_queue, before)


def _oldest(connection: sa.Connection, user_id: int, run: Run) -> tuple[float | None, int | None]:
    """(seconds since its creation, id) of the oldest run ahead in the user's tenants."""
    ahead = _ahead_of(run).where(_run.tenant_id.in_(member_tenants(user_id)))
    first = ahead.order_by(_run.created_at, _run.id).limit(at_most(1)).subquery()
    row = connection.execute(sa.select(first.c.id, first.c.created_at, utcnow())).first()
    return (None, None) if row is None else (waited(row[2], row[1]), row[0])


# ---- worker


def _worker(connection: sa.Connection, worker_id: int) -> Worker | None:
    query = sa.select(workers, utcnow().label("now")).where(workers.c.id == worker_id)
    row = connection.execute(query).mappings().first()
    return None if row is None else worker_from(dict(row))


# ---- typical duration


def _typical_duration(connection: sa.Connection, run: Run) -> TypicalDuration | None:
    """The sample excludes the run itself, which is compared with it."""
    query = sa.select(_run.started_at, _run.completed_at).where(
        _run.tenant_id == run.tenant_id,
        _run.type == run.type,
        _run.outcome == Outcome.SUCCEEDED.value,
        _run.id != run.id,
        _run.started_at.is_not(None),
    )
    query = query.order_by(_run.created_at.desc(), _run.id.desc()).limit(at_most(MAX_SAMPLE))
    rows = connection.execute(query)
    durations = sorted(max(0.0, (end - start).total_seconds()) for start, end in rows if NO_TIME not in (start, end))
    return TypicalDuration(tuple(durations)) if len(durations) >= MIN_SAMPLE else None
