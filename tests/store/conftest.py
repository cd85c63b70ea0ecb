"""A tenant, somebody in it, and a worker."""

from __future__ import annotations

import pytest

from store.db.engine import Database
from store.model.records import Tenant, User
from store.people.access import Role
from tests.support import people


@pytest.fixture
def tenant(db: Database) -> Tenant:
    return people.make_tenant(db, "contoso")


@pytest.fixture
def user(db: Database, tenant: Tenant) -> User:
    return people.make_user(db, "alice", **{tenant.slug: Role.OPERATOR})


@pytest.fixture
def worker_id(db: Database) -> int:
    return people.make_worker(db)
