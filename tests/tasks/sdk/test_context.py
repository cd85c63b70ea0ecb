"""What an operation tells about its run: counted in memory, clean, bounded, and over when the run is over."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.db.engine import Database
from store.errors import RunEnded
from store.model.records import Counts, Failure, Outcome, Run, Status
from store.runs import lifecycle
from store.runs.log import MAX_EVENTS, MAX_MESSAGE
from store.runs.outcome import MAX_FAILURES, failure
from store.sanitizer.sanitize import visible
from tasks.sdk.context import GraphSettings, OperationResources, RunContext
from tests.support.people import make_tenant, start_run
from tests.support.properties import examples

NOW = dt.datetime(2024, 5, 1, tzinfo=dt.UTC)
RUN = Run(
    id=17, tenant_id=3, tenant="contoso", tenant_name="Contoso Ltd", user_id=None, initiator_name="System", type="x.y",
    label="X", status=Status.RUNNING, outcome=Outcome.PENDING, run_identity_hash="h", summary_counts=None,
    failure_summary=(), retry_of_id=None, worker_id=1, dispatched_at=NOW, started_at=NOW, completed_at=None,
    created_at=NOW, updated_at=NOW, context={"parameters": {"kinds": ["a"]}, "request": 1},
)  # fmt: skip


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def make_context(clock: Callable[[], float] = Clock(), run: Run = RUN) -> RunContext:  # noqa: B008
    tools = OperationResources(None, GraphSettings("", "", lambda slug: None))  # type: ignore[arg-type]
    return RunContext(run, tools, clock)


@pytest.fixture
def context(clock: Clock) -> RunContext:
    return make_context(clock)


def codes(failures: tuple[Failure, ...]) -> list[str]:
    return [one.code for one in failures]


def test_it_knows_its_run(context: RunContext) -> None:
    assert (context.id, context.tenant.id, context.tenant.slug, context.tenant.name) == (
        17,
        3,
        "contoso",
        "Contoso Ltd",
    )
    assert context.parameters == {"kinds": ["a"]}


# ---- counting


def test_items_are_counted(context: RunContext) -> None:
    context.total(10)
    context.success()
    context.success(3)
    context.skipped(2)
    context.failed("graph.forbidden", "x", 4)
    assert context.conclude().counts == Counts(10, 4, 4, 2)


def test_the_total_is_never_less_than_what_was_counted(context: RunContext) -> None:
    context.success(3)
    context.total(2)
    context.total(2)
    context.skipped()
    assert context.conclude().counts == Counts(4, 3, 0, 1)


def test_the_total_may_be_corrected(context: RunContext) -> None:
    context.total(10)
    context.total(5)
    context.success(5)
    assert context.conclude().outcome is Outcome.SUCCEEDED


def test_who_counts_nothing_has_no_counts(context: RunContext) -> None:
    context.log("x")
    assert context.conclude().counts is None
    assert context.conclude().outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize("items", [-1, 1.0, True, "1", None, 2**53 + 1])
def test_what_is_no_number_of_items_is_refused_and_changes_nothing(context: RunContext, items: Any) -> None:
    for count in (context.total, context.success, context.skipped, lambda n: context.failed("x.y", "z", n)):
        with pytest.raises(ValueError, match="a whole number of at least 0"):
            count(items)
    result = context.conclude()
    assert (result.counts, result.failures) == (None, ())


def test_no_items_failed_is_no_failure(context: RunContext) -> None:
    context.failed("x.y", "z", 0)
    result = context.conclude()
    assert (result.outcome, result.failures) == (Outcome.SUCCEEDED, ())


calls = st.lists(st.tuples(st.sampled_from(["total", "success", "skipped", "failed"]), st.integers(0, 9)), max_size=20)


@examples(80)
@given(calls, st.booleans())
def test_the_end_is_what_was_counted(counted: list[tuple[str, int]], raises: bool) -> None:
    context, total, sums = make_context(), 0, {"success": 0, "skipped": 0, "failed": 0}
    for name, items in counted:
        if name == "failed":
            context.failed("x.y", "z", items)
        else:
            getattr(context, name)(items)
        if name == "total":
            total = items
        else:
            sums[name] += items
        total = max(total, sum(sums.values()))
    result = context.conclude(error=failure("operation.error", "boom") if raises else None)
    if not counted:
        assert result.counts is None
    else:
        assert result.counts == Counts(total, sums["success"], sums["failed"], sums["skipped"])
    incomplete = total > sum(sums.values())
    good = not (raises or incomplete or sums["failed"])
    assert result.outcome == ("succeeded" if good else "partially_succeeded" if sums["success"] else "failed")
    assert ("operation.incomplete" in codes(result.failures)) == (incomplete and not raises)
    assert ("operation.error" in codes(result.failures)) == raises
    assert sum(one.count for one in result.failures if one.code == "x.y") == sums["failed"]


def test_threads_of_an_operation_may_count_at_once(context: RunContext) -> None:
    def work() -> None:
        for number in range(500):
            context.success()
            context.failed("x.y", str(number % 3))
            context.collect()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result = context.conclude()
    assert result.counts == Counts(8000, 4000, 4000)
    assert sum(one.count for one in result.failures) == 4000


# ---- failures


def test_failures_are_named_clean_and_together(context: RunContext) -> None:
    for _ in range(3):
        context.failed("graph.forbidden", "bob@contoso.com\x1b[31m")
    context.failed("No Code", "x")
    assert context.conclude().failures == (
        Failure("graph.forbidden", "Microsoft Graph refused: the app lacks a permission: [address]", 3),
        Failure("operation.error", "The operation failed: x", 1),
    )


def test_what_ends_a_run_is_named_however_many_failures_there_were(context: RunContext) -> None:
    for number in range(200):
        context.failed("graph.forbidden", str(number))
    result = context.conclude(error=failure("operation.timeout"), ended=Outcome.FAILED)
    assert result.outcome is Outcome.FAILED
    assert len(result.failures) == MAX_FAILURES
    assert result.failures[-1].code == "operation.timeout"
    assert sum(one.count for one in result.failures) == 201


def test_an_end_in_any_case_is_that_end(context: RunContext) -> None:
    context.success(3)
    assert context.conclude(error=failure("worker.stopped"), ended=Outcome.FAILED).outcome is Outcome.FAILED


# ---- log lines


def test_lines_are_kept_with_their_level_and_age_and_clean(context: RunContext, clock: Clock) -> None:
    context.log("one\n\x1b]0;x\x07two")
    clock.now += 2
    context.log("password=hunter2", level="warning")
    context.log("x", level="shout")
    clock.now += 1
    found = [(line.level, line.message, line.age) for line in context.conclude().log]
    assert found == [("info", "one two", 3.0), ("warning", "password=[secret]", 1.0), ("info", "x", 1.0)]


def test_lines_are_bounded_in_number_and_length(context: RunContext) -> None:
    for number in range(MAX_EVENTS + 100):
        context.log(f"{number} " + "word " * 10_000 if number < 3 else str(number))
    lines = context.conclude().log
    assert len(lines) == MAX_EVENTS
    assert max(len(line.message) for line in lines) <= MAX_MESSAGE
    assert (lines[-2].message, lines[-1].message) == (str(MAX_EVENTS - 2), "further lines are not kept")


# ---- collecting


def test_there_is_nothing_to_store_until_something_changed(context: RunContext) -> None:
    assert context.collect() is None
    changes: list[Callable[[], object]] = [context.success]
    changes += [partial(context.log, "x"), partial(context.note, "k", 1), partial(context.total, 1)]
    for change in changes:
        change()
        assert context.collect() is not None
        assert context.collect() is None


def test_what_could_not_be_stored_waits_for_the_next_time(context: RunContext, clock: Clock) -> None:
    context.log("one")
    context.success()
    result = context.collect()
    assert result
    clock.now += 5
    context.put_back(result)
    context.log("two")
    clock.now += 1
    again = context.collect()
    assert again
    assert [(line.message, line.age) for line in again.log] == [("one", 6.0), ("two", 1.0)]
    assert again.counts == Counts(1, 1)


def test_each_line_is_told_once(context: RunContext) -> None:
    context.log("one")
    first = context.collect()
    context.log("two")
    assert first
    assert [line.message for line in (*first.log, *context.conclude().log)] == ["one", "two"]


# ---- notes


def test_notes_join_what_the_run_was_opened_with(context: RunContext) -> None:
    assert context.conclude().context is None
    context.note("requests", ["a", {"b": "Bearer abcdef123456"}])
    assert context.conclude().context == {**(RUN.context or {}), "requests": ["a", {"b": "[token]"}]}


@pytest.mark.parametrize("key", ["password", "client_secret", "db pass\u200bword", "accessToken", "secrets"])
def test_what_is_noted_under_the_name_of_a_secret_goes(context: RunContext, key: str) -> None:
    context.note(key, "horse battery 9")
    context.note("inside", {key: ["horse", {"a": "horse"}, 3], "name": "horse"})
    context.note("password state", {"password": "expired", "secrets": 12, "token": "3"})
    kept = context.conclude().context or {}
    name = visible(key)
    assert kept[name] == "[secret]"
    assert kept["inside"] == {name: ["[secret]", {"a": "horse"}, 3], "name": "horse"}
    assert kept["password state"] == {"password": "expired", "secrets": 12, "token": "3"}


@pytest.mark.parametrize("key", ["parameters", "para\u200bmeters", " parameters\n", "\x00parameters"])
def test_parameters_do_not_change(context: RunContext, key: str) -> None:
    with pytest.raises(ValueError, match="do not change"):
        context.note(key, {})
    assert context.conclude().context is None


class Strange:
    def __str__(self) -> str:
        return "client_secret=hunter2"


texts = st.text(max_size=4)
plain = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.binary(max_size=5) | st.datetimes()
notes = st.recursive(
    plain | st.builds(Strange) | st.just(10**400),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(texts | st.integers(), inner, max_size=3) | st.tuples(inner)
    ),
    max_leaves=6,
)


@examples(80)
@given(st.text(max_size=9), notes)
def test_any_note_can_be_stored_and_holds_nothing_it_should_not(key: str, value: object) -> None:
    context = make_context()
    context.note(key, value)
    stored = json.dumps(context.conclude().context, allow_nan=False)
    assert "\\u0000" not in stored
    assert "hunter2" not in stored
    assert json.loads(stored)["parameters"] == RUN.parameters


def test_notes_that_json_cannot_hold_do_not_keep_a_run_from_ending(db: Database) -> None:
    run = start_run(db, make_tenant(db))
    context = make_context(run=run)
    for number, value in enumerate([float("nan"), float("-inf"), 10**400, "\x00", "\ud800", {"\x00": b"\xff"}, 2**60]):
        context.note(f"k\x00{number}", value)
    context.failed("x.y", "\x00\ud800")
    context.log("\x00\ud800")
    done = lifecycle.finish(db, run.id, run.worker_id or 0, context.conclude())
    assert done
    assert done.context
    assert [done.context[f"k{number}"] for number in (0, 1, 6)] == ["nan", "-inf", str(2**60)]


# ---- the end


def test_once_the_run_is_over_every_call_says_so_and_changes_nothing(context: RunContext) -> None:
    context.success()
    before = context.conclude()
    context.end()
    assert context.is_over
    for call in (
        context.check, context.success, context.skipped, lambda: context.total(1), lambda: context.failed("x.y"),
        lambda: context.log("x"), lambda: context.note("a", 1), lambda: context.sleep(60),
    ):  # fmt: skip
        with pytest.raises(RunEnded):
            call()
    assert context.conclude() == before
    assert context.collect() is None


def test_sleep_ends_with_the_run(context: RunContext) -> None:
    threading.Timer(0.05, context.end).start()
    with pytest.raises(RunEnded):
        context.sleep(60)


def test_sleep_otherwise_only_sleeps(context: RunContext) -> None:
    context.sleep(0)
    assert not context.is_over


def test_the_names_in_a_note_are_sanitized_too(context: RunContext) -> None:
    context.note("bob@contoso.com", {"ann@contoso.com\x1b[31m": 1})
    stored = context.conclude().context
    assert stored == {**(RUN.context or {}), "[address]": {"[address]": 1}}
