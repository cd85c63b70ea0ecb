"""`opsmon db`, and what the other commands say of a database that is not there, not ready or not ours."""

from __future__ import annotations

import re
import sqlite3
import stat
from pathlib import Path

import pytest

from opsmon.doctor import NO_USER, Asker
from opsmon.services import Services
from store import schema
from store.db.engine import Database
from store.model.tables import metadata
from tests.conftest import PrivatePostgres
from tests.opsmon.conftest import Cli, on_both

ASKING = (["runs"], ["tenants", "list"], ["users", "add", "ann"], ["show", "1"], ["notifications"], ["worker"])


@pytest.fixture(autouse=True)
def _stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that may not start would otherwise end the tests' process."""
    monkeypatch.setattr("opsmon.cli.main.leave", lambda code: (_ for _ in ()).throw(SystemExit(code)))


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


@pytest.mark.parametrize("argv", ASKING, ids=" ".join)
def test_no_file(cli: Cli, empty_sqlite_url: str, monkeypatch: pytest.MonkeyPatch, argv: list[str]) -> None:
    monkeypatch.setenv("OPSMON_DATABASE_URL", empty_sqlite_url)
    answer = cli(*argv)
    path = file_of(empty_sqlite_url)
    assert (answer.code, answer.line) == (
        1,
        f"opsmon: there is no database {path}: run 'opsmon' or 'opsmon db upgrade'",
    )
    assert not path.exists()


def test_no_file_to_check(cli: Cli, empty_sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSMON_DATABASE_URL", empty_sqlite_url)
    answer = cli("db", "check")
    assert answer.code == 1
    assert answer.line.endswith("run 'opsmon db upgrade'")
    assert not file_of(empty_sqlite_url).exists()


def test_a_file_without_tables(cli: Cli, empty_sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file_of(empty_sqlite_url).parent.mkdir(exist_ok=True)
    file_of(empty_sqlite_url).touch()
    monkeypatch.setenv("OPSMON_DATABASE_URL", empty_sqlite_url)
    answer = cli("runs")
    assert answer.code == 1
    assert answer.line == "opsmon: the database has no opsmon tables: run 'opsmon' or 'opsmon db upgrade'"


def test_a_server_without_tables(cli: Cli, empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSMON_DATABASE_URL", empty_postgres_url)
    for argv in ASKING:
        answer = cli(*argv)
        assert answer.code == 1
        assert answer.line == "opsmon: the database has no opsmon tables: run 'opsmon db upgrade'"


def test_upgrade_and_check(cli: Cli, empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSMON_DATABASE_URL", empty_database_url)
    assert cli("db", "upgrade", "--json").json == {"revision": schema.HEAD, "upgraded_from": None, "changed": True}
    assert cli("db", "upgrade", "--json").json == {
        "revision": schema.HEAD,
        "upgraded_from": schema.HEAD,
        "changed": False,
    }
    again = cli("db", "upgrade")
    assert (again.code, again.err) == (0, "")
    assert schema.HEAD in again.out
    assert cli("db", "check").out == "The schema is up to date.\n"
    assert cli("db", "check", "--json").json == {"revision": schema.HEAD, "newest": schema.HEAD, "missing": []}


def test_what_upgrade_makes_is_for_its_owner_alone(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "opsmon.db"
    monkeypatch.setenv("OPSMON_DATABASE_URL", f"sqlite:///{path}")
    assert cli("db", "upgrade").code == 0
    assert [stat.S_IMODE(place.stat().st_mode) for place in (path, path.parent)] == [0o600, 0o700]


def test_upgrade_where_no_file_can_be(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("OPSMON_DATABASE_URL", f"sqlite:///{tmp_path}/file/opsmon.db")
    answer = cli("db", "upgrade")
    assert answer.code == 1
    assert (
        answer.line
        == f"opsmon: the database {tmp_path}/file/opsmon.db cannot be made (File exists): see 'opsmon doctor'"
    )


@on_both
def test_check_says_what_is_missing(opsmon: Cli, db: Database) -> None:
    with db.write() as connection:
        metadata.tables["notifications"].drop(connection)
    answer = opsmon("db", "check")
    assert answer.code == 1
    assert "notifications" in answer.out
    assert answer.err.count("\n") == 1
    assert answer.err.startswith("opsmon: the schema differs in ")
    assert opsmon("db", "check", "--json").json["missing"]


def test_check_of_a_server_without_tables(cli: Cli, empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSMON_DATABASE_URL", empty_postgres_url)
    answer = cli("db", "check")
    assert (answer.code, answer.out) == (1, "the database has no opsmon tables\n")
    assert answer.err == "opsmon: the database has no opsmon tables: run 'opsmon db upgrade'\n"


@on_both
def test_a_newer_schema(opsmon: Cli, db: Database) -> None:
    with db.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for argv in (*ASKING, ["db", "upgrade"]):
        answer = opsmon(*argv)
        assert (answer.code, answer.line) == (
            1,
            "opsmon: the database's schema is newer than this program: install the opsmon version that the others use",
        ), argv


def test_a_file_that_is_no_database(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text").write_text("Dear diary, today I was mistaken for a database. " * 100)
    monkeypatch.setenv("OPSMON_DATABASE_URL", f"sqlite:///{tmp_path}/text")
    for argv in (["runs"], ["db", "upgrade"], ["db", "check"]):
        answer = cli(*argv)
        assert answer.code == 1
        assert "file is not a database" in answer.line


def test_a_file_that_somebody_else_writes_into(cli: Cli, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading goes on beside a writer: it must not wait for it."""
    monkeypatch.setenv("OPSMON_DATABASE_URL", sqlite_url)
    writer = sqlite3.connect(file_of(sqlite_url), isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        assert cli("runs").code == 3
    finally:
        writer.close()


@pytest.mark.parametrize("argv", [*ASKING, ["db", "upgrade"], ["db", "check"]], ids=" ".join)
def test_no_server(cli: Cli, monkeypatch: pytest.MonkeyPatch, argv: list[str]) -> None:
    monkeypatch.setenv("OPSMON_DATABASE_URL", "postgresql://me:hunter2@127.0.0.1:1/opsmon")
    answer = cli(*argv)
    assert answer.code == 1
    assert "Connection refused" in answer.line
    assert "hunter2" not in answer.line


@pytest.mark.kill
def test_a_server_that_is_frozen(cli: Cli, private_postgres: PrivatePostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSMON_DATABASE_URL", private_postgres.url)
    monkeypatch.setenv("OPSMON_DATABASE_SECONDS", "1")
    with private_postgres.frozen():
        answer = cli("runs")
    assert answer.code == 1
    assert answer.line.startswith("opsmon: the database does not answer")


WRITING = [
    ["start", "system.probe", "--tenant", "local"],
    ["users", "add", "bob"],
    ["tenants", "add", "fabrikam"],
    ["queue", "pause"],
]


def test_a_server_that_only_reads(cli: Cli, private_postgres: PrivatePostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """What reads works, what writes says why not, and doctor says it without having tried."""
    monkeypatch.setenv("OPSMON_DATABASE_URL", private_postgres.url)
    assert cli("tenants", "add", "local").code == 0
    assert cli("start", "system.probe", "--tenant", "local").code == 0
    with private_postgres.reading_only():
        for argv in (["runs"], ["show", "1"], ["notifications"], ["tenants", "list"], ["queue"]):
            answer = cli(*argv)
            assert (argv, answer.code, answer.err) == (argv, 0, "")
        for argv in WRITING:
            answer = cli(*argv)
            assert (argv, answer.code) == (argv, 1)
            assert re.match(
                r"opsmon: the database only reads \(cannot execute [A-Z ]+ in a read-only transaction\)", answer.line
            ), (argv, answer)
        answer = cli("doctor")
        assert answer.code == 1
        assert re.match("bad      database  the database only reads: PostgreSQL 18", answer.out), answer.out
    assert cli("doctor").out.startswith("ok       database  PostgreSQL 18")


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("mysql://root@db/x", "databases of kind 'mysql' are not supported"),
        ("nonsense", "the database URL cannot be read"),
        ("postgresql://u:hunter2@h:port/x", "the database URL cannot be read"),
        ("sqlite:///:memory:", "an SQLite database in memory cannot be shared with a worker"),
    ],
)
def test_a_url_that_cannot_be(cli: Cli, monkeypatch: pytest.MonkeyPatch, url: str, line: str) -> None:
    monkeypatch.setenv("OPSMON_DATABASE_URL", url)
    answer = cli("runs")
    assert answer.code == 2
    assert answer.line.startswith(f"opsmon: {line}: ")
    assert "hunter2" not in answer.line


@on_both
def test_the_doctor_is_told_who_asks(opsmon: Cli, town: object, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, bool, bool]] = []

    def run(_: Services, asker: Asker, as_json: bool, probe: bool, tenants: tuple[str, ...]) -> int:
        assert tenants == ()
        seen.append((asker.user.name if asker.user else asker.unknown, as_json, probe))
        return 1

    monkeypatch.setattr("opsmon.doctor.run", run)
    assert opsmon("doctor", "--json").code == 1
    monkeypatch.setattr("opsmon.login.login_name", lambda: "nobody-known")
    assert opsmon("doctor", "--probe").code == 1
    assert seen == [("Me Myself", True, False), (NO_USER, False, True)]


def test_the_doctor_is_called_to_a_database_that_is_away(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSMON_DATABASE_URL", "postgresql://127.0.0.1:1/opsmon")
    monkeypatch.setattr("opsmon.doctor.run", lambda services, user, as_json: 1 if user is None else 9)
    assert cli("doctor").code == 1
    monkeypatch.setenv("OPSMON_DATABASE_URL", "nonsense")
    assert cli("doctor").code == 2
