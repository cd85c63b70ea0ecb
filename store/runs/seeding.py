"""Inserts completed runs in bulk, for the demo, tests and benchmarks.

This does not bypass the lifecycle: the runs are completed when they are inserted, and never change their status.
"""

from __future__ import annotations

import datetime as dt
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import sqlalchemy as sa

from store.db.engine import Database
from store.model.records import Counts, Failure, Outcome, Status
from store.model.tables import notifications, operation_runs, run_events, tenants
from store.model.types import utcnow
from store.runs.effects import completed_body
from store.runs.identity import identity_hash
from store.runs.lifecycle import completed_suffix
from store.runs.log import NewLogLine
from store.runs.outcome import as_json

#: Runs per transaction: enough to make commits negligible, few enough to let other writers in between.
BATCH: Final = 2000

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SeedRun:
    """A completed run to insert. Durations are in seconds; ages are counted back from the database server's now.

    Texts are stored without sanitizing: the caller does that, or omits it on purpose.
    Raises ValueError for an impossible run, such as one that is not completed, or ends in the future.
    """

    tenant_id: int
    type: str
    outcome: Outcome
    #: Seconds since its creation.
    age: float
    #: Seconds from its creation to its start; None if it was never started because the queue did not accept it.
    waited: float | None = 0.2
    #: Seconds from its start (from its creation, if it was never started) to its completion.
    took: float = 1.0
    #: The initiator; None for the system.
    user_id: int | None = None
    initiator_name: str = "System"
    label: str | None = None
    counts: Counts | None = None
    failures: tuple[Failure, ...] = ()
    context: Mapping[str, Any] | None = None
    #: Log lines. Their `age` is in seconds before the run's completion.
    log: tuple[NewLogLine, ...] = ()
    #: The run that this one retries, as an index (from 0) into the runs of the same call; it must come before this one.
    retry_of: int | None = None
    worker_id: int | None = None
    #: Whether its notifications are inserted too, and whether they are read.
    notified: bool = True
    read: bool = True
    #: Computed from tenant, type and parameters if it is empty.
    run_identity_hash: str = ""

    def __post_init__(self) -> None:
        if self.outcome in (Outcome.PENDING, Outcome.CANCELLED):
            raise ValueError(f"a run of the past is completed, and none ends as {self.outcome}")
        if self.waited is None and self.outcome is not Outcome.FAILED:
            raise ValueError("a run that was never started has failed")
        # Written this way round so that NaN is rejected.
        if not (min(self.waited or 0.0, self.took) >= 0 and self.ended >= 0):
            raise ValueError(f"opened {self.age} s ago, the run would have ended in the future, or before it began")

    @property
    def ended(self) -> float:
        """Seconds since its completion."""
        return self.age - (self.waited or 0.0) - self.took


def seed_runs(db: Database, runs: Iterable[SeedRun], batch: int = BATCH) -> int:
    """Insert runs with their log lines and notifications, in the given order; ids ascend, so the oldest should come first.

    `runs` may be a generator of any length: `batch` runs at a time are kept in memory and committed. Returns their number.
    Raises DatabaseAway; batches that were committed before remain.
    """
    remaining, ids = iter(runs), array("q")
    with db.read() as connection:
        now = connection.execute(sa.select(utcnow())).scalar_one()
        slugs = {row.id: row.slug for row in connection.execute(sa.select(tenants.c.id, tenants.c.slug))}
    while part := list(islice(remaining, batch)):
        with db.write() as connection:
            _insert(connection, part, ids, now, slugs)
    return len(ids)


def _insert(
    connection: sa.Connection, part: Sequence[SeedRun], ids: array[int], now: dt.datetime, slugs: Mapping[int, str]
) -> None:
    ids.extend(_unused_ids(connection, len(part)))
    new = ids[-len(part) :]
    _fill(connection, operation_runs, [_run_row(id_, run, ids, now) for id_, run in zip(new, part, strict=True)])
    _fill(connection, run_events, [row for id_, run in zip(new, part, strict=True) for row in _log(id_, run, now)])
    notified = [(id_, run) for id_, run in zip(new, part, strict=True) if run.notified and run.user_id is not None]
    _fill(
        connection,
        notifications,
        [row for id_, run in notified for row in _notifications(id_, run, now, slugs[run.tenant_id])],
    )


def _fill(connection: sa.Connection, table: sa.Table, rows: list[Row]) -> None:
    if rows:
        connection.execute(sa.insert(table), rows)


def _unused_ids(connection: sa.Connection, count: int) -> Sequence[int]:
    """Reserve ids before the insert, so that rows which refer to the runs can be inserted in bulk too."""
    if connection.dialect.name == "sqlite":
        # The transaction is the only writer. Ids of deleted runs must not be reused: start after the highest id ever used.
        taken = sa.text("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'operation_runs'")
        first = int(connection.execute(taken).scalar_one()) + 1
        return range(first, first + count)
    sequence = sa.text("SELECT nextval(pg_get_serial_sequence('operation_runs', 'id')) FROM generate_series(1, :count)")
    return connection.execute(sequence, {"count": count}).scalars().all()


def _run_row(id_: int, run: SeedRun, ids: array[int], now: dt.datetime) -> Row:
    created_at = now - dt.timedelta(seconds=run.age)
    completed_at = now - dt.timedelta(seconds=run.ended)
    started_at = None if run.waited is None else created_at + dt.timedelta(seconds=run.waited)
    return {
        "id": id_,
        "tenant_id": run.tenant_id,
        "user_id": run.user_id,
        "initiator_name": run.initiator_name,
        "type": run.type,
        "label": run.label,
        "status": Status.COMPLETED.value,
        "outcome": run.outcome.value,
        "run_identity_hash": run.run_identity_hash or _identity(run),
        "summary_counts": run.counts.as_json() if run.counts else None,
        "failure_summary": as_json(run.failures),
        "context": run.context,
        "retry_of_id": None if run.retry_of is None else ids[run.retry_of],
        "worker_id": run.worker_id,
        "dispatched_at": None if run.waited is None else created_at,
        "started_at": started_at,
        "completed_at": completed_at,
        "created_at": created_at,
        "updated_at": completed_at,
    }


def _identity(run: SeedRun) -> str:
    return identity_hash(run.tenant_id, run.type, (run.context or {}).get("parameters") or {})


def _log(id_: int, run: SeedRun, now: dt.datetime) -> Iterator[Row]:
    for line in run.log:
        at = now - dt.timedelta(seconds=run.ended + line.age)
        yield {"run_id": id_, "at": at, "level": line.level, "message": line.message}


def _notifications(id_: int, run: SeedRun, now: dt.datetime, slug: str) -> Iterator[Row]:
    created_at, completed_at = (now - dt.timedelta(seconds=age) for age in (run.age, run.ended))
    read_at = completed_at if run.read else None
    common = {"run_id": id_, "user_id": run.user_id, "read_at": read_at}
    name = run.label or run.type
    if run.waited is not None:
        waiting = f"{slug}: Waiting for a worker."
        yield common | {"kind": "queued", "title": f"{name} queued", "body": waiting, "created_at": created_at}
    title = name + completed_suffix(run.outcome)
    body = f"{slug}: {completed_body(run.counts, run.failures)}"
    yield common | {"kind": "completed", "title": title, "body": body, "created_at": completed_at}
