"""The audit trail in words."""

from __future__ import annotations

import datetime as dt

import pytest
from rich.cells import cell_len

from screens.audit import words
from screens.text.times import AGES, TimeStyle
from store.search.audit_page import AuditPage
from tests.screens.audit.stage import EVENTS, FIRST, event


@pytest.mark.parametrize("width", [12, 38, 78, 138])
def test_every_line_fits(width: int) -> None:
    header, rows = words.table(EVENTS, width, AGES)
    assert cell_len(header) <= width
    for row in rows:
        text = " ".join(cell.text for cell in row.cells)
        assert cell_len(text) <= width
        assert "\x1b" not in text
    for one in EVENTS:
        lines = words.in_full(one, width, 4, AGES)
        assert len(lines) <= 4
        assert all(cell_len(line) <= width and "\x1b" not in line for line in lines)


def test_an_event_in_full_has_words_and_the_name_that_the_filter_finds() -> None:
    retried = words.in_full(EVENTS[1], 78, 4, AGES)
    assert retried[1:] == ["retried (run.retried): run 994 in contoso", "run=995"]
    assert words.in_full(event(4, "future.done", "x"), 78, 4, AGES)[1] == "future.done: x in contoso"


@pytest.mark.parametrize("long", ["w" * 78 * 4, "語" * 39 * 4, "word " * 80])
def test_what_is_left_out_of_an_event_is_marked(long: str) -> None:
    *before, last = words.in_full(event(4, "x", "y", reason=long), 78, 4, AGES)
    assert last.endswith("…")
    assert not any("…" in line for line in before)


def test_an_end_of_the_search_is_said() -> None:
    at = dt.datetime(2026, 2, 1, 10, 30, tzinfo=dt.UTC)
    found = words.told(AuditPage(FIRST, (), 17, at), None, "by:bob", 1, AGES)
    assert (
        found
        == "Nothing matches: by:bob. Looked back to 2026-02-01 10:30. ] looks further back. Esc takes the filter back."
    )


def test_another_tenant_shows_nothing() -> None:
    assert "no member" in words.told(None, "contoso", "", 1, AGES)


def test_times_are_in_utc_or_in_the_zone_that_one_chose() -> None:
    berlin = TimeStyle("local", dt.timezone(dt.timedelta(hours=1)))
    for times, title, minute in ((AGES, "When (UTC)", "10:29"), (berlin, "When", "11:29")):
        header, rows = words.table(EVENTS, 78, times)
        assert header.split("  ")[0].strip() == title
        assert rows[0].cells[0].text == f"2026-03-01 {minute}"
    assert words.in_full(EVENTS[0], 78, 4, berlin)[0].startswith("2026-03-01 11:29:00 +01:00")
