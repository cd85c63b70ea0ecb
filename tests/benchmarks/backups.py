"""Backups beside a bare httpx client that sends the very requests, drift over many policies, and the memory of both."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import psutil
import sqlalchemy as sa

from store.db.engine import Database
from store.intune import backups as store_backups
from store.intune import drift as store_drift
from store.model.tables import policy_versions
from tasks.operations import backup_set, drift_generate, policy_sync
from tasks.worker.garbage import collect_rarely
from tests.benchmarks import tenant
from tests.benchmarks.report import Line, median, say
from tests.benchmarks.stage import KINDS, Stage, opened


def backups(stage: Stage) -> Iterator[Line]:
    """backup_set.create against a bare client, then drift.generate over as many policies, each of which is compared."""
    collect_rarely()  # as a worker does
    for kind in KINDS:
        with tenant.simulated(stage, stage.scale.policies) as url, opened(stage.founded(kind)) as db:
            backing: list[float] = []
            create = functools.partial(backup_set.create, kinds=None)
            with tenant.looked_at(store_backups, "add", backing):
                yield tenant.beside_bare(stage, f"{kind}: backup_set.create", create, db, url)
            yield _memory(f"{kind}: memory while policies are backed up", backing)
            yield from _drift(stage, kind, db, url)
        far = stage.scale.answer
        with tenant.simulated(stage, stage.scale.policies, seconds=far) as url, opened(stage.founded(kind)) as db:
            name = f"{kind}: backup_set.create, {1000 * far:.0f} ms an answer"
            yield tenant.beside_bare(stage, name, functools.partial(backup_set.create, kinds=None), db, url)


def _drift(stage: Stage, kind: str, db: Database, url: str) -> Iterator[Line]:
    tenant.carry_out(db, url, policy_sync.sync)
    with db.write() as connection:
        # Each policy then has another version, so that no comparison is spared by equal hashes.
        connection.execute(sa.update(policy_versions).values(canonical_hash="older", assignments_hash="older"))
    tenant.carry_out(db, url, policy_sync.sync)
    seconds: list[float] = []
    comparing: list[float] = []
    with tenant.looked_at(store_drift, "add", comparing):
        for number in range(stage.scale.syncs):
            say(f"{kind}: drift, repetition {number + 1} of {stage.scale.syncs}")
            seconds.append(tenant.carry_out(db, url, drift_generate.generate))
    took = median(seconds)
    yield Line(f"{kind}: drift.generate over {stage.scale.policies} policies", f"{took:.2f} s", "<= 3 s", took <= 3)
    yield _memory(f"{kind}: memory while policies are compared", comparing)


def _memory(measure: str, megabytes: list[float]) -> Line:
    settled = megabytes[len(megabytes) // 10 :] or [psutil.Process().memory_info().rss / 2**20]
    low, high = min(settled), max(settled)
    return Line(measure, f"{low:.0f} to {high:.0f} MB", "+- 10 MB", high - low <= 20)
