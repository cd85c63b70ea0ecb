"""`opsmon worker`: its log, its signals, its end."""

from __future__ import annotations

import logging
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from opsmon.cli.commands.worker import StopSignals
from opsmon.logs import MAX_CHAIN, MAX_FRAMES, SafeFormatter, start_log
from store.db.engine import Database
from store.errors import InputInvalid
from store.model.records import Outcome, Run, Status, Worker
from store.runs import lifecycle
from store.workers import health
from tests.opsmon.conftest import Cli, CliHarness, on_both
from tests.support.forked import ROOT, Forked
from tests.support.operations import FOLDER, place
from tests.support.people import all_users
from tests.support.waiting import HANG, wait_for
from tests.support.worker import QUICK, WorkerProcess, plugins, variables

SECRETS = (
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.c2lnbmF0dXJl",
    "hunter2",
    "abc8Q~secretsecretsecret",
    "someone@contoso.com",
)
EVIL = (
    f"Bearer {SECRETS[0]} postgresql://u:{SECRETS[1]}@h/x client_secret={SECRETS[2]} {SECRETS[3]} "
    "\x1b]52;c;ZXZpbA==\x07\x9b2J\u202e\nsecond line"
)


def written(message: str, *args: object, error: BaseException | None = None) -> str:
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("opsmon.worker", logging.ERROR, "here.py", 1, message, args, info)
    return SafeFormatter().format(record)


def raised(action: Callable[[], object]) -> BaseException:
    try:
        action()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def assert_clean(text: str) -> None:
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text)
    assert not [secret for secret in SECRETS if secret in text]


def test_a_message_is_one_clean_line() -> None:
    line = written("run %s: %s", 7, EVIL)
    assert_clean(line)
    assert line.count("\n") == 0
    assert " ERROR   opsmon.worker: run 7: " in line


def test_a_message_is_bounded() -> None:
    assert len(written("%s", "word " * 1_000_000)) < 1100


def test_a_message_that_cannot_be_formatted_is_told_all_the_same() -> None:
    class Broken:
        def __str__(self) -> str:
            raise ValueError("no")

    assert "(cannot be formatted) half: %s" in written("half: %s", Broken())
    assert "(cannot be formatted) %s %s" in written("%s %s", "one")


def test_a_traceback_stays_readable() -> None:
    def inner() -> None:
        raise RuntimeError(EVIL)

    def outer() -> None:
        try:
            inner()
        except RuntimeError as error:
            raise ValueError("outside") from error

    text = written("it broke", error=raised(outer))
    assert_clean(text)
    lines = text.splitlines()
    assert any("in inner" in line for line in lines)
    assert any("in outer" in line for line in lines)
    assert lines[-1].strip() == "ValueError: outside"
    assert any(line.startswith("  RuntimeError: [token]") for line in lines)
    assert all(line.startswith("  ") for line in lines[1:])
    # The raise stands deeper than the place that it is in, as in any traceback.
    assert any(line.startswith("      raise RuntimeError") for line in lines)


def test_a_secret_over_several_lines_goes_as_a_whole() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIabc\nDEFghi\n-----END PRIVATE KEY-----"

    def work() -> None:
        raise RuntimeError(key)

    text = written("it broke", error=raised(work))
    assert "MIIabc" not in text
    assert "DEFghi" not in text


def test_a_traceback_is_bounded() -> None:
    def deep(levels: int) -> None:
        if not levels:
            raise RuntimeError("x" * 1_000_000)
        deep(levels - 1)

    def chained(links: int) -> None:
        try:
            deep(links * 50)
        except RuntimeError:
            if links:
                chained(links - 1)
            raise

    text = written("it broke", error=raised(lambda: chained(10)))
    assert len(text.splitlines()) < MAX_CHAIN * (3 * MAX_FRAMES + 2)
    assert len(text) < 100_000


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    """Logging is the process's: what `start_log` does to it is undone."""
    root, ours = logging.getLogger(), logging.getLogger("opsmon")
    before = (root.handlers[:], root.level, ours.level, logging.raiseExceptions, threading.excepthook)
    yield
    root.handlers[:], root.level, level, logging.raiseExceptions, threading.excepthook = before
    root.setLevel(before[1])
    ours.setLevel(level)
    logging.captureWarnings(False)


@pytest.mark.usefixtures("logging_as_before")
def test_what_is_logged_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    start_log("debug")
    logging.getLogger("opsmon.x").debug("ours")
    logging.getLogger("huey").info("theirs")
    logging.getLogger("huey").warning("their warning")
    thread = threading.Thread(target=lambda: int(EVIL), name="unlucky")
    thread.start()
    thread.join()
    err = capsys.readouterr().err
    assert "ours" in err
    assert "theirs" not in err
    assert "their warning" in err
    assert "thread unlucky ended with an exception" in err
    assert_clean(err)


def test_a_level_that_is_none() -> None:
    with pytest.raises(InputInvalid, match="log_level cannot be 'LOUD': give DEBUG, INFO, WARNING, ERROR"):
        start_log("loud")


def test_a_level_that_is_none_ends_the_worker(cli: Cli, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsmon.cli.main.leave", lambda code: (_ for _ in ()).throw(SystemExit(code)))
    monkeypatch.setenv("OPSMON_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("OPSMON_LOG_LEVEL", "loud")
    assert (cli("worker").code, cli("worker").line[:30]) == (2, "opsmon: log_level cannot be 'L")


# ---- signals


@pytest.mark.parametrize("early", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_each_signal_asks_once_and_early_ones_wait(early: signal.Signals, caplog: pytest.LogCaptureFixture) -> None:
    asked: list[None] = []
    caplog.set_level("INFO", "opsmon.worker")
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]
    with StopSignals() as signals:
        os.kill(os.getpid(), early)
        assert asked == []
        signals.serve(lambda: asked.append(None))
        wait_for(lambda: len(asked) == 1)
        os.kill(os.getpid(), signal.SIGINT)
        wait_for(lambda: len(asked) == 2)
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)] == before
    assert caplog.messages == [
        f"{early.name}: the worker is asked to stop",
        "SIGINT: the worker is asked to stop at once",
    ]


def test_hanging_up_twice_asks_once(caplog: pytest.LogCaptureFixture) -> None:
    """The kernel and a shell both say that a terminal is gone: that is no reason to give up what runs."""
    asked: list[None] = []
    caplog.set_level("INFO", "opsmon.worker")
    with StopSignals() as signals:
        signals.serve(lambda: asked.append(None))
        for number in (1, 2, 3):
            os.kill(os.getpid(), signal.SIGHUP)
            wait_for(lambda number=number: len(caplog.messages) == number)  # type: ignore[misc]
        assert len(asked) == 1
        os.kill(os.getpid(), signal.SIGTERM)
        wait_for(lambda: len(asked) == 2)


def test_hanging_up_that_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopSignals():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_IGN
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


# ---- processes


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the tests' operations are plugged in from, and where their flags and marks are."""
    monkeypatch.syspath_prepend(plugins(tmp_path))
    monkeypatch.setenv(FOLDER, str(tmp_path))
    return tmp_path


Start = Callable[..., WorkerProcess]


@pytest.fixture
def start_worker(database_url: str, folder: Path) -> Iterator[Start]:
    """Starts `opsmon worker` on the test's database."""
    started: list[WorkerProcess] = []

    def start(*argv: str, piped: bool = False, **settings: object) -> WorkerProcess:
        started.append(WorkerProcess(database_url, folder, *argv, piped=piped, **settings))
        return started[-1]

    yield start
    for worker in started:
        worker.kill()


def surroundings(folder: Path, url: str) -> dict[str, str]:
    paths = os.pathsep.join((str(plugins(folder)), str(ROOT)))
    return {**os.environ, **variables(**QUICK, database_url=url), "PYTHONPATH": paths}


class Interpreter:
    """A new interpreter, in surroundings where workers are quick and the tests' operations are known."""

    def __init__(self, folder: Path, url: str, *arguments: str, under: Sequence[str] = ()) -> None:
        environment = surroundings(folder, url)
        self._files = (folder / "out", folder / "err")
        with self._files[0].open("wb") as out, self._files[1].open("wb") as err:
            self.process = subprocess.Popen(
                [*under, sys.executable, *arguments],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    @property
    def out(self) -> str:
        return self._files[0].read_text()

    @property
    def err(self) -> str:
        return self._files[1].read_text()

    def says(self, text: str) -> None:
        wait_for(lambda: text in self.err, repr(text), seen=lambda: self.err)


@pytest.fixture
def start_interpreter(database_url: str, folder: Path) -> Iterator[Callable[..., Interpreter]]:
    started: list[Interpreter] = []

    def start(*arguments: str, url: str = database_url, under: Sequence[str] = ()) -> Interpreter:
        started.append(Interpreter(folder, url, *arguments, under=under))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait()


def alive(db: Database) -> tuple[Worker, ...]:
    return health.workers_alive(db, 10 * HANG)


def run_now(db: Database, run_id: int) -> Run:
    run = lifecycle.get(db, run_id)
    assert run
    return run


def held(opsmon: Cli, db: Database) -> int:
    """A run that a worker has in hand until the flag "go" is raised."""
    answer = opsmon("start", "test.hold", "--tenant", "contoso", "--param", "name=go", "--json")
    number: int = answer.json["run"]["id"]
    wait_for(lambda: run_now(db, number).status is Status.RUNNING, "the run to run")
    return number


@on_both
@pytest.mark.kill
@pytest.mark.worker
def test_a_worker_works_until_sigterm(
    opsmon: Cli, town: CliHarness, start_interpreter: Callable[..., Interpreter], folder: Path
) -> None:
    worker = start_interpreter("-m", "opsmon", "worker", "--workers", "2")
    done = opsmon("start", "system.probe", "--tenant", "contoso", "--param", "seconds=0", "--wait", str(HANG), "--json")
    assert (done.code, done.json["run"]["outcome"]) == (0, "succeeded")
    assert [found.slots for found in alive(town.db)] == [2]
    number = held(opsmon, town.db)
    worker.process.send_signal(signal.SIGTERM)
    worker.says("stops: waiting up to")
    place("go").touch()
    assert worker.process.wait(HANG) == 0
    assert worker.out == ""
    assert f"run {number}: succeeded" in worker.err
    assert alive(town.db) == ()
    assert run_now(town.db, number).outcome is Outcome.SUCCEEDED


@pytest.mark.kill
@pytest.mark.worker
def test_a_second_signal_ends_the_grace_time(opsmon: Cli, town: CliHarness, start_worker: Start) -> None:
    worker = start_worker(grace_seconds=10 * HANG).ready()
    number = held(opsmon, town.db)
    worker.signal(signal.SIGINT)
    worker.says(f"stops: waiting up to {10.0 * HANG}")
    worker.signal(signal.SIGINT)
    assert worker.exit_code() == 0
    assert [failure.code for failure in run_now(town.db, number).failure_summary] == ["worker.stopped"]


@pytest.mark.kill
@pytest.mark.worker
def test_a_worker_whose_terminal_goes_away_finishes_what_runs(
    opsmon: Cli, town: CliHarness, database_url: str, folder: Path
) -> None:
    """The kernel says so with SIGHUP, and from then on the log leads nowhere."""
    master, slave = pty.openpty()

    # Who leads a session and opens a terminal has it for their own.
    own_terminal = f"import os, sys; os.open({os.ttyname(slave)!r}, os.O_RDWR); "
    worker = subprocess.Popen(
        [sys.executable, "-c", own_terminal + "from opsmon.cli.main import main; sys.exit(main(['worker']))"],
        cwd=folder,
        env=surroundings(folder, database_url),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        number = held(opsmon, town.db)
        os.close(master)
        place("go").touch()
        assert worker.wait(HANG) == 0
    finally:
        worker.kill()
        worker.wait()
    assert run_now(town.db, number).outcome is Outcome.SUCCEEDED
    assert alive(town.db) == ()


@pytest.mark.kill
@pytest.mark.worker
def test_a_worker_under_nohup_goes_on(
    opsmon: Cli, start_interpreter: Callable[..., Interpreter], town: CliHarness
) -> None:
    worker = start_interpreter("-m", "opsmon", "worker", under=["nohup"])
    worker.says("is ready")
    worker.process.send_signal(signal.SIGHUP)
    done = opsmon("start", "system.probe", "--tenant", "contoso", "--param", "seconds=0", "--wait", str(HANG), "--json")
    assert (done.code, done.json["run"]["outcome"]) == (0, "succeeded")
    assert len(alive(town.db)) == 1
    assert "SIGHUP" not in worker.err
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(HANG) == 0
    assert "SIGTERM: the worker is asked to stop" in worker.err


@pytest.mark.kill
@pytest.mark.worker
def test_a_thread_that_never_ends_does_not_keep_the_process(start_interpreter: Callable[..., Interpreter]) -> None:
    worker = start_interpreter(
        "-c",
        "import sys, threading; threading.Thread(target=threading.Event().wait).start()\n"
        "from opsmon.cli.main import main; sys.exit(main(['worker']))",
    )
    worker.says("is ready")
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(HANG) == 0


@pytest.mark.worker
def test_an_embedded_worker_ends_with_its_standard_input(town: CliHarness, start_worker: Start, folder: Path) -> None:
    log = folder / "log" / "worker.log"
    worker = start_worker("--embedded", piped=True, embedded_log=log)
    wait_for(lambda: alive(town.db), "a worker", seen=lambda: worker.log)
    assert [found.embedded for found in alive(town.db)] == [True]
    worker.close_input()
    assert worker.exit_code() == 0
    assert alive(town.db) == ()
    assert "has stopped" in log.read_text()


@pytest.mark.kill
@pytest.mark.worker
def test_hanging_up_an_embedded_worker_is_no_death(
    opsmon: Cli, town: CliHarness, start_worker: Start, folder: Path
) -> None:
    log = folder / "log" / "worker.log"
    worker = start_worker("--embedded", piped=True, embedded_log=log)
    number = held(opsmon, town.db)
    worker.signal(signal.SIGHUP)
    wait_for(lambda: "SIGHUP: the worker is asked to stop" in log.read_text())
    place("go").touch()
    assert worker.exit_code() == 0
    assert run_now(town.db, number).outcome is Outcome.SUCCEEDED


@pytest.mark.kill
@pytest.mark.worker
def test_a_worker_needs_no_user(db: Database, start_worker: Start) -> None:
    worker = start_worker().ready()
    assert all_users(db) == ()
    worker.stop()
    assert worker.exit_code() == 0


@pytest.mark.worker
def test_a_worker_that_cannot_start_says_so_in_one_line(
    start_interpreter: Callable[..., Interpreter], tmp_path: Path
) -> None:
    worker = start_interpreter("-m", "opsmon", "worker", url=f"sqlite:///{tmp_path}/none.db")
    assert worker.process.wait(HANG) == 1
    assert (worker.out, worker.err.count("\n")) == ("", 1)
    assert worker.err.startswith("opsmon: there is no database ")


@pytest.mark.kill
@pytest.mark.worker
def test_an_interrupted_wait_is_quiet(opsmon: Cli, town: CliHarness, folder: Path) -> None:
    number = opsmon("start", "system.probe", "--tenant", "contoso", "--json").json["run"]["id"]
    log, looks = folder / "wait.log", place("looks")
    waiting = Forked(["wait", str(number)], os.environ, folder, log, main="tests.support.mains:wait_and_tell")
    try:
        wait_for(lambda: looks.exists() and looks.read_text().count("\n") >= 3, "three looks", seen=log.read_text)
        waiting.signal(signal.SIGINT)
        assert waiting.wait() == 130
    finally:
        waiting.kill()
    assert log.read_text() == ""
