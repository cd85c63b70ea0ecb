"""The audit trail in words."""

from __future__ import annotations

import datetime as dt

import pytest
from rich.cells import cell_len

from screens.audit import words
from store.people import audit
from store.search.audit_page import AuditPage
from tests.screens.audit.stage import EVENTS, FIRST

_NAMES = {
    value
    for name, value in vars(audit).items()
    if name.isupper() and isinstance(value, str) and not name.startswith("_")
}


def test_every_action_has_words() -> None:
    assert set(words.ACTIONS) == _NAMES
    assert len(set(words.ACTIONS.values())) == len(_NAMES)


def test_an_action_of_another_version_has_its_own_name() -> None:
    assert words.action("future.done") == "future.done"


@pytest.mark.parametrize("width", [12, 38, 78, 138])
def test_every_line_fits(width: int) -> None:
    header, rows = words.table(EVENTS, width)
    assert cell_len(header) <= width
    for row in rows:
        text = " ".join(cell.text for cell in row.cells)
        assert cell_len(text) <= width
        assert "\x1b" not in text
    for event in EVENTS:
        lines = words.in_full(event, width, 4)
        assert len(lines) <= 4
        assert all(cell_len(line) <= width and "\x1b" not in line for line in lines)


def test_an_end_of_the_search_is_said() -> None:
    at = dt.datetime(2026, 2, 1, 10, 30, tzinfo=dt.UTC)
    found = words.told(AuditPage(FIRST, (), 17, at), None, "by:bob", 1)
    assert (
        found
        == "Nothing matches: by:bob. Looked back to 2026-02-01 10:30. ] looks further back. Esc takes the filter back."
    )


def test_another_tenant_shows_nothing() -> None:
    assert "no member" in words.told(None, "contoso", "", 1)
