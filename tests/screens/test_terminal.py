"""The screens in a real terminal: what reaches it byte by byte, and what they do while the database is frozen."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pexpect
import pytest

from store.access import Role
from store.database import Database
from tests.conftest import PrivatePostgres
from tests.support import people

#: Each would be obeyed by a terminal: the clipboard, the cursor, 8-bit CSI and OSC, text turned around.
PAYLOADS = ("\x1b]52;c;c2VjcmV0\x07", "\x1b[777;7H", "\x9b77m", "\x9d52;c;x\x9c", "\u202e")
MARKUP = 'boom [/foo] {"a":[true]}'
HOSTILE = MARKUP + "".join(PAYLOADS)


@contextmanager
def screens(url: str, login: str = "ann", *arguments: str) -> Iterator[pexpect.spawn]:
    environment = {**os.environ, "OPSMON_DATABASE_URL": url, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    command = ["-m", "tests.support.screens_main", login, *arguments]
    terminal = pexpect.spawn(sys.executable, command, env=environment, dimensions=(24, 80), timeout=20)
    terminal.seen = b""
    terminal.logfile_read = Log(terminal)
    try:
        terminal.expect("live")
        yield terminal
    finally:
        terminal.close(force=True)


class Log:
    """Everything that the terminal was sent."""

    def __init__(self, terminal: pexpect.spawn) -> None:
        self._terminal = terminal

    def write(self, data: bytes) -> None:
        self._terminal.seen += data

    def flush(self) -> None:
        pass


def quit_(terminal: pexpect.spawn, seconds: float = 10) -> float:
    """Press q. Returns the seconds until the process had ended."""
    began = time.monotonic()
    terminal.send("q")
    terminal.expect(pexpect.EOF, timeout=seconds)
    terminal.wait()
    return time.monotonic() - began


def walk(terminal: pexpect.spawn) -> None:
    """Open every screen and come back. Escape must be alone, or it is taken for the beginning of something else."""
    for key, shows in (("\r", "Timeline"), ("n", "What"), ("t", "Show runs of"), ("?", "Keys"), ("s", "Start which")):
        terminal.send(key)
        terminal.expect(shows)
        settle(terminal)
        before = len(terminal.seen)
        terminal.send("\x1b")
        while len(terminal.seen) < before + 20:
            terminal.read_nonblocking(65536, timeout=10)
        settle(terminal)


def settle(terminal: pexpect.spawn) -> None:
    """Read until nothing comes for a moment: what is painted is painted."""
    with contextlib.suppress(pexpect.TIMEOUT):
        while terminal.read_nonblocking(65536, timeout=0.3):
            pass


@pytest.fixture
def hostile_url(db: Database, database_url: str) -> str:
    tenant = people.make_tenant(db, "contoso")
    user = people.make_user(db, "ann", contoso=Role.OWNER)
    run = people.end_run(db, people.open_run(db, tenant, user))
    failures = json.dumps([{"code": "a.b", "message": HOSTILE, "count": 1}])
    context = json.dumps({"parameters": {"x": HOSTILE}})
    with db.transaction() as connection:
        for statement, values in (
            ("UPDATE tenants SET name = {}", (HOSTILE,)),
            ("UPDATE users SET name = {}", (HOSTILE,)),
            ("UPDATE operation_runs SET label = {}, initiator_name = {}, type = {}", (HOSTILE,) * 3),
            ("UPDATE operation_runs SET failure_summary = {}, context = {}", (failures, context)),
            ("UPDATE notifications SET title = {}, body = {}", (HOSTILE,) * 2),
            (f"INSERT INTO run_events (run_id, level, message) VALUES ({run.id}, 'error', {{}})", (HOSTILE,)),
        ):
            mark = "?" if db.is_sqlite else "%s"
            connection.exec_driver_sql(statement.replace("{}", mark), values)
    return database_url


def test_hostile_text_is_shown_and_not_obeyed(hostile_url: str) -> None:
    with screens(hostile_url) as terminal:
        walk(terminal)
        quit_(terminal)
        seen = terminal.seen
    assert b"boom [/foo]" in seen
    for payload in PAYLOADS:
        assert payload.encode() not in seen
    for byte in (b"\x1b]52", b"\xc2\x9b", b"\xc2\x9d", b"\x1b[77m"):
        assert byte not in seen


def test_with_the_network_blocked_every_screen_works(hostile_url: str) -> None:
    with screens(hostile_url, "ann", "--block-network") as terminal:
        walk(terminal)
        assert terminal.isalive()
        quit_(terminal)
    assert terminal.exitstatus == 0
    assert b"PermissionError" not in terminal.seen


def test_at_the_end_the_terminal_is_as_it_was(hostile_url: str) -> None:
    with screens(hostile_url) as terminal:
        quit_(terminal)
    assert terminal.exitstatus == 0
    assert b"\x1b[?1049l" in terminal.seen


def test_a_terminal_that_is_closed_ends_the_process(hostile_url: str) -> None:
    with screens(hostile_url) as terminal:
        terminal.kill(signal.SIGHUP)
        terminal.expect(pexpect.EOF)
        terminal.wait()
    assert terminal.exitstatus == 128 + signal.SIGHUP


@pytest.fixture
def frozen(private_postgres: PrivatePostgres) -> PrivatePostgres:
    db = Database(private_postgres.url)
    tenant = people.make_tenant(db, "contoso")
    people.end_run(db, people.open_run(db, tenant, people.make_user(db, "ann", contoso=Role.OWNER)))
    db.close()
    return private_postgres


def test_while_the_database_is_frozen_keys_answer_and_q_quits(frozen: PrivatePostgres) -> None:
    with screens(frozen.url) as terminal, frozen.frozen():
        terminal.expect("stale")
        began = time.monotonic()
        terminal.send("?")
        terminal.expect("Keys", timeout=3)
        answered = time.monotonic() - began
        took = quit_(terminal, 5)
    assert terminal.exitstatus == 0, f"the key was answered in {answered:.3f} s, quitting took {took:.3f} s"


def test_thawed_it_goes_on_by_itself(frozen: PrivatePostgres) -> None:
    with screens(frozen.url) as terminal:
        with frozen.frozen():
            terminal.expect("stale")
        terminal.expect("live", timeout=40)
        quit_(terminal)
    assert terminal.exitstatus == 0
