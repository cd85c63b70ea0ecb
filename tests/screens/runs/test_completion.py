"""What a filter line may go on with: whatever stands in it, the rest of the line stays, and one line is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screens.runs.completion import TOLD, Known, completed, hint, known_from, replaced, suggestions, where
from store.errors import FilterInvalid
from store.search.filter import ACKED, FLAGS, MINE, NAMES, parse_line, tokens
from tests.screens.conftest import HOSTILE, a_run, hostile_run, runs_of_all_states
from tests.support.properties import examples

KNOWN = Known(
    {
        "type": ["inventory.sync", "policy.sync", "system.probe"],
        "tenant": ["contoso", "fabrikam"],
        "by": ["Ann Alba", "System"],
        "code": ["graph.forbidden", "graph.throttled"],
    }
)
#: What people type, and what else a terminal may bring.
PIECES = st.sampled_from(
    [
        *(f"{name}:" for name in NAMES),
        *FLAGS,
        "-",
        "!",
        '"',
        ",",
        ":",
        " ",
        "  ",
        "*",
        "fail",
        "inv",
        "st",
        "2h",
        "Ann",
        "\x1b[31m",
    ]
)
ANY_LINES = st.lists(PIECES | st.text(max_size=3), max_size=7).map("".join)
BEGUN = st.builds(
    "{}{}:".format, st.sampled_from(["", "-", "mine !"]), st.sampled_from(["type", "tenant", "by", "code"])
)
LINES = (ANY_LINES | BEGUN).filter(lambda line: len(line.splitlines()) < 2)
VALUES = st.lists(
    st.text(max_size=8) | st.sampled_from(["failed", "Ann Alba", HOSTILE, 'a"b', "a,b", "a\nb"]), max_size=4
)
KNOWNS = st.dictionaries(st.sampled_from(["type", "tenant", "by", "code"]), VALUES, max_size=4).map(Known)


@given(line=LINES, known=KNOWNS | st.just(KNOWN))
@examples(150)
def test_a_completed_line_starts_with_its_other_terms(line: str, known: Known) -> None:
    whole = completed(line, known)
    if whole is not None:
        last = tokens(line)[-1]
        assert whole.startswith(line[: last.start])
        assert [token.text for token in tokens(whole)][:-1] == [token.text for token in tokens(line)][:-1]
        assert whole != line


@given(line=LINES, known=KNOWNS | st.just(KNOWN))
@examples(150)
def test_a_hint_is_one_line_and_never_fails(line: str, known: Known) -> None:
    found = hint(line, known)
    assert len(found.splitlines()) == 1


@given(line=LINES, known=KNOWNS | st.just(KNOWN))
@examples(150)
def test_what_is_suggested_can_be_written_and_means_one_value(line: str, known: Known) -> None:
    """What has been seen comes from anywhere: it goes into the line only if the terminal and the filter can take it."""
    for one in suggestions(line, known):
        assert one.isprintable() or not line.isprintable()
        assert len(tokens(one)) == 1
        if one.endswith(":") or '"' in line or "," in line or "*" in line:
            continue
        name, colon, value = one.lstrip("-!").partition(":")
        if colon and value.strip('"'):
            wanted = parse_line(one)
            found = {"type": "types", "tenant": "tenants", "by": "by", "code": "codes"}.get(name)
            said = (wanted.exclude if one[0] in "-!" else wanted, value.strip('"'))
            assert found is None or getattr(said[0], found) == (said[1].lower() if name == "by" else said[1],)


@pytest.mark.parametrize(
    ("line", "whole"),
    [
        ("st", "status:"),
        ("mine out", "mine outcome:"),
        ("mi", "mine"),
        ("status:r", "status:running"),
        ("outcome:failed,par", "outcome:failed,partially_succeeded"),
        ("-type:i", "-type:inventory.sync"),
        ("!code:graph.t", "!code:graph.throttled"),
        ("by:ann", 'by:"Ann Alba"'),
        ('by:"Ann A', 'by:"Ann Alba"'),
        ('mine "two words" tenant:f', 'mine "two words" tenant:fabrikam'),
        ("since:2", "since:2h"),
        ("", None),
        ("mine ", None),
        ("status:running", None),
        ("boom", None),
        ("nothing:x", None),
    ],
)
def test_tab_completes_the_last_term(line: str, whole: str | None) -> None:
    assert completed(line, KNOWN) == whole


def test_an_empty_line_tells_the_names() -> None:
    told = hint("", KNOWN)
    assert told.startswith("status:  outcome:  type:")
    assert told.endswith(f"{len(NAMES) + len(FLAGS) - TOLD} more")


def test_what_cannot_be_turned_round_is_not_suggested_turned_round() -> None:
    assert suggestions("-s", KNOWN) == ["-status:"]
    assert suggestions("-b", KNOWN) == ["-by:"]
    assert suggestions("-since:2", KNOWN) == []
    values = {"status": "queued", "outcome": "failed", "id": "1", "retry-of": "1", MINE: "", ACKED: ""}
    for one in suggestions("-", KNOWN):
        parse_line(one + values.get(one.strip("-:"), "x"))


def test_a_wrong_term_is_told_with_its_place() -> None:
    assert hint("mine status:x", KNOWN).startswith("at 6: 'x' is no status")
    with pytest.raises(FilterInvalid) as raised:
        parse_line("mine status:x")
    assert where(raised.value) == hint("mine status:x", KNOWN)
    assert hint("boom ", KNOWN).startswith("enter: apply")


def test_what_was_seen() -> None:
    known = known_from(
        (*runs_of_all_states(), a_run(1, initiator_name="")), ["fabrikam", "contoso"], ("system.probe",), None
    )
    assert known.of("type") == ["inventory.sync", "system.probe"]
    assert known.of("tenant") == ["contoso", "fabrikam"]
    assert list(known.of("code")) == ["graph.forbidden", "graph.throttled"]
    assert "Ann Alba" in known.of("by")
    assert known.of("id") == ()
    assert suggestions("by:", known_from((hostile_run(),), [], (), None)) == []


def test_terms_take_the_place_of_those_of_the_same_names() -> None:
    assert replaced("", {"type": "a"}) == "type:a"
    line = 'mine type:policy.* -code:x by:"Ann Alba" code:graph.* words'
    assert replaced(line, {"type": "a b", "code": "c"}) == 'mine -code:x by:"Ann Alba" words type:"a b" code:c'
