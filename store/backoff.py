"""Pauses between tries that grow with each of them, so that what is in trouble is not pressed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

#: More doublings than this change nothing, and a float ends at 1023.
_DOUBLINGS: Final = 1000


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds: `first`, then each time twice as long, up to `longest`.

    `jitter(0, pause)` draws the pause that is made instead, as `random.uniform` does; without it they are made as they are.
    """

    first: float
    longest: float
    jitter: Callable[[float, float], float] | None = None

    def pause(self, attempt: int) -> float:
        """Seconds to wait after so many attempts in a row that failed: none after none."""
        if attempt < 1:
            return 0.0
        pause = min(self.longest, self.first * 2.0 ** min(attempt - 1, _DOUBLINGS))
        return pause if self.jitter is None else self.jitter(0.0, pause)
