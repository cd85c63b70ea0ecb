"""`opsmon runs --watch` and `opsmon show --follow`."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable

import pexpect
import pytest

from opsmon.cli.commands import runs, watching
from store.errors import DatabaseAway
from store.model.records import Outcome
from store.people import access
from store.runs import log as run_log
from store.runs.log import NewLogLine
from tests.opsmon.conftest import Cli, CliHarness, on_both
from tests.support.waiting import HANG

Between = Callable[..., None]


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Between:
    """Do these things, one between each two looks, in place of sleeping; then press ctrl+c."""

    def plan(*things: Callable[[], object]) -> None:
        left = iter(things)

        def sleep(_: float) -> None:
            thing = next(left, None)
            if thing is None:
                raise KeyboardInterrupt
            thing()

        monkeypatch.setattr(watching, "sleep", sleep)

    return plan


def start(opsmon: Cli, tenant: str = "contoso") -> int:
    return int(opsmon("start", "system.probe", "--tenant", tenant, "--json").json["run"]["id"])


def nothing() -> None:
    """Nothing happens between two looks."""


@on_both
def test_a_pipe_is_given_each_run_anew_when_it_has_changed(opsmon: Cli, town: CliHarness, between: Between) -> None:
    first = start(opsmon)
    between(nothing, lambda: town.complete(first), nothing)
    for argv in (["runs", "--watch"], ["runs", "--watch", "-o", "jsonl", "--columns", "id,outcome"]):
        answer = opsmon(*argv)
        assert (answer.code, answer.err) == (130, "")
        told = [json.loads(line) for line in answer.out.splitlines()]
        if argv[-1] == "--watch":
            assert [(one["id"], one["outcome"]) for one in told] == [(first, "pending"), (first, "succeeded")]
        else:
            assert told == [{"id": first, "outcome": "succeeded"}]
        between(nothing)


@on_both
def test_a_terminal_is_painted_in_place(
    opsmon: Cli, town: CliHarness, between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = start(opsmon)
    between(nothing, lambda: town.complete(first, Outcome.FAILED), nothing)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "10")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    answer = opsmon("runs", "--watch")
    assert answer.code == 130
    assert answer.out.startswith("\x1b[?1049h\x1b[?25l\x1b[H")
    assert answer.out.endswith("\x1b[?25h\x1b[?1049l")
    frames = answer.out.split("\x1b[H")[1:]
    assert len(frames) == 4
    assert all(frame.startswith("RUN") for frame in frames)
    assert all("\n\x1b[J" in frame for frame in frames), "what is told beside the list stands on a line of its own"
    assert "Failed" not in frames[1]
    assert "Failed" in frames[2]


@on_both
def test_a_database_that_is_away_is_told_once_and_waited_for(
    opsmon: Cli, town: CliHarness, between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = start(opsmon)
    real = runs._listed

    def away(*_: object) -> None:
        raise DatabaseAway("the database does not answer", "gone")

    def go() -> None:
        monkeypatch.setattr(runs, "_listed", away)

    def come() -> None:
        monkeypatch.setattr(runs, "_listed", real)
        town.complete(first)

    between(go, nothing, nothing, come)
    answer = opsmon("runs", "--watch")
    assert [json.loads(line)["outcome"] for line in answer.out.splitlines()] == ["pending", "succeeded"]
    assert answer.err.splitlines() == [
        "opsmon: the database does not answer; it is looked for until ctrl+c",
        "opsmon: the database is back",
    ]


@on_both
@pytest.mark.parametrize(
    ("outcome", "code"), [(Outcome.SUCCEEDED, 0), (Outcome.PARTIALLY_SUCCEEDED, 4), (Outcome.FAILED, 5)]
)
def test_a_run_is_followed_to_its_end(
    opsmon: Cli, town: CliHarness, between: Between, outcome: Outcome, code: int
) -> None:
    number = start(opsmon)

    def log() -> None:
        run = access.visible_run(town.db, access.find_user(town.db, town.me), number)
        with town.db.write() as connection:
            run_log.append(connection, run, [NewLogLine("warning", "half\x1b[2J way")])

    between(nothing, log, nothing, lambda: town.complete(number, outcome))
    answer = opsmon("show", str(number), "--follow")
    assert (answer.code, answer.err) == (code, "")
    told = [line.split("Z ", 1)[1].split(":")[0] for line in answer.out.splitlines()]
    assert [word for word in told if word != "queued"] == ["created", "warning", "started", "completed"]
    assert "\x1b" not in answer.out
    told_again = [
        json.loads(line)["event"] for line in opsmon("show", str(number), "--follow", "--json").out.splitlines()
    ]
    assert told_again[-1] == "completed"


def test_what_cannot_be_followed(opsmon: Cli, town: CliHarness) -> None:
    assert opsmon("show", "1", "--follow").line == "opsmon: no run 1: 'opsmon runs' lists yours"
    assert opsmon("show", "1", "--follow", "--card").code == 2
    assert opsmon("runs", "--watch", "outcome:lost").code == 2


@pytest.mark.terminal
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_watch_and_gives_the_terminal_back(
    town: CliHarness, database_url: str, number: signal.Signals, code: int
) -> None:
    variables = os.environ | {"OPSMON_DATABASE_URL": database_url, "TERM": "xterm-256color"}
    child = pexpect.spawn(
        sys.executable, ["-m", "opsmon", "runs", "--watch"], env=variables, dimensions=(24, 80), timeout=HANG
    )
    child.expect_exact("No runs.")
    child.kill(number)
    child.expect_exact("\x1b[?25h\x1b[?1049l")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == code
