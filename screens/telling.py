"""The application as far as it tells something: toasts, a few words in the header, and what goes to the terminal itself."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from textual.app import App
from textual.css.query import NoMatches
from textual.notifications import Notification, Notify
from textual.timer import Timer

from screens.base import PolledScreen, PolledView
from screens.notify import toasts
from screens.notify.toasts import Severity, Toast
from screens.terminal import osc
from screens.text.safe import clean

if TYPE_CHECKING:
    from textual.driver import Driver

#: Seconds for which a flash stands.
_FLASH: Final = 1.5


class TellingApp(App[None]):
    """Whatever a text is, none of it is obeyed by the terminal or parsed as markup."""

    CSS = toasts.STYLE

    def __init__(self, driver_class: type[Driver] | None = None) -> None:
        super().__init__(driver_class=driver_class)
        #: What stands in the header for a moment; "" if nothing does.
        self.flashed = ""
        self._flash_timer: Timer | None = None
        #: The run that the newest toast of a run is about.
        self.run_told_of: int | None = None
        #: What is told of a run now, by its id: the next toast about it takes its place.
        self._told: dict[int, Notification] = {}

    def show_on_top(self, action: Callable[[PolledView], None]) -> None:
        """Do it to the screen on top. The others are told when they come back: Textual would paint all for one that is behind."""
        if not self.screen_stack:  # the end
            return
        screen = self.screen
        # One that is being put together, or taken down, has not all of its parts.
        if isinstance(screen, PolledView) and screen.is_mounted:
            with contextlib.suppress(NoMatches):
                action(screen)

    def message(self, text: str, severity: Severity = "information", seconds: float | None = None) -> None:
        """Show a toast that refers to no run."""
        self._put(text, severity, seconds)

    def _put(self, text: str, severity: Severity, seconds: float | None) -> Notification:
        words = "\n".join(clean(line) for line in text.split("\n"))
        stays = seconds or (toasts.ERROR_SECONDS if severity == "error" else toasts.SECONDS)
        note = Notification(words, severity=severity, timeout=stays, markup=False)
        self._on_notify(Notify(note))
        return note

    def toast(self, toast: Toast, seconds: float | None = None) -> None:
        """Show a toast for so many seconds."""
        self.run_told_of = toast.run_id or self.run_told_of
        self._told = {run_id: note for run_id, note in self._told.items() if not note.has_expired}
        if toast.run_id is not None and (earlier := self._told.pop(toast.run_id, None)):
            self._unnotify(earlier)
        note = self._put(toasts.in_one_line(toast, self.size.width), toast.severity, seconds)
        if toast.run_id is not None:
            self._told[toast.run_id] = note

    def error(self, error: Exception) -> None:
        """Show an error as a toast."""
        self.toast(toasts.of_error(error))

    def flash(self, text: str) -> None:
        """Show a few words in the header for a moment; without a header, as a toast."""
        if not isinstance(self.screen, PolledScreen) and not self.flashed:
            self.message(text, seconds=_FLASH)
        self._flash(text)
        if self._flash_timer:
            self._flash_timer.stop()
        self._flash_timer = self.set_timer(_FLASH, lambda: self._flash(""))

    def _flash(self, text: str) -> None:
        self.flashed = text
        self.show_on_top(lambda screen: screen.show_freshness())

    def to_terminal(self, sequence: str) -> None:
        """Send a sequence to the terminal, when there is one."""
        if self._driver and not self.is_headless:
            self._driver.write(sequence)

    def copy_to_clipboard(self, text: str) -> bool:  # type: ignore[override]  # the caller must know whether it was sent
        sequence = osc.clipboard(text, os.environ)
        if sequence is None:
            self.message("That is too long for the terminal's clipboard.", "warning")
        elif self._driver:
            self._clipboard = text
            self._driver.write(sequence)
        return sequence is not None
