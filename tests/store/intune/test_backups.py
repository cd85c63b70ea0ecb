"""Backup sets: items that never change, bodies stored once, sets that say whether they are finished."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from store.db.engine import Database
from store.errors import InputInvalid, NotFound
from store.intune import backups, content_store, versions
from store.intune.backup_records import BackupItem, BackupKind, ItemReference, NewSet
from store.intune.inventory import SeenPolicy
from store.intune.versions import ReadPolicy
from store.model.records import Run, Tenant
from store.model.tables import backup_items, backup_set_kinds, backup_sets, contents
from tests.support import people
from tests.support.waiting import wait_for


def item(id_: str = "p1", text: str = "a", **more: Any) -> BackupItem:
    made = BackupItem(
        kind="scripts",
        external_id=id_,
        name=f"policy {id_}",
        platform=None,
        body={"text": text},
        content_hash=f"content {text}",
        canonical_hash=f"canonical {text}",
        assignments=[],
        assignments_hash="none",
        references=[ItemReference("groups", "g1", "Sales "), ItemReference("scope_tags", "7")],
    )
    return replace(made, **more)


def rows(db: Database, table: sa.Table = backup_items) -> Sequence[sa.Row[Any]]:
    with db.read() as connection:
        return connection.execute(sa.select(table).order_by(*table.primary_key)).all()


@pytest.fixture
def run(db: Database, tenant: Tenant) -> Run:
    return people.start_run(db, tenant)


def begin(db: Database, run: Run, retry_of: int | None = None, name: str = "Before the change") -> int:
    return backups.begin(db, run.tenant_id, NewSet(name, {"kinds": ["scripts"]}, "Alice"), run.id, retry_of)


def seal(db: Database, run: Run, set_id: int) -> None:
    with db.write() as connection:
        backups.seal(connection, run.tenant_id, set_id, "drift run 9")


def test_an_item_is_kept_with_everything_that_was_read(db: Database, run: Run) -> None:
    set_id = begin(db, run)
    backups.add(db, run.tenant_id, set_id, [item(gaps=[("reference_lost", "group g1 is not there any more")])])
    (row,) = rows(db)
    assert row.references == [
        {"kind": "groups", "id": "g1", "name": "Sales "},
        {"kind": "scope_tags", "id": "7", "name": None},
    ]
    assert (row.completeness, row.gaps[0]["detail"]) == ("reference_lost", "group g1 is not there any more")
    assert [row.body for row in rows(db, contents)] == [{"text": "a"}]


def test_a_body_is_stored_once_however_many_sets_and_versions_have_it(db: Database, run: Run) -> None:
    for number in range(3):
        set_id = begin(db, run, name=str(number))
        backups.add(db, run.tenant_id, set_id, [item("p1"), item("p2"), item("p3", f"own {number}")])
    seen = {"scripts": [SeenPolicy("p1", "p", None, {}, None)]}
    read = {"scripts": [ReadPolicy("p1", {"text": "a"}, "content a", "canonical a", [], "none")]}
    versions.record(db, run.tenant_id, run.id, seen, read)
    assert len(rows(db)) == 9
    assert [row.content_hash for row in rows(db, contents)] == ["content a", *(f"content own {n}" for n in range(3))]


def test_an_item_that_is_there_stays_as_it_is(db: Database, run: Run) -> None:
    set_id = begin(db, run)
    backups.add(db, run.tenant_id, set_id, [item(text="first")])
    backups.add(db, run.tenant_id, set_id, [item(text="second"), item("p2")])
    assert [(row.external_id, row.content_hash) for row in rows(db)] == [("p1", "content first"), ("p2", "content a")]


def test_the_database_refuses_to_change_an_item(db: Database, run: Run) -> None:
    backups.add(db, run.tenant_id, begin(db, run), [item()])
    with pytest.raises(IntegrityError, match="are not changed"), db.write() as connection:
        connection.execute(sa.update(backup_items).values(name="other"))


@pytest.mark.parametrize("name", ["", "  ", "\x00"])
def test_a_set_without_a_name_is_called_by_its_instant(db: Database, run: Run, name: str) -> None:
    begin(db, run, name=name)
    (row,) = rows(db, backup_sets)
    minutes = {(row.created_at - dt.timedelta(minutes=late)).strftime("%Y-%m-%d %H:%M UTC") for late in (0, 1)}
    assert row.name in minutes


def test_a_retry_goes_on_with_the_set_that_was_not_finished(db: Database, tenant: Tenant, run: Run) -> None:
    set_id = begin(db, run)
    backups.add(db, run.tenant_id, set_id, [item()], [BackupKind("scripts", 1, 1)])
    second = people.start_run(db, tenant)
    assert begin(db, second, run.id) == set_id
    assert backups.kept(db, set_id) == ({"scripts": {"p1"}}, {"scripts": BackupKind("scripts", 1, 1)})
    backups.end(db, set_id)
    third = people.start_run(db, tenant)
    assert begin(db, third, second.id) != set_id, "it was finished: this is another backup"


def test_a_retry_that_asks_for_something_else_is_another_backup(db: Database, tenant: Tenant, run: Run) -> None:
    """A retry may change parameters: the set would be called complete with the few that are asked for now."""
    set_id, again = begin(db, run), people.start_run(db, tenant)
    few = NewSet("Before the change", {"kinds": ["scripts"], "filter": "VPN*"}, "Alice")
    other = backups.begin(db, tenant.id, few, again.id, run.id)
    assert [(row.id, row.run_id) for row in rows(db, backup_sets)] == [(set_id, run.id), (other, again.id)]


@pytest.mark.parametrize("sealed", [False, True])
def test_a_set_with_a_kind_that_failed_is_gone_on_with_unless_something_stands_on_it(
    db: Database, tenant: Tenant, run: Run, sealed: bool
) -> None:
    set_id = begin(db, run)
    failed = BackupKind("scripts", 3, 1, "graph.forbidden", "permission is missing")
    backups.add(db, run.tenant_id, set_id, [item()], [failed])
    backups.end(db, set_id)
    if sealed:
        seal(db, run, set_id)
    assert (begin(db, people.start_run(db, tenant), run.id) == set_id) is not sealed


def test_nobody_goes_on_with_anothers_set(db: Database, tenant: Tenant, run: Run) -> None:
    set_id = begin(db, run)
    other = people.start_run(db, people.make_tenant(db, "fabrikam"))
    assert begin(db, other, run.id) != set_id
    with pytest.raises(NotFound):
        backups.take_more(db, other.tenant_id, set_id, other.id)
    with pytest.raises(NotFound):
        backups.add(db, other.tenant_id, set_id, [item()])


def test_a_set_takes_more_until_something_stands_on_it(db: Database, run: Run) -> None:
    set_id = begin(db, run)
    with pytest.raises(InputInvalid, match=f"is not finished: wait for run {run.id}, or retry it"):
        seal(db, run, set_id)
    backups.end(db, set_id)
    backups.take_more(db, run.tenant_id, set_id, run.id)
    assert rows(db, backup_sets)[0].completed_at is None, "it is being filled again"
    backups.end(db, set_id)
    seal(db, run, set_id)
    seal(db, run, set_id)
    with pytest.raises(InputInvalid, match="takes no more: drift run 9 stands on it"):
        backups.take_more(db, run.tenant_id, set_id, run.id)
    with pytest.raises(InputInvalid, match="takes no more: drift run 9 stands on it"):
        backups.add(db, run.tenant_id, set_id, [item()])
    assert rows(db) == []


def test_a_set_that_is_not_finished_takes_more_from_the_retry_of_its_run_alone(
    db: Database, tenant: Tenant, run: Run
) -> None:
    """Whoever else filled it would call it complete at their end, and it lacks what its own run did not come to."""
    set_id = begin(db, run)
    backups.add(db, tenant.id, set_id, [item()], [BackupKind("scripts", 1, 1)])
    other, again = people.start_run(db, tenant), people.start_run(db, tenant)
    for retried in (None, other.id):
        with pytest.raises(InputInvalid, match=f"backup set {set_id} is not finished") as refused:
            backups.take_more(db, tenant.id, set_id, other.id, retried)
        assert refused.value.hint == f"wait for run {run.id}, or retry it"
    backups.take_more(db, tenant.id, set_id, again.id, run.id)
    assert rows(db, backup_sets)[0].run_id == again.id
    imported = backups.begin(db, tenant.id, NewSet("x", {}, "Alice", source="import"))
    with pytest.raises(InputInvalid, match="is not finished"):
        backups.take_more(db, tenant.id, imported, other.id)


def test_a_run_that_was_given_up_for_lost_does_not_end_the_set_of_its_retry(
    db: Database, tenant: Tenant, run: Run
) -> None:
    set_id, again = begin(db, run), people.start_run(db, tenant)
    assert begin(db, again, run.id) == set_id
    backups.end(db, set_id, run.id)
    assert rows(db, backup_sets)[0].completed_at is None
    backups.end(db, set_id, again.id)
    assert rows(db, backup_sets)[0].completed_at is not None


@pytest.mark.parametrize(
    ("narrowed", "again", "stays"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_a_few_more_policies_do_not_make_a_kind_complete_that_was_not(
    db: Database, run: Run, narrowed: bool, again: bool, stays: bool
) -> None:
    set_id = begin(db, run)
    failed = BackupKind("scripts", 3, 1, "graph.forbidden", "permission is missing")
    backups.add(db, run.tenant_id, set_id, [item()], [failed])
    backups.add(db, run.tenant_id, set_id, [item("p2")], [BackupKind("scripts", 2, 2, narrowed=narrowed)], again=again)
    (kind,) = backups.kept(db, set_id)[1].values()
    assert (kind.kept, kind.failure_code) == (2, "graph.forbidden" if stays else None)
    assert kind.is_complete is not stays


def test_a_removed_set_takes_only_the_bodies_that_nothing_else_has(db: Database, run: Run) -> None:
    one, other = begin(db, run), begin(db, run)
    backups.add(db, run.tenant_id, one, [item("p1", "both"), item("p2", "mine"), item("p3", "version")])
    backups.add(db, run.tenant_id, other, [item("p1", "both")], [BackupKind("scripts", 1, 1)])
    seen = {"scripts": [SeenPolicy("p3", "p", None, {}, None)]}
    read = {"scripts": [ReadPolicy("p3", {"text": "version"}, "content version", "canonical version", [], "none")]}
    versions.record(db, run.tenant_id, run.id, seen, read)
    with db.write() as connection:
        backups.remove(connection, one)
    assert [row.content_hash for row in rows(db, contents)] == ["content both", "content version"]
    assert [row.set_id for row in rows(db)] == [other]
    assert len(rows(db, backup_set_kinds)) == 1


def test_a_retry_begins_anew_if_its_set_is_removed_meanwhile(postgres_url: str) -> None:
    db = Database(postgres_url)
    tenant = people.make_tenant(db)
    run = people.start_run(db, tenant)
    old, retry = begin(db, run), people.start_run(db, tenant)
    begun: list[int] = []
    retrying = threading.Thread(target=lambda: begun.append(begin(db, retry, run.id)))
    with db.write() as connection:
        backups.remove(connection, old)
        retrying.start()
        waits = sa.text(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        wait_for(lambda: _asked(db, waits) == 1, "the retry to wait")
    retrying.join()
    assert [row.id for row in rows(db, backup_sets)] == begun != [old]
    db.close()


def _asked(db: Database, query: sa.TextClause) -> Any:
    with db.read() as connection:
        return connection.execute(query).scalar_one()


def test_a_body_is_not_forgotten_between_its_storing_and_the_item(postgres_url: str) -> None:
    """A body that was there already is not stored again; until the item refers to it, only the lock keeps it."""
    db = Database(postgres_url)
    run = people.start_run(db, people.make_tenant(db))
    old, new = begin(db, run), begin(db, run)
    backups.add(db, run.tenant_id, old, [item()])

    def remove() -> None:
        with db.write() as connection:
            backups.remove(connection, old)

    remover = threading.Thread(target=remove)
    with db.write() as connection:
        content_store.put(connection, {"content a": content_store.Content("canonical a", {"text": "a"})})
        remover.start()
        waits = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        wait_for(lambda: connection.execute(waits).scalar_one() == 1, "the remover to wait")
        connection.execute(sa.insert(backup_items), [{**_copied(db), "set_id": new}])
    remover.join()
    assert [row.set_id for row in rows(db)] == [new]
    assert len(rows(db, contents)) == 1
    db.close()


def _copied(db: Database) -> dict[str, Any]:
    (row,) = rows(db)
    return {name: value for name, value in row._mapping.items() if name not in ("id", "set_id")}
