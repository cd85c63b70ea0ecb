"""Migrations of a database that is in use: what is in it comes through, up and down, on both databases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from store import schema
from store.db.engine import Database
from store.intune import backups, drift, kind_reads, policy_states, versions
from store.intune.backup_records import BackupItem, BackupKind, NewSet
from store.intune.drift_records import Finding
from store.intune.inventory import SeenPolicy
from store.intune.versions import ReadPolicy
from store.model.records import NO_TIME, Tenant
from store.people import admin
from store.people.access import Role
from store.runs import acknowledging, watching
from tests.support.people import FAILED, end_run, start_run

#: The revision before backups, drift and schedules.
BEFORE = "0005"
ROWS = (
    "INSERT INTO tenants (id, slug, name) VALUES (1, 'contoso', 'Contoso')",
    "INSERT INTO operation_runs (id, tenant_id, initiator_name, type, status, outcome, run_identity_hash, context) "
    "VALUES (1, 1, 'System', 'policy.sync', 'queued', 'pending', 'a', '{}')",
    "INSERT INTO operation_runs (id, tenant_id, initiator_name, type, status, outcome, run_identity_hash, context) "
    "VALUES (2, 1, 'System', 'policy.sync', 'queued', 'pending', 'b', '{}')",
    "INSERT INTO contents (content_hash, canonical_hash, body) VALUES ('h1', 'c1', '{\"text\": \"one\"}')",
    "INSERT INTO policies (id, tenant_id, kind, external_id, name, body, last_seen_run_id) "
    "VALUES (1, 1, 'scripts', 'p1', 'Map drives', '{}', 2)",
    "INSERT INTO policies (id, tenant_id, kind, external_id, name, body, last_seen_run_id, missing_since) "
    "VALUES (2, 1, 'scripts', 'p2', 'Gone', '{}', 1, CURRENT_TIMESTAMP)",
    "INSERT INTO policy_versions (id, policy_id, content_hash, canonical_hash, assignments, assignments_hash, completeness, "
    "gaps, first_run_id, last_run_id) VALUES (1, 1, 'h1', 'c1', '[]', 'none', 'whole', '[]', 1, 2)",
    "INSERT INTO policy_versions (id, policy_id, content_hash, canonical_hash, assignments, assignments_hash, completeness, "
    "gaps, first_run_id, last_run_id) VALUES (2, 2, 'h1', 'c1', '[]', 'none', 'whole', '[]', 1, 1)",
)
SEEN = SeenPolicy("p1", "Map drives", None, {}, None)
SAME = ReadPolicy("p1", {"text": "one"}, "h1", "c1", [], "none")
OTHER = ReadPolicy("p1", {"text": "two"}, "h2", "c2", [], "none")
ITEM = BackupItem("scripts", "p1", "Map drives", None, {"text": "one"}, "h1", "c1", [], "none")


@pytest.fixture
def old(empty_database_url: str) -> Iterator[Database]:
    """A database of the revision before, with policies, of which one is gone, and versions."""
    db = Database(empty_database_url)
    schema.upgrade(db, BEFORE)
    with db.write() as connection:
        for statement in ROWS:
            connection.exec_driver_sql(statement)
        if not db.is_sqlite:
            for table in ("tenants", "operation_runs", "policies", "policy_versions"):
                connection.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), 10)")
    yield db
    db.close()


def read(db: Database, query: str) -> list[tuple[Any, ...]]:
    with db.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def sync(db: Database, run_id: int, policies: Sequence[ReadPolicy]) -> versions.Recorded:
    return versions.record(db, 1, run_id, {"scripts": [SEEN]}, {"scripts": policies}, ["scripts"])["scripts"]


def test_policies_and_versions_of_an_older_program_are_gone_on_with(old: Database) -> None:
    schema.upgrade(old)
    assert schema.missing(old) == []
    assert sync(old, 1, [SAME]) == versions.Recorded(unchanged=1), "nothing is new because the program is"
    assert sync(old, 2, [OTHER]) == versions.Recorded(changed=1)
    with old.read() as connection:
        after, before = kind_reads.latest(connection, 1, "scripts", 2)
        sides = [policy_states.at_read(connection, 1, one) for one in (before, after)]
    assert [{id_: state.content_hash for id_, state in side.items()} for side in sides] == [{"p1": "h1"}, {"p1": "h2"}]


def test_what_the_older_program_knew_comes_through_down_and_up_again(old: Database) -> None:
    told = "SELECT external_id, name, {} FROM policies ORDER BY id"
    before = read(old, told.format("last_seen_run_id"))
    schema.upgrade(old)
    assert read(old, told.format("changed_run_id")) == before
    set_id = backups.begin(old, 1, NewSet("x", {}, "Ann"), 1)
    backups.add(old, 1, set_id, [ITEM], [BackupKind("scripts", 1, 1)])
    backups.end(old, set_id)
    sync(old, 2, [OTHER])
    drift.begin(old, 1, 2, set_id)
    drift.add(old, 2, [Finding("scripts", "p1", "Map drives", "modified", "text", "one", "two")])
    schema.downgrade(old, BEFORE)
    assert read(old, told.format("last_seen_run_id")) == before
    found = read(old, "SELECT id, content_hash, first_run_id, last_run_id FROM policy_versions ORDER BY id")
    assert [row[:3] for row in found] == [(1, "h1", 1), (2, "h1", 1), (found[2][0], "h2", 2)]
    assert all(row[3] for row in found), "an older program looks for the run that saw it last"
    schema.upgrade(old)
    assert schema.missing(old) == []
    assert read(old, "SELECT count(*) FROM backup_sets") == [(0,)]
    assert sync(old, 1, [OTHER]) == versions.Recorded(unchanged=1)


def test_acknowledgements_and_watches_go_and_the_audit_trail_stays(old: Database) -> None:
    schema.upgrade(old)
    user = admin.add_user(old, "ann")
    admin.grant(old, "ann", "contoso", Role.OPERATOR)
    run = end_run(old, start_run(old, Tenant(1, "contoso", "Contoso", NO_TIME)), FAILED)
    (receipt,) = acknowledging.acknowledge(old, user, [run.id], "seen")
    assert receipt.acknowledgement
    watching.watch(old, user.id, 2)
    trail = "SELECT action, subject, reason FROM audit_events ORDER BY id"
    before = read(old, trail)
    schema.downgrade(old, "0010")
    assert read(old, trail) == before != []
    assert read(old, f"SELECT outcome FROM operation_runs WHERE id = {run.id}") == [("failed",)]
    schema.upgrade(old)
    assert schema.missing(old) == []
    assert read(old, f"SELECT acknowledged_at FROM operation_runs WHERE id = {run.id}") == [(None,)]
    assert acknowledging.acknowledge(old, user, [run.id])[0].verdict is acknowledging.Verdict.DONE


def test_a_program_that_knows_nothing_of_acknowledgements_goes_on_beside_the_newer_schema(old: Database) -> None:
    schema.upgrade(old)
    with old.write() as connection:
        connection.exec_driver_sql(ROWS[1].replace("VALUES (1, 1", "VALUES (11, 1").replace("'a'", "'new'"))
        ended = "status = 'completed', outcome = 'failed', completed_at = CURRENT_TIMESTAMP"
        connection.exec_driver_sql(f"UPDATE operation_runs SET {ended} WHERE id = 11")
    assert read(old, "SELECT acknowledged_at FROM operation_runs WHERE id = 11") == [(None,)]
