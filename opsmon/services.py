"""The services of a process (database, queue, dispatcher, worker), built from the settings. Made once and passed in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from opsmon.settings import Settings
from store.db.dialects import Timeouts
from store.db.engine import Database

if TYPE_CHECKING:
    from tasks.dispatch import Dispatcher
    from tasks.queue.queue import Queue
    from tasks.sdk.registry import Registry
    from tasks.worker.worker import Worker


@dataclass
class Services:
    """Makes each service at first use, from `settings`, so that no command waits for one that it does not need."""

    settings: Settings

    @cached_property
    def db(self) -> Database:
        """The database, with time-outs from the settings. Does not connect yet."""
        return Database(self.settings.database_url, Timeouts.within(self.settings.database_seconds))

    @cached_property
    def registry(self) -> Registry:
        """The operations that are installed."""
        from tasks.sdk.registry import load_registry

        return load_registry()

    @property
    def dispatcher(self) -> Dispatcher:
        """The dispatcher, with a queue of its own."""
        return self._dispatch[0]

    @cached_property
    def _dispatch(self) -> tuple[Dispatcher, Queue]:
        from tasks.dispatch import make_dispatcher

        return make_dispatcher(self.db, self.registry, self.settings.dispatch_seconds)

    def worker(self, slots: int | None = None, embedded: bool = False) -> Worker:
        """A worker on this database, registered but not running. `slots` defaults to the setting."""
        from tasks.sdk.context import GraphSettings, OperationResources
        from tasks.worker.rescuer import RescueTimeouts
        from tasks.worker.worker import Worker, WorkerOptions

        settings = self.settings
        timeouts = RescueTimeouts(
            settings.lost_after_seconds,
            settings.never_queued_after_seconds,
            settings.message_lost_after_seconds,
            settings.restore_preview_seconds,
        )
        options = WorkerOptions(
            slots=slots or settings.worker_slots,
            beat_every=settings.beat_seconds,
            rescue_every=settings.rescue_seconds,
            grace=settings.grace_seconds,
            embedded=embedded,
            rescue_timeouts=timeouts,
        )
        graph = GraphSettings(
            settings.graph_url,
            settings.graph_authority,
            settings.credentials,
            reads=settings.graph_reads,
            writes=settings.graph_writes,
            longest_wait=settings.graph_wait_seconds,
        )
        return Worker(self.db, self.registry, OperationResources(self.db, graph), options)

    def close(self) -> None:
        """Close the queue and the database, if they were used."""
        if "_dispatch" in self.__dict__:
            self._dispatch[1].close()
        if "db" in self.__dict__:
            self.db.close()
