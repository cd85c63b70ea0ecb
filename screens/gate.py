"""Serialises user input: a key is delivered only when the previous one was handled and whatever it opened is ready.

Textual forwards a key to the widget that has the focus on arrival, even if earlier keys were not handled yet. If "/r"
arrived in one write, both keys would go to the list, and the run under its cursor would be retried.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from textual import events
from textual.app import App
from textual.message_pump import MessagePump
from textual.worker import WorkerCancelled, WorkerFailed

#: Events whose order matters. Mouse movement is not among them.
TYPED: Final = (
    events.Key,
    events.Paste,
    events.MouseDown,
    events.MouseUp,
    events.MouseScrollDown,
    events.MouseScrollUp,
)
#: Keys that do not wait for a screen that is still opening.
QUITS: Final = "ctrl+q"
WAYS_OUT: Final = ("escape", QUITS)
#: Number of checks after which the next key is delivered even if the application never comes to rest.
MOST_LOOKS: Final = 100


class Hold:
    """A pending result that keys wait for. `given_up` is set when the user did not want to wait."""

    def __init__(self, can_be_given_up: bool) -> None:
        self.can_be_given_up = can_be_given_up
        self.given_up = False


class Gate:
    """Holds back input events and delivers them in order."""

    def __init__(self, app: App[Any], hand_out: Callable[[events.Event], Awaitable[None]]) -> None:
        """`hand_out` delivers an event to the application; it is called in the application's own task."""
        self._app = app
        self._hand_out = hand_out
        self._waiting: deque[events.Event] = deque()
        self._holds: set[Hold] = set()
        self._is_free = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_settling = False

    @property
    def is_settling(self) -> bool:
        """Whether a key is being handled now. False while only a hold is waited for."""
        return self._is_settling

    def keeps(self, event: events.Event) -> bool:
        """Whether the gate holds the event back to deliver it later. If False, the caller handles it at once."""
        way_out = event.key if isinstance(event, events.Key) and event.key in WAYS_OUT else None
        if self._holds and way_out and self._give_up() and way_out != QUITS:
            return True
        # Even if the task has ended, events that already wait come first.
        keeps = bool(self._task or self._waiting)
        if keeps:
            self._waiting.append(event)
        self._watch()
        return keeps

    def hold(self, *, can_be_given_up: bool = False) -> Hold:
        """Hold back keys until `let_go` is called. With `can_be_given_up`, esc releases the keys and abandons the
        result.
        """
        hold = Hold(can_be_given_up)
        self._holds.add(hold)
        self._watch()
        return hold

    def let_go(self, hold: Hold) -> bool:
        """The pending result has arrived. Returns whether it is still wanted."""
        self._holds.discard(hold)
        self._is_free.set()
        return not hold.given_up

    def close(self) -> None:
        """Deliver nothing more."""
        self._waiting.clear()
        if self._task:
            self._task.cancel()

    def _give_up(self) -> bool:
        """Drop the keys typed ahead. Returns whether a hold was given up: then the key has done its work."""
        self._waiting.clear()
        optional = [hold for hold in self._holds if hold.can_be_given_up]
        for hold in optional:
            hold.given_up = True
        self._holds.clear()
        self._is_free.set()
        return bool(optional)

    def _watch(self) -> None:
        if self._task is None:
            self._is_settling = True
            self._task = asyncio.create_task(self._hand_out_in_order(), name="the gate for keys")

    async def _hand_out_in_order(self) -> None:
        try:
            while True:
                self._is_settling = True
                await self._settle()
                self._is_settling = False
                if self._holds:
                    self._is_free.clear()
                    await self._is_free.wait()
                elif self._waiting:
                    self._app.call_later(self._hand_out, self._waiting.popleft())
                else:
                    return
        finally:
            self._is_settling = False
            self._task = None

    async def _settle(self) -> None:
        """Wait until the last event is handled, its messages are processed, and the screen's workers have finished."""
        app = self._app
        await self._passed([app])
        at_rest = 0
        for _ in range(MOST_LOOKS):
            if not app.is_running or not app.screen_stack:
                return
            screen = app.screen
            busy = [pump for pump in (app, *screen.walk_children(with_self=True)) if pump.message_queue_size]
            searches = [one for one in app.workers if not one.is_finished and screen in one.node.ancestors_with_self]
            at_rest = 0 if busy or searches else at_rest + 1
            if at_rest > 2:
                return
            way = (app.focused or screen).ancestors_with_self
            await self._passed(dict.fromkeys([*way, screen, app, *busy]))
            for search in searches:
                await _ended(search)

    async def _passed(self, pumps: Iterable[MessagePump]) -> None:
        """Wait until each pump has processed everything sent to it so far, or has ended."""
        loop = asyncio.get_running_loop()
        for pump, done in [(pump, loop.create_future()) for pump in pumps]:
            if not pump.call_later(_mark, done):
                continue
            if pump is self._app:
                await done
            elif pump._task:
                await asyncio.wait({done, pump._task}, return_when=asyncio.FIRST_COMPLETED)


def _mark(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)


async def _ended(search: Any) -> None:
    try:
        await search.wait()
    except (WorkerCancelled, WorkerFailed):
        return
