"""What the processes of test_starting.py do. A module of its own, so that a spawned process imports no more than it needs."""

from __future__ import annotations

import random
from multiprocessing.synchronize import Barrier, Event
from typing import Any

from store import runs
from store.database import Database
from store.records import Tenant
from tests.support.people import SUCCEEDED, make_worker, new_run

#: What an attempt was told: the run's id, its identity, its status, whether it was opened.
Told = tuple[int, str, str, bool]


def race(url: str, tenant: Tenant, keys: range, attempts: int, seed: int, ready: Barrier, told: Any) -> None:
    """Start runs of the identities as fast as can be, and tell all answers, or the error that ended it."""
    db = Database(url, pool_size=1)
    dice = random.Random(seed)
    answers: list[Told] = []
    try:
        runs.active_twin(db, tenant.id, "")  # connected, before the others are
        ready.wait(60)
        for _ in range(attempts):
            run, opened = runs.open_or_join(db, new_run(tenant, key=dice.choice(keys)))
            answers.append((run.id, run.run_identity_hash, run.status.value, opened))
    except BaseException as error:
        told.put((answers, f"{type(error).__name__}: {error}"))
        raise
    else:
        told.put((answers, None))
    finally:
        db.close()


def finish_whatever_runs(url: str, tenant: Tenant, keys: range, ready: Barrier, over: Event, told: Any) -> None:
    """Complete one active run after the other, so that twins end between an attempt's two statements."""
    db = Database(url, pool_size=1)
    worker_id, finished = make_worker(db), 0
    identities = [new_run(tenant, key=key).run_identity_hash for key in keys]
    try:
        ready.wait(60)
        while not over.is_set():
            for identity in identities:
                run = runs.active_twin(db, tenant.id, identity)
                if run and runs.claim(db, run.id, worker_id):
                    assert runs.finish(db, run.id, worker_id, SUCCEEDED)
                    finished += 1
        told.put((finished, None))
    except BaseException as error:
        told.put((finished, f"{type(error).__name__}: {error}"))
        raise
    finally:
        db.close()
