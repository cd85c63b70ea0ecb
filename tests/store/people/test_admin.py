"""Administration: the first owner's door, who may add and grant, that a tenant keeps an owner, and what is audited of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from store.db.engine import Database
from store.errors import Forbidden, InputInvalid, NotFound
from store.model.records import Tenant, User
from store.model.tables import audit_events, memberships, tenants, users
from store.people import access, admin
from store.people.access import Role
from store.people.admin import Administrator
from store.workers import pause as queue_pause
from tests.support.people import all_users, make_tenant, make_user
from tests.support.waiting import HANG


def roles(db: Database, login: str) -> dict[str, str]:
    found = access.memberships_of(db, access.find_user(db, login).id)
    return {member.tenant.slug: member.role.value for member in found}


def owned(db: Database) -> Administrator:
    """ann, who came through the door and owns contoso."""
    Administrator(db, "ann").add_tenant("contoso")
    return Administrator(db, "ann")


# ---- who may


def test_who_adds_a_tenant_owns_it(db: Database) -> None:
    ann = owned(db)
    assert roles(db, "ann") == {"contoso": "owner"}
    ann.add_tenant("fabrikam", "Fabrikam Ltd")
    assert roles(db, "ann") == {"contoso": "owner", "fabrikam": "owner"}


def test_the_door_for_the_first_owner_is_open_once(db: Database) -> None:
    ann = owned(db)
    ann.add_user("eve")
    for login in ("eve", "mallory"):
        with pytest.raises(Forbidden, match="administration is for owners"):
            Administrator(db, login).add_tenant("mine")
    assert [user.login for user in ann.users()] == ["ann", "eve"]
    assert roles(db, "eve") == {}


def test_before_the_first_tenant_there_is_nothing_to_administer(db: Database) -> None:
    stranger = Administrator(db, "ann")
    calls: list[Callable[[], object]] = [lambda: stranger.add_user("eve"), stranger.users]
    for call in calls:
        with pytest.raises(Forbidden, match="'opsmon tenants add SLUG' makes you a user and its owner"):
            call()
    assert all_users(db) == ()


def test_what_the_door_lets_in_is_all_or_nothing(db: Database) -> None:
    with pytest.raises(InputInvalid):
        Administrator(db, "ann").add_tenant("No Slug")
    with pytest.raises(InputInvalid):
        Administrator(db, "a b").add_tenant("contoso")
    assert all_users(db) == ()
    assert owned(db).users() != ()


def test_of_many_at_the_door_one_comes_in(db: Database) -> None:
    start, came = threading.Barrier(4), list[str]()

    def come(number: int) -> None:
        start.wait(HANG)
        try:
            Administrator(db, f"user{number}").add_tenant(f"tenant{number}")
            came.append("in")
        except Exception as error:
            came.append(type(error).__name__)

    threads = [threading.Thread(target=come, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG)
    assert sorted(came) == ["Forbidden"] * 3 + ["in"]
    assert len(all_users(db)) == 1


def test_a_strangers_grant_is_answered_the_same_whatever_there_is(db: Database) -> None:
    ann = owned(db)
    ann.add_user("bob")
    ann.add_tenant("hidden")
    ann.add_user("olga")
    ann.grant("olga", "contoso", Role.OWNER)
    for asks in ("nobody", "bob", "olga"):
        told = set()
        for slug in ("hidden", "nowhere", "no slug", "a\x00b", "\udc80"):
            for login in ("bob", "missing", asks):
                with pytest.raises(NotFound) as caught:
                    Administrator(db, asks).grant(login, slug, Role.OWNER)
                told.add(str(caught.value).replace(slug, "…"))
        assert told == {"no tenant '…': 'opsmon tenants list' shows yours"}
    assert roles(db, "bob") == {}


def test_a_strangers_tenant_is_refused_the_same_whether_or_not_its_name_is_taken(db: Database) -> None:
    owned(db).add_user("bob")
    for asks in ("nobody", "bob"):
        told = set()
        for slug in ("contoso", "free", "No Slug"):
            with pytest.raises(Forbidden) as caught:
                Administrator(db, asks).add_tenant(slug)
            told.add(str(caught.value))
        assert told == {"administration is for owners: ask an owner of a tenant"}


@pytest.mark.parametrize("role", [Role.MANAGER, Role.OPERATOR, Role.READONLY])
def test_a_member_who_is_no_owner_grants_nothing(db: Database, role: Role) -> None:
    ann = owned(db)
    ann.add_user("bob")
    ann.grant("bob", "contoso", role)
    for new in Role:
        with pytest.raises(Forbidden, match="ask an owner of contoso"):
            Administrator(db, "bob").grant("bob", "contoso", new)
    assert roles(db, "bob") == {"contoso": role.value}


def test_tenants_without_an_owner_get_one_from_the_owner_of_the_oldest(db: Database) -> None:
    make_tenant(db, "orphan")
    ann = owned(db)
    ann.add_user("bob")
    ann.add_tenant("fabrikam")
    ann.grant("bob", "fabrikam", Role.OWNER)
    bob = Administrator(db, "bob")
    assert (ann.ownerless(), bob.ownerless(), Administrator(db, "nobody").ownerless()) == (("orphan",), (), ())
    with pytest.raises(NotFound):
        bob.grant("bob", "orphan", Role.OWNER)
    with pytest.raises(NotFound):
        ann.grant("bob", "orphan", Role.OPERATOR)
    ann.grant("bob", "orphan", Role.OWNER)
    assert ann.ownerless() == ()
    with pytest.raises(NotFound):
        ann.grant("ann", "orphan", Role.OWNER)


# ---- what is audited


def audited(db: Database) -> list[tuple[Any, ...]]:
    columns = (audit_events.c.login, audit_events.c.action, audit_events.c.subject, audit_events.c.detail)
    with db.read() as connection:
        return [tuple(row) for row in connection.execute(sa.select(*columns).order_by(audit_events.c.id))]


def test_what_was_done_is_audited_and_what_was_refused_is_not(db: Database) -> None:
    ann = owned(db)
    ann.add_user("bob")
    ann.grant("bob", "contoso", Role.OPERATOR)
    ann.grant("bob", "contoso", Role.OWNER)
    user = access.find_user(db, "ann")
    assert queue_pause.pause(db, user)
    assert not queue_pause.pause(db, user)
    assert queue_pause.resume(db, user)
    refused: list[Callable[[], object]] = [
        lambda: ann.add_user("bob"),
        lambda: ann.add_tenant("contoso"),
        lambda: ann.grant("x", "contoso", Role.OWNER),
    ]
    for call in refused:
        with pytest.raises((InputInvalid, NotFound)):
            call()
    assert audited(db) == [
        ("ann", "user.added", "ann", None),
        ("ann", "tenant.added", "contoso", None),
        ("ann", "role.granted", "ann", {"before": None, "role": "owner"}),
        ("ann", "user.added", "bob", None),
        ("ann", "role.granted", "bob", {"before": None, "role": "operator"}),
        ("ann", "role.granted", "bob", {"before": "operator", "role": "owner"}),
        ("ann", "queue.paused", "opsmon", None),
        ("ann", "queue.resumed", "opsmon", None),
    ]
    with db.read() as connection:
        second = connection.execute(sa.select(audit_events).order_by(audit_events.c.id).offset(1).limit(1)).one()
    assert (second.user_id, second.tenant_id) == (user.id, access.memberships_of(db, user.id)[0].tenant.id)
    assert "@" in second.origin


def test_what_is_audited_is_neither_changed_nor_deleted(db: Database) -> None:
    owned(db)
    before = audited(db)
    for statement in ("UPDATE audit_events SET login = 'eve'", "DELETE FROM audit_events"):
        with pytest.raises(sa.exc.IntegrityError, match="neither changed nor deleted"), db.write() as connection:
            connection.execute(sa.text(statement))
    assert audited(db) == before


# ---- roles and names


def test_a_grant_replaces_the_role_before(db: Database, tenant: Tenant, user: User) -> None:
    for role in (Role.OWNER, Role.OWNER):
        admin.grant(db, "alice", "contoso", role)
    assert [member.role for member in access.memberships_of(db, user.id)] == [Role.OWNER]


def test_the_last_owner_stays_one(db: Database, tenant: Tenant, user: User) -> None:
    admin.grant(db, "alice", "contoso", Role.OWNER)
    for role in (Role.MANAGER, Role.OPERATOR, Role.READONLY):
        with pytest.raises(Forbidden, match="last owner"):
            admin.grant(db, "alice", "contoso", role)
    make_user(db, "bob", contoso=Role.OWNER)
    admin.grant(db, "alice", "contoso", Role.READONLY)
    assert [member.role for member in access.memberships_of(db, user.id)] == [Role.READONLY]


def test_two_owners_cannot_step_down_at_once(db: Database, tenant: Tenant) -> None:
    for _ in range(10):
        with db.write() as connection:
            connection.execute(sa.delete(memberships))
        owners = [make_user(db, contoso=Role.OWNER) for _ in range(2)]
        start, told = threading.Barrier(2), list[str]()

        def step_down(owner: User, start: threading.Barrier = start, told: list[str] = told) -> None:
            start.wait(HANG)
            try:
                admin.grant(db, owner.login, "contoso", Role.READONLY)
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
        admin.grant(db, "bob", "contoso", Role.OWNER)
    with pytest.raises(NotFound, match="no tenant 'nowhere'"):
        admin.grant(db, "alice", "nowhere", Role.OWNER)


def test_names_that_cannot_be_are_refused(db: Database, tenant: Tenant, user: User) -> None:
    for slug in ("", "-a", "A", "a b", "a/b", "é", "a" * 64, "a\n", "contoso"):
        with pytest.raises(InputInvalid):
            admin.add_tenant(db, slug)
    for login in ("", "a b", "a\n", "a:b", "a/b", "a\x1b[m", "a" * 65, "alice"):
        with pytest.raises(InputInvalid):
            admin.add_user(db, login)
    assert admin.add_tenant(db, "a-1", "A One").name == "A One"
    assert [found.login for found in all_users(db)] == ["alice"]
    with pytest.raises(NotFound, match="no user 'bob'"):
        access.find_user(db, "bob")
    assert access.find_user(db, "alice") == user


# ---- founding


def test_of_many_that_found_a_database_one_becomes_its_owner(db: Database) -> None:
    start, founded = threading.Barrier(4), list[bool | str]()

    def found(number: int) -> None:
        start.wait(HANG)
        try:
            founded.append(Administrator(db, f"user{number % 2}").bootstrap_owner("local"))
        except Exception as error:
            founded.append(repr(error))

    threads = [threading.Thread(target=found, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG)
    with db.read() as connection:
        assert [len(connection.execute(sa.select(table)).all()) for table in (users, tenants, memberships)] == [1, 1, 1]
    assert founded.count(True) == 1
    assert not Administrator(db, "late").bootstrap_owner("other")
