"""Backup sets as they are looked at: numbers, states, pages of items, and nothing of them for strangers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from store.db.engine import Database
from store.errors import NotFound
from store.intune import backup_sets, backups
from store.intune.backup_records import BackupItem, BackupKind, NewSet
from store.intune.backup_sets import BackupSet, SetWanted
from store.model.records import Tenant
from store.people import access
from store.people.access import Membership, Role
from tests.store.intune.test_backups import item
from tests.support import people


def members(db: Database, tenant: Tenant) -> Sequence[Membership]:
    user = people.make_user(db, **{tenant.slug: Role.READONLY})
    return access.memberships_of(db, user.id)


def make(db: Database, tenant: Tenant, *items: BackupItem, run_id: int | None = None, ended: bool = True) -> int:
    set_id = backups.begin(db, tenant.id, NewSet("Nightly", {"kinds": ["scripts"]}, "System"), run_id)
    backups.add(db, tenant.id, set_id, items, [BackupKind("scripts", len(items), len(items))])
    if ended:
        backups.end(db, set_id)
    return set_id


T = TypeVar("T")


def reading(db: Database, read: Callable[[sa.Connection], T]) -> T:
    with db.read() as connection:
        return read(connection)


def the(db: Database, tenant: Tenant, set_id: int) -> BackupSet:
    found = members(db, tenant)
    return reading(db, lambda connection: backup_sets.one(connection, found, set_id))


def test_a_set_says_how_it_stands(db: Database, tenant: Tenant) -> None:
    run = people.start_run(db, tenant)
    made = make(db, tenant, item("p1"), item("p2", gaps=[("content_missing", "x")]))
    making = make(db, tenant, run_id=run.id, ended=False)
    left = make(db, tenant, item(), ended=False)
    failed = make(db, tenant)
    backups.add(db, tenant.id, failed, [], [BackupKind("intents", 3, 0, "graph.forbidden", "x")])
    states = {set_id: the(db, tenant, set_id).state for set_id in (made, making, left, failed)}
    assert states == {made: "complete", making: "making", left: "unfinished", failed: "incomplete"}
    found = the(db, tenant, made)
    assert (found.items, found.kinds, found.failed_kinds) == ({"whole": 1, "content_missing": 1}, 1, 0)
    mine = members(db, tenant)
    listed = reading(db, lambda connection: backup_sets.sets(connection, mine, tenant.slug, 3))
    assert ([one.id for one in listed.sets], listed.has_more) == ([failed, left, making], True)
    newest = reading(db, lambda connection: backup_sets.newest(connection, mine, 2))
    assert [one.id for one in newest] == [failed, left]


def test_items_come_in_pages_by_kind_and_name(db: Database, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup_sets, "PAGE", 2)
    names = ["b", "A", "100 %", "a"]
    some = [item(f"p{n}", name=name) for n, name in enumerate(names)] + [item("q", kind="intents", name="z")]
    set_id, mine = make(db, tenant, *some), members(db, tenant)

    def listed(**wanted: Any) -> list[str]:
        found = reading(db, lambda c: backup_sets.detail(c, mine, SetWanted(set_id, **wanted)))
        return [one.name for one in found.items]

    assert listed() == ["z", "100 %"]
    first = reading(db, lambda c: backup_sets.detail(c, mine, SetWanted(set_id, kind="scripts")))
    assert (first.has_more, [one.name for one in first.items]) == (True, ["100 %", "A"])
    last = first.items[-1]
    assert listed(kind="scripts", after=(last.kind, last.name.lower(), last.id)) == ["a", "b"]
    assert listed(text="0 %") == ["100 %"]
    assert listed(text="_") == []


def test_an_item_comes_back_as_it_was_kept(db: Database, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup_sets, "_EXPORTED", 2)
    some = [item(f"p{n}", str(n), name=f"Name {n} ") for n in range(5)]
    set_id, mine = make(db, tenant, *some), members(db, tenant)
    assert list(backup_sets.whole_items(db, set_id)) == [_listed(one) for one in some]
    listed = reading(db, lambda c: backup_sets.detail(c, mine, SetWanted(set_id))).items[0]
    found, whole = reading(db, lambda c: backup_sets.item(c, mine, listed.id))
    assert (found.id, whole) == (set_id, _listed(some[0]))


def _listed(one: BackupItem) -> BackupItem:
    return replace(one, references=tuple(one.references), gaps=list(one.gaps))


def test_strangers_find_nothing(db: Database, tenant: Tenant) -> None:
    set_id = make(db, tenant, item())
    stranger = members(db, people.make_tenant(db, "fabrikam"))
    with db.read() as connection:
        item_id = backup_sets.detail(connection, members(db, tenant), SetWanted(set_id)).items[0].id
        assert backup_sets.newest(connection, stranger, 10) == ()
        for ask in (
            lambda: backup_sets.one(connection, stranger, set_id),
            lambda: backup_sets.detail(connection, stranger, SetWanted(set_id)),
            lambda: backup_sets.item(connection, stranger, item_id),
            lambda: backup_sets.sets(connection, stranger, tenant.slug),
        ):
            with pytest.raises(NotFound):
                ask()
