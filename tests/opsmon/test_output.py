"""JSON for scripts, plain text for people."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from opsmon.output import Output, as_json, cell, pairs, table
from store.model.records import Counts, Failure, Outcome, User

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def test_records_have_the_names_of_their_columns() -> None:
    user = User(7, "ann", "Ann", NOON)
    assert as_json(user) == {"id": 7, "login": "ann", "name": "Ann", "created_at": "2026-03-01T12:00:00.000000Z"}
    assert as_json((Failure("a.b", "c", 2),)) == [{"code": "a.b", "message": "c", "count": 2}]
    assert as_json(Counts(3, 1, 1, 1)) == {"total": 3, "success": 1, "failed": 1, "skipped": 1}
    assert json.dumps(as_json({"outcome": Outcome.FAILED, "deep": [{"at": NOON}]})) == (
        '{"outcome": "failed", "deep": [{"at": "2026-03-01T12:00:00.000000Z"}]}'
    )


def test_instants_are_utc_whatever_zone_they_come_in() -> None:
    east = dt.datetime(2026, 3, 1, 14, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert as_json(east) == as_json(NOON)
    assert cell(east) == "2026-03-01 12:00:00Z"


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b]52;c;x\x07 \x9b2J \u202e ü"
    Output(json=True).show({"text": evil}, lambda: "unused")
    out = capsys.readouterr().out
    assert out.isascii()
    assert not {"\x1b", "\x07"} & set(out)
    assert json.loads(out) == {"text": evil}


def test_plain_text_is_made_only_when_it_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    Output(json=True).show([], lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    Output().show(object(), lambda: "plain")
    assert capsys.readouterr().out == "[]\nplain\n"


def test_columns_are_aligned() -> None:
    text = table(("ID", "NAME", "X"), [(7, "ann", None), (1234, "日本", "b"), (1, "e\u0301", "c")], right=[0])
    assert text.splitlines() == [
        "  ID  NAME  X",
        "   7  ann   -",
        "1234  日本  b",
        "   1  e\u0301     c",
    ]
    assert table(("A", "B"), []) == "A  B"
    assert pairs([("a", 1), ("long", None), ("x", "")]) == "a     1\nlong  -\nx"
    assert pairs([]) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "yes"),
        (False, "no"),
        (1.5, "1.5"),
        (Outcome.FAILED, "failed"),
        (NOON, "2026-03-01 12:00:00Z"),
        (["a", "b\x1b[2J"], '["a", "b\\u001b[2J"]'),
        ({"k": NOON}, '{"k": "2026-03-01T12:00:00.000000Z"}'),
        ("two\nlines\x1b[31m \u202eend", "two lines end"),
    ],
)
def test_a_cell_is_one_clean_line(value: object, text: str) -> None:
    assert cell(value) == text
