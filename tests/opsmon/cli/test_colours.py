"""The colours of lists."""

from __future__ import annotations

import dataclasses
import re

import pytest

from opsmon.cli import colours
from store.intune.restore_records import RestoreState
from store.model.records import Outcome, Status
from store.people import access
from tests.opsmon.conftest import Cli, CliHarness


@pytest.mark.parametrize(
    ("status", "outcome", "role"),
    [
        (Status.QUEUED, Outcome.PENDING, ""),
        (Status.RUNNING, Outcome.PENDING, "running"),
        (Status.COMPLETED, Outcome.FAILED, "failed"),
        (Status.COMPLETED, Outcome.PARTIALLY_SUCCEEDED, "partial"),
        (Status.COMPLETED, Outcome.SUCCEEDED, "quiet"),
        (Status.COMPLETED, Outcome.CANCELLED, "quiet"),
    ],
)
def test_a_run_has_the_colour_of_its_state(
    opsmon: Cli, town: CliHarness, status: Status, outcome: Outcome, role: str
) -> None:
    run_id = opsmon("start", "system.probe", "--tenant", "contoso", "--json").json["run"]["id"]
    run = access.visible_run(town.db, access.find_user(town.db, town.me), run_id)
    assert colours.of_run(dataclasses.replace(run, status=status, outcome=outcome)) == colours.ROLES.get(role, "")


def test_only_the_sixteen_colours_of_the_terminal_are_used() -> None:
    assert all(re.fullmatch(r"1|2|(1;)?(3[0-7]|9[0-7])", sgr) for sgr in colours.ROLES.values())


def test_what_failed_is_red_whatever_failed() -> None:
    assert colours.of_word(RestoreState.FAILED) == colours.ROLES["failed"]
    assert colours.of_word("incomplete") == colours.of_word(RestoreState.PARTIAL) == colours.ROLES["partial"]
    assert colours.of_word("anything else") == ""
