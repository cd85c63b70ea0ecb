"""The filter of the audit trail: what its terms mean, and what is refused with its place."""

from __future__ import annotations

import datetime as dt

import pytest

from store.errors import FilterInvalid
from store.search.audit_filter import NAMES, AuditTerms, AuditWanted, parse, parse_line


def test_terms_are_read_with_their_alternatives() -> None:
    line = 'by:Ann,"bob alba" action:run.** tenant:contoso since:2h run:17,18'
    assert parse_line(line) == AuditWanted(
        ("ann", "bob alba"), ("run.*",), ("contoso",), (17, 18), dt.timedelta(hours=2)
    )
    assert parse(["action:run.*", "action:user.added"]).actions == ("run.*", "user.added")
    assert parse_line("") == AuditWanted()


def test_a_term_with_a_sign_before_it_must_not_hold() -> None:
    line = 'action:run.* -by:Ann,"bob alba" !action:run.** -tenant:contoso !run:17 -run:18'
    assert parse_line(line) == AuditWanted(
        actions=("run.*",),
        exclude=AuditTerms(by=("ann", "bob alba"), actions=("run.*",), tenants=("contoso",), runs=(17, 18)),
    )


@pytest.mark.parametrize(
    ("line", "start", "words"),
    [
        ("by:ann boom", 7, "'boom' is no filter"),
        ("by:ann outcome:failed", 7, "known are by:, action:"),
        ("by:ann -since:2h", 7, "since cannot be turned round"),
        ("since:1h,2h", 0, "is no time"),
        ("-outcome:failed", 0, "'outcome:failed' is no filter"),
        ("!boom", 0, "'boom' is no filter"),
        ("-", 0, "'-' is no filter"),
        ("-by:", 0, "lacks its value"),
        ("-run:x", 0, "no run's number"),
        ("tenant:" + "x" * 201, 0, "too long"),
        ("by:" + ",".join(["x"] * 101) + " -by:" + ",".join(["x"] * 100), 205, "too many values"),
        ("run:x", 0, "no run's number"),
        ("by:", 0, "lacks its value"),
        ("tenant:a since:never", 9, "is no time"),
        ("action:a*b*c*d*e*f*g", 0, "too many"),
        ("by:" + "x" * 201, 0, "too long"),
        ("by:" + ",".join(["x"] * 201), 0, "too many values"),
        (" ".join(["by:x"] * 51), 0, "51 filters"),
        ("by:\x00", 0, "no text has"),
    ],
)
def test_what_is_no_filter_is_refused_with_its_place(line: str, start: int, words: str) -> None:
    with pytest.raises(FilterInvalid, match=words.replace("*", r"\*")) as raised:
        parse_line(line)
    assert (raised.value.start or 0) == start


def test_every_name_is_a_term() -> None:
    values = {"since": "2h", "run": "1"}
    for name in NAMES:
        term = f"{name}:{values.get(name, 'x')}"
        assert parse_line(term) != AuditWanted()
        assert name == "since" or parse_line(f"-{term}") == parse_line(f"!{term}") != parse_line(term)
