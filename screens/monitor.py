"""The application: bindings and wiring. What it shows, does and tells is made elsewhere."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events, on
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.filter import LineFilter
from textual.message import Message
from textual.theme import ThemeProvider

from screens import palette
from screens.actions import RunActions
from screens.attending import Attending
from screens.backend import PLAIN, Appearance, Backend
from screens.background import BackgroundTasks
from screens.base import PolledView
from screens.bulk_retry import BulkRetry
from screens.gate import TYPED, Gate
from screens.memory import AS_EVER, Memory, Opening
from screens.navigator import Navigator
from screens.notify.notifier import Notifier
from screens.polled import PolledApp
from screens.resizing import Ground, Palette
from screens.runs import paging
from screens.saved_views import SavedViews
from screens.terminal.driver import DiffingDriver
from screens.text import roles, themes
from screens.text.ascii import AsciiSigns
from screens.text.times import TimeStyle
from store.search.filter import RunFilter
from store.search.last_view import LastView
from store.search.saved_views import SavedView
from store.snapshot import Snapshot

if TYPE_CHECKING:
    from textual.driver import Driver

#: Keys after which one who was never here is still told the first three.
_MOVES: Final = frozenset({"j", "k", "up", "down", "g", "G", "pageup", "pagedown", "ctrl+d", "ctrl+u"})
#: Keys that Textual shows as glyphs.
KEYS_IN_ASCII: Final = {"⏎": "enter", "↑": "up", "↓": "down", "←": "left", "→": "right", "␣": "space", "⇥": "tab"}


class Monitor(PolledApp):
    """opsmon's screens over one backend."""

    TITLE = "opsmon"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS = set(palette.PROVIDERS)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "tenant", "Tenant", tooltip="Choose a tenant", id="tenant"),
        Binding("n", "show('inbox')", "Inbox", tooltip="Inbox: your notifications", id="notifications"),
        Binding("b", "bulk", "Bulk retries", show=False, id="bulk"),
        Binding("w", "show('workers')", "Workers and queue", show=False, id="workers"),
        Binding("i", "show_of_one('inventory', 'Inventory of')", "Inventory", show=False, id="inventory"),
        Binding("D", "show_of_one('directory', 'Directory of')", "Directory", show=False, id="directory"),
        Binding("C", "show_of_one('drift', 'Drift of')", "Drift", show=False, id="drift"),
        Binding("S", "show_of_one('schedules', 'Schedules of')", "Schedules", show=False, id="schedules"),
        Binding("B", "show_of_one('backups', 'Backups of')", "Backups", show=False, id="backups"),
        Binding("T", "show_of_one('tenant', 'Settings of')", "Tenant settings", show=False, id="tenant_settings"),
        Binding("X", "show_of_one('restores', 'Restores into')", "Restores", show=False, id="restores"),
        Binding("U", "show('audit')", "Audit trail", show=False, id="audit"),
        Binding("v", "view_newest", "The run of the newest toast", show=False, id="view_run"),
        Binding("Z", "times", "Times as ages, in UTC, in local time", show=False, id="times"),
        Binding("p", "pause", "Pause or resume polling", show=False, id="pause"),
        Binding("R,ctrl+r", "poll_now", "Poll now", show=False, id="poll_now"),
        Binding("plus", "rate(-1)", "Poll more often", show=False, id="faster"),
        Binding("minus", "rate(1)", "Poll less often", show=False, id="slower"),
        Binding("colon,ctrl+k,ctrl+p", "command_palette", "More", tooltip="Palette of commands", id="palette"),
        Binding("ctrl+l", "redraw", "Redraw the screen", show=False, id="redraw"),
        Binding("ctrl+z", "suspend_process", "Suspend opsmon", show=False, id="suspend"),
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True, tooltip="Quit opsmon", id="quit_anywhere"),
        Binding("question_mark", "help", "Keys", key_display="?", tooltip="Help: all keys", id="help"),
    ]

    class Done(Message):
        """Something that was done in the background has ended; `then` goes on with it in the app's own thread."""

        def __init__(self, then: Callable[[], None]) -> None:
            self.then = then
            super().__init__()

    def __init__(
        self,
        backend: Backend,
        *,
        ascii_only: bool = False,
        look: Appearance = PLAIN,
        driver_class: type[Driver] | None = None,
        opening: Opening = AS_EVER,
    ) -> None:
        last = opening.last or LastView()
        super().__init__(backend, last.poll_seconds, driver_class)
        self.ascii_only = ascii_only
        self._in_ascii = AsciiSigns()
        for theme in themes.THEMES.values():
            self.register_theme(theme)
        self.theme = look.theme or themes.DARK
        self.set_keymap(look.keys)
        self._asks = look.asks
        self._opening = opening
        self.memory = Memory(self, last, is_new=opening.last is None)
        self.times = TimeStyle(last.times or look.times, look.zone)
        self.tenant: str | None = None if opening.terms else last.tenant
        self.gate = Gate(self, super().on_event)
        self.background = BackgroundTasks(backend.background, self.gate, self.call_soon)
        self.navigator = Navigator(self)
        self.actions = RunActions(self)
        self.attending = Attending(self)
        self.saved_views = SavedViews(self)
        self._warned_of: BulkRetry | None = None
        self._teller = Notifier(
            self, look.notify_by, os.environ, in_bulk=self.actions.in_bulk, may_be_in_bulk=self.actions.may_be_in_bulk
        )

    def get_default_screen(self) -> Ground:
        return Ground(id="_default")

    def on_mount(self) -> None:
        terms, run_id = self._opening.terms, self._opening.run_id
        listed = self.navigator.runs(self.memory.last.view if terms is None else SavedView("", terms))
        # As the list will ask for it: a first answer of another length would be followed by one that throws the cursor back.
        poller = self.data.poller
        poller.ask(replace(listed.contribute(poller.request), limit=paging.window(None, self.size.height)))
        if run_id is not None:
            self.navigator.run(run_id)
        poller.start()
        self.saved_views.load()
        self.background.run(self.backend.preferences.seen_at, self._have_seen)
        self.set_interval(1.0, self.show_freshness)
        self.app_suspend_signal.subscribe(self, lambda _: self._teller.close(), immediate=True)

    def on_unmount(self) -> None:
        self.gate.close()
        self.data.poller.stop()
        self._teller.close()

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key):
            self._teller.key()
            if self.memory.is_new and event.key not in _MOVES:
                self.memory.greeted()
                self.show_on_top(lambda screen: screen.show_freshness())
        if isinstance(event, events.Resize) and event.size == self._size:
            return  # nothing has changed: Textual would lay everything out and paint it anew
        if isinstance(event, TYPED) and not event.is_forwarded and self.gate.keeps(event):
            return
        await super().on_event(event)

    @on(Done)
    def _done(self, message: Done) -> None:
        message.then()

    def call_soon(self, then: Callable[[], None]) -> None:
        self.post_message(self.Done(then))

    def wait(self, seconds: float) -> bool:
        """After the end: wait until no thread of it uses the database any more. Returns whether none does."""
        for job in self.actions.jobs:
            job.stop()
        deadline = time.monotonic() + seconds
        return self.data.poller.wait(seconds) and self.backend.background.wait(max(0.0, deadline - time.monotonic()))

    # -- the tenant -------------------------------------------------------------------------------------------------------

    @property
    def no_member(self) -> str | None:
        snapshot = self.snapshot
        if snapshot is None or self.tenant is None or self.tenant in {one.tenant.slug for one in snapshot.memberships}:
            return None
        return f"you are no member of {self.tenant} any more"

    def in_tenant(self, wanted: RunFilter) -> RunFilter:
        return replace(wanted, within=self.tenant)

    def choose_tenant(self, slug: str | None) -> None:
        """Show what is in this tenant, or with None in all of them."""
        if slug != self.tenant:
            self.tenant = slug
            self.memory.note(tenant=slug)
            for screen in self.screen_stack:
                if isinstance(screen, PolledView):
                    screen.tenant_chosen()
        self.update_request()
        self.poll_now()

    # -- telling ----------------------------------------------------------------------------------------------------------

    def tell_of(self, snapshot: Snapshot) -> None:
        self._teller.show(snapshot)

    def ask(self, question: str, then: Callable[[], None]) -> None:
        if self._asks:
            self.navigator.confirm(question, then)
        else:
            then()

    def claim(self, run_ids: Sequence[int], then: Callable[[frozenset[int] | None], None]) -> None:
        """Mark the ends of watched runs as told, in the background; `then` gets those that are news."""
        self.background.run(
            lambda: self.backend.attention.tell(run_ids),
            lambda news: then(None if isinstance(news, Exception) else news),
        )

    def mark_seen(self, at: dt.datetime) -> None:
        """Keep, in the background, when the user was there."""
        self.background.run(lambda: self.backend.preferences.mark_seen(at), lambda _: None)

    def _have_seen(self, at: dt.datetime | Exception | None) -> None:
        self._teller.was_seen(None if isinstance(at, Exception) else at)

    # -- keys -------------------------------------------------------------------------------------------------------------

    def action_start(self) -> None:
        if reason := self.actions.why_no_start():
            self.message(reason, "warning")
        else:
            self.navigator.start()

    def action_tenant(self) -> None:
        self.navigator.tenants(self.choose_tenant)

    def action_show(self, screen: str) -> None:
        """Show the screen that the navigator has under this name."""
        getattr(self.navigator, screen)()

    def action_show_of_one(self, screen: str, what: str) -> None:
        """Show the screen that the navigator has under this name for one tenant; `what` is the question's beginning."""
        self.actions.in_one_tenant(what, getattr(self.navigator, screen))

    def action_help(self) -> None:
        self.navigator.help()

    def action_bulk(self) -> None:
        self.actions.show_newest_job()

    def action_view_newest(self) -> None:
        if self.run_told_of is None:
            self.message("No toast has named a run yet.", "warning")
        else:
            self.navigator.run(self.run_told_of)

    def action_rate(self, by: int) -> None:
        """The next slower rate, or the next quicker one."""
        seconds = self.data.change_rate(by)
        self.memory.note(poll_seconds=seconds)
        self.message(f"Polling every {seconds:g} s.")

    def action_times(self) -> None:
        """Show ages, then clock times in UTC, then those of the terminal's zone."""
        self.times = self.times.next
        self.memory.note(times=self.times.shown)
        self.show_on_top(lambda screen: screen.show_again())
        self.message(self.times.words(self.snapshot.at if self.snapshot else dt.datetime.now(dt.UTC)))

    def action_redraw(self) -> None:
        """Paint the screen anew: a line of somebody else's, or noise on the line, may stand on it."""
        if isinstance(self._driver, DiffingDriver):
            self._driver.invalidate()
        self.screen.refresh()

    def action_suspend_process(self) -> None:
        """Stop until the shell continues us. The worker beside the screens is a session of its own, and goes on."""
        if not (isinstance(self._driver, DiffingDriver) and self._driver.suspend()):
            self.message("There is no shell to go back to.", "warning")

    async def action_quit(self) -> None:
        """Quit; while a bulk retry is under way, the second time."""
        active = next((job for job in self.actions.jobs if job.is_active), None)
        if active and active is not self._warned_of:
            self._warned_of = active
            self.message("A bulk retry is under way: q again stops it and quits.", "warning")
            return
        for job in self.actions.jobs:
            job.stop()
        self.exit()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The roles' colours, for themes that are not ours."""
        return roles.variables(themes.palette_of(self))

    # -- Textual's own ----------------------------------------------------------------------------------------------------

    def get_line_filters(self) -> Sequence[LineFilter]:
        filters = super().get_line_filters()
        return [*filters, self._in_ascii] if self.ascii_only else filters

    def get_key_display(self, binding: Binding) -> str:
        shown = super().get_key_display(binding)
        return KEYS_IN_ASCII.get(shown, shown) if self.ascii_only else shown

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(Palette(id="--command-palette"))

    def search_themes(self) -> None:
        self.push_screen(Palette(providers=[ThemeProvider], placeholder="Which theme?"))
