"""Exponential backoff: the pause grows with each failed attempt, to relieve a service that is in trouble."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

#: More doublings change nothing in practice, and a float overflows at 1024.
_DOUBLINGS: Final = 1000


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses in seconds: `first`, doubled after each further failure, up to `longest`.

    `jitter(0, pause)` returns the pause to use instead, as `random.uniform` does. Without it, pauses are used unchanged.
    """

    first: float
    longest: float
    jitter: Callable[[float, float], float] | None = None

    def pause(self, attempt: int) -> float:
        """The seconds to wait after `attempt` failures in a row; 0.0 for fewer than one."""
        if attempt < 1:
            return 0.0
        pause = min(self.longest, self.first * 2.0 ** min(attempt - 1, _DOUBLINGS))
        return pause if self.jitter is None else self.jitter(0.0, pause)
