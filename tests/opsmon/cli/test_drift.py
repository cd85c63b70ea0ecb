"""`opsmon drift`: what a report says, and findings that are accepted."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from opsmon.login import login_name
from store.db.engine import Database
from store.intune import drift
from store.intune.drift_records import Finding, KindCompared
from store.model.records import Outcome, Run
from store.model.tables import memberships
from store.people import access
from store.runs.lifecycle import Result
from tests.opsmon.conftest import Cli, on_both
from tests.support import people

FINDINGS = [
    Finding("scripts", "p1", "Map \x1b[31mdrives", "modified", "description", "old", {"a": [1]}),
    Finding("scripts", "p1", "Map \x1b[31mdrives", "assignment", "assignments[g]", {}, {}, "Sales: include → exclude"),
    Finding("scripts", "p0", "backup", "removed"),
    Finding("configuration_policies", "c", "Kiosk", "order", "settings", ["a", "b"], ["b", "a"]),
    Finding("configuration_policies", "c", "Kiosk", "modified", "x" * 300, None, 1),
]


@pytest.fixture
def run(opsmon: Cli, db: Database) -> Run:
    """A run that has made a report, in a tenant that the login owns."""
    opsmon("tenants", "add", "contoso")
    (mine,) = access.memberships_of(db, access.find_user(db, login_name()).id)
    run = people.start_run(db, mine.tenant)
    drift.begin(db, mine.tenant.id, run.id)
    drift.add(db, run.id, FINDINGS)
    kinds = [KindCompared("scripts", "", 12, 3), KindCompared("configuration_policies", "", 8, 2)]
    drift.note_kinds(db, run.id, [*kinds, KindCompared("intents", "never read whole")])
    return people.end_run(db, run)


@on_both
def test_a_report_is_told_policy_by_policy(opsmon: Cli, run: Run) -> None:
    lines = opsmon("drift", "show", str(run.id)).out.splitlines()
    assert lines[0].startswith(
        f"5 findings in 20 policies of 2 kinds of contoso, compared with the sync before by run {run.id} on "
    )
    assert lines[1:] == [
        "",
        "Kiosk (configuration policies, c)",
        '       4  settings: order changed: ["a", "b"] → ["b", "a"]',
        f"       5  {'x' * 199}…",
        "",
        "backup (device management scripts, p0)",
        "       3  policy removed",
        "",
        "Map drives (device management scripts, p1)",
        '       1  description: "old" → {"a": [1]}',
        "       2  Sales: include → exclude",
        "",
        "Not compared:",
        "  security baselines and other intents: never read whole",
    ]
    found = opsmon("drift", "show", str(run.id), "--json").json
    assert (found["run_id"], found["tenant"], len(found["findings"])) == (run.id, "contoso", 5)
    assert found["findings"][0]["new"] == {"a": [1]}
    assert found["findings"][0]["accepted"] is None


@pytest.mark.parametrize(
    ("status", "line"),
    [
        ("running", "The comparison is not finished: more may be found."),
        ("failed", "The comparison failed: what is not here may have changed too. Run 2 says why."),
        ("partially_succeeded", "Not everything could be compared: run 2 says what, and why."),
    ],
)
def test_a_report_that_may_lack_changes_says_so(opsmon: Cli, run: Run, db: Database, status: str, line: str) -> None:
    (mine,) = access.memberships_of(db, access.find_user(db, login_name()).id)
    half = people.start_run(db, mine.tenant)
    drift.begin(db, run.tenant_id, half.id)
    if status != "running":
        people.end_run(db, half, Result(Outcome(status)))
    assert opsmon("drift", "show", str(half.id)).out.splitlines()[1] == line


@on_both
def test_a_finding_is_accepted(opsmon: Cli, run: Run) -> None:
    assert opsmon("drift", "accept", "1", "--reason", "planned").out == "Finding 1 is accepted for good.\n"
    told = opsmon("drift", "accept", "2", "--reason", "for now", "--until", "2999-12-31")
    assert told.out == "Finding 2 is accepted until 3000-01-01 00:00:00Z.\n"
    shown = opsmon("drift", "show", str(run.id)).out
    assert shown.startswith("5 findings, 2 accepted in 20 policies")
    assert f"  (accepted by {login_name()}: planned)" in shown
    assert "until 3000-01-01 00:00:00Z: for now)" in shown
    accepted = opsmon("drift", "show", str(run.id), "--json").json["findings"][1]["accepted"]
    assert (accepted["reason"], accepted["until"]) == ("for now", "3000-01-01T00:00:00.000000Z")


@pytest.mark.parametrize(
    ("argv", "code", "line"),
    [
        (["show", "4711"], 3, "run 4711 has no drift report"),
        (["show", "x"], 2, "'x' is not the number of a run"),
        (["accept", "4711", "--reason", "x"], 3, "no finding 4711"),
        (["accept", "x", "--reason", "x"], 2, "'x' is not the number of a finding"),
        (["accept", "9" * 25, "--reason", "x"], 3, f"no finding {'9' * 25}"),
        (["accept", "1"], 2, "lacks --reason"),
        (["accept", "1", "--reason", " "], 2, "an acceptance needs a reason"),
        (["accept", "1", "--reason", "x", "--until", "soon"], 2, "'soon' is not a day"),
        (["accept", "1", "--reason", "x", "--until", "9999-12-31"], 2, "'9999-12-31' is not a day"),
        (["accept", "1", "--reason", "x", "--until", "2020-01-01"], 2, "the acceptance would be over at once"),
    ],
)
def test_nonsense_is_refused_on_one_line(opsmon: Cli, run: Run, argv: list[str], code: int, line: str) -> None:
    assert run.id
    answer = opsmon("drift", *argv)
    assert answer.code == code
    assert line in answer.line


def test_who_may_not_accept_is_told(opsmon: Cli, run: Run, db: Database) -> None:
    me = access.find_user(db, login_name())
    with db.write() as connection:
        connection.execute(sa.update(memberships).where(memberships.c.user_id == me.id).values(role="operator"))
    answer = opsmon("drift", "accept", "1", "--reason", "x")
    assert (answer.code, "may not accept drift" in answer.line) == (3, True)
    assert opsmon("drift", "show", str(run.id)).code == 0
