"""What an operation says when it fails: a code and a readable message are kept, and nothing that must not be."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from opsmon import OperationFailed, RunContext, operation
from store.errors import InputInvalid
from store.model.records import Outcome, Run
from store.runs.outcome import FAILURE_MESSAGES, MAX_DETAIL
from store.sanitizer.sanitize import visible
from tasks.sdk.registry import Registry
from tests.store.sanitizer.test_rates import LINES, SENTENCES, made
from tests.store.sanitizer.test_sanitize import leaked
from tests.support.operations import EVIL, SECRETS
from tests.tasks.conftest import WorkerHarness

READABLE = re.compile(r"[ -~…]{10,300}")


def found_in(text: str) -> list[str]:
    """The secrets in a text, as they are or as JSON would write them."""
    return [secret for secret in SECRETS if secret in text or json.dumps(secret)[1:-1] in text]


def file_of(stage: WorkerHarness) -> str:
    """The words in SQLite's file and what belongs to it: what was deleted is still in there."""
    files = Path(stage.db.url.database or "").parent.glob("*")
    return visible("".join(path.read_bytes().decode("utf-8", "replace") for path in files))


def ways(stage: WorkerHarness) -> dict[str, list[Run]]:
    return {
        how: [stage.start("test.evil", which=which, how=how) for which in EVIL]
        for how in ("raised", "failed", "everything")
    }


@pytest.mark.kill
@pytest.mark.worker
def test_nothing_that_an_operation_says_brings_a_secret_into_database_or_log(stage: WorkerHarness) -> None:
    worker = stage.worker()
    started = ways(stage)
    ended = {how: [stage.completed(run.id) for run in found] for how, found in started.items()}
    for run in ended["raised"]:
        assert_told(run, "operation.error", f"{FAILURE_MESSAGES['operation.error']}: RuntimeError")
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


def test_the_search_finds_what_is_there(stage: WorkerHarness) -> None:
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


def cast_of(stage: WorkerHarness, column: str) -> str:
    return "CAST(:value AS jsonb)" if column == "context" and not stage.db.is_sqlite else ":value"


def test_a_parameter_that_looks_like_a_secret_is_refused_before_anything_is_written(stage: WorkerHarness) -> None:
    before = stage.everything()
    for which in ("bearer", "opaque", "url", "secret", "connection"):
        with pytest.raises(InputInvalid, match="looks as if it held a secret") as refusal:
            stage.dispatcher().start(stage.user, "contoso", "test.mark", {"name": visible(EVIL[which])})
        assert found_in(str(refusal.value)) == []
    assert stage.everything() == before
    if stage.db.is_sqlite:
        assert found_in(file_of(stage)) == []


# ---- the corpus of the rates, by the ways in which an operation's words reach a table


def say(run: RunContext, text: str, how: str) -> None:
    """Say a text in one way. A way that stores nothing but its own words would prove nothing: each has a word beside it."""
    if how == "log":
        run.log(f"{text} witness")
    elif how == "note":
        run.note("said", {"witness": [text]})
    elif how == "failed":
        run.failed("test.said", f"{text} witness")
    elif how == "known":
        raise OperationFailed("test.said", f"{text} witness")
    else:
        raise RuntimeError(f"{text} witness")


@pytest.mark.parametrize("how", ["log", "note", "failed", "known", "raised"])
def test_of_the_corpus_little_comes_into_a_table(stage: WorkerHarness, how: str) -> None:
    """A sample, of which each text is said by a run of its own, and looked for in all rows."""
    with_line, bare = made(LINES)[::67], made(SENTENCES)[::23]
    texts = iter([text for _, _, text in with_line + bare])

    def speak(run: RunContext) -> None:
        say(run, next(texts), how)

    stage.registry = Registry.of([operation("test.speak", label="Speak")(speak)])
    tracker = stage.tracker(registry=stage.registry)
    for _ in with_line + bare:
        tracker.execute(stage.start("test.speak").id)
    kept = stage.everything()
    assert kept.count("witness") >= len(with_line + bare) * 0.9
    for sample, most in ((with_line, 0.02), (bare, 0.15)):
        assert len(sample) > 20
        slipped = [text for _, secret, text in sample if leaked(secret, kept)]
        assert len(slipped) <= len(sample) * most, slipped


def test_of_the_corpus_no_named_secret_becomes_a_parameter(stage: WorkerHarness) -> None:
    """What stands after a mere "key" may be a name, and is taken as it is."""
    named = [text for _, _, text in made(tuple(line for line in LINES if not line.startswith(("key=", "my_key"))))][
        ::67
    ]
    before = stage.everything()
    for text in named:
        with pytest.raises(InputInvalid, match="looks as if it held a secret"):
            stage.dispatcher().start(stage.user, "contoso", "test.mark", {"name": text})
    assert len(named) > 20
    assert stage.everything() == before
    for text in (
        "sort_key=Win10x64v2Build19045",
        "key: " + "aB3x" * 6,
        "CompliancePolicy-Windows11-Enterprise-Production-2024",
    ):
        run = stage.start("test.mark", name=text)
        assert run.parameters["name"] == text
