"""Open screens rescue, too: they complete the runs of lost workers, in case no worker is left to do it."""

from __future__ import annotations

import contextlib
import functools
import threading
from typing import TYPE_CHECKING

from store.workers import heartbeats

if TYPE_CHECKING:
    from opsmon.services import Services
    from tasks.worker.lost_runs import Settled


class Watch:
    """Checks for lost workers at intervals, in a daemon thread, by the same rule of settled beats as workers use."""

    def __init__(self, services: Services) -> None:
        settings = services.settings
        self._db = services.db
        self._lost_after: float = settings.lost_after_seconds
        # Often enough that a longer gap between two checks means an outage.
        self._every: float = min(settings.rescue_seconds, self._lost_after / 4)
        self._beat_every: float = settings.beat_interval
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rescuing", daemon=True)
        #: Whether this process can complete runs: False after the database refused a change, for example because it is read-only.
        self.can = True

    @functools.cached_property
    def _settled(self) -> Settled:
        from tasks.worker.lost_runs import (
            Settled,  # imported here, as below, to keep it out of the first paint
        )

        return Settled(self._lost_after, self._beat_every)

    def look(self) -> list[str]:
        """Make one check. Returns a line for each completed run. Raises DatabaseAway."""
        from tasks.worker.lost_runs import give_up_lost

        self._settled.seen(heartbeats.clock(self._db))
        as_of = self._settled.as_of
        if as_of is None or not heartbeats.stalled_runs(self._db, self._lost_after, as_of, limit=1):
            return []
        try:
            done = give_up_lost(self._db, self._lost_after, as_of)
        except Exception:
            self.can = False
            raise
        self.can = True
        return done

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Stop checking; wait up to `seconds` for a check in progress."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            # The polls report a database that is away; other errors may be gone at the next check.
            with contextlib.suppress(Exception):
                self.look()
