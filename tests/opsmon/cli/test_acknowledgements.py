"""`opsmon ack`: a line for each run, the exit code of the worst, and what shows it afterwards."""

from __future__ import annotations

import pytest

from store.model.records import Outcome
from store.people import access
from tests.opsmon.conftest import Cli, CliHarness, on_both
from tests.support.people import open_run


@pytest.fixture(autouse=True)
def _in_town(town: CliHarness) -> None:
    """There are people."""


def a_failed_run(town: CliHarness, slug: str = "contoso", owner: str = "ann") -> str:
    user = access.find_user(town.db, owner)
    run = open_run(town.db, access.require_right(town.db, user, slug, access.Right.VIEW))
    return str(town.complete(run.id, Outcome.FAILED).id)


@on_both
def test_a_night_is_acknowledged_and_taken_back(opsmon: Cli, town: CliHarness) -> None:
    first, second = a_failed_run(town), a_failed_run(town)
    answer = opsmon("ack", first, "--note", "disk was full", second)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines() == [f"Run {first} is acknowledged.", f"Run {second} is acknowledged."]
    again = opsmon("ack", first)
    assert (again.code, "already, by Me Myself at" in again.out) == (0, True)
    assert [run["id"] for run in opsmon("runs", "acked", "--json").json] == [int(second), int(first)]
    assert opsmon("runs", "outcome:failed", "-acked", "--json").json == []
    shown = opsmon("show", first).out
    assert "audit: acknowledged by Me Myself: disk was full" in shown
    assert opsmon("ack", first, "--undo").out == f"Run {first} is no longer acknowledged.\n"
    assert "audit: acknowledgement taken back by Me Myself" in opsmon("show", first).out
    assert [run["id"] for run in opsmon("runs", "acked", "--json").json] == [int(second)]


def test_the_exit_code_is_that_of_the_worst(opsmon: Cli, town: CliHarness) -> None:
    failed, hidden = a_failed_run(town), a_failed_run(town, "fabrikam", "bob")
    user = access.find_user(town.db, "ann")
    active = open_run(town.db, access.require_right(town.db, user, "contoso", access.Right.VIEW))
    assert opsmon("ack", str(active.id)).code == 2
    answer = opsmon("ack", failed, str(active.id), hidden, "--json")
    assert answer.code == 3
    assert [one["verdict"] for one in answer.json] == ["done", "not_failed", "not_found"]
    assert answer.json[0]["acknowledgement"]["login"] == town.me


def test_what_makes_no_sense_is_refused_in_one_line(opsmon: Cli, town: CliHarness) -> None:
    run = a_failed_run(town)
    assert "--undo takes no note" in opsmon("ack", run, "--undo", "--note", "x").line
    assert "501 characters" in opsmon("ack", run, "--note", "x" * 501).line
    assert opsmon("ack").code == 2
