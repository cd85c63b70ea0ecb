"""Cache between polls: the previous page and the capped counts, because most polls find nothing new."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable
from typing import Any, Final

from store.model.records import Outcome, Run

#: Seconds for which a capped count is trusted: so many runs do not disappear in less.
HOLDS: Final = 30.0
#: The number of filters whose counts are remembered.
MOST: Final = 20


class PollCache:
    """For one poller, whose polls do not overlap."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._full: dict[Hashable, tuple[float, frozenset[Outcome]]] = {}
        self._page: tuple[Hashable, Any, tuple[Run, ...]] | None = None

    def capped_outcomes(self, of: Hashable) -> frozenset[Outcome]:
        """The outcomes that exceeded the cap when they were last counted, within HOLDS seconds."""
        since, outcomes = self._full.get(of, (0.0, frozenset[Outcome]()))
        return outcomes if outcomes and self._clock() - since < HOLDS else frozenset()

    def remember_capped(self, of: Hashable, full: Iterable[Outcome]) -> None:
        """Remember the outcomes that were just counted and exceeded the cap."""
        if len(self._full) >= MOST:
            self._full.clear()
        self._full[of] = (self._clock(), frozenset(full))

    def page(self, of: Hashable, state: Any) -> tuple[Run, ...] | None:
        """The runs of the page if their state is unchanged; None if they must be read."""
        if self._page is None or self._page[:2] != (of, state):
            return None
        return self._page[2]

    def store(self, of: Hashable, state: Any, runs: tuple[Run, ...]) -> None:
        """Remember the runs of the page as they were just read."""
        self._page = (of, state, runs)
