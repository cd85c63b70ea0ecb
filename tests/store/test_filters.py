"""The filter line: every term it knows, and one line about everything else."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import InputInvalid
from store.filters import DEFAULT_WINDOW, RunFilter, parse
from store.records import Outcome, Status
from tests.store.properties import examples


def test_no_terms_want_everything_of_the_last_thirty_days() -> None:
    assert parse([]) == RunFilter((), (), (), (), dt.timedelta(days=30), False)


def test_all_terms_together() -> None:
    terms = ["status:running", "outcome:failed", "type:inventory.*", "tenant:contoso", "since:2h", "mine"]
    assert parse(terms) == RunFilter(
        (Status.RUNNING,), (Outcome.FAILED,), ("inventory.*",), ("contoso",), dt.timedelta(hours=2), True
    )


def test_values_of_one_name_are_alternatives() -> None:
    found = parse(
        [
            "status:queued",
            "status:running",
            "type:a.b",
            "type:c.*",
            "tenant:x",
            "tenant:y",
            "outcome:failed",
            "outcome:succeeded",
        ]
    )
    assert found.statuses == (Status.QUEUED, Status.RUNNING)
    assert found.outcomes == (Outcome.FAILED, Outcome.SUCCEEDED)
    assert (found.types, found.tenants) == (("a.b", "c.*"), ("x", "y"))


@pytest.mark.parametrize(
    ("term", "span"),
    [
        ("30s", dt.timedelta(seconds=30)),
        ("5m", dt.timedelta(minutes=5)),
        ("2h", dt.timedelta(hours=2)),
        ("7d", dt.timedelta(days=7)),
        ("2w", dt.timedelta(weeks=2)),
        ("0s", dt.timedelta(0)),
    ],
)
def test_time_spans(term: str, span: dt.timedelta) -> None:
    assert parse([f"since:{term}"]).since == span


def test_the_last_time_span_counts() -> None:
    assert parse(["since:2h", "since:1h"]).since == dt.timedelta(hours=1)


def test_no_time_span_reaches_beyond_a_databases_calendar() -> None:
    """PostgreSQL refuses instants before 4713 BC, SQLite has none before the year 0."""
    earliest = dt.datetime.now(dt.UTC) - parse(["since:999999w"]).since
    assert dt.timedelta(days=10_000) < dt.datetime.now(dt.UTC) - earliest


@pytest.mark.parametrize(
    ("term", "told"),
    [
        ("statu:running", "did you mean 'status'?"),
        ("outcom:failed", "did you mean 'outcome'?"),
        ("running", "known are status, outcome, type, tenant, since, mine"),
        ("mine:yes", "'mine:yes' is no filter"),
        ("status", "'status' is no filter"),
        ("status:", "lacks its value"),
        ("type:", "lacks its value"),
        ("status:done", "known are queued, running, completed"),
        ("outcome:ok", "known are pending, succeeded, partially_succeeded, failed, cancelled"),
        ("since:yesterday", "write a number and s, m, h, d or w"),
        ("since:-1h", "no time span"),
        ("since:1.5h", "no time span"),
        ("since:9999999d", "no time span"),
        ("", "no filter"),
        (":", "no filter"),
    ],
)
def test_what_cannot_be_read_is_named_with_what_is_possible(term: str, told: str) -> None:
    with pytest.raises(InputInvalid, match=r"\A[^\n]+\Z") as caught:
        parse([term])
    assert told in str(caught.value)
    assert caught.value.hint


@examples(300)
@given(
    st.lists(st.text() | st.from_regex(r"(status|outcome|type|tenant|since|mine):?\w{0,8}", fullmatch=True), max_size=4)
)
def test_any_terms_are_a_filter_or_one_error(terms: list[str]) -> None:
    try:
        found = parse(terms)
    except InputInvalid:
        return
    assert found.since <= DEFAULT_WINDOW or any(term.startswith("since:") for term in terms)
