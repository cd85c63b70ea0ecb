"""An SQLite file that may only be read: what reads works, what writes says why not, and nothing is left beside the file."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from opsmon import settings
from opsmon.embedded import database as embedded_database
from opsmon.login import login_name
from opsmon.services import Services
from store import snapshot
from store.db.engine import Database
from store.errors import OpsmonError
from store.people import access, admin
from store.snapshot import Request
from tests.opsmon.conftest import Cli
from tests.support.unprivileged import unprivileged

READING = [["runs"], ["show", "1"], ["notifications"], ["tenants", "list"], ["queue"], ["db", "check"]]
WRITING = [["start", "system.probe", "--tenant", "local"], ["tenants", "add", "x"], ["queue", "pause"]]


@pytest.fixture
def place(sqlite_url: str, monkeypatch: pytest.MonkeyPatch, cli: Cli) -> Iterator[Path]:
    """A database with a run, which may not be written; whatever a child process needs to import was imported."""
    folder = Path(tempfile.mkdtemp(prefix="opsmon-test-"))
    path = folder / "opsmon.db"
    shutil.copy(sqlite_url.removeprefix("sqlite:///"), path)
    monkeypatch.setenv("OPSMON_DATABASE_URL", f"sqlite:///{path}")
    monkeypatch.setenv("HOME", str(folder / "home"))
    monkeypatch.chdir(folder)
    db = Database(f"sqlite:///{path}")
    admin.add_tenant(db, "local")
    for login in {login_name(), unprivileged(login_name)}:
        admin.add_user(db, login)
        admin.grant(db, login, "local", access.Role.OWNER)
    db.close()
    for argv in (WRITING[0], *READING, ["doctor"]):
        cli(*argv)
    assert poll(path) == [False, 1]
    path.chmod(0o444)
    folder.chmod(0o555)
    yield path
    folder.chmod(0o755)
    shutil.rmtree(folder)


def beside(path: Path) -> list[str]:
    return sorted(found.name for found in path.parent.iterdir())


def answers(cli: Cli, commands: list[list[str]]) -> Callable[[], list[Any]]:
    def ask() -> list[Any]:
        return [[argv, answer.code, answer.out, answer.err] for argv in commands for answer in [cli(*argv)]]

    return ask


def poll(path: Path) -> list[Any]:
    db = Database(f"sqlite:///{path}")
    try:
        return [(taken := snapshot.take(db, Request(1))).only_reads, len(taken.runs)]
    finally:
        db.close()


@pytest.fixture(params=["folder", "file", "in use"])
def closed(request: pytest.FixtureRequest, place: Path) -> Iterator[Path]:
    """What may not be written: the file and its folder, the file alone, or both while its owner has it open."""
    with contextlib.ExitStack() as stack:
        if request.param == "file":
            place.parent.chmod(0o777)
        if request.param == "in use":
            place.chmod(0o644)
            place.parent.chmod(0o755)
            owner = stack.enter_context(contextlib.closing(sqlite3.connect(place)))
            owner.execute("UPDATE tenants SET name = 'of its owner'")
            owner.commit()
        yield place


def test_what_reads_works_and_what_writes_says_why_not(closed: Path, cli: Cli) -> None:
    before = beside(closed)
    for argv, code, out, err in unprivileged(answers(cli, READING)):
        assert (argv, code, err) == (argv, 0, ""), out
    for argv, code, out, err in unprivileged(answers(cli, WRITING)):
        assert (argv, code, out) == (argv, 1, "")
        why = re.escape(f"the database only reads ({closed}, or its folder, may not be written by this user)")
        assert re.fullmatch(rf"opsmon: {why}: see 'opsmon doctor'\n", err), err
    ((_, code, out, _),) = unprivileged(answers(cli, [["doctor"]]))
    assert (code, out.splitlines()[0]) == (
        1,
        f"bad      database  the database only reads: SQLite {sqlite3.sqlite_version}, {closed}",
    )
    assert unprivileged(lambda: poll(closed)) == [True, 1]
    assert beside(closed) == before


def test_what_its_owner_writes_meanwhile_is_read(place: Path) -> None:
    """With one Database for both reads: the file was not in use at the first, and is at the second."""
    place.chmod(0o644)
    place.parent.chmod(0o755)
    ready, (reading, writing) = os.pipe(), os.pipe()

    def look() -> list[str]:
        db = Database(f"sqlite:///{place}")
        names = []
        for is_first in (True, False):
            with db.read() as connection:
                names.append(str(connection.exec_driver_sql("SELECT name FROM tenants").scalar_one()))
            if is_first:
                os.write(ready[1], b"x")
                os.read(reading, 1)
        return names

    def own() -> None:
        os.read(ready[0], 1)
        owner.execute("UPDATE tenants SET name = 'another'")
        owner.commit()
        os.write(writing, b"x")

    with contextlib.closing(sqlite3.connect(place, check_same_thread=False)) as owner:
        thread = threading.Thread(target=own)
        thread.start()
        assert unprivileged(look)[1] == "another"
        thread.join()


def test_a_file_that_may_be_written_again_is_written(place: Path) -> None:
    def use() -> list[bool]:
        db = Database(f"sqlite:///{place}")
        found = [snapshot.take(db, Request(1)).only_reads]
        return [*found, _is_refused(db)]

    assert unprivileged(use) == [True, True]
    place.chmod(0o666)
    place.parent.chmod(0o777)
    assert unprivileged(use) == [False, False]


def _is_refused(db: Database) -> bool:
    try:
        with db.write() as connection:
            connection.exec_driver_sql("UPDATE tenants SET name = 'x'")
    except OpsmonError:
        return True
    return False


def test_a_file_that_may_not_be_read(place: Path, cli: Cli) -> None:
    place.chmod(0)
    ((_, code, _, err),) = unprivileged(answers(cli, [["runs"]]))
    assert code == 1
    assert err == f"opsmon: the database file may not be read by this user ({place}): see 'opsmon doctor'\n"


def test_the_screens_open(place: Path) -> None:
    """What they do before they poll changes nothing in a database that is up to date."""

    def open_them() -> bool:
        services = Services(settings.load())
        embedded_database.prepare(services)
        return True

    assert unprivileged(open_them)
