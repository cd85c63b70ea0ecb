"""`opsmon doctor`: checks everything that a run needs, and prints one line per check. Only reads.

With `--tenant` it also signs in as the apps of tenants, and tries what they can read. With `--probe` it also starts a probe
run, which exercises all of it and notifies nobody.
"""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from opsmon import tenant_doctor
from opsmon.findings import Finding, State
from opsmon.output import Output
from opsmon.services import Services
from screens.text.format import instant, span
from store import schema
from store.db.errors import redact
from store.errors import DatabaseAway, OpsmonError
from store.model.records import Count, Outcome, Run, Status, User, Worker
from store.people import access
from store.people.admin import Administrator
from store.runs import lifecycle
from store.sanitizer.sanitize import visible
from store.workers import health, queue_depth
from store.workers import pause as queue_pause

#: Seconds that clocks may differ, that the queue may take to answer, and the probe run to be completed.
MAX_OFFSET: Final = 5.0
QUEUE_SECONDS: Final = 10.0
PROBE_SECONDS: Final = 10.0
POLL: Final = 0.1
PROBE: Final = "system.probe"

#: Why a stranger gets no probe.
NO_USER: Final = "you are no user of this opsmon"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asker:
    """Who runs the command: `user`, or None, with the reason in `unknown` (not a user, or the database could not tell)."""

    user: User | None = None
    unknown: str = NO_USER


@dataclass(frozen=True, slots=True)
class _Answer(Generic[T]):
    """The value that a check read (None after an error), and its finding."""

    value: T | None
    finding: Finding


def run(services: Services, asker: Asker, as_json: bool, probe: bool = False, tenants: Sequence[str] = ()) -> int:
    """Run all checks and print each finding at once; then those of `tenants`, which the asker may view; with `probe`, start a
    probe run last. Returns the exit code: 1 if a check is bad.
    """
    found = []
    width = tenant_doctor.width(tenants) if tenants else 8
    for finding in examine(services, asker, probe, tenants):
        found.append(finding)
        if not as_json:
            sys.stdout.write(line(finding, width) + "\n")
            sys.stdout.flush()
    if as_json:
        Output(json=True).show(found, str)
    return int(any(finding.state is State.BAD for finding in found))


def line(finding: Finding, width: int) -> str:
    """A finding as a line of text; `width` is the columns that the name of the check takes."""
    return f"{finding.state:7}  {visible(finding.check):{width}}  {visible(finding.message)}"


def examine(services: Services, asker: Asker, probe: bool = False, tenants: Sequence[str] = ()) -> Iterator[Finding]:
    """Yield the findings one by one. Errors of the checks become findings; without `probe` nothing is written."""
    last = (*tenants, "probe") if probe else tuple(tenants)
    server = _check("database", lambda: health.server(services.db), _server)
    yield server.finding
    if server.value is None:
        yield from _skipped(server.finding.message, "schema", "clock", "queue", "workers", *last)
        return
    lacking = _check("schema", lambda: schema.missing(services.db), _schema)
    yield lacking.finding
    yield _clock(server.value)
    if lacking.value:  # when it could not be read, those that follow say themselves how they fare
        yield from _skipped("the schema is not this program's", "queue", "workers", *last)
        return
    queue_ = _check("queue", lambda: _look_at_queue(services, asker), _waiting)
    yield queue_.finding
    within = services.settings.lost_after_seconds
    workers = _check("workers", lambda: health.workers_alive(services.db, within), _workers)
    yield workers.finding
    yield from _ownerless(services, asker)
    for slug in tenants:
        yield from _tenant(services, asker, slug)
    if probe:
        why = _why_no_probe(queue_, workers)
        yield Finding("probe", State.SKIPPED, why) if why else _probe(services, asker)


def _tenant(services: Services, asker: Asker, slug: str) -> Iterator[Finding]:
    """The findings about a tenant. Nothing is looked at for somebody who cannot be known as a member."""
    if asker.user is None:
        return _skipped(asker.unknown, slug)
    try:
        access.require_right(services.db, asker.user, slug, access.Right.VIEW)
    except OpsmonError as error:
        return _skipped(str(error), slug)
    return tenant_doctor.examine(services, asker.user, slug)


def _check(name: str, ask: Callable[[], T], judge: Callable[[T], tuple[State, str]]) -> _Answer[T]:
    try:
        value = ask()
    except OpsmonError as error:
        return _Answer(None, Finding(name, State.BAD, str(error)))
    return _Answer(value, Finding(name, *judge(value)))


def _skipped(why: str, *names: str) -> Iterator[Finding]:
    return (Finding(name, State.SKIPPED, why) for name in names)


def _server(server: health.Server) -> tuple[State, str]:
    told = f"{server.kind} {server.version}, {server.place}"
    return (State.BAD, f"the database only reads: {told}") if server.only_reads else (State.OK, told)


def _schema(lacking: list[str]) -> tuple[State, str]:
    if not lacking:
        return State.OK, f"revision {schema.HEAD}, which is this program's"
    more = f", and {len(lacking) - 1} more" if len(lacking) > 1 else ""
    return State.BAD, f"{lacking[0]}{more}: see 'opsmon db check'"


def _clock(server: health.Server) -> Finding:
    away = abs(server.offset)
    way = "ahead of" if server.offset > 0 else "behind"
    if away > MAX_OFFSET:
        return Finding("clock", State.BAD, f"the database server is {away:.1f} s {way} this machine: set the clocks")
    return Finding("clock", State.OK, f"{away:.1f} s between this machine and the database server")


@dataclass(frozen=True, slots=True)
class _Queue:
    """State of the queue: `waiting` runs in the user's tenants, or why that is unknown; `lag` in seconds, of the whole queue."""

    waiting: queue_depth.QueueDepth | str
    lag: float | None
    paused: queue_pause.QueuePause | None


def _look_at_queue(services: Services, asker: Asker) -> _Queue:
    # Whether it answers: how many there are would tell how busy other tenants are.
    _in_time(lambda: _messages(services))
    with services.db.read_one() as connection:
        paused = queue_pause.current(connection)
    waiting = queue_depth.waiting(services.db, asker.user.id) if asker.user else asker.unknown
    return _Queue(waiting, queue_depth.lag(services.db), paused)


def _messages(services: Services) -> list[int]:
    from tasks.queue.queue import Queue

    with contextlib.closing(Queue(services.db)) as messages:
        return messages.waiting(1)


def _waiting(found: _Queue) -> tuple[State, str]:
    told = "nothing is in it" if found.lag is None else f"the first in it has waited for {span(found.lag)}"
    if isinstance(found.waiting, str):
        told += f"; nothing of your tenants: {found.waiting}"
    else:
        told += f"; {_many(found.waiting.count, 'run')} of your tenants waiting"
        told += f", the oldest for {span(found.waiting.oldest)}" if found.waiting.oldest is not None else ""
    if found.paused is None:
        return State.OK, told
    since = f"paused by {found.paused.login} at {instant(found.paused.paused_at, 'Z')}"
    return State.WARNING, f"{since}, {told}: 'opsmon queue resume' ends the pause"


def _many(many: Count, word: str) -> str:
    number, at_least = many
    return f"at least {number:,} {word}s" if at_least else f"{number or 'no'} {word}{'' if number == 1 else 's'}"


def _workers(alive: tuple[Worker, ...]) -> tuple[State, str]:
    if not alive:
        return State.BAD, "none is alive: start one with 'opsmon worker'"
    slots, stuck = sum(worker.slots for worker in alive), sum(worker.stuck_slots for worker in alive)
    told = f"{len(alive)} alive with {_many(Count(slots), 'slot')}, {_many(Count(stuck), 'stuck slot')}"
    beats = sorted(worker.beat_age for worker in alive)
    told += f", {'the last beat' if len(beats) == 1 else 'their last beats'} {span(beats[0])} ago"
    told += f" to {span(beats[-1])} ago" if len(beats) > 1 else ""
    return (State.OK, told) if stuck < slots else (State.BAD, f"{told}: start them again")


def _ownerless(services: Services, asker: Asker) -> Iterator[Finding]:
    """Tenants without an owner, left by older versions; shown to those who may give them one."""
    try:
        found = Administrator(services.db, asker.user.login).ownerless() if asker.user else ()
    except OpsmonError as error:
        yield Finding("tenants", State.BAD, str(error))
        return
    if found:
        hint = f"'opsmon users grant LOGIN --tenant {found[0]} --role owner'"
        yield Finding("tenants", State.WARNING, f"without an owner: {', '.join(found)}: {hint}")


# ---- the probe run


def _why_no_probe(queue: _Answer[_Queue], workers: _Answer[tuple[Worker, ...]]) -> str | None:
    """Why a probe run would not be carried out, or why that is unknown; None if it would."""
    for answer in (queue, workers):
        if answer.value is None:
            return f"{answer.finding.check}: {answer.finding.message}"
    if not workers.value:
        return "no worker would run it"
    return "the queue is paused" if queue.value and queue.value.paused else None


def _probe(services: Services, asker: Asker) -> Finding:
    user = asker.user
    if user is None:
        return Finding("probe", State.SKIPPED, asker.unknown)
    try:
        members = access.memberships_of(services.db, user.id)
        tenant = next((m.tenant.slug for m in members if m.may(access.Right.START)), None)
        if tenant is None:
            return Finding("probe", State.SKIPPED, "there is no tenant in which you may start runs")
        return _judge(tenant, *_rehearse(services, user, tenant))
    except OpsmonError as error:
        return Finding("probe", State.BAD, str(error))


def _rehearse(services: Services, user: User, tenant: str) -> tuple[Run, float]:
    """Start a probe run and wait for it. Returns the run, completed or not, and the seconds waited."""
    from tasks.dispatch import make_dispatcher

    began = time.monotonic()
    dispatcher, messages = make_dispatcher(services.db, services.registry, services.settings.dispatch_seconds)
    with contextlib.closing(messages):
        run = dispatcher.start(user, tenant, PROBE, {"items": 1, "seconds": 0}, quietly=True).run
    while run.status is not Status.COMPLETED and time.monotonic() - began < PROBE_SECONDS:
        time.sleep(POLL)
        run = lifecycle.get(services.db, run.id) or run
    return run, time.monotonic() - began


def _judge(tenant: str, run: Run, took: float) -> Finding:
    name = f"run {run.id} in {tenant}"
    if run.outcome is Outcome.SUCCEEDED:
        return Finding("probe", State.OK, f"{name} succeeded after {span(took)}")
    if run.status is not Status.COMPLETED:
        return Finding("probe", State.BAD, f"{name} is still {run.status} after {span(took)}: see the workers' logs")
    why = run.failure_summary[0].message if run.failure_summary else run.outcome
    return Finding("probe", State.BAD, f"{name} failed: {why}")


def _in_time(ask: Callable[[], T]) -> T:
    """Call `ask` with a time limit: Huey's connection has none on this side, so a frozen server would block it for ever."""
    answers: queue.SimpleQueue[T | Exception] = queue.SimpleQueue()

    def work() -> None:
        try:
            answers.put(ask())
        except Exception as error:  # it is the other thread's
            answers.put(error)

    threading.Thread(target=work, name="doctor", daemon=True).start()
    try:
        answer = answers.get(timeout=QUEUE_SECONDS)
    except queue.Empty:
        raise DatabaseAway(f"the queue did not answer in {QUEUE_SECONDS:g} s") from None
    if isinstance(answer, OpsmonError):
        raise answer
    if isinstance(answer, Exception):
        said = redact((str(answer) or type(answer).__name__).splitlines()[0])
        raise DatabaseAway("the queue cannot be read", said)
    return answer
