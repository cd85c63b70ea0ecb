"""Screens over crafted snapshots (pictures that never change), and over a real database with a real queue."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from opsmon.app import Kept
from screens.backend import Backend
from screens.monitor import Monitor
from screens.paging import cursor_of
from store import notifications, queries, queue_pause, snapshot
from store.access import Membership, Role
from store.database import Database
from store.details import Detail
from store.errors import DatabaseAway
from store.filters import RunFilter
from store.groups import Groups
from store.load import Load
from store.memory import Memory
from store.queries import TABS, WINDOW, Count, Cursor, Matching, Page
from store.records import Counts, Event, Failure, Notification, Outcome, Run, Status, Tenant, User, Worker
from store.snapshot import Request, Snapshot
from store.views import View
from tasks.dispatch import Dispatcher
from tasks.operations.inventory import sync
from tasks.operations.probe import probe
from tasks.queue import Queue
from tasks.registry import Registry
from tests.support import people

AT = dt.datetime(2026, 3, 1, 12, 0, 0, tzinfo=dt.UTC)
ME = User(1, "ann", "Ann Alba", AT)
CONTOSO = Tenant(1, "contoso", "Contoso Ltd", AT)
FABRIKAM = Tenant(2, "fabrikam", "Fabrikam AG", AT)
MEMBER = (Membership(CONTOSO, Role.OWNER), Membership(FABRIKAM, Role.READONLY))
WORKER = Worker(3, "host", 17, "0.1", 4, 0, False, AT, AT, None, 0.5, 1)


def ago(seconds: float) -> dt.datetime:
    return AT - dt.timedelta(seconds=seconds)


def a_run(id_: int, outcome: Outcome = Outcome.SUCCEEDED, status: Status = Status.COMPLETED, **changed: Any) -> Run:
    """A run that was opened `id_` minutes before 1,000 minutes ago, so that higher ids are younger."""
    at = ago(60 * max(1, 1000 - id_))
    began = None if status is Status.QUEUED else at + dt.timedelta(seconds=2)
    ended = at + dt.timedelta(seconds=40) if status is Status.COMPLETED else None
    made = Run(
        id=id_, tenant_id=1, tenant="contoso", tenant_name="Contoso Ltd", user_id=1, initiator_name="Ann Alba",
        type="inventory.sync", label="Sync inventory", status=status, outcome=outcome, run_identity_hash="0" * 64,
        summary_counts=None if status is Status.QUEUED else Counts(40, 36), failure_summary=(), retry_of_id=None,
        worker_id=None if began is None else 3, dispatched_at=at, started_at=began, completed_at=ended,
        created_at=at, updated_at=at, context={"parameters": {"kinds": None}},
    )  # fmt: skip
    return replace(made, **changed)


def runs_of_all_states(first: int = 990) -> tuple[Run, ...]:
    failed = (
        Failure("graph.forbidden", "Microsoft Graph refused: scope tags", 2),
        Failure("graph.throttled", "Throttled"),
    )
    return (
        a_run(first + 5, Outcome.PENDING, Status.QUEUED),
        a_run(first + 4, Outcome.PENDING, Status.RUNNING, summary_counts=Counts(40, 12)),
        a_run(first + 3, summary_counts=Counts(40, 40)),
        a_run(first + 2, Outcome.PARTIALLY_SUCCEEDED, summary_counts=Counts(40, 30, 6, 4), failure_summary=failed),
        a_run(
            first + 1, Outcome.FAILED, failure_summary=failed[::-1], retry_of_id=first, tenant="fabrikam", tenant_id=2
        ),
        a_run(first, Outcome.CANCELLED, initiator_name="System", user_id=None),
    )


HOSTILE = '\x1b]52;c;aGk=\x07 boom [/foo] [red]x[/] {"a":[true]} \u202eesrever \x9b31m 漢字'


def hostile_run(id_: int = 999) -> Run:
    failures = (Failure("plugin.hostile", HOSTILE, 3),)
    return a_run(
        id_, Outcome.FAILED, label=HOSTILE, initiator_name=HOSTILE, tenant_name=HOSTILE, failure_summary=failures,
        context={"parameters": {"text": HOSTILE}, HOSTILE: [HOSTILE]},
    )  # fmt: skip


def told(id_: int, run_id: int, kind: str = "completed", **changed: Any) -> Notification:
    title = "Sync inventory queued" if kind == "queued" else "Sync inventory succeeded"
    made = Notification(id_, run_id, 1, kind, title, "contoso: 40 of 40 done.", ago(600), None)
    return replace(made, **changed)


@dataclass
class Stage:
    """A database for the screens to look at: what is in it is set by the test, and it can be away or hang."""

    runs: tuple[Run, ...] = ()
    members: tuple[Membership, ...] = MEMBER
    inbox: tuple[Notification, ...] = ()
    events: tuple[Event, ...] = ()
    workers: tuple[Worker, ...] = (WORKER,)
    groups: Groups = field(default_factory=Groups)
    reached: Cursor | None = None
    kept: list[View] = field(default_factory=list)
    seen: dt.datetime | None = None
    load: Load | None = None
    #: What a run's detail holds beside the run, its log lines and its attempts.
    detail: dict[str, Any] = field(default_factory=dict)
    away: str = ""
    hangs: threading.Event | None = None
    read: list[tuple[int, int | None, int | None]] = field(default_factory=list)
    held: list[bool] = field(default_factory=list)

    def fetch(self, request: Request, generation: int) -> Snapshot:
        if self.hangs:
            self.hangs.wait(20)
        if self.away:
            raise DatabaseAway(self.away)
        wanted = [run for run in self.runs if _wanted(run, request)]
        counts = {
            tab: Count(sum(not outcomes or run.outcome in outcomes for run in self.runs))
            for tab, outcomes in TABS.items()
        }
        chosen = next((run for run in self.runs if run.id == request.run_id), None)
        return Snapshot(
            request=request, at=AT, memberships=self.members, page=replace(_page(wanted, request), reached=self.reached),
            counts=counts, workers=self.workers,
            recent_notifications=self.inbox, unread=sum(n.read_at is None for n in self.inbox),
            detail=Detail(chosen, self.events, self._attempts(chosen), **self.detail) if chosen else None,
            groups=self.groups if request.groups_of else None, total=Count(len(self.runs)),
            inbox=self.inbox if request.inbox else None, load=self.load if request.load else None,
            generation=generation,
        )  # fmt: skip

    def matching(self, wanted: RunFilter, tab: str, limit: int) -> Matching:
        request = Request(ME.id, wanted, tab)
        ids = tuple(run.id for run in self.runs if _wanted(run, request))
        return Matching(ids[:limit], len(ids) > limit)

    def views(self) -> tuple[View, ...]:
        return tuple(self.kept)

    def keep_view(self, view: View) -> tuple[View, ...]:
        self.kept.append(view)
        return self.views()

    def delete_view(self, name: str) -> tuple[View, ...]:
        self.kept = [view for view in self.kept if view.name != name]
        return self.views()

    def seen_at(self) -> dt.datetime | None:
        return self.seen

    def mark_seen(self, at: dt.datetime) -> None:
        self.seen = at

    def _attempts(self, chosen: Run) -> tuple[Run, ...]:
        family = {chosen.id, chosen.retry_of_id}
        return tuple(run for run in reversed(self.runs) if run.id in family or run.retry_of_id == chosen.id)

    def backend(self, dispatcher: Callable[[], Dispatcher] | None = None) -> Backend:
        return Backend(
            user=ME, database="sqlite opsmon.db", fetch=self.fetch, dispatcher=dispatcher or nobody_dispatches,
            mark_read=lambda *seen: self.read.append(seen), poll_seconds=0.05, matching=self.matching, keeps=self,
            hold_queue=self._hold,
        )  # fmt: skip

    def _hold(self, paused: bool) -> bool:
        self.held.append(paused)
        return True


def _wanted(run: Run, request: Request) -> bool:
    outcomes = TABS[request.tab]
    wanted: RunFilter = request.wanted
    return (
        (not outcomes or run.outcome in outcomes)
        and (not wanted.outcomes or run.outcome in wanted.outcomes)
        and (not wanted.tenants or run.tenant in wanted.tenants)
    )


def _page(runs: list[Run], request: Request) -> Page:
    """As the store does it: a window from the top, or around a place."""
    newest = sorted(runs, key=cursor_of, reverse=True)
    if request.place is None:
        return Page(tuple(newest[: request.limit]), below=len(newest) > request.limit)
    line = sum(cursor_of(run) > request.place for run in newest)
    first, last = max(0, line - WINDOW // 2), line + WINDOW // 2
    return Page(tuple(newest[first:last]), above=first > 0, below=len(newest) > last)


class OnlyARegistry:
    registry = Registry.of([probe, sync])

    def twin(self, *_: object) -> None:
        return None


def nobody_dispatches() -> Any:
    return OnlyARegistry()


async def until(pilot: Any, condition: Callable[[], Any], what: str = "", seconds: float = 10) -> Any:
    """Let the application go on until the condition holds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not (answer := condition()):
        assert loop.time() < deadline, f"still not: {what or condition}"
        await pilot.pause(0.02)
    await pilot.pause()
    return answer


def threads_end() -> None:
    """Nothing is in flight any more: a connection that a thread still holds could not be closed."""
    for thread in threading.enumerate():
        if thread.name in ("poller", "background"):
            thread.join(15)
            assert not thread.is_alive()


def toasts(monitor: Monitor) -> list[str]:
    return [f"{note.title}|{note.message}" for note in monitor._notifications]


@dataclass
class House:
    """A real database with a tenant, users and a real queue, and screens on it."""

    db: Database
    dispatcher: Dispatcher
    users: dict[str, User]

    def backend(self, login: str) -> Backend:
        def mark_read(user_id: int, run_id: int | None, up_to: int | None) -> None:
            notifications.mark_read(self.db, user_id, run_id=run_id, up_to=up_to)

        def hold_queue(paused: bool) -> bool:
            return (queue_pause.pause if paused else queue_pause.resume)(self.db, self.users[login])

        memory = Memory()
        return Backend(
            user=self.users[login], database=self.db.name, dispatcher=lambda: self.dispatcher, mark_read=mark_read,
            hold_queue=hold_queue,
            fetch=lambda request, generation: snapshot.take(self.db, request, generation, memory), poll_seconds=0.05,
            matching=functools.partial(queries.all_matching, self.db, self.users[login].id),
            keeps=Kept(self.db, self.users[login].id),
        )  # fmt: skip


@pytest.fixture
def house(db: Database) -> Iterator[House]:
    people.make_tenant(db, "contoso")
    people.make_tenant(db, "fabrikam")
    users = {
        "ann": people.make_user(db, "ann", contoso=Role.OPERATOR, fabrikam=Role.OPERATOR),
        "ron": people.make_user(db, "ron", contoso=Role.READONLY),
        "nob": people.make_user(db, "nob"),
    }
    queue = Queue(db)
    yield House(db, Dispatcher(db, queue, Registry.of([probe, sync])), users)
    queue.close()
