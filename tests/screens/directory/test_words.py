"""Groups in words, and the sentence above them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from screens.directory import words
from screens.directory.words import View
from store.intune.directory_page import Directory
from store.model.records import Count
from tests.screens.conftest import AT, ago
from tests.screens.directory.stage import GROUPS, HOUR, NOTHING, found, group
from tests.screens.test_pure import DANGEROUS


@pytest.mark.parametrize(
    ("given_types", "told"),
    [
        (("assigned",), "assigned"),
        (("microsoft365", "dynamic"), "dynamic, Microsoft 365"),
        (("microsoft365",), "Microsoft 365"),
        (("dynamic", "synced"), "dynamic, synced"),
    ],
)
def test_types_are_words(given_types: tuple[str, ...], told: str) -> None:
    assert words.types(group(1, "a", *given_types)) == told


@pytest.mark.parametrize(
    ("security", "mail", "told"),
    [(True, False, "security"), (False, True, "mail"), (True, True, "security, mail"), (False, False, "neither")],
)
def test_what_it_is_for(security: bool, mail: bool, told: str) -> None:
    assert words.purpose(group(1, "a", security_enabled=security, mail_enabled=mail)) == told


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Sales", "Sales"),
        ("Sales ", "Sales␣"),
        (" Sales of  all\xa0\t", "␣Sales of  all␣␣"),
        ("  ", "␣␣"),
        ("", "(without a name)"),
    ],
)
def test_blanks_at_the_ends_of_a_name_are_seen(name: str, told: str) -> None:
    assert words.name(group(1, name)) == told


@given(st.text())
def test_any_name_is_safe_and_has_no_blank_at_its_ends(name: str) -> None:
    told = words.name(group(1, name))
    assert not any(char in DANGEROUS for char in told)
    assert told == told.strip()


def told(directory: Directory, text: str = "", width: int = 120, **more: Any) -> str:
    return words.told(directory, text, View(AT, width, "s starts Sync groups.", **more))


def test_the_sentences_above() -> None:
    assert told(found(*GROUPS, complete_at=ago(3 * HOUR))) == "12,004 groups, read 3h00 ago. s syncs groups."
    assert told(found(*GROUPS)) == "12,004 groups, read 3h00 ago. s syncs groups. Last read in full 2d ago."
    assert told(found(*GROUPS), may_sync=False) == "12,004 groups, read 3h00 ago. Last read in full 2d ago."
    assert told(NOTHING) == "No groups yet. s starts Sync groups."
    empty = found(many=Count(0), read_at=AT, complete_at=AT)
    assert told(empty) == "0 groups, read just now. s syncs groups."
    first = found(GROUPS[0], many=Count(1), read_at=None, complete_at=None)
    assert told(first) == "1 group, the first round has not ended. s syncs groups."


def test_what_was_found_is_said_as_what_it_is() -> None:
    assert told(found(*GROUPS[:2]), "in") == "'in': 2 of 12,004 groups, read 3h00 ago. Last read in full 2d ago."
    many = found(*GROUPS, has_more=True, many=Count(100_000, at_least=True))
    assert told(many, "in").startswith("'in': the first 7 of ≥ 100,000 groups, ")
    assert told(many, "in", ascii_only=True).startswith("'in': the first 7 of >= 100,000 groups, ")
    assert "groups, read 3h00 ago. The first 7 are listed. s syncs" in told(many)


@given(st.text(max_size=100), st.integers(75, 200))
def test_sentences_that_do_not_fit_are_left_out_and_none_is_cut(text: str, width: int) -> None:
    many = found(*GROUPS, has_more=True, many=Count(100_000, at_least=True))
    line = told(many, text, width)
    assert line.endswith(".")
    assert cell_len(line) <= max(width, 100)
    assert not any(char in DANGEROUS for char in line)


def test_on_a_narrow_terminal_the_first_sentence_stays() -> None:
    assert told(found(*GROUPS), width=39) == "12,004 groups, read 3h00 ago."
