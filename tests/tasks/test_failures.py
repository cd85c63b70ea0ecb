"""What an operation says when it fails: a code and a readable message are kept, and nothing that must not be."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from store.errors import InputInvalid
from store.outcome import MAX_DETAIL, WORDS
from store.records import Outcome, Run
from store.sanitize import visible
from tests.support.operations import EVIL, SECRETS
from tests.tasks.conftest import Stage

READABLE = re.compile(r"[ -~…]{10,300}")


def found_in(text: str) -> list[str]:
    """The secrets in a text, as they are or as JSON would write them."""
    return [secret for secret in SECRETS if secret in text or json.dumps(secret)[1:-1] in text]


def file_of(stage: Stage) -> str:
    """The words in SQLite's file and what belongs to it: what was deleted is still in there."""
    files = Path(stage.db.url.database or "").parent.glob("*")
    return visible("".join(path.read_bytes().decode("utf-8", "replace") for path in files))


def ways(stage: Stage) -> dict[str, list[Run]]:
    return {
        how: [stage.start("test.evil", which=which, how=how) for which in EVIL]
        for how in ("raised", "failed", "everything")
    }


@pytest.mark.kill
@pytest.mark.worker
def test_nothing_that_an_operation_says_brings_a_secret_into_database_or_log(stage: Stage) -> None:
    worker = stage.worker()
    started = ways(stage)
    ended = {how: [stage.completed(run.id) for run in found] for how, found in started.items()}
    for run in ended["raised"]:
        assert_told(run, "operation.error", f"{WORDS['operation.error']}: RuntimeError")
        worker.says(f"run {run.id}: test.evil raised")
    for run in ended["failed"]:
        assert_told(run, "test.evil")
    for run in ended["everything"]:
        assert run.outcome is Outcome.FAILED
        assert {failure.code for failure in run.failure_summary} == {"test.evil", "operation.error"}
    kept = stage.everything()
    assert found_in(kept) == []
    assert "cannot reach postgresql://" in kept  # what surrounds a secret is kept
    worker.stop()
    assert worker.exit_code() == 0
    assert found_in(worker.log) == []
    assert "RuntimeError: no mailbox for" in worker.log
    assert max(map(len, worker.log.splitlines())) < 2000
    if stage.db.is_sqlite:
        assert found_in(file_of(stage)) == []


def assert_told(run: Run, code: str, beginning: str = "") -> None:
    (failure,) = run.failure_summary
    assert (run.outcome, failure.code) == (Outcome.FAILED, code)
    assert failure.message.startswith(beginning)
    assert READABLE.fullmatch(failure.message), failure.message
    assert len(failure.message) <= MAX_DETAIL + 100


def test_the_search_finds_what_is_there(stage: Stage) -> None:
    """Each secret, in the places in which the test above looks for it."""
    assert found_in("".join(EVIL.values())) == list(SECRETS)
    assert found_in(json.dumps(EVIL)) == list(SECRETS)
    run = stage.start("test.mark", name="lines")
    for table, column in (("notifications", "body"), ("operation_runs", "context"), ("users", "name")):
        value = json.dumps({"a": ["hunter2"]}) if column == "context" else "hunter2"
        stage.execute(f"UPDATE {table} SET {column} = {cast_of(stage, column)}", value=value)
        assert found_in(stage.everything()) == ["hunter2"]
        stage.execute(f"UPDATE {table} SET {column} = {cast_of(stage, column)}", value="{}")
    stage.put_message(b"hunter2")
    assert found_in(stage.everything()) == ["hunter2"]
    assert stage.run(run.id).id == run.id


def cast_of(stage: Stage, column: str) -> str:
    return "CAST(:value AS jsonb)" if column == "context" and not stage.db.is_sqlite else ":value"


def test_a_parameter_that_looks_like_a_secret_is_refused_before_anything_is_written(stage: Stage) -> None:
    before = stage.everything()
    for which in ("bearer", "opaque", "url", "secret", "connection"):
        with pytest.raises(InputInvalid, match="looks as if it held a secret") as refusal:
            stage.dispatcher().start(stage.user, "contoso", "test.mark", {"name": visible(EVIL[which])})
        assert found_in(str(refusal.value)) == []
    assert stage.everything() == before
    if stage.db.is_sqlite:
        assert found_in(file_of(stage)) == []
