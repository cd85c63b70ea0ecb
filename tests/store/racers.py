"""Processes that do the same at once, and what they do. They are forked from a warm process, so that none imports anything."""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier, Event

from store import schema
from store.db.dialects import Timeouts
from store.db.engine import Database
from store.model.records import Tenant
from store.runs import lifecycle
from tests.support import forked
from tests.support.people import SUCCEEDED, make_worker, new_run
from tests.support.waiting import HANG

#: What became of an attempt: the run's id, the identity that was wanted, the run's status, whether it was opened.
Told = tuple[int, str, str, bool]


@dataclass(frozen=True)
class Crowd:
    """Processes that wait for each other, and for the test, before they begin."""

    pool: ProcessPoolExecutor
    ready: Barrier
    #: The test has looked often enough.
    watched: Event
    #: Enough runs have ended.
    ended: Event
    #: Nobody starts runs any more.
    over: Event


@contextlib.contextmanager
def crowd(processes: int) -> Iterator[Crowd]:
    """So many of them; the test itself is one more who waits at the barrier."""
    make = forked.context
    ready, watched, ended, over = make.Barrier(processes + 1), make.Event(), make.Event(), make.Event()
    with ProcessPoolExecutor(processes, make, _prepare, (ready, watched, ended, over)) as pool:
        try:
            yield Crowd(pool, ready, watched, ended, over)
        finally:  # a test that failed leaves some of them waiting
            ready.abort()
            for event in (watched, ended, over):
                event.set()


_ready: Barrier
_watched: Event
_ended: Event
_over: Event


def _prepare(ready: Barrier, watched: Event, ended: Event, over: Event) -> None:
    """Called once in each process: these cannot be sent later."""
    global _ready, _watched, _ended, _over
    _ready, _watched, _ended, _over = ready, watched, ended, over


@contextlib.contextmanager
def _opened(url: str) -> Iterator[Database]:
    db = Database(url, Timeouts.within(HANG), pool_size=1)
    try:
        yield db
    finally:
        db.close()


def race(url: str, tenant: Tenant, keys: range, attempts: int, seed: int) -> list[Told]:
    """Start runs of the identities as fast as can be: so many, and until it was watched and enough have ended.

    Returns what each attempt was told.
    """
    dice, told = random.Random(seed), list[Told]()
    with _opened(url) as db:
        lifecycle.active_twin(db, tenant.id, "")  # connected before it begins
        _ready.wait(HANG)
        while len(told) < attempts or not (_watched.is_set() and _ended.is_set()):
            new = new_run(tenant, key=dice.choice(keys))
            run, opened = lifecycle.create_or_attach(db, new)
            told.append((run.id, new.run_identity_hash, run.status.value, opened))
    return told


def finish_whatever_runs(url: str, tenant: Tenant, keys: range, enough: int) -> int:
    """Complete one active run after the other, so that twins end between an attempt's two statements. Returns how many."""
    finished, identities = 0, [new_run(tenant, key=key).run_identity_hash for key in keys]
    with _opened(url) as db:
        worker_id = make_worker(db)
        _ready.wait(HANG)
        for identity in itertools.cycle(identities):
            if _over.is_set():
                return finished
            run = lifecycle.active_twin(db, tenant.id, identity)
            if run and lifecycle.claim(db, run.id, worker_id):
                assert lifecycle.finish(db, run.id, worker_id, SUCCEEDED)
                finished += 1
            if finished >= enough:
                _ended.set()
    raise AssertionError("a cycle does not end")


def upgrade(url: str) -> None:
    """Migrate the database when all the others do."""
    with _opened(url) as db:
        _ready.wait(HANG)
        schema.upgrade(db)
