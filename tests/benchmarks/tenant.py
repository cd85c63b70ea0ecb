"""Reading a tenant: syncs beside a bare httpx client that sends the very requests, memory over many groups, and the search
in the cached directory while somebody types.
"""

from __future__ import annotations

import contextlib
import functools
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import httpx
import psutil

from store.db.engine import Database
from store.intune import directory, group_search
from store.model.records import Run
from store.people import access
from store.runs import lifecycle
from store.runs.identity import identity_hash
from tasks.graph.client import GraphClient
from tasks.graph.simulator import CLIENT_ID, directory_id, secret
from tasks.operations import directory_groups_sync, inventory_sync, policy_sync
from tasks.sdk.context import GraphSettings, OperationResources, RunContext
from tasks.worker.garbage import collect_rarely
from tests.benchmarks.report import Line, median, percentile, ratio_line, say
from tests.benchmarks.stage import KINDS, Stage, me, opened

#: What people type, letter by letter.
TYPED = ("sales berlin", "pilot dev", "all users", "köln", "zzz", "x 97")
WORDS = ("Sales", "Berlin", "Köln", "Pilot", "Users", "Devices", "All", "Team", "Project", "VPN", "Test", "Legal")


@dataclass(frozen=True)
class Sent:
    """A request as it was sent."""

    method: str
    url: str
    body: Any


def syncs(stage: Stage) -> Iterator[Line]:
    """inventory.sync and policy.sync against a bare client, request by request the same."""
    collect_rarely()  # as a worker does; the bare client has the same process
    for kind in KINDS:
        for seconds in (0.0, stage.scale.answer):
            with simulated(stage, stage.scale.policies, seconds=seconds) as url, opened(stage.founded(kind)) as db:
                for name, sync in (("inventory.sync", inventory_sync.sync), ("policy.sync", policy_sync.sync)):
                    shown = f"{name}, {1000 * seconds:.0f} ms an answer" if seconds else name
                    yield beside_bare(stage, f"{kind}: {shown}", sync, db, url)


def beside_bare(stage: Stage, name: str, sync: Callable[[RunContext], None], db: Database, url: str) -> Line:
    with _recorded() as sent:
        carry_out(db, url, sync)
    ours, bare = [], []
    for number in range(stage.scale.syncs):
        say(f"{name}, repetition {number + 1} of {stage.scale.syncs}")
        ours.append(carry_out(db, url, sync))
        bare.append(_timed(lambda: _send_bare(url, sent)))
    shown = f"{median(ours):.2f} and {median(bare):.2f} s, {len(sent)} requests"
    return ratio_line(f"{name}: {stage.scale.policies} policies, against bare httpx", ours, bare, shown, 2)


def groups(stage: Stage) -> Iterator[Line]:
    """The memory of the process that reads many groups, page by page; then the search."""
    scale = stage.scale
    for kind in KINDS:
        with simulated(stage, 30, scale.groups) as url, opened(stage.founded(kind)) as db:
            pages: list[float] = []
            with looked_at(directory, "apply", pages):
                carry_out(db, url, directory_groups_sync.sync)
            settled = pages[len(pages) // 10 :]
            spread = max(settled) - min(settled)
            yield Line(
                f"{kind}: memory while {scale.groups:,} groups are read",
                f"{min(settled):.0f} to {max(settled):.0f} MB",
                "+- 10 MB",
                spread <= 20,
            )
        with opened(stage.founded(kind)) as db:
            tenant_id, names = _fill(stage, kind, db)
            yield _search(stage, kind, db, tenant_id)
            yield _by_names(stage, kind, db, tenant_id, names)


def _fill(stage: Stage, kind: str, db: Database) -> tuple[int, list[str]]:
    """Store many groups; the tenant's id, and the groups' names."""
    chance, many = random.Random(1), stage.scale.searched_groups
    run = _start(db)
    round_ = directory.begin_round(db, run.tenant_id, run.id)
    names = [f"{chance.choice(WORDS)} {chance.choice(WORDS)} {number % 977}" for number in range(many)]
    for start in range(0, many, 500):
        say(f"{kind}: {start:,} of {many:,} groups")
        page = [
            {"id": f"id-{start + place}", "displayName": name} for place, name in enumerate(names[start : start + 500])
        ]
        directory.apply(db, run.tenant_id, round_, page)
    return run.tenant_id, names


def _search(stage: Stage, kind: str, db: Database, tenant_id: int) -> Line:
    waits = [
        1000 * _timed(functools.partial(_searched, db, tenant_id, text[:length]))
        for _ in range(stage.scale.searches)
        for text in TYPED
        for length in range(1, len(text) + 1)
    ]
    worst = percentile(waits, 0.99)
    value = f"p50 {median(waits):.0f}, p99 {worst:.0f} ms of {len(waits)}"
    return Line(
        f"{kind}: a letter typed into the search of {stage.scale.searched_groups:,} groups",
        value,
        "p99 <= 50 ms",
        worst <= 50,
    )


def _by_names(stage: Stage, kind: str, db: Database, tenant_id: int, names: Sequence[str]) -> Line:
    """So many whole names at once, as a restore suggests groups, against one letter of the search: neither may walk them all."""
    wanted = random.Random(2).sample(sorted(set(names)), min(200, len(set(names))))
    ours, others = [], []
    for _ in range(stage.scale.searches):
        ours.append(_timed(functools.partial(_named, db, tenant_id, wanted)))
        others.append(_timed(functools.partial(_searched, db, tenant_id, TYPED[0])))
    shown = f"{1000 * median(ours):.1f} and {1000 * median(others):.1f} ms"
    measure = f"{kind}: {len(wanted)} whole names in {len(names):,} groups, against a search"
    return ratio_line(measure, ours, others, shown, 2)


def _named(db: Database, tenant_id: int, names: Sequence[str]) -> None:
    with db.read() as connection:
        group_search.by_names(connection, tenant_id, names)


def _searched(db: Database, tenant_id: int, text: str) -> None:
    with db.read() as connection:
        group_search.search(connection, tenant_id, text)


# ---- the surroundings


@contextlib.contextmanager
def simulated(stage: Stage, policies: int, groups: int = 0, seconds: float = 0.0) -> Iterator[str]:
    """A simulated tenant in a process of its own, which takes so many seconds for each answer; its address."""
    with stage.child("simulator", str(policies), str(groups), str(seconds)) as child:
        yield str(json.loads(child.hear())["url"])


def _start(db: Database) -> Run:
    """A run of the tenant `bench` that is running, without a worker's process."""
    from store.workers import heartbeats

    user = access.find_user(db, me())
    tenant = access.memberships_of(db, user.id)[0].tenant
    worker = heartbeats.register(db, host="bench", pid=1, version="0", slots=1, embedded=False)
    identity = identity_hash(tenant.id, "bench.sync", {"at": time.monotonic_ns()})
    new = lifecycle.NewRun(tenant.id, user.id, user.name, "bench.sync", "Sync", identity, {})
    run, _ = lifecycle.create_or_attach(db, new)
    claimed = lifecycle.claim(db, run.id, worker)
    assert claimed
    return claimed


def carry_out(db: Database, url: str, sync: Callable[[RunContext], None]) -> float:
    """Carry out a sync; the seconds that it took, without the start of its run."""
    app = {"directory_id": directory_id("bench"), "client_id": CLIENT_ID, "client_secret": secret("bench")}
    # Without a budget: it is the client's own work that is measured.
    context = RunContext(_start(db), OperationResources(db, GraphSettings(url, url, lambda slug: app, reads=10**9)))
    return _timed(functools.partial(sync, context))


@contextlib.contextmanager
def _recorded() -> Iterator[list[Sent]]:
    """What the client sends to Graph within this block."""
    sent: list[Sent] = []
    original = GraphClient._try

    def recording(self: GraphClient, method: str, url: httpx.URL, body: Any, *rest: Any, **more: Any) -> Any:
        sent.append(Sent(method, str(url), body))
        return original(self, method, url, body, *rest, **more)

    GraphClient._try = recording  # type: ignore[method-assign]
    try:
        yield sent
    finally:
        GraphClient._try = original  # type: ignore[method-assign]


@contextlib.contextmanager
def looked_at(module: ModuleType, name: str, megabytes: list[float]) -> Iterator[None]:
    """Note the memory of this process at each call of a module's function within this block."""
    original, process = getattr(module, name), psutil.Process()

    def looking(*given: Any, **more: Any) -> Any:
        megabytes.append(process.memory_info().rss / 2**20)
        return original(*given, **more)

    setattr(module, name, looking)
    try:
        yield
    finally:
        setattr(module, name, original)


def _send_bare(url: str, sent: Sequence[Sent]) -> None:
    with httpx.Client(trust_env=False) as http:
        token = f"{url}/{directory_id('bench')}/oauth2/v2.0/token"
        form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": secret("bench")}
        form["scope"] = "https://graph.microsoft.com/.default"
        http.headers["Authorization"] = f"Bearer {http.post(token, data=form).json()['access_token']}"
        for one in sent:
            answer = http.request(one.method, one.url, json=one.body)
            assert answer.is_success
            answer.json()


def _timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began
