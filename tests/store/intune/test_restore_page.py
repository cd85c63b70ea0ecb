"""Restores as a poll reads them: for members of both tenants alone, by pages, and what cannot have changed is not counted again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from store import snapshot
from store.db.engine import Database
from store.errors import Forbidden, InputInvalid
from store.intune import backups, restore_page, restores
from store.intune.backup_records import NewSet
from store.intune.restore_numbers import Numbers
from store.intune.restore_page import (
    AnyRestoreFound,
    AnyRestoreWanted,
    RestoreDetail,
    RestoreItemDetail,
    RestoreItemWanted,
    Restores,
    RestoresWanted,
    RestoreWanted,
)
from store.intune.restore_records import Scope
from store.model.records import Run, Tenant, User
from store.model.tables import restore_items, restore_runs
from store.model.types import utcnow
from store.people.access import Role
from store.runs import lifecycle, restoring
from store.runs.restore_states import new_run
from store.snapshot import Request, SnapshotCache
from tests.store.intune.test_backup_page import statements
from tests.store.intune.test_backups import item
from tests.support import people


class World:
    """A backup set of contoso with three items, and a restore of it into fabrikam by Ann, a manager of both."""

    def __init__(self, db: Database, contoso: Tenant) -> None:
        self.db, self.contoso, self.fabrikam = db, contoso, people.make_tenant(db, "fabrikam")
        self.ann = people.make_user(db, "ann", contoso=Role.MANAGER, fabrikam=Role.MANAGER)
        run = people.start_run(db, contoso)
        self.set_id = backups.begin(db, contoso.id, NewSet("Before", {}, "Ann"), run.id)
        backups.add(db, contoso.id, self.set_id, [item(f"p{n}", name=f"Policy {n}", references=()) for n in range(3)])
        backups.end(db, self.set_id)
        self.id = self.plan()

    def plan(self, tenant: str = "fabrikam") -> int:
        return restoring.plan(self.db, self.ann, self.set_id, tenant, Scope()).id

    def poll(
        self, wanted: AnyRestoreWanted, user: User | None = None, cache: SnapshotCache | None = None
    ) -> AnyRestoreFound | None:
        return snapshot.take(self.db, Request((user or self.ann).id, restores=wanted), cache).restores

    def detail(self, cache: SnapshotCache | None = None, **wanted: Any) -> RestoreDetail:
        found = self.poll(RestoreWanted(self.id, **wanted), cache=cache)
        assert isinstance(found, RestoreDetail)
        return found

    def set_items(self, *values: Mapping[str, Any]) -> list[int]:
        """Set columns of the items, in their order; returns their ids."""
        query = sa.select(restore_items.c.id).where(restore_items.c.restore_id == self.id)
        with self.db.write() as connection:
            ids: Sequence[int] = connection.execute(query.order_by(restore_items.c.position)).scalars().all()
            for id_, columns in zip(ids, values, strict=False):
                change = sa.update(restore_items).where(restore_items.c.id == id_)
                connection.execute(change.values(**columns))
            restores.set_values(connection, self.id)
        return list(ids)

    def set_restore(self, **values: Any) -> None:
        with self.db.write() as connection:
            restores.set_values(connection, self.id, **values)

    def held_run(self) -> Run:
        found = restores.visible(self.db, self.ann, self.id)
        with self.db.write() as connection:
            run, _ = lifecycle.create_or_attach_within(connection, new_run(found, self.ann.id, "Ann", held=True))
        return run


@pytest.fixture
def world(db: Database, tenant: Tenant) -> World:
    return World(db, tenant)


#: What a preview says, and what became of an item.
BLOCKED = {"action": "blocked", "plan": {"reasons": [{"code": "restore.x", "words": "no group"}], "needs": []}}
EVERYBODY = {"action": "create", "plan": {"reasons": [], "needs": ["everybody"]}}
FAILED = {"action": "update", "plan": {"needs": []}, "result": "failed", "result_code": "graph.forbidden"}


def test_only_members_of_both_tenants_find_anything(world: World) -> None:
    (id_, *_) = world.set_items()
    for_source, for_target = (
        people.make_user(world.db, "sue", contoso=Role.OWNER),
        people.make_user(world.db, "tom", fabrikam=Role.OWNER),
    )
    for wanted in (RestoreWanted(world.id), RestoreItemWanted(world.id, id_)):
        assert world.poll(wanted) is not None
        assert world.poll(wanted, for_source) is None
        assert world.poll(wanted, for_target) is None
    mine, theirs = world.poll(RestoresWanted("fabrikam")), world.poll(RestoresWanted("fabrikam"), for_target)
    assert isinstance(mine, Restores)
    assert isinstance(theirs, Restores)
    assert ([one.restore.id for one in mine.restores], theirs.restores) == ([world.id], ())
    assert world.poll(RestoresWanted("fabrikam"), for_source) is None
    assert Request(1, restores=RestoreWanted(1)).only_list() == Request(1)


def test_the_newest_come_first_and_each_is_listed_for_its_target_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore_page, "PAGE", 2)
    same, second, third = world.plan("contoso"), world.plan(), world.plan()
    found, own = world.poll(RestoresWanted("fabrikam")), world.poll(RestoresWanted("contoso"))
    assert isinstance(found, Restores)
    assert isinstance(own, Restores)
    assert ([one.restore.id for one in found.restores], found.has_more) == ([third, second], True)
    assert ([one.restore.id for one in own.restores], own.has_more) == ([same], False)
    assert found.restores[0].numbers == Numbers(3)


def test_items_are_counted_by_what_was_found_and_what_became_of_them(world: World) -> None:
    done = {"done_at": utcnow()}
    world.set_items(BLOCKED | {"choice": {"skip": True}}, BLOCKED, FAILED | done)
    numbers = world.detail().found.numbers
    assert (numbers.objects, numbers.actions, numbers.results) == (3, {"blocked": 2, "update": 1}, {"failed": 1})
    assert (numbers.left_out, numbers.blocked, numbers.left) == (1, 1, 3)


def test_an_item_says_what_became_of_it_else_why_it_is_blocked(world: World) -> None:
    world.set_items(BLOCKED, FAILED | {"done_at": utcnow(), "result_message": "refused"}, {**EVERYBODY, "choice": {}})
    told = [(one.name, one.action, one.result, one.told, one.needs) for one in world.detail().items]
    assert told == [
        ("Policy 0", "blocked", None, "no group", ()),
        ("Policy 1", "update", "failed", "refused", ()),
        ("Policy 2", "create", None, "", ("everybody",)),
    ]


def test_blocked_ones_and_failed_ones_alone(world: World) -> None:
    world.set_items(BLOCKED, FAILED | {"done_at": utcnow()}, {"action": "ambiguous"})
    assert [one.name for one in world.detail(which="blocked").items] == ["Policy 0", "Policy 2"]
    assert [one.name for one in world.detail(which="failed").items] == ["Policy 1"]


def test_pages_go_on_where_the_last_one_ended(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore_page, "PAGE", 2)
    first = world.detail()
    assert [one.name for one in first.items] == ["Policy 0", "Policy 1"]
    second = world.detail(after=first.next)
    assert ([one.name for one in second.items], second.next) == (["Policy 2"], None)


def test_a_preview_says_which_ticks_it_wants_of_which_nobody_gave(world: World) -> None:
    world.set_items(EVERYBODY, EVERYBODY | {"choice": {"skip": True}}, EVERYBODY)
    assert world.detail().missing_ticks == {}, "it is not previewed"
    world.set_restore(status="previewed", previewed_at=utcnow(), run_id=world.held_run().id)
    found = world.detail()
    assert found.missing_ticks == {"everybody": 2}
    assert found.found.run is not None
    assert (found.found.run.held, found.found.run.is_active) == (True, False)
    restoring.tick(world.db, world.ann, world.id, ["everybody"])
    assert (world.detail().missing_ticks, world.detail().needs) == ({}, {"everybody": 2})


def test_items_are_counted_again_when_something_has_changed_or_a_run_is_at_them(world: World) -> None:
    ids, cache = world.set_items(BLOCKED, EVERYBODY), SnapshotCache()
    assert world.detail(cache).found.numbers.left_out == 0
    with statements(world.db) as sent:
        world.detail(cache)
    assert not any("count(*) AS number" in one for one in sent)
    restoring.choose(world.db, world.ann, world.id, {ids[0]: {"skip": True}})
    assert world.detail(cache).found.numbers.left_out == 1
    with world.db.write() as connection:
        connection.execute(sa.update(restore_runs).values(status="running", previewed_at=utcnow()))
    for result in ("done", "skipped"):
        with world.db.write() as connection:
            change = sa.update(restore_items).where(restore_items.c.id == ids[1])
            connection.execute(change.values(result=result, done_at=utcnow()))
        assert world.detail(cache).found.numbers.results == {result: 1}


def test_the_list_counts_ended_restores_once(world: World) -> None:
    cache = SnapshotCache()
    first = world.poll(RestoresWanted("fabrikam"), cache=cache)
    with statements(world.db) as sent:
        assert world.poll(RestoresWanted("fabrikam"), cache=cache) == first
    assert not any("restore_items" in one for one in sent)


def test_an_item_has_its_whole_plan_and_is_none_of_another_restore(world: World) -> None:
    ids, other = world.set_items(BLOCKED), world.plan()
    found = world.poll(RestoreItemWanted(world.id, ids[0]))
    assert isinstance(found, RestoreItemDetail)
    assert (found.restore.id, found.item.reasons) == (world.id, (("restore.x", "no group"),))
    assert world.poll(RestoreItemWanted(other, ids[0])) is None


def test_a_restore_names_the_set_of_what_it_has_overwritten(world: World) -> None:
    assert world.detail().undo_set is None
    world.set_restore(undo_set_id=world.set_id)
    assert world.detail().undo_set == "Before"


def test_undo_restores_what_was_overwritten_into_the_same_tenant_and_refuses_where_nothing_was(world: World) -> None:
    with pytest.raises(InputInvalid, match="overwritten nothing"):
        restoring.undo(world.db, world.ann, world.id)
    world.set_restore(undo_set_id=world.set_id)
    operator = people.make_user(world.db, "otto", contoso=Role.OPERATOR, fabrikam=Role.OPERATOR)
    with pytest.raises(Forbidden):
        restoring.undo(world.db, operator, world.id)
    found = restoring.undo(world.db, world.ann, world.id)
    assert (found.tenant, found.backup_set_id, found.mode) == ("fabrikam", world.set_id, "update")
    assert found.reason == f"undo of restore {world.id}"
