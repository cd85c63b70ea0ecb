"""The audit trail in words: the columns of its table, and one event in full. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from screens.text import audit_words
from screens.text.column_widths import ColumnSpec, column_widths, heading
from screens.text.safe import clean, fit, wrap
from screens.text.times import TimeStyle
from screens.widgets.row_diff import Cell, Row
from store.people.audit import AuditEvent
from store.search.audit_page import AuditPage

#: The columns: when, who, what, subject, tenant, reason.
_PARTS: Final = (
    ColumnSpec(16, 16, 1),
    ColumnSpec(14, 8, 2, grow=1),
    ColumnSpec(19, 12, 0, grow=1),
    ColumnSpec(18, 12, 3, grow=2),
    ColumnSpec(12, 8, 5, grow=1),
    ColumnSpec(24, 10, 6, grow=3),
)
_TITLES: Final = ("Who", "What", "Subject", "Tenant", "Reason")
_STYLES: Final = ("quiet", "", "", "", "quiet", "quiet")


def table(events: Sequence[AuditEvent], width: int, times: TimeStyle) -> tuple[str, list[Row]]:
    """Header and rows of the table, in `width` cells. A trail has clock times, also while ages are shown."""
    rooms = column_widths(_PARTS, width)
    when = "When" if times.shown == "local" else "When (UTC)"
    return heading((when, *_TITLES), rooms), [_row(event, rooms, times) for event in events]


def _row(event: AuditEvent, rooms: Sequence[int], times: TimeStyle) -> Row:
    when = times.minute(event.at)
    texts = (when, event.name, audit_words.action(event.action), event.subject, event.tenant or "", event.reason or "")
    parts = zip(texts, _STYLES, rooms, strict=True)
    return Row(event.id, tuple(Cell(fit(text, room), style) for text, style, room in parts if room))


def told(page: AuditPage | None, tenant: str | None, terms: str, page_number: int, times: TimeStyle) -> str:
    """The line above the table: what it shows, or why it is empty. `page` is None if the tenant is not one of the user's."""
    if page is None:
        return "There is no such tenant, or you are no member of it." + (" Esc takes the filter back." if terms else "")
    of = f" of {tenant}" if tenant else ""
    looked = f" Looked back to {times.minute(page.looked_back_to)}." if page.looked_back_to else ""
    if not page.events:
        more = looked + (" ] looks further back." if page.next_before else "")
        return (
            f"Nothing{of} matches: {terms}.{more} Esc takes the filter back."
            if terms
            else f"The audit trail{of} is empty."
        )
    where = "Newest first" if page_number == 1 else f"Page {page_number}"
    further = " ] shows older ones." if page.next_before else ""
    narrowed = f" / {terms}." if terms else ""
    return f"Who did what{of}. {where}.{narrowed}{looked}{further}"


def in_full(event: AuditEvent, width: int, height: int, times: TimeStyle) -> list[str]:
    """Everything about one event in at most `height` lines of `width` cells."""
    who = event.name if event.name == event.login else f"{event.name} ({event.login})"
    where = f" in {event.tenant}" if event.tenant else ""
    first = f"{times.instant(event.at)}  {who} from {event.origin}"
    found = [*wrap(first, width), *wrap(f"{_what(event)}: {event.subject}{where}", width)]
    if event.reason:
        found += wrap(f"Reason: {event.reason}", width)
    if event.detail:
        found += wrap(audit_words.detail(event.detail), width)
    if len(found) > height:
        found = [*found[: height - 1], f"{found[height - 1]}…"]
    return [fit(clean(line), width).rstrip() for line in found]


def _what(event: AuditEvent) -> str:
    """What was done in words, with the name by which the filter finds it."""
    words = audit_words.action(event.action)
    return words if words == event.action else f"{words} ({event.action})"
