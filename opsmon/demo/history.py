"""The demo's past runs: several hundred, started by three people and the scheduler, the same every time."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

from store.intune.schedule_records import ScheduleSettings
from store.model.records import Counts, Failure, Outcome, Tenant, User
from store.runs import ticking
from store.runs.log import NewLogLine
from store.runs.outcome import failure
from store.runs.seeding import SeedRun

SEED: Final = 7
#: A day in seconds, like all ages below.
DAY: Final = 86_400.0
DAYS: Final = 29
#: Notifications younger than this are unread.
UNREAD_WITHIN: Final = 0.7 * DAY
#: Age at which fabrikam's app lost a permission.
FORBIDDEN_SINCE: Final = 9 * DAY
#: The daily backup of contoso, in seconds: how long ago it was added, how long ago it was due last, and the age of the one that was
#: missed.
SCHEDULED_FOR: Final = 21 * DAY
DAILY_AGE: Final = 3 * 3600.0
MISSED: Final = 12 * DAY + DAILY_AGE

Parameters = Callable[[random.Random], dict[str, Any]]
#: A run and its retries, in order.
Story = tuple[SeedRun, ...]


@dataclass(frozen=True, slots=True)
class Cast:
    """The tenants and users: the login, which owns both tenants; an operator in both; and a manager of contoso."""

    contoso: Tenant
    fabrikam: Tenant
    me: User
    operator: User
    manager: User
    #: The id of the daily schedule.
    schedule: int = 1


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of operation."""

    type: str
    label: str
    #: Smallest and largest number of items.
    items: tuple[int, int]
    #: Seconds per item.
    seconds: float
    #: Makes the parameters of a run.
    parameters: Parameters
    #: Failures (code, detail) of single items.
    partly: tuple[tuple[str, str], ...]
    #: Failures (code, detail) of the whole run.
    wholly: tuple[tuple[str, str], ...]
    #: Lines of the log.
    steps: tuple[str, ...]


_THROTTLED: Final = ("graph.throttled", "gave up after 6 tries")
_WHOLLY: Final = (
    ("worker.lost", ""),
    ("graph.unavailable", "connection timed out"),
    ("graph.unauthorized", "the client secret has expired"),
    ("queue.dispatch_failed", "the queue did not answer in time"),
    ("worker.stopped", ""),
)
_FORBIDDEN: Final = "compliance policies: status 403 (Forbidden), grant the app the permission and consent to it"

SYNC: Final = Kind(
    "inventory.sync", "Sync inventory", (270, 300), 0.08, lambda r: {"kinds": None},
    (_THROTTLED, ("graph.not_found", "a policy went while it was read")),
    (*_WHOLLY, ("operation.timeout", "")),
    ("reading device configurations", "reading compliance policies", "reading settings catalog", "reading apps"),
)  # fmt: skip
PROBE: Final = Kind(
    "system.probe", "Probe", (1, 20), 0.1,
    lambda r: {"items": r.randint(1, 20), "key": f"probe-{r.randint(1, 999)}"},
    (("operation.error", "this item was to fail"),),
    (("operation.error", "RuntimeError: rehearsed"), ("worker.lost", "")),
    ("rehearsing",),
)  # fmt: skip
POLICIES: Final = Kind(
    "policy.sync", "Sync policies", (270, 300), 0.11, lambda r: {"kinds": None},
    (_THROTTLED, ("policy.incomplete", "a script came without its contents")), _WHOLLY,
    ("reading configuration policies", "reading device configurations", "reading scripts"),
)  # fmt: skip
GROUPS: Final = Kind(
    "directory_groups.sync", "Sync groups", (24, 24), 0.05, lambda r: {}, (_THROTTLED,), _WHOLLY, ("reading groups",)
)
BACKUP: Final = Kind(
    ticking.TYPE, ticking.LABEL, (290, 300), 0.12, lambda r: {},
    (_THROTTLED,), _WHOLLY, ("backing up configuration policies", "backing up apps"),
)  # fmt: skip
#: What people start, with weights. Only operations that exist, so that runs can be retried.
_STARTED: Final = ((SYNC, 45), (PROBE, 30), (POLICIES, 15), (GROUPS, 10))
#: Of these, fabrikam's app may not read all.
_READS_POLICIES: Final = (SYNC, POLICIES)


def schedules(now: dt.datetime) -> tuple[ScheduleSettings, ScheduleSettings]:
    """Contoso's schedules of backups: the daily one, which was due last DAILY_AGE ago, and one that is switched off."""
    due = now - dt.timedelta(seconds=DAILY_AGE)
    daily = ScheduleSettings("Daily", f"{due.minute} {due.hour} * * *", "UTC", keep=14)
    apps = ScheduleSettings("Apps on Fridays", "0 18 * * 5", "Europe/Berlin", kinds=("mobile_apps",), enabled=False)
    return daily, apps


def past_runs(cast: Cast, seed: int = SEED) -> list[SeedRun]:
    """About 400 runs of the last 30 days, oldest first; each retry is linked to the run that it retries."""
    dice = random.Random(seed)  # noqa: S311 (reproducible, not secret)
    stories = [*_scheduled(cast, dice), *_backed_up(cast, dice), *_started(cast, dice), *_hostile(cast)]
    runs = sorted((run for story in stories for run in story), key=lambda run: -run.age)
    places = {id(run): place for place, run in enumerate(runs)}
    before = {id(b): places[id(a)] for story in stories for a, b in pairwise(story)}
    return [replace(run, retry_of=before.get(id(run))) for run in runs]


def _scheduled(cast: Cast, dice: random.Random) -> Iterator[Story]:
    """Runs of the scheduler, every night or every other night."""
    for day in range(DAYS, 0, -1):
        for tenant in (cast.contoso, cast.fabrikam):
            kinds = [SYNC, PROBE, *([SYNC] if day % 2 else [])]
            for number, kind in enumerate(kinds):
                age = day * DAY - number * 1800 - dice.uniform(0, 600)
                yield (_run(kind, tenant, None, age, dice),)


def _backed_up(cast: Cast, dice: random.Random) -> Iterator[Story]:
    """Runs of the daily schedule, but for the one that was missed."""
    for day in range(round(SCHEDULED_FOR / DAY) - 1, -1, -1):
        age = day * DAY + DAILY_AGE
        if age != MISSED:
            run = _run(BACKUP, cast.contoso, None, age, dice)
            yield (replace(run, context={"parameters": {ticking.PARAMETER: cast.schedule}}),)


def _started(cast: Cast, dice: random.Random) -> Iterator[Story]:
    """Runs that people start, on each day up to now; a failed one is often retried some minutes later."""
    both = (cast.contoso, cast.fabrikam)
    people = ((cast.me, both, 4), (cast.operator, both, 3), (cast.manager, (cast.contoso,), 2))
    for day in range(DAYS, 0, -1):
        for user, tenants, busy in people:
            for _ in range(dice.randint(1, busy + 1)):
                age = day * DAY - dice.uniform(0.01, 0.99) * DAY
                yield _attempts(_pick(dice), dice.choice(tenants), user, age, dice)


def _pick(dice: random.Random) -> Kind:
    return dice.choices([kind for kind, _ in _STARTED], [weight for _, weight in _STARTED])[0]


def _attempts(kind: Kind, tenant: Tenant, user: User, age: float, dice: random.Random) -> Story:
    attempts = [_run(kind, tenant, user, age, dice)]
    while attempts[-1].outcome is not Outcome.SUCCEEDED and len(attempts) < 3 and dice.random() < 0.6:
        later = attempts[-1].ended - dice.uniform(60, 900)
        if later < 300:
            break
        attempts.append(replace(_run(kind, tenant, user, later, dice), context=attempts[0].context))
    return tuple(attempts)


def _run(kind: Kind, tenant: Tenant, user: User | None, age: float, dice: random.Random) -> SeedRun:
    counts, failures, outcome = _ending(kind, tenant, age, dice)
    waited = None if _was_refused(failures) else round(dice.uniform(0.1, 1.5), 3)
    took = 0.4 if waited is None or counts is None else max(0.3, kind.seconds * counts.done * dice.uniform(0.8, 1.3))
    took = min(took, age - 5)
    return SeedRun(
        tenant_id=tenant.id,
        user_id=user.id if user else None,
        initiator_name=user.name if user else "System",
        type=kind.type,
        label=kind.label,
        outcome=outcome,
        age=age,
        waited=waited,
        took=took,
        counts=None if waited is None else counts,
        failures=failures,
        context={"parameters": kind.parameters(dice)},
        log=() if waited is None else _log(kind, took, failures),
        read=age > UNREAD_WITHIN,
    )


def _was_refused(failures: Sequence[Failure]) -> bool:
    return bool(failures) and failures[0].code == "queue.dispatch_failed"


def _ending(
    kind: Kind, tenant: Tenant, age: float, dice: random.Random
) -> tuple[Counts | None, tuple[Failure, ...], Outcome]:
    items = dice.randint(*kind.items)
    if tenant.slug == "fabrikam" and items > 100:
        items //= 3  # the smaller of the two
    luck = dice.random()
    if luck < 0.07:
        code, detail = dice.choice(kind.wholly)
        done = int(items * dice.uniform(0, 0.8)) if code.startswith("worker") else 0
        return Counts(items, done) if done else None, (failure(code, detail),), Outcome.FAILED
    if kind in _READS_POLICIES and tenant.slug == "fabrikam":
        return _sync_of_fabrikam(items, age)
    if luck < 0.17 and items > 1:
        failed, skipped = dice.randint(1, max(1, items // 8)), dice.randint(0, items // 10)
        counts = Counts(items, items - failed - skipped, failed, skipped)
        outcome = Outcome.PARTIALLY_SUCCEEDED if counts.success else Outcome.FAILED
        return counts, (failure(*dice.choice(kind.partly), failed),), outcome
    return Counts(items, items), (), Outcome.SUCCEEDED


def _sync_of_fabrikam(items: int, age: float) -> tuple[Counts, tuple[Failure, ...], Outcome]:
    if age > FORBIDDEN_SINCE:
        return Counts(items, items), (), Outcome.SUCCEEDED
    counts = Counts(items, items - 1, 1)
    return counts, (failure("graph.forbidden", _FORBIDDEN),), Outcome.PARTIALLY_SUCCEEDED


def _log(kind: Kind, took: float, failures: Sequence[Failure]) -> tuple[NewLogLine, ...]:
    ages = (took * (1 - number / len(kind.steps)) for number in range(len(kind.steps)))
    lines = [NewLogLine("info", step, age) for step, age in zip(kind.steps, ages, strict=True)]
    return (*lines, *(NewLogLine("warning", item.message, took / 20) for item in failures))


def _hostile(cast: Cast) -> Iterator[Story]:
    """Runs of a hostile plug-in, which the screens must show literally.

    The escape sequences would write to the clipboard, clear the screen, turn it red, and reverse text.
    """
    clipboard, clear, colour, backwards = "\x1b]52;c;b3BzbW9uIGRlbW8=\x07", "\x1b[2J\x1b[H", "\x9b31m", "\u202e"
    first = SeedRun(
        tenant_id=cast.contoso.id,
        user_id=cast.me.id,
        initiator_name=cast.me.name,
        type="system.probe",
        label="Probe [/foo]",
        outcome=Outcome.FAILED,
        age=0.4 * DAY,
        took=3.2,
        counts=Counts(3, 0, 3),
        failures=(
            Failure("dns.refused", f"zone [/foo] said {clipboard}{clear}[bold red]BOOM[/] {backwards}drawkcab", 3),
        ),
        context={"parameters": {"key": '{"a":[true]}'}},
        log=(
            NewLogLine("info", f"asking [link=https://example.invalid]ns1[/link]{clipboard}", 3.0),
            NewLogLine(
                "error", f"{colour}red from an 8-bit CSI, {clear}a cleared screen, a [/foo] without its start", 1.0
            ),
        ),
        read=False,
    )
    second = replace(
        first,
        label=f"Probe{clipboard}",
        outcome=Outcome.PARTIALLY_SUCCEEDED,
        age=6.3 * DAY,
        took=2.1,
        counts=Counts(3, 2, 1),
        failures=(Failure("dns.refused", f"[/]{clear}]unbalanced[ {backwards}txet"),),
        context={"parameters": {"key": '{"a":[true]}'}},
        log=(),
        read=True,
    )
    yield (first,)
    yield (second,)
