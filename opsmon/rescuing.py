"""What lost workers leave behind is completed by open screens, too: nobody else may be left who could."""

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
    """Looks now and then, in a daemon thread, whatever the screens show or wait for, by the workers' rule of settled beats."""

    def __init__(self, services: Services) -> None:
        settings = services.settings
        self._db = services.db
        self._lost_after: float = settings.lost_after_seconds
        # Often enough that a gap between two looks is an outage.
        self._every: float = min(settings.rescue_seconds, self._lost_after / 4)
        self._beat_every: float = settings.beat_interval
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rescuing", daemon=True)
        #: False once the database has refused a change: who may only read can complete nothing.
        self.can = True

    @functools.cached_property
    def _settled(self) -> Settled:
        from tasks.worker.lost_runs import (
            Settled,  # as below: the first paint does not wait for what is only needed later
        )

        return Settled(self._lost_after, self._beat_every)

    def look(self) -> list[str]:
        """One look. Returns a line for each run that was completed. Raises DatabaseAway."""
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
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Look no more; wait at most so long for a look that is under way."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            # A database that is away is told by the polls; whatever else fails now, the next look may not.
            with contextlib.suppress(Exception):
                self.look()
