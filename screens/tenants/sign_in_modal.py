"""Signing a person in to search a tenant's directory: what to do in a browser. Any key stops it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from screens.base import PolledModal
from screens.text.safe import clean

if TYPE_CHECKING:
    from tasks.graph.group_search import GroupSearch, Prompt, SignInOutcome


class SignInModal(PolledModal[str]):
    """It is dismissed with the end of the sign-in, in words. The token is the search's alone: it never comes here."""

    DEFAULT_CSS = """
    SignInModal { align: center middle; }
    SignInModal Vertical { width: 76; max-width: 100%; height: auto; padding: 1 2; background: $panel; }
    SignInModal Static { height: auto; }
    SignInModal #code { text-style: bold; padding: 1 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "back", "Stop")]

    def __init__(self, search: GroupSearch) -> None:
        super().__init__()
        self._search = search
        self._cancel = threading.Event()
        self._is_over = False

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("Asking for a code…", id="what", markup=False)
            yield Static("", id="code", markup=False)
            yield Static("Any key stops it.", id="keys", markup=False)

    def on_mount(self) -> None:
        shell, search, cancel = self.shell, self._search, self._cancel

        def show(prompt: Prompt) -> None:
            shell.call_soon(lambda: self._show(prompt))

        self.in_background(lambda: search.sign_in(cancel, show), self._ended)

    def _show(self, prompt: Prompt) -> None:
        if self.is_attached:
            self.query_one("#what", Static).update(f"To sign in, open {clean(prompt.address)} and enter the code")
            self.query_one("#code", Static).update(clean(prompt.user_code))

    def _ended(self, outcome: SignInOutcome | Exception) -> None:
        # An exception says nothing that a person could use, and may hold what nobody is to see.
        self._end("the sign-in did not work" if isinstance(outcome, Exception) else outcome.text)

    def on_key(self, event: events.Key) -> None:
        event.stop()
        self.action_back()

    def action_back(self) -> None:
        self._cancel.set()
        self._end("the sign-in was stopped")

    def _end(self, words: str) -> None:
        """Close it once: a key and the end of the sign-in may come together."""
        if not self._is_over:
            self._is_over = True
            self.dismiss(words)

    def on_unmount(self) -> None:
        self._cancel.set()
