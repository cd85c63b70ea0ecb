"""The screen of one run: state, why it waits, counts, failures, timeline, parameters, attempts and related records."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from screens.base import PolledScreen
from screens.run import sections
from screens.text import format as fmt
from screens.text import json_tree
from screens.text.json_tree import Path
from screens.widgets.line_view import Line, LineView
from screens.widgets.row_diff import Cell
from store.model.records import Status
from store.runs.detail import RunDetail
from store.snapshot import Request, Snapshot

#: Actions that need the run, each with the reason shown if the run does not allow it.
_NEED_THE_RUN: Final = {
    "retry": "",
    "edit_retry": "",
    "card": "",
    "fold": "",
    "follow": "The run is completed: there is nothing more to follow.",
    "open_original": "This run retries no other.",
    "attempt(-1)": "There is no attempt before this one.",
    "attempt(1)": "There is no attempt after this one.",
}


class RunScreen(PolledScreen[None]):
    """Shows the run anew with every poll, and follows its timeline while the timeline's end is in view."""

    DEFAULT_CSS = "RunScreen LineView { margin: 0 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("r", "retry", "Retry", id="retry"),
        Binding("e", "edit_retry", "Edit", id="edit_retry"),
        Binding("c", "card", "Card", id="card"),
        Binding("f", "follow", "Follow", id="follow"),
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

    def compose_body(self) -> ComposeResult:
        yield LineView(id="detail")

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
            shell, width = self.shell, max(20, self.size.width - 4)
            rescues = shell.backend.rescues() and not snapshot.only_reads
            workers, ascii_only = snapshot.workers, shell.ascii_only
            view = sections.View(snapshot.at, workers, self._opened, width, ascii_only, rescues, shell.times)
            self._page.show(sections.lines(snapshot.detail, view), follow=sections.END if follows else None)
        self.paint_header()
        self.refresh_keys()

    def _say(self, words: str) -> None:
        self._page.show([Line("words", (Cell(words),))])

    @property
    def _follows(self) -> bool:
        """Whether to scroll to new lines: not if the user has scrolled away from the end."""
        return self._follow and self._is_active and self._page.shows(sections.END)

    @property
    def _is_active(self) -> bool:
        return self._detail is not None and self._detail.run.status is not Status.COMPLETED

    @property
    def place(self) -> str:
        return f"run {self.run_id}, following" if self._follows else f"run {self.run_id}"

    def on_line_view_scrolled(self) -> None:
        self.paint_header()

    # -- keys -------------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return super().check_action(f"attempt({parameters[0]})" if action == "attempt" else action, parameters)

    def disabled_reason(self, action: str) -> str | None:
        if self._detail is None:
            return "The run has not been read yet." if action in _NEED_THE_RUN else None
        run = self._detail.run
        if action in ("retry", "edit_retry"):
            return self.shell.actions.why_no_retry(run)
        impossible = {
            "open_original": not run.retry_of_id,
            "follow": not self._is_active,
            "attempt(-1)": not self._attempt(-1),
            "attempt(1)": not self._attempt(1),
        }
        return _NEED_THE_RUN[action] if impossible.get(action) else None

    def action_retry(self) -> None:
        if self._detail:
            self.shell.actions.retry(self._detail.run)

    def action_edit_retry(self) -> None:
        if self._detail:
            self.shell.actions.edit_retry(self._detail.run)

    def action_card(self) -> None:
        if self._detail:
            self.shell.navigator.incident(self._detail)

    def action_follow(self) -> None:
        """Go to the end of the timeline and follow it; if it is followed already, stop following."""
        self._follow = not self._follows
        if self._follow:
            self._page.scroll_to_key(sections.END)
        self.paint_header()

    def action_fold(self) -> None:
        """Unfold everything; if everything is unfolded, fold everything."""
        if self._detail:
            everything = frozenset(path for path, _ in json_tree.foldable(self._detail.run.context or {}))
            self._opened = frozenset() if everything <= (self._opened or frozenset()) else everything
            self.show_again()

    def on_line_view_activated(self, message: LineView.Activated) -> None:
        if isinstance(message.target, int):
            self._open(message.target)
        else:
            self._opened = (self._opened or frozenset()) ^ {message.target}
            self.show_again()

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
        self.app.copy_to_clipboard(str(self.run_id))
        self.shell.message(f"{self.run_id} sent to terminal")
