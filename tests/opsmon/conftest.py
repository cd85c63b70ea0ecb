"""The command line in this process: `cli("runs", "--json")` on the test's database, as the login that runs the tests.

What a command says is the same on both databases, so tests here run on SQLite, unless they are `@on_both`: once for each command,
and wherever the databases differ.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from opsmon import settings
from opsmon.cli.main import main
from opsmon.login import login_name
from opsmon.services import Services
from store.db.engine import Database
from store.model.records import Counts, Outcome, Run
from store.people import admin
from store.people.access import Role
from store.runs import lifecycle, outcome
from store.runs.lifecycle import Result
from store.workers import heartbeats
from tests.conftest import KINDS
from tests.support.waiting import wait_for
from tests.support.worker import QUICK, variables

on_both = pytest.mark.parametrize("database_url", KINDS, indirect=True)


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param])
    return url


@pytest.fixture
def quick_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every worker that is started beats often and is never given up, however slow the machine is."""
    for name, value in variables(**QUICK).items():
        monkeypatch.setenv(name, value)


MakeServices = Callable[[str], Services]


@pytest.fixture
def make_services(monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeServices]:
    """The house on any database."""
    made: list[Services] = []

    def make(url: str) -> Services:
        monkeypatch.setenv("OPSMON_DATABASE_URL", url)
        made.append(Services(settings.load()))
        return made[-1]

    yield make
    for services in made:
        services.close()


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def line(self) -> str:
        """The error, of which there is exactly one line, and nothing else."""
        assert self.out == ""
        assert self.err.startswith("opsmon: ")
        assert self.err.count("\n") == 1
        return self.err.strip()


Cli = Callable[..., Answer]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line with whatever settings the test has made."""

    def run(*argv: str) -> Answer:
        capsys.readouterr()
        code = main(argv)
        return Answer(code, *capsys.readouterr())

    return run


@pytest.fixture
def opsmon(cli: Cli, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line on `database_url`, where nobody is known yet."""
    monkeypatch.setenv("OPSMON_DATABASE_URL", database_url)
    return cli


@dataclass
class CliHarness:
    """A database with people in it: you are operator of "contoso" and no member of "fabrikam", whose owner is bob."""

    db: Database
    me: str

    def complete(self, run_id: int, how: Outcome = Outcome.SUCCEEDED, failure: str = "it broke") -> Run:
        """Carry the run out as a worker would."""
        worker = heartbeats.register(self.db, host="here", pid=1, version="0", slots=1, embedded=False)
        assert lifecycle.claim(self.db, run_id, worker)
        result = {
            Outcome.SUCCEEDED: Result(how, Counts(3, 3, 0, 0)),
            Outcome.PARTIALLY_SUCCEEDED: Result(
                how, Counts(3, 2, 1, 0), (outcome.failure("graph.throttled", failure),)
            ),
            Outcome.FAILED: Result(how, Counts(3, 0, 3, 0), (outcome.failure("operation.error", failure, 3),)),
        }[how]
        finished = lifecycle.finish(self.db, run_id, worker, result)
        assert finished
        return finished

    def complete_soon(self, how: Outcome) -> threading.Thread:
        """Complete the first run that gets queued, from another thread."""

        def work() -> None:
            waiting = wait_for(lambda: heartbeats.undelivered_runs(self.db, never_queued_for=99, queued_for=0))
            self.complete(waiting[0].id, how)

        thread = threading.Thread(target=work)
        thread.start()
        return thread


@pytest.fixture
def town(db: Database) -> CliHarness:
    me = login_name()
    for login, name in ((me, "Me Myself"), ("ann", "Ann"), ("bob", "Bob"), ("rob", "Rob")):
        admin.add_user(db, login, name)
    for slug in ("contoso", "fabrikam"):
        admin.add_tenant(db, slug, slug.capitalize())
    admin.grant(db, "ann", "contoso", Role.OWNER)
    admin.grant(db, me, "contoso", Role.OPERATOR)
    admin.grant(db, "rob", "contoso", Role.READONLY)
    admin.grant(db, "bob", "fabrikam", Role.OWNER)
    return CliHarness(db, me)


@pytest.fixture
def as_user(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Be another login from now on, as another person at the same machine would be."""

    def become(login: str) -> None:
        monkeypatch.setattr("opsmon.login.login_name", lambda: login)

    return become
