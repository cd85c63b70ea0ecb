"""The application as far as it polls: the poller asks for what the screens show, the screen on top shows what comes."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from textual import on
from textual.events import AppBlur, AppFocus
from textual.message import Message

from screens.backend import Backend
from screens.base import PolledView
from screens.poll.live_data import LiveData
from screens.poll.poller import Arrived
from screens.telling import TellingApp
from store.snapshot import Snapshot

if TYPE_CHECKING:
    from textual.driver import Driver


class PolledApp(TellingApp):
    """Shows each snapshot of the backend. Without the terminal's focus it polls less often."""

    class Polled(Message):
        """The poller has brought something."""

        def __init__(self, arrived: Arrived) -> None:
            self.arrived = arrived
            super().__init__()

    def __init__(self, backend: Backend, poll_seconds: float | None, driver_class: type[Driver] | None = None) -> None:
        super().__init__(driver_class)
        self.backend = backend
        self.data = LiveData(backend, self._deliver, poll_seconds)

    @property
    def snapshot(self) -> Snapshot | None:
        """The newest snapshot; None before the first one."""
        return self.data.snapshot

    @property
    def freshness(self) -> str:
        """How fresh the snapshot is, in words."""
        return self.data.words

    @property
    def trouble(self) -> str:
        """What is wrong with database, queue or workers; "" if nothing is."""
        return self.data.trouble

    def tell_of(self, snapshot: Snapshot) -> None:
        """For the application to override: tell what is new in the snapshot, whatever screen is on top."""

    def _deliver(self, arrived: Arrived) -> None:
        self.post_message(self.Polled(arrived))

    @on(Polled)
    def _polled(self, message: Polled) -> None:
        was_away = bool(self.data.error)
        snapshot = self.data.take(message.arrived)
        self._tell_away(was_away)
        if snapshot:
            self.tell_of(snapshot)
            self.show_on_top(lambda screen: screen.on_snapshot(snapshot))
        self.show_freshness()
        if not gc.isenabled():
            self.call_after_refresh(_collect_again)

    def _tell_away(self, was_away: bool) -> None:
        if self.data.error and not was_away:
            self.message("The database is away. What you see is the last that was read.", "error")
        elif was_away and not self.data.error:
            self.message("The database is back.")

    def show_freshness(self) -> None:
        """Show how fresh the snapshot is by now, where that has changed."""
        if self.data.tick():
            self.show_on_top(lambda screen: screen.show_freshness())

    def resumed(self) -> None:
        """Another screen is now on top."""
        self.update_request()
        if snapshot := self.snapshot:
            self.show_on_top(lambda screen: screen.on_snapshot(snapshot))

    def poll_now(self) -> None:
        """Poll at once, even while polling is paused."""
        self.data.poller.poke()

    def update_request(self) -> None:
        """Rebuild the poll's request from what the screens show now."""
        request = self.data.poller.request.only_list()
        for screen in self.screen_stack:
            if isinstance(screen, PolledView):
                request = screen.contribute(request)
        self.data.poller.ask(request)
        self.show_on_top(lambda screen: screen.show_freshness())

    @on(AppBlur)
    def _slow_down(self) -> None:
        self.data.slow_down()

    @on(AppFocus)
    def _speed_up(self) -> None:
        self.data.speed_up()

    def action_pause(self) -> None:
        self.data.poller.paused = not self.data.poller.paused
        self.show_freshness()

    def action_poll_now(self) -> None:
        self.poll_now()


def _collect_again() -> None:
    """The front door turns the garbage collector off for the start; what that made is there to stay."""
    gc.freeze()
    gc.enable()
