"""Commands beside a run that another version of the program, or nobody should have, has written."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from store.model.records import Outcome, Run
from store.model.tables import operation_runs
from tests.opsmon.conftest import Cli, CliHarness, on_both

NEWER = [{"code": "a.b", "message": "no", "count": 1, "since": "2030"}]


@on_both
@pytest.mark.parametrize(
    ("failures", "counts", "context"),
    [
        (NEWER, {"total": 3, "success": 0, "failed": 3, "skipped": 0, "warned": 1}, {"parameters": {}, "new": 1}),
        ("text", [1], "text"),
        ([5, {"code": 5}], {"total": "x"}, {"parameters": [1]}),
    ],
)
def test_every_command_answers_and_the_others_are_as_they_were(
    opsmon: Cli, town: CliHarness, failures: Any, counts: Any, context: Any
) -> None:
    ids = [_ended(opsmon, town, number) for number in range(2)]
    before = {run["id"]: run for run in opsmon("runs", "--json").json}
    with town.db.write() as connection:
        values = {"failure_summary": failures, "summary_counts": counts, "context": context}
        connection.execute(sa.update(operation_runs).where(operation_runs.c.id == ids[0]).values(**values))
    after = {run["id"]: run for run in opsmon("runs", "--json").json}
    assert after[ids[1]] == before[ids[1]]
    assert set(after) == set(ids)
    for command in (("runs",), ("runs", "code:a.*"), ("show", str(ids[0])), ("show", "--card", str(ids[0]))):
        assert opsmon(*command).code == opsmon(*command, "--json").code == 0
    retried = opsmon("retry", "--dry-run", "--json", *map(str, ids)).json
    assert [one["run_id"] for one in retried] == ids


def _ended(opsmon: Cli, town: CliHarness, number: int) -> int:
    started = opsmon("start", "system.probe", "--tenant", "contoso", "--param", f"items={number}", "--json").json
    run: Run = town.complete(started["run"]["id"], Outcome.FAILED)
    return run.id


@on_both
@pytest.mark.parametrize(
    "argv",
    [
        ("runs", "a\0b"),
        ("runs", "by:a\0"),
        ("runs", "x" * 100_000),
        ("runs", "by:" + "*a" * 200),
        ("show", "9" * 20),
        ("show", "9" * 5000),
        ("start", "system.probe", "--tenant", "con\0toso"),
        ("start", "system.probe", "--tenant", "contoso", "--param", "key=a\0"),
        ("start", "system.probe", "--tenant", "contoso", "--param", f"items={'9' * 5000}"),
        ("runs", "--as", "m\0e"),
        ("users", "add", "a\0"),
        ("tenants", "add", "a", "--name", "b\0"),
        ("runs", "a\udcff"),
    ],
    ids=range(13),
)
def test_what_no_database_can_be_asked_for_is_refused_in_our_words(
    opsmon: Cli, town: CliHarness, argv: tuple[str, ...]
) -> None:
    answer = opsmon(*argv)
    assert answer.code in (2, 3)
    assert "unexpected" not in answer.line
