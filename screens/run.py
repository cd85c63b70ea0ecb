"""One run, whole: how it stands, counts, failures, timeline, parameters, attempts, and why it waits."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Footer, Static

from screens import detail
from screens.live import LiveScreen
from screens.text import without_colour
from screens.widgets import bars
from store.details import Detail
from store.snapshot import Request, Snapshot


class RunScreen(LiveScreen):
    """Follows its run with every poll."""

    DEFAULT_CSS = """
    RunScreen VerticalScroll { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("r", "retry", "Retry"),
        Binding("o", "open_original", "What it retries", show=False),
        Binding("j", "scroll(1)", "Down", show=False),
        Binding("k", "scroll(-1)", "Up", show=False),
        Binding("y", "copy", "Copy id", show=False),
    ]

    def __init__(self, run_id: int) -> None:
        super().__init__()
        self.run_id = run_id
        self._detail: Detail | None = None
        self._shown: Content | None = None
        self._freshness = "loading"

    def compose(self) -> ComposeResult:
        yield bars.Line(id="header")
        with VerticalScroll():
            yield Static("Waiting for the database.", id="detail", markup=False)
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        self.show_freshness(self._freshness)

    def asks(self, request: Request) -> Request:
        return replace(request, run_id=self.run_id)

    def show(self, snapshot: Snapshot) -> None:
        if snapshot.request.run_id != self.run_id:
            return
        self._detail = snapshot.detail
        if snapshot.detail is None:
            self._put(Content(f"There is no run {self.run_id} any more, or it is not yours to see."))
        else:
            self._put(
                detail.content(
                    snapshot.detail, snapshot.at, snapshot.workers, self.size.width - 4, self.monitor.ascii_only
                )
            )
        self.refresh_keys()

    def _put(self, content: Content) -> None:
        if self.monitor.no_color:
            content = without_colour(content)
        if self._shown is None or content != self._shown or content.spans != self._shown.spans:
            self._shown = content
            self.query_one("#detail", Static).update(content)

    def show_freshness(self, words: str) -> None:
        self._freshness = words
        self.monitor.put_header(self, f"run {self.run_id}", words)

    def on_resize(self) -> None:
        self.show_freshness(self._freshness)
        if self.monitor.snapshot:
            self.show(self.monitor.snapshot)

    def why_not(self, action: str) -> str | None:
        if action == "retry":
            return self.monitor.why_no_retry(self._detail.run) if self._detail else "The run has not been read yet."
        if action == "open_original" and not (self._detail and self._detail.run.retry_of_id):
            return "This run retries no other."
        return None

    def on_key(self, event: events.Key) -> None:
        self.explain(event)

    def action_retry(self) -> None:
        if self._detail:
            self.monitor.retry(self._detail.run)

    def action_open_original(self) -> None:
        if self._detail and self._detail.run.retry_of_id:
            self.monitor.open_run(self._detail.run.retry_of_id)

    def action_scroll(self, by: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(str(self.run_id))
        self.monitor.say(f"{self.run_id} sent to terminal")
