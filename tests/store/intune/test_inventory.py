"""The inventory of policies: what two syncs at once see, and values that a database cannot hold."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from store.db.engine import Database
from store.intune import inventory
from store.intune.inventory import SeenPolicy
from store.model.records import Run, Tenant
from store.model.tables import operation_runs, policies
from tests.support import people


def policy(id_: str, **body: object) -> SeenPolicy:
    return SeenPolicy(id_, f"policy {id_}", None, {"id": id_, **body}, None)


def missing(db: Database) -> list[str]:
    query = sa.select(policies.c.external_id).where(policies.c.missing_since.is_not(None))
    with db.read() as connection:
        return sorted(connection.execute(query).scalars())


def see(db: Database, run: Run, *ids: str) -> None:
    inventory.upsert(db, run.tenant_id, run.id, {"scripts": [policy(id_) for id_ in ids]})


def make_older(db: Database) -> None:
    """A quick machine does the next thing in the same millisecond, and SQLite's clock has no shorter ones."""
    with db.read() as connection:
        ids = connection.execute(sa.select(policies.c.id)).scalars().all()
    for id_ in ids:
        people.make_older(db, policies, id_, "last_seen_at", 1)


def test_what_a_whole_read_did_not_see_is_missing_until_it_is_seen_again(db: Database, tenant: Tenant) -> None:
    first = people.start_run(db, tenant)
    see(db, first, "a", "b")
    make_older(db)
    second = people.start_run(db, tenant)
    see(db, second, "a")
    assert inventory.upsert(db, tenant.id, second.id, {}, ["scripts"]) == {"scripts": 1}
    assert missing(db) == ["b"]
    see(db, people.start_run(db, tenant), "b")
    assert missing(db) == []


def test_a_sync_that_overlaps_another_takes_nothing_that_is_there_for_missing(db: Database, tenant: Tenant) -> None:
    one, other = people.start_run(db, tenant), people.start_run(db, tenant)
    see(db, one, "a", "b")
    see(db, other, "a", "b")
    assert inventory.upsert(db, tenant.id, one.id, {}, ["scripts"]) == {}
    assert missing(db) == []


def test_a_clock_that_is_set_back_makes_nothing_missing(db: Database, tenant: Tenant) -> None:
    see(db, people.start_run(db, tenant), "a")
    run = people.start_run(db, tenant)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    with db.write() as connection:
        started = {"created_at": later, "started_at": later, "updated_at": later}
        connection.execute(sa.update(operation_runs).where(operation_runs.c.id == run.id).values(started))
    see(db, run, "a")
    assert inventory.upsert(db, tenant.id, run.id, {}, ["scripts"]) == {}
    other = replace(policy("a"), name="changed")
    inventory.upsert(db, tenant.id, run.id, {"scripts": [other]}, ["scripts"])
    assert missing(db) == []


@pytest.mark.parametrize(
    "other",
    [
        {"name": "x"},
        {"description": "x"},
        {"description": ""},
        {"platform": "x"},
        {"body": {"id": "a", "n": 2}},
        {"modified_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)},
    ],
)
def test_any_change_is_written_and_the_same_is_only_seen_again(
    db: Database, tenant: Tenant, other: dict[str, Any]
) -> None:
    first, second, third = (people.start_run(db, tenant) for _ in range(3))

    def written(run: Run, policy: SeenPolicy) -> sa.Row[Any]:
        inventory.upsert(db, tenant.id, run.id, {"scripts": [policy]})
        with db.read() as connection:
            return connection.execute(sa.select(policies)).one()

    assert written(first, policy("a")).changed_run_id == first.id
    again = written(second, policy("a"))
    assert again.changed_run_id == first.id
    assert again.last_seen_at > again.first_seen_at
    changed = written(third, replace(policy("a"), **other))
    assert changed.changed_run_id == third.id
    assert {name: getattr(changed, name) for name in other} == other


def test_what_no_database_holds_is_left_out_of_a_policy(db: Database, tenant: Tenant) -> None:
    run = people.start_run(db, tenant)
    odd = policy("odd", text="a\x00b\ud800", number=float("nan"), deep=[{"x": float("inf")}])
    inventory.upsert(db, tenant.id, run.id, {"scripts": [odd]})
    with db.read() as connection:
        body = connection.execute(sa.select(policies.c.body)).scalar_one()
    assert body == {"id": "odd", "text": "ab?", "number": None, "deep": [{"x": None}]}
