"""Runs per second from start to completed, beside bare Huey in the same shape in the same database in the same minutes.

Both sides: one process that starts with two threads, one process that executes with four. The clock runs from the first start
(or enqueue) to the last completion, which is a run's `completed_at` here and the last execution there.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from store.db.engine import Database
from store.model.tables import IS_ACTIVE, operation_runs
from tests.benchmarks.parent import PATIENCE, Child
from tests.benchmarks.report import Line, median, say
from tests.benchmarks.scale import Scale
from tests.benchmarks.stage import KINDS, Stage, opened
from tests.support.waiting import wait_for

#: Executions a second below which a round counts as hanging.
SLOWEST = 10

#: Starts so many and returns the seconds until the last one was done.
Round = Callable[[int], float]


def measure(stage: Stage) -> Iterator[Line]:
    for kind in KINDS:
        yield from _measure(stage, kind)


def _measure(stage: Stage, kind: str) -> Iterator[Line]:
    url, scale = stage.founded(kind), stage.scale
    with contextlib.ExitStack() as stack:
        rounds: dict[str, tuple[Round, int]] = {}
        rounds["opsmon"] = stack.enter_context(_opsmon(stage, url, url)), scale.opsmon_runs
        if kind == "sqlite":
            beside = _opsmon(stage, stage.founded(kind), stage.empty(kind))
            rounds["beside"] = stack.enter_context(beside), scale.opsmon_runs
        rounds["huey"] = stack.enter_context(_bare(stage, url)), scale.huey_runs
        rates = _alternate(kind, rounds, scale)
    yield from _lines(kind, rates)


def _alternate(kind: str, rounds: dict[str, tuple[Round, int]], scale: Scale) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = {name: [] for name in rounds}
    for run_round, _ in rounds.values():
        run_round(scale.warm_up_runs)
    for number in range(scale.repetitions):
        for name, (run_round, count) in rounds.items():
            say(f"{kind}: {name}, repetition {number + 1} of {scale.repetitions}")
            rates[name].append(count / run_round(count))
    return rates


def _lines(kind: str, rates: dict[str, list[float]]) -> Iterator[Line]:
    ours, bare = rates["opsmon"], rates["huey"]
    rate = median(ours)
    share = median([mine / theirs for mine, theirs in zip(ours, bare, strict=True)])
    value = f"{rate:.0f}/s ({min(ours):.0f} to {max(ours):.0f})"
    goals = kind == "postgresql"
    yield Line(
        f"{kind}: runs from start to completed, 4 slots",
        value,
        ">= 200/s" if goals else "",
        rate >= 200 if goals else None,
    )
    yield Line(f"{kind}: bare Huey, the same shape", f"{median(bare):.0f}/s ({min(bare):.0f} to {max(bare):.0f})")
    yield Line(
        f"{kind}: share of bare Huey", f"{share:.2f}", ">= 0.33" if goals else "", share >= 1 / 3 if goals else None
    )
    if "beside" in rates:
        beside = rates["beside"]
        gain = median([one / other for one, other in zip(beside, ours, strict=True)])
        yield Line(f"{kind}: the same with the queue in a file beside", f"{median(beside):.0f}/s ({gain:.2f} times)")


@contextlib.contextmanager
def _opsmon(stage: Stage, url: str, queue: str) -> Iterator[Round]:
    with _pair(stage, "worker", "starter", url, queue) as pair, opened(url) as db:

        def completed() -> float | None:
            pair.worker.check()
            return _last_completion(db)

        def run_round(count: int) -> float:
            began, _ = pair.execute(count)
            last = wait_for(completed, "the last run to be completed", seconds=PATIENCE)
            assert last
            return last - began

        yield run_round


def _last_completion(db: Database) -> float | None:
    """When the last run was completed, once none is active."""
    with db.read() as connection:
        if connection.execute(sa.select(operation_runs.c.id).where(IS_ACTIVE).limit(1)).first():
            return None
        last: dt.datetime = connection.execute(sa.select(sa.func.max(operation_runs.c.completed_at))).scalar_one()
        return last.timestamp()


@contextlib.contextmanager
def _bare(stage: Stage, url: str) -> Iterator[Round]:
    with _pair(stage, "huey-worker", "huey-starter", url) as pair:

        def run_round(count: int) -> float:
            began, last = pair.execute(count)
            return last - began

        yield run_round


@dataclass(frozen=True)
class _Pair:
    """Who executes, and who starts."""

    worker: Child
    starter: Child

    def execute(self, count: int) -> tuple[float, float]:
        """Start so many and wait until they were executed. Returns when the first was started, and the last executed."""
        self.worker.tell(count)
        self.starter.tell(count)
        patience = PATIENCE + count / SLOWEST
        began = float(self.starter.hear(patience))
        self.starter.hear(patience)
        return began, float(self.worker.hear(patience))


@contextlib.contextmanager
def _pair(stage: Stage, worker: str, starter: str, *arguments: str) -> Iterator[_Pair]:
    with stage.child(worker, *arguments) as one, stage.child(starter, *arguments) as other:
        one.wait_until_ready()
        other.wait_until_ready()
        yield _Pair(one, other)
