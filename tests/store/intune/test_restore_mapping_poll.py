"""The groups of a restore as a poll reads them: for members of both tenants alone, and nothing is counted twice."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from store import snapshot
from store.db.engine import Database
from store.intune.restore_mapping_poll import MappingFound, MappingWanted
from store.intune.restore_mappings import Decision
from store.intune.restore_records import RestoreState, Scope
from store.model.records import Count, User
from store.people.access import Role
from store.runs import restoring
from store.snapshot import Request, SnapshotCache
from tests.store.intune.test_backup_page import statements
from tests.store.intune.test_backups import item
from tests.support import people
from tests.support.restoring import backup, naming, see_groups


@dataclass
class Place:
    """A restore of contoso's policies into fabrikam by Ann; of its two groups one has no fellow there."""

    db: Database
    ann: User
    id: int

    def poll(self, user: User | None = None, cache: SnapshotCache | None = None) -> MappingFound | None:
        request = Request((user or self.ann).id, restore_mapping=MappingWanted(self.id))
        return snapshot.take(self.db, request, cache).restore_mapping


@pytest.fixture
def place(db: Database) -> Place:
    people.make_tenant(db, "contoso")
    people.make_tenant(db, "fabrikam")
    ann = people.make_user(db, "ann", contoso=Role.MANAGER, fabrikam=Role.MANAGER)
    see_groups(db, ann, "fabrikam", t1="Sales")
    set_id = backup(db, ann, "contoso", [naming(item("p1"), s1="Sales", s2="Pilot")])
    return Place(db, ann, restoring.plan(db, ann, set_id, "fabrikam", Scope()).id)


def test_groups_come_with_the_restore_and_its_numbers(place: Place) -> None:
    found = place.poll()
    assert found
    assert (found.found.restore.status, found.found.numbers.objects) == (RestoreState.SCOPED, 1)
    assert [(one.decision.source_name, one.decision.target_id) for one in found.page.groups] == [
        ("Pilot", None),
        ("Sales", "t1"),
    ]
    assert (found.page.unresolved, found.page.counted.many) == (1, Count(1))


@pytest.mark.parametrize("roles", [{}, {"contoso": Role.OWNER}, {"fabrikam": Role.OWNER}])
def test_they_do_not_exist_for_who_is_not_in_both_tenants(place: Place, roles: dict[str, Role]) -> None:
    assert place.poll(people.make_user(place.db, "bob", **roles)) is None


def test_a_reader_of_both_sees_them(place: Place) -> None:
    assert place.poll(people.make_user(place.db, "bob", contoso=Role.READONLY, fabrikam=Role.READONLY))


def test_what_is_not_there_is_none_and_nothing_is_read_that_nobody_wants(place: Place) -> None:
    request = Request(place.ann.id, restore_mapping=MappingWanted(place.id + 1))
    assert snapshot.take(place.db, request).restore_mapping is None
    assert snapshot.take(place.db, request.only_list()).restore_mapping is None
    assert request.only_list() == Request(place.ann.id)


def test_a_second_poll_counts_nothing_again_and_sees_what_was_decided(place: Place) -> None:
    cache = SnapshotCache()
    with statements(place.db) as told:
        place.poll(cache=cache)
    assert (
        sum("count(" in one and "directory_groups" in one for one in told) == 2
    )  # of the directory, and of names in it
    with statements(place.db) as told:
        place.poll(cache=cache)
    counts = [one for one in told if "count(" in one and "display_name" not in one]
    assert not [one for one in counts if "directory_groups" in one or "restore_items" in one]
    restoring.decide(place.db, place.ann, place.id, [Decision("s2", "skip")])
    found = place.poll(cache=cache)
    assert found
    assert (found.page.unresolved, found.found.restore.status) == (0, RestoreState.CHECKED)
