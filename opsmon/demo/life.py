"""The demo's life: a process beside the screens in which colleagues start runs, and a worker is killed now and then.

`python -m opsmon.demo.life OPERATOR MANAGER` acts as these two logins, on the database of the environment, until its standard
input ends: so it never outlives the demo, however that ends.
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from opsmon.demo.scenario import Act, Role
    from opsmon.services import Services
    from store.model.records import Run, Status, User

SEED: Final = 7
#: Seconds until it begins: the screens are painted first.
BEFORE: Final = 1.5
#: Seconds between two looks.
LOOK_EVERY: Final = 0.25
#: Runs of colleagues that are active at a time, at most.
MOST_ACTIVE: Final = 6
#: Seconds between two steps of the groundwork, so that one can follow.
STEP_EVERY: Final = 2.0
#: After so many runs of one demo colleagues tire: they start one in so many seconds.
MANY_RUNS: Final = 500
TIRED_PAUSE: Final = 60.0


class Colleagues:
    """Start runs as the acts say. Call `look` again and again."""

    def __init__(
        self, services: Services, people: Mapping[Role, User], acts: Iterator[Act], clock: Callable[[], float]
    ) -> None:
        """`clock` is in seconds."""
        self._services = services
        self._people = people
        self._acts = acts
        self._clock = clock
        self._next_at = clock()
        self._lost: list[Run] = []
        self.active: tuple[Run, ...] = ()
        #: How many runs they have started.
        self.started = 0

    def look(self) -> None:
        """Start the next run if it is time, fewer are active than may be, and the queue is not paused. Raises OpsmonError."""
        self._see()
        if self._clock() < self._next_at or len(self.active) >= MOST_ACTIVE or self._is_paused():
            return
        if self._lost:
            self._retry(self._lost.pop())
        else:
            self._act(next(self._acts))

    def _see(self) -> None:
        from store.model.records import Status
        from store.runs import lifecycle

        now = [run for one in self.active if (run := lifecycle.get(self._services.db, one.id))]
        # A start may have joined a run of somebody else, who starts it again themselves.
        own = {user.id for user in self._people.values()}
        lost = [run for run in now if any(failure.code == "worker.lost" for failure in run.failure_summary)]
        self._lost += [run for run in lost if run.user_id in own]
        self.active = tuple(run for run in now if run.status is not Status.COMPLETED)

    def _is_paused(self) -> bool:
        from store.workers import pause

        with self._services.db.read() as connection:
            return pause.current(connection) is not None

    def _act(self, act: Act) -> None:
        self._begin(act.pause)
        person = self._people[act.by]
        run = self._services.dispatcher.start(person, act.tenant, act.type, act.parameters).run
        self.active = (*self.active, run)

    def _retry(self, lost: Run) -> None:
        """Whoever lost a run starts it again."""
        self._begin(5.0)
        person = next(user for user in self._people.values() if user.id == lost.user_id)
        self.active = (*self.active, self._services.dispatcher.retry(person, lost.id).run)

    def _begin(self, pause: float) -> None:
        # Before the start: one that is refused is not tried again at every look.
        self.started += 1
        self._next_at = self._clock() + (pause if self.started < MANY_RUNS else TIRED_PAUSE)


def carry_on(services: Services, people: Mapping[Role, User], has_ended: Callable[[float], bool]) -> None:
    """Let colleagues work and the second worker be killed until `has_ended`, which waits so many seconds."""
    from opsmon.demo import scenario
    from opsmon.demo.groundwork import Groundwork
    from opsmon.demo.second_worker import SecondWorker
    from store.errors import OpsmonError

    colleagues = Colleagues(services, people, scenario.acts(random.Random(SEED)), time.monotonic)  # noqa: S311
    second = SecondWorker(services.db, services.settings.lost_after_seconds, time.monotonic)
    steps = Groundwork(services, people["operator"], people["manager"]).steps()
    groundwork = step_by_step(services, steps, time.monotonic)
    try:
        while not has_ended(LOOK_EVERY):
            # A database that is away for a while, and a start that is refused, are part of life.
            with contextlib.suppress(OpsmonError):
                next(groundwork, None)
            with contextlib.suppress(OpsmonError):
                colleagues.look()
                second.look([run for run in colleagues.active if run.type == scenario.PROBE])
    finally:
        second.end()


def step_by_step(services: Services, steps: Iterator[Run], clock: Callable[[], float]) -> Iterator[None]:
    """Carry out one step of the groundwork each time the run of the one before is completed, and no sooner than STEP_EVERY after
    it was started; yield at every look.
    """
    from store.model.records import Status
    from store.runs import lifecycle

    for run in steps:
        next_at = clock() + STEP_EVERY
        while clock() < next_at or not _is(lifecycle.get(services.db, run.id), Status.COMPLETED):
            yield


def _is(run: Run | None, status: Status) -> bool:
    return run is not None and run.status is status


def main(operator: str, manager: str) -> None:
    """Live until standard input ends."""
    if _has_ended(BEFORE):
        return
    from opsmon.services import Services
    from opsmon.settings import load
    from store.people import access

    services = Services(load())
    try:
        people: dict[Role, User] = {
            "operator": access.find_user(services.db, operator),
            "manager": access.find_user(services.db, manager),
        }
        carry_on(services, people, _has_ended)
    finally:
        services.close()


def _has_ended(seconds: float) -> bool:
    """Whether standard input ends within so many seconds."""
    return bool(select.select([0], [], [], seconds)[0]) and not os.read(0, 4096)


if __name__ == "__main__":
    main(*sys.argv[1:])
