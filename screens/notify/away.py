"""While you were away: what of a user's own runs ended since their last key press. Pure, but for the clock that is passed in."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from screens.notify.toasts import Toast
from screens.text import format as fmt
from store.model.records import OUTCOME_LABELS, Notification, Outcome
from store.snapshot import RECENT

#: Seconds without a key after which somebody counts as away: toasts are gone by then.
AWAY_AFTER: Final = 300.0


class Presence:
    """When the user was last seen: by this process's clock for how long, by the database's for what has happened since."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last_key = clock()
        #: The database's instant of the last key; None until one is known.
        self.seen_at: dt.datetime | None = None

    def is_back(self, now: dt.datetime | None) -> dt.datetime | None:
        """A key was pressed at the database's `now`. Since when the user had been away; None when they had not been."""
        silent = self._clock() - self._last_key
        since, self._last_key = self.seen_at, self._clock()
        self.seen_at = now or self.seen_at
        return since if silent >= AWAY_AFTER else None


def summary(told: Sequence[Notification], since: dt.datetime, now: dt.datetime) -> Toast | None:
    """What ended since then and was not read, in one toast; None when nothing did.

    `told` are the user's newest notifications, newest first.
    """
    ended = [note for note in told if note.kind == "completed" and note.created_at > since and note.read_at is None]
    if not ended:
        return None
    counts = Counter(note.outcome for note in ended)
    words = ", ".join(f"{count} {OUTCOME_LABELS[outcome].lower()}" for outcome, count in counts.most_common())
    # When even the oldest of the newest is news, others may be that are not among them.
    at_least = "at least " if told[-1].created_at > since and len(told) >= RECENT else ""
    gone = fmt.coarse_span((now - since).total_seconds())
    text = f"In {gone} {at_least}{len(ended)} of your runs ended: {words}.\nn: inbox"
    wrong = set(counts) != {Outcome.SUCCEEDED}
    return Toast(text, "While you were away", "warning" if wrong else "information", ended[0].run_id)
