"""The inventory as a person goes through it: kinds, pages, one policy; and nothing of it for a stranger."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from store import snapshot
from store.db.engine import Database
from store.errors import NotFound
from store.intune import browse, inventory, versions
from store.intune.browsed import Found, Kinds, KindsWanted, PoliciesWanted, PolicyDetail, PolicyPage, PolicyWanted
from store.intune.inventory import SeenPolicy
from store.intune.versions import ReadPolicy
from store.model.records import Count, Run, Tenant, User
from store.model.tables import directory_groups, policies
from store.people import access
from store.people.access import Membership
from store.snapshot import Request, SnapshotCache
from tests.store.test_plans import sent_statements
from tests.support import people

KIND = "configuration_policies"
FILTER = "deviceAndAppManagementAssignmentFilterId"


def see(db: Database, run: Run, kind: str, *names: str) -> None:
    inventory.upsert(
        db, run.tenant_id, run.id, {kind: [SeenPolicy(f"id {n}", n, None, {"id": n}, None, "iOS") for n in names]}
    )


def version(db: Database, run: Run, name: str, text: str, *targets: dict[str, Any]) -> None:
    assignments = [{"target": target} for target in targets]
    policy = ReadPolicy(f"id {name}", {"text": text}, f"h {text}", f"c {text}", assignments, str(assignments))
    versions.record(db, run.tenant_id, run.id, {}, {KIND: [policy]})


@pytest.fixture
def run(db: Database, tenant: Tenant) -> Run:
    return people.start_run(db, tenant)


def members(db: Database, user: User) -> tuple[Membership, ...]:
    return access.memberships_of(db, user.id)


def listed(db: Database, user: User, text: str = "", limit: int = 50, **more: Any) -> PolicyPage:
    wanted = PoliciesWanted("contoso", KIND, text, **more)
    with db.read() as connection:
        return browse.page(connection, members(db, user), wanted, limit)


def one(db: Database, user: User, policy_id: int, *more: Any) -> PolicyDetail:
    with db.read() as connection:
        return browse.policy(connection, members(db, user), PolicyWanted(policy_id, *more), {})


def taken(db: Database, user: User, wanted: Any, cache: SnapshotCache | None = None) -> Found | None:
    return snapshot.take(db, Request(user.id, inventory=wanted), cache).inventory


def test_kinds_say_how_many_are_there_and_how_many_are_missing(db: Database, run: Run, user: User) -> None:
    see(db, run, KIND, "a", "b", "c")
    see(db, run, "scripts", "s")
    with db.write() as connection:
        connection.execute(
            sa.update(policies).where(policies.c.name == "b").values(missing_since=policies.c.last_seen_at)
        )
    found = taken(db, user, KindsWanted("contoso"))
    assert isinstance(found, Kinds)
    assert [(kind.kind, kind.present, kind.missing) for kind in found.kinds] == [(KIND, 2, 1), ("scripts", 1, 0)]
    assert found.kinds[0].last_seen_at.tzinfo


def test_a_tenant_without_an_inventory_has_no_kinds(db: Database, tenant: Tenant, user: User) -> None:
    assert taken(db, user, KindsWanted("contoso")) == Kinds(tenant, ())


def test_a_stranger_finds_nothing(db: Database, run: Run, user: User) -> None:
    see(db, run, KIND, "a")
    (policy,) = listed(db, user).policies
    stranger = people.make_user(db)
    for wanted in (KindsWanted("contoso"), PoliciesWanted("contoso", KIND), PolicyWanted(policy.id)):
        assert taken(db, user, wanted) is not None
        assert taken(db, stranger, wanted) is None
    with pytest.raises(NotFound), db.read() as connection:
        browse.kinds(connection, members(db, stranger), KindsWanted("contoso"))


def test_another_tenants_policies_are_in_no_list(db: Database, run: Run, user: User) -> None:
    see(db, run, KIND, "a")
    see(db, people.start_run(db, people.make_tenant(db, "other")), KIND, "theirs")
    assert [policy.name for policy in listed(db, user).policies] == ["a"]


def test_pages_lose_none_and_repeat_none_also_of_the_same_name(db: Database, run: Run, user: User) -> None:
    names = ["b", "B", "a", "Ä", "c"]
    see(db, run, KIND, *names)
    same = [SeenPolicy(f"x{n}", "b", None, {}, None) for n in range(3)]
    inventory.upsert(db, run.tenant_id, run.id, {KIND: same})
    pages = [listed(db, user, limit=2)]
    while pages[-1].next:
        pages.append(listed(db, user, limit=2, after=pages[-1].next))
    found = [policy for page in pages for policy in page.policies]
    assert len({policy.id for policy in found}) == len(found) == 8
    assert [policy.id for policy in found] == [policy.id for policy in listed(db, user).policies]
    assert {page.matching for page in pages} == {Count(8)}


@pytest.mark.parametrize(
    ("text", "names"),
    [("wifi", ["Wifi 100%", "wifi_x"]), ("0%", ["Wifi 100%"]), ("_", ["wifi_x"]), ("/", ["a/b"]), ("\x00 ", [])],
)
def test_a_name_is_found_by_any_part_and_signs_are_no_patterns(
    db: Database, run: Run, user: User, text: str, names: list[str]
) -> None:
    see(db, run, KIND, "Wifi 100%", "wifi_x", "a/b")
    found = [policy.name for policy in listed(db, user, text).policies]
    assert found == (names or ["a/b", "Wifi 100%", "wifi_x"])


def test_a_list_shows_the_newest_version_with_the_names_of_groups(db: Database, run: Run, user: User) -> None:
    see(db, run, KIND, "a", "b")
    version(db, run, "a", "old", {"groupId": "g1"})
    version(db, run, "a", "new", {"groupId": "g2"}, {"groupId": "g3"})
    group = {"tenant_id": run.tenant_id, "display_name": "Sales", "group_types": [], "seen_round": 1}
    with db.write() as connection:
        connection.execute(sa.insert(directory_groups).values(group_id="g2", **group))
    page = listed(db, user)
    newest, unread = page.policies
    assert newest.assignments == ({"target": {"groupId": "g2"}}, {"target": {"groupId": "g3"}})
    assert (newest.completeness, unread.completeness, unread.assignments) == ("whole", None, None)
    assert page.groups == {"g2": "Sales"}


def test_a_policy_comes_with_its_versions_and_one_body(db: Database, run: Run, user: User) -> None:
    see(db, run, KIND, "a")
    see(db, run, "assignment_filters", "Corporate")
    (policy,) = listed(db, user).policies
    assert one(db, user, policy.id).shown is None
    for text in ("1", "2", "3"):
        version(db, run, "a", text, {"groupId": "g", FILTER: "id Corporate"})
    newest = one(db, user, policy.id)
    assert newest.shown
    assert newest.before
    assert (newest.shown.body, newest.before.body) == ({"text": "3"}, None)
    assert newest.filters == {"id Corporate": "Corporate"}
    ids = [state.id for state in newest.versions]
    assert ids == sorted(ids, reverse=True)
    compared = one(db, user, policy.id, ids[1], True)
    assert compared.shown
    assert compared.before
    assert (compared.shown.body, compared.before.body) == ({"text": "2"}, {"text": "1"})
    assert one(db, user, policy.id, ids[2]).before is None
    with pytest.raises(NotFound):
        one(db, user, policy.id, ids[0] + 1)


def test_a_body_is_read_once(db: Database, run: Run, user: User) -> None:
    see(db, run, KIND, "a")
    version(db, run, "a", "1")
    (policy,) = listed(db, user).policies
    cache = SnapshotCache()
    first = taken(db, user, PolicyWanted(policy.id), cache)
    with sent_statements(db) as sent:
        assert taken(db, user, PolicyWanted(policy.id), cache) == first
    assert [statement for statement, _ in sent if "contents" in statement] == []
    with sent_statements(db) as sent:
        taken(db, user, PolicyWanted(policy.id))
    assert len([statement for statement, _ in sent if "contents" in statement]) == 1


def test_versions_are_bounded(db: Database, run: Run, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browse, "VERSIONS", 2)
    see(db, run, KIND, "a")
    for text in ("1", "2", "3"):
        version(db, run, "a", text)
    detail = one(db, user, listed(db, user).policies[0].id)
    assert (len(detail.versions), detail.has_more_versions) == (2, True)
