"""The filter line: every term it knows, where what is wrong stands, and one line about it."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import FilterInvalid, InputInvalid
from store.model.records import Outcome
from store.search.filter import ANY_TIME, NAMES, FilterStatus, RunFilter, Terms, line_of, parse, parse_line, tokens
from tests.support.properties import examples


def test_no_terms_want_everything_of_the_last_thirty_days() -> None:
    assert parse([]) == parse_line("  ") == RunFilter(since=dt.timedelta(days=30))


def test_all_terms_together() -> None:
    line = (
        "status:running outcome:failed type:inventory.* tenant:contoso by:Ann since:2h before:5m code:graph.* "
        'retry-of:7 id:8 mine Scope "two words"'
    )
    assert parse_line(line) == RunFilter(
        statuses=(FilterStatus.RUNNING,),
        outcomes=(Outcome.FAILED,),
        types=("inventory.*",),
        tenants=("contoso",),
        by=("ann",),
        codes=("graph.*",),
        retry_of=(7,),
        ids=(8,),
        words=("scope", "two words"),
        mine=True,
        since=dt.timedelta(hours=2),
        before=dt.timedelta(minutes=5),
    )


def test_values_of_one_name_are_alternatives() -> None:
    found = parse_line("status:queued status:running type:a.b,c.* tenant:x tenant:y outcome:failed,succeeded")
    assert found.statuses == (FilterStatus.QUEUED, FilterStatus.RUNNING)
    assert found.outcomes == (Outcome.FAILED, Outcome.SUCCEEDED)
    assert (found.types, found.tenants) == (("a.b", "c.*"), ("x", "y"))


def test_a_preview_is_a_status_of_its_own() -> None:
    assert parse_line("status:preview").statuses == (FilterStatus.PREVIEW,)
    assert parse_line("-status:queued,preview").exclude.statuses == (FilterStatus.QUEUED, FilterStatus.PREVIEW)
    with pytest.raises(FilterInvalid, match="'held' is no status") as raised:
        parse_line("status:held")
    assert raised.value.hint == "known are queued, running, completed, preview"


@pytest.mark.parametrize("sign", ["-", "!"])
def test_what_is_not_wanted(sign: str) -> None:
    found = parse_line(f"outcome:failed {sign}type:system.* {sign}mine {sign}boom {sign}by:bob")
    assert found.outcomes == (Outcome.FAILED,)
    assert found.exclude == Terms(types=("system.*",), mine=True, words=("boom",), by=("bob",))


def test_the_command_lines_terms_are_one_each() -> None:
    """The shell has taken the quotation marks away."""
    assert parse(["by:Ann Alba", "two words"]) == parse_line('by:"Ann Alba" "two words"')


def test_quoted_words_are_no_names() -> None:
    assert parse_line('"status:queued"').words == ("status:queued",)


@pytest.mark.parametrize("term", ["id:4711", "retry-of:4711"])
def test_a_run_that_is_named_is_looked_for_beyond_the_window(term: str) -> None:
    assert parse([term]).since == ANY_TIME
    assert parse([term, "since:2h"]).since == dt.timedelta(hours=2)


@pytest.mark.parametrize(
    ("term", "span"),
    [
        ("30s", dt.timedelta(seconds=30)),
        ("5m", dt.timedelta(minutes=5)),
        ("2h", dt.timedelta(hours=2)),
        ("7d", dt.timedelta(days=7)),
        ("2w", dt.timedelta(weeks=2)),
        ("0s", dt.timedelta(0)),
        ("2026-03-01", dt.datetime(2026, 3, 1, tzinfo=dt.UTC)),
        ("2026-03-01T14:30", dt.datetime(2026, 3, 1, 14, 30, tzinfo=dt.UTC)),
        ("2026-03-01T14:30+02:00", dt.datetime(2026, 3, 1, 12, 30, tzinfo=dt.UTC)),
    ],
)
def test_times(term: str, span: object) -> None:
    assert (parse([f"since:{term}"]).since, parse([f"before:{term}"]).before) == (span, span)


def test_the_last_time_counts() -> None:
    assert parse(["since:2h", "since:1h"]).since == dt.timedelta(hours=1)


def test_no_time_span_reaches_beyond_a_databases_calendar() -> None:
    """PostgreSQL refuses instants before 4713 BC, SQLite has none before the year 0."""
    since = parse(["since:999999w"]).since
    assert isinstance(since, dt.timedelta)
    assert dt.timedelta(days=10_000) < since <= ANY_TIME


@pytest.mark.parametrize(
    ("term", "told"),
    [
        ("statu:running", "did you mean 'status'?"),
        ("outcom:failed", "did you mean 'outcome'?"),
        ("foo:bar", "known are status, outcome, type, tenant, by, since, before, code, retry-of, id, mine"),
        ("mine:yes", "'mine:yes' is no filter"),
        ("status:", "lacks its value"),
        ("-type:", "lacks its value"),
        ("type:,", "lacks its value"),
        ('by:""', "lacks its value"),
        ("since:", "lacks its value"),
        ("status:done", "known are queued, running, completed"),
        ("outcome:okay", "known are pending, succeeded, partially_succeeded, failed, cancelled"),
        ("since:yesterday", "write since:2h, since:7d or since:2026-03-01"),
        ("since:-1h", "no time"),
        ("since:1.5h", "no time"),
        ("since:9999999d", "no time"),
        ("since:0001-01-01", "four digits"),
        ("-since:2h", "write before:2h"),
        ("id:x", "no run's number"),
        ("id:99999999999999999999", "no run's number"),
        ("", "no filter"),
        ('""', "no filter"),
        (":", "no filter"),
    ],
)
def test_what_cannot_be_read_is_named_with_what_is_possible(term: str, told: str) -> None:
    with pytest.raises(InputInvalid, match=r"\A[^\n]+\Z") as caught:
        parse([term])
    assert told in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("line", "wrong"),
    [("mine  statu:x failed", "statu:x"), ('"two words" -id:x', "-id:x"), ("since:2h outcome:", "outcome:")],
)
def test_a_wrong_term_is_found_in_its_line(line: str, wrong: str) -> None:
    with pytest.raises(FilterInvalid) as caught:
        parse_line(line)
    assert line[caught.value.start : caught.value.end] == wrong


@examples(100)
@given(st.text() | st.lists(st.sampled_from([*NAMES, "mine", ":", "-", '"', " ", "x", ",", "2h"])).map("".join))
def test_any_line_is_a_filter_or_one_error_that_is_in_it(line: str) -> None:
    wrong = ""
    try:
        parse_line(line)
    except FilterInvalid as error:
        wrong = line[error.start : error.end]
    assert wrong in [token.text for token in tokens(line)] or not wrong


@examples(100)
@given(st.text(alphabet='ab:"- '))
def test_tokens_are_what_the_blanks_leave(line: str) -> None:
    for token in tokens(line):
        assert line[token.start : token.end] == token.text
    if '"' not in line:
        assert [token.text for token in tokens(line)] == line.split()


@pytest.mark.parametrize(
    ("terms", "line"),
    [
        (["outcome:failed", "mine"], "outcome:failed mine"),
        (["by:Ann Alba"], 'by:"Ann Alba"'),
        (["two words", "-type:a*"], '"two words" -type:a*'),
        (['by:"Ann Alba"'], 'by:"Ann Alba"'),
    ],
)
def test_terms_of_a_shell_are_one_line(terms: list[str], line: str) -> None:
    assert line_of(terms) == line
    assert parse_line(line) == parse(terms)
