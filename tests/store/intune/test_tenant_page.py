"""A tenant's settings and members: who sees them, and who changes what was chosen."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from store.db.engine import Database
from store.errors import Forbidden, InputInvalid, NotFound
from store.intune import tenant_page, tenant_settings
from store.intune.tenant_page import TenantDetail, TenantWanted
from store.model.records import Tenant, User
from store.model.tables import audit_events
from store.model.tables import tenant_settings as table
from store.people.access import Role, read_memberships
from tests.support.people import make_user


def seen(db: Database, user: User, tenant: Tenant) -> TenantDetail | None:
    with db.read() as connection:
        return tenant_page.read(connection, read_memberships(connection, user.id), TenantWanted(tenant.slug))


def test_members_are_listed_the_most_powerful_first(db: Database, tenant: Tenant) -> None:
    readonly = make_user(db, "zoe", **{tenant.slug: Role.READONLY})
    make_user(db, "bob", **{tenant.slug: Role.MANAGER})
    make_user(db, "ann", **{tenant.slug: Role.OWNER})
    make_user(db, "eve")
    found = seen(db, readonly, tenant)
    assert found is not None
    assert found.role is Role.READONLY
    there = [(one.login, one.role.value) for one in found.members if one.login in ("ann", "bob", "zoe", "eve")]
    assert there == [("ann", "owner"), ("bob", "manager"), ("zoe", "readonly")]
    assert (found.rbac_group, found.directory_read_at, found.has_more) == (None, None, False)


def test_for_others_the_tenant_does_not_exist(db: Database, tenant: Tenant) -> None:
    stranger = make_user(db, "eve")
    assert seen(db, stranger, tenant) is None
    with pytest.raises(NotFound):
        tenant_settings.choose_rbac_group(db, stranger, tenant.slug, "g1", "Admins")


def test_an_owner_chooses_the_group_and_who_and_when_is_kept(db: Database, tenant: Tenant) -> None:
    owner = make_user(db, "ann", **{tenant.slug: Role.OWNER})
    first = tenant_settings.choose_rbac_group(db, owner, tenant.slug, "g1", "Admins ")
    assert (first.group_id, first.name, first.chosen_by) == ("g1", "Admins ", owner.name)
    other = make_user(db, "bob", **{tenant.slug: Role.OWNER})
    second = tenant_settings.choose_rbac_group(db, other, tenant.slug, "g2", "Helpdesk")
    found = seen(db, owner, tenant)
    assert found is not None
    assert found.rbac_group == second
    with db.read() as connection:
        query = sa.select(audit_events.c.login, audit_events.c.detail).where(
            audit_events.c.action == "tenant.setting_changed"
        )
        told = connection.execute(query.order_by(audit_events.c.id)).all()
    assert [(row.login, row.detail["group_id"]) for row in told] == [("ann", "g1"), ("bob", "g2")]
    assert tenant_settings.forget_rbac_group(db, owner, tenant.slug)
    assert not tenant_settings.forget_rbac_group(db, owner, tenant.slug)


@pytest.mark.parametrize("role", [Role.MANAGER, Role.OPERATOR, Role.READONLY])
def test_others_do_not(db: Database, tenant: Tenant, role: Role) -> None:
    member = make_user(db, "bob", **{tenant.slug: role})
    with pytest.raises(Forbidden):
        tenant_settings.choose_rbac_group(db, member, tenant.slug, "g1", "Admins")
    with pytest.raises(Forbidden):
        tenant_settings.forget_rbac_group(db, member, tenant.slug)


def test_what_is_no_group_is_refused_and_what_cannot_be_read_is_none(db: Database, tenant: Tenant) -> None:
    owner = make_user(db, "ann", **{tenant.slug: Role.OWNER})
    with pytest.raises(InputInvalid):
        tenant_settings.choose_rbac_group(db, owner, tenant.slug, " ", "Admins")
    tenant_settings.choose_rbac_group(db, owner, tenant.slug, "g1", "Adm\x00ins")
    for odd in (["a list"], {"name": "no id"}, 17):
        with db.write() as connection:
            connection.execute(sa.update(table).values(value=odd))
        found = seen(db, owner, tenant)
        assert found is not None
        assert found.rbac_group is None
