"""What the last poll of a list read, for the next one to do without: most polls find what the one before has found."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable
from typing import Any, Final

from store.model.records import Outcome, Run

#: Seconds for which "at least" is taken to hold: so many runs do not go away in no time.
HOLDS: Final = 30.0
#: Filters whose counts are remembered.
MOST: Final = 20


class PollCache:
    """Belongs to one who polls, one poll after the other."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._full: dict[Hashable, tuple[float, frozenset[Outcome]]] = {}
        self._page: tuple[Hashable, Any, tuple[Run, ...]] | None = None

    def capped_outcomes(self, of: Hashable) -> frozenset[Outcome]:
        """The outcomes of which there were more than are counted, a moment ago."""
        since, outcomes = self._full.get(of, (0.0, frozenset[Outcome]()))
        return outcomes if outcomes and self._clock() - since < HOLDS else frozenset()

    def remember_capped(self, of: Hashable, full: Iterable[Outcome]) -> None:
        """These were counted just now, and had more than are counted."""
        if len(self._full) >= MOST:
            self._full.clear()
        self._full[of] = (self._clock(), frozenset(full))

    def page(self, of: Hashable, state: Any) -> tuple[Run, ...] | None:
        """The runs of this page, if they are in the state in which they were read; None when they are to be read."""
        if self._page is None or self._page[:2] != (of, state):
            return None
        return self._page[2]

    def store(self, of: Hashable, state: Any, runs: tuple[Run, ...]) -> None:
        """The runs of this page, as they were just read."""
        self._page = (of, state, runs)
