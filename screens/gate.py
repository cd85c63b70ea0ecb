"""One gate for what a person types: the next key is handed out when the one before was handled, and what it opened is ready.

Textual forwards a key to whatever has the focus when it arrives, before the keys ahead of it were handled there. Of "/r" in one
write both would go to the list, and the run under its cursor would be retried.
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

#: What has an order. Where the mouse is in between has none.
TYPED: Final = (
    events.Key,
    events.Paste,
    events.MouseDown,
    events.MouseUp,
    events.MouseScrollDown,
    events.MouseScrollUp,
)
#: Keys that do not wait for what is still being opened.
QUITS: Final = "ctrl+q"
WAYS_OUT: Final = ("escape", QUITS)
#: An application that is never at rest hands the next key out after so many looks.
MOST_LOOKS: Final = 100


class Hold:
    """Something that was asked for and is on its way: keys wait for it. `given_up`: a person did not wait."""

    def __init__(self, can_be_given_up: bool) -> None:
        self.can_be_given_up = can_be_given_up
        self.given_up = False


class Gate:
    """Keeps what is typed, in its order, until its turn has come."""

    def __init__(self, app: App[Any], hand_out: Callable[[events.Event], Awaitable[None]]) -> None:
        """`hand_out` handles an event of the application at last; it is called in the application's own task."""
        self._app = app
        self._hand_out = hand_out
        self._waiting: deque[events.Event] = deque()
        self._holds: set[Hold] = set()
        self._is_free = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_settling = False

    @property
    def is_settling(self) -> bool:
        """Whether a key is being handled now; not while what it opened is waited for."""
        return self._is_settling

    def keeps(self, event: events.Event) -> bool:
        """Whether the event waits here, to be handed out later. What does not is to be handled now."""
        way_out = event.key if isinstance(event, events.Key) and event.key in WAYS_OUT else None
        if self._holds and way_out and self._give_up() and way_out != QUITS:
            return True
        # Whatever may have ended the task, who waits comes first.
        keeps = bool(self._task or self._waiting)
        if keeps:
            self._waiting.append(event)
        self._watch()
        return keeps

    def hold(self, *, can_be_given_up: bool = False) -> Hold:
        """From now on keys wait until this is let go. With `can_be_given_up`, esc does that, and nothing else."""
        hold = Hold(can_be_given_up)
        self._holds.add(hold)
        self._watch()
        return hold

    def let_go(self, hold: Hold) -> bool:
        """What was on its way is there. Returns whether it is still wanted."""
        self._holds.discard(hold)
        self._is_free.set()
        return not hold.given_up

    def close(self) -> None:
        """Hand out nothing more."""
        self._waiting.clear()
        if self._task:
            self._task.cancel()

    def _give_up(self) -> bool:
        """Drop what was typed ahead. Returns whether that was all that the key was for: something was given up by it."""
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
        """Until the last event was handled, and what that sent, moved, opened and searches for is there."""
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
        """Until each of them has dealt with what was sent to it before now. One that has ended has."""
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
