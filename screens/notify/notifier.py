"""What the user is told without having asked: news of their runs, what they have missed, and how it stands, in the title."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from screens.notify import away
from screens.notify.away import Presence
from screens.notify.toasts import SeenNotifications, Toast
from screens.terminal import osc
from store.model.records import Notification
from store.snapshot import Snapshot

#: Seconds between two notes of when the user was there.
SEEN_EVERY: Final = 15.0
#: Seconds that what was missed stays: somebody who comes back has to find their way first.
MISSED_STAYS: Final = 30.0


class NotificationSink(Protocol):
    """Where it is told."""

    def toast(self, toast: Toast, seconds: float | None = None) -> None:
        """Show a toast, for so many seconds."""

    def to_terminal(self, sequence: str) -> None:
        """Send a sequence to the terminal."""

    def mark_seen(self, at: dt.datetime) -> None:
        """Keep that the user was there at that instant of the database's clock."""


@dataclass
class Notifier:
    """One a session. `notify_by` is how the terminal is asked to tell it elsewhere, too; None for not at all."""

    outlet: NotificationSink
    notify_by: osc.Kind | None
    environment: Mapping[str, str]
    clock: Callable[[], float] = time.monotonic
    #: Whether a run was started by a bulk retry of this session.
    in_bulk: Callable[[int], bool] = lambda run_id: False
    #: Whether a notification may be about a run that a bulk retry has just started, which is not known yet.
    may_be_in_bulk: Callable[[int], bool] = lambda notification_id: False
    _told: SeenNotifications = field(default_factory=SeenNotifications)
    _title: str = ""
    _snapshot: Snapshot | None = None
    _began: dt.datetime | None = None
    _missed_since: dt.datetime | None = None
    _kept: dt.datetime | None = None

    def __post_init__(self) -> None:
        self.presence = Presence(self.clock)

    def show(self, snapshot: Snapshot) -> None:
        """Tell what is new in the snapshot."""
        self._snapshot = snapshot
        self._began = self._began or snapshot.at
        for toast in self._told.news(snapshot.recent_notifications, self.in_bulk, self.may_be_in_bulk):
            self.outlet.toast(toast)
        for note in self._told.newest:
            self._notify(note)
        self._tell_missed()
        self._put_title(snapshot)

    def was_seen(self, at: dt.datetime | None) -> None:
        """When the user was last there in an earlier session: what has ended between that and this one is told once."""
        self._missed_since = at
        self._tell_missed()

    def key(self) -> None:
        """A key was pressed: whoever was away is told what they have missed."""
        snapshot = self._snapshot
        if snapshot is None:
            return
        since = self.presence.is_back(snapshot.at)
        if since:
            self._missed(snapshot, since, snapshot.at)
        if self._kept is None or (snapshot.at - self._kept).total_seconds() >= SEEN_EVERY:
            self._kept = snapshot.at
            self.outlet.mark_seen(snapshot.at)

    def _tell_missed(self) -> None:
        if self._snapshot and self._began and self._missed_since:
            since, self._missed_since = self._missed_since, None
            self._missed(self._snapshot, since, self._began)

    def _missed(self, snapshot: Snapshot, since: dt.datetime, until: dt.datetime) -> None:
        told = [note for note in snapshot.recent_notifications if note.created_at <= until]
        if toast := away.summary(told, since, until):
            self.outlet.toast(toast, MISSED_STAYS)

    def _notify(self, note: Notification) -> None:
        if self.notify_by and note.kind == "completed":
            self.outlet.to_terminal(osc.notification(self.notify_by, note.title, note.body, self.environment))

    def _put_title(self, snapshot: Snapshot) -> None:
        active, failed = snapshot.counts["Active"], snapshot.counts["Failed"]
        words = [
            f"{count.number}{'+' if count.at_least else ''} {word}"
            for count, word in ((active, "active"), (failed, "failed"))
        ]
        title = f"opsmon: {', '.join(words)}"
        if title != self._title:
            self.outlet.to_terminal(("" if self._title else osc.PUSH_TITLE) + osc.title(title))
            self._title = title

    def close(self) -> None:
        """Give the terminal its title back."""
        if self._title:
            self.outlet.to_terminal(osc.POP_TITLE)
            self._title = ""
