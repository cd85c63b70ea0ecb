"""The lifecycle of a run. Every change of status is one conditional UPDATE in this file, and a completed run never changes again.

    queued ──claim──► running ──finish──► completed
     ▲ │                └──fail_lost────────▲        (outcome failed)
     │ └───fail_dispatch─────────────────────▲        (outcome failed)
     │
    held, a previewed restore ──abandon──────▲        (outcome failed)
     └──release──► queued

A run that is held is queued, too, and waits for a person: nothing but `release` and `abandon` changes it.

Each change returns the updated run, or None if the run was not in the state that the change requires: another process was
first, and nothing was written. Changes raise DatabaseAway.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from store.db.engine import Database
from store.errors import DatabaseAway
from store.model.records import OUTCOME_LABELS, Counts, Failure, Outcome, Run, Status, User
from store.model.row_mapping import run_columns, run_from_row
from store.model.tables import ACTIVE, operation_runs, tenants, workers
from store.model.types import UtcTime, now_after, seconds_ago
from store.people import audit
from store.runs import log as run_log
from store.runs import outcome, twins
from store.runs.effects import (
    completed_body,
    completed_notification,
    mirrored,
    queued_notification,
    rescued,
    retry_audited,
    start_audited,
)
from store.runs.transition import Transition

_run = operation_runs.c
# Every change moves `updated_at` forward and uses the same instant for its other columns. So the instants of a run are in the
# order of its changes, even if a transaction had to wait for another one.
_NOW = now_after(_run.updated_at)
#: How often a transaction tries to open a run whose twins come and go.
_ATTEMPTS: Final = 100
_COMPLETED = {"status": Status.COMPLETED.value, "completed_at": _NOW, "updated_at": _NOW}


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run to create. Its fields are columns of `operation_runs`."""

    tenant_id: int
    #: The initiator; None for the system.
    user_id: int | None
    initiator_name: str
    #: The operation's type, and its label for people.
    type: str
    label: str
    #: See `identity.identity_hash`.
    run_identity_hash: str
    #: The parameters, as JSON. It never contains a secret.
    context: Mapping[str, Any]
    #: The run that this one retries.
    retry_of_id: int | None = None
    #: It waits for a person, and not for a worker.
    held: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a run, final or so far, as its worker reports it."""

    outcome: Outcome
    #: None leaves the stored counts unchanged; so do no failures, and no context.
    counts: Counts | None = None
    failures: tuple[Failure, ...] = ()
    #: Log lines to append.
    log: tuple[run_log.NewLogLine, ...] = ()
    context: Mapping[str, Any] | None = None


_OPEN = Transition(
    postgresql.insert(operation_runs)
    .values({name: sa.bindparam(f"p_{name}", type_=_run[name].type) for name in NewRun.__dataclass_fields__})
    .on_conflict_do_nothing(index_elements=["tenant_id", "run_identity_hash"], index_where=sa.text(ACTIVE)),
    start_audited,
    retry_audited,
)
_QUEUED = sa.and_(_run.id == sa.bindparam("p_id"), _run.status == Status.QUEUED.value, ~_run.held)
_HELD = sa.and_(_run.id == sa.bindparam("p_id"), _run.status == Status.QUEUED.value, _run.held)
_DISPATCHED = (
    sa.update(operation_runs).where(_QUEUED, _run.dispatched_at.is_(None)).values(dispatched_at=_NOW, updated_at=_NOW)
)
_MARK_DISPATCHED = Transition(_DISPATCHED, queued_notification)
_MARK_RESCUED = Transition(_DISPATCHED, queued_notification, rescued("queued"))
# A message that arrives was queued. A worker that is faster than the dispatcher marks the run as dispatched in its place.
_CLAIM = Transition(
    sa.update(operation_runs)
    .where(_QUEUED)
    .values(
        status=Status.RUNNING.value,
        worker_id=sa.bindparam("p_worker_id"),
        started_at=_NOW,
        dispatched_at=sa.func.coalesce(_run.dispatched_at, _NOW),
        updated_at=_NOW,
    ),
    queued_notification,
    mirrored,
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
_FINISH = Transition(
    sa.update(operation_runs).where(_OWNED).values(_RESULT | _COMPLETED), completed_notification, mirrored
)
_FAIL_DISPATCH = Transition(
    sa.update(operation_runs).where(_QUEUED).values(_RESULT | _COMPLETED),
    completed_notification,
    mirrored,
)
_RELEASE = Transition(
    sa.update(operation_runs)
    .where(_HELD)
    .values(
        held=sa.false(),
        user_id=sa.bindparam("p_user_id"),
        initiator_name=sa.bindparam("p_initiator_name"),
        context=sa.bindparam("p_context", type_=_run.context.type),
        updated_at=_NOW,
    ),
    mirrored,
)
# Nobody is notified: nobody was told that it was queued.
_ABANDON = Transition(sa.update(operation_runs).where(_HELD).values(_RESULT | _COMPLETED | {"held": sa.false()}))
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
    mirrored,
)
_REDISPATCH = Transition(
    sa.update(operation_runs)
    .where(
        _QUEUED,
        sa.func.coalesce(_run.dispatched_at, _run.updated_at)
        < seconds_ago(sa.bindparam("p_older_than", type_=sa.Float)),
    )
    .values(dispatched_at=_NOW, updated_at=_NOW),
    queued_notification,
    rescued("queued_again"),
)


def create_or_attach(db: Database, new: NewRun) -> tuple[Run, bool]:
    """Create the run, or find its active twin. Returns (run, whether it was created).

    If the twin ends between the two statements, both are tried again. Raises DatabaseAway, also if that goes on for longer than
    the time-out of a transaction.
    """
    parameters = _opening(new)
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
            raise _too_fast()


def create_or_attach_within(connection: sa.Connection, new: NewRun) -> tuple[Run, bool]:
    """The same within a transaction that writes: the run is there when it is committed, and with it all else that it wrote.

    Raises DatabaseAway if the twins come and go too fast.
    """
    parameters = _opening(new)
    for _ in range(_ATTEMPTS):
        if opened := _OPEN.apply(connection, parameters):
            return opened[0], True
        # PostgreSQL: each statement sees what was committed before it, so the twin may have ended since.
        if twin := twins.read(connection, new.tenant_id, new.run_identity_hash):
            return twin, False
    raise _too_fast()


def _opening(new: NewRun) -> dict[str, Any]:
    fields = {f"p_{name}": getattr(new, name) for name in NewRun.__dataclass_fields__}
    retried = {} if new.retry_of_id is None else {"retry_of": new.retry_of_id}
    return {**fields, "p_origin": audit.origin(), "p_audit_detail": {"type": new.type, **retried}}


def _too_fast() -> DatabaseAway:
    return DatabaseAway("the run could not be opened", "its twins come and go too fast; try again")


def active_twin(db: Database, tenant_id: int, identity: str) -> Run | None:
    """The active run of the identity; None if there is none."""
    with db.read_one() as connection:
        return twins.read(connection, tenant_id, identity)


def get(db: Database, run_id: int) -> Run | None:
    """The run, or None. Checks no right: it is for internal use; entry points for people use `store.people.access`."""
    query = sa.select(*run_columns()).join(tenants, tenants.c.id == _run.tenant_id).where(_run.id == run_id)
    with db.read_one() as connection:
        row = connection.execute(query).mappings().first()
    return None if row is None else run_from_row(dict(row))


def mark_dispatched(db: Database, run_id: int, *, by_rescuer: bool = False) -> Run | None:
    """Record that the message is in the queue, and notify the initiator. None if a worker was faster, which has done both.

    `by_rescuer`: a rescuer queued the message, because the dispatcher died first. This adds a rescue record.
    """
    return _one(db, _MARK_RESCUED if by_rescuer else _MARK_DISPATCHED, {"p_id": run_id})


def claim(db: Database, run_id: int, worker_id: int) -> Run | None:
    """Claim the run for the worker: queued → running. None if it is not queued: the message came twice, or too late."""
    return _one(db, _CLAIM, {"p_id": run_id, "p_worker_id": worker_id})


def note_retry(db: Database, run_id: int, retry_of_id: int) -> None:
    """Record that a running run repeats another one, which its operation found. It changes nothing if that is known already."""
    columns = operation_runs.c
    change = (
        sa.update(operation_runs)
        .where(columns.id == run_id, columns.status == Status.RUNNING, columns.retry_of_id.is_(None))
        .values(retry_of_id=retry_of_id, updated_at=now_after(columns.updated_at))
    )
    with db.write() as connection:
        connection.execute(change)


def progress(db: Database, run_id: int, worker_id: int, result: Result) -> Run | None:
    """Store the result so far, ignoring `result.outcome`. None if the run is not running on this worker (any more)."""
    return _one(db, _PROGRESS, _parameters(run_id, result, p_worker_id=worker_id), result.log)


def finish(db: Database, run_id: int, worker_id: int, result: Result) -> Run | None:
    """Complete a run of the worker, and notify the initiator. None if it is not running on this worker (any more)."""
    return _one(db, _FINISH, _parameters(run_id, result, p_worker_id=worker_id), result.log)


def fail_dispatch(db: Database, run_id: int, failure: Failure) -> Run | None:
    """Complete a queued run as failed, and notify the initiator. None if it is not queued, e.g. because a worker claimed it."""
    return _one(db, _FAIL_DISPATCH, _parameters(run_id, Result(Outcome.FAILED, failures=(failure,))))


def release(connection: sa.Connection, run_id: int, user: User, context: Mapping[str, Any]) -> Run | None:
    """Let a held run wait for a worker from now on, with the user as its initiator. None if it is not held.

    Its message is queued by the caller, after the transaction, as that of a run that was just created.
    """
    values = {"p_id": run_id, "p_user_id": user.id, "p_initiator_name": user.name, "p_context": dict(context)}
    changed = _RELEASE.apply(connection, values)
    return changed[0] if changed else None


def abandon(connection: sa.Connection, run_id: int, why: str) -> Run | None:
    """Complete a held run as failed with `restore.abandoned`, because nobody will carry it out. None if it is not held."""
    failures = (outcome.failure("restore.abandoned", why),)
    changed = _ABANDON.apply(connection, _parameters(run_id, Result(Outcome.FAILED, failures=failures)))
    return changed[0] if changed else None


def fail_lost(db: Database, run: Run, lost_after: float, as_of: dt.datetime | None = None) -> Run | None:
    """Complete a run as failed if its worker is lost: stopped, or without a heartbeat for `lost_after` seconds at `as_of`.

    `as_of` defaults to now. Notifies the initiator and adds a rescue record. None if the worker is alive, or another process was
    first.
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
    """Win the right to queue the message of a queued run again, if it was last queued more than `older_than` seconds ago.

    If it was never queued, the age of the run counts. Adds a rescue record. Of several rescuers, one gets the run; the others get
    None.
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
    """The suffix of the completed notification's title, after the operation's label. For people: code must not parse it."""
    return f" {OUTCOME_LABELS[value].lower()}"


def _one(
    db: Database, transition: Transition, parameters: Mapping[str, Any], log: Sequence[run_log.NewLogLine] = ()
) -> Run | None:
    with db.write() if log else db.write_one() as connection:
        changed = transition.apply(connection, parameters)
        if changed and log:
            run_log.append(connection, changed[0], log)
    return changed[0] if changed else None
