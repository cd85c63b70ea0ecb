"""Which columns a list has, and how they fit into a width."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from opsmon.listing import Column, Listing, cut, fit, padded, text_width
from store.errors import InputInvalid

Row = dict[str, object]
LISTING: Listing[Row] = Listing(
    (
        Column("id", "ID", lambda row: row["id"], is_number=True),
        Column("name", "NAME", lambda row: row["name"], drop=1, is_name=True),
        Column("by", "BY", lambda row: row["by"], drop=2, is_name=True),
        Column("size", "SIZE", lambda row: row["size"], drop=3, is_number=True, is_wide=True),
    ),
    lambda row: row,
    "Nothing.",
    fields=("deep_field",),
)
RECORD: Row = {"id": 1, "name": "n", "by": "b", "size": 9, "more": 2}


def test_columns_are_chosen_by_the_fields_of_the_json_in_the_order_that_is_asked_for() -> None:
    chosen = LISTING.chosen(("more", "id", "deep_field"), [RECORD])
    assert [(one.field, one.heading) for one in chosen] == [
        ("more", "MORE"),
        ("id", "ID"),
        ("deep_field", "DEEP FIELD"),
    ]
    assert [one.text(RECORD) for one in chosen] == [2, 1, None]
    assert LISTING.chosen((), [RECORD]) == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("naem", "there is no column 'naem': did you mean 'name'?"),
        ("xyzzy", "there is no column 'xyzzy': known are id, name, by, size, deep_field"),
    ],
)
def test_a_column_that_there_is_not_is_refused_also_where_there_is_no_record(name: str, line: str) -> None:
    with pytest.raises(InputInvalid) as raised:
        LISTING.chosen(("id", name), [])
    assert str(raised.value) == line


def test_the_wide_table_has_more_columns() -> None:
    assert [one.field for one in LISTING.shown(wide=False)] == ["id", "name", "by"]
    assert [one.field for one in LISTING.shown(wide=True)] == ["id", "name", "by", "size"]


LINES = [["ID", "NAME", "BY", "SIZE"], ["1234567", "n" * 30, "b" * 14, "123"]]


@pytest.mark.parametrize(
    ("width", "kept", "widths"),
    [
        (60, [0, 1, 2, 3], [7, 29, 14, 4]),
        (50, [0, 1, 2, 3], [7, 19, 14, 4]),
        (41, [0, 1, 2, 3], [7, 12, 12, 4]),
        (39, [0, 1, 2], [7, 14, 14]),
        (34, [0, 1], [7, 25]),
        (20, [0], [7]),
        (3, [0], [7]),
    ],
)
def test_columns_go_and_names_are_cut_but_no_number(width: int, kept: list[int], widths: list[int]) -> None:
    assert fit(LISTING.columns, LINES, width) == (kept, widths)


def test_names_that_stay_are_cut_further() -> None:
    columns: list[Column[Row]] = [Column(name, name, lambda _: "", is_name=True) for name in "ab"]
    assert fit(columns, [["a" * 30, "b" * 8]], 16) == ([0, 1], [7, 7])
    assert fit(columns, [["a" * 30, "b" * 8]], 3) == ([0, 1], [4, 4])


@given(st.text(max_size=20), st.integers(1, 12))
def test_what_is_cut_has_room(text: str, width: int) -> None:
    made = cut(text, width)
    assert text_width(made) <= width
    assert made == text or made.endswith("…")
    assert text_width(padded(made, width, right=True)) == width


def test_wide_and_combining_characters_have_their_widths() -> None:
    assert [text_width(text) for text in ("ab", "日本", "e\u0301")] == [2, 4, 1]
    assert (cut("日本語", 4), cut("abcdef", 4)) == ("日…", "abc…")
    assert (padded("日", 4, right=True), padded("日", 4, right=False)) == ("  日", "日  ")


def test_marks_and_decomposed_syllables_take_no_column_of_their_own() -> None:
    marks = [char for char in map(chr, range(0x3000)) if unicodedata.category(char) in ("Mn", "Me")]
    assert "\u0e31" in marks
    assert [char for char in marks if text_width(char) != cell_len(char)] == []
    assert text_width(unicodedata.normalize("NFD", "정책")) == text_width("정책") == cell_len("정책") == 4
