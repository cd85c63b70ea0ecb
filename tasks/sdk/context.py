"""The context of a run, passed to its operation. Its methods only change memory; the worker stores counts and log lines."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from store.db.engine import Database
from store.errors import RunEnded
from store.model.records import Counts, Failure, Outcome, Run
from store.runs import outcome
from store.runs.lifecycle import Result
from store.runs.log import MAX_EVENTS, MAX_MESSAGE, NewLogLine
from store.sanitizer.sanitize import sanitize
from tasks.sdk.notes import MAX_KEY, MAX_NUMBER, Notes


@dataclass(frozen=True, slots=True)
class GraphSettings:
    """How to reach Microsoft Graph."""

    #: URL of Graph, without a version; empty for that of the tenant's cloud.
    graph_url: str
    #: URL of the sign-in service; empty for that of the tenant's cloud.
    graph_authority: str
    #: Returns the credentials of the app for a tenant's slug, as in [credentials.SLUG]; None if none are set up. Texts, but
    #: `client_assertion` is a function that reads it.
    credentials: Callable[[str], Mapping[str, Any] | None]
    #: Requests that a run sends in any 20 seconds at most, to read and to change.
    reads: int = 900
    writes: int = 90
    #: Seconds that one request waits for a throttled Graph, in all.
    longest_wait: float = 300.0


@dataclass(frozen=True, slots=True)
class TenantRef:
    """The tenant that a run works on: its id, its slug, and its name for people."""

    id: int
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class OperationResources:
    """Resources of built-in operations: the database, and the settings of Graph."""

    db: Database
    settings: GraphSettings


class RunContext:
    """The run, as seen by its operation: counts items, records failures, writes log lines. Thread-safe.

    Every call raises RunEnded once the run is over (its deadline has passed, or its worker was taken for lost). Do not
    catch it: it ends the function.
    """

    def __init__(self, run: Run, tools: OperationResources, clock: Callable[[], float] = time.monotonic) -> None:
        self.id = run.id
        self.tenant = TenantRef(run.tenant_id, run.tenant, run.tenant_name)
        self.parameters: Mapping[str, Any] = run.parameters
        #: The user's name as it was at the start, or `System`.
        self.initiator = run.initiator_name
        #: The run that this one retries.
        self.retry_of_id = run.retry_of_id
        self.tools = tools
        self._clock = clock
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._notes = Notes(run.context or {})
        self._counts = Counts()
        self._counted = False
        self._failures: dict[tuple[str, str], int] = {}
        self._log: list[tuple[float, str, str]] = []
        self._logged = 0
        self._changed = False
        self._noted = False
        self._taken_at = clock()

    def total(self, items: int) -> None:
        """Set the number of items, as soon as it is known. It may be corrected at any time."""
        self._count(total=_whole(items))

    def success(self, items: int = 1) -> None:
        """Count items that succeeded."""
        self._count(success=_whole(items))

    def skipped(self, items: int = 1) -> None:
        """Count items that were skipped on purpose. They do not make the run fail."""
        self._count(skipped=_whole(items))

    def failed(self, code: str, message: str = "", items: int = 1) -> None:
        """Count items that failed. `code` is stable, lower-case and dotted; `message` names the object, and is sanitized."""
        with self._changing():
            if _whole(items):
                outcome.add_failure(self._failures, outcome.failure(code, message, items))
            self._count(failed=items)

    def log(self, message: str, level: str = "info") -> None:
        """Add a line to the run's timeline. Levels: debug, info, warning, error. A run keeps its first 500 lines."""
        level = level if level in ("debug", "info", "warning", "error") else "info"
        with self._changing():
            self._logged += 1
            if self._logged < MAX_EVENTS:
                self._log.append((self._clock(), level, sanitize(str(message), MAX_MESSAGE)))
            elif self._logged == MAX_EVENTS:
                self._log.append((self._clock(), "warning", "further lines are not kept"))

    def note(self, key: str, value: Any) -> None:
        """Store a fact about the run, such as a request id, in its context. Never a secret; texts are sanitized.

        Notes are limited in number and size (see tasks/sdk/notes.py); the context says how many were left out.
        """
        key = sanitize(str(key), MAX_KEY)
        if key == "parameters":
            raise ValueError("a run's parameters do not change")
        with self._changing():
            self._notes.put(key, value)
            self._noted = True

    def sleep(self, seconds: float) -> None:
        """Wait `seconds`, but not beyond the end of the run."""
        self._over.wait(seconds)
        self.check()

    def check(self) -> None:
        """Raise RunEnded if the run is over. Call it now and then in long computations that make no other call."""
        if self._over.is_set():
            raise RunEnded("the run is over")

    # -- the worker's side ------------------------------------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        """Whether the run is over for its operation."""
        return self._over.is_set()

    def end(self) -> None:
        """Make every further call of the operation raise RunEnded."""
        self._over.set()

    def collect(self) -> Result | None:
        """The changes since the last call, to be stored; None if there are none."""
        with self._lock:
            return self._take(Outcome.PENDING) if self._changed else None

    def put_back(self, result: Result) -> None:
        """Keep `result`, which could not be stored, for the next `collect`: its log lines are queued again."""
        with self._lock:
            self._log[:0] = [(self._taken_at - event.age, event.level, event.message) for event in result.log]
            self._changed = True

    def explain(self, lines: Iterable[str]) -> None:
        """Add lines, sanitized already, about the exception that ended the function; whatever was logged before."""
        with self._lock:
            self._log += [(self._clock(), "error", line) for line in lines]

    def conclude(self, *, error: Failure | None = None, ended: Outcome | None = None) -> Result:
        """The result of the run: its outcome follows from the counts, worsened by `error`, unless `ended` sets it."""
        with self._lock:
            missing = self._counts.total - self._counts.done
            if error is None and missing > 0:
                error = outcome.failure("operation.incomplete", f"{missing} of {self._counts.total}", missing)
            return self._take(ended or outcome.derive_outcome(self._counts, raised=error is not None), error)

    def _take(self, result: Outcome, error: Failure | None = None) -> Result:
        failures = dict(self._failures)
        if error is not None:
            outcome.add_last_failure(failures, error)
        self._taken_at = now = self._clock()
        lines = tuple(NewLogLine(level, message, now - at) for at, level, message in self._log)
        self._log.clear()
        self._changed = False
        context = self._notes.context if self._noted else None
        return Result(result, self._counts if self._counted else None, outcome.summary(failures), lines, context)

    def _count(self, *, total: int | None = None, success: int = 0, failed: int = 0, skipped: int = 0) -> None:
        with self._changing():
            old = self._counts
            new = Counts(
                old.total if total is None else total, old.success + success, old.failed + failed, old.skipped + skipped
            )
            self._counts = Counts(max(new.total, new.done), new.success, new.failed, new.skipped)
            self._counted = True

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock:
            self.check()
            self._changed = True
            yield


def _whole(items: int) -> int:
    if type(items) is not int or not 0 <= items <= MAX_NUMBER:  # plug-ins may not be type-checked
        raise ValueError(f"a count is a whole number of at least 0, not {items!r}")
    return items
