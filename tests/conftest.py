"""Fixtures for everybody: a real PostgreSQL, fresh databases of both kinds, and a home that is not yours.

database_url        a migrated, empty database; the test runs twice, on SQLite and on PostgreSQL
empty_database_url  the same without tables
sqlite_url, postgres_url, empty_sqlite_url, empty_postgres_url      one kind only
modules_postgres_url   a database of the module's own, for what is filled once
db                  an open store.db.engine.Database on database_url
private_postgres    a server that nobody else uses meanwhile: .url, .freeze(), .thaw(), .stop(), .start()
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from store.db import engine as database_module
from store.db.dialects import Timeouts
from tests.support import databases, properties
from tests.support.databases import EmptiedDatabase
from tests.support.postgres import Postgres, Server
from tests.support.shared import Shared
from tests.support.waiting import HANG

if TYPE_CHECKING:
    from store.db.engine import Database

KINDS = ["sqlite", "postgresql"]

# Who runs the tests in the background has signals ignored, and every process that a test starts would inherit that.
for _number, _usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _usual)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--proof", action="store_true", help="what is long by nature in its whole form (make proof)")


def pytest_configure(config: pytest.Config) -> None:
    properties.prepare(whole=bool(config.getoption("--proof")))
    # However slow the machine is, the database answers in time. What is about these times sets its own.
    database_module.USUAL_TIMEOUTS = Timeouts.within(HANG)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks that what a test asks for tells."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        chosen = getattr(item, "callspec", None)
        if fixtures & _ON_POSTGRESQL or (chosen and "postgresql" in chosen.params.values()):
            item.add_marker(pytest.mark.postgresql)
        if "picture" in fixtures:
            item.add_marker(pytest.mark.picture)


_ON_POSTGRESQL = {"postgres", "postgres_url", "empty_postgres_url", "modules_postgres_url", "private_postgres"}
_failed = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[_failed] = True
    return report


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the settings and data of the person who runs it."""
    for name in os.environ:
        if name.startswith(("OPSMON_", "PG", "XDG_")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))


@pytest.fixture(autouse=True)
def patience(home: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same in every process that a test starts."""
    for name in ("DATABASE", "DISPATCH"):
        monkeypatch.setenv(f"OPSMON_{name}_SECONDS", str(HANG))


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
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """What all processes of this run share."""
    folder = tmp_path_factory.getbasetemp()
    return Shared(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)


@pytest.fixture(scope="session")
def postgres(shared: Shared) -> Server:
    """The server that all tests of a run share, started when the first test asks for it."""
    return shared.server


class PrivatePostgres(Postgres):
    """A server that a test may freeze and stop, with one migrated database."""

    url: str


@pytest.fixture(scope="session")
def process_postgres(shared: Shared) -> Iterator[tuple[PrivatePostgres, EmptiedDatabase]]:
    """One server for each process that wants one: making it costs more than what most tests do with it."""
    with PrivatePostgres(cluster=shared.cluster) as server:
        database = EmptiedDatabase(server)
        yield server, database
        database.close()


@pytest.fixture
def private_postgres(process_postgres: tuple[PrivatePostgres, EmptiedDatabase]) -> PrivatePostgres:
    server, database = process_postgres
    server.thaw()
    server.start()
    server.url = database.url()
    return server


# ---- databases


@pytest.fixture
def sqlite_url(shared: Shared, tmp_path: Path) -> str:
    return databases.copy_sqlite(shared.sqlite_template, tmp_path / "database")


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """The file does not exist yet."""
    folder = tmp_path / "empty_database"
    folder.mkdir()
    return databases.sqlite_url(folder)


@pytest.fixture(scope="session")
def emptied_database(postgres: Server) -> Iterator[EmptiedDatabase]:
    """One for each process."""
    database = EmptiedDatabase(postgres)
    yield database
    database.drop()


@pytest.fixture
def postgres_url(emptied_database: EmptiedDatabase, request: pytest.FixtureRequest) -> Iterator[str]:
    yield emptied_database.url()
    if request.node.stash.get(_failed, False):
        emptied_database.drop()  # what a failed test has left behind, a thread say, must not meet the next one's rows


@pytest.fixture(scope="module")
def modules_postgres_url(postgres: Server) -> Iterator[str]:
    """A database for what a module fills once and only reads."""
    name = databases.unused_name()
    yield postgres.create(name, databases.TEMPLATE)
    postgres.drop(name)


@pytest.fixture
def empty_postgres_url(postgres: Server) -> Iterator[str]:
    """One without tables."""
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
    from store.db.engine import Database

    database = Database(database_url)
    yield database
    database.close()
