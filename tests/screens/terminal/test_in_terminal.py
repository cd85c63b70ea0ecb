"""The screens in a real terminal: what reaches it byte by byte, and what they do while the database is frozen."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from store.db.engine import Database
from store.people.access import Role
from tests.conftest import PrivatePostgres
from tests.support import people
from tests.support.forked import ROOT
from tests.support.losing import Place, losing
from tests.support.plugged import plug_in
from tests.support.terminal import Terminal, closing

pytestmark = pytest.mark.terminal

#: Each would be obeyed by a terminal: the clipboard, the cursor, 8-bit CSI and OSC, text turned around.
PAYLOADS = ("\x1b]52;c;c2VjcmV0\x07", "\x1b[777;7H", "\x9b77m", "\x9d52;c;x\x9c", "\u202e")
MARKUP = 'boom [/foo] {"a":[true]}'
HOSTILE = MARKUP + "".join(PAYLOADS)


@contextmanager
def screens(url: str, login: str = "ann", *arguments: str) -> Iterator[Terminal]:
    terminal = Terminal("tests.support.screens_main", [login, *arguments], more={"OPSMON_DATABASE_URL": url})
    with closing(terminal):
        terminal.wait_for("live")
        yield terminal


def quit_(terminal: Terminal) -> int | None:
    """Press q, and wait until the process has ended."""
    terminal.send("\x11")  # ctrl+q, whatever is on top
    return terminal.end()


def walk(terminal: Terminal) -> None:
    """Open every screen and come back. Escape must be alone, or it is taken for the beginning of something else."""
    for key, shows in (
        ("\r", "Timeline"),
        ("n", "What"),
        ("t", "Show runs of"),
        ("?", "Page down"),
        ("s", "Start which"),
    ):
        terminal.send(key)
        terminal.wait_for(shows)
        terminal.send("\x1b")
        terminal.wait_for(f"not {shows}")


@pytest.fixture
def hostile_url(db: Database, database_url: str) -> str:
    tenant = people.make_tenant(db, "contoso")
    user = people.make_user(db, "ann", contoso=Role.OWNER)
    run = people.end_run(db, people.open_run(db, tenant, user))
    failures = json.dumps([{"code": "a.b", "message": HOSTILE, "count": 1}])
    context = json.dumps({"parameters": {"x": HOSTILE}})
    with db.write() as connection:
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
    assert b"boom [/foo]" in terminal.seen
    for payload in PAYLOADS:
        assert payload.encode() not in terminal.seen
    for byte in (b"\x1b]52", b"\xc2\x9b", b"\xc2\x9d", b"\x1b[77m"):
        assert byte not in terminal.seen


def test_with_the_network_blocked_every_screen_works(hostile_url: str) -> None:
    with screens(hostile_url, "ann", "--block-network") as terminal:
        walk(terminal)
        assert terminal.child.isalive()
        assert quit_(terminal) == 0, terminal.seen[-6000:].decode(errors="replace")
    assert b"PermissionError" not in terminal.seen


def test_a_plug_ins_import_neither_draws_nor_takes_keys(
    hostile_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loud = (
        "import os, sys\nprint('scrawl')\nos.write(1, b'scrawl')\nos.system('echo scrawl')\nsys.stderr.write('scrawl')"
    )
    plug_in(plug_in(tmp_path, "asks", "input('scrawl')"), "loud", loud)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), str(ROOT))))
    with screens(hostile_url) as terminal:
        terminal.send("s")
        terminal.wait_for("EOFError")
        terminal.send("loud")
        terminal.wait_for("Run loud")
        terminal.send("\x1b")
        terminal.wait_for("not Start which")
        assert quit_(terminal) == 0
    assert b"scrawl" not in terminal.seen


def test_what_comes_in_one_write_is_handled_key_by_key(hostile_url: str) -> None:
    with screens(hostile_url) as terminal:
        terminal.send("/retry-of:4 sAert")
        terminal.wait_for("retry-of:4 sAert")
        terminal.send("\x1b")
        terminal.wait_for("not retry-of:4")
        terminal.send("sprobe\r\t\t\x157x")
        terminal.wait_for("cannot be '7x'")
        terminal.send("\x1b")
        terminal.wait_for("What was entered is lost")
        terminal.send("\r")
        terminal.wait_for("/ filter")
        assert quit_(terminal) == 0


def test_at_the_end_the_terminal_is_as_it_was(hostile_url: str) -> None:
    with screens(hostile_url) as terminal:
        assert quit_(terminal) == 0
    assert b"\x1b[?1049l" in terminal.seen


@pytest.mark.kill
def test_a_terminal_that_is_closed_ends_the_process(hostile_url: str) -> None:
    with screens(hostile_url) as terminal:
        terminal.child.kill(signal.SIGHUP)
        assert terminal.end() == 128 + signal.SIGHUP


PLACES: tuple[Place, ...] = ("leader", "free", "child")


@pytest.mark.kill
@pytest.mark.parametrize("place", PLACES)
def test_a_terminal_that_is_gone_ends_the_process(hostile_url: str, place: Place) -> None:
    """Whether a SIGHUP comes or not."""
    lose(hostile_url, place, jams=False)


@pytest.mark.kill
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_terminal_that_goes_while_it_is_written_to_ends_the_process(hostile_url: str, place: Place) -> None:
    lose(hostile_url, place, jams=True)


def lose(url: str, place: Place, jams: bool) -> None:
    environment = {**os.environ, "OPSMON_DATABASE_URL": url}
    with losing(["tests.support.screens_main", "ann"], place, environment) as program:
        program.wait_for(b"live")
        if jams:
            program.jam()
        program.lose()
        assert program.end() == 128 + signal.SIGHUP


@pytest.fixture
def frozen(private_postgres: PrivatePostgres, monkeypatch: pytest.MonkeyPatch) -> PrivatePostgres:
    """A server that is about to freeze; the screens have their own patience with it."""
    monkeypatch.delenv("OPSMON_DATABASE_SECONDS")
    db = Database(private_postgres.url)
    tenant = people.make_tenant(db, "contoso")
    people.end_run(db, people.open_run(db, tenant, people.make_user(db, "ann", contoso=Role.OWNER)))
    db.close()
    return private_postgres


@pytest.mark.kill
def test_while_the_database_is_frozen_keys_answer_and_q_quits(frozen: PrivatePostgres) -> None:
    with screens(frozen.url) as terminal, frozen.frozen():
        terminal.wait_for("stale")
        terminal.send("?")
        terminal.wait_for("Page down")
        assert quit_(terminal) == 0


@pytest.mark.kill
def test_thawed_it_goes_on_by_itself(frozen: PrivatePostgres) -> None:
    with screens(frozen.url) as terminal:
        with frozen.frozen():
            terminal.wait_for("stale")
        terminal.wait_for("live")
        assert quit_(terminal) == 0
