"""The bulk retry: a dry run, then one retry after another in a thread, with a receipt for each. Knows no screen."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

from screens.backend import Backend
from store.backoff import Backoff
from store.errors import DatabaseAway, Forbidden, OpsmonError
from store.model.records import Run

if TYPE_CHECKING:
    from tasks.dispatch import DryRunResult, Started

T = TypeVar("T")

#: Back-off while the database is away, in seconds.
PAUSES: Final = Backoff(first=0.5, longest=5.0)


class Phase(StrEnum):
    """The job's phase. `stopped` and `done` are final; `failed` means that the job broke off with an error."""

    REHEARSING = "dry run"
    READY = "ready"
    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"


class Kind(StrEnum):
    """What is known about one run of the job: first the dry run's verdict, then the receipt."""

    UNKNOWN = "not looked at yet"
    ELIGIBLE = "eligible"
    JOINS = "has an active twin"
    QUEUED = "queued"
    ATTACHED = "joined"
    FORBIDDEN = "not permitted"
    REFUSED = "refused"
    DISPATCH_FAILED = "not queued"
    NOT_TRIED = "not tried"


#: Final states of an item. A refusal by the dry run is final, too.
RECEIPTS: Final = frozenset(Kind) - {Kind.UNKNOWN, Kind.ELIGIBLE, Kind.JOINS}


@dataclass(frozen=True, slots=True)
class Item:
    """One run of the job and its state. `run` is the run to retry; `new_id` is the run that the retry created or
    joined.

    `run_id` is the id in the selection, `kind` the state, and `words` the reason, or "".
    """

    run_id: int
    kind: Kind = Kind.UNKNOWN
    run: Run | None = None
    words: str = ""
    new_id: int | None = None
    #: The newest retry of this run by this user, as of the dry run.
    retry_id: int | None = None


class BulkRetry:
    """A job over a fixed list of run ids. Its public methods return at once and never raise."""

    def __init__(
        self, backend: Backend, run_ids: Sequence[int], words: str, ended: Callable[[BulkRetry], None]
    ) -> None:
        """`words` describe the selection; `ended` is called in the job's thread."""
        self.words = words
        self.phase = Phase.REHEARSING
        #: Why the job waits, or why it failed; "" otherwise.
        self.trouble = ""
        #: Whether runs with an active twin join it.
        self.joins_too = False
        #: Ids of the runs that this job created.
        self.started: set[int] = set()
        #: Number of retries begun, and number of receipts received.
        self.begun = self.known = 0
        self._backend = backend
        self._ended = ended
        self._items = [Item(run_id) for run_id in dict.fromkeys(run_ids)]
        self._counts = Counter(item.kind for item in self._items)
        self._changed: list[int] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()

    # -- for observers ----------------------------------------------------------------------------------------------------

    @property
    def items(self) -> tuple[Item, ...]:
        """Every run of the job, in the order of the selection."""
        return tuple(self._items)

    @property
    def counts(self) -> Counter[Kind]:
        """Number of items of each kind."""
        with self._lock:
            return self._counts.copy()

    def changes(self, since: int) -> tuple[int, list[tuple[int, Item]]]:
        """Return the items changed since `since` (0: the beginning) with their positions, and the `since` for the next
        call.
        """
        with self._lock:
            places = dict.fromkeys(self._changed[since:])
            return len(self._changed), [(place, self._items[place]) for place in places]

    @property
    def is_active(self) -> bool:
        """Whether retries are being made now."""
        return self.phase is Phase.RUNNING

    @property
    def is_stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    # -- commands ---------------------------------------------------------------------------------------------------------

    def rehearse(self) -> None:
        """Start the dry run."""
        self._backend.background.start(self._rehearse, self._survived)

    def start(self, *, joins_too: bool = False) -> None:
        """Start retrying the eligible runs, if the dry run is complete. With `joins_too`, runs with an active twin join
        it.
        """
        if self.phase is Phase.READY:
            self.joins_too = joins_too
            self.phase = Phase.RUNNING
            self._backend.background.start(self._run, self._survived)

    def stop(self) -> None:
        """Try no further run. The retry in flight still gets its receipt."""
        self._stop.set()

    def _survived(self, error: object) -> None:
        if isinstance(error, Exception):
            self.trouble = _told(error)
            self.phase = Phase.FAILED
            self._ended(self)

    def _rehearse(self) -> None:
        ids = [item.run_id for item in self._items]
        rehearsed = self._patiently(lambda: self._backend.dispatcher().dry_run_retries(self._backend.user, ids))
        for place, one in enumerate(rehearsed or ()):
            self._put(place, _from_rehearsal(one))
        self.phase = Phase.STOPPED if rehearsed is None else Phase.READY

    def _run(self) -> None:
        for place, item in enumerate(self.items):
            if item.kind is Kind.ELIGIBLE or (item.kind is Kind.JOINS and self.joins_too):
                self.begun += 1
                self._put(place, self._retried(item))
                self.known = self.begun
            elif item.kind is Kind.JOINS:
                self._put(place, Item(item.run_id, Kind.NOT_TRIED, item.run, item.words, item.new_id))
        stopped = self.is_stopping and self.counts[Kind.NOT_TRIED]
        self.phase = Phase.STOPPED if stopped else Phase.DONE
        self._ended(self)

    def _retried(self, item: Item) -> Item:
        """Retry the item's run, and return the item with its receipt."""
        tries = 0

        def retry() -> Started:
            nonlocal tries
            tries += 1
            dispatcher, user = self._backend.dispatcher(), self._backend.user
            # The connection may have been lost after the run was created; that run may even have ended since.
            existing = dispatcher.retried(user, item.run_id, item.retry_id) if tries > 1 else None
            return existing or dispatcher.retry(user, item.run_id, seen=item.run)

        try:
            started = self._patiently(retry)
        except Exception as error:  # one failed retry must not end the job
            kind = Kind.FORBIDDEN if isinstance(error, Forbidden) else Kind.REFUSED
            return Item(item.run_id, kind, item.run, _told(error))
        if started is None:
            return Item(item.run_id, Kind.NOT_TRIED, item.run, "stopped before its turn")
        return self._receipt(item, started)

    def _receipt(self, item: Item, started: Started) -> Item:
        from tasks.dispatch import Receipt

        new = started.run
        if started.receipt is Receipt.DISPATCH_FAILED:
            words = new.failure_summary[0].message if new.failure_summary else ""
            return Item(item.run_id, Kind.DISPATCH_FAILED, item.run, words, new.id)
        kind = Kind.QUEUED if started.receipt is Receipt.QUEUED else Kind.ATTACHED
        return Item(item.run_id, kind, item.run, new_id=new.id)

    def _patiently(self, work: Callable[[], T]) -> T | None:
        """Return the result of `work`, tried again until the database answers; None if the job is stopped first."""
        failed = 0
        while not self.is_stopping:
            try:
                result = work()
            except DatabaseAway as error:
                self.trouble = f"It waits for the database: {error}."
                failed += 1
                self._stop.wait(PAUSES.pause(failed))
            else:
                self.trouble = ""
                return result
        self.trouble = ""
        return None

    def _put(self, place: int, item: Item) -> None:
        if item.new_id and item.kind in (Kind.QUEUED, Kind.DISPATCH_FAILED):
            self.started.add(item.new_id)
        with self._lock:
            self._counts[self._items[place].kind] -= 1
            self._counts[item.kind] += 1
            self._items[place] = item
            self._changed.append(place)


def kept(jobs: Sequence[BulkRetry], most: int) -> list[BulkRetry]:
    """The newest `most` jobs, plus any job still active: the user must be able to return to it."""
    return [job for number, job in enumerate(jobs) if number >= len(jobs) - most or job.is_active]


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, OpsmonError) else f"unforeseen: {type(error).__name__}: {error}"


def _from_rehearsal(one: DryRunResult) -> Item:
    from tasks.dispatch import Verdict

    if one.verdict is Verdict.ELIGIBLE:
        return Item(one.run_id, Kind.ELIGIBLE, one.run, retry_id=one.retry_id)
    if one.verdict is Verdict.REFUSED:
        kind = Kind.FORBIDDEN if one.code == Forbidden.code else Kind.REFUSED
        return Item(one.run_id, kind, one.run, one.reason)
    words = f"run {one.twin_id} is active" if one.twin_id else f"the same as run {one.same_as} of this list"
    return Item(one.run_id, Kind.JOINS, one.run, words, one.twin_id)
