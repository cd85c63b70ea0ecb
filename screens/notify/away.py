"""The toast "While you were away": which of the user's runs ended since their last key press.

Pure, except for the clock that is passed in.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from screens.notify.toasts import Severity, Toast
from screens.text import format as fmt
from screens.text.format import several
from store.model.records import OUTCOME_LABELS, Notification, Outcome
from store.snapshot import RECENT

#: Seconds without a key press after which the user counts as away: toasts have disappeared by then.
AWAY_AFTER: Final = 300.0
TITLE: Final = "While you were away"


class Presence:
    """When the user was last present: by this process's clock for how long, by the database's for what happened since."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last_key = clock()
        #: The instant of the last key press by the database's clock; None until one is known.
        self.seen_at: dt.datetime | None = None

    def is_back(self, now: dt.datetime | None) -> dt.datetime | None:
        """Record a key press at the database's `now`. Returns since when the user was away; None if they were not."""
        silent = self._clock() - self._last_key
        since, self._last_key = self.seen_at, self._clock()
        self.seen_at = now or self.seen_at
        return since if silent >= AWAY_AFTER else None


def summary(
    recent: Sequence[Notification], since: dt.datetime, now: dt.datetime, watched: Sequence[Notification] = ()
) -> Toast | None:
    """One toast for the runs that ended after `since` and whose notification is unread; None if there are none.

    `recent` are the user's newest notifications, newest first; `watched` the ends of watched runs in that time.
    """
    ended = [note for note in recent if note.kind == "completed" and note.created_at > since and note.read_at is None]
    if not ended:
        return of_watched(watched)
    # If even the oldest notification here is new, older ones that were not read may be, too.
    at_least = "at least " if recent[-1].created_at > since and len(recent) >= RECENT else ""
    gone = fmt.coarse_span((now - since).total_seconds())
    text = f"In {gone} {at_least}{len(ended)} of your runs ended: {_outcomes(ended)}."
    text += f" {_of_watched(watched)}" if watched else ""
    return Toast(f"{text}\nn: inbox", TITLE, _severity([*ended, *watched]), ended[0].run_id)


def of_watched(ended: Sequence[Notification]) -> Toast | None:
    """One toast for the ends of watched runs, newest first; None if there are none."""
    if not ended:
        return None
    return Toast(f"{_of_watched(ended)}\nv: view run {ended[0].run_id}", TITLE, _severity(ended), ended[0].run_id)


def _of_watched(ended: Sequence[Notification]) -> str:
    return f"{several(len(ended), 'run')} that you watch ended: {_outcomes(ended)}."


def _outcomes(ended: Sequence[Notification]) -> str:
    counts = Counter(note.outcome for note in ended)
    return ", ".join(f"{count} {OUTCOME_LABELS[outcome].lower()}" for outcome, count in counts.most_common())


def _severity(ended: Sequence[Notification]) -> Severity:
    return "warning" if any(note.outcome is not Outcome.SUCCEEDED for note in ended) else "information"
