"""What this user was told: queued and completed, newest first. Opening a run, or clearing, makes it read."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Footer, OptionList
from textual.widgets.option_list import Option

from screens import format as fmt
from screens.live import LiveScreen
from screens.text import clean, fit
from screens.widgets import bars
from store.records import Notification
from store.snapshot import Request, Snapshot


class InboxScreen(LiveScreen):
    """The inbox."""

    DEFAULT_CSS = """
    InboxScreen OptionList { height: 1fr; border: none; padding: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("c", "clear", "Mark all read"),
        Binding("j", "cursor(1)", "Down", show=False),
        Binding("k", "cursor(-1)", "Up", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[Notification, ...] | None = None
        self._freshness = "loading"

    def compose(self) -> ComposeResult:
        yield bars.Line(id="header")
        yield OptionList(markup=False)
        yield bars.Line(id="empty")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()
        self.query_one("#empty", bars.Line).put(Content(" Waiting for the database."))
        self.show_freshness(self._freshness)

    def asks(self, request: Request) -> Request:
        return replace(request, inbox=True)

    def show(self, snapshot: Snapshot) -> None:
        if snapshot.inbox is None or snapshot.inbox == self._shown:
            return
        self._shown = snapshot.inbox
        self._fill(snapshot)
        words = "" if snapshot.inbox else " Nothing yet: you are told when runs that you started are queued and done."
        self.query_one("#empty", bars.Line).put(Content(words))
        self.show_freshness(self._freshness)

    def _fill(self, snapshot: Snapshot) -> None:
        listed = self.query_one(OptionList)
        at = listed.highlighted_option.id if listed.highlighted_option else None
        listed.clear_options()
        listed.add_options([Option(self._line(n, snapshot), id=str(n.id)) for n in snapshot.inbox or ()])
        ids = [option.id for option in listed.options]
        listed.highlighted = ids.index(at) if at in ids else (0 if ids else None)

    def _line(self, notification: Notification, snapshot: Snapshot) -> Content:
        new = "*" if self.monitor.ascii_only else "●"
        mark = " " if notification.read_at else new
        title = fit(notification.title, 34)
        when = fmt.age(notification.created_at, snapshot.at)
        return Content.assemble(
            (f"{mark} {when:>4} ", "bold" if mark == new else ""),
            f"{notification.run_id:>7}  {title}  {clean(notification.body)}",
        )

    def show_freshness(self, words: str) -> None:
        self._freshness = words
        backend = self.monitor.backend
        unread = self.monitor.snapshot.unread if self.monitor.snapshot else 0
        self.query_one("#header", bars.Line).put(
            bars.header("inbox", backend.user.login, backend.database, words, unread, self.size.width)
        )

    def on_resize(self) -> None:
        self.show_freshness(self._freshness)

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        chosen = next((n for n in self._shown or () if str(n.id) == message.option_id), None)
        if chosen:
            self.monitor.open_run(chosen.run_id)

    def why_not(self, action: str) -> str | None:
        if action == "clear" and not any(n.read_at is None for n in self._shown or ()):
            return "Everything is read."
        return None

    def action_clear(self) -> None:
        user_id, newest = self.monitor.backend.user.id, max((n.id for n in self._shown or ()), default=0)
        self.monitor.in_background(
            lambda: self.monitor.backend.mark_read(user_id, None, newest), lambda _: self.monitor.action_poll_now()
        )

    def action_cursor(self, by: int) -> None:
        listed = self.query_one(OptionList)
        listed.action_cursor_down() if by > 0 else listed.action_cursor_up()
