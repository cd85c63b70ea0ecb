"""Versions of policies: a new one only when something changed, bodies stored once, whoever writes at the same time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from store.db.engine import Database
from store.intune import inventory, versions
from store.intune.inventory import SeenPolicy
from store.intune.versions import ReadPolicy, Recorded
from store.model.records import Run, Tenant
from store.model.tables import contents, policies, policy_versions
from tests.support import people

KIND = "configuration_policies"
TARGET = {"target": {"groupId": "g1"}}


def read(id_: str = "p1", text: str = "a", assignments: Sequence[Any] | None = (TARGET,), **more: Any) -> ReadPolicy:
    known = assignments is not None
    return ReadPolicy(
        id_,
        {"text": text},
        f"content {text}",
        f"canonical {text}",
        assignments,
        str(assignments) if known else None,
        **more,
    )


def rows(db: Database, table: sa.Table = policy_versions) -> list[sa.Row[Any]]:
    with db.read() as connection:
        return list(connection.execute(sa.select(table).order_by(*table.primary_key)))


@pytest.fixture
def run(db: Database, tenant: Tenant) -> Run:
    run = people.start_run(db, tenant)
    seen = [SeenPolicy(id_, id_, None, {"id": id_}, None, "windows10") for id_ in ("p1", "p2")]
    inventory.upsert(db, tenant.id, run.id, {KIND: seen})
    return run


def record(db: Database, run: Run, *read_now: ReadPolicy, kind: str = KIND) -> Recorded:
    return versions.record(db, run.tenant_id, run.id, {}, {kind: read_now}).get(kind, Recorded())


def test_a_version_is_new_only_when_something_changed(db: Database, run: Run) -> None:
    assert record(db, run, read("p1"), read("p2", "b")) == Recorded(new=2)
    assert record(db, run, read("p1"), read("p2", "b")) == Recorded(unchanged=2)
    assert record(db, run, read("p1", "c"), read("p2", "b")) == Recorded(changed=1, unchanged=1)
    assert record(db, run, read("p1", "a")) == Recorded(changed=1), "back to what it was: a version of its own"
    assert [row.content_hash for row in rows(db)] == ["content a", "content b", "content c", "content a"]
    assert [row.body for row in rows(db, contents)] == [{"text": "a"}, {"text": "b"}, {"text": "c"}]


def test_a_body_that_means_the_same_makes_no_version(db: Database, run: Run) -> None:
    record(db, run, read())
    other = replace(read(), body={"text": "a", "version": 4}, content_hash="content a4")
    assert record(db, run, other) == Recorded(unchanged=1)
    (row,) = rows(db)
    assert row.content_hash == "content a"
    assert row.last_seen_at >= row.first_seen_at


@pytest.mark.parametrize(
    "changed",
    [
        read(assignments=()),
        read(assignments=None, gaps=[("assignments_unknown", "403")]),
        read(gaps=[("secret_unreadable", "1 secret value not readable")]),
    ],
    ids=["assignments", "unknown", "gap"],
)
def test_assignments_and_gaps_make_a_version_of_the_same_body(db: Database, run: Run, changed: ReadPolicy) -> None:
    record(db, run, read())
    assert record(db, run, changed) == Recorded(changed=1)
    assert record(db, run, changed) == Recorded(unchanged=1)
    assert len(rows(db, contents)) == 1


def test_the_worst_gap_says_how_complete_a_version_is(db: Database, run: Run) -> None:
    gaps = [("secret_unreadable", "1"), ("content_missing", "settings: 50 of 61"), ("reference_lost", "x")]
    record(db, run, read("p1", gaps=gaps), read("p2"))
    worst, whole = rows(db)
    assert (worst.completeness, whole.completeness) == ("content_missing", "whole")
    assert worst.gaps == [{"code": code, "detail": detail} for code, detail in gaps]


def test_unknown_assignments_never_pass_for_none(db: Database, run: Run) -> None:
    record(db, run, read(assignments=None, gaps=[("assignments_unknown", "403")]), read("p2", assignments=[]))
    unknown, none = rows(db)
    assert (unknown.assignments, none.assignments) == (None, [])
    for change in ({"completeness": "whole"}, {"assignments_hash": "x"}, {"completeness": "nonsense"}):
        with pytest.raises(IntegrityError), db.write() as connection:
            connection.execute(sa.update(policy_versions).where(policy_versions.c.id == unknown.id).values(**change))


def test_what_is_not_in_the_inventory_has_no_version(db: Database, run: Run) -> None:
    assert record(db, run, read("p9")) == Recorded()
    assert record(db, run, read("p1"), kind="scripts") == Recorded()
    assert record(db, run) == Recorded()
    assert rows(db) == rows(db, contents) == []


def test_a_body_is_kept_as_it_is(db: Database, run: Run) -> None:
    body = {"z": 1, "a": {"y": [], "b": None}, "float": 1.0, "text": "Köln 🔒 \x00"}
    record(db, run, replace(read(), body=body))
    (row,) = rows(db, contents)
    assert list(row.body) == ["z", "a", "float", "text"], "keys stay in their order"
    assert list(row.body["a"]) == ["y", "b"]


def test_two_runs_that_read_the_same_at_once_make_one_version(db: Database, run: Run) -> None:
    def write() -> None:
        barrier.wait()
        done.append(record(db, run, read("p2", "b"), read("p1")))

    done: list[Recorded] = []
    barrier = threading.Barrier(4)
    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum((one for one in done), Recorded()) == Recorded(new=2, unchanged=6)
    assert len(rows(db)) == 2


def test_a_policy_that_went_and_came_back_has_two_versions(db: Database, tenant: Tenant, run: Run) -> None:
    """Else nobody could say later that it had been gone."""
    record(db, run, read("p1"), read("p2"))
    for row in rows(db, policies):
        people.make_older(db, policies, row.id, "last_seen_at", 1)
    second = people.start_run(db, tenant)
    seen = {KIND: [SeenPolicy("p1", "p1", None, {"id": "p1"}, None, "windows10")]}
    versions.record(db, run.tenant_id, second.id, seen, {KIND: [read("p1")]}, [KIND])
    assert [(row.gone_at is None, row.gone_run_id) for row in rows(db)] == [(True, None), (False, second.id)]
    versions.record(db, run.tenant_id, second.id, {}, {}, [KIND])
    assert record(db, run, read("p1"), read("p2")) == Recorded(changed=1, unchanged=1)
    assert [row.gone_at is None for row in rows(db)] == [True, False, True]
