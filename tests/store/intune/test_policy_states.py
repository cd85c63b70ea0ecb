"""What the policies of a kind were at each read of it: what changed, went and came back is seen between the right reads."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from store.db.engine import Database
from store.intune import inventory, kind_reads, policy_states, versions
from store.intune.inventory import SeenPolicy
from store.intune.kind_reads import KEPT, KindRead
from store.intune.versions import ReadPolicy
from store.model.records import Run, Tenant
from store.model.tables import policies
from tests.support import people

KIND = "scripts"


def read_policy(id_: str, text: str) -> ReadPolicy:
    return ReadPolicy(id_, {"text": text}, f"content {text}", f"canonical {text}", [], "none")


def seen(ids: Mapping[str, str]) -> dict[str, list[SeenPolicy]]:
    return {KIND: [SeenPolicy(id_, id_, None, {}, None) for id_ in ids]}


def sync(db: Database, tenant: Tenant, found: Mapping[str, str], *, whole: bool = True) -> Run:
    """A policy.sync that finds these texts by id."""
    _make_older(db)
    run = people.start_run(db, tenant)
    read = {KIND: [read_policy(id_, text) for id_, text in found.items()]}
    versions.record(db, tenant.id, run.id, seen(found), read, [KIND] if whole else [])
    return run


def _make_older(db: Database) -> None:
    """A quick machine does the next thing in the same millisecond, and SQLite's clock has no shorter ones."""
    with db.read() as connection:
        ids = connection.execute(policies.select()).all()
    for row in ids:
        people.make_older(db, policies, row.id, "last_seen_at", 1)


def reads(db: Database, tenant: Tenant, number: int = 10) -> list[KindRead]:
    with db.read() as connection:
        return kind_reads.latest(connection, tenant.id, KIND, number)


def states(db: Database, tenant: Tenant) -> list[dict[str, str]]:
    """What each read found, the oldest first."""
    with db.read() as connection:
        found = [policy_states.at_read(connection, tenant.id, read) for read in reversed(reads(db, tenant))]
    return [{id_: state.content_hash.removeprefix("content ") for id_, state in one.items()} for one in found]


def test_each_read_knows_what_it_found(db: Database, tenant: Tenant) -> None:
    found = [{"p": "a", "q": "x"}, {"p": "b", "q": "x"}, {"q": "x"}, {"p": "b", "q": "y"}, {"p": "b", "q": "y"}]
    runs = [sync(db, tenant, one) for one in found]
    assert states(db, tenant) == found
    assert [read.run_id for read in reads(db, tenant)] == [run.id for run in reversed(runs)]
    assert [read.policies for read in reads(db, tenant, 3)] == [2, 2, 1]


def test_a_read_that_did_not_end_is_none(db: Database, tenant: Tenant) -> None:
    sync(db, tenant, {"p": "a"})
    sync(db, tenant, {"p": "b"}, whole=False)
    assert len(reads(db, tenant)) == 1
    sync(db, tenant, {"p": "b"})
    assert states(db, tenant) == [{"p": "a"}, {"p": "b"}]


def test_what_the_inventory_found_missing_is_gone_with_the_next_read(db: Database, tenant: Tenant) -> None:
    sync(db, tenant, {"p": "a", "q": "x"})
    _make_older(db)
    run = people.start_run(db, tenant)
    inventory.upsert(db, tenant.id, run.id, seen({"q": "x"}), [KIND])
    assert states(db, tenant) == [{"p": "a", "q": "x"}]
    sync(db, tenant, {"q": "x"})
    sync(db, tenant, {"p": "a", "q": "x"})
    assert states(db, tenant) == [{"p": "a", "q": "x"}, {"q": "x"}, {"p": "a", "q": "x"}]


def test_old_reads_are_forgotten(db: Database, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    assert KEPT >= 2
    monkeypatch.setattr(kind_reads, "KEPT", 3)
    other = people.make_tenant(db, "fabrikam")
    sync(db, other, {"p": "a"})
    for number in range(5):
        sync(db, tenant, {"p": str(number)})
    assert states(db, tenant) == [{"p": "2"}, {"p": "3"}, {"p": "4"}]
    assert len(reads(db, other)) == 1
