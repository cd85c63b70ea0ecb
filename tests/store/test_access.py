"""Rights: what each role may, that strangers find nothing, and that a tenant keeps an owner."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from store import access, founding, queries, runs, snapshot
from store.access import Right, Role
from store.database import Database
from store.errors import Forbidden, InputInvalid, NotFound
from store.filters import RunFilter
from store.queries import Count
from store.records import Tenant, User
from store.tables import memberships, tenants, users
from tests.support.people import end_run, make_tenant, make_user, open_run
from tests.support.waiting import HANG

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
                assert access.require(db, member, "contoso", right) == tenant
            else:
                with pytest.raises(Forbidden, match=f"as {role} of contoso you may not"):
                    access.require(db, member, "contoso", right)


def test_a_role_in_one_tenant_is_none_in_another(db: Database, tenant: Tenant) -> None:
    make_tenant(db, "fabrikam")
    bob = make_user(db, "bob", contoso=Role.OWNER, fabrikam=Role.READONLY)
    assert access.require(db, bob, "contoso", Right.ADMINISTER).slug == "contoso"
    with pytest.raises(Forbidden):
        access.require(db, bob, "fabrikam", Right.START)


def test_a_stranger_is_told_the_same_as_of_what_does_not_exist(db: Database, tenant: Tenant, user: User) -> None:
    run = end_run(db, open_run(db, tenant, user))
    stranger = make_user(db, "mallory")
    for right in Right:
        told = []
        for slug in ("contoso", "nowhere"):
            with pytest.raises(NotFound) as caught:
                access.require(db, stranger, slug, right)
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
    with db.reading() as connection, pytest.raises(NotFound):
        queries.page(connection, (), stranger.id, RunFilter(tenants=("contoso",)), 10)


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
    assert run.context == runs.by_id(db, run.id).context  # type: ignore[union-attr]


# ---- administration


def test_while_there_is_no_owner_anybody_administers(db: Database, tenant: Tenant) -> None:
    access.require_administrator(db, None)
    access.require_administrator(db, None, "contoso")
    access.require_administrator(db, make_user(db, contoso=Role.MANAGER))


def test_once_there_is_an_owner_only_owners_do(db: Database, tenant: Tenant) -> None:
    owner, manager, stranger = make_user(db, contoso=Role.OWNER), make_user(db, contoso=Role.MANAGER), make_user(db)
    access.require_administrator(db, owner)
    access.require_administrator(db, owner, "contoso")
    for nobody in (None, manager, stranger):
        with pytest.raises(Forbidden):
            access.require_administrator(db, nobody)
    with pytest.raises(Forbidden, match="ask an owner of contoso"):
        access.require_administrator(db, manager, "contoso")


def test_a_tenant_with_an_owner_is_not_there_for_others(db: Database, tenant: Tenant) -> None:
    make_tenant(db, "fabrikam")
    make_user(db, contoso=Role.OWNER)
    other = make_user(db, fabrikam=Role.OWNER)
    for nobody in (None, other):
        with pytest.raises(NotFound, match="no tenant 'contoso'"):
            access.require_administrator(db, nobody, "contoso")


def test_a_tenant_without_an_owner_is_open_even_when_another_has_one(db: Database, tenant: Tenant) -> None:
    make_tenant(db, "fabrikam")
    make_user(db, fabrikam=Role.OWNER)
    access.require_administrator(db, make_user(db), "contoso")


def test_a_grant_replaces_the_role_before(db: Database, tenant: Tenant, user: User) -> None:
    for role in (Role.OWNER, Role.OWNER):
        access.grant(db, "alice", "contoso", role)
    assert [member.role for member in access.memberships_of(db, user.id)] == [Role.OWNER]


def test_the_last_owner_stays_one(db: Database, tenant: Tenant, user: User) -> None:
    access.grant(db, "alice", "contoso", Role.OWNER)
    for role in (Role.MANAGER, Role.OPERATOR, Role.READONLY):
        with pytest.raises(Forbidden, match="last owner"):
            access.grant(db, "alice", "contoso", role)
    make_user(db, "bob", contoso=Role.OWNER)
    access.grant(db, "alice", "contoso", Role.READONLY)
    assert [member.role for member in access.memberships_of(db, user.id)] == [Role.READONLY]


def test_two_owners_cannot_step_down_at_once(db: Database, tenant: Tenant) -> None:
    for _ in range(10):
        with db.transaction() as connection:
            connection.execute(sa.delete(memberships))
        owners = [make_user(db, contoso=Role.OWNER) for _ in range(2)]
        start, told = threading.Barrier(2), list[str]()

        def step_down(owner: User, start: threading.Barrier = start, told: list[str] = told) -> None:
            start.wait(HANG)
            try:
                access.grant(db, owner.login, "contoso", Role.READONLY)
                told.append("done")
            except Exception as error:
                told.append(type(error).__name__)

        threads = [threading.Thread(target=step_down, args=(owner,)) for owner in owners]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(HANG)
        assert sorted(told) == ["Forbidden", "done"]


def test_a_grant_needs_a_user_and_a_tenant(db: Database, tenant: Tenant, user: User) -> None:
    with pytest.raises(NotFound, match="no user 'bob'"):
        access.grant(db, "bob", "contoso", Role.OWNER)
    with pytest.raises(NotFound, match="no tenant 'nowhere'"):
        access.grant(db, "alice", "nowhere", Role.OWNER)


def test_names_that_cannot_be_are_refused(db: Database, tenant: Tenant, user: User) -> None:
    for slug in ("", "-a", "A", "a b", "a/b", "é", "a" * 64, "a\n", "contoso"):
        with pytest.raises(InputInvalid):
            access.add_tenant(db, slug)
    for login in ("", "a b", "a\n", "a:b", "a/b", "a\x1b[m", "a" * 65, "alice"):
        with pytest.raises(InputInvalid):
            access.add_user(db, login)
    assert access.add_tenant(db, "a-1", "A One").name == "A One"
    assert [found.login for found in access.all_users(db)] == ["alice"]
    with pytest.raises(NotFound, match="no user 'bob'"):
        access.find_user(db, "bob")
    assert access.find_user(db, "alice") == user


def test_memberships_are_by_slug(db: Database) -> None:
    for slug in ("b", "a", "c"):
        make_tenant(db, slug)
    found = access.memberships_of(db, make_user(db, c=Role.OWNER, a=Role.READONLY, b=Role.MANAGER).id)
    assert [(member.tenant.slug, member.role) for member in found] == [
        ("a", "readonly"),
        ("b", "manager"),
        ("c", "owner"),
    ]


# ---- founding


def test_of_many_that_found_a_database_one_becomes_its_owner(db: Database) -> None:
    start, founded = threading.Barrier(4), list[bool | str]()

    def found(number: int) -> None:
        start.wait(HANG)
        try:
            founded.append(founding.found(db, f"user{number}", "local"))
        except Exception as error:
            founded.append(repr(error))

    threads = [threading.Thread(target=found, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG)
    with db.reading() as connection:
        assert [len(connection.execute(sa.select(table)).all()) for table in (users, tenants, memberships)] == [1, 1, 1]
    assert founded.count(True) == 1
    assert not founding.found(db, "late", "other")


def test_a_tenants_list_holds_no_other_tenants_runs(db: Database, tenant: Tenant, user: User) -> None:
    mine = open_run(db, tenant, user)
    open_run(db, make_tenant(db, "fabrikam"))
    with db.reading() as connection:
        of = access.read_memberships(connection, user.id)
        for wanted in (RunFilter(), RunFilter(tenants=("contoso",))):
            assert [run.id for run in queries.page(connection, of, user.id, wanted, 10).runs] == [mine.id]
            assert queries.counts(connection, of, user.id, wanted)["All"] == Count(1)
