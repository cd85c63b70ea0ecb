"""What the screens need of the rest of the house: made by the front door, and by tests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from screens.background import Background
from screens.terminal.osc import Kind
from store.model.records import User
from store.search.filter import RunFilter
from store.search.matching import Matching
from store.search.saved_views import SavedView
from store.snapshot import Request, Snapshot

if TYPE_CHECKING:
    from tasks.dispatch import Dispatcher


class Preferences(Protocol):
    """What is kept for the user. Every call may block, or raise DatabaseAway."""

    def views(self) -> tuple[SavedView, ...]:
        """The named views."""

    def keep_view(self, view: SavedView) -> tuple[SavedView, ...]:
        """Keep a view, and return all. Raises InputInvalid."""

    def delete_view(self, name: str) -> tuple[SavedView, ...]:
        """Keep a view no longer, and return the others."""

    def seen_at(self) -> dt.datetime | None:
        """When the user was last there, by the database's clock."""

    def mark_seen(self, at: dt.datetime) -> None:
        """The user was there at that instant."""


@dataclass(frozen=True)
class Backend:
    """`fetch` reads a snapshot, `mark_read` (user id, run id or None, newest id or None) stores what was seen, `matching`
    (filter, tab, limit) finds all runs that match, `hold_queue` pauses the queue (True) or resumes it and returns whether that
    is new.

    All of them may block or raise, and are called in threads only: those of `background`, and the poller's. `dispatcher` makes
    the dispatcher at its first call.
    """

    user: User
    database: str
    fetch: Callable[[Request], Snapshot]
    dispatcher: Callable[[], Dispatcher]
    mark_read: Callable[[int, int | None, int | None], None]
    matching: Callable[[RunFilter, str, int], Matching]
    keeps: Preferences
    hold_queue: Callable[[bool], bool]
    poll_seconds: float = 1.0
    lost_after: float = 30.0
    #: Seconds without a beat after which a worker is said to be silent.
    silent_after: float = 10.0
    #: Seconds without any worker after which that is said: where one is started beside the screens, it takes a moment.
    nobody_after: float = 0.0
    #: Whether this session completes what lost workers leave behind.
    rescues: Callable[[], bool] = lambda: True
    background: Background = field(default_factory=Background)


@dataclass(frozen=True)
class Appearance:
    """How the screens look and sound, as the settings say it. `keys` are keys by the ids of bindings."""

    theme: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    notify_by: Kind | None = None
    #: Whether a key that acts on one thing asks first.
    asks: bool = True


PLAIN = Appearance()
