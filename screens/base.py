"""The base of all screens: they get every snapshot while they are on top, and add to what is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer, Input

from screens.actions import RunActions
from screens.background import Keys
from screens.resizing import NewestSize
from screens.saved_views import SavedViews
from screens.shell import Shell
from screens.widgets import header_lines
from store.snapshot import Request, Snapshot

if TYPE_CHECKING:
    Base = Screen[Any]
else:
    Base = object

T = TypeVar("T")
#: What a screen was opened for, and hands back when it is left.
Result = TypeVar("Result")


class ScreenShell(Shell, Protocol):
    """The application as screens see it: also what acts for them."""

    actions: RunActions
    saved_views: SavedViews


class PolledView(Base):
    """What a screen adds to the poll (`contribute`), and what it does with a snapshot (`on_snapshot`)."""

    _enabled_keys: object = None

    @property
    def shell(self) -> ScreenShell:
        """The application."""
        return cast("ScreenShell", self.app)

    # -- for screens to say -----------------------------------------------------------------------------------------------

    def contribute(self, request: Request) -> Request:
        """The request with what this screen shows."""
        return request

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """Show a new snapshot: paint what changed."""

    def show_freshness(self) -> None:
        """How fresh it is, or what is wrong, has other words than before."""

    def tenant_chosen(self) -> None:
        """Another tenant was chosen: what was shown, or marked, is of another list."""

    def disabled_reason(self, action: str) -> str | None:
        """Why an action cannot be done now; None when it can."""
        return None

    # -- for screens to use -----------------------------------------------------------------------------------------------

    def show_again(self) -> None:
        """Show the newest snapshot once more: in another size, or with something unfolded."""
        if snapshot := self.shell.snapshot:
            self.on_snapshot(snapshot)

    def refresh_keys(self) -> None:
        """Once the screen is painted, have the footer dim other keys, if they are others: it lays itself out anew for that."""
        self.call_after_refresh(self._refresh_keys)

    def _refresh_keys(self) -> None:
        enabled = [(active.binding, active.enabled) for active in self.active_bindings.values()]
        if enabled != self._enabled_keys:
            self._enabled_keys = enabled
            self.refresh_bindings()

    def in_background(
        self, work: Callable[[], T], then: Callable[[T | Exception], None], keys: Keys = Keys.GO_ON
    ) -> None:
        """Do `work` in a thread and go on with its result, or error, if the screen is still there by then."""

        def unless_closed(result: T | Exception) -> None:
            if self.is_attached:
                then(result)

        self.shell.background.run(work, unless_closed, keys)

    # -- what all of them do ----------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Textual shows an action dimmed, and does not run it, when this is None."""
        return None if self.disabled_reason(action) else True

    def on_key(self, event: events.Key) -> None:
        """A key whose action is dimmed says why. What a field has left over is no key of the screen's."""
        if isinstance(self.focused, Input):
            return
        for binding in self._bindings.key_to_bindings.get(event.key, []):
            if reason := self.disabled_reason(binding.action):
                self.shell.message(reason, "warning")
                event.stop()

    def on_paste(self, event: events.Paste) -> None:
        """A paste that no field has taken does nothing: it is no row of keys."""
        event.stop()
        self.shell.message("A paste goes into a field: / opens the filter, s a form.", "warning")

    def on_screen_resume(self) -> None:
        self.shell.resumed()


class PolledScreen(NewestSize, PolledView, Screen[Result]):
    """A whole screen: header, what the screen itself is made of, footer. Esc goes back, and never quits."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Back", show=False)]

    @property
    def place(self) -> str:
        """Where one is, for the header."""
        raise NotImplementedError

    def compose_body(self) -> ComposeResult:
        """What stands between header and footer."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        yield from header_lines.head()
        yield from self.compose_body()
        yield Footer(compact=True, show_command_palette=False)

    def show_freshness(self) -> None:
        self.paint_header()

    def paint_header(self) -> None:
        """Write the header line: where one is, who, on which database, and how fresh it is; and under it what is wrong."""
        shell, width = self.shell, self.size.width
        unread = shell.snapshot.unread if shell.snapshot else 0
        line = header_lines.header(
            self.place, shell.backend.user.login, shell.backend.database, shell.freshness, unread, width
        )
        self.query_one("#header", header_lines.Line).put(line)
        self.query_one("#banner", header_lines.Banner).say(shell.trouble, width)

    def on_resize(self) -> None:
        self.show_freshness()
        self.show_again()

    def action_back(self) -> None:
        if len(self.app.screen_stack) > 2:
            self.dismiss()


class PolledModal(NewestSize, PolledView, ModalScreen[Result]):
    """A screen over another one. Esc closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Close"),
        Binding("q", "app.quit", "Quit", show=False),
    ]

    def action_back(self) -> None:
        self.dismiss()
