"""Whatever an operation notes, its row stays small and its run ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmon import RunContext
from store.errors import InputInvalid
from store.model.records import Outcome, Status
from tasks.sdk.notes import LEFT_OUT, MAX_ALL, MAX_NOTE, MAX_NOTES, Notes, clean
from tasks.sdk.parameters import MAX_TEXTS, Kind, Parameter
from tests.support.properties import examples
from tests.tasks.conftest import WorkerHarness
from tests.tasks.worker.test_executor import carry_out

LARGE = ["word " * 90] * 80


def many_large_notes(run: RunContext) -> None:
    for number in range(400):
        run.note(f"n{number}", LARGE)


def many_notes(run: RunContext) -> None:
    for number in range(400):
        run.note(f"n{number}", number)


def a_note_of_itself(run: RunContext) -> None:
    value: list[Any] = []
    value += [value, value, {"more": value}]
    run.note("itself", value)
    run.note("kept", 1)


def much_of_everything(run: RunContext) -> None:
    for number in range(600):
        run.log("x" * 2_000)
        run.failed(f"test.kind_{'x' * number}", "y" * 2_000)
        run.success()


@pytest.mark.parametrize("function", [many_large_notes, many_notes, a_note_of_itself, much_of_everything])
def test_a_run_that_says_too_much_ends_and_its_row_is_small(
    stage: WorkerHarness, function: Callable[[RunContext], None]
) -> None:
    run = carry_out(stage, function)
    assert run.status is Status.COMPLETED
    assert run.outcome is (Outcome.PARTIALLY_SUCCEEDED if function is much_of_everything else Outcome.SUCCEEDED)
    assert len(json.dumps(run.context)) < MAX_ALL + 1000
    assert len(run.failure_summary) <= 50
    if function in (many_large_notes, many_notes):
        assert run.context
        kept = [key for key in run.context if key.startswith("n") and key != LEFT_OUT]
        assert len(kept) <= MAX_NOTES
        assert run.context[LEFT_OUT].startswith(f"{400 - len(kept)}: ")


def test_a_note_takes_the_place_of_the_former_one_and_of_its_size() -> None:
    notes = Notes({"parameters": {"a": 1}})
    for number in range(50):
        notes.put("same", ["x" * 400] * 20)
        notes.put("number", number)
    assert LEFT_OUT not in notes.context
    assert notes.context["number"] == 49
    notes.put("same", ["x y " * 100] * 90)
    assert "same" not in notes.context, "a former value would pass as the last one"
    assert notes.context[LEFT_OUT].startswith("1: ")
    notes.put("same", 7)
    assert notes.context == {"parameters": {"a": 1}, "number": 49, "same": 7}


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=600),
    lambda inner: st.lists(inner, max_size=120) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=30,
)


@examples(40)
@given(st.lists(st.tuples(st.sampled_from("abcde"), JSON), max_size=20))
def test_any_notes_are_within_the_bounds_and_each_is_kept_or_counted(put: list[tuple[str, Any]]) -> None:
    notes = Notes({})
    for key, value in put:
        notes.put(key, value)
    context = notes.context
    left_out = context.pop(LEFT_OUT, "0: ")
    assert int(left_out.partition(":")[0]) == len({key for key, _ in put}) - len(context)
    assert all(len(json.dumps(value)) <= MAX_NOTE for value in context.values())
    last = dict(put)
    assert context == {key: clean(last[key]) for key in context}


def test_a_parameter_takes_so_many_texts() -> None:
    texts = Parameter("ids", Kind.TEXTS, required=True)
    assert len(texts.parse(",".join(map(str, range(MAX_TEXTS))))) == MAX_TEXTS
    with pytest.raises(InputInvalid, match="1001 texts"):
        texts.parse(",".join(map(str, range(MAX_TEXTS + 1))))
