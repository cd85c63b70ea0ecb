"""The retry of many runs: a dry run, then one retry after the other in a thread, with a receipt for each. No screen in it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from screens.backend import Backend, in_background
from store.errors import DatabaseAway, OpsmonError
from store.records import Run

if TYPE_CHECKING:
    from tasks.dispatch import Rehearsed, Started

#: Seconds between two tries while the database is away.
AWAY_PAUSE: Final = 1.0


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

    UNKNOWN = "not looked at"
    ELIGIBLE = "eligible"
    JOINS = "with active twin"
    REFUSED = "refused"
    QUEUED = "queued"
    ATTACHED = "joined"
    DISPATCH_FAILED = "not queued"
    STOPPED = "not tried"


#: What a retry comes to; the others are what is known before it.
RECEIPTS: Final = (Kind.QUEUED, Kind.ATTACHED, Kind.DISPATCH_FAILED, Kind.STOPPED)


@dataclass(frozen=True, slots=True)
class Item:
    """One run of the job as it stands. `run` is the run to retry, `new_id` the run that its retry has come to, or joins.

    `retry_id` is the newest retry of it that there was before the job.
    """

    run_id: int
    kind: Kind = Kind.UNKNOWN
    run: Run | None = None
    words: str = ""
    new_id: int | None = None
    retry_id: int | None = None


class BulkRetry:
    """Made with the ids of the runs to retry, which never change. Its methods return at once; `changed` counts changes."""

    def __init__(
        self, backend: Backend, run_ids: Sequence[int], words: str, ended: Callable[[BulkRetry], None]
    ) -> None:
        self.words = words
        self.phase = Phase.REHEARSING
        #: Why it waits, or why it failed.
        self.trouble = ""
        self.changed = 0
        self._backend = backend
        self._ended = ended
        self._items = {run_id: Item(run_id) for run_id in run_ids}
        self._lock = threading.Lock()
        self._stop = threading.Event()

    # -- for whoever looks ------------------------------------------------------------------------------------------------

    @property
    def items(self) -> tuple[Item, ...]:
        """Every run of the job, in its order."""
        with self._lock:
            return tuple(self._items.values())

    @property
    def counts(self) -> Counter[Kind]:
        return Counter(item.kind for item in self.items)

    @property
    def is_active(self) -> bool:
        return self.phase is Phase.RUNNING

    # -- what it does -----------------------------------------------------------------------------------------------------

    def rehearse(self) -> None:
        """Begin the dry run."""
        in_background(self._rehearse, self._survived)

    def start(self) -> None:
        """Begin to retry what is eligible, once the dry run is there."""
        if self.phase is Phase.READY:
            self._enter(Phase.RUNNING)
            in_background(self._run, self._survived)

    def stop(self) -> None:
        """Try no more. What is being tried gets its receipt."""
        self._stop.set()

    def _survived(self, error: object) -> None:
        if isinstance(error, Exception):
            self.trouble = _words(error)
            self._enter(Phase.FAILED)
            self._ended(self)

    def _enter(self, phase: Phase) -> None:
        self.phase = phase
        self.changed += 1

    def _rehearse(self) -> None:
        ids = tuple(self._items)
        for one in self._backend.dispatcher().rehearse(self._backend.user, ids):
            self._put(_from_rehearsal(one))
        self._enter(Phase.READY)

    def _put(self, item: Item) -> None:
        with self._lock:
            self._items[item.run_id] = item
        self.changed += 1

    def _run(self) -> None:
        for item in self.items:
            if item.kind is Kind.ELIGIBLE:
                self._put(self._retried(item))
        self.trouble = ""
        self._enter(Phase.STOPPED if self._stop.is_set() else Phase.DONE)
        self._ended(self)

    def _retried(self, item: Item) -> Item:
        """The item with its receipt. While the database is away, it waits."""
        from tasks.dispatch import Receipt

        kinds = {
            Receipt.QUEUED: Kind.QUEUED,
            Receipt.ATTACHED: Kind.ATTACHED,
            Receipt.DISPATCH_FAILED: Kind.DISPATCH_FAILED,
        }
        tried = False
        while not self._stop.is_set():
            try:
                started = self._try(item, tried)
            except DatabaseAway as error:
                tried = True
                self._say(f"waits for the database: {error}")
                self._stop.wait(AWAY_PAUSE)
            except Exception as error:  # one run's own: the others go on
                return Item(item.run_id, Kind.REFUSED, item.run, _words(error))
            else:
                self._say("")
                return Item(item.run_id, kinds[started.receipt], item.run, new_id=started.run.id)
        words = "the database went away while it was tried" if tried else "stopped before its turn"
        return Item(item.run_id, Kind.STOPPED, item.run, words)

    def _try(self, item: Item, tried: bool) -> Started:
        """Retry the run, unless a try before has opened the new run, and the database went away before it could say so."""
        dispatcher, user = self._backend.dispatcher(), self._backend.user
        started = dispatcher.retried(user, item.run_id, item.retry_id) if tried else None
        return started or dispatcher.retry(user, item.run_id, seen=item.run)

    def _say(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self.changed += 1


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, OpsmonError) else f"unforeseen: {type(error).__name__}: {error}"


def _from_rehearsal(one: Rehearsed) -> Item:
    from tasks.dispatch import Fate

    if one.fate is Fate.ELIGIBLE:
        return Item(one.run_id, Kind.ELIGIBLE, one.run, retry_id=one.retry_id)
    if one.fate is Fate.REFUSED:
        return Item(one.run_id, Kind.REFUSED, one.run, one.reason)
    words = f"run {one.twin_id} is active" if one.twin_id else f"the same as run {one.same_as} of this list"
    return Item(one.run_id, Kind.JOINS, one.run, words, one.twin_id)
