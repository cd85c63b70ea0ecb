"""The changes of roles, without a check of rights."""

from __future__ import annotations

import threading

import pytest

from store.db.engine import Database
from store.errors import Forbidden, NotFound
from store.people import access, admin, roles
from store.people.access import Role
from tests.support.waiting import HANG


@pytest.fixture
def contoso(db: Database) -> Database:
    """A tenant of which ann and bob are owners, and no member eve."""
    admin.add_tenant(db, "contoso")
    for login in ("ann", "bob", "eve"):
        admin.add_user(db, login)
    for login in ("ann", "bob"):
        admin.grant(db, login, "contoso", Role.OWNER)
    return db


def take(db: Database, login: str, slug: str = "contoso") -> roles.Revoked:
    with db.write() as connection:
        return roles.take_role(connection, login, slug)


def test_who_lost_the_role_is_no_member(contoso: Database) -> None:
    revoked = take(contoso, "bob")
    assert (revoked.user.login, revoked.tenant.slug, revoked.before) == ("bob", "contoso", Role.OWNER)
    assert access.memberships_of(contoso, revoked.user.id) == ()
    assert admin.grant(contoso, "bob", "contoso", Role.READONLY).before is None


def test_the_last_owner_stays(contoso: Database) -> None:
    take(contoso, "ann")
    admin.grant(contoso, "eve", "contoso", Role.MANAGER)
    with pytest.raises(Forbidden, match="bob is the last owner of contoso: make somebody else an owner first"):
        take(contoso, "bob")
    assert take(contoso, "eve").before is Role.MANAGER


@pytest.mark.parametrize(
    ("login", "slug", "message"),
    [
        ("eve", "contoso", "'eve' is no member of contoso: 'opsmon members contoso' lists them"),
        ("nobody", "contoso", "no user 'nobody' in this opsmon"),
        ("ann", "nowhere", "no tenant 'nowhere'"),
    ],
)
def test_what_cannot_be_taken(contoso: Database, login: str, slug: str, message: str) -> None:
    with pytest.raises(NotFound, match=message):
        take(contoso, login, slug)


def test_of_two_owners_who_are_taken_at_once_one_stays(contoso: Database) -> None:
    refused: list[str] = []

    def revoke(login: str, start: threading.Barrier) -> None:
        start.wait(HANG)
        try:
            take(contoso, login)
        except Forbidden:
            refused.append(login)

    for _ in range(10):
        for login in ("ann", "bob"):
            admin.grant(contoso, login, "contoso", Role.OWNER)
        refused.clear()
        start = threading.Barrier(2)
        threads = [threading.Thread(target=revoke, args=(login, start)) for login in ("ann", "bob")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(refused) == 1
