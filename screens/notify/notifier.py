"""Decides what to announce: new notifications, what the user missed while away, and the counts in the terminal's title."""

from __future__ import annotations

import datetime as dt
import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from screens.notify import away, toasts
from screens.notify.away import Presence
from screens.notify.toasts import SeenNotifications, Toast, of_several
from screens.terminal import osc
from store.model.records import Notification
from store.snapshot import Snapshot

#: Minimum seconds between two writes of when the user was last present.
SEEN_EVERY: Final = 15.0
#: Seconds for which the toast about missed runs stays: a returning user needs time to look around.
MISSED_STAYS: Final = 30.0
#: Ends of watched runs that are kept, to be told of again to a user who comes back.
WATCHED_KEPT: Final = 50


class NotificationSink(Protocol):
    """Where announcements go."""

    def toast(self, toast: Toast, seconds: float | None = None) -> None:
        """Show a toast for this many seconds; None is the default."""

    def to_terminal(self, sequence: str) -> None:
        """Send an escape sequence to the terminal."""

    def claim(self, run_ids: Sequence[int], then: Callable[[frozenset[int] | None], None]) -> None:
        """Mark the ends of these watched runs as told, in the background; `then` gets those that are news, or None if the
        database is away.
        """

    def mark_seen(self, at: dt.datetime) -> None:
        """Store that the user was present at that instant of the database's clock."""


@dataclass
class Notifier:
    """One per session. It announces through `outlet`; `clock` gives monotonic seconds.

    `notify_by` is the kind of sequence for notifications in the terminal (None for none), and `environment` the
    process's environment, which says whether tmux or GNU screen must be passed through.
    """

    outlet: NotificationSink
    notify_by: osc.Kind | None
    environment: Mapping[str, str]
    clock: Callable[[], float] = time.monotonic
    #: By run id: whether a bulk retry of this session started the run.
    in_bulk: Callable[[int], bool] = lambda run_id: False
    #: By notification id: whether its run may belong to a bulk retry that has no receipt for it yet.
    may_be_in_bulk: Callable[[int], bool] = lambda notification_id: False
    _told: SeenNotifications = field(default_factory=SeenNotifications)
    _title: str = ""
    _snapshot: Snapshot | None = None
    _began: dt.datetime | None = None
    _missed_since: dt.datetime | None = None
    _kept: dt.datetime | None = None
    #: Ids of watched runs whose end this session has claimed, and the ends that it told of, the newest first.
    _claimed: frozenset[int] = frozenset()
    _watched: tuple[Notification, ...] = ()

    def __post_init__(self) -> None:
        self.presence = Presence(self.clock)

    def show(self, snapshot: Snapshot) -> None:
        """Announce what is new in the snapshot, and update the title."""
        self._snapshot = snapshot
        self._began = self._began or snapshot.at
        told_as = functools.partial(toasts.as_it_stands, snapshot=snapshot)
        for toast in self._told.news(snapshot.recent_notifications, self.in_bulk, self.may_be_in_bulk, told_as):
            self.outlet.toast(toast)
        for note in self._told.newest:
            self._notify(note)
        self._tell_missed()
        self._claim_watched(snapshot)
        self._put_title(snapshot)

    def was_seen(self, at: dt.datetime | None) -> None:
        """Tell the notifier when the user was last present in an earlier session: what ended since is announced once."""
        self._missed_since = at
        self._tell_missed()

    def key(self) -> None:
        """A key was pressed: a user who was away gets a summary of what they missed."""
        snapshot = self._snapshot
        if snapshot is None:
            return
        since = self.presence.is_back(snapshot.at)
        if since:
            self._missed(snapshot, since, snapshot.at)
        if self._kept is None or (snapshot.at - self._kept).total_seconds() >= SEEN_EVERY:
            self._kept = snapshot.at
            self.outlet.mark_seen(snapshot.at)

    def _claim_watched(self, snapshot: Snapshot) -> None:
        """Ask for the ends of watched runs: of several sessions of a user, one tells."""
        ended = {note.run_id: note for note in snapshot.ended_watches}
        new = [id_ for id_ in ended if id_ not in self._claimed]
        self._claimed &= frozenset(ended)
        if not new or snapshot.only_reads:
            return
        self._claimed |= frozenset(new)

        def then(news: frozenset[int] | None) -> None:
            if news is None:
                self._claimed -= frozenset(new)
            else:
                self._tell_watched([ended[id_] for id_ in new if id_ in news])

        self.outlet.claim(new, then)

    def _tell_watched(self, ended: Sequence[Notification]) -> None:
        """Tell of the ends of watched runs, newest first: in one toast of those from before this session."""
        before = [note for note in ended if self._began and note.created_at <= self._began]
        if toast := away.of_watched(before):
            self.outlet.toast(toast, MISSED_STAYS)
        now = [note for note in ended if note not in before]
        for toast in of_several(now):
            self.outlet.toast(toast)
        for note in reversed(now):
            self._notify(note)
        self._watched = (*now, *self._watched)[:WATCHED_KEPT]

    def _tell_missed(self) -> None:
        if self._snapshot and self._began and self._missed_since:
            since, self._missed_since = self._missed_since, None
            self._missed(self._snapshot, since, self._began)

    def _missed(self, snapshot: Snapshot, since: dt.datetime, until: dt.datetime) -> None:
        notes = [note for note in snapshot.recent_notifications if note.created_at <= until]
        watched = [note for note in self._watched if since < note.created_at <= until]
        if toast := away.summary(notes, since, until, watched):
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
        """Restore the terminal's title."""
        if self._title:
            self.outlet.to_terminal(osc.POP_TITLE)
            self._title = ""
