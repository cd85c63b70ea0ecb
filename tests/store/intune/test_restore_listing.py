"""Which restores a user sees in a list, and the groups that a text means."""

from __future__ import annotations

import pytest

from store.db.engine import Database
from store.errors import InputInvalid, NotFound
from store.intune import restore_listing, restore_naming
from store.intune.restore_mappings import Decision
from store.intune.restore_records import Mapped, Restore, Scope
from store.model.records import Tenant, User
from store.people.access import Role
from store.runs import restore_review, restoring
from tests.support import people
from tests.support.restoring import backup, naming, previewed, see_groups
from tests.tasks.backup_folder.bodies import item

MANAGER = Role.MANAGER


@pytest.fixture
def ann(db: Database, tenant: Tenant) -> User:
    """Manager of three tenants."""
    for slug in ("fabrikam", "adatum"):
        people.make_tenant(db, slug)
    return people.make_user(db, "ann", **{tenant.slug: MANAGER, "fabrikam": MANAGER, "adatum": MANAGER})


@pytest.fixture
def set_id(db: Database, tenant: Tenant, ann: User) -> int:
    return backup(db, ann, tenant.slug, [naming(item("A", "1"), g1="Sales"), naming(item("B", "2"))])


def plan(db: Database, user: User, set_id: int, tenant: str) -> Restore:
    return restoring.plan(db, user, set_id, tenant, Scope())


def test_a_list_has_the_restores_between_tenants_of_ones_own(
    db: Database, tenant: Tenant, ann: User, set_id: int
) -> None:
    made = [plan(db, ann, set_id, slug) for slug in ("fabrikam", "adatum", tenant.slug)]
    assert restore_listing.listing(db, ann, None, 10) == made[::-1]
    assert restore_listing.listing(db, ann, None, 2) == made[:0:-1]
    assert restore_listing.listing(db, ann, "fabrikam", 10) == [made[0]]
    assert restore_listing.listing(db, ann, tenant.slug, 10) == made[::-1], "into it or out of it"
    source_only = people.make_user(db, "sue", **{tenant.slug: Role.OWNER})
    assert restore_listing.listing(db, source_only, None, 10) == [made[2]]
    with pytest.raises(NotFound):
        restore_listing.listing(db, source_only, "fabrikam", 10)
    target_only = people.make_user(db, "tim", fabrikam=Role.OWNER)
    assert restore_listing.listing(db, target_only, "fabrikam", 10) == []


def test_results_are_counted_for_who_may_see_them(db: Database, tenant: Tenant, ann: User, set_id: int) -> None:
    made = [plan(db, ann, set_id, slug) for slug in ("fabrikam", tenant.slug)]
    ids = [one.id for one in made]
    assert restore_listing.results(db, ann, ids) == {ids[0]: {"left": 2}, ids[1]: {"left": 2}}
    assert restore_listing.results(db, ann, []) == {}
    source_only = people.make_user(db, "sue", **{tenant.slug: Role.OWNER})
    assert restore_listing.results(db, source_only, ids) == {ids[1]: {"left": 2}}


def test_a_review_has_its_runs_newest_first(db: Database, tenant: Tenant, ann: User, set_id: int) -> None:
    restore = plan(db, ann, set_id, "fabrikam")
    restoring.decide(db, ann, restore.id, [Decision("g1", "skip")])
    held = previewed(db, ann, restore, A={"action": "create", "needs": ["everybody"]}, B="blocked")
    found = restore_review.review(db, ann, restore.id)
    assert [one.id for one in found.runs] == [held.id]
    assert ([one.name for one in found.blocking], found.wanted, found.unresolved) == (["B"], ["everybody"], 0)
    assert found.preview_age is not None
    restoring.discard(db, ann, restore.id)
    later = restore_review.review(db, ann, restore.id)
    assert (later.runs, later.preview_age, later.actions) == ((), None, {"none": 2})
    with pytest.raises(NotFound):
        restore_review.review(db, people.make_user(db, "sue", **{tenant.slug: Role.OWNER}), restore.id)


# ---- groups by name

GROUPS = (
    Mapped("g1", "Sales", 1, "unresolved"),
    Mapped("g2", "a=b", 1, "unresolved"),
    Mapped("g3", "a", 1, "unresolved"),
    Mapped("g4", None, 1, "unresolved"),
    Mapped("g5", "Twice", 1, "unresolved"),
    Mapped("g6", "Twice", 1, "unresolved"),
)


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("Sales=x", ("g1", "x")),
        ("G1=x", ("g1", "x")),
        ("g4=x=y", ("g4", "x=y")),
        ("g2=x", ("g2", "x")),
        ("Sales=", ("g1", "")),
    ],
)
def test_a_group_and_its_target(text: str, pair: tuple[str, str]) -> None:
    assert restore_naming.pair(GROUPS, text) == pair


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a=b=c", "'a=b=c' can be read in 2 ways"),
        ("Twice=x", "2 groups of the restore are called 'Twice'"),
        ("sales=x", "the restore names no group 'sales'"),
        ("=x", "the restore names no group ''"),
        ("Sales", "'Sales' maps no group to another"),
    ],
)
def test_what_could_be_no_group_or_several_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputInvalid) as refused:
        restore_naming.pair(GROUPS, text)
    assert refused.value.message == message


def test_a_group_that_is_called_by_anothers_id_is_not_mistaken_for_it(
    db: Database, tenant: Tenant, ann: User, set_id: int
) -> None:
    restore = plan(db, ann, set_id, "fabrikam")
    see_groups(db, ann, "fabrikam", x1="x2", x2="Other", x3="x3")
    with db.read() as connection:
        known = restore_naming.targets(connection, restore, ["x1", "Other", "X3"])
        assert known == {"x1": "x1", "Other": "x2", "X3": "x3"}
        with pytest.raises(InputInvalid, match="2 groups of fabrikam are called 'x2'"):
            restore_naming.targets(connection, restore, ["x2"])
