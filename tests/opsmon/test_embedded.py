"""The embedded database, and the worker beside the screens: real processes, killed in every way."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pexpect
import psutil
import pytest

from opsmon import embedded, settings
from opsmon.embedded import EmbeddedWorker, prepare
from opsmon.login import login_name
from opsmon.services import Services
from store import access, health, runs, schema
from store.database import Database
from store.errors import DatabaseAway, SchemaMismatch
from store.records import Outcome, Run, Status, User, Worker
from tests.conftest import PrivatePostgres
from tests.support.waiting import wait_for

LOST_AFTER = 5.0
#: A process that keeps an embedded worker as the screens do, says its pid, and then hangs.
PARENT = """
import sys, time
from opsmon import embedded, settings
from opsmon.services import Services
worker = embedded.EmbeddedWorker(Services(settings.load()))
worker.start()
while worker.pid is None:
    time.sleep(0.02)
print(worker.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "FIRST_LOOK", 0.0)
    monkeypatch.setattr(embedded, "LOOK_EVERY", 0.1)
    monkeypatch.setattr(embedded, "BACK_OFF", (0.2, 1.0))
    for name, value in {"BEAT": "0.2", "RESCUE": "0.5", "LOST_AFTER": str(LOST_AFTER)}.items():
        monkeypatch.setenv(f"OPSMON_{name}_SECONDS", value)


@pytest.fixture
def make_services(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Services]]:
    made: list[Services] = []

    def make(url: str) -> Services:
        monkeypatch.setenv("OPSMON_DATABASE_URL", url)
        made.append(Services(settings.load()))
        return made[-1]

    yield make
    for services in made:
        services.close()


@pytest.fixture
def new_url(tmp_path: Path) -> str:
    """Neither the file nor its folders are there."""
    return f"sqlite:///{tmp_path}/share/opsmon/opsmon.db"


@pytest.fixture
def services(make_services: Callable[[str], Services], new_url: str) -> Services:
    """On an embedded database that is ready."""
    found = make_services(new_url)
    prepare(found)
    return found


@pytest.fixture
def worker(services: Services) -> Iterator[EmbeddedWorker]:
    """Not started."""
    found = EmbeddedWorker(services)
    yield found
    found.kill()


def alive(services: Services) -> tuple[Worker, ...]:
    return health.workers_alive(services.db, LOST_AFTER)


def beats(services: Services, worker: EmbeddedWorker) -> bool:
    return any(found.pid == worker.pid for found in alive(services))


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def start_probe(services: Services, **parameters: object) -> Run:
    return services.dispatcher.start(login(services.db), "local", "system.probe", parameters).run


def ended(services: Services, run: Run) -> Run | None:
    found = runs.by_id(services.db, run.id)
    return found if found and found.status is Status.COMPLETED else None


def login(db: Database) -> User:
    return access.find_user(db, login_name())


# ---- the database


def test_on_a_new_machine_the_login_becomes_the_owner_of_local(
    make_services: Callable[[str], Services], new_url: str
) -> None:
    services = make_services(new_url)
    prepare(services)
    assert schema.state(services.db) is schema.State.CURRENT
    (member,) = access.memberships_of(services.db, login(services.db).id)
    assert (member.tenant.slug, member.role) == ("local", access.Role.OWNER)


def test_nobody_else_can_read_it(services: Services) -> None:
    file = Path(services.db.url.database or "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_it_is_prepared_once(services: Services) -> None:
    access.add_user(services.db, "somebody")
    access.add_tenant(services.db, "contoso")
    prepare(services)
    assert {user.login for user in access.all_users(services.db)} == {login_name(), "somebody"}


def test_a_database_with_users_gets_no_owner(make_services: Callable[[str], Services], sqlite_url: str) -> None:
    services = make_services(sqlite_url)
    access.add_user(services.db, "somebody")
    prepare(services)
    assert [user.login for user in access.all_users(services.db)] == ["somebody"]


def test_several_at_once_prepare_it_once(make_services: Callable[[str], Services], new_url: str) -> None:
    services = make_services(new_url)
    code = "from opsmon import embedded, settings, services; embedded.prepare(services.Services(settings.load()))"
    children = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
    assert [child.wait(60) for child in children] == [0, 0, 0, 0]
    assert len(access.all_users(services.db)) == 1


def test_one_that_is_ready_is_not_migrated_again(services: Services) -> None:
    code = (
        "import sys; from opsmon import embedded, settings, services;"
        "embedded.prepare(services.Services(settings.load())); assert 'alembic' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
    assert services.db.is_sqlite


def test_a_newer_one_is_refused(services: Services) -> None:
    with services.db.transaction() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaMismatch, match="newer"):
        prepare(services)


def test_one_that_cannot_be_made_is_said_to_be_so(make_services: Callable[[str], Services], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseAway, match="cannot be made"):
        prepare(make_services(f"sqlite:///{tmp_path}/file/opsmon.db"))


def test_a_file_that_is_no_database_is_said_to_be_so(make_services: Callable[[str], Services], tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear database, " * 100)
    with pytest.raises(DatabaseAway, match="not a database"):
        prepare(make_services(f"sqlite:///{tmp_path}/letter.db"))


def test_other_databases_are_left_alone(make_services: Callable[[str], Services], empty_postgres_url: str) -> None:
    services = make_services(empty_postgres_url)
    prepare(services)
    assert schema.state(services.db) is schema.State.EMPTY


# ---- the worker


def test_it_carries_out_a_run(services: Services, worker: EmbeddedWorker) -> None:
    worker.start()
    wait_for(lambda: beats(services, worker))
    start_probe(services, items=0, key="warm")  # Huey is imported at the first start
    run = start_probe(services, items=1, seconds=0)
    done = wait_for(lambda: ended(services, run))
    assert done.outcome is Outcome.SUCCEEDED


def test_it_says_that_it_is_embedded_and_is_out_of_the_terminals_reach(
    services: Services, worker: EmbeddedWorker
) -> None:
    worker.start()
    wait_for(lambda: beats(services, worker))
    assert [found.embedded for found in alive(services)] == [True]
    assert worker.pid
    assert os.getsid(worker.pid) == worker.pid


def test_it_logs_to_a_file_and_nowhere_else(
    services: Services, worker: EmbeddedWorker, capfd: pytest.CaptureFixture[str]
) -> None:
    worker.start()
    log = embedded.log_file(os.environ)
    wait_for(lambda: log.exists() and "is ready" in log.read_text())
    assert log.is_relative_to(Path.home())
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert worker.stop(20)
    assert capfd.readouterr() == ("", "")


def test_stopped_it_ends_in_good_order_and_at_once(services: Services, worker: EmbeddedWorker) -> None:
    worker.start()
    wait_for(lambda: beats(services, worker))
    began = time.monotonic()
    worker.stop()
    assert time.monotonic() - began < 4
    assert worker.stop(20)
    assert alive(services) == ()


def test_stopped_before_it_has_begun_it_starts_nothing(services: Services, worker: EmbeddedWorker) -> None:
    assert worker.stop(1)
    worker.start()
    assert worker.stop(5)
    assert worker.pid is None


def test_what_it_has_in_hand_is_completed_soon_after_the_screens_end(
    services: Services, worker: EmbeddedWorker
) -> None:
    worker.start()
    wait_for(lambda: beats(services, worker))
    run = start_probe(services, items=600, seconds=0.1)
    wait_for(lambda: running(services, run))
    worker.stop()
    done = wait_for(lambda: ended(services, run))
    assert done.failure_summary[-1].code == "worker.stopped"
    assert worker.stop(5)


def running(services: Services, run: Run) -> bool:
    found = runs.by_id(services.db, run.id)
    return found is not None and found.status is Status.RUNNING


def test_killed_it_is_started_again(services: Services, worker: EmbeddedWorker) -> None:
    worker.start()
    wait_for(lambda: beats(services, worker))
    first = worker.pid
    assert first
    os.kill(first, signal.SIGKILL)
    # The dead one's last beat still looks alive for a while, and is not waited for.
    wait_for(lambda: worker.pid not in (None, first) and beats(services, worker))


def test_one_that_cannot_start_is_not_started_over_and_over(
    services: Services, worker: EmbeddedWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[float] = []
    monkeypatch.setattr(embedded.sys, "executable", "/bin/false")
    spawn = EmbeddedWorker._spawn

    def count(self: EmbeddedWorker) -> None:
        started.append(time.monotonic())
        spawn(self)

    monkeypatch.setattr(EmbeddedWorker, "_spawn", count)
    worker.start()
    wait_for(lambda: len(started) >= 4)
    gaps = [later - earlier for earlier, later in pairwise(started)]
    assert gaps[0] >= 0.2
    assert gaps[2] >= 0.8
    assert alive(services) == ()


# ---- other workers


def other_worker(*more: str) -> subprocess.Popen[bytes]:
    # A session of its own, as that of a worker that a service manager started.
    return subprocess.Popen(
        [sys.executable, "-m", "opsmon", "worker", *more],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def end(child: subprocess.Popen[bytes]) -> None:
    assert child.stdin
    child.stdin.close()
    child.terminate()
    child.wait(30)


@pytest.fixture
def other(services: Services) -> Iterator[subprocess.Popen[bytes]]:
    child = other_worker()
    wait_for(lambda: any(found.pid == child.pid for found in alive(services)))
    yield child
    end(child)


@pytest.mark.usefixtures("other")
def test_beside_another_worker_it_is_not_started(services: Services, worker: EmbeddedWorker) -> None:
    worker.start()
    time.sleep(1)
    assert worker.pid is None
    assert len(alive(services)) == 1


def test_it_is_started_when_the_other_one_ends(
    services: Services, worker: EmbeddedWorker, other: subprocess.Popen[bytes]
) -> None:
    worker.start()
    other.terminate()
    wait_for(lambda: beats(services, worker))


def test_it_is_started_when_the_other_one_was_killed(
    services: Services, worker: EmbeddedWorker, other: subprocess.Popen[bytes]
) -> None:
    other.kill()
    other.wait()
    worker.start()
    wait_for(lambda: worker.pid, "a start before the dead one's last beat is old")
    wait_for(lambda: beats(services, worker))


def test_it_makes_room_for_another_one_and_finishes_what_it_has_in_hand(
    services: Services, worker: EmbeddedWorker
) -> None:
    worker.start()
    wait_for(lambda: beats(services, worker))
    run = start_probe(services, items=40, seconds=0.1)
    wait_for(lambda: running(services, run))
    newcomer = other_worker()
    try:
        wait_for(lambda: worker.pid is None)
        done = runs.by_id(services.db, run.id)
        assert done
        assert done.outcome is Outcome.SUCCEEDED
        assert [found.pid for found in alive(services)] == [newcomer.pid]
    finally:
        end(newcomer)


def test_of_two_that_start_at_once_one_stays(services: Services, worker: EmbeddedWorker) -> None:
    twin = EmbeddedWorker(services)
    try:
        with ThreadPoolExecutor(2) as pool:
            both = threading.Barrier(2)
            for each in (worker, twin):
                pool.submit(lambda each=each: (both.wait(), each.start()))
        wait_for(lambda: len(alive(services)) == 1 and (worker.pid is None) != (twin.pid is None))
        time.sleep(1)
        assert (worker.pid is None) != (twin.pid is None)
    finally:
        twin.kill()


# ---- the parent


@pytest.mark.parametrize("ends_by", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_never_outlives_its_parent(services: Services, ends_by: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert parent.stdout
    with parent.stdout:
        pid = int(parent.stdout.readline())
    wait_for(lambda: any(found.pid == pid for found in alive(services)))
    parent.send_signal(ends_by)
    parent.wait(10)
    wait_for(lambda: is_gone(pid))
    # It signed off, so that nobody takes it for alive.
    assert alive(services) == ()


@pytest.mark.parametrize("ends_by", [None, signal.SIGTERM, signal.SIGHUP])
def test_opsmon_on_a_new_machine(
    make_services: Callable[[str], Services], new_url: str, ends_by: signal.Signals | None
) -> None:
    services = make_services(new_url)
    environment = {**os.environ, "TERM": "xterm-256color"}
    terminal = pexpect.spawn(sys.executable, ["-m", "opsmon"], env=environment, dimensions=(24, 80), timeout=30)
    try:
        terminal.expect("live")
        (found,) = wait_for(lambda: alive(services))
        began = time.monotonic()
        if ends_by:
            os.kill(terminal.pid, ends_by)
        else:
            terminal.send("q")
        terminal.expect(pexpect.EOF)
        terminal.wait()
        assert time.monotonic() - began < 10
        assert b"\x1b[?1049l" in terminal.before  # back from the alternate screen
        assert terminal.exitstatus == (128 + ends_by if ends_by else 0)
        wait_for(lambda: is_gone(found.pid))
    finally:
        terminal.close(force=True)


def test_with_the_database_frozen_stopping_takes_no_time(
    make_services: Callable[[str], Services], private_postgres: PrivatePostgres
) -> None:
    services = make_services(private_postgres.url)
    worker = EmbeddedWorker(services)
    worker.start()
    try:
        wait_for(lambda: beats(services, worker))
        with private_postgres.frozen():
            time.sleep(0.5)
            began = time.monotonic()
            worker.stop()
            assert time.monotonic() - began < 4
        assert worker.stop(30)
    finally:
        worker.kill()
