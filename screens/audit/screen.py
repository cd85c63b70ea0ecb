"""The audit trail, page by page, and the event under the cursor in full."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from screens.audit import words
from screens.paged import PagedScreen
from screens.widgets import header_lines
from screens.widgets.name_search import NameSearch
from screens.widgets.row_table import RowTable
from store.people.audit import AuditEvent
from store.search import audit_filter
from store.search.audit_filter import AuditWanted
from store.search.audit_page import AuditPage
from store.snapshot import Request, Snapshot

#: The longest filter, in characters.
_LONGEST: Final = 1_000
#: Lines for the event under the cursor.
_EVENT: Final = 5


class AuditScreen(PagedScreen):
    """`/` filters with the terms of `opsmon audit`; enter opens the run that an event is about."""

    DEFAULT_CSS = f"""
    AuditScreen #event {{ height: {_EVENT}; padding: 0 1; border-top: solid $line; }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Filter", id="filter"),
        Binding("right_square_bracket", "turn(1)", "Older", key_display="]", id="older_events"),
        Binding("left_square_bracket", "turn(-1)", "Newer", key_display="[", id="newer_events"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._found: AuditPage | None = None
        self._terms = AuditWanted()

    def compose_body(self) -> ComposeResult:
        yield header_lines.Line(id="words")
        yield NameSearch("by:ann -action:run.* tenant:contoso since:7d run:17; enter filters, esc leaves", _LONGEST)
        yield RowTable(beyond=self._beyond)
        yield header_lines.Line(id="event")

    @property
    def place(self) -> str:
        return f"{self.shell.tenant or 'all tenants'}, audit"

    @property
    def _wanted(self) -> AuditWanted:
        return replace(self._terms, within=self.shell.tenant, before=self.after)

    def contribute(self, request: Request) -> Request:
        return replace(request, audit=self._wanted)

    def tenant_chosen(self) -> None:
        self.show_from_start()

    # -- what is shown ----------------------------------------------------------------------------------------------------

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.request.audit != self._wanted:
            return
        self._found = found = snapshot.audit
        header, rows = words.table(found.events if found else (), self.size.width - 2, self.shell.times)
        self.show_page(rows, header, found.next_before if found else None)
        self.put_words(words.told(found, self.shell.tenant, self.text, self.pages_before + 1, self.shell.times))
        self._paint_event()
        self.paint_header()
        self.refresh_keys()

    def _paint_event(self) -> None:
        event = self._under_cursor
        width = max(10, self.size.width - 2)
        lines = words.in_full(event, width, _EVENT - 1, self.shell.times) if event else []
        self.query_one("#event", header_lines.Line).put(Content("\n".join(lines)))

    @property
    def _under_cursor(self) -> AuditEvent | None:
        key = self.table.cursor_key
        return next((event for event in self._found.events if event.id == key), None) if self._found else None

    def on_row_table_cursor_moved(self) -> None:
        self._paint_event()
        self.refresh_keys()

    # -- keys -------------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return super().check_action(f"turn({parameters[0]})" if action == "turn" else action, parameters)

    def disabled_reason(self, action: str) -> str | None:
        if action == "turn(1)" and not (self._found and self._found.next_before):
            return "There is nothing older."
        if action == "turn(-1)" and not self.pages_before:
            return "This is the first page."
        return None

    def action_turn(self, by: int) -> None:
        """Go to the next older page, or to the one before."""
        self._beyond(by, False)

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        found = self._found.events if self._found else ()
        event = next((event for event in found if event.id == message.key), None)
        if event and event.run_id is not None:
            self.shell.navigator.run(event.run_id)
        else:
            self.shell.message("This event is about no run.", "warning")

    # -- the filter -------------------------------------------------------------------------------------------------------

    def search_for(self, text: str) -> None:
        """Show what matches the filter, from the newest. Raises FilterInvalid."""
        self._terms = audit_filter.parse_line(text)
        super().search_for(text)
