"""What the processes of test_starting.py do. A module of its own, so that a spawned process imports no more than it needs."""

from __future__ import annotations

import random
from multiprocessing.synchronize import Barrier, Event

from store import runs
from store.database import Database
from store.records import Tenant
from tests.support.people import SUCCEEDED, make_worker, new_run
from tests.support.waiting import HANG

#: What became of an attempt: the run's id, the identity that was wanted, the run's status, whether it was opened.
Told = tuple[int, str, str, bool]

_ready: Barrier
_over: Event


def prepare(ready: Barrier, over: Event) -> None:
    """Called once in each process: these two cannot be sent later."""
    global _ready, _over
    _ready, _over = ready, over


def race(url: str, tenant: Tenant, keys: range, attempts: int, seed: int) -> list[Told]:
    """Start runs of the identities as fast as can be. Returns what each attempt was told."""
    db = Database(url, pool_size=1)
    dice = random.Random(seed)
    try:
        runs.active_twin(db, tenant.id, "")  # connected before it begins
        _ready.wait(HANG)
        wanted = (new_run(tenant, key=dice.choice(keys)) for _ in range(attempts))
        answers = ((new.run_identity_hash, *runs.open_or_join(db, new)) for new in wanted)
        return [(run.id, identity, run.status.value, opened) for identity, run, opened in answers]
    finally:
        db.close()


def finish_whatever_runs(url: str, tenant: Tenant, keys: range) -> int:
    """Complete one active run after the other, so that twins end between an attempt's two statements. Returns how many."""
    db = Database(url, pool_size=1)
    worker_id, finished = make_worker(db), 0
    identities = [new_run(tenant, key=key).run_identity_hash for key in keys]
    try:
        _ready.wait(HANG)
        while not _over.is_set():
            for identity in identities:
                run = runs.active_twin(db, tenant.id, identity)
                if run and runs.claim(db, run.id, worker_id):
                    assert runs.finish(db, run.id, worker_id, SUCCEEDED)
                    finished += 1
        return finished
    finally:
        db.close()
