"""One run, whole: what its screen shows, read in the transaction of the poll. Every statement is bounded and walks an index."""

from __future__ import annotations

import bisect
import datetime as dt
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa

from store.errors import NotFound
from store.model.records import COUNT_CAP, NO_TIME, LogLine, Outcome, Run, Status, Worker
from store.model.tables import operation_runs, workers
from store.model.types import at_most, utcnow
from store.people.access import member_tenants, read_visible_run
from store.runs import attempts as retry_chain
from store.runs import log as run_log
from store.runs import twins
from store.workers import pause as queue_pause
from store.workers.heartbeats import silences, worker_from
from store.workers.pause import QueuePause
from store.workers.queue_depth import IS_QUEUED, waited

_run = operation_runs.c

#: What is usual is told from at most so many of the last runs, and from no fewer than so few.
MAX_SAMPLE: Final = 200
MIN_SAMPLE: Final = 3


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """Where a queued run stands. `ahead` counts the queued runs of the user's tenants that were opened before it and whose
    message is in the queue, COUNT_CAP + 1 meaning more than COUNT_CAP. `oldest` is how many seconds ago the first of them was
    opened. `others_ahead`: runs of other tenants are ahead, too; how many is not told.
    """

    ahead: int = 0
    oldest: float | None = None
    oldest_id: int | None = None
    pause: QueuePause | None = None
    others_ahead: bool = False


@dataclass(frozen=True, slots=True)
class TypicalDuration:
    """How long the last succeeded runs of this tenant and type ran: seconds, the shortest first, at least MIN_SAMPLE.

    Percentiles lie between two of them in proportion (linear interpolation); those of `throughput.Hour` are nearest ranks.
    """

    durations: tuple[float, ...]

    @property
    def count(self) -> int:
        return len(self.durations)

    @property
    def p50(self) -> float:
        return self._percentiles[49]

    @property
    def p95(self) -> float:
        return self._percentiles[94]

    @property
    def _percentiles(self) -> Sequence[float]:
        return statistics.quantiles(self.durations, n=100, method="inclusive")

    def shorter_than(self, seconds: float) -> int:
        """How many percent of them took less than that, rounded down."""
        return 100 * bisect.bisect_left(self.durations, seconds) // self.count

    def longer_than(self, seconds: float) -> int:
        """How many percent of them took more than that, rounded down."""
        return 100 * (self.count - bisect.bisect_right(self.durations, seconds)) // self.count


@dataclass(frozen=True, slots=True)
class RunDetail:
    """One run, whole, with its log lines and its attempts (with their context), both oldest first.

    `waiting` is told while it is queued. `worker` is the one that has or had it; a run whose worker has not beaten for
    `lost_after` seconds is given up. `twin` is another, active run of the same identity: a retry would join it.
    """

    run: Run
    events: tuple[LogLine, ...]
    attempts: tuple[Run, ...]
    waiting: QueuePosition | None = None
    worker: Worker | None = None
    usual: TypicalDuration | None = None
    twin: Run | None = None
    lost_after: float = 30.0
    #: Of the run, its attempts and its twin, what is running while its worker is silent: seconds since the worker's last beat.
    silences: Mapping[int, float] = field(default_factory=dict)


def read(
    connection: sa.Connection, user_id: int, run_id: int | None, lost_after: float = 30.0, silent_after: float = 10.0
) -> RunDetail | None:
    """What there is of the run; None when none is wanted, or it is not there (any more) for this user."""
    if run_id is None:
        return None
    try:
        return read_visible(connection, user_id, run_id, lost_after, silent_after)
    except NotFound:
        return None


def read_visible(
    connection: sa.Connection, user_id: int, run_id: int, lost_after: float = 30.0, silent_after: float = 10.0
) -> RunDetail:
    """The same for a run that must be there. Raises NotFound."""
    run = read_visible_run(connection, user_id, run_id)
    attempts = retry_chain.attempts(connection, run)
    is_over = run.status is Status.COMPLETED
    twin = twins.read(connection, run.tenant_id, run.run_identity_hash, context=False) if is_over else None
    return RunDetail(
        run=run,
        events=run_log.read_log(connection, run.id),
        attempts=attempts,
        waiting=_waiting(connection, user_id, run) if run.status is Status.QUEUED else None,
        worker=None if run.worker_id is None else _worker(connection, run.worker_id),
        usual=_typical_duration(connection, run),
        twin=twin,
        lost_after=lost_after,
        silences=silences(connection, [run, *attempts, *([twin] if twin else [])], silent_after),
    )


def clock(connection: sa.Connection) -> dt.datetime:
    """The database server's now, which all ages are counted to."""
    now: dt.datetime = connection.execute(sa.select(utcnow())).scalar_one()
    return now


# ---- why it waits


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
    # What is not in the queue is not ahead in it: a restore that was previewed waits for days to be confirmed.
    in_queue = sa.and_(IS_QUEUED, _run.dispatched_at.is_not(None))
    return sa.select(_run.id, _run.created_at).where(in_queue, before)


def _oldest(connection: sa.Connection, user_id: int, run: Run) -> tuple[float | None, int | None]:
    """How long ago the first of the user's that are ahead was opened, and its id."""
    ahead = _ahead_of(run).where(_run.tenant_id.in_(member_tenants(user_id)))
    first = ahead.order_by(_run.created_at, _run.id).limit(at_most(1)).subquery()
    row = connection.execute(sa.select(first.c.id, first.c.created_at, utcnow())).first()
    return (None, None) if row is None else (waited(row[2], row[1]), row[0])


# ---- who has it


def _worker(connection: sa.Connection, worker_id: int) -> Worker | None:
    query = sa.select(workers, utcnow().label("now")).where(workers.c.id == worker_id)
    row = connection.execute(query).mappings().first()
    return None if row is None else worker_from(dict(row))


# ---- what is usual


def _typical_duration(connection: sa.Connection, run: Run) -> TypicalDuration | None:
    """From the others of its kind: whether a run was slow is not told by itself."""
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
