"""Which group stands for which: suggested by id in the same tenant, else by the exact name, and never against a person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from store.db.engine import Database
from store.errors import InputInvalid, NotFound
from store.intune import backups, directory, restore_mapping_page, restore_mappings, restores
from store.intune.backup_records import BackupItem, ItemReference, NewSet
from store.intune.restore_mapping_page import MappedGroup, MappingPage
from store.intune.restore_mappings import Decision
from store.intune.restore_records import Mapped, Restore, Scope
from store.model.records import Count, Run, Tenant, User
from store.model.tables import restore_mappings as table
from store.people.access import Role
from tests.store.test_plans import sent_statements
from tests.support import people
from tests.support.properties import examples

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
#: The groups that a restore names: in how many items, and by which name.
Uses = Mapping[str, tuple[int, str | None]]


class World:
    """Two tenants with cached directories; a restore from the first into itself, and one from the first into the second."""

    def __init__(self, db: Database, contoso: Tenant) -> None:
        self.db, self.contoso, self.fabrikam = db, contoso, people.make_tenant(db, "fabrikam")
        self.user: User = people.make_user(db, "ann", contoso=Role.MANAGER, fabrikam=Role.MANAGER)
        self.runs: dict[int, Run] = {one.id: people.start_run(db, one) for one in (contoso, self.fabrikam)}
        set_id = backups.begin(db, contoso.id, NewSet("x", {}, "Ann"), self.runs[contoso.id].id)
        with db.write() as connection:
            self.same, self.other = (
                restores.insert(connection, self.user, one.id, contoso.id, set_id, "")
                for one in (contoso, self.fabrikam)
            )

    def see(self, tenant: Tenant, groups: Sequence[Mapping[str, Any]], *, complete: bool = True) -> None:
        """A round that brings these groups; a complete one removes all others."""
        run = self.runs[tenant.id]
        number = directory.begin_round(self.db, tenant.id, run.id) if complete else 1
        directory.apply(self.db, tenant.id, number, groups)
        directory.end_round(self.db, tenant.id, run.id, number, "link", complete=complete)

    def put(self, restore_id: int, uses: Uses) -> dict[str, Mapped]:
        tenant_id = self.restore(restore_id).tenant_id
        with self.db.write() as connection:
            restore_mappings.put(connection, restore_id, tenant_id, self.contoso.id, uses)
        return {one.source_id: one for one in self.mapped(restore_id)}

    def decide(self, restore_id: int, *decisions: Decision, who: str = "Ann") -> dict[str, Mapped]:
        tenant_id = self.restore(restore_id).tenant_id
        with self.db.write() as connection:
            restore_mappings.decide(connection, restore_id, tenant_id, decisions, who)
        return {one.source_id: one for one in self.mapped(restore_id)}

    def mapped(self, restore_id: int) -> list[Mapped]:
        with self.db.read() as connection:
            return restore_mappings.mapped(connection, restore_id)

    def unresolved(self, restore_id: int) -> int:
        with self.db.read() as connection:
            return restore_mappings.unresolved(connection, restore_id)

    def restore(self, restore_id: int) -> Restore:
        return restores.visible(self.db, self.user, restore_id)

    def page(self, restore_id: int) -> MappingPage:
        with self.db.read() as connection:
            return restore_mapping_page.page(connection, self.restore(restore_id), NOW)

    def shown(self, restore_id: int, source_id: str) -> MappedGroup:
        (found,) = [one for one in self.page(restore_id).groups if one.decision.source_id == source_id]
        return found


@pytest.fixture
def world(db: Database, tenant: Tenant) -> World:
    return World(db, tenant)


def group(id_: str, name: str, *types: str, synced: bool = False) -> dict[str, Any]:
    return {"id": id_, "displayName": name, "groupTypes": list(types), "onPremisesSyncEnabled": synced}


def removed(id_: str) -> dict[str, Any]:
    return {"id": id_, "@removed": {"reason": "deleted"}}


def target(found: Mapped) -> tuple[str, str | None, str | None, str | None]:
    return (found.decision, found.target_id, found.target_name, found.found_by)


UNRESOLVED = ("unresolved", None, None, None)


# ---- suggestions


def test_in_the_same_tenant_a_group_stands_for_itself_whatever_it_is_called_by_now(world: World) -> None:
    world.see(world.contoso, [group("a", "Pilot, later"), group("b", "Pilot")])
    found = world.put(world.same, {"a": (3, "Pilot"), "b": (1, None)})
    assert target(found["a"]) == ("map", "a", "Pilot, later", "id")
    assert target(found["b"]) == ("map", "b", "Pilot", "id"), "no name is needed"
    assert (found["a"].source_name, found["a"].uses, found["a"].decided_by) == ("Pilot", 3, None)
    assert found["a"].decided_at
    assert world.unresolved(world.same) == 0


def test_in_another_tenant_an_id_means_nothing(world: World) -> None:
    world.see(world.fabrikam, [group("a", "Somebody else's"), group("z", "Pilot")])
    found = world.put(world.other, {"a": (1, "Pilot"), "b": (1, "Sales")})
    assert target(found["a"]) == ("map", "z", "Pilot", "name")
    assert target(found["b"]) == UNRESOLVED
    assert target(world.put(world.other, {"a": (1, None)})["a"]) == UNRESOLVED


@pytest.mark.parametrize("restore", ["same", "other"])
@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Pilot", "p1"), ("Pilot ", "p2"), (" Pilot", None), ("pilot", None), ("PILOT", "p3"), ("Pilöt", None),
        ("Pilot  ", None), ("", None), ("  ", "p4"), ("🚀", "p5"), ("Pil%", None), ("Sales", None), ("Köln", "p6"),
        ("Ko\u0308ln", None), ("long " + 251 * "x", "p7"), ("long " + 250 * "x", None), (9_000 * "long ", None),
        ("b" * 256, "p8"),
    ],
)  # fmt: skip
def test_a_name_is_the_same_only_if_every_character_is(
    world: World, restore: str, name: str, found: str | None
) -> None:
    there = ["Pilot", "Pilot ", "PILOT", "  ", "🚀", "Köln", "long " + 251 * "x", "b" * 256]
    groups = [group(f"p{place}", one) for place, one in enumerate(there, 1)]
    groups += [group("s1", "Sales"), group("s2", "Sales"), group("x", 9_000 * "long ")]
    world.see(world.contoso, groups)
    world.see(world.fabrikam, groups)
    ours = world.put(getattr(world, restore), {"gone": (1, name)})["gone"]
    assert target(ours) == (("map", found, name, "name") if found else UNRESOLVED)


def test_removed_groups_are_neither_suggested_nor_do_they_make_a_name_frequent(world: World) -> None:
    world.see(world.contoso, [group("a", "Sales"), group("b", "Sales"), group("c", "Pilot")])
    world.see(world.contoso, [removed("b"), removed("c")], complete=False)
    found = world.put(world.same, {"b": (1, "Sales"), "c": (1, "Pilot")})
    assert target(found["b"]) == ("map", "a", "Sales", "name"), "it was made anew"
    assert target(found["c"]) == UNRESOLVED


def test_another_tenants_groups_are_never_suggested(world: World) -> None:
    world.see(world.contoso, [group("a", "Sales")])
    world.see(world.fabrikam, [])
    assert target(world.put(world.other, {"a": (1, "Sales")})["a"]) == UNRESOLVED


def test_no_name_is_unique_before_the_directory_was_once_read_to_its_end(world: World) -> None:
    """Another of this name may be on the pages that are still to come."""
    number = directory.begin_round(world.db, world.contoso.id, world.runs[world.contoso.id].id)
    directory.apply(world.db, world.contoso.id, number, [group("a", "Sales"), group("b", "Pilot")])
    found = world.put(world.same, {"a": (1, "Sales"), "x": (1, "Pilot")})
    assert target(found["a"]) == ("map", "a", "Sales", "id")
    assert target(found["x"]) == UNRESOLVED
    assert world.shown(world.same, "x").why == "the directory was never read to its end"


def test_a_group_without_a_name_is_not_looked_for_by_its_id(world: World) -> None:
    """The directory calls it by its id, and so does a backup."""
    world.see(world.fabrikam, [{"id": "a"}])
    assert target(world.put(world.other, {"a": (1, "A")})["a"]) == UNRESOLVED
    assert world.shown(world.other, "a").why == "its name is not known"


def test_what_the_items_of_a_restore_name_is_decided_on(world: World) -> None:
    set_id = world.restore(world.same).backup_set_id
    named = (ItemReference("groups", "A", "Sales"), ItemReference("scripts", "s"), ItemReference("groups", "b"))
    items = [BackupItem("scripts", f"p{n}", "x", None, {}, "h", "c", [], "n", references=named[n:]) for n in range(3)]
    backups.add(world.db, world.contoso.id, set_id, items, [])
    world.see(world.contoso, [group("a", "Sales")])
    with world.db.write() as connection:
        restores.put_items(connection, world.same, set_id, Scope())
        uses = restores.group_uses(connection, world.same)
    found = world.put(world.same, uses)
    assert {id_: (one.uses, one.decision) for id_, one in found.items()} == {"a": (1, "map"), "b": (3, "unresolved")}


def test_a_restore_that_is_none_is_not_found(world: World) -> None:
    with pytest.raises(NotFound), world.db.write() as connection:
        restore_mappings.put(connection, 999, world.contoso.id, world.contoso.id, {})
    with pytest.raises(NotFound), world.db.write() as connection:
        restore_mappings.decide(connection, 999, world.contoso.id, [], "Ann")


# ---- decisions


def test_a_decision_is_stored_with_who_made_it_and_the_name_of_the_target(world: World) -> None:
    world.see(world.fabrikam, [group("aa-1", "Sales"), group("t", "Team ")])
    world.put(world.other, {"a": (1, "Sales"), "b": (1, "Gone"), "c": (1, "Left")})
    assert world.unresolved(world.other) == 2
    found = world.decide(world.other, Decision("A", "map", "T"), Decision("b", "skip"))
    assert target(found["a"]) == ("map", "t", "Team ", "choice")
    assert target(found["b"]) == ("skip", None, None, None)
    assert target(found["c"]) == UNRESOLVED
    assert (found["a"].decided_by, found["b"].decided_by, found["c"].decided_by) == ("Ann", "Ann", None)
    assert world.unresolved(world.other) == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Decision("nobody", "skip"), "names no group 'nobody'"),
        (Decision("b", "map", "unknown"), "has no group 'unknown': sync groups"),
        (Decision("b", "map", "gone"), "'Gone' was removed: sync groups"),
        (Decision("b", "map", "ours"), "has no group 'ours'"),
        (Decision("b", "map", "\x00\ud800"), "has no group"),
        (Decision("b", "map", ""), "has no group ''"),
        (Decision("b", "map"), "needs a target"),
        (Decision("b", "skip", "t"), "needs a target"),
        (Decision("b", "unresolved", "t"), "needs a target"),
        (Decision("A", "map", "t"), "twice"),
    ],
)
def test_of_what_cannot_be_decided_nothing_is(world: World, wrong: Decision, said: str) -> None:
    world.see(world.contoso, [group("ours", "Ours")])
    world.see(world.fabrikam, [group("t", "Team"), group("gone", "Gone")])
    world.see(world.fabrikam, [removed("gone")], complete=False)
    before = world.put(world.other, {"a": (1, "x"), "b": (1, "y")})
    with pytest.raises(InputInvalid, match=said) as caught:
        world.decide(world.other, Decision("a", "skip"), wrong)
    assert "\n" not in str(caught.value)
    assert world.mapped(world.other) == list(before.values())


def test_what_a_person_decided_is_kept_and_the_rest_is_suggested_anew(world: World) -> None:
    world.see(world.fabrikam, [group("s", "Sales"), group("t", "Team")])
    world.put(world.other, {"a": (1, "Sales"), "b": (1, "Sales"), "c": (1, "Later"), "d": (1, "Team")})
    before = world.decide(world.other, Decision("a", "map", "t"), Decision("b", "skip"))
    world.see(world.fabrikam, [group("s", "Sales"), group("t", "Team, renamed"), group("l", "Later")])
    found = world.put(world.other, {"a": (5, "Sales"), "b": (2, "Sales"), "c": (1, "Later"), "d": (1, "Team")})
    assert target(found["a"]) == ("map", "t", "Team, renamed", "choice")
    assert (found["a"].uses, found["a"].decided_by, found["a"].decided_at) == (5, "Ann", before["a"].decided_at)
    assert (found["b"].decision, found["b"].decided_at) == ("skip", before["b"].decided_at)
    assert target(found["c"]) == ("map", "l", "Later", "name")
    assert target(found["d"]) == UNRESOLVED


def test_a_group_that_is_named_no_more_is_forgotten_with_what_was_decided(world: World) -> None:
    world.see(world.fabrikam, [group("s", "Sales")])
    world.put(world.other, {"a": (1, "Sales"), "b": (1, "x")})
    world.put(world.same, {"a": (1, "Sales")})
    world.decide(world.other, Decision("b", "skip"))
    assert list(world.put(world.other, {"a": (1, "Sales")})) == ["a"]
    assert world.put(world.other, {"b": (1, "x")})["b"].decision == "unresolved"
    assert world.put(world.other, {}) == {}
    assert len(world.mapped(world.same)) == 1, "another restore's are left alone"


def test_a_choice_that_was_removed_is_unresolved_until_somebody_decides_again(world: World) -> None:
    world.see(world.fabrikam, [group("s", "Sales"), group("t", "Team")])
    uses: Uses = {"a": (1, "Sales")}
    world.put(world.other, uses)
    world.decide(world.other, Decision("a", "map", "t"))
    world.see(world.fabrikam, [removed("t")], complete=False)
    for _ in range(2):
        found = world.put(world.other, uses)["a"]
        assert (found.decision, found.target_id) == ("unresolved", None), "a suggestion would pass over the person"
        assert world.shown(world.other, "a").why == "the chosen group was removed: it was called 'Team'"
    assert target(world.decide(world.other, Decision("a", "map", "s"))["a"]) == ("map", "s", "Sales", "choice")


def test_a_decision_that_is_taken_back_is_suggested_again(world: World) -> None:
    world.see(world.fabrikam, [group("s", "Sales"), group("t", "Team")])
    uses: Uses = {"a": (1, "Sales")}
    world.put(world.other, uses)
    world.decide(world.other, Decision("a", "map", "t"))
    assert target(world.decide(world.other, Decision("a", "unresolved"))["a"]) == UNRESOLVED
    assert world.shown(world.other, "a").why == "a group is there that fits, and nobody chose it"
    assert target(world.put(world.other, uses)["a"]) == ("map", "s", "Sales", "name")


def test_groups_are_in_the_order_of_their_names(world: World) -> None:
    names = {"1": "beta", "2": "Älpha", "3": None, "4": "Alpha", "5": "alpha", "6": "Gamma", "7": "alpha"}
    world.put(world.same, {id_: (1, name) for id_, name in names.items()})
    assert [one.source_id for one in world.mapped(world.same)] == ["4", "5", "7", "2", "1", "6", "3"]


# ---- what a person sees


def test_the_cases_of_groups_in_the_same_tenant(world: World) -> None:
    """Trailing blanks, one name twice, deleted, renamed, dynamic, synced."""
    world.see(
        world.contoso,
        [
            group("p1", "Pilot "), group("p2", "Pilot"), group("s1", "Sales"), group("s2", "Sales"),
            group("del", "Deleted"), group("ren", "Renamed"), group("dyn", "Dynamic", "DynamicMembership"),
            group("syn", "Synced", synced=True), group("m", "Team", "Unified", "DynamicMembership"),
        ],
    )  # fmt: skip
    world.see(world.contoso, [removed("del"), group("ren", "New name")], complete=False)
    names = {
        "p1": "Pilot ", "p2": "Pilot", "s1": "Sales", "old": "Sales", "del": "Deleted", "ren": "Renamed",
        "dyn": "Dynamic", "syn": "Synced", "m": "Team", "other": "Never", "no": None,
    }  # fmt: skip
    world.put(world.same, {id_: (1, name) for id_, name in names.items()})
    page = world.page(world.same)
    seen = {one.decision.source_id: one for one in page.groups}
    assert {id_: one.decision.target_id for id_, one in seen.items()} == {
        id_: None if id_ in ("old", "del", "other", "no") else id_ for id_ in names
    }
    assert {id_: one.why for id_, one in seen.items() if one.why} == {
        "old": "2 groups have this name",
        "del": "the group was removed: it was called 'Deleted'",
        "other": "no group has this name",
        "no": "its name is not known",
    }
    types = {"dyn": ("dynamic",), "syn": ("synced",), "m": ("microsoft365", "dynamic"), "p1": ("assigned",)}
    assert {id_: (seen[id_].source_types, seen[id_].target_types) for id_ in types} == {
        id_: (one, one) for id_, one in types.items()
    }
    assert (seen["del"].source_types, seen["del"].target_types) == (("assigned",), None)
    assert [one.warnings for one in page.groups if one.warnings] == []
    assert page.unresolved == world.unresolved(world.same) == 4


def test_a_removed_group_whose_name_two_others_have(world: World) -> None:
    world.see(world.contoso, [group("a", "Sales"), group("b", "Sales"), group("c", "Sales, later")])
    world.see(world.contoso, [removed("c")], complete=False)
    world.put(world.same, {"c": (1, "Sales")})
    said = "the group was removed: it was called 'Sales, later', and 2 groups have this name"
    assert world.shown(world.same, "c").why == said


def test_what_became_of_a_group_in_its_own_tenant_is_no_reason_in_another(world: World) -> None:
    world.see(world.contoso, [group("a", "Sales"), group("b", "Pilot")])
    world.see(world.contoso, [removed("b")], complete=False)
    world.see(world.fabrikam, [])
    world.put(world.other, {"a": (1, "Sales"), "b": (1, "Pilot")})
    assert {one.why for one in world.page(world.other).groups} == {"no group has this name"}


def test_types_that_differ_are_warned_of_in_another_tenant(world: World) -> None:
    world.see(world.contoso, [group("a", "Sales", "DynamicMembership"), group("b", "Pilot"), group("m", "Team")])
    world.see(
        world.fabrikam,
        [group("x", "Sales", "Unified", synced=True), group("y", "Pilot"), group("z", "Unknown", "Unified")],
    )
    world.put(world.other, {"a": (1, "Sales"), "b": (1, "Pilot"), "u": (1, "Unknown")})
    sales, pilot, unknown = (world.shown(world.other, id_) for id_ in "abu")
    assert (sales.source_types, sales.target_types) == (("dynamic",), ("microsoft365", "synced"))
    assert sales.warnings == ("the types differ: dynamic there, microsoft365 and synced here",)
    assert pilot.warnings == ()
    assert (unknown.source_types, unknown.target_types, unknown.warnings) == (None, ("microsoft365",), ())


def test_a_group_that_stands_for_several_is_warned_of(world: World) -> None:
    world.see(world.fabrikam, [group("x", "Sales"), group("y", "Pilot")])
    world.put(world.other, {"a": (1, "Sales"), "b": (1, "Sales"), "c": (1, "Pilot"), "d": (1, "?"), "e": (1, "?")})
    said = {one.decision.source_id: one.warnings for one in world.page(world.other).groups}
    both = ("2 groups of the backup are mapped to this one",)
    assert said == {"a": both, "b": both, "c": (), "d": (), "e": ()}


def test_a_target_that_was_removed_since_is_warned_of(world: World) -> None:
    world.see(world.fabrikam, [group("x", "Sales")])
    world.put(world.other, {"a": (1, "Sales")})
    world.see(world.fabrikam, [removed("x")], complete=False)
    assert world.shown(world.other, "a").warnings == ("the group was removed since",)
    assert target(world.put(world.other, {"a": (1, "Sales")})["a"]) == UNRESOLVED


def test_a_removed_group_that_is_there_again_can_be_suggested(world: World) -> None:
    world.see(world.contoso, [group("a", "Sales")])
    world.see(world.contoso, [removed("a")], complete=False)
    world.put(world.same, {"a": (1, None)})
    world.see(world.contoso, [group("a", "Sales")])
    assert world.shown(world.same, "a").why == "a group is there that fits, and nobody chose it"


def test_the_page_tells_the_size_and_the_age_of_the_targets_directory(world: World) -> None:
    world.see(world.contoso, [group("a", "Sales")])
    page = world.page(world.other)
    assert (page.counted.many, page.read_at, page.complete_at) == (Count(0), None, None)
    assert (page.restore, page.groups) == (world.restore(world.other), ())
    world.see(world.fabrikam, [group("x", "Sales"), group("y", "Pilot")])
    world.see(world.fabrikam, [removed("y")], complete=False)
    page = world.page(world.other)
    state = directory.state(world.db, world.fabrikam.id)
    assert (page.counted.many, page.read_at, page.complete_at) == (Count(1), state.read_at, state.complete_at)
    with world.db.read() as connection, sent_statements(world.db) as sent:
        restore_mapping_page.page(connection, page.restore, page.counted.at, page.counted)
    assert [one for one, _ in sent if "LIMIT" in one] == [], "they are not counted again"


# ---- whatever there is

NAMES = st.sampled_from(("Sales", "Sales ", " Sales", "sales", "Säles", "Sa\u0308les", "", " ", "🚀", "id1", None))
GROUPS = st.dictionaries(st.sampled_from([f"id{n}" for n in range(6)]), st.tuples(NAMES, st.booleans()))


@given(here=GROUPS, elsewhere=GROUPS, uses=st.dictionaries(st.sampled_from([f"id{n}" for n in range(9)]), NAMES))
@examples(25)
def test_no_suggestion_names_a_group_that_is_gone_or_anothers_or_has_another_name(
    world: World, here: dict[str, Any], elsewhere: dict[str, Any], uses: dict[str, str | None]
) -> None:
    tenants = {world.same: (world.contoso, here), world.other: (world.fabrikam, elsewhere)}
    for restore_id, (tenant, groups) in tenants.items():
        number = directory.begin_round(world.db, tenant.id, world.runs[tenant.id].id)
        directory.apply(
            world.db, tenant.id, number, [{"id": id_, "displayName": name} for id_, (name, _) in groups.items()]
        )
        gone = [removed(id_) for id_, (_, is_gone) in groups.items() if is_gone]
        directory.apply(world.db, tenant.id, number, gone)
        directory.end_round(world.db, tenant.id, world.runs[tenant.id].id, number, "x", complete=True)
        # A group without a name is called by its id.
        there = {id_: id_ if name is None else name for id_, (name, is_gone) in groups.items() if not is_gone}
        found = world.put(restore_id, {id_: (1, name) for id_, name in uses.items()})
        assert found.keys() == uses.keys()
        for id_, name in uses.items():
            assert target(found[id_]) == expected(id_, name, there, same=tenant == world.contoso)


def expected(id_: str, name: str | None, there: Mapping[str, str], *, same: bool) -> tuple[str | None, ...]:
    if same and id_ in there:
        return ("map", id_, there[id_], "id")
    named = [one for one, its_name in there.items() if its_name == name]
    if name is not None and name != id_ and len(named) == 1:
        return ("map", named[0], name, "name")
    return UNRESOLVED


def test_no_row_of_the_database_maps_to_nothing(world: World) -> None:
    world.put(world.same, {"a": (1, "x")})
    with pytest.raises(sa.exc.IntegrityError), world.db.write() as connection:
        connection.execute(sa.update(table).values(decision="map"))
