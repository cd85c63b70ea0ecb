"""The cached directory as a person searches it: its size, its age, what is found; and nothing of it for a stranger."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from store import snapshot
from store.db.engine import Database
from store.errors import NotFound
from store.intune import directory, directory_page
from store.intune.directory_page import HOLDS, Counted, Directory, DirectoryWanted
from store.model.records import Count, Run, Tenant, User
from store.people import access
from store.snapshot import Request, SnapshotCache
from tests.store.test_plans import sent_statements
from tests.support import people

CONTOSO = DirectoryWanted("contoso")


@pytest.fixture
def run(db: Database, tenant: Tenant) -> Run:
    return people.start_run(db, tenant)


def see(db: Database, run: Run, *names: str, complete: bool = True, ends: bool = True, **more: Any) -> None:
    """A round that brings groups with these names."""
    id_ = run.tenant_id
    number = directory.begin_round(db, id_, run.id) if complete else directory.state(db, id_).round
    directory.apply(db, id_, number, [{"id": f"id {name}", "displayName": name, **more} for name in names])
    if ends:
        directory.end_round(db, id_, run.id, number, "link", complete=complete)


def taken(db: Database, user: User, text: str = "", cache: SnapshotCache | None = None) -> Directory:
    found = snapshot.take(db, Request(user.id, directory=DirectoryWanted("contoso", text)), cache).directory
    assert found
    return found


def names(found: Directory) -> list[str]:
    return [group.name for group in found.groups]


def test_a_tenant_that_was_never_read_has_no_groups_and_no_age(db: Database, tenant: Tenant, user: User) -> None:
    found = taken(db, user)
    assert (found.tenant, found.groups, found.counted.many, found.has_more) == (tenant, (), Count(0), False)
    assert (found.read_at, found.complete_at) == (None, None)


def test_the_ends_of_the_last_round_and_of_the_last_complete_one(db: Database, run: Run, user: User) -> None:
    see(db, run, "Sales", ends=False)
    assert (taken(db, user).read_at, taken(db, user).counted.many) == (None, Count(1))
    see(db, run, "Sales")
    whole = taken(db, user)
    assert whole.read_at == whole.complete_at
    see(db, run, "Interns", complete=False)
    later = taken(db, user)
    assert later.complete_at == whole.complete_at
    assert later.read_at
    assert whole.read_at
    assert later.read_at >= whole.read_at
    assert later.counted.many == Count(2)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["All sales ", "Köln"]), (" ", ["All sales ", "Köln"]), ("SAL all", ["All sales "]), ("kol", ["Köln"]),
        ("x", []), ("\x00", ["All sales ", "Köln"]), ("\ud800", []), ("k" * 9_999, []), ("%", []),
    ],
)  # fmt: skip
def test_a_text_finds_by_beginnings_whatever_it_is(
    db: Database, run: Run, user: User, text: str, found: list[str]
) -> None:
    see(db, run, "All sales ", "Köln")
    page = taken(db, user, text)
    assert names(page) == found
    assert page.counted.many == Count(2), "all are counted, not only what is found"


def test_a_group_comes_with_all_that_is_known_of_it(db: Database, run: Run, user: User) -> None:
    see(db, run, "D", groupTypes=["DynamicMembership"], membershipRule="user.x -eq 1", securityEnabled=True)
    (group,) = taken(db, user).groups
    assert (group.types, group.membership_rule, group.security_enabled) == (("dynamic",), "user.x -eq 1", True)
    assert group.first_seen_at


def test_no_more_are_listed_and_counted_than_is_bearable(
    db: Database, run: Run, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory_page, "LISTED", 2)
    monkeypatch.setattr(directory_page, "COUNTED", 3)
    see(db, run, *"abc")
    assert (names(taken(db, user)), taken(db, user).has_more) == (["a", "b"], True)
    assert taken(db, user).counted.many == Count(3)
    see(db, run, "d", complete=False)
    assert taken(db, user).counted.many == Count(3, at_least=True)
    monkeypatch.setattr(directory_page, "LISTED", 4)
    assert not taken(db, user).has_more


def test_a_stranger_finds_nothing(db: Database, run: Run, user: User) -> None:
    see(db, run, "Sales")
    stranger = people.make_user(db)
    assert taken(db, user).groups
    assert snapshot.take(db, Request(stranger.id, directory=CONTOSO)).directory is None
    of = access.memberships_of(db, stranger.id)
    with pytest.raises(NotFound), db.read() as connection:
        directory_page.page(connection, of, CONTOSO, dt.datetime.now(dt.UTC))


def test_another_tenants_groups_are_neither_found_nor_counted(db: Database, run: Run, user: User) -> None:
    see(db, run, "Sales")
    see(db, people.start_run(db, people.make_tenant(db, "other")), "Sales of others")
    found = taken(db, user, "sales")
    assert (names(found), found.counted.many) == (["Sales"], Count(1))


def test_groups_are_counted_again_only_when_a_round_has_ended(db: Database, run: Run, user: User) -> None:
    see(db, run, "a")
    cache = SnapshotCache()

    def counts() -> int:
        with sent_statements(db) as sent:
            taken(db, user, cache=cache)
        return len([statement for statement, _ in sent if "directory_groups" in statement and "count(" in statement])

    assert [counts(), counts()] == [1, 0]
    see(db, run, "b", complete=False)
    assert [counts(), counts()] == [1, 0]
    assert taken(db, user, cache=cache).counted.many == Count(2)


def test_a_count_holds_for_a_while_for_its_tenant_and_its_round() -> None:
    at = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    counted = Counted(Count(1), 1, at, at)
    assert counted.holds(1, at, at + HOLDS / 2)
    assert not counted.holds(1, at, at + HOLDS)
    assert not counted.holds(2, at, at)
    assert not counted.holds(1, None, at)
