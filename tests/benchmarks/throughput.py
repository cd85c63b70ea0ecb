"""Runs per second from start to completed, beside bare Huey in the same shape in the same database in the same minutes.

Both sides: one process that starts with two threads, one process that executes with four. The clock runs from the first start
(or enqueue) to the last completion, which is a run's `completed_at` here and the last execution there.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa

from store import access, founding
from store.tables import IS_ACTIVE, operation_runs
from tests.benchmarks.report import Line, median, say
from tests.benchmarks.stage import KINDS, Stage, child, me, opened
from tests.support.waiting import wait_for

REPETITIONS = 7
#: Executions in one repetition: some seconds of each.
OPSMON, HUEY, WARM_UP = 1000, 2000, 100

Round = Callable[[int], float]


def measure(stage: Stage) -> Iterator[Line]:
    for kind in KINDS:
        yield from _measure(stage, kind)


def _measure(stage: Stage, kind: str) -> Iterator[Line]:
    url = stage.empty(kind)
    with opened(url) as db:
        founding.found(db, me(), "bench")
        access.find_user(db, me())
    with contextlib.ExitStack() as stack:
        rounds: dict[str, tuple[Round, int]] = {}
        rounds["opsmon"] = stack.enter_context(_opsmon(stage, url)), OPSMON
        if kind == "sqlite":
            beside = stage.empty(kind)
            with opened(beside) as db:
                founding.found(db, me(), "bench")
            rounds["beside"] = stack.enter_context(_opsmon(stage, beside, stage.empty(kind))), OPSMON
        rounds["huey"] = stack.enter_context(_bare(stage, url)), HUEY
        rates = _alternate(kind, rounds)
    yield from _lines(kind, rates)


def _alternate(kind: str, rounds: dict[str, tuple[Round, int]]) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = {name: [] for name in rounds}
    for run_round, _ in rounds.values():
        run_round(WARM_UP)
    for number in range(REPETITIONS):
        for name, (run_round, count) in rounds.items():
            say(f"{kind}: {name}, repetition {number + 1} of {REPETITIONS}")
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
def _opsmon(stage: Stage, url: str, queue: str = "") -> Iterator[Round]:
    with _children(stage, "worker", "starter", url, queue) as (worker, starter), opened(url) as db:

        def completed() -> float | None:
            """When the last run was completed, once none is active."""
            with db.reading() as connection:
                if connection.execute(sa.select(operation_runs.c.id).where(IS_ACTIVE).limit(1)).first():
                    return None
                last: dt.datetime = connection.execute(
                    sa.select(sa.func.max(operation_runs.c.completed_at))
                ).scalar_one()
                return last.timestamp()

        def run_round(count: int) -> float:
            began = _go(worker, starter, count)
            return wait_for(completed, "the last run to be completed") - began

        yield run_round


@contextlib.contextmanager
def _bare(stage: Stage, url: str) -> Iterator[Round]:
    with _children(stage, "huey-worker", "huey-starter", url) as (worker, starter):

        def run_round(count: int) -> float:
            began = _go(worker, starter, count, last := [])
            return last[0] - began

        yield run_round


@contextlib.contextmanager
def _children(
    stage: Stage, worker: str, starter: str, *arguments: str
) -> Iterator[tuple[subprocess.Popen[str], subprocess.Popen[str]]]:
    def log(role: str) -> Path:
        return stage.folder / f"{role}.log"

    with child(worker, *arguments, log=log(worker)) as one, child(starter, *arguments, log=log(starter)) as other:
        for process, role in ((one, worker), (other, starter)):
            if _read(process) != "ready":
                raise RuntimeError(f"the {role} did not start:\n{log(role).read_text()}")
        yield one, other


def _go(
    worker: subprocess.Popen[str], starter: subprocess.Popen[str], count: int, last: list[float] | None = None
) -> float:
    """Start so many, wait until the worker has executed them (`last` is told when), return when the first was started."""
    _write(worker, count)
    _write(starter, count)
    began = float(_read(starter))
    _read(starter)
    executed = float(_read(worker))
    if last is not None:
        last.append(executed)
    return began


def _write(process: subprocess.Popen[str], number: int) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{number}\n")
    process.stdin.flush()


def _read(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()
