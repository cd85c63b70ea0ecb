"""The screen of one run: state, why it waits, counts, failures, timeline, parameters, attempts and related records."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from screens.acting import ActsOnRun
from screens.base import PolledScreen
from screens.run import log_lines, sections
from screens.run.log_search import LogSearch
from screens.run.parts import View
from screens.text import format as fmt
from screens.text import json_tree
from screens.text.json_tree import Path
from screens.widgets import header_lines
from screens.widgets.line_view import Line, LineView
from screens.widgets.name_search import NameSearch
from screens.widgets.row_diff import Cell
from store.model.records import Run, Status
from store.runs.detail import RunDetail
from store.snapshot import Request, Snapshot

#: Actions that need the run, each with the reason shown if the run does not allow it.
_NEED_THE_RUN: Final = {
    "retry": "",
    "edit_retry": "",
    "acknowledge": "",
    "watch": "",
    "card": "",
    "fold": "",
    "follow": "The run is completed: there is nothing more to follow.",
    "open_original": "This run retries no other.",
    "attempt(-1)": "There is no attempt before this one.",
    "attempt(1)": "There is no attempt after this one.",
}


class RunScreen(ActsOnRun, PolledScreen[None]):
    """Shows the run anew with every poll, and follows its timeline while the timeline's end is in view."""

    DEFAULT_CSS = """
    RunScreen LineView { margin: 0 1; }
    RunScreen #found { display: none; background: $surface; }
    RunScreen #found.shown { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "match(1)", "Next match", show=False, id="next_match"),
        Binding("N", "match(-1)", "Previous match", show=False, id="previous_match"),
        Binding("r", "retry", "Retry", id="retry"),
        Binding("e", "edit_retry", "Edit", show=False, id="edit_retry"),
        Binding("c", "card", "Card", id="card"),
        Binding("a", "acknowledge", "Ack", id="acknowledge"),
        Binding("W", "watch", "Watch", show=False, id="watch"),
        Binding("slash", "search", "Search", id="filter"),
        Binding("f", "follow", "Follow", id="follow"),
        # The footer has no room for it at 80 columns.
        Binding("t", "app.tenant", "Tenant", show=False, tooltip="Choose a tenant", id="tenant"),
        Binding("o", "open_original", "What it retries", show=False, id="original"),
        Binding(
            "left_square_bracket", "attempt(-1)", "Attempt before", key_display="[", show=False, id="attempt_before"
        ),
        Binding("right_square_bracket", "attempt(1)", "Attempt after", key_display="]", show=False, id="attempt_after"),
        Binding("z", "fold", "Unfold or fold all", show=False, id="fold"),
        Binding("y", "copy", "Copy id", show=False, id="copy"),
    ]

    def __init__(self, run_id: int) -> None:
        super().__init__()
        self.run_id = run_id
        self._detail: RunDetail | None = None
        self._opened: frozenset[Path] | None = None
        self._follow = True
        #: The search in the log; None while none stands.
        self._search: LogSearch | None = None
        #: What is searched for once the run has been read.
        self._typed_ahead = ""

    def compose_body(self) -> ComposeResult:
        yield LineView(id="detail")
        yield NameSearch("a text in the log; enter searches, esc leaves")
        yield header_lines.Line(id="found")

    def on_mount(self) -> None:
        self._page.focus()
        self._say(fmt.WAITING)
        self.paint_header()
        shell, run_id = self.shell, self.run_id
        # Opening the run marks its notifications as read.
        user_id = shell.backend.user.id
        shell.background.run(lambda: shell.backend.mark_read(user_id, run_id, None), lambda _: shell.poll_now())

    @property
    def _page(self) -> LineView:
        return self.query_one(LineView)

    def contribute(self, request: Request) -> Request:
        return replace(request, run_id=self.run_id)

    # -- what is shown ----------------------------------------------------------------------------------------------------

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.request.run_id != self.run_id:
            return
        # Computed before new lines are added: is the end of the timeline in view?
        follows = self._follows
        self._detail = snapshot.detail
        if snapshot.detail is None:
            self._say(f"There is no run {self.run_id} any more, or it is not yours to see.")
        else:
            if self._opened is None:
                self._opened = json_tree.opened_at_first(snapshot.detail.run.context or {})
            self._search = self._search.read(snapshot.detail) if self._search else None
            view = self._view(snapshot, self._opened)
            self._page.show(sections.lines(snapshot.detail, view), follow=log_lines.END if follows else None)
            self._paint_search()
            if text := self._typed_ahead:
                self._typed_ahead = ""
                self.call_after_refresh(self._search_for, text)
        self.paint_header()
        self.refresh_keys()

    def _view(self, snapshot: Snapshot, opened: frozenset[Path]) -> View:
        shell, search = self.shell, self._search or LogSearch("")
        rescues = shell.backend.rescues() and not snapshot.only_reads
        width = max(20, self.size.width - 4)
        return View(
            snapshot.at,
            snapshot.workers,
            opened,
            width,
            shell.ascii_only,
            rescues,
            search.text,
            search.at,
            shell.times,
        )

    def _say(self, words: str) -> None:
        self._page.show([Line("words", (Cell(words),))])

    @property
    def _follows(self) -> bool:
        """Whether to scroll to new lines: not if the user has scrolled away from the end."""
        return self._follow and not self._search and self._is_active and self._page.shows(log_lines.END)

    @property
    def _is_active(self) -> bool:
        return self._detail is not None and self._detail.run.status is not Status.COMPLETED

    @property
    def place(self) -> str:
        snapshot = self.shell.snapshot
        detail = snapshot.detail if snapshot and snapshot.request.run_id == self.run_id else None
        told = f"{detail.run.tenant} ▸ run {self.run_id}" if detail else f"run {self.run_id}"
        return f"{told}, following" if self._follows else told

    def on_line_view_scrolled(self) -> None:
        self.paint_header()

    @property
    def painted_run(self) -> Run | None:
        """The run as it is shown; None before it was read."""
        return self._detail.run if self._detail else None

    @property
    def is_watched(self) -> bool | None:
        """Whether the user watches the run; None before it was read."""
        return self._detail.watched if self._detail else None

    # -- keys -------------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "match" and not (self._search and self._search.keys):
            return False  # the keys are the application's: n shows the inbox
        return super().check_action(f"attempt({parameters[0]})" if action == "attempt" else action, parameters)

    def disabled_reason(self, action: str) -> str | None:
        if self._detail is None:
            return "The run has not been read yet." if action in _NEED_THE_RUN else None
        run = self._detail.run
        impossible = {
            "open_original": not run.retry_of_id,
            "follow": not self._is_active,
            "attempt(-1)": not self._attempt(-1),
            "attempt(1)": not self._attempt(1),
        }
        return _NEED_THE_RUN[action] if impossible.get(action) else self.why_not(action, run)

    def action_card(self) -> None:
        if self._detail:
            self.shell.navigator.incident(self._detail)

    def action_follow(self) -> None:
        """Go to the end of the timeline and follow it; if it is followed already, stop following."""
        self._follow = not self._follows
        if self._follow:
            self._page.scroll_to_key(log_lines.END)
        self.paint_header()

    def action_fold(self) -> None:
        """Unfold everything; if everything is unfolded, fold everything."""
        if self._detail:
            everything = frozenset(path for path, _ in json_tree.foldable(self._detail.run.context or {}))
            everything |= log_lines.fold_targets(self._detail)
            self._opened = frozenset() if everything <= (self._opened or frozenset()) else everything
            self.show_again()

    def on_line_view_activated(self, message: LineView.Activated) -> None:
        if isinstance(message.target, int):
            self._open(message.target)
        else:
            self._opened = (self._opened or frozenset()) ^ {message.target}
            self.show_again()

    # -- the search in the log ----------------------------------------------------------------------------------------------

    def action_search(self) -> None:
        """Open the line for the search."""
        self.query_one(NameSearch).open(self._search.text if self._search else "")

    def on_input_submitted(self, message: Input.Submitted) -> None:
        self._leave_search()
        self._search_for(message.value.strip())

    def on_name_search_left(self) -> None:
        self._leave_search()

    def _leave_search(self) -> None:
        self.query_one(NameSearch).close()
        self._page.focus()

    def _search_for(self, text: str) -> None:
        """Go to the first line that has the text, from the top of what is in view on; with "", end the search.

        A run that has not been read yet is searched once it has.
        """
        self._search = None
        self._typed_ahead = "" if self._detail else text
        if text and self._detail:
            self._unfold_log()
            self.show_again()
            self._search = LogSearch(text).read(self._detail).begin(self._moments_from_top())
        self._show_match()

    def _unfold_log(self) -> None:
        """Unfold what the search looks through, which may have been folded since, or have come folded: it stays so."""
        if self._detail:
            self._opened = (self._opened or frozenset()) | log_lines.fold_targets(self._detail)

    def _moments_from_top(self) -> frozenset[object]:
        keys = [line.key for line in self._page.lines[round(self._page.scroll_y) :]]
        return frozenset(
            key[0][1] for key in keys if isinstance(key, tuple) and isinstance(key[0], tuple) and len(key[0]) > 1
        )

    def _show_match(self) -> None:
        """Mark what is found, and bring the match that the search is at into view."""
        self.show_again()
        self._paint_search()
        if self._search and self._search.keys:
            key = log_lines.line_key(self._search.at)
            self._page.reveal(key if any(line.key == key for line in self._page.lines) else log_lines.END)
        self.paint_header()
        self.refresh_keys()

    def _paint_search(self) -> None:
        line = self.query_one("#found", header_lines.Line)
        line.set_class(self._search is not None, "shown")
        if self._search and self._detail:
            line.put(self._search.words(self._detail, self.size.width))

    def action_match(self, by: int) -> None:
        if self._search:
            self._search = self._search.go(by)
            self._unfold_log()
            self._show_match()

    def action_back(self) -> None:
        """End the search, and stay where one is; without one, go back."""
        if self._search:
            self._search_for("")
        else:
            super().action_back()

    def action_open_original(self) -> None:
        if self._detail and self._detail.run.retry_of_id:
            self._open(self._detail.run.retry_of_id)

    def action_attempt(self, by: int) -> None:
        if there := self._attempt(by):
            self._open(there)

    def _attempt(self, by: int) -> int | None:
        """The id of the attempt `by` positions after this one; None if there is none."""
        ids = [run.id for run in self._detail.attempts] if self._detail else []
        place = ids.index(self.run_id) + by if self.run_id in ids else -1
        return ids[place] if 0 <= place < len(ids) else None

    def _open(self, run_id: int) -> None:
        """Open another run. If that is the screen below, go back to it, so that screens do not pile up."""
        below = self.app.screen_stack[-2]
        if isinstance(below, RunScreen) and below.run_id == run_id:
            self.dismiss()
        else:
            self.shell.navigator.run(run_id)

    def action_copy(self) -> None:
        self.copy_id(self.run_id)
