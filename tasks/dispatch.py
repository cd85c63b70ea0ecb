"""Turns a request to start or retry an operation into a queued run: checks the right, creates the run or attaches to
its active twin, queues the message, and returns a receipt.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from store.db.engine import Database
from store.errors import QueueUnavailable, RunChanged
from store.model.records import Run, Status, Tenant, User
from store.people import access
from store.runs import bulk, lifecycle, outcome
from tasks.dry_run import DryRunResult, Edit, Verdict, dry_run_retries, unchanged
from tasks.sdk.operation import Operation
from tasks.sdk.registry import Registry

if TYPE_CHECKING:
    from store.runs.restoring import Confirmation
    from tasks.queue.queue import Queue

__all__ = ["Dispatcher", "DryRunResult", "Receipt", "Sender", "Started", "Verdict", "make_dispatcher"]

logger = logging.getLogger("opsmon.dispatch")


class Receipt(StrEnum):
    """The result of a start: the run was queued, attached to its active twin, or failed because the queue refused its message."""

    QUEUED = "queued"
    ATTACHED = "attached"
    DISPATCH_FAILED = "dispatch_failed"


@dataclass(frozen=True, slots=True)
class Started:
    """The result of a start or retry."""

    #: What happened to the start.
    receipt: Receipt
    #: The new run; its active twin if `receipt` is ATTACHED.
    run: Run


class Sender(Protocol):
    """The part of the queue that dispatch needs."""

    def send(self, run_id: int) -> None:
        """Queue the run's message within a bounded time. Raises QueueUnavailable."""


class Dispatcher:
    """Starts and retries runs on behalf of users. Screens call it from worker threads, commands call it directly."""

    def __init__(self, db: Database, queue: Sender, registry: Registry) -> None:
        self._db = db
        self._queue = queue
        self.registry = registry

    def start(
        self, user: User, tenant: str, type_: str, parameters: Mapping[str, Any], *, quietly: bool = False
    ) -> Started:
        """Start an operation in a tenant (given by its slug), or attach to its active twin.

        With `quietly`, the run is recorded as started by the system, with the user's rights, and notifies nobody.

        Raises InputInvalid, NotFound or Forbidden before anything is written, and DatabaseAway. If DatabaseAway is
        raised after the run was created, a rescuer queues the run once the database is back.
        """
        operation = self.registry.get(type_)
        found = access.require_right(self._db, user, tenant, operation.right, operation.act)
        operation.check_start()
        return self._start(user, found, operation, operation.check(parameters), quietly=quietly)

    def retry(
        self, user: User, run_id: int, parameters: Mapping[str, Any] | None = None, seen: Run | None = None
    ) -> Started:
        """Start a completed run again: a new run of the same type and tenant, linked by `retry_of_id`.

        It gets `parameters`, or the old run's if None. `seen` is the run as the user saw it. Raises RunChanged if the
        run is not completed, or no longer has the status and outcome of `seen`; otherwise raises as `start` does.
        """
        old = access.visible_run(self._db, user, run_id)
        operation = self.registry.get(old.type)
        tenant = access.require_right(self._db, user, old.tenant, operation.right, operation.act)
        operation.check_retry(old)
        if old.status is not Status.COMPLETED:
            raise RunChanged(f"run {run_id} is {old.status_words}", "only a completed run can be retried")
        if seen and (seen.status, seen.outcome) != (old.status, old.outcome):
            raise RunChanged(f"run {run_id} was {_state(seen)} and is {_state(old)} now", "look again")
        wanted = old.parameters if parameters is None else parameters
        return self._start(user, tenant, operation, operation.check(wanted), retry_of_id=old.id)

    def preview_restore(self, user: User, restore_id: int) -> Started:
        """Start the preview of a restore, or attach to the one that is under way. Raises as `start` does."""
        from store.runs import restore_states, restoring  # not before the first paint; nor below

        found = restoring.require_previewable(self._db, user, restore_id)
        started = self.start(user, found.tenant, restore_states.PREVIEW, {restore_states.PARAMETER: restore_id})
        restoring.note_preview(self._db, restore_id, started.run.id)
        return started

    def execute_restore(
        self, user: User, restore_id: int, confirmed: Confirmation, max_age: float | None = None
    ) -> Started:
        """Execute a previewed restore, with the user as the initiator of its run. Raises NotFound, Forbidden and InputInvalid
        before anything is written, and DatabaseAway.
        """
        from store.runs import restoring

        age = restoring.MAX_AGE if max_age is None else max_age
        return self._dispatch(restoring.execute(self._db, user, restore_id, confirmed, age))

    def continue_restore(self, user: User, restore_id: int) -> Started:
        """Go on with a restore that waits for approval. Raises as `execute_restore` does."""
        from store.runs import restoring

        return self._dispatch(restoring.resume(self._db, user, restore_id))

    def dry_run_retries(self, user: User, run_ids: Sequence[int], edit: Edit = unchanged) -> tuple[DryRunResult, ...]:
        """Predict the result of retrying each of these runs with the parameters that `edit` returns. Writes nothing.

        Raises DatabaseAway.
        """
        return dry_run_retries(self._db, self.registry, user, run_ids, edit)

    def retried(self, user: User, run_id: int, after: int | None) -> Started | None:
        """The user's newest retry of the run with an id above `after` (None: any id), with its receipt; None if there
        is none.

        For callers whose retry raised before it returned a receipt: the database may have failed after the run was
        created.
        """
        newest = bulk.newest_retries(self._db, user.id, [run_id]).get(run_id)
        run = lifecycle.get(self._db, newest) if newest and newest > (after or 0) else None
        if run is None:
            return None
        refused = any(failure.code == QueueUnavailable.code for failure in run.failure_summary)
        return Started(Receipt.DISPATCH_FAILED if refused else Receipt.QUEUED, run)

    def to_retry(self, user: User, run_id: int) -> tuple[Operation, Run]:
        """The run's operation, and the run with its parameters. Raises NotFound, InputInvalid and DatabaseAway."""
        run = access.visible_run(self._db, user, run_id)
        operation = self.registry.get(run.type)
        operation.check_retry(run)
        return operation, run

    def twin(self, user: User, tenant: str, type_: str, parameters: Mapping[str, Any]) -> Run | None:
        """The active run that a start with these parameters would attach to, or None. Raises as `start` does."""
        operation = self.registry.get(type_)
        found = access.require_right(self._db, user, tenant, access.Right.VIEW)
        operation.check_start()
        return lifecycle.active_twin(self._db, found.id, operation.identity_in(found.id, operation.check(parameters)))

    def _start(
        self,
        user: User,
        tenant: Tenant,
        operation: Operation,
        parameters: dict[str, Any],
        retry_of_id: int | None = None,
        *,
        quietly: bool = False,
    ) -> Started:
        new = lifecycle.NewRun(
            tenant_id=tenant.id,
            user_id=None if quietly else user.id,
            initiator_name=access.SYSTEM if quietly else user.name,
            type=operation.type,
            label=operation.label,
            run_identity_hash=operation.identity_in(tenant.id, parameters),
            context={"parameters": parameters},
            retry_of_id=retry_of_id,
        )
        run, opened = lifecycle.create_or_attach(self._db, new)
        return self._dispatch(run) if opened else Started(Receipt.ATTACHED, run)

    def _dispatch(self, run: Run) -> Started:
        try:
            self._queue.send(run.id)
        except QueueUnavailable as error:
            logger.warning("run %s: %s", run.id, error)
            refused = lifecycle.fail_dispatch(self._db, run.id, outcome.failure("queue.dispatch_failed", error.message))
            if refused is not None:
                return Started(Receipt.DISPATCH_FAILED, refused)
            # The message had arrived after all, and a worker has already claimed the run.
            return Started(Receipt.QUEUED, _again(self._db, run))
        return Started(Receipt.QUEUED, lifecycle.mark_dispatched(self._db, run.id) or _again(self._db, run))


def make_dispatcher(db: Database, registry: Registry, queue_timeout: float) -> tuple[Dispatcher, Queue]:
    """Make a dispatcher and its queue; `queue_timeout` is in seconds. Imports Huey only when called, to keep it out of
    the first paint of the screens.
    """
    from tasks.queue.queue import Queue

    queue = Queue(db, queue_timeout)
    return Dispatcher(db, queue, registry), queue


def _state(run: Run) -> str:
    return run.outcome if run.status is Status.COMPLETED else run.status_words


def _again(db: Database, run: Run) -> Run:
    return lifecycle.get(db, run.id) or run
