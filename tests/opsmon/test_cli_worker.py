"""`opsmon worker`: its log, its signals, its end."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from opsmon.commands.worker import StopSignals
from opsmon.logs import MAX_CHAIN, MAX_FRAMES, SafeFormatter, start_log
from store import access, health, runs
from store.database import Database
from store.errors import InputInvalid
from store.records import Outcome, Status
from tests.opsmon.conftest import Cli, Town
from tests.support.waiting import wait_for

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
    monkeypatch.setattr("opsmon.cli.leave", lambda code: (_ for _ in ()).throw(SystemExit(code)))
    monkeypatch.setenv("OPSMON_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("OPSMON_LOG_LEVEL", "loud")
    assert (cli("worker").code, cli("worker").line[:30]) == (2, "opsmon: log_level cannot be 'L")


# ---- signals


def test_each_signal_asks_once_and_early_ones_wait() -> None:
    asked: list[None] = []
    before = signal.getsignal(signal.SIGTERM)
    with StopSignals() as signals:
        os.kill(os.getpid(), signal.SIGTERM)
        assert asked == []
        signals.serve(lambda: asked.append(None))
        wait_for(lambda: len(asked) == 1)
        os.kill(os.getpid(), signal.SIGINT)
        wait_for(lambda: len(asked) == 2)
    assert signal.getsignal(signal.SIGTERM) is before


# ---- processes

QUICK = {"OPSMON_BEAT_SECONDS": "0.2", "OPSMON_RESCUE_SECONDS": "0.2", "OPSMON_GRACE_SECONDS": "20"}
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start_worker(database_url: str) -> Iterator[Start]:
    """Starts `opsmon worker` on the test's database and waits until it is ready."""
    children: list[subprocess.Popen[str]] = []

    def start(*argv: str, before: str = "", **environment: str) -> subprocess.Popen[str]:
        script = f"import sys\n{before}\nfrom opsmon.cli import main\nsys.exit(main(sys.argv[1:]))"
        child = subprocess.Popen(
            [sys.executable, "-c", script, "worker", *argv],
            env={**os.environ, "OPSMON_DATABASE_URL": database_url, **QUICK, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout, child.stderr):
            if stream:
                stream.close()


def ready(town: Town) -> None:
    wait_for(lambda: health.workers_alive(town.db, 30), "a worker")


def start_probe(opsmon: Cli, *parameters: str) -> int:
    given = [word for parameter in parameters for word in ("--param", parameter)]
    number: int = opsmon("start", "system.probe", "--tenant", "contoso", *given, "--json").json["run"]["id"]
    return number


def status(db: Database, run_id: int) -> Status:
    run = runs.by_id(db, run_id)
    assert run
    return run.status


def test_a_worker_works_until_sigterm(opsmon: Cli, town: Town, start_worker: Start) -> None:
    worker = start_worker("--workers", "2")
    done = opsmon("start", "system.probe", "--tenant", "contoso", "--param", "seconds=0", "--wait", "60", "--json")
    assert (done.code, done.json["run"]["outcome"]) == (0, "succeeded")
    assert [alive.slots for alive in health.workers_alive(town.db, 30)] == [2]
    number = start_probe(opsmon, "items=8", "seconds=0.1", "key=in hand")
    wait_for(lambda: status(town.db, number) is Status.RUNNING)
    worker.send_signal(signal.SIGTERM)
    out, err = worker.communicate(timeout=30)
    assert (worker.returncode, out) == (0, "")
    assert f"run {number}: succeeded" in err
    assert health.workers_alive(town.db, 30) == ()
    ended = runs.by_id(town.db, number)
    assert ended
    assert ended.outcome is Outcome.SUCCEEDED


def test_a_second_signal_ends_the_grace_time(opsmon: Cli, town: Town, start_worker: Start) -> None:
    worker = start_worker()
    ready(town)
    number = start_probe(opsmon, "items=1000", "seconds=0.1")
    wait_for(lambda: status(town.db, number) is Status.RUNNING)
    worker.send_signal(signal.SIGINT)
    assert worker.stderr
    assert any("stops: waiting up to 20" in line for line in worker.stderr)
    worker.send_signal(signal.SIGINT)
    worker.communicate(timeout=15)
    assert worker.returncode == 0
    ended = runs.by_id(town.db, number)
    assert ended
    assert [failure.code for failure in ended.failure_summary] == ["worker.stopped"]


def test_a_thread_that_never_ends_does_not_keep_the_process(town: Town, start_worker: Start) -> None:
    stuck = "import threading, time; threading.Thread(target=time.sleep, args=(600,)).start()"
    worker = start_worker(before=stuck)
    ready(town)
    worker.send_signal(signal.SIGTERM)
    worker.communicate(timeout=20)
    assert worker.returncode == 0


def test_an_embedded_worker_ends_with_its_standard_input(town: Town, start_worker: Start, tmp_path: Path) -> None:
    log = tmp_path / "log" / "worker.log"
    worker = start_worker("--embedded", OPSMON_EMBEDDED_LOG=str(log))
    ready(town)
    assert [alive.embedded for alive in health.workers_alive(town.db, 30)] == [True]
    assert worker.stdin
    worker.stdin.close()
    assert worker.wait(20) == 0
    assert health.workers_alive(town.db, 30) == ()
    assert "has stopped" in log.read_text()


def test_a_worker_needs_no_user(db: Database, start_worker: Start) -> None:
    assert access.all_users(db) == ()
    worker = start_worker()
    wait_for(lambda: health.workers_alive(db, 30))
    worker.send_signal(signal.SIGTERM)
    worker.communicate(timeout=20)
    assert worker.returncode == 0


def test_a_worker_that_cannot_start_says_so_in_one_line(start_worker: Start, tmp_path: Path) -> None:
    worker = start_worker(OPSMON_DATABASE_URL=f"sqlite:///{tmp_path}/none.db")
    out, err = worker.communicate(timeout=30)
    assert (worker.returncode, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("opsmon: there is no database ")


def test_an_interrupted_wait_is_quiet(opsmon: Cli, town: Town, database_url: str) -> None:
    number = start_probe(opsmon)
    script = "import sys; print('up', file=sys.stderr, flush=True)\nfrom opsmon.cli import main; sys.exit(main(sys.argv[1:]))"
    environment = {**os.environ, "OPSMON_DATABASE_URL": database_url}
    waiting = subprocess.Popen(
        [sys.executable, "-c", script, "wait", str(number)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(3)
    waiting.send_signal(signal.SIGINT)
    assert waiting.communicate(timeout=20) == ("", "up\n")
    assert waiting.returncode == 130
