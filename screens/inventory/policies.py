"""The policies of a kind, by name, a page at a time: platform, to whom they are assigned, how complete they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from screens.inventory.syncing import SyncsPolicies
from screens.paged import PagedScreen
from screens.text import assigned
from screens.text import format as fmt
from screens.text import policy_words as words
from screens.text.column_widths import ColumnSpec, column_widths
from screens.text.safe import figure, fit
from screens.widgets.row_diff import Cell, Row
from screens.widgets.row_table import RowTable
from store.intune.browse import PAGE
from store.intune.browsed import ListedPolicy, PoliciesWanted, PolicyPage
from store.snapshot import Request, Snapshot

#: The columns: name, platform, assigned to, state, age. A state is never cut: it may end with a date. A platform has room
#: for `androidWorkProfile`, or none.
_PARTS: Final = (
    ColumnSpec(30, 12, 0, grow=3),
    ColumnSpec(18, 18, 4),
    ColumnSpec(18, 16, 3, grow=2),
    ColumnSpec(26, 26, 1),
    ColumnSpec(6, 5, 2),
)
_TITLES: Final = ("Name", "Platform", "Assigned to", "State")


class PoliciesScreen(SyncsPolicies, PagedScreen):
    """Enter shows a policy; moving past an end of the page shows the page there."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", id="filter"),
        Binding("s", "sync", "Sync policies", id="start"),
    ]

    def __init__(self, tenant: str, kind: str) -> None:
        super().__init__()
        self.tenant = tenant
        self.kind = kind

    @property
    def _wanted(self) -> PoliciesWanted:
        return PoliciesWanted(self.tenant, self.kind, self.text, self.after)

    def contribute(self, request: Request) -> Request:
        return replace(request, inventory=self._wanted)

    # -- what is shown ----------------------------------------------------------------------------------------------------

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.request.inventory != self._wanted:
            return
        page = snapshot.inventory if isinstance(snapshot.inventory, PolicyPage) else None
        rows = [self._row(one, page.groups, snapshot.at) for one in page.policies] if page else []
        self.show_page(rows, self._header, page.next if page else None)
        self.put_words(self._told(page))
        self.refresh_keys()

    def _told(self, page: PolicyPage | None) -> str:
        """The line above the table."""
        if page is None:
            return f"There is no tenant {self.tenant}."
        if not page.policies and not self.text:
            return f"Nothing of this kind yet. {self.how_to_sync}"
        named = f" with '{self.text}' in the name" if self.text else ""
        if not page.policies:
            return f"No policy{named}. esc shows all, / searches again."
        number = fmt.count(page.matching, self.shell.ascii_only)
        many = words.several(page.matching, "policy", "policies", number)
        first = self.pages_before * PAGE + 1
        which = f"{first:,} to {first + len(page.policies) - 1:,} of " if first > 1 or page.next else ""
        more = " j on the last goes on." if page.next else ""
        return f"{which}{many}{named}.{more}"

    @property
    def _rooms(self) -> list[int]:
        *others, age = _PARTS
        return column_widths([*others, self.shell.times.room(age, "Seen")], self.size.width - 2)

    @property
    def _header(self) -> str:
        *rooms, of_age = self._rooms
        titles = [fit(title, room) for title, room in zip(_TITLES, rooms, strict=True) if room]
        return " ".join([*titles, f"{self.shell.times.heading('Seen'):>{of_age}}"])

    def _row(self, policy: ListedPolicy, groups: Mapping[str, str], now: dt.datetime) -> Row:
        *rooms, of_age = self._rooms
        state = words.state(policy.completeness, policy.missing_since)
        whom = assigned.short(policy.assignments, groups)
        texts = (policy.name, policy.platform or "", whom, words.with_glyph(state, self.shell.ascii_only))
        cut = [fit(text, room) for text, room in zip(texts, rooms, strict=True)]
        cut.append(figure(f"{self.shell.times.told(policy.last_seen_at, now):>{of_age}}", of_age))
        is_gone = policy.missing_since is not None
        styles = ("", "quiet", "partial" if whom == assigned.UNKNOWN else "", state.style, "quiet")
        shown = zip(cut, styles, strict=True)
        return Row(policy.id, tuple(Cell(text, "quiet" if is_gone else style) for text, style in shown if text))

    @property
    def place(self) -> str:
        return f"{self.tenant}, {self.shell.backend.kind_label(self.kind)}"

    def tenant_chosen(self) -> None:
        self.tenant = self.shell.tenant or self.tenant
        self.show_from_start()

    # -- what is done -----------------------------------------------------------------------------------------------------

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        self.shell.navigator.policy(message.key)
