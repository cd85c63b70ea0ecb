"""Many at once: two hundred sessions that poll one PostgreSQL, and a retry of five thousand runs while keys are pressed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import psutil

from store.model.records import Counts, Failure, Outcome
from store.people import access
from store.runs import seeding
from tests.benchmarks.glass import Glass, looking
from tests.benchmarks.parent import Child
from tests.benchmarks.report import Line, median, percentile, say
from tests.benchmarks.scale import Scale
from tests.benchmarks.stage import KINDS, Stage, me, opened


def sessions(stage: Stage) -> Iterator[Line]:
    """Each polls once a second what the screens poll, from its own connection; what the server burns is measured."""
    scale = stage.scale
    arguments = stage.loaded("postgresql", scale.large), str(scale.sessions // scale.processes)
    with contextlib.ExitStack() as stack:
        pollers = [stack.enter_context(stage.child("pollers", *arguments)) for _ in range(scale.processes)]
        for poller in pollers:
            poller.wait_until_ready()
        time.sleep(scale.planning)
        began, before, polls = time.perf_counter(), _server_time(stage), _polls(pollers)
        time.sleep(scale.polling)
        burnt, took = _server_time(stage) - before, time.perf_counter() - began
        rate = (_polls(pollers) - polls) / took
    share = 100 * burnt / took
    measure = f"postgresql: {scale.sessions} sessions at {scale.large:,} runs, processor time of the whole server"
    is_met = share <= 25 and rate > 0.95 * scale.sessions
    yield Line(measure, f"{share:.0f} % of a core at {rate:.0f} polls/s", "<= 25 %", is_met)


def _polls(pollers: list[Child]) -> int:
    total = 0
    for poller in pollers:
        poller.tell(1)
        total += int(poller.hear())
    return total


def _server_time(stage: Stage) -> float:
    """Processor seconds of every process of the server, those included that have ended."""
    postmaster = psutil.Process(stage.server.pid)
    own = postmaster.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    for process in postmaster.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            spent = process.cpu_times()
            total += spent.user + spent.system
    return float(total)


def bulk(stage: Stage) -> Iterator[Line]:
    """All failed runs are retried from the screens, and all the while keys are pressed in the list of receipts."""
    for kind in KINDS:
        count, url = stage.scale.retried_runs, stage.founded(kind)
        with opened(url) as db:
            user = access.find_user(db, me())
            tenant = access.memberships_of(db, user.id)[0].tenant
            seeding.seed_runs(db, (_failed(tenant.id, user.id, n) for n in range(count)), batch=5_000)
        with looking(stage, url) as glass:
            waits, took = _retried(glass, kind, stage.scale)
        with opened(url) as db, db.read() as connection:
            query = "SELECT count(*) FROM operation_runs WHERE retry_of_id IS NOT NULL"
            receipts = connection.exec_driver_sql(query).scalar_one()
        worst = percentile(waits, 0.99)
        measure = f"{kind}: retries of {count:,} failed runs, runs that they made"
        yield Line(measure, f"{receipts:,} in {took:.0f} s", f"{count:,}", receipts == count)
        shown = f"p50 {median(waits):.0f}, p99 {worst:.0f}, max {max(waits):.0f} ms of {len(waits)}"
        yield Line(f"{kind}: a key meanwhile, until it is painted", shown, "p99 < 50 ms", worst < 50)


def _failed(tenant_id: int, user_id: int, number: int) -> seeding.SeedRun:
    parameters = {"items": 0, "seconds": 0.0, "fail_items": 0, "skip_items": 0, "error": "", "key": f"k{number}"}
    return seeding.SeedRun(
        tenant_id, "system.probe", Outcome.FAILED, age=90_000 - number, took=1, user_id=user_id, initiator_name="bench",
        label="Probe", counts=Counts(1, 0, 1), failures=(Failure("operation.error", "It broke"),),
        context={"parameters": parameters},
    )  # fmt: skip


def _retried(glass: Glass, kind: str, scale: Scale) -> tuple[list[float], float]:
    count = scale.retried_runs
    glass.until(lambda lines: "live" in lines[0])
    glass.screen.press("5")
    glass.settle()
    glass.screen.press("A")
    glass.until(lambda lines: f"Dry run: {count:,} eligible" in _state(lines))
    glass.screen.press("r")
    began, waits = time.perf_counter(), list[float]()
    glass.until(lambda lines: f" of {count:,}: " in _state(lines) or "Done" in _state(lines))
    # A few runs may be done before the first key.
    while not waits or "Done" not in _state(glass.emulator.display):
        for key in "jk":
            before = _cursor(glass)
            pressed = glass.screen.press(key)
            at = glass.until(lambda _: _cursor(glass) != before)  # noqa: B023
            waits.append(1000 * (at - pressed))
            end = time.perf_counter() + scale.reading_on
            while time.perf_counter() < end:
                glass.read(0.02)
        say(f"{kind}: {_state(glass.emulator.display)}")
    return waits, time.perf_counter() - began


def _state(lines: list[str]) -> str:
    """How the job stands: above its table, under what is wrong with the house, where nobody works."""
    return " ".join(line.strip() for line in lines[1:5])


def _cursor(glass: Glass) -> int:
    """The line with the cursor's bar, below the table's header."""
    lines = list(glass.emulator.display)
    head = next((y for y, line in enumerate(lines) if "Receipt" in line), 3)
    return next((y for y in range(head + 1, len(lines) - 1) if lines[y].startswith("▌")), -1)
