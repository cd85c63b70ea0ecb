"""Pruning of a schedule's backup sets: how many stay, and what never goes."""

from __future__ import annotations

import sqlalchemy as sa

from store.db.engine import Database
from store.intune import backups
from store.intune.backup_records import BackupKind, NewSet
from store.model.records import Tenant
from store.model.tables import backup_sets
from tests.support import people


def ids(db: Database) -> list[int]:
    with db.read() as connection:
        return list(connection.execute(sa.select(backup_sets.c.id).order_by(backup_sets.c.id)).scalars())


def test_sets_that_are_never_complete_do_not_pile_up_and_push_out_no_good_one(db: Database, tenant: Tenant) -> None:
    """One kind is refused night after night."""

    def nightly(*kinds: BackupKind) -> int:
        set_id = backups.begin(db, tenant.id, NewSet("Nightly", {}, "System", schedule_id=7))
        backups.add(db, tenant.id, set_id, [], kinds)
        backups.end(db, set_id)
        return set_id

    refused = BackupKind("scripts", 3, 1, "graph.forbidden", "permission is missing")
    good = nightly()
    bad = [nightly(refused) for _ in range(5)]
    assert backups.keep_last(db, 7, 2) == 3
    assert ids(db) == [good, *bad[-2:]]
    better = [nightly(), nightly()]
    assert backups.keep_last(db, 7, 2) == 3
    assert ids(db) == better


def test_a_set_that_a_run_writes_to_is_not_removed_as_too_old(db: Database, tenant: Tenant) -> None:
    """A retry fills an older set of a schedule while the schedule's next backup ends."""
    new, run = NewSet("Nightly", {}, "System", schedule_id=7), people.start_run(db, tenant)
    old = backups.begin(db, tenant.id, new, run.id)
    people.end_run(db, run)
    retry, latest = people.start_run(db, tenant), people.start_run(db, tenant)
    assert backups.begin(db, tenant.id, new, retry.id, run.id) == old
    newest = backups.begin(db, tenant.id, new, latest.id)
    backups.end(db, newest)
    assert backups.keep_last(db, 7, 1) == 0
    backups.add(db, tenant.id, old, [], [BackupKind("scripts", 0, 0)])  # raises if the set is gone
    people.end_run(db, retry)
    assert backups.keep_last(db, 7, 1) == 1
    assert ids(db) == [newest]
