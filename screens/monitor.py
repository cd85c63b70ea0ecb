"""The application: one poller, a stack of screens, toasts, and the ways from a key to the dispatcher.

Screens that open at a key, and the dispatcher, are imported then: the first paint does not wait for them.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import gc
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar

from textual import events, on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.css.query import NoMatches
from textual.events import AppBlur, AppFocus
from textual.filter import LineFilter
from textual.message import Message
from textual.screen import Screen
from textual.theme import ThemeProvider

from screens import paging, terminal, toasts, trouble
from screens.acting import Acting
from screens.ascii import AsciiSigns
from screens.backend import PLAIN, Backend, Look
from screens.bulk_job import BulkRetry
from screens.driver import ThinDriver
from screens.gate import TYPED, Gate
from screens.kept_views import KeptViews
from screens.live import Keys, Live
from screens.poller import Arrived, Freshness, Poller
from screens.resizing import Ground, Palette
from screens.runs import RunsScreen
from screens.teller import Teller
from screens.text import clean, unmarked
from screens.toasts import Severity, Toast
from screens.widgets import bars
from store.access import Membership, Right
from store.filters import RunFilter
from store.records import Run
from store.snapshot import Request, Snapshot

if TYPE_CHECKING:
    from textual.driver import Driver

    from tasks.dispatch import Dispatcher, Started

T = TypeVar("T")
S = TypeVar("S", bound=Screen[None])

#: How much slower a pane that nobody looks at polls.
BLURRED = 5
#: Seconds between two polls that + and - choose from.
RATES: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


#: Keys that Textual shows as glyphs.
KEYS_IN_ASCII: Final = {"⏎": "enter", "↑": "up", "↓": "down", "←": "left", "→": "right", "␣": "space", "⇥": "tab"}


class Monitor(App[None]):
    """opsmon's screens over one backend."""

    TITLE = "opsmon"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "tenant", "Tenant", id="tenant"),
        Binding("n", "notifications", "Inbox", id="notifications"),
        Binding("b", "bulk", "Bulk retries", show=False, id="bulk"),
        Binding("w", "workers", "Workers", show=False, id="workers"),
        Binding("v", "view_newest", "View run", show=False, id="view_run"),
        Binding("p", "pause", "Pause", show=False, id="pause"),
        Binding("R", "poll_now", "Poll now", show=False, id="poll_now"),
        Binding("plus", "rate(-1)", "Poll more often", show=False, id="faster"),
        Binding("minus", "rate(1)", "Poll less often", show=False, id="slower"),
        Binding("ctrl+l", "redraw", "Redraw", show=False, id="redraw"),
        Binding("ctrl+z", "suspend_process", "Suspend", show=False, id="suspend"),
        Binding("question_mark", "help", "Help", key_display="?", id="help"),
        Binding("q", "quit", "Quit", id="quit"),
    ]

    class Polled(Message):
        """The poller has brought something."""

        def __init__(self, arrived: Arrived) -> None:
            self.arrived = arrived
            super().__init__()

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
        look: Look = PLAIN,
        driver_class: type[Driver] | None = None,
    ) -> None:
        super().__init__(driver_class=driver_class)
        self.backend = backend
        self.ascii_only = ascii_only
        self._in_ascii = AsciiSigns()
        if look.theme:
            self.theme = look.theme
        self.set_keymap(look.keys)
        self._asks = look.asks
        self.tenant: str | None = None
        self.snapshot: Snapshot | None = None
        #: The last poll that has come back, with or without a snapshot.
        self.generation = 0
        self.freshness = Freshness()
        self._shown_freshness = ""
        #: What is wrong with the house.
        self._trouble = ""
        self._without_worker_since: float | None = None
        self._newest_toast: int | None = None
        self._said_away = False
        self._warned_of: BulkRetry | None = None
        self.gate = Gate(self, super().on_event)
        self.acting = Acting(self)
        self._teller = Teller(
            self, look.notify_by, os.environ, in_bulk=self.acting.in_bulk, may_be_in_bulk=self.acting.may_be_in_bulk
        )
        self.views = KeptViews(self)
        #: The types of the operations that there are, once somebody has asked.
        self.types: tuple[str, ...] = ()
        request = Request(backend.user.id, lost_after=backend.lost_after, silent_after=backend.silent_after)
        self._rate = backend.poll_seconds
        self._poller = Poller(backend.fetch, self._deliver, request, backend.poll_seconds)

    def get_default_screen(self) -> Ground:
        return Ground(id="_default")

    def on_mount(self) -> None:
        self.push_screen(RunsScreen())
        # As the list will ask for it: a first answer of another length would be followed by one that throws the cursor back.
        self._poller.ask(replace(self._poller.request, limit=paging.window(None, self.size.height)))
        self._poller.start()
        self.views.load()
        self.in_background(self.backend.keeps.seen_at, self._have_seen)
        self.set_interval(1.0, self._show_freshness)
        self.app_suspend_signal.subscribe(self, lambda _: self._teller.close(), immediate=True)

    def on_unmount(self) -> None:
        self.gate.close()
        self._poller.stop()
        self._teller.close()

    # -- the poll ---------------------------------------------------------------------------------------------------------

    def _deliver(self, arrived: Arrived) -> None:
        self.post_message(self.Polled(arrived))

    @on(Polled)
    def _polled(self, message: Polled) -> None:
        arrived = message.arrived
        self.generation = max(self.generation, arrived.generation)
        self.freshness.arrived(arrived.error)
        self._tell_away(bool(arrived.error))
        snapshot = arrived.snapshot
        if snapshot and (self.snapshot is None or snapshot.generation > self.snapshot.generation):
            self.snapshot = snapshot
            if snapshot.workers:
                self._without_worker_since = None
            elif self._without_worker_since is None:
                self._without_worker_since = time.monotonic()
            self._teller.show(snapshot)
            self._on_top(lambda screen: screen.show(snapshot))
        self._show_freshness()
        if not gc.isenabled():
            self.call_after_refresh(_collect_again)

    def _on_top(self, action: Callable[[Live], None]) -> None:
        """Do it to the screen on top. The others are told when they come back: Textual would paint all for one that is behind."""
        if not self.screen_stack:  # the end
            return
        screen = self.screen
        # One that is being put together, or taken down, has not all of its parts.
        if isinstance(screen, Live) and screen.is_mounted:
            with contextlib.suppress(NoMatches):
                action(screen)

    def resumed(self) -> None:
        """Another screen is on top: ask for what it shows, and show it what there is."""
        self.refocus()
        snapshot = self.snapshot
        if snapshot:
            self._on_top(lambda screen: screen.show(snapshot))

    def _show_freshness(self) -> None:
        words = self.freshness.words(self._poller.interval, self._poller.paused)
        without = 0.0 if self._without_worker_since is None else time.monotonic() - self._without_worker_since
        wrong = trouble.words(self.freshness.error, self.snapshot, without, self.backend.nobody_after)
        if (words, wrong) != (self._shown_freshness, self._trouble):
            self._shown_freshness, self._trouble = words, wrong
            self._on_top(lambda screen: screen.show_freshness(words))

    def _tell_away(self, away: bool) -> None:
        if away and not self._said_away:
            self.say(f"The database is away: {self.freshness.error}. What you see is the last that was read.", "error")
        elif self._said_away and not away:
            self.say("The database is back.")
        self._said_away = away

    def put_header(self, screen: Screen[None], place: str, freshness: str) -> None:
        """Write a screen's header line: where one is, who, on which database, and how fresh it is."""
        unread = self.snapshot.unread if self.snapshot else 0
        line = bars.header(place, self.backend.user.login, self.backend.database, freshness, unread, screen.size.width)
        screen.query_one("#header", bars.Line).put(line)
        screen.query_one("#banner", bars.Banner).say(self._trouble, screen.size.width)

    def refocus(self) -> None:
        """Ask the poller for what the screens on the stack show now."""
        plain = replace(self._poller.request, run_id=None, inbox=False, groups_of=None)
        request = replace(plain, load=False, known_hours=None)
        for screen in self.screen_stack:
            if isinstance(screen, Live):
                request = screen.asks(request)
        self._poller.ask(request)
        self._on_top(lambda screen: screen.show_freshness(self._shown_freshness))

    @property
    def no_member(self) -> str | None:
        """What to say when the user is no member of the tenant that is chosen: they were when they chose it."""
        snapshot = self.snapshot
        if snapshot is None or self.tenant is None or self.tenant in {one.tenant.slug for one in snapshot.memberships}:
            return None
        return f"you are no member of {self.tenant} any more"

    def in_tenant(self, wanted: RunFilter) -> RunFilter:
        """The filter narrowed to the chosen tenant."""
        return replace(wanted, within=self.tenant)

    @on(AppBlur)
    def _slow_down(self) -> None:
        self._poller.interval = BLURRED * self._rate

    @on(AppFocus)
    def _speed_up(self) -> None:
        self._poller.interval = self._rate
        self._poller.poke()

    def action_rate(self, by: int) -> None:
        """The next slower rate, or the next quicker one."""
        others = [rate for rate in RATES if (rate > self._rate if by > 0 else rate < self._rate)]
        if others:
            self._rate = min(others) if by > 0 else max(others)
            self._speed_up()
        self.say(f"Polling every {self._rate:g} s.")

    # -- telling ----------------------------------------------------------------------------------------------------------

    def say(self, text: str, severity: Severity = "information", title: str = "", seconds: float | None = None) -> None:
        """A toast. Whatever the text is, none of it is obeyed by the terminal or parsed as markup."""
        words = "\n".join(clean(line) for line in text.split("\n"))
        self.notify(words, title=clean(title), severity=severity, timeout=seconds, markup=False)

    def toast(self, toast: Toast, seconds: float | None = None) -> None:
        """Show a toast; `v` opens the run that it names."""
        self._newest_toast = toast.run_id or self._newest_toast
        self.say(toast.text, toast.severity, toast.title, seconds)

    def tell(self, toast: Toast | None) -> None:
        """Show a toast, if there is one."""
        if toast:
            self.toast(toast)

    def ask(self, question: str, then: Callable[[], None]) -> None:
        """Do it if the answer is yes; without a question when the settings want none."""
        if not self._asks:
            then()
            return
        from screens.question import Question

        self.push_screen(Question(question, then))

    def say_error(self, error: Exception) -> None:
        self.toast(toasts.of_error(error))

    def to_terminal(self, sequence: str) -> None:
        """Send a sequence to the terminal, when there is one."""
        if self._driver and not self.is_headless:
            self._driver.write(sequence)

    def mark_seen(self, at: dt.datetime) -> None:
        """Keep, in the background, when the user was there."""
        self.in_background(lambda: self.backend.keeps.mark_seen(at), lambda _: None)

    def _have_seen(self, at: dt.datetime | Exception | None) -> None:
        self._teller.was_seen(None if isinstance(at, Exception) else at)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key):
            self._teller.key()
        if isinstance(event, events.Resize) and event.size == self._size:
            return  # nothing has changed: Textual would lay everything out and paint it anew
        if isinstance(event, TYPED) and not event.is_forwarded and self.gate.keeps(event):
            return
        await super().on_event(event)

    # -- in the background ------------------------------------------------------------------------------------------------

    @on(Done)
    def _done(self, message: Done) -> None:
        message.then()

    def in_background(
        self, work: Callable[[], T], then: Callable[[T | Exception], None], keys: Keys = Keys.GO_ON
    ) -> None:
        """Do `work` in a daemon thread and go on with its result, or error, in the app's own thread."""
        if keys is Keys.GO_ON:
            self.backend.background.start(work, lambda result: self.soon(lambda: then(result)))
            return
        hold = self.gate.hold(can_be_given_up=keys is Keys.ARE_FOR_IT)

        def unless_given_up(result: T | Exception) -> None:
            if self.gate.let_go(hold):
                then(result)

        self.backend.background.start(work, lambda result: self.soon(lambda: unless_given_up(result)))

    def soon(self, then: Callable[[], None]) -> None:
        """Do it in the app's own thread; for threads that are not."""
        self.post_message(self.Done(then))

    def poke(self) -> None:
        """Poll now."""
        self._poller.poke()

    def wait(self, seconds: float) -> bool:
        """After the end: wait until no thread of it uses the database any more. Returns whether none does."""
        for job in self.bulk_jobs:
            job.stop()
        deadline = time.monotonic() + seconds
        return self._poller.wait(seconds) and self.backend.background.wait(max(0.0, deadline - time.monotonic()))

    # -- what is done -----------------------------------------------------------------------------------------------------

    def may_start_in(self) -> tuple[Membership, ...]:
        return self.acting.may_start_in()

    def why_no_pause(self) -> str | None:
        """Why this user cannot pause or resume the queue; None when they can."""
        if self.snapshot is None:
            return "The database has not answered yet."
        if not any(member.may(Right.ADMINISTER) for member in self.snapshot.memberships):
            return "Only an owner of a tenant may pause or resume the queue."
        return None

    def why_no_retry(self, run: Run) -> str | None:
        return self.acting.why_no_retry(run)

    def with_dispatcher(self, work: Callable[[Dispatcher], Started]) -> None:
        self.acting.dispatch(work)

    def retry(self, run: Run) -> None:
        self.acting.retry(run)

    def edit_retry(self, run: Run) -> None:
        self.acting.edit_retry(run)

    def bulk_retry(self, run_ids: Sequence[int], words: str) -> None:
        self.acting.bulk_retry(run_ids, words)

    def retry_matching(self, wanted: RunFilter, tab: str, words: str) -> None:
        self.acting.retry_matching(wanted, tab, words)

    def why_no_bulk(self) -> str | None:
        return self.acting.why_no_bulk()

    @property
    def bulk_jobs(self) -> list[BulkRetry]:
        """The newest last."""
        return self.acting.jobs

    def action_bulk(self) -> None:
        self.acting.show_newest_job()

    async def action_quit(self) -> None:
        """Quit; while a bulk retry is under way, the second time."""
        active = next((job for job in self.bulk_jobs if job.is_active), None)
        if active and active is not self._warned_of:
            self._warned_of = active
            self.say("A bulk retry is under way: q again stops it and quits.", "warning")
            return
        for job in self.bulk_jobs:
            job.stop()
        self.exit()

    def load_types(self) -> None:
        """Have the operations looked up that a filter may name."""
        if not self.types:
            self.in_background(lambda: tuple(self.backend.dispatcher().registry.operations), self._have_types)

    def _have_types(self, found: tuple[str, ...] | Exception) -> None:
        self.types = () if isinstance(found, Exception) else found

    # -- screens ----------------------------------------------------------------------------------------------------------

    def open_run(self, run_id: int) -> None:
        """Show the run; what was told about it counts as read."""
        from screens.run import RunScreen

        if isinstance(self.screen, RunScreen) and self.screen.run_id == run_id:
            return
        self.push_screen(RunScreen(run_id))
        user_id = self.backend.user.id
        self.in_background(lambda: self.backend.mark_read(user_id, run_id, None), lambda _: self._poller.poke())

    def back_to(self, kind: type[S]) -> S:
        """Leave every screen that is over the one of this kind, and return that one."""
        found = next(screen for screen in self.screen_stack if isinstance(screen, kind))
        while self.screen is not found:
            self.pop_screen()
        return found

    def action_start(self) -> None:
        if not self.may_start_in():
            self.say(
                "You may not start runs in any tenant: ask an owner."
                if self.snapshot
                else "The database has not answered yet.",
                "warning",
            )
            return
        from screens.start import StartScreen

        self.push_screen(StartScreen())

    def action_tenant(self) -> None:
        from screens.tenants import TenantScreen

        self._push_once(TenantScreen)

    def action_notifications(self) -> None:
        from screens.inbox import InboxScreen

        self._push_once(InboxScreen)

    def action_workers(self) -> None:
        from screens.workers import WorkersScreen

        self._push_once(WorkersScreen)

    def action_help(self) -> None:
        from screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def _push_once(self, kind: type[Screen[None]]) -> None:
        if not isinstance(self.screen, kind):
            self.push_screen(kind())

    def action_view_newest(self) -> None:
        if self._newest_toast is None:
            self.say("No toast has named a run yet.", "warning")
        else:
            self.open_run(self._newest_toast)

    def choose_tenant(self, slug: str | None) -> None:
        """Show what is in this tenant, or with None in all of them."""
        if slug != self.tenant:
            self.tenant = slug
            for screen in self.screen_stack:
                if isinstance(screen, Live):
                    screen.tenant_chosen()
        self.refocus()
        self._poller.poke()

    def action_pause(self) -> None:
        self._poller.paused = not self._poller.paused
        self._show_freshness()

    def action_poll_now(self) -> None:
        self._poller.poke()

    def action_redraw(self) -> None:
        """Paint the screen anew: a line of somebody else's, or noise on the line, may stand on it."""
        if isinstance(self._driver, ThinDriver):
            self._driver.forget()
        self.screen.refresh()

    def action_suspend_process(self) -> None:
        """Stop until the shell continues us. The worker beside the screens is a session of its own, and goes on."""
        if not (isinstance(self._driver, ThinDriver) and self._driver.suspend()):
            self.say("There is no shell to go back to.", "warning")

    def copy_to_clipboard(self, text: str) -> bool:  # type: ignore[override]  # the caller must know whether it was sent
        """Send the text to the terminal's clipboard. Returns whether it was sent: too long a text is refused, and told."""
        sequence = terminal.clipboard(text, os.environ)
        if sequence is None:
            self.say("That is too long for the terminal's clipboard.", "warning")
        elif self._driver:
            self._clipboard = text
            self._driver.write(sequence)
        return sequence is not None

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

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette knows what the keys know, generated from the same bindings, and views, tenants and themes by name."""
        for active in screen.active_bindings.values():
            binding = active.binding
            if active.enabled and binding.description and not binding.system:
                words = f"{binding.description} ({self.get_key_display(binding)})"
                run = functools.partial(self.call_later, self.run_action, binding.action, active.node)
                yield SystemCommand(words, binding.action, run)
        for number, view in enumerate(self.views.all, 1):
            yield SystemCommand(
                f"View: {unmarked(view.name)}", unmarked(view.terms), functools.partial(self.views.show, number)
            )
        for member in self.snapshot.memberships if self.snapshot else ():
            slug = member.tenant.slug
            yield SystemCommand(
                f"Tenant: {slug}", unmarked(member.tenant.name), functools.partial(self.choose_tenant, slug)
            )
        yield SystemCommand("Theme", "Choose another theme", self.action_change_theme)


def _collect_again() -> None:
    """The front door turns the garbage collector off for the start; what that made is there to stay."""
    gc.freeze()
    gc.enable()


def wants_ascii() -> bool:
    """Whether the locale's encoding has no glyphs beyond ASCII."""
    names = (os.environ.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    chosen = next((name for name in names if name), "")
    return "utf" not in chosen.lower()
