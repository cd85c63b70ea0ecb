"""What `*` stands for, as fnmatch has it where that ends in time; and what filters refuse before a database is asked."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screens.runs import completion
from store.db.engine import Database
from store.errors import FilterInvalid
from store.model.records import Tenant
from store.people import access
from store.people.access import Role
from store.search import counts as tab_counts
from store.search import failure_groups, pages
from store.search.filter import LONGEST_VALUE, MOST_TERMS, MOST_VALUES, parse, parse_line
from store.search.globs import MOST_STARS, collapsed, matches
from store.search.resolve import resolve_filter
from tests.support import people
from tests.support.properties import examples

FEW = st.text("ab*", max_size=9)


def reference(glob: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, glob.split("*"))), text, re.DOTALL) is not None


@examples(400)
@given(glob=FEW, text=st.text("ab\n", max_size=9))
def test_a_star_stands_for_anything(glob: str, text: str) -> None:
    assert matches(glob, text) is matches(collapsed(glob), text) is reference(glob, text)


def test_many_stars_end() -> None:
    """What goes back to try again would not end before the machine does."""
    assert not matches("*a" * 200 + "b", "a" * 100_000)
    assert matches("*a" * 200, "a" * 100_000)


@pytest.mark.parametrize("name", ["by", "type", "code", "-by", "-type", "-code"])
def test_stars_in_a_filter_are_few_and_side_by_side_are_one(name: str) -> None:
    found = parse([f"{name}:a{'*' * 100}b"])
    assert "a*b" in (found.by + found.types + found.codes + found.exclude.by + found.exclude.types
                     + found.exclude.codes)  # fmt: skip
    with pytest.raises(FilterInvalid, match=r"too many \*"):
        parse([f"{name}:" + "*a" * (MOST_STARS + 1)])


WRONG = [
    "by:" + "*a" * 200 + "b",
    "a" * 100_000,
    '"' + "ab " * 40_000,
    "code:" + "x" * (LONGEST_VALUE + 1),
    "since:" + "2" * 100_000,
    "a\x00b",
    "by:\x00",
    "tenant:a\x00",
    "-type:a\x00*",
    "since:\x00",
    "x\ud800",
    "code:\udcff",
    "id:" + ",".join(map(str, range(MOST_VALUES + 1))),
    " ".join(f"w{n}" for n in range(MOST_TERMS + 1)),
    " ".join(f"id:{','.join(['7'] * 60)}" for _ in range(4)),
]


@pytest.mark.parametrize("line", WRONG, ids=range(len(WRONG)))
def test_what_no_database_can_be_asked_for_is_refused_in_our_words(line: str) -> None:
    with pytest.raises(FilterInvalid, match=r"\A[^\n\0\ud800-\udfff]{1,200}\Z") as caught:
        parse_line(line)
    assert caught.value.hint


def test_the_largest_filters_are_answered(db: Database, tenant: Tenant) -> None:
    user = people.make_user(db, "alice", contoso=Role.OPERATOR)
    for _ in range(3):
        people.end_run(db, people.open_run(db, tenant, user), people.FAILED)
    word = "x" * LONGEST_VALUE
    stars = ("a*" * LONGEST_VALUE)[: 2 * MOST_STARS]
    lines = [
        " ".join(f"-{n:02}{word[2:]}" for n in range(MOST_TERMS)),
        " ".join(f"-code:*{n}{stars[2:]}" for n in range(MOST_TERMS)),
        "code:" + ",".join(f"a{n}*" for n in range(MOST_VALUES)),
        "-id:" + ",".join(map(str, range(100, 100 + MOST_VALUES))),
        f"by:{stars} type:{stars} code:{stars} -by:{stars}",
        '"%_\\" -code:%_\\*',
    ]
    with db.read() as connection:
        of = access.read_memberships(connection, user.id)
        for line in lines:
            wanted = parse_line(line)
            runs = pages.page(connection, resolve_filter(connection, of, user.id, wanted), 50).runs
            assert (
                len(runs)
                == tab_counts.counts(
                    connection,
                    resolve_filter(connection, of, user.id, wanted),
                )["All"].number
            )
            failure_groups.read(connection, of, user.id, wanted)


@examples(100)
@given(st.text('a*", \x00\ud800é', max_size=12), st.sampled_from([1, 100, 10_000]))
def test_the_term_of_anything_that_was_seen_is_a_filter_that_finds_it(value: str, times: int) -> None:
    (code,) = parse_line(completion.term("code", value * times)).codes
    assert matches(code, value * times)


@examples(60)
@given(st.lists(st.text('a*", é', max_size=12) | st.just("x" * 1000), max_size=4))
def test_what_is_suggested_is_a_filter(values: list[str]) -> None:
    for suggestion in completion.suggestions("code:", completion.Known({"code": values})):
        parse_line(suggestion)
