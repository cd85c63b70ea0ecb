"""A tenant, somebody in it, and a worker; and a PostgreSQL database that is emptied for each test, not made anew."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from store.access import Role
from store.database import Database
from store.records import Tenant, User
from store.tables import metadata
from tests.conftest import KINDS
from tests.support import databases, people
from tests.support.postgres import Postgres


@pytest.fixture(scope="module")
def modules_postgres_url(postgres: Postgres, postgres_template: str) -> Iterator[str]:
    name = databases.unused_name()
    yield postgres.create(name, postgres_template)
    postgres.drop(name)


@pytest.fixture
def emptied_postgres_url(modules_postgres_url: str) -> str:
    """Making a database takes half a second, and hundreds of tests here want one. Ids go on counting."""
    with psycopg.connect(modules_postgres_url, options="-c lock_timeout=5s") as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(f'DELETE FROM "{table.name}"')
        connection.execute("DELETE FROM huey_task")
    return modules_postgres_url


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest) -> str:
    fixture = {"sqlite": "sqlite_url", "postgresql": "emptied_postgres_url"}[request.param]
    url: str = request.getfixturevalue(fixture)
    return url


@pytest.fixture
def tenant(db: Database) -> Tenant:
    return people.make_tenant(db, "contoso")


@pytest.fixture
def user(db: Database, tenant: Tenant) -> User:
    return people.make_user(db, "alice", **{tenant.slug: Role.OPERATOR})


@pytest.fixture
def worker_id(db: Database) -> int:
    return people.make_worker(db)
