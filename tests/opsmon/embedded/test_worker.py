"""The embedded database, and the worker beside the screens: real processes, killed in every way."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pexpect
import psutil
import pytest

from opsmon.embedded import worker as embedded_worker
from opsmon.embedded.database import prepare
from opsmon.embedded.worker import BACK_OFF, EmbeddedWorker
from opsmon.login import login_name
from opsmon.services import Services
from store import schema
from store.db.engine import Database
from store.errors import DatabaseAway, SchemaMismatch
from store.model.records import Outcome, Run, Status, User, Worker
from store.people import access, admin
from store.runs import lifecycle
from store.workers import health, heartbeats
from tests.conftest import PrivatePostgres
from tests.opsmon.conftest import MakeServices
from tests.support.embedding import Clock, Looks, warm_children
from tests.support.forked import ROOT, Forked
from tests.support.losing import losing
from tests.support.operations import FOLDER, place
from tests.support.people import all_users
from tests.support.processes import has_ended
from tests.support.terminal import PROMPT, Terminal, closing
from tests.support.waiting import HANG, wait_for
from tests.support.worker import QUICK, WorkerProcess, plugins

LOST_AFTER: Final = float(str(QUICK["lost_after_seconds"]))

pytestmark = pytest.mark.usefixtures("quick_workers")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_worker, "FIRST_LOOK", 0.0)
    monkeypatch.setattr(embedded_worker, "LOOK_EVERY", 0.02)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the tests' operations are plugged in from, and where their flags and marks are."""
    monkeypatch.syspath_prepend(plugins(tmp_path))
    monkeypatch.setenv(FOLDER, str(tmp_path))
    return tmp_path


@pytest.fixture
def new_url(tmp_path: Path) -> str:
    """Neither the file nor its folders are there."""
    return f"sqlite:///{tmp_path}/share/opsmon/opsmon.db"


@pytest.fixture
def services(make_services: MakeServices, new_url: str) -> Services:
    """On an embedded database that is ready."""
    found = make_services(new_url)
    prepare(found)
    return found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    counted = Looks(EmbeddedWorker._look)
    monkeypatch.setattr(EmbeddedWorker, "_look", lambda worker: counted.look(worker))  # noqa: PLW0108 (binds to the worker)
    return counted


@pytest.fixture
def warm(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Children are forked from a warm process instead of being a new interpreter."""
    monkeypatch.setattr(embedded_worker, "_start_child", warm_children(folder))


MakeWorker = Callable[[Services], EmbeddedWorker]


@pytest.fixture
def make_worker(clock: Clock) -> Iterator[MakeWorker]:
    """Embedded workers that are not started, by a clock that stands still."""
    made: list[EmbeddedWorker] = []

    def make(services: Services) -> EmbeddedWorker:
        made.append(EmbeddedWorker(services, clock))
        return made[-1]

    yield make
    for worker in made:
        worker.kill()


@pytest.fixture
def worker(services: Services, make_worker: MakeWorker) -> EmbeddedWorker:
    """Not started."""
    return make_worker(services)


def alive(services: Services) -> tuple[Worker, ...]:
    return health.workers_alive(services.db, LOST_AFTER)


def beats(services: Services, worker: EmbeddedWorker) -> bool:
    return any(found.pid == worker.pid for found in alive(services))


def log() -> str:
    """What the embedded worker has logged."""
    path = embedded_worker.log_file(os.environ)
    return path.read_text() if path.exists() else ""


def has_been_started() -> bool:
    """Whether there has ever been a child."""
    return embedded_worker.log_file(os.environ).exists()


def start(services: Services, type_: str, **parameters: object) -> Run:
    return services.dispatcher.start(login(services.db), "local", type_, parameters).run


def ended(services: Services, run: Run) -> Run:
    def is_ended() -> Run | None:
        found = lifecycle.get(services.db, run.id)
        return found if found and found.status is Status.COMPLETED else None

    return wait_for(is_ended, "the end of the run", seen=log)


def is_running(services: Services, run: Run) -> bool:
    found = lifecycle.get(services.db, run.id)
    return found is not None and found.status is Status.RUNNING


def held(services: Services, worker: EmbeddedWorker) -> Run:
    """Start the worker, and a run that goes on until the flag "go" is raised."""
    worker.start()
    run = start(services, "test.hold", name="go")
    wait_for(lambda: is_running(services, run), "the run to run", seen=log)
    return run


def login(db: Database) -> User:
    return access.find_user(db, login_name())


# ---- the database


def test_on_a_new_machine_the_login_becomes_the_owner_of_local(make_services: MakeServices, new_url: str) -> None:
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
    admin.add_user(services.db, "somebody")
    admin.add_tenant(services.db, "contoso")
    prepare(services)
    assert {user.login for user in all_users(services.db)} == {login_name(), "somebody"}


def test_a_database_with_users_gets_no_owner(make_services: MakeServices, sqlite_url: str) -> None:
    services = make_services(sqlite_url)
    admin.add_user(services.db, "somebody")
    prepare(services)
    assert [user.login for user in all_users(services.db)] == ["somebody"]


@pytest.mark.worker
def test_several_at_once_prepare_it_once(make_services: MakeServices, new_url: str, folder: Path) -> None:
    services = make_services(new_url)
    log = folder / "log"
    children = [Forked([], os.environ, folder, log, main="tests.support.mains:prepare") for _ in range(4)]
    assert [child.wait() for child in children] == [0, 0, 0, 0], log.read_text()
    assert len(all_users(services.db)) == 1


@pytest.mark.worker
@pytest.mark.usefixtures("services")
def test_one_that_is_ready_is_not_migrated_again() -> None:
    code = (
        "import sys; from opsmon import settings, services; from opsmon.embedded.database import prepare;"
        "prepare(services.Services(settings.load())); assert 'alembic' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=HANG).returncode == 0


def test_a_newer_one_is_refused(services: Services) -> None:
    with services.db.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaMismatch, match="newer"):
        prepare(services)


def test_one_that_cannot_be_made_is_said_to_be_so(make_services: MakeServices, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseAway, match="cannot be made"):
        prepare(make_services(f"sqlite:///{tmp_path}/file/opsmon.db"))


def test_a_file_that_is_no_database_is_said_to_be_so(make_services: MakeServices, tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear database, " * 100)
    with pytest.raises(DatabaseAway, match="not a database"):
        prepare(make_services(f"sqlite:///{tmp_path}/letter.db"))


def test_other_databases_are_left_alone(make_services: MakeServices, empty_postgres_url: str) -> None:
    services = make_services(empty_postgres_url)
    prepare(services)
    assert schema.state(services.db) is schema.State.EMPTY


# ---- the worker


@pytest.mark.worker
def test_it_carries_out_a_run(services: Services, worker: EmbeddedWorker) -> None:
    worker.start()
    wait_for(lambda: beats(services, worker), seen=log)
    run = start(services, "system.probe", items=1, seconds=0)
    assert ended(services, run).outcome is Outcome.SUCCEEDED


@pytest.mark.usefixtures("warm")
@pytest.mark.worker
def test_it_says_that_it_is_embedded_and_is_out_of_the_terminals_reach(
    services: Services, worker: EmbeddedWorker
) -> None:
    worker.start()
    wait_for(lambda: beats(services, worker), seen=log)
    assert [found.embedded for found in alive(services)] == [True]
    assert worker.pid
    assert os.getsid(worker.pid) == worker.pid


@pytest.mark.worker
def test_it_logs_to_a_file_and_nowhere_else(worker: EmbeddedWorker, capfd: pytest.CaptureFixture[str]) -> None:
    worker.start()
    wait_for(lambda: "is ready" in log())
    file = embedded_worker.log_file(os.environ)
    assert file.is_relative_to(Path.home())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert worker.stop(HANG)
    assert capfd.readouterr() == ("", "")


@pytest.mark.kill
@pytest.mark.usefixtures("warm")
@pytest.mark.worker
def test_stopping_waits_for_nothing_and_it_ends_in_good_order(services: Services, worker: EmbeddedWorker) -> None:
    worker.start()
    wait_for(lambda: beats(services, worker), seen=log)
    assert worker.pid
    os.kill(worker.pid, signal.SIGSTOP)
    assert not worker.stop()  # as it returns, the child is there: it can do nothing
    assert worker.pid
    os.kill(worker.pid, signal.SIGCONT)
    assert worker.stop(HANG)
    assert alive(services) == ()


def test_stopped_before_it_has_begun_it_starts_nothing(worker: EmbeddedWorker) -> None:
    assert worker.stop()
    worker.start()
    assert worker.stop(HANG)
    assert not has_been_started()


@pytest.mark.usefixtures("warm")
@pytest.mark.worker
def test_what_it_has_in_hand_is_completed_soon_after_the_screens_end(
    services: Services, worker: EmbeddedWorker
) -> None:
    run = held(services, worker)
    worker.stop()
    assert ended(services, run).failure_summary[-1].code == "worker.stopped"
    assert worker.stop(HANG)


# ---- when it dies


def kill(worker: EmbeddedWorker) -> int:
    """kill -9. Returns the pid of what is dead then."""
    pid = worker.pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: has_ended(pid))
    return pid


@pytest.mark.kill
@pytest.mark.usefixtures("warm")
@pytest.mark.worker
def test_killed_it_is_started_again_after_a_pause(
    services: Services, worker: EmbeddedWorker, clock: Clock, looks: Looks
) -> None:
    worker.start()
    wait_for(lambda: beats(services, worker), seen=log)
    first = kill(worker)
    looks.more(worker)
    assert worker.pid is None
    clock.now += BACK_OFF.pause(1)
    # The dead one's last beat still looks alive, for longer than any test waits, and is not waited for.
    wait_for(lambda: worker.pid not in (None, first) and beats(services, worker), seen=log)


@pytest.mark.kill
@pytest.mark.usefixtures("warm")
@pytest.mark.worker
def test_killed_after_a_long_life_it_is_started_again_at_once(
    services: Services, worker: EmbeddedWorker, clock: Clock
) -> None:
    worker.start()
    wait_for(lambda: beats(services, worker), seen=log)
    clock.now += embedded_worker.SETTLED + 1
    first = kill(worker)
    wait_for(lambda: worker.pid not in (None, first) and beats(services, worker), seen=log)


def test_the_pause_grows_up_to_a_minute() -> None:
    assert [BACK_OFF.pause(deaths) for deaths in range(9)] == [0, 1, 2, 4, 8, 16, 32, 60, 60]


def test_one_that_cannot_start_is_started_ever_more_seldom(
    services: Services, worker: EmbeddedWorker, monkeypatch: pytest.MonkeyPatch, clock: Clock, looks: Looks
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    started: list[float] = []
    spawn = EmbeddedWorker._spawn

    def counted(worker: EmbeddedWorker) -> None:
        spawn(worker)
        started.append(clock.now)

    monkeypatch.setattr(EmbeddedWorker, "_spawn", counted)
    worker.start()
    expected = [clock.now]
    for deaths in range(1, 9):
        wait_for(lambda: started == expected and worker.pid is None, "the death of another one")
        looks.more(worker)  # the first of them takes note of the death
        clock.now += BACK_OFF.pause(deaths) - 0.1
        looks.more(worker)
        assert started == expected
        clock.now += 0.2
        expected.append(clock.now)
    assert alive(services) == ()


# ---- other workers


@pytest.fixture
def start_other(services: Services, new_url: str, folder: Path) -> Iterator[Callable[[], WorkerProcess]]:
    """Starts `opsmon worker` on the same database, and waits until it takes messages."""
    started: list[WorkerProcess] = []

    def start() -> WorkerProcess:
        started.append(WorkerProcess(new_url, folder))
        return started[-1].ready()

    yield start
    for other in started:
        other.kill()


@pytest.fixture
def other(start_other: Callable[[], WorkerProcess]) -> WorkerProcess:
    return start_other()


@pytest.mark.usefixtures("other")
@pytest.mark.worker
def test_beside_another_worker_it_is_not_started(services: Services, worker: EmbeddedWorker, looks: Looks) -> None:
    worker.start()
    looks.more(worker)
    assert not has_been_started()
    assert len(alive(services)) == 1


@pytest.mark.kill
@pytest.mark.usefixtures("warm")
@pytest.mark.worker
def test_it_is_started_when_the_other_one_ends(
    services: Services, worker: EmbeddedWorker, other: WorkerProcess
) -> None:
    worker.start()
    other.stop()
    wait_for(lambda: beats(services, worker), seen=log)


@pytest.mark.kill
@pytest.mark.usefixtures("warm")
@pytest.mark.worker
def test_it_is_started_when_the_other_one_was_killed(
    services: Services, worker: EmbeddedWorker, other: WorkerProcess
) -> None:
    other.kill()
    worker.start()
    # The dead one's last beat is young for longer than any test waits.
    wait_for(lambda: beats(services, worker), seen=log)


@pytest.mark.usefixtures("warm")
@pytest.mark.worker
def test_another_machines_worker_counts_until_its_last_beat_is_old(
    services: Services, worker: EmbeddedWorker, looks: Looks
) -> None:
    heartbeats.register(services.db, host="elsewhere", pid=1, version="0", slots=4, embedded=False)
    worker.start()
    looks.more(worker)
    assert not has_been_started()
    with services.db.write() as connection:
        connection.exec_driver_sql("UPDATE workers SET beat_at = '2001-01-01 00:00:00.000'")
    wait_for(lambda: beats(services, worker), seen=log)


@pytest.mark.usefixtures("warm")
@pytest.mark.worker
def test_it_makes_room_for_another_one_and_finishes_what_it_has_in_hand(
    services: Services, worker: EmbeddedWorker, looks: Looks, start_other: Callable[[], WorkerProcess]
) -> None:
    run = held(services, worker)
    newcomer = start_other()
    wait_for(lambda: "stops: waiting up to" in log(), seen=log)
    looks.more(worker)
    assert beats(services, worker)
    assert is_running(services, run)
    place("go").touch()
    wait_for(lambda: worker.pid is None, seen=log)
    assert ended(services, run).outcome is Outcome.SUCCEEDED
    looks.more(worker)
    assert worker.pid is None
    assert [found.pid for found in alive(services)] == [newcomer.pid]


@pytest.mark.usefixtures("warm")
@pytest.mark.worker
def test_of_two_that_start_at_once_one_stays(services: Services, make_worker: MakeWorker, looks: Looks) -> None:
    twins = [make_worker(services) for _ in range(2)]
    both = threading.Barrier(2)
    # Both have begun their first look before one of them asks who is there.
    looks.before = lambda worker: both.wait(HANG) if looks.begun[worker] == 1 else None

    def one_stays() -> bool:
        return len(alive(services)) == 1 and sorted(beats(services, twin) for twin in twins) == [False, True]

    for twin in twins:
        twin.start()
    for twin in twins:
        looks.more(twin)
    wait_for(lambda: one_stays() and [twin.pid for twin in twins].count(None) == 1, "one of two", seen=log)
    for twin in twins:
        looks.more(twin)
    assert one_stays()
    assert [twin.pid for twin in twins].count(None) == 1


# ---- the parent


@pytest.mark.kill
@pytest.mark.parametrize("ends_by", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.worker
def test_it_never_outlives_its_parent(services: Services, folder: Path, ends_by: signal.Signals) -> None:
    parent = Forked([], os.environ, folder, folder / "parent.log", main="tests.support.mains:keep_worker")
    try:
        (pid,) = [found.pid for found in wait_for(lambda: alive(services), "a worker", seen=log)]
        assert psutil.Process(pid).ppid() == parent.pid
        parent.signal(ends_by)
        parent.wait()
        wait_for(lambda: has_ended(pid), seen=log)
    finally:
        parent.kill()
    # It signed off, so that nobody takes it for alive.
    assert alive(services) == ()


@pytest.mark.terminal
@pytest.mark.parametrize("ends_by", [None, signal.SIGTERM, signal.SIGHUP])
def test_opsmon_on_a_new_machine(make_services: MakeServices, new_url: str, ends_by: signal.Signals | None) -> None:
    services = make_services(new_url)
    environment = {**os.environ, "TERM": "xterm-256color"}
    terminal = pexpect.spawn(sys.executable, ["-m", "opsmon"], env=environment, dimensions=(24, 80), timeout=HANG)
    try:
        terminal.expect("live")
        (found,) = wait_for(lambda: alive(services))
        if ends_by:
            os.kill(terminal.pid, ends_by)
        else:
            terminal.send("q")
        terminal.expect(pexpect.EOF)
        terminal.wait()
        assert b"\x1b[?1049l" in terminal.before  # back from the alternate screen
        assert terminal.exitstatus == (128 + ends_by if ends_by else 0)
        wait_for(lambda: has_ended(found.pid))
    finally:
        terminal.close(force=True)


@pytest.mark.kill
@pytest.mark.terminal
@pytest.mark.parametrize("jams", [False, True], ids=["idle", "jammed"])
def test_opsmon_whose_terminal_is_gone_leaves_nothing(make_services: MakeServices, new_url: str, jams: bool) -> None:
    """No SIGHUP comes: the terminal is no session's."""
    services = make_services(new_url)
    with losing(["opsmon"], "free") as program:
        program.wait_for(b"live")
        (found,) = wait_for(lambda: alive(services))
        if jams:
            program.jam()
        program.lose()
        assert program.end() == 128 + signal.SIGHUP
        wait_for(lambda: has_ended(found.pid))


@pytest.mark.kill
@pytest.mark.terminal
def test_while_opsmon_is_suspended_its_worker_goes_on(make_services: MakeServices, new_url: str, folder: Path) -> None:
    services = make_services(new_url)
    shell = Terminal("opsmon", [], more={"PYTHONPATH": os.pathsep.join((str(plugins(folder)), str(ROOT)))}, shell=True)
    with closing(shell):
        shell.wait_for(PROMPT)
        shell.send(f"{shell.command}\r")
        shell.wait_for("live")
        (found,) = wait_for(lambda: alive(services))
        run = start(services, "test.hold", name="go")
        wait_for(lambda: is_running(services, run), "the run to run", seen=log)
        (program,) = psutil.Process(shell.child.pid).children()
        shell.send("\x1a")
        shell.read_until(lambda: program.status() == psutil.STATUS_STOPPED, "a stop")
        place("go").touch()
        assert ended(services, run).outcome is Outcome.SUCCEEDED
        assert program.status() == psutil.STATUS_STOPPED
        shell.send("fg\r")
        shell.wait_for("live")
        shell.send("q")
        shell.read_until(lambda: has_ended(found.pid), "the worker's end")


@pytest.mark.kill
@pytest.mark.usefixtures("warm")
@pytest.mark.worker
def test_with_the_database_frozen_stopping_waits_for_nothing(
    make_services: MakeServices, make_worker: MakeWorker, private_postgres: PrivatePostgres, looks: Looks
) -> None:
    services = make_services(private_postgres.url)
    worker = make_worker(services)
    worker.start()
    wait_for(lambda: beats(services, worker), seen=log)
    looks_again, is_frozen = threading.Event(), threading.Event()

    def wait_for_frost(_: EmbeddedWorker) -> None:
        looks_again.set()
        is_frozen.wait(HANG)

    looks.before = wait_for_frost
    assert looks_again.wait(HANG)
    with private_postgres.frozen():
        is_frozen.set()
        assert not worker.stop()  # as it returns, the look hangs
        assert looks.begun[worker] > looks.ended[worker]
    assert worker.stop(HANG)
