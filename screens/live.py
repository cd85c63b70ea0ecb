"""The base of the screens that show what is going on: they get every snapshot while they are on top, and ask for what they show."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from textual import events
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen

from screens.resizing import NewestSize
from store.snapshot import Request, Snapshot

if TYPE_CHECKING:
    from screens.monitor import Monitor

T = TypeVar("T")


class Keys(Enum):
    """What becomes of keys while something is done in the background. Esc always acts at once.

    They go on, they wait until it is done, or they wait because it opens what they are meant for; then esc gives it up.
    """

    GO_ON = "go on"
    WAIT = "wait"
    ARE_FOR_IT = "are for it"


class Live:
    """What a screen adds to the poll (`asks`), and what it does with a snapshot (`show`)."""

    _enabled_keys: object = None

    @property
    def monitor(self) -> Monitor:
        return cast("Monitor", cast("Screen[Any]", self).app)

    def asks(self, request: Request) -> Request:
        """The request with what this screen shows."""
        return request

    def show(self, snapshot: Snapshot) -> None:
        """Show a new snapshot: paint what changed."""

    def show_freshness(self, words: str) -> None:
        """The freshness has other words than before."""

    def tenant_chosen(self) -> None:
        """Another tenant was chosen: what was shown, or marked, is of another list."""

    def why_not(self, action: str) -> str | None:
        """Why an action cannot be done now; None when it can."""
        return None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Textual shows an action dimmed, and does not run it, when this is None."""
        return None if self.why_not(action) else True

    def refresh_keys(self) -> None:
        """Once the screen is painted, have the footer dim other keys, if they are others: it lays itself out anew for that."""
        screen = cast("Screen[Any]", self)
        screen.call_after_refresh(self._refresh_keys)

    def _refresh_keys(self) -> None:
        screen = cast("Screen[Any]", self)
        enabled = [(active.binding, active.enabled) for active in screen.active_bindings.values()]
        if enabled != self._enabled_keys:
            self._enabled_keys = enabled
            screen.refresh_bindings()

    def in_background(
        self, work: Callable[[], T], then: Callable[[T | Exception], None], keys: Keys = Keys.GO_ON
    ) -> None:
        """Do `work` in a thread and go on with its result, or error, if the screen is still there by then."""
        screen = cast("Screen[Any]", self)

        def unless_closed(result: T | Exception) -> None:
            if screen.is_attached:
                then(result)

        self.monitor.in_background(work, unless_closed, keys)

    def on_paste(self, event: events.Paste) -> None:
        """A paste that no field has taken does nothing: it is no row of keys."""
        event.stop()
        self.monitor.say("A paste goes into a field: / opens the filter, s a form.", "warning")

    def explain(self, event: events.Key) -> None:
        """A key whose action is dimmed says why."""
        for binding in cast("Screen[Any]", self)._bindings.key_to_bindings.get(event.key, []):
            if reason := self.why_not(binding.action):
                self.monitor.say(reason, "warning")
                event.stop()


class LiveScreen(NewestSize, Live, Screen[None]):
    """A whole screen. Esc goes back, and never quits."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Back", show=False)]

    def on_screen_resume(self) -> None:
        self.monitor.resumed()

    def action_back(self) -> None:
        if len(self.app.screen_stack) > 2:
            self.dismiss()


class LiveModal(NewestSize, Live, ModalScreen[None]):
    """A screen over another one. Esc closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Close"),
        Binding("q", "app.quit", "Quit", show=False),
    ]

    def on_screen_resume(self) -> None:
        self.monitor.resumed()

    def action_back(self) -> None:
        self.dismiss()
