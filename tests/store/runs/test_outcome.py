"""What counts say about the outcome, and failures that stay few, readable and clean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.model.lenient import counts_from
from store.model.records import OUTCOME_LABELS, Counts, Failure, Outcome
from store.runs.outcome import (
    FAILURE_MESSAGES,
    MAX_DETAIL,
    MAX_FAILURES,
    add_failure,
    add_last_failure,
    as_json,
    derive_outcome,
    failure,
    summary,
)
from tests.support.properties import examples

few = st.integers(0, 4)


@pytest.mark.parametrize(
    ("counts", "raised", "wanted"),
    [
        (None, False, "succeeded"),
        (Counts(), False, "succeeded"),
        (Counts(3, 3), False, "succeeded"),
        (Counts(3, 0, 0, 3), False, "succeeded"),
        (Counts(3, 1, 0, 2), False, "succeeded"),
        (Counts(3, 2, 1), False, "partially_succeeded"),
        (Counts(3, 1, 1, 1), False, "partially_succeeded"),
        (Counts(3, 0, 1, 2), False, "failed"),
        (Counts(3, 0, 3), False, "failed"),
        (Counts(3, 2), False, "partially_succeeded"),
        (Counts(3), False, "failed"),
        (None, True, "failed"),
        (Counts(3), True, "failed"),
        (Counts(3, 0, 0, 1), True, "failed"),
        (Counts(3, 1), True, "partially_succeeded"),
    ],
)
def test_the_outcome_follows_from_the_counts(counts: Counts | None, raised: bool, wanted: str) -> None:
    assert derive_outcome(counts, raised=raised) == wanted


@examples(80)
@given(few, few, few, few, st.booleans())
def test_the_outcome_of_any_counts(announced: int, success: int, failed: int, skipped: int, raised: bool) -> None:
    counts = Counts(max(announced, success + failed + skipped), success, failed, skipped)
    found = derive_outcome(counts, raised=raised)
    every_item_is_done_or_skipped = counts.success + counts.skipped == counts.total
    assert (found is Outcome.SUCCEEDED) == (every_item_is_done_or_skipped and not raised)
    assert (found is Outcome.FAILED) == (found is not Outcome.SUCCEEDED and success == 0)
    assert (found is Outcome.PARTIALLY_SUCCEEDED) == (found is not Outcome.SUCCEEDED and success > 0)
    # One more failure never makes it better.
    order = [Outcome.FAILED, Outcome.PARTIALLY_SUCCEEDED, Outcome.SUCCEEDED]
    worse = derive_outcome(Counts(counts.total + 1, success, failed + 1, skipped), raised=raised)
    assert order.index(worse) <= order.index(found)


def test_every_outcome_has_its_label() -> None:
    assert list(OUTCOME_LABELS.values()) == ["Pending", "Succeeded", "Partially succeeded", "Failed", "Cancelled"]
    assert list(OUTCOME_LABELS) == list(Outcome)


def test_counts_travel_as_four_whole_numbers() -> None:
    counts = Counts(10, 8, 2, 0)
    assert counts.as_json() == {"total": 10, "success": 8, "failed": 2, "skipped": 0}
    assert counts_from(counts.as_json()) == counts
    assert counts_from(None) is None


# ---- failures


def test_a_failure_has_our_words_and_a_clean_detail() -> None:
    found = failure("graph.forbidden", "deviceConfigurations for bob@contoso.com\x1b[31m")
    assert found == Failure(
        "graph.forbidden",
        "Microsoft Graph refused: the app lacks a permission: deviceConfigurations for [address]",
    )


@pytest.mark.parametrize("code", FAILURE_MESSAGES)
def test_a_code_of_ours_needs_no_detail(code: str) -> None:
    assert failure(code) == Failure(code, FAILURE_MESSAGES[code])
    assert failure(code, "x").message == f"{FAILURE_MESSAGES[code]}: x"


def test_a_plug_ins_code_stands_with_its_detail() -> None:
    assert failure("dns.refused", "zone a") == Failure("dns.refused", "zone a")
    assert failure("dns.refused") == Failure("dns.refused", "dns.refused")


@pytest.mark.parametrize(
    "code", ["", "nodot", "Graph.Forbidden", "a.", ".a", "a b.c", "a.b\n", "password=x", "a." + "b" * 60]
)
def test_what_is_no_code_is_an_error_of_the_operation(code: str) -> None:
    assert failure(code, "x").code == "operation.error"


def test_a_detail_is_short() -> None:
    found = failure("graph.throttled", "word " * 100_000)
    assert len(found.message) <= len(FAILURE_MESSAGES["graph.throttled"]) + 2 + MAX_DETAIL


class Strange:
    def __str__(self) -> str:
        return "client_secret=hunter2"


def test_anything_can_be_a_detail() -> None:
    assert failure("x.y", Strange()).message == "client_secret=[secret]"
    assert failure("x.y", ValueError("no")).message == "no"


@examples(40)
@given(st.lists(st.tuples(st.integers(0, 120), st.integers(1, 5)), max_size=200), st.booleans())
def test_failures_are_aggregated_and_bounded_and_none_is_forgotten(
    added: list[tuple[int, int]], ends_badly: bool
) -> None:
    failures: dict[tuple[str, str], int] = {}
    for kind, count in added:
        add_failure(failures, Failure("graph.forbidden", str(kind), count))
    if ends_badly:
        add_last_failure(failures, failure("operation.timeout"))
    found = summary(failures)
    assert len(found) <= MAX_FAILURES
    assert len({(one.code, one.message) for one in found}) == len(found)
    assert sum(one.count for one in found) == sum(count for _, count in added) + ends_badly
    assert ("operation.timeout" in {one.code for one in found}) == ends_badly
    exact = {one.message: one.count for one in found if one.code == "graph.forbidden"}
    for message, told in exact.items():
        assert told == sum(count for number, count in added if str(number) == message)
    if len({number for number, _ in added}) <= MAX_FAILURES - 2:
        assert len(exact) == len({number for number, _ in added})


def test_no_failures_are_stored_as_nothing() -> None:
    assert as_json(()) is None
    assert as_json([Failure("a.b", "c", 2)]) == [{"code": "a.b", "message": "c", "count": 2}]
