"""How many requests may be sent in a stretch of time."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable


class Budget:
    """At most `requests` in any `seconds`; the next one waits. Thread-safe. `sleep` may raise to end the waiting."""

    def __init__(
        self,
        requests: int,
        seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._sent: deque[float] = deque(maxlen=max(1, requests))

    def spend(self, requests: int = 1) -> None:
        """Wait until that many requests may be sent, and count them."""
        for _ in range(requests):
            while (wait := self._take()) > 0:
                self._sleep(wait)

    def _take(self) -> float:
        """Count one request and return 0, or return the seconds until the oldest leaves the stretch."""
        with self._lock:
            now = self._clock()
            if len(self._sent) == self._sent.maxlen and now - self._sent[0] < self._seconds:
                return self._seconds - (now - self._sent[0])
            self._sent.append(now)
            return 0.0
