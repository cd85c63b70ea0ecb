"""One poll in flight per process, in a daemon thread: whatever the database does, keys answer and the program can quit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from store.errors import OpsmonError
from store.snapshot import Request, Snapshot


@dataclass(frozen=True, slots=True)
class Arrived:
    """A snapshot, or the reason why there is none. `generation` counts polls: what is older than what is shown is dropped."""

    generation: int
    snapshot: Snapshot | None = None
    error: str = ""


class Poller:
    """Fetches what is asked for once in `interval` seconds, and at once after `ask` or `poke`."""

    def __init__(
        self,
        fetch: Callable[[Request], Snapshot],
        deliver: Callable[[Arrived], None],
        request: Request,
        interval: float,
    ) -> None:
        self._fetch = fetch
        self._deliver = deliver
        self._request = request
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self.interval = interval
        self.paused = False
        self.generation = 0
        self._thread = threading.Thread(target=self._run, name="poller", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def ask(self, request: Request) -> None:
        """From now on fetch this. What was asked before may still arrive once."""
        if request != self._request:
            self._request = request
            self.poke()

    @property
    def request(self) -> Request:
        return self._request

    def poke(self) -> None:
        """Poll now, paused or not."""
        self._wake.set()

    def stop(self) -> None:
        """Deliver nothing more. Does not wait for a fetch that hangs."""
        self._stopped.set()
        self._wake.set()

    def wait(self, seconds: float) -> bool:
        """Once it is stopped: wait until its last fetch has come back, at most so long. Returns whether it has."""
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._wake.clear()
            self._poll()
            self._wait()

    def _poll(self) -> None:
        self.generation += 1
        try:
            arrived = Arrived(self.generation, self._fetch(self._request))
        except OpsmonError as error:
            arrived = Arrived(self.generation, error=str(error))
        except Exception as error:  # an unforeseen one is shown as well: a poller that dies silently would lie for ever
            arrived = Arrived(self.generation, error=f"{type(error).__name__}: {error}")
        if not self._stopped.is_set():
            self._deliver(arrived)

    def _wait(self) -> None:
        due = time.monotonic() + self.interval
        while not self._wake.is_set() and not self._stopped.is_set():
            left = due - time.monotonic()
            if left <= 0 and not self.paused:
                return
            self._wake.wait(min(left, 0.5) if left > 0 else 0.5)


class Freshness:
    """How fresh what is shown is, in words. A live screen says `live` and nothing that ticks."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._good: float | None = None
        self._started = clock()
        self.error = ""

    def arrived(self, error: str = "") -> None:
        """A poll has come back."""
        self.error = error
        if not error:
            self._good = self._clock()

    @property
    def age(self) -> float:
        """Seconds since the last good snapshot, or since the start while there was none."""
        return self._clock() - (self._started if self._good is None else self._good)

    def words(self, interval: float, paused: bool) -> str:
        """`live`, `loading`, `paused`, or since when it is stale. What failed stands in the line below the header."""
        late = self.age > 2 * interval + 1.5
        if self.error or (late and not paused):
            return f"stale {int(self.age)} s" + ("" if self.error else ": database not answering")
        if paused:
            return "paused"
        return "live" if self._good is not None else "loading"
