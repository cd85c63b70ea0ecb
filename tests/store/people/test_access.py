"""Rights: what each role may, that strangers find nothing, and that a tenant keeps an owner."""

from __future__ import annotations

import pytest

from store import snapshot
from store.db.engine import Database
from store.errors import Forbidden, NotFound
from store.model.records import Count, Tenant, User
from store.people import access
from store.people.access import Right, Role
from store.runs import lifecycle
from store.search import counts as tab_counts
from store.search import pages
from store.search.filter import RunFilter
from store.search.resolve import resolve_filter
from tests.support.people import end_run, make_tenant, make_user, open_run

MATRIX = {
    Role.OWNER: {Right.VIEW, Right.START, Right.RESTORE, Right.ADMINISTER},
    Role.MANAGER: {Right.VIEW, Right.START, Right.RESTORE},
    Role.OPERATOR: {Right.VIEW, Right.START},
    Role.READONLY: {Right.VIEW},
}


def test_each_role_may_what_it_may_and_no_more(db: Database, tenant: Tenant) -> None:
    for role, rights in MATRIX.items():
        member = make_user(db, str(role), contoso=role)
        (membership,) = access.memberships_of(db, member.id)
        for right in Right:
            assert membership.may(right) == (right in rights)
            if right in rights:
                assert access.require_right(db, member, "contoso", right) == tenant
            else:
                with pytest.raises(Forbidden, match=f"as {role} of contoso you may not"):
                    access.require_right(db, member, "contoso", right)


def test_a_role_in_one_tenant_is_none_in_another(db: Database, tenant: Tenant) -> None:
    make_tenant(db, "fabrikam")
    bob = make_user(db, "bob", contoso=Role.OWNER, fabrikam=Role.READONLY)
    assert access.require_right(db, bob, "contoso", Right.ADMINISTER).slug == "contoso"
    with pytest.raises(Forbidden):
        access.require_right(db, bob, "fabrikam", Right.START)


def test_a_stranger_is_told_the_same_as_of_what_does_not_exist(db: Database, tenant: Tenant, user: User) -> None:
    run = end_run(db, open_run(db, tenant, user))
    stranger = make_user(db, "mallory")
    for right in Right:
        told = []
        for slug in ("contoso", "nowhere"):
            with pytest.raises(NotFound) as caught:
                access.require_right(db, stranger, slug, right)
            told.append(str(caught.value).replace(slug, "…"))
        assert told[0] == told[1]
    told = []
    for run_id in (run.id, run.id + 4711):
        with pytest.raises(NotFound) as caught:
            access.visible_run(db, stranger, run_id)
        told.append(str(caught.value).replace(str(run_id), "…"))
    assert told[0] == told[1]


def test_a_stranger_finds_neither_tenant_nor_run_nor_notification(db: Database, tenant: Tenant, user: User) -> None:
    run = end_run(db, open_run(db, tenant, user))
    stranger = make_user(db, "mallory")
    seen = snapshot.take(db, snapshot.Request(stranger.id, run_id=run.id, inbox=True))
    assert (seen.memberships, seen.runs, seen.detail) == ((), (), None)
    assert (seen.recent_notifications, seen.inbox, seen.unread) == ((), (), 0)
    assert set(seen.counts.values()) == {Count(0)}
    assert access.memberships_of(db, stranger.id) == ()
    with db.read() as connection, pytest.raises(NotFound):
        pages.page(connection, resolve_filter(connection, (), stranger.id, RunFilter(tenants=("contoso",))), 10)


def test_a_member_of_another_tenant_is_a_stranger_in_this_one(db: Database, tenant: Tenant, user: User) -> None:
    run = end_run(db, open_run(db, tenant, user))
    make_tenant(db, "fabrikam")
    bob = make_user(db, "bob", fabrikam=Role.OWNER)
    with pytest.raises(NotFound):
        access.visible_run(db, bob, run.id)
    seen = snapshot.take(db, snapshot.Request(bob.id, RunFilter(tenants=("contoso",)), run_id=run.id))
    assert (seen.runs, seen.detail) == ((), None)


def test_every_member_sees_every_run_whole(db: Database, tenant: Tenant, user: User) -> None:
    run = end_run(db, open_run(db, tenant, user))
    for role in Role:
        assert access.visible_run(db, make_user(db, str(role), contoso=role), run.id) == run
    assert run.context == lifecycle.get(db, run.id).context  # type: ignore[union-attr]


def test_memberships_are_by_slug(db: Database) -> None:
    for slug in ("b", "a", "c"):
        make_tenant(db, slug)
    found = access.memberships_of(db, make_user(db, c=Role.OWNER, a=Role.READONLY, b=Role.MANAGER).id)
    assert [(member.tenant.slug, member.role) for member in found] == [
        ("a", "readonly"),
        ("b", "manager"),
        ("c", "owner"),
    ]


def test_a_tenants_list_holds_no_other_tenants_runs(db: Database, tenant: Tenant, user: User) -> None:
    mine = open_run(db, tenant, user)
    open_run(db, make_tenant(db, "fabrikam"))
    with db.read() as connection:
        of = access.read_memberships(connection, user.id)
        for wanted in (RunFilter(), RunFilter(tenants=("contoso",))):
            assert [
                run.id for run in pages.page(connection, resolve_filter(connection, of, user.id, wanted), 10).runs
            ] == [mine.id]
            assert tab_counts.counts(
                connection,
                resolve_filter(connection, of, user.id, wanted),
            )["All"] == Count(1)
