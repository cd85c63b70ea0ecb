"""Carries out runs in a worker: claims them, calls their operations, stores progress, enforces deadlines, and completes
them.

Threads cannot be stopped from outside. At its deadline a run is completed as failed with `operation.timeout`, whatever
its thread does. The thread notices at its next RunContext call; a late return changes nothing. Until it returns, its
slot counts as stuck.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from store.db.engine import Database
from store.errors import DatabaseAway, InputInvalid, OperationFailed, OpsmonError, RunEnded, SchemaMismatch
from store.model.records import Failure, Outcome, Run, Status
from store.runs import lifecycle, outcome
from store.runs.lifecycle import Result
from tasks.queue.faults import Faults
from tasks.sdk.context import OperationResources, RunContext
from tasks.sdk.operation import Operation
from tasks.sdk.registry import Registry
from tasks.worker import frames

#: Progress of one run is stored at most this often, in seconds.
FLUSH_EVERY: Final = 0.5
#: Seconds between two tries to store the end of a run while the database is away.
RETRY_EVERY: Final = 1.0
#: What somebody puts right, a migration that is under way say. Until then a run waits with what it has to say.
_PASSING: Final = (DatabaseAway, SchemaMismatch)

logger = logging.getLogger("opsmon.worker")


@dataclass
class _InFlight:
    """A run that is being carried out. `deadline` and `flushed` (the last progress stored) are in seconds of the
    executor's clock.
    """

    context: RunContext
    deadline: float
    flushed: float = field(default=0.0)
    #: Held while progress is stored: what was collected for it would be refused once the run is completed.
    storing: threading.Lock = field(default_factory=threading.Lock)
    #: Something of it could not be stored, and was not yet.
    owes: bool = False


class RunExecutor:
    """Carries out the runs of one worker. The slots' threads call `execute`; a thread of the worker calls `flush_and_expire`."""

    def __init__(
        self,
        db: Database,
        worker_id: int,
        registry: Registry,
        tools: OperationResources,
        faults: Faults | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._worker_id = worker_id
        self._registry = registry
        self._tools = tools
        self._faults = faults or Faults(db)
        self._clock = clock
        self._in_flight: set[int] = set()
        self._slots: dict[int, _InFlight] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._stopping = threading.Event()

    # -- in a slot's thread -----------------------------------------------------------------------------------------------

    def execute(self, run_id: int) -> bool:
        """Carry out the run named by a message. For a message that is duplicate or late, there is nothing to claim.

        Returns False, having done nothing, if the worker takes no more messages: another worker has to take it.
        """
        with self._changed:
            if self._closed:
                return False
            known = run_id in self._in_flight
            self._in_flight.add(run_id)
        if known:
            logger.info("run %s: nothing to claim, the message is dropped", run_id)
            return True
        try:
            self._execute(run_id)
        finally:
            with self._changed:
                self._in_flight.discard(run_id)
                self._changed.notify_all()
        return True

    def _execute(self, run_id: int) -> None:
        run = self._persist(f"claim run {run_id}", lambda: self._claim(run_id))
        if run is None:
            logger.info("run %s: nothing to claim, the message is dropped", run_id)
            return
        logger.info("run %s: %s of %s started", run.id, run.type, run.tenant)
        try:
            operation = self._registry.get(run.type)
            parameters = operation.check(run.parameters)
        except InputInvalid as error:
            code = "input.invalid" if run.type in self._registry.operations else "operation.unknown"
            self._complete(run, Result(Outcome.FAILED, failures=(outcome.failure(code, error.message),)))
            return
        self._carry_out(run, operation, parameters)

    def _claim(self, run_id: int) -> Run | None:
        claimed = lifecycle.claim(self._db, run_id, self._worker_id)
        if claimed is not None:
            return claimed
        # A claim whose answer was lost with its connection has made the run this worker's: nobody else would ever end it.
        found = lifecycle.get(self._db, run_id)
        is_ours = found is not None and found.status is Status.RUNNING and found.worker_id == self._worker_id
        return found if is_ours else None

    def _carry_out(self, run: Run, operation: Operation, parameters: dict[str, Any]) -> None:
        context = RunContext(run, self._tools, self._clock)
        slot = _InFlight(context, self._clock() + operation.timeout)
        with self._changed:
            self._slots[run.id] = slot
        try:
            error = _call(operation, context, parameters)
            if context.is_over:
                logger.warning(
                    "run %s: its operation returned after the run had been completed; nothing is changed", run.id
                )
            else:
                with slot.storing:
                    result = context.conclude(error=error)
                self._complete(run, result)
        finally:
            with self._changed:
                del self._slots[run.id]

    def _complete(self, run: Run, result: Result) -> None:
        done = self._persist(f"complete run {run.id}", lambda: self._finish(run.id, result))
        if done is None:
            logger.warning("run %s: was completed by somebody else meanwhile; nothing is changed", run.id)
        else:
            logger.info("run %s: %s", run.id, done.outcome)

    def _finish(self, run_id: int, result: Result) -> Run | None:
        try:
            return lifecycle.finish(self._db, run_id, self._worker_id, result)
        except _PASSING:
            raise
        except Exception:
            # What cannot be stored must not keep the run "running" for as long as this worker lives.
            logger.exception("run %s: its end cannot be stored as it is", run_id)
            failure = outcome.failure("operation.error", "its result could not be stored")
            return lifecycle.finish(self._db, run_id, self._worker_id, Result(Outcome.FAILED, failures=(failure,)))

    def _persist(self, what: str, attempt: Callable[[], Run | None]) -> Run | None:
        """Repeat `attempt` until the database answers: a run that is over must not stay "running" because of a lost
        connection.

        Gives up, and returns None, once the worker stops; the rescuers then complete the run.
        """
        while True:
            try:
                found = attempt()
            except _PASSING as error:
                self._faults.failed(what, error)
                if self._stopping.wait(RETRY_EVERY):
                    return None
            else:
                self._faults.went_well(what)
                return found

    # -- in the worker's thread -------------------------------------------------------------------------------------------

    def flush_and_expire(self) -> bool:
        """Store progress that is due, and complete runs past their deadline. Raises DatabaseAway; no progress is lost
        by that.

        Returns False if something that could not be stored earlier has not been tried again yet.
        """
        now = self._clock()
        with self._changed:
            slots = [(run_id, slot) for run_id, slot in self._slots.items() if not slot.context.is_over]
        for run_id, slot in slots:
            if now >= slot.deadline:
                self._end(run_id, slot, outcome.failure("operation.timeout"))
            elif now - slot.flushed >= FLUSH_EVERY:
                self._flush(run_id, slot, now)
        return not any(slot.owes for _, slot in slots)

    def _flush(self, run_id: int, slot: _InFlight, now: float) -> None:
        with slot.storing:
            result = slot.context.collect()
            if result is None:
                return
            slot.flushed = now
            stored = self._store(
                slot, lambda result: lifecycle.progress(self._db, run_id, self._worker_id, result), result
            )
        if stored is None:
            # Unless its own thread has just completed it, the run was given up for lost while this worker slept.
            slot.context.end()

    def _store(self, slot: _InFlight, write: Callable[[Result], Run | None], result: Result) -> Run | None:
        try:
            stored = write(result)
        except _PASSING:
            slot.owes = True
            slot.context.put_back(result)
            raise
        slot.owes = False
        return stored

    def _end(self, run_id: int, slot: _InFlight, failure: Failure) -> None:
        """Complete the run without waiting for its operation; no effect if it is already completed."""
        result = slot.context.conclude(error=failure, ended=Outcome.FAILED)
        self._store(slot, lambda result: self._finish(run_id, result), result)
        slot.context.end()
        logger.warning("run %s: %s", run_id, failure.message)

    def stuck_slots(self) -> int:
        """Number of slots whose run is over, but whose operation has not returned."""
        with self._changed:
            return sum(slot.context.is_over for slot in self._slots.values())

    def close(self) -> None:
        """Take no more messages."""
        with self._changed:
            self._closed = True

    def wait_until_idle(self, seconds: float) -> bool:
        """Wait up to `seconds` for active runs to end; returns whether all have. Stuck slots do not count."""
        with self._changed:
            return self._changed.wait_for(lambda: all(map(self._is_over, self._in_flight)), seconds)

    def _is_over(self, run_id: int) -> bool:
        return run_id in self._slots and self._slots[run_id].context.is_over

    def stop(self) -> None:
        """Complete the remaining runs as failed with `worker.stopped`."""
        self._stopping.set()
        with self._changed:
            slots = [(run_id, slot) for run_id, slot in self._slots.items() if not slot.context.is_over]
        for run_id, slot in slots:
            self._end(run_id, slot, outcome.failure("worker.stopped"))


def _call(operation: Operation, context: RunContext, parameters: dict[str, Any]) -> Failure | None:
    """Call the operation's function. Anything it raises becomes a failure; the traceback goes to the log, which sanitizes it."""
    try:
        operation.function(context, **parameters)
    except RunEnded:
        return None
    except OperationFailed as error:
        return outcome.failure(error.failure_code, _text(error))
    except OpsmonError as error:
        return outcome.failure(error.code, _text(error))
    except BaseException as error:  # even SystemExit: an operation must not take the worker down
        logger.exception("run %s: %s raised", context.id, operation.type)
        with contextlib.suppress(Exception):  # an exception whose frames cannot be told is still an exception
            context.explain(frames.lines_of(error))
        return outcome.failure("operation.error", f"{type(error).__name__}: {_text(error)}".rstrip(": "))
    return None


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # an exception whose text cannot be made is still an exception
        return ""
