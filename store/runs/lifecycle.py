"""The lifecycle of a run. Every change of status is one conditional UPDATE in this file, and a completed run never changes again.

    queued ──claim──► running ──finish──► completed
       └───fail_dispatch─────────────────────▲        (outcome failed)

Each function returns the run as it is after the change, or None when the run was not in the state that the change starts
from: somebody else was first, and nothing was written.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from store.db.engine import Database
from store.errors import DatabaseAway
from store.model.records import OUTCOME_LABELS, Counts, Failure, Outcome, Run, Status
from store.model.row_mapping import run_columns, run_from_row
from store.model.tables import ACTIVE, operation_runs, tenants, workers
from store.model.types import UtcTime, now_after, seconds_ago
from store.runs import log as run_log
from store.runs import outcome, twins
from store.runs.effects import completed_body, completed_notification, queued_notification, rescued
from store.runs.transition import Transition

_run = operation_runs.c
# Every change moves `updated_at` forward, and takes its other instants from the same moment: no instant of a run lies before
# one that was written earlier, whoever had to wait for whom.
_NOW = now_after(_run.updated_at)
_COMPLETED = {"status": Status.COMPLETED.value, "completed_at": _NOW, "updated_at": _NOW}


@dataclass(frozen=True, slots=True)
class NewRun:
    """What is to be opened. `user_id` is None for the system. `context` holds parameters and never a secret."""

    tenant_id: int
    user_id: int | None
    initiator_name: str
    type: str
    label: str
    run_identity_hash: str
    context: Mapping[str, Any]
    retry_of_id: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended, as its worker tells it."""

    outcome: Outcome
    counts: Counts | None = None
    failures: tuple[Failure, ...] = ()
    log: tuple[run_log.NewLogLine, ...] = ()
    context: Mapping[str, Any] | None = None


_OPEN = Transition(
    postgresql.insert(operation_runs)
    .values({name: sa.bindparam(f"p_{name}", type_=_run[name].type) for name in NewRun.__dataclass_fields__})
    .on_conflict_do_nothing(index_elements=["tenant_id", "run_identity_hash"], index_where=sa.text(ACTIVE))
)
_DISPATCHED = (
    sa.update(operation_runs)
    .where(_run.id == sa.bindparam("p_id"), _run.status == Status.QUEUED.value, _run.dispatched_at.is_(None))
    .values(dispatched_at=_NOW, updated_at=_NOW)
)
_MARK_DISPATCHED = Transition(_DISPATCHED, queued_notification)
_MARK_RESCUED = Transition(_DISPATCHED, queued_notification, rescued("queued"))
# A message that arrives proves that it was queued: a worker that is quicker than the dispatcher says so in its stead.
_CLAIM = Transition(
    sa.update(operation_runs)
    .where(_run.id == sa.bindparam("p_id"), _run.status == Status.QUEUED.value)
    .values(
        status=Status.RUNNING.value,
        worker_id=sa.bindparam("p_worker_id"),
        started_at=_NOW,
        dispatched_at=sa.func.coalesce(_run.dispatched_at, _NOW),
        updated_at=_NOW,
    ),
    queued_notification,
)
_RESULT = {
    "outcome": sa.bindparam("p_outcome"),
    "summary_counts": sa.func.coalesce(sa.bindparam("p_counts", type_=_run.summary_counts.type), _run.summary_counts),
    "failure_summary": sa.func.coalesce(
        sa.bindparam("p_failures", type_=_run.failure_summary.type), _run.failure_summary
    ),
    "context": sa.func.coalesce(sa.bindparam("p_context", type_=_run.context.type), _run.context),
}
_OWNED = sa.and_(
    _run.id == sa.bindparam("p_id"), _run.status == Status.RUNNING.value, _run.worker_id == sa.bindparam("p_worker_id")
)
_PROGRESS = Transition(
    sa.update(operation_runs)
    .where(_OWNED)
    .values({name: _RESULT[name] for name in _RESULT if name != "outcome"} | {"updated_at": _NOW})
)
_FINISH = Transition(sa.update(operation_runs).where(_OWNED).values(_RESULT | _COMPLETED), completed_notification)
_FAIL_DISPATCH = Transition(
    sa.update(operation_runs)
    .where(_run.id == sa.bindparam("p_id"), _run.status == Status.QUEUED.value)
    .values(_RESULT | _COMPLETED),
    completed_notification,
)
_LOST_WORKER = sa.exists().where(
    workers.c.id == _run.worker_id,
    sa.or_(
        workers.c.beat_at
        < sa.func.coalesce(
            sa.bindparam("p_before", type_=UtcTime), seconds_ago(sa.bindparam("p_lost_after", type_=sa.Float))
        ),
        workers.c.stopped_at.is_not(None),
    ),
)
_FAIL_LOST = Transition(
    sa.update(operation_runs).where(_OWNED, _LOST_WORKER).values(_RESULT | _COMPLETED),
    completed_notification,
    rescued("lost"),
)
_REDISPATCH = Transition(
    sa.update(operation_runs)
    .where(
        _run.id == sa.bindparam("p_id"),
        _run.status == Status.QUEUED.value,
        sa.func.coalesce(_run.dispatched_at, _run.created_at)
        < seconds_ago(sa.bindparam("p_older_than", type_=sa.Float)),
    )
    .values(dispatched_at=_NOW, updated_at=_NOW),
    queued_notification,
    rescued("queued_again"),
)


def create_or_attach(db: Database, new: NewRun) -> tuple[Run, bool]:
    """Open the run, or find the active twin of the same identity. Returns (run, whether it was opened).

    A twin that ends between the two statements is followed by another try. Raises DatabaseAway when that goes on for longer
    than a transaction may take.
    """
    parameters = {f"p_{name}": getattr(new, name) for name in NewRun.__dataclass_fields__}
    deadline = time.monotonic() + db.timeouts.transaction
    while True:
        with db.write_one() as connection:
            opened = _OPEN.apply(connection, parameters)
        if opened:
            return opened[0], True
        twin = active_twin(db, new.tenant_id, new.run_identity_hash)
        if twin:
            return twin, False
        if time.monotonic() > deadline:
            raise DatabaseAway("the run could not be opened", "its twins come and go too fast; try again")


def active_twin(db: Database, tenant_id: int, identity: str) -> Run | None:
    """The queued or running run of this identity, if there is one."""
    with db.read_one() as connection:
        return twins.read(connection, tenant_id, identity)


def get(db: Database, run_id: int) -> Run | None:
    """The run, without asking who wants to know: for the house itself. People's ways in use `store.people.access`."""
    query = sa.select(*run_columns()).join(tenants, tenants.c.id == _run.tenant_id).where(_run.id == run_id)
    with db.read_one() as connection:
        row = connection.execute(query).mappings().first()
    return None if row is None else run_from_row(dict(row))


def mark_dispatched(db: Database, run_id: int, *, by_rescuer: bool = False) -> Run | None:
    """The message is in the queue: say so, and tell the initiator. None when a worker was quicker, which told them already.

    `by_rescuer` says that the dispatcher had died before it could queue the message: that is put on record as well.
    """
    return _one(db, _MARK_RESCUED if by_rescuer else _MARK_DISPATCHED, {"p_id": run_id})


def claim(db: Database, run_id: int, worker_id: int) -> Run | None:
    """Start the run on this worker. None when there is nothing to claim: the message came twice, or too late."""
    return _one(db, _CLAIM, {"p_id": run_id, "p_worker_id": worker_id})


def progress(db: Database, run_id: int, worker_id: int, result: Result) -> Run | None:
    """Store what was counted so far (`result.outcome` is not looked at). None when the run is not this worker's any more."""
    return _one(db, _PROGRESS, _parameters(run_id, result, p_worker_id=worker_id), result.log)


def finish(db: Database, run_id: int, worker_id: int, result: Result) -> Run | None:
    """Complete the worker's own running run and notify its initiator. None when it was completed in the worker's stead."""
    return _one(db, _FINISH, _parameters(run_id, result, p_worker_id=worker_id), result.log)


def fail_dispatch(db: Database, run_id: int, failure: Failure) -> Run | None:
    """Complete a queued run as failed. None when a worker has started it after all."""
    return _one(db, _FAIL_DISPATCH, _parameters(run_id, Result(Outcome.FAILED, failures=(failure,))))


def fail_lost(db: Database, run: Run, lost_after: float, as_of: dt.datetime | None = None) -> Run | None:
    """Complete a running run whose worker had not beaten for `lost_after` seconds at `as_of`, default now.

    None when it has beaten or somebody was first.
    """
    result = Result(
        Outcome.FAILED,
        run.summary_counts,
        (*run.failure_summary[: outcome.MAX_FAILURES - 1], outcome.failure("worker.lost")),
    )
    before = as_of - dt.timedelta(seconds=lost_after) if as_of else None
    return _one(
        db, _FAIL_LOST, _parameters(run.id, result, p_worker_id=run.worker_id, p_lost_after=lost_after, p_before=before)
    )


def redispatch(db: Database, run_id: int, older_than: float) -> Run | None:
    """Take it upon oneself to queue the message of a waiting run again, which was last queued `older_than` seconds ago or never.

    Of any number of rescuers one gets the run; the others get None.
    """
    return _one(db, _REDISPATCH, {"p_id": run_id, "p_older_than": older_than})


def _parameters(run_id: int, result: Result, **more: object) -> dict[str, object]:
    return {
        "p_id": run_id,
        "p_outcome": result.outcome.value,
        "p_counts": result.counts.as_json() if result.counts else None,
        "p_failures": outcome.as_json(result.failures),
        "p_context": None if result.context is None else dict(result.context),
        "p_title": completed_suffix(result.outcome),
        "p_body": completed_body(result.counts, result.failures),
        **more,
    }


def completed_suffix(value: Outcome) -> str:
    """What stands behind the operation's label in the title of the completed notification: for people, never to be read back."""
    return f" {OUTCOME_LABELS[value].lower()}"


def _one(
    db: Database, transition: Transition, parameters: Mapping[str, Any], log: Sequence[run_log.NewLogLine] = ()
) -> Run | None:
    with db.write() if log else db.write_one() as connection:
        changed = transition.apply(connection, parameters)
        if changed and log:
            run_log.append(connection, changed[0], log)
    return changed[0] if changed else None
