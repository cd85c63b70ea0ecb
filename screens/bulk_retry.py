"""The retry of many runs: a dry run, then one retry after the other in a thread, with a receipt for each. No screen in it."""

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

#: Between two tries while the database is away.
PAUSES: Final = Backoff(first=0.5, longest=5.0)


class Phase(StrEnum):
    """Where the job is. `stopped` and `done` are ends; `failed` is a dry run that could not be made."""

    REHEARSING = "dry run"
    READY = "ready"
    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"


class Kind(StrEnum):
    """What is known of one run of the job: first what the dry run says, then its receipt."""

    UNKNOWN = "not looked at yet"
    ELIGIBLE = "eligible"
    JOINS = "has an active twin"
    QUEUED = "queued"
    ATTACHED = "joined"
    FORBIDDEN = "not permitted"
    REFUSED = "refused"
    DISPATCH_FAILED = "not queued"
    NOT_TRIED = "not tried"


#: What nothing more comes after. A dry run that refuses is one already.
RECEIPTS: Final = frozenset(Kind) - {Kind.UNKNOWN, Kind.ELIGIBLE, Kind.JOINS}


@dataclass(frozen=True, slots=True)
class Item:
    """One run of the job as it stands. `run` is the run to retry, `new_id` the run that its retry has come to, or joins."""

    run_id: int
    kind: Kind = Kind.UNKNOWN
    run: Run | None = None
    words: str = ""
    new_id: int | None = None
    #: The newest retry of it by this user that there was at the dry run.
    retry_id: int | None = None


class BulkRetry:
    """Made with the ids of the runs to retry, which never change. Its methods return at once and never raise."""

    def __init__(
        self, backend: Backend, run_ids: Sequence[int], words: str, ended: Callable[[BulkRetry], None]
    ) -> None:
        """`words` say what was chosen; `ended` is called from the job's thread."""
        self.words = words
        self.phase = Phase.REHEARSING
        #: Why it waits, or why it failed.
        self.trouble = ""
        #: Whether those that have an active twin are to join it.
        self.joins_too = False
        #: The ids of the runs that it has started.
        self.started: set[int] = set()
        #: Retries that it has begun, and of which it knows the receipts.
        self.begun = self.known = 0
        self._backend = backend
        self._ended = ended
        self._items = [Item(run_id) for run_id in dict.fromkeys(run_ids)]
        self._counts = Counter(item.kind for item in self._items)
        self._changed: list[int] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()

    # -- for whoever looks ------------------------------------------------------------------------------------------------

    @property
    def items(self) -> tuple[Item, ...]:
        """Every run of the job, in its order."""
        return tuple(self._items)

    @property
    def counts(self) -> Counter[Kind]:
        with self._lock:
            return self._counts.copy()

    def changes(self, since: int) -> tuple[int, list[tuple[int, Item]]]:
        """The items that have changed since then (0: the beginning), with their places, and the `since` of the next call."""
        with self._lock:
            places = dict.fromkeys(self._changed[since:])
            return len(self._changed), [(place, self._items[place]) for place in places]

    @property
    def is_active(self) -> bool:
        return self.phase is Phase.RUNNING

    @property
    def is_stopping(self) -> bool:
        return self._stop.is_set()

    # -- what it does -----------------------------------------------------------------------------------------------------

    def rehearse(self) -> None:
        """Begin the dry run."""
        self._backend.background.start(self._rehearse, self._survived)

    def start(self, *, joins_too: bool = False) -> None:
        """Begin to retry what is eligible, once the dry run is there; `joins_too`: what has an active twin joins it."""
        if self.phase is Phase.READY:
            self.joins_too = joins_too
            self.phase = Phase.RUNNING
            self._backend.background.start(self._run, self._survived)

    def stop(self) -> None:
        """Try no more. What is being tried gets its receipt."""
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
        """The item with its receipt."""
        tries = 0

        def retry() -> Started:
            nonlocal tries
            tries += 1
            dispatcher, user = self._backend.dispatcher(), self._backend.user
            # The database may have gone away behind a run that it had opened, and that has ended since.
            found = dispatcher.retried(user, item.run_id, item.retry_id) if tries > 1 else None
            return found or dispatcher.retry(user, item.run_id, seen=item.run)

        try:
            started = self._patiently(retry)
        except Exception as error:  # whatever is wrong with one run, the others go on
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
        """What `work` returns, as soon as the database is there; None when the job was stopped before."""
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
    """The newest of the jobs, `most` of them, and whichever is under way: it must be found again."""
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
