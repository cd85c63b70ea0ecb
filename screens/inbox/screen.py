"""The user's notifications (queued, completed), newest first. Opening a run, or clearing, marks them as read."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from screens.base import TableScreen
from screens.text.column_widths import ColumnSpec, column_widths, heading
from screens.text.safe import figure, fit
from screens.widgets.row_diff import Cell, Row
from screens.widgets.row_table import RowTable
from store.model.records import Notification, Outcome
from store.snapshot import Request, Snapshot

#: The columns: unread mark, age, run, title, details.
_PARTS: Final = (
    ColumnSpec(1, 1, 0),
    ColumnSpec(5, 5, 3),
    ColumnSpec(7, 7, 1),
    ColumnSpec(30, 10, 2),
    ColumnSpec(10, 10, 4, grow=1),
)
#: What went wrong is told in its colour while it is unread.
_WRONG: Final = {Outcome.FAILED: "failed", Outcome.PARTIALLY_SUCCEEDED: "partial"}


def _style(notification: Notification) -> str:
    return _WRONG.get(notification.outcome, "") if notification.kind == "completed" else ""


class InboxScreen(TableScreen[None]):
    """The inbox. It shows the newest notifications only."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "clear", "Mark all read", id="clear_inbox"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[Notification, ...] | None = None

    def contribute(self, request: Request) -> Request:
        return replace(request, inbox=True)

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.inbox is None:
            return
        self._shown = snapshot.inbox
        rows = [self._row(notification, snapshot.at) for notification in snapshot.inbox]
        header = heading(("", self.shell.times.heading(), "Run", "What", "Details"), self._rooms)
        self.table.show(rows, header)
        nothing = "Nothing yet: you are notified when runs that you started are queued and completed."
        newest = f"The newest {len(rows)}, of which {sum(n.read_at is None for n in snapshot.inbox)} are new."
        self.put_words(newest if rows else nothing)
        self.refresh_keys()

    @property
    def _rooms(self) -> list[int]:
        mark, age, *others = _PARTS
        return column_widths([mark, self.shell.times.room(age), *others], self.size.width - 2)

    def _row(self, notification: Notification, now: dt.datetime) -> Row:
        new = notification.read_at is None
        mark = ("*" if self.shell.ascii_only else "●") if new else " "
        of_mark, of_age, of_run, of_title, of_body = self._rooms
        texts = [fit(mark, of_mark), figure(self.shell.times.told(notification.created_at, now), of_age)]
        texts += [figure(str(notification.run_id), of_run), fit(notification.title, of_title)]
        texts += [fit(notification.body, of_body)]
        styles = ("accent", "quiet", "", _style(notification), "") if new else ("quiet",) * 5
        shown = zip(texts, styles, strict=True)
        return Row(notification.id, tuple(Cell(text, style) for text, style in shown if text))

    @property
    def place(self) -> str:
        return "inbox"

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        chosen = next((n for n in self._shown or () if n.id == message.key), None)
        if chosen:
            self.shell.navigator.run(chosen.run_id)

    def disabled_reason(self, action: str) -> str | None:
        if action == "clear" and not any(n.read_at is None for n in self._shown or ()):
            return "Everything is read."
        return None

    def action_clear(self) -> None:
        """Mark the notifications shown now as read; later ones stay new."""
        shell, newest = self.shell, max((n.id for n in self._shown or ()), default=0)
        user, mark_read = shell.backend.user, shell.backend.mark_read

        def clear() -> None:
            shell.background.run(lambda: mark_read(user.id, None, newest), lambda _: shell.poll_now())

        shell.ask("Mark all notifications as read?", clear)
