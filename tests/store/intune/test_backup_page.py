"""Backup sets as a poll reads them: only for members, and what cannot have changed is not read again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from store import snapshot
from store.db.engine import Database
from store.intune import backup_sets, backups
from store.intune.backup_page import BackupItemDetail, BackupsFound, BackupsWanted, ItemWanted
from store.intune.backup_records import BackupKind
from store.intune.backup_sets import BackupSetDetail, BackupSets, SetsWanted, SetWanted
from store.model.records import Tenant
from store.people.access import Role
from store.snapshot import Request, SnapshotCache
from tests.store.intune.test_backup_sets import make
from tests.store.intune.test_backups import item
from tests.support import people


def polled(
    db: Database, user_id: int, wanted: BackupsWanted, cache: SnapshotCache | None = None
) -> BackupsFound | None:
    return snapshot.take(db, Request(user_id, backups=wanted), cache).backups


@contextmanager
def statements(db: Database) -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    sa.event.listen(sa.engine.Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(sa.engine.Engine, "before_cursor_execute", note)


def test_only_members_find_sets_and_items(db: Database, tenant: Tenant) -> None:
    set_id = make(db, tenant, item("p1"))
    member = people.make_user(db, "mia", **{tenant.slug: Role.READONLY})
    stranger = people.make_user(db, "sid")
    detail = polled(db, member.id, SetWanted(set_id))
    assert isinstance(detail, BackupSetDetail)
    for wanted in (SetsWanted(tenant.slug), SetWanted(set_id), ItemWanted(detail.items[0].id)):
        assert polled(db, member.id, wanted) is not None
        assert polled(db, stranger.id, wanted) is None
    assert Request(member.id, backups=SetsWanted(tenant.slug)).only_list() == Request(member.id)


def test_the_items_of_an_ended_set_are_counted_once(db: Database, tenant: Tenant) -> None:
    ended = make(db, tenant, item("p1"))
    left = make(db, tenant, item("p1"), ended=False)
    user = people.make_user(db, "mia", **{tenant.slug: Role.READONLY})
    cache = SnapshotCache()

    def numbers() -> dict[int, int]:
        found = polled(db, user.id, SetsWanted(tenant.slug), cache)
        assert isinstance(found, BackupSets)
        return {one.id: sum(one.items.values()) for one in found.sets}

    assert numbers() == {ended: 1, left: 1}
    backups.add(db, tenant.id, left, [item("p2")], [BackupKind("scripts", 2, 2)])
    with statements(db) as sent:
        assert numbers() == {ended: 1, left: 2}
    assert any("FROM backup_items" in one for one in sent)
    backups.end(db, left)
    assert numbers() == {ended: 1, left: 2}
    with statements(db) as sent:
        assert numbers() == {ended: 1, left: 2}
    assert not any("FROM backup_items" in one for one in sent)
    backups.take_more(db, tenant.id, ended, people.start_run(db, tenant).id)
    backups.add(db, tenant.id, ended, [item("p3")])
    backups.end(db, ended)
    assert numbers() == {ended: 2, left: 2}


def test_a_body_is_read_once_and_not_after_its_set_was_removed(db: Database, tenant: Tenant) -> None:
    set_id = make(db, tenant, item("p1"))
    user = people.make_user(db, "mia", **{tenant.slug: Role.READONLY})
    cache = SnapshotCache()
    detail = polled(db, user.id, SetWanted(set_id), cache)
    assert isinstance(detail, BackupSetDetail)
    wanted = ItemWanted(detail.items[0].id)
    first = polled(db, user.id, wanted, cache)
    assert isinstance(first, BackupItemDetail)
    assert (first.item.body, first.found.id) == ({"text": "a"}, set_id)
    with statements(db) as sent:
        assert polled(db, user.id, wanted, cache) == first
    assert not any("contents" in one for one in sent)
    with db.write() as connection:
        backups.remove(connection, set_id)
    assert polled(db, user.id, wanted, cache) is None


def test_pages_go_on_where_the_last_one_ended(db: Database, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup_sets, "PAGE", 2)
    names = ["Ä", "ä", "İ", "b", "100 %"]
    set_id = make(db, tenant, *(item(f"p{n}", name=name) for n, name in enumerate(names)))
    user = people.make_user(db, "mia", **{tenant.slug: Role.READONLY})
    seen: list[str] = []
    after = None
    while True:
        found = polled(db, user.id, SetWanted(set_id, after=after))
        assert isinstance(found, BackupSetDetail)
        seen += [one.name for one in found.items]
        if (after := found.next) is None:
            break
    assert sorted(seen) == sorted(names)


def test_only_what_is_not_whole(db: Database, tenant: Tenant) -> None:
    set_id = make(db, tenant, item("p1"), item("p2", gaps=[("content_missing", "x")]))
    user = people.make_user(db, "mia", **{tenant.slug: Role.READONLY})
    found = polled(db, user.id, SetWanted(set_id, lacking=True))
    assert isinstance(found, BackupSetDetail)
    assert [one.external_id for one in found.items] == ["p2"]
