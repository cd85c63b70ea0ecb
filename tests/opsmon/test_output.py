"""JSON for scripts, plain text for people."""

from __future__ import annotations

import datetime as dt
import json
import sys

import pytest

from opsmon.listing import Column, Listing
from opsmon.output import Output, as_json, cell, pairs, table
from store.errors import InputInvalid
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


# ---- lists

Row = dict[str, object]
LISTING: Listing[Row] = Listing(
    (
        Column("id", "ID", lambda row: row["id"], is_number=True),
        Column("name", "NAME", lambda row: row["name"], is_name=True, paint=lambda row: "1;31" if row["bad"] else ""),
        Column("long", "LONG", lambda row: "x" * 20, drop=1),
    ),
    lambda row: row,
    "Nothing.",
)
ROWS: list[Row] = [{"id": 7, "name": "ann\x1b[2J", "bad": True}, {"id": 12, "name": "bob", "bad": False}]


def printed(capsys: pytest.CaptureFixture[str], output: Output, rows: list[Row] = ROWS) -> str:
    output.rows(LISTING, rows)
    return capsys.readouterr().out


def test_a_list_has_every_form(capsys: pytest.CaptureFixture[str]) -> None:
    table = "ID  NAME  LONG\n 7  ann   xxxxxxxxxxxxxxxxxxxx\n12  bob   xxxxxxxxxxxxxxxxxxxx\n"
    assert printed(capsys, Output()) == printed(capsys, Output(form="wide")) == table
    assert json.loads(printed(capsys, Output(json=True, form="json"))) == ROWS
    assert [json.loads(line) for line in printed(capsys, Output(json=True, form="jsonl")).splitlines()] == ROWS
    assert printed(capsys, Output(form="name")) == "7\n12\n"


def test_an_empty_list_says_so_to_people_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, Output(), []) == "Nothing.\n"
    assert printed(capsys, Output(json=True), []) == "[]\n"
    assert printed(capsys, Output(form="name"), []) == printed(capsys, Output(json=True, form="jsonl"), []) == ""


def test_columns_are_chosen_in_every_form(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, Output(columns=("bad", "id"))) == "BAD  ID\nyes   7\nno   12\n"
    found = json.loads(printed(capsys, Output(json=True, columns=("bad", "long"))))
    assert found[1] == {"bad": False, "long": "x" * 20}
    for form in ("table", "json", "jsonl", "name"):
        with pytest.raises(InputInvalid, match="there is no column 'nam'"):
            Output(form=form, columns=("nam",)).rows(LISTING, ROWS)


def test_text_stands_in_place_of_the_plain_table_alone(capsys: pytest.CaptureFixture[str]) -> None:
    Output().rows(LISTING, ROWS, lambda: "prose")
    Output(form="wide").rows(LISTING, ROWS, lambda: "prose")
    Output(columns=("id",)).rows(LISTING, ROWS, lambda: "prose")
    assert capsys.readouterr().out.count("prose") == 1


def test_a_terminal_has_a_width_and_colours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert printed(capsys, Output()) == "ID  NAME\n 7  \x1b[1;31mann\x1b[0m\n12  bob\n"
    assert Output().is_painted
    assert "xxxx" in printed(capsys, Output(form="wide"))
    monkeypatch.setenv("NO_COLOR", "1")
    assert printed(capsys, Output()) == "ID  NAME\n 7  ann\n12  bob\n"
    assert Output().is_painted, "painting is no colour"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in printed(capsys, Output())
    assert not Output().is_painted
