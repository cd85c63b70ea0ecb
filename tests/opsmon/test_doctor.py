"""`opsmon doctor` on houses that are well, and on houses that are not."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from opsmon import doctor
from opsmon.doctor import Asker, examine
from opsmon.findings import State
from opsmon.login import login_name
from opsmon.services import Services
from store.db.dialects import Timeouts
from store.db.engine import Database
from store.model.records import User
from store.model.tables import notifications, operation_runs
from store.people import access, admin
from store.workers import health, heartbeats
from tests.conftest import PrivatePostgres
from tests.opsmon.conftest import Cli, CliHarness, MakeServices, on_both
from tests.support.waiting import HANG, wait_for
from tests.support.worker import WorkerProcess

LOOKS = ["database", "schema", "clock", "queue", "workers"]
CHECKS = [*LOOKS, "probe"]

pytestmark = pytest.mark.usefixtures("quick_workers")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, what answers does so in time."""
    for name in ("QUEUE_SECONDS", "PROBE_SECONDS"):
        monkeypatch.setattr(doctor, name, HANG)


@pytest.fixture
def services(make_services: MakeServices, database_url: str) -> Services:
    return make_services(database_url)


@pytest.fixture
def user(services: Services) -> User:
    """Operator of "local", reader of "elsewhere"."""
    return make_user(services.db)


def make_user(db: Database) -> User:
    user = admin.add_user(db, login_name())
    for slug, role in (("elsewhere", access.Role.READONLY), ("local", access.Role.OPERATOR)):
        admin.add_tenant(db, slug)
        admin.grant(db, user.login, slug, role)
    return user


@pytest.fixture
def worker(database_url: str, tmp_path: Path) -> Iterator[WorkerProcess]:
    process = WorkerProcess(database_url, tmp_path)
    yield process.ready()
    process.kill()


def states(services: Services, user: User | None) -> dict[str, tuple[State, str]]:
    return {found.check: (found.state, found.message) for found in examine(services, Asker(user), probe=True)}


@on_both
@pytest.mark.worker
@pytest.mark.usefixtures("worker")
def test_all_is_well(services: Services, user: User, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.run(services, Asker(user), as_json=False, probe=True) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", name] for name in CHECKS]
    assert "in local succeeded" in lines[-1]


@pytest.mark.worker
@pytest.mark.usefixtures("worker")
def test_as_json(services: Services, user: User, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.run(services, Asker(user), as_json=True, probe=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert [set(item) for item in found] == [{"check", "state", "message"}] * len(CHECKS)
    assert [item["check"] for item in found] == CHECKS


@on_both
@pytest.mark.worker
@pytest.mark.usefixtures("worker")
def test_the_probe_run_is_the_systems_and_notifies_nobody(services: Services, user: User) -> None:
    assert states(services, user)["probe"][0] is State.OK
    with services.db.read() as connection:
        (run,) = connection.execute(sa.select(operation_runs)).all()
        assert connection.execute(sa.select(notifications)).all() == []
    assert (run.user_id, run.initiator_name, run.type) == (None, access.SYSTEM, doctor.PROBE)


@on_both
def test_it_says_what_the_database_is_and_where(services: Services, user: User) -> None:
    state, message = states(services, user)["database"]
    assert state is State.OK
    kind = "SQLite 3." if services.db.is_sqlite else "PostgreSQL 18."
    assert message.startswith(kind)
    assert services.db.is_sqlite == message.endswith("opsmon.db")


def test_without_a_worker_that_is_bad_and_no_probe_is_started(
    services: Services, user: User, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor.run(services, Asker(user), as_json=False, probe=True) == 1
    assert "bad      workers   none is alive" in capsys.readouterr().out
    assert states(services, user)["probe"] == (State.SKIPPED, "no worker would run it")


@pytest.mark.worker
@pytest.mark.usefixtures("worker")
def test_who_may_start_nothing_gets_no_probe(services: Services, user: User) -> None:
    admin.grant(services.db, user.login, "local", access.Role.READONLY)
    state, message = states(services, user)["probe"]
    assert (state, "no tenant" in message) == (State.SKIPPED, True)
    assert states(services, None)["probe"] == (State.SKIPPED, "you are no user of this opsmon")


@on_both
def test_a_worker_that_does_nothing_is_found_out(
    services: Services, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "PROBE_SECONDS", 0.2)
    heartbeats.register(services.db, host="h", pid=1, version="0", slots=4, embedded=False)
    found = states(services, user)
    assert found["workers"][0] is State.OK
    assert found["probe"][0] is State.BAD
    assert "still queued" in found["probe"][1]
    state, message = states(services, user)["queue"]
    told = r"the first in it has waited for [\d.]+ s; 1 run of your tenants waiting, the oldest for [\d.]+ s"
    assert (state, bool(re.fullmatch(told, message))) == (State.OK, True)
    stranger = states(services, None)["queue"]
    assert (
        stranger[0],
        bool(
            re.fullmatch(
                rf"the first in it has waited for [\d.]+ s; nothing of your tenants: {doctor.NO_USER}", stranger[1]
            )
        ),
    ) == (
        State.OK,
        True,
    )


def test_workers_whose_every_slot_is_stuck_are_bad(services: Services) -> None:
    id_ = heartbeats.register(services.db, host="h", pid=1, version="0", slots=2, embedded=False)

    def judged() -> tuple[State, str]:
        state, told = doctor._workers(health.workers_alive(services.db, 10 * HANG))
        return state, re.sub(r"beat [\d.]+ s", "beat N s", told)

    heartbeats.heartbeat(services.db, id_, 1)
    assert judged() == (State.OK, "1 alive with 2 slots, 1 stuck slot, the last beat N s ago")
    heartbeats.heartbeat(services.db, id_, 2)
    assert judged()[0] is State.BAD


@pytest.mark.parametrize(
    ("offset", "state", "said"), [(-4.9, "ok", "4.9"), (5.1, "bad", "ahead"), (-9.0, "bad", "behind")]
)
def test_clocks_that_differ(offset: float, state: str, said: str) -> None:
    found = doctor._clock(health.Server("PostgreSQL", "18", "h/d", offset))
    assert found.state == state
    assert said in found.message


@on_both
def test_the_clocks_of_this_machine_agree(services: Services) -> None:
    before = time.time()
    offset = health.server(services.db).offset
    after = time.time()
    # The database looked at its clock in between, and the offset is counted from an instant in between; 2 ms of rounding.
    assert abs(offset) <= after - before + 0.002


def test_tables_that_are_not_there_are_bad(make_services: MakeServices, empty_database_url: str) -> None:
    services = make_services(empty_database_url)
    if services.db.is_sqlite:
        Path(services.db.url.database or "").touch()
    found = states(services, None)
    assert found["database"][0] is State.OK
    assert found["schema"][0] is State.BAD
    assert {found[name][0] for name in ("queue", "workers", "probe")} == {State.SKIPPED}


def test_a_file_that_is_not_there_is_bad_and_is_not_made(make_services: MakeServices, empty_sqlite_url: str) -> None:
    services = make_services(empty_sqlite_url)
    found = states(services, None)
    assert found["database"][0] is State.BAD
    assert not Path(services.db.url.database or "").exists()
    assert {found[name] for name in CHECKS[1:]} == {(State.SKIPPED, found["database"][1])}


def test_a_server_that_is_away_is_bad(make_services: MakeServices) -> None:
    found = states(make_services("postgresql://me:hunter2@127.0.0.1:1/opsmon"), None)
    assert found["database"][0] is State.BAD
    assert "hunter2" not in str(found)


@pytest.mark.kill
def test_a_server_that_is_frozen_is_bad_before_it_is_thawed(
    make_services: MakeServices, private_postgres: PrivatePostgres
) -> None:
    services = make_services(private_postgres.url)
    user = make_user(services.db)
    services.db.close()
    services.__dict__["db"] = Database(private_postgres.url, replace(Timeouts(), connect=1.0, transaction=1.0))
    with private_postgres.frozen():
        assert states(services, user)["database"][0] is State.BAD


LOCKED = "the database has been locked for 0.375 s"


@pytest.mark.parametrize("table", ["alembic_version", "operation_runs", "queue_pauses"])
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_while_a_table_is_locked_that_is_the_reason(
    opsmon: Cli, services: Services, user: User, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """Of whatever cannot be told, and of whatever is not tried for it; what can be told is."""
    monkeypatch.setenv("OPSMON_DATABASE_SECONDS", "1")
    heartbeats.register(services.db, host="h", pid=1, version="0", slots=4, embedded=False)
    with services.db.write() as connection:
        connection.exec_driver_sql(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        answer = opsmon("doctor", "--json", "--probe")
        others = [opsmon(*line.split()) for line in ("db check", "start system.probe --tenant local")]
    found = {one["check"]: (one["state"], one["message"]) for one in answer.json}
    assert (answer.code, found["database"][0]) == (1, "ok")
    assert found["schema"][0] == "bad"
    for check, (state, message) in found.items():
        assert state == "ok" or LOCKED in message, check
    touched = {
        "operation_runs": ["queue", "workers"],
        "workers": ["workers"],
        "queue_pauses": ["queue"],
        "users": ["queue"],
    }
    assert [name for name in ("queue", "workers") if found[name][0] != "ok"] == touched.get(table, [])
    assert found["probe"][0] == ("skipped" if table != "tenants" else "bad")
    for other in others:
        assert other.code == 1 or table == "queue_pauses", other
        assert other.code == 0 or LOCKED in other.line


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_while_the_queues_table_is_locked_that_is_the_reason(
    opsmon: Cli, services: Services, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSMON_DATABASE_SECONDS", "1")
    with services.db.write() as connection:
        connection.exec_driver_sql("LOCK TABLE huey_task IN ACCESS EXCLUSIVE MODE")
        answer = opsmon("doctor", "--json", "--probe")
    found = {one["check"]: (one["state"], one["message"]) for one in answer.json}
    assert found["queue"][0] == "bad"
    assert "lock timeout" in found["queue"][1]
    assert (found["probe"][0], found["queue"][1] in found["probe"][1]) == ("skipped", True)


def test_while_a_file_is_locked_that_is_said(opsmon: Cli, town: CliHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSMON_DATABASE_SECONDS", "1")
    with town.db.write():
        answer = opsmon("start", "system.probe", "--tenant", "contoso")
    assert (answer.code, "the database has been locked for 1.875 s" in answer.line) == (1, True)


def test_a_queue_that_hangs_is_bad_before_it_answers(
    services: Services, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, others = threading.Event(), set(threading.enumerate())
    monkeypatch.setattr(doctor, "QUEUE_SECONDS", 0.2)
    monkeypatch.setattr(doctor, "_messages", lambda _: answer.wait())
    try:
        assert states(services, user)["queue"] == (State.BAD, "the queue did not answer in 0.2 s")
    finally:
        answer.set()
    wait_for(lambda: set(threading.enumerate()) <= others, "the end of the thread that asked")


@on_both
def test_a_queue_that_cannot_be_read_is_bad(services: Services, user: User) -> None:
    table = "task" if services.db.is_sqlite else "huey_task"
    with services.db.write() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {table}_away")
    state, message = states(services, user)["queue"]
    assert (state, "cannot be read" in message) == (State.BAD, True)


@pytest.mark.worker
@pytest.mark.usefixtures("worker", "user")
def test_the_command(opsmon: Cli) -> None:
    for argv, checks in ((["doctor"], LOOKS), (["doctor", "--probe"], CHECKS)):
        answer = opsmon(*argv)
        assert (answer.code, answer.err) == (0, "")
        assert [line.split()[:2] for line in answer.out.splitlines()] == [["ok", name] for name in checks]
