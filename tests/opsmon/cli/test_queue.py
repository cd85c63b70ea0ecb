"""`opsmon queue`: everybody may look, owners pause and resume."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from store.people import access, admin
from store.people.access import Role
from store.workers import heartbeats
from store.workers import pause as queue_pause
from tests.opsmon.conftest import Cli, CliHarness, on_both
from tests.support.people import open_run


@pytest.fixture(autouse=True)
def _in_town(town: CliHarness) -> None:
    """There are people."""


@on_both
def test_an_owner_pauses_and_resumes(opsmon: Cli, town: CliHarness, as_user: Callable[[str], None]) -> None:
    open_run(town.db, access.require_right(town.db, access.find_user(town.db, "ann"), "contoso", access.Right.VIEW))
    as_user("ann")
    assert opsmon("queue").out.splitlines()[1] == "Workers take messages."
    answer = opsmon("queue", "pause")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("1 run waiting in your tenants, the oldest for ")
    assert "Paused by ann at 20" in answer.out
    assert opsmon("queue", "pause").code == 0
    paused = opsmon("queue", "--json").json
    assert (paused["queued"], paused["at_least"], paused["paused"], paused["paused_by"]) == (1, False, True, "ann")
    assert paused["paused_at"].endswith("Z")
    resumed = opsmon("queue", "resume", "--json").json
    assert (resumed["paused"], resumed["paused_by"], resumed["paused_at"]) == (False, None, None)


@on_both
@pytest.mark.parametrize("action", ["pause", "resume"])
def test_who_owns_nothing_may_look_only(
    opsmon: Cli, town: CliHarness, as_user: Callable[[str], None], action: str
) -> None:
    queue_pause.pause(town.db, access.find_user(town.db, "ann"))
    for login in (town.me, "rob"):
        as_user(login)
        answer = opsmon("queue", action)
        assert answer.code == 3
        assert "administration is for owners" in answer.line
        assert "Paused by ann" in opsmon("queue").out
    as_user("nobody")
    assert opsmon("queue", action).code == 3
    assert opsmon("queue").code == 3


def test_another_word_is_refused(opsmon: Cli) -> None:
    answer = opsmon("queue", "stop")
    assert answer.code == 2
    assert "opsmon queue stop" in answer.line


@on_both
def test_the_doctor_warns_of_a_pause_and_starts_no_probe(
    opsmon: Cli, town: CliHarness, as_user: Callable[[str], None]
) -> None:
    admin.grant(town.db, "ann", "contoso", Role.OWNER)
    queue_pause.pause(town.db, access.find_user(town.db, "ann"))
    heartbeats.register(town.db, host="here", pid=1, version="0", slots=1, embedded=False)
    as_user("ann")
    answer = opsmon("doctor", "--probe", "--json")
    assert answer.code == 0
    found = {finding["check"]: finding for finding in answer.json}
    assert found["queue"]["state"] == "warning"
    assert "paused by ann" in found["queue"]["message"]
    assert (found["probe"]["state"], found["probe"]["message"]) == ("skipped", "the queue is paused")
