"""`opsmon audit`: what was done in one's tenants, filtered, as a table and as JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from store.people import access
from store.search import audit_page
from tests.opsmon.conftest import Cli, CliHarness, on_both
from tests.support.people import open_run


@pytest.fixture(autouse=True)
def _in_town(town: CliHarness) -> None:
    """There are people."""


@on_both
def test_who_started_what_is_told(opsmon: Cli, town: CliHarness, as_user: Callable[[str], None]) -> None:
    ann = access.find_user(town.db, "ann")
    run = open_run(town.db, access.require_right(town.db, ann, "contoso", access.Right.VIEW), ann)
    heading, line = opsmon("audit", "action:run.*", f"run:{run.id}").out.splitlines()
    assert heading.split() == ["AT", "WHO", "FROM", "TENANT", "WHAT", "ACTION", "SUBJECT", "DETAIL", "REASON"]
    assert line.split()[2:3] == ["ann"]
    assert line.split()[4:] == ["contoso", "started", "run.started", "run", str(run.id), "type=inventory.sync"]
    (event,) = opsmon("audit", "by:ann", "since:1h", "action:run.started", "--json").json
    assert (event["run_id"], event["login"], event["name"]) == (run.id, "ann", "Ann")
    assert event["action"] == "run.started"
    assert opsmon("audit", f"run:{run.id}", "--json", "--columns", "what,action").json == [
        {"what": "started", "action": "run.started"}
    ]
    assert opsmon("audit", f"run:{run.id}", "-action:run.*").out == "No events.\n"
    assert opsmon("audit", "-by:bob", f"run:{run.id}", "--limit", "5", "!by:rob", "-o", "name").out.strip() == str(
        event["id"]
    )
    as_user("bob")
    assert opsmon("audit", f"run:{run.id}").out == "No events.\n"
    assert "no tenant 'contoso'" in opsmon("audit", "tenant:contoso").line


def start_runs(town: CliHarness, number: int) -> None:
    ann = access.find_user(town.db, "ann")
    for _ in range(number):
        open_run(town.db, access.require_right(town.db, ann, "contoso", access.Right.VIEW), ann)


def test_a_limit_and_a_wrong_filter(opsmon: Cli, town: CliHarness, as_user: Callable[[str], None]) -> None:
    start_runs(town, 3)
    as_user("ann")
    assert len(opsmon("audit", "--limit", "2", "--json").json) == 2
    answer = opsmon("audit", "outcome:failed")
    assert answer.code == 2
    assert "known are by:, action:, tenant:, since:, run:" in answer.line


def test_where_the_look_back_ended_is_told(
    opsmon: Cli, town: CliHarness, as_user: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_page, "SCAN", 2)
    start_runs(town, 3)
    as_user("ann")
    answer = opsmon("audit", "action:nothing.here")
    assert answer.out == "No events.\n"
    assert "looked back to 20" in answer.err
    monkeypatch.setattr(sys, "stderr", None)  # as the parent has closed it
    assert opsmon("audit", "action:nothing.here").code == 0
    sys.stderr.close()
