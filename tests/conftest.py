"""Fixtures for everybody: a real PostgreSQL, fresh databases of both kinds, and a home that is not yours.

database_url        a migrated database; the test runs twice, on SQLite and on PostgreSQL
empty_database_url  the same without tables
sqlite_url, postgres_url, empty_sqlite_url, empty_postgres_url      one kind only
db                  an open store.database.Database on database_url
private_postgres    a server of the test's own: .url, .freeze(), .thaw(), .stop(), .start()
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import databases
from tests.support.postgres import Postgres

if TYPE_CHECKING:
    from store.database import Database

KINDS = ["sqlite", "postgresql"]

# Who runs the tests in the background has signals ignored, and every process that a test starts would inherit that.
for _number, _usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _usual)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the settings and data of the person who runs it."""
    for name in os.environ:
        if name.startswith(("OPSMON_", "PG", "XDG_")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))


@pytest.fixture(scope="module", autouse=True)
def _past_modules_are_not_looked_through() -> None:
    """What the modules before have left (kept statements, Textual's apps) makes each later search for garbage slower."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Tests marked `anyio` run on asyncio, as Textual does."""
    return "asyncio"


# ---- servers


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server that tests share: one for each pytest process, started when the first test asks for it.

    One each is simpler than one for all processes, and it is there in a second.
    """
    with Postgres() as server:
        yield server


class PrivatePostgres(Postgres):
    """A server for one test, with one migrated database."""

    url: str


@pytest.fixture
def private_postgres() -> Iterator[PrivatePostgres]:
    with PrivatePostgres() as server:
        server.url = server.create("opsmon")
        databases.migrate(server.url)
        yield server


# ---- databases


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return databases.make_sqlite_template(tmp_path_factory.mktemp("template") / "sqlite")


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    return databases.make_postgres_template(postgres)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    return databases.copy_sqlite(sqlite_template, tmp_path / "database")


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """The file does not exist yet."""
    folder = tmp_path / "empty_database"
    folder.mkdir()
    return databases.sqlite_url(folder)


@pytest.fixture
def postgres_url(postgres: Postgres, postgres_template: str) -> Iterator[str]:
    name = databases.unused_name()
    yield postgres.create(name, postgres_template)
    postgres.drop(name)


@pytest.fixture
def empty_postgres_url(postgres: Postgres) -> Iterator[str]:
    name = databases.unused_name()
    yield postgres.create(name)
    postgres.drop(name)


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest) -> str:
    # By name, so that a test on SQLite alone never starts a server.
    url: str = request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param])
    return url


@pytest.fixture(params=KINDS)
def empty_database_url(request: pytest.FixtureRequest) -> str:
    fixture = {"sqlite": "empty_sqlite_url", "postgresql": "empty_postgres_url"}[request.param]
    url: str = request.getfixturevalue(fixture)
    return url


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    from store.database import Database

    database = Database(database_url)
    yield database
    database.close()
