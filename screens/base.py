"""Base classes of all screens. The screen on top gets every snapshot, and adds what it needs to the poll's request."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Input

from screens.actions import RunActions
from screens.attending import Attending
from screens.background import Keys
from screens.memory import Memory
from screens.resizing import NewestSize
from screens.saved_views import SavedViews
from screens.shell import Shell
from screens.text import format as fmt
from screens.text.safe import clean
from screens.widgets import header_lines
from screens.widgets.key_line import KeyLine
from screens.widgets.line_view import Line, LineView
from screens.widgets.row_diff import Cell
from screens.widgets.row_table import RowTable
from store.snapshot import Request, Snapshot

if TYPE_CHECKING:
    Base = Screen[Any]
else:
    Base = object

T = TypeVar("T")
#: The type of the result that a screen is dismissed with.
Result = TypeVar("Result")


class ScreenShell(Shell, Protocol):
    """The application as screens see it: the shell, plus the actions that screens start."""

    actions: RunActions
    attending: Attending
    saved_views: SavedViews
    memory: Memory


class PolledView(Base):
    """Adds what a screen shows to the poll (`contribute`), and shows each snapshot (`on_snapshot`)."""

    _enabled_keys: object = None

    @property
    def shell(self) -> ScreenShell:
        """The application."""
        return cast("ScreenShell", self.app)

    # -- for screens to override ------------------------------------------------------------------------------------------

    def contribute(self, request: Request) -> Request:
        """Return the request, extended by what this screen shows."""
        return request

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """Show a new snapshot; repaint only what changed."""

    def show_freshness(self) -> None:
        """The freshness or the banner has a new text."""

    def tenant_chosen(self) -> None:
        """The user chose another tenant: rows and marks on screen belong to the previous list."""

    def disabled_reason(self, action: str) -> str | None:
        """Why the action is not possible now; None if it is possible."""
        return None

    @property
    def would_lose(self) -> bool:
        """Whether something that was entered would be lost by leaving now. Then esc asks first."""
        return False

    # -- for screens to use -----------------------------------------------------------------------------------------------

    def show_again(self) -> None:
        """Show the newest snapshot again, after a resize or after something was unfolded."""
        if snapshot := self.shell.snapshot:
            self.on_snapshot(snapshot)

    def refresh_keys(self) -> None:
        """Update the footer after the next paint, but only if other keys are enabled now: a refresh costs the footer a
        new layout.
        """
        self.call_after_refresh(self._refresh_keys)

    def _refresh_keys(self) -> None:
        enabled = [(active.binding, active.enabled) for active in self.active_bindings.values()]
        if enabled != self._enabled_keys:
            self._enabled_keys = enabled
            self.refresh_bindings()

    def in_background(
        self, work: Callable[[], T], then: Callable[[T | Exception], None], keys: Keys = Keys.GO_ON
    ) -> None:
        """Run `work` in a thread and pass its result, or its exception, to `then`, unless the screen was closed
        meanwhile.
        """

        def unless_closed(result: T | Exception) -> None:
            if self.is_attached:
                then(result)

        self.shell.background.run(work, unless_closed, keys)

    # -- the same for all screens -----------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """None makes Textual dim an action and not run it."""
        return None if self.disabled_reason(action) else True

    def on_key(self, event: events.Key) -> None:
        """Explain why a dimmed key does nothing. Keys that a text field did not use are ignored."""
        if isinstance(self.focused, Input):
            return
        for binding in self._bindings.key_to_bindings.get(event.key, []):
            if reason := self.disabled_reason(binding.action):
                self.shell.message(reason, "warning")
                event.stop()
                return
        if event.key not in self.active_bindings:
            self.shell.flash("? for keys")

    def on_paste(self, event: events.Paste) -> None:
        """Refuse a paste that no field took: its characters must not act as keys."""
        event.stop()
        self.shell.message("A paste goes into a field: / opens the filter, s a form.", "warning")

    def on_screen_resume(self) -> None:
        self.shell.resumed()

    def action_back(self) -> None:
        """Leave; ask first if something would be lost."""
        if self.would_lose:
            self.shell.ask("Leave? What was entered is lost.", self.leave)
        else:
            self.leave()

    def leave(self) -> None:
        """Close the screen. The one at the bottom stays."""
        if len(self.app.screen_stack) > 2:
            self.dismiss()


class PolledScreen(NewestSize, PolledView, Screen[Result]):
    """A full screen: header, body, footer. Esc goes back, and never quits the program.

    A field is a ground; without grounds (16 colours, none), it is a line at the left edge.
    """

    DEFAULT_CSS = """
    PolledScreen Input:ansi, PolledScreen SelectCurrent:ansi { border: none; border-left: solid $line; padding: 0 1 0 0; }
    PolledScreen Input:nocolor, PolledScreen SelectCurrent:nocolor {
        border: none; border-left: solid $line; padding: 0 1 0 0;
    }
    PolledScreen Input:ansi:focus, PolledScreen Input:nocolor:focus { border-left: outer $accent; padding: 0 1 0 0; }
    PolledScreen Select:ansi:focus > SelectCurrent { border: none; border-left: outer $accent; padding: 0 1 0 0; }
    PolledScreen Input:ansi > .input--cursor { background: ansi_default; color: ansi_default; text-style: reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("q", "back", "Back", show=False),
    ]

    @property
    def place(self) -> str:
        """The screen's name for the header, such as `run 17`."""
        raise NotImplementedError

    def compose_body(self) -> ComposeResult:
        """Yield the widgets between header and footer."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        yield from header_lines.head()
        yield from self.compose_body()
        yield KeyLine()

    def show_freshness(self) -> None:
        self.paint_header()

    def paint_header(self) -> None:
        """Write the header (place, user, database, freshness) and the banner with what is wrong."""
        shell, width = self.shell, self.size.width
        unread = shell.snapshot.unread if shell.snapshot else 0
        line = header_lines.header(
            self.place, shell.backend.user.login, shell.backend.database, shell.freshness, unread, width, shell.flashed
        )
        self.query_one("#header", header_lines.Line).put(line)
        self.query_one("#banner", header_lines.Banner).say(shell.trouble, width)

    def on_resize(self) -> None:
        self.show_freshness()
        self.show_again()

    def on_click(self, event: events.Click) -> None:
        """A click on the number of notifications opens the inbox."""
        header = self.query_one("#header", header_lines.Line)
        if event.widget is header and header_lines.is_on_inbox(header.text, event.x):
            self.shell.navigator.inbox()


class TableScreen(PolledScreen[Result]):
    """A whole screen that is one table under a line of words."""

    def compose_body(self) -> ComposeResult:
        yield header_lines.Line(id="words")
        yield RowTable()

    def on_mount(self) -> None:
        self.table.focus()
        self.put_words(fmt.WAITING)

    @property
    def table(self) -> RowTable:
        """The table."""
        return self.query_one(RowTable)

    def put_words(self, words: str) -> None:
        """Write the line above the table."""
        self.query_one("#words", header_lines.Line).put(Content(clean(f" {words}")))


class LinesScreen(PolledScreen[Result]):
    """A whole screen that is one page of lines to read."""

    DEFAULT_CSS = "LinesScreen LineView { margin: 0 1; }"

    def compose_body(self) -> ComposeResult:
        yield LineView()

    def on_mount(self) -> None:
        self.page.focus()
        self.say(fmt.WAITING)
        self.paint_header()

    @property
    def page(self) -> LineView:
        """The page."""
        return self.query_one(LineView)

    def say(self, told: str) -> None:
        """Show this sentence and nothing else."""
        self.page.show([Line("words", (Cell(told),))])


class PolledModal(NewestSize, PolledView, ModalScreen[Result]):
    """A dialog above another screen. Esc closes it. Where there are no grounds of its own, it has a border."""

    DEFAULT_CSS = """
    PolledModal > Vertical:ansi, PolledModal > Vertical:nocolor { border: round $line; padding: 0; }
    PolledModal > VerticalScroll:ansi, PolledModal > VerticalScroll:nocolor { border: round $line; padding: 0 1; }
    PolledModal OptionList { border: none; padding: 0; background: $panel; scrollbar-size-vertical: 1; }
    PolledModal OptionList:focus { border: none; background-tint: $foreground 0%; }
    PolledModal Input:ansi, PolledModal Input:nocolor { border-left: solid $line; padding: 0 1 0 0; }
    PolledModal Input:ansi:focus, PolledModal Input:nocolor:focus { border-left: outer $accent; padding: 0 1 0 0; }
    PolledModal Input:ansi > .input--cursor { background: ansi_default; color: ansi_default; text-style: reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Close"),
        Binding("q", "back", "Close", show=False),
    ]
