"""Screens over crafted snapshots (pictures that never change), and over a real database with a real queue."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import functools
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pytest_textual_snapshot import SVGImageExtension
from syrupy.assertion import SnapshotAssertion
from textual._context import active_app
from textual.app import App

from opsmon.app import make_backend
from opsmon.services import Services
from opsmon.settings import Settings
from screens.backend import Backend
from screens.monitor import Monitor
from screens.runs.paging import cursor_of
from store.backoff import Backoff
from store.db.engine import Database
from store.errors import DatabaseAway
from store.intune.backup_page import BackupsFound, BackupsWanted
from store.intune.browsed import Found, Wanted
from store.intune.directory_page import Directory, DirectoryWanted
from store.intune.drift_page import DriftFound, DriftWanted
from store.intune.restore_mapping_poll import MappingFound, MappingWanted
from store.intune.restore_page import AnyRestoreFound, AnyRestoreWanted
from store.intune.schedule_page import SchedulePage, SchedulesWanted
from store.intune.tenant_page import TenantDetail, TenantWanted
from store.model.records import (
    Count,
    Counts,
    Failure,
    LogLine,
    Notification,
    Outcome,
    Run,
    Status,
    Tenant,
    User,
    Worker,
)
from store.people.access import Membership, Role
from store.runs.acknowledging import Receipt, Verdict
from store.runs.detail import RunDetail
from store.search.audit_filter import AuditWanted
from store.search.audit_page import AuditPage
from store.search.failure_groups import Groups
from store.search.filter import RunFilter
from store.search.keyset import Cursor
from store.search.last_view import LastView
from store.search.matching import Matching
from store.search.pages import WINDOW, Page
from store.search.saved_views import SavedView
from store.search.tabs import TABS
from store.snapshot import Request, Snapshot
from store.workers.load import SystemLoad
from store.workers.pause import QueuePause
from tasks.dispatch import Dispatcher
from tasks.operations.inventory_sync import sync
from tasks.operations.probe import probe
from tasks.queue.queue import Queue
from tasks.sdk.registry import Registry
from tests.screens.style_sheets import SharedStylesheet
from tests.support import people
from tests.support.waiting import HANG, in_vain

if TYPE_CHECKING:
    from tests.screens.pictures import Picture

#: Seconds between two polls: none comes but those that are asked for.
NEVER = 86_400.0
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


def a_preview(id_: int = 996, **changed: Any) -> Run:
    """A run that is held: that of restore 5."""
    own = {"type": "restore.execute", "label": "Restore", "held": True, "dispatched_at": None}
    return a_run(id_, Outcome.PENDING, Status.QUEUED, **{**own, "context": {"restore_run_id": 5}, **changed})


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
    made = Notification(id_, run_id, 1, kind, title, "contoso: 40 of 40 done.", ago(600), None, Outcome.SUCCEEDED)
    return replace(made, **changed)


@dataclass
class FakeBackend:
    """A database for the screens to look at: what is in it is set by the test, and it can be away or hang."""

    runs: tuple[Run, ...] = ()
    members: tuple[Membership, ...] = MEMBER
    inbox: tuple[Notification, ...] = ()
    events: tuple[LogLine, ...] = ()
    workers: tuple[Worker, ...] = (WORKER,)
    groups: Groups = field(default_factory=Groups)
    reached: Cursor | None = None
    kept: list[SavedView] = field(default_factory=list)
    seen: dt.datetime | None = None
    load: SystemLoad | None = None
    #: What is found in the inventory, by what is asked of it.
    inventory: dict[Wanted, Found] = field(default_factory=dict)
    #: What is found in a cached directory, by what is asked of it.
    directory: dict[DirectoryWanted, Directory] = field(default_factory=dict)
    #: What is found of drift, by what is asked of it; and what was accepted.
    drift: dict[DriftWanted, DriftFound] = field(default_factory=dict)
    accepted: list[tuple[int, str, dt.datetime | None]] = field(default_factory=list)
    #: What is found of schedules, by what is asked of them, and what changes them.
    schedules: dict[SchedulesWanted, SchedulePage] = field(default_factory=dict)
    schedule_changes: Any = None
    #: The settings of tenants, by what is asked of them, and what changes them.
    tenants: dict[TenantWanted, TenantDetail] = field(default_factory=dict)
    tenant_port: Any = None
    #: What is found of backup sets, by what is asked of them.
    backups: dict[BackupsWanted, BackupsFound] = field(default_factory=dict)
    #: What is found of restores, by what is asked of them, and what changes them.
    restores: dict[AnyRestoreWanted, AnyRestoreFound] = field(default_factory=dict)
    restore_changes: Any = None
    #: The groups of restores, by what is asked of them.
    restore_mapping: dict[MappingWanted, MappingFound] = field(default_factory=dict)
    #: What was acknowledged, with the notes, what becomes of the others by run id, and whose acknowledgement was taken back.
    acknowledged: list[tuple[tuple[int, ...], str]] = field(default_factory=list)
    receipts: dict[int, Receipt] = field(default_factory=dict)
    taken_back: list[int] = field(default_factory=list)
    #: Ids of the runs that are watched, the ends of such runs, and those that another session tells of.
    watches: set[int] = field(default_factory=set)
    ended_watches: tuple[Notification, ...] = ()
    told_elsewhere: frozenset[int] = frozenset()
    #: The audit trail, by what is asked of it.
    audit: dict[AuditWanted, AuditPage] = field(default_factory=dict)
    paused: QueuePause | None = None
    only_reads: bool = False
    silences: dict[int, float] = field(default_factory=dict)
    #: What a run's detail holds beside the run, its log lines and its attempts.
    detail: dict[str, Any] = field(default_factory=dict)
    away: str = ""
    hangs: threading.Event | None = None
    poll_seconds: float = NEVER
    read: list[tuple[int, int | None, int | None]] = field(default_factory=list)
    held: list[bool] = field(default_factory=list)

    #: What the screens stored of what the user looks at.
    last: list[LastView] = field(default_factory=list)

    def save_last(self, last: LastView) -> None:
        if self.away:
            raise DatabaseAway(self.away)
        self.last.append(last)

    def fetch(self, request: Request) -> Snapshot:
        if self.hangs:
            self.hangs.wait()
        if self.away:
            raise DatabaseAway(self.away)
        wanted = [run for run in self.runs if _wanted(run, request)]
        counts = {
            tab: Count(sum(not outcomes or (run.outcome in outcomes and not run.held) for run in self.runs))
            for tab, outcomes in TABS.items()
        }
        chosen = next((run for run in self.runs if run.id == request.run_id), None)
        return Snapshot(
            request=request, at=AT, memberships=self.members, page=replace(_page(wanted, request), scanned_to=self.reached),
            counts=counts, workers=self.workers,
            recent_notifications=self.inbox, unread=sum(n.read_at is None for n in self.inbox),
            detail=RunDetail(chosen, self.events, self._attempts(chosen), **self.detail) if chosen else None,
            groups=self.groups if request.groups_of else None, total=Count(len(self.runs)),
            inbox=self.inbox if request.inbox else None, load=self.load if request.load else None,
            inventory=self.inventory.get(request.inventory) if request.inventory else None,
            directory=self.directory.get(request.directory) if request.directory else None,
            drift=self.drift.get(request.drift) if request.drift else None,
            schedules=self.schedules.get(request.schedules) if request.schedules else None,
            backups=self.backups.get(request.backups) if request.backups else None,
            tenant=self.tenants.get(request.tenant) if request.tenant else None,
            restores=self.restores.get(request.restores) if request.restores else None,
            restore_mapping=self.restore_mapping.get(request.restore_mapping) if request.restore_mapping else None,
            audit=self.audit.get(request.audit) if request.audit else None, ended_watches=self.ended_watches,
            paused=self.paused, silences=self.silences,
            only_reads=self.only_reads,
        )  # fmt: skip

    def matching(self, wanted: RunFilter, tab: str, limit: int) -> Matching:
        request = Request(ME.id, wanted, tab)
        ids = tuple(run.id for run in self.runs if _wanted(run, request))
        return Matching(ids[:limit], len(ids) > limit)

    def views(self) -> tuple[SavedView, ...]:
        return tuple(self.kept)

    def save_view(self, view: SavedView) -> tuple[SavedView, ...]:
        self.kept.append(view)
        return self.views()

    def delete_view(self, name: str) -> tuple[SavedView, ...]:
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
            mark_read=lambda *seen: self.read.append(seen), poll_seconds=self.poll_seconds, matching=self.matching,
            preferences=self, accept_drift=self._accept, schedules=self.schedule_changes,
            tenants=self.tenant_port, attention=self,
            restores=self.restore_changes,
            set_queue_paused=self._hold, kind_label=lambda kind: kind.replace("_", " "),
        )  # fmt: skip

    def acknowledge(self, run_ids: Sequence[int], note: str) -> tuple[Receipt, ...]:
        if self.away:
            raise DatabaseAway(self.away)
        self.acknowledged.append((tuple(run_ids), note))
        return tuple(
            self.receipts.get(id_) or Receipt(id_, Verdict.DONE, f"run {id_} is acknowledged") for id_ in run_ids
        )

    def take_back(self, run_ids: Sequence[int]) -> tuple[Receipt, ...]:
        self.taken_back += run_ids
        return tuple(Receipt(id_, Verdict.DONE, f"run {id_} is no longer acknowledged") for id_ in run_ids)

    def watch(self, run_id: int) -> bool:
        is_new = run_id not in self.watches
        self.watches.add(run_id)
        return is_new

    def unwatch(self, run_id: int) -> bool:
        was = run_id in self.watches
        self.watches.discard(run_id)
        return was

    def tell(self, run_ids: Sequence[int]) -> frozenset[int]:
        news = frozenset(run_ids) - self.told_elsewhere
        self.ended_watches = tuple(note for note in self.ended_watches if note.run_id not in run_ids)
        return news

    def _accept(self, finding_id: int, reason: str, until: dt.datetime | None) -> None:
        if self.away:
            raise DatabaseAway(self.away)
        self.accepted.append((finding_id, reason, until))

    def _hold(self, paused: bool) -> bool:
        self.held.append(paused)
        return True


def _wanted(run: Run, request: Request) -> bool:
    outcomes = TABS[request.tab]
    wanted: RunFilter = request.wanted
    return (
        (not outcomes or (run.outcome in outcomes and not run.held))
        and (not wanted.outcomes or run.outcome in wanted.outcomes)
        and (not wanted.tenants or run.tenant in wanted.tenants)
        and (wanted.within is None or run.tenant == wanted.within)
        and not (request.tab == "Failed" and run.acknowledged_at and wanted.acknowledged is None)
    )


def _page(runs: list[Run], request: Request) -> Page:
    """As the store does it: a window from the top, or around a place."""
    newest = sorted(runs, key=cursor_of, reverse=True)
    if request.cursor is None:
        return Page(tuple(newest[: request.limit]), has_older=len(newest) > request.limit)
    line = sum(cursor_of(run) > request.cursor for run in newest)
    first, last = max(0, line - WINDOW // 2), line + WINDOW // 2
    return Page(tuple(newest[first:last]), has_newer=first > 0, has_older=len(newest) > last)


class OnlyARegistry:
    registry = Registry.of([probe, sync])

    def twin(self, *_: object) -> None:
        return None


def nobody_dispatches() -> Any:
    return OnlyARegistry()


@pytest.fixture
def picture(snapshot: SnapshotAssertion, tmp_path: Path) -> Picture:
    """Compares what the screens show over a stage with the pictures that are kept."""
    from tests.screens.pictures import Picture

    return Picture(snapshot.use_extension(SVGImageExtension), tmp_path)


@pytest.fixture(scope="session", autouse=True)
def _style_sheets_are_parsed_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("textual.app.Stylesheet", SharedStylesheet)
        patch.setattr("textual.css.stylesheet.Stylesheet", SharedStylesheet)  # with what a theme's change makes
        yield


# ---- waiting


@pytest.fixture(autouse=True)
def _no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and pauses wait until every message is dealt with, where Textual would look how busy the process is.

    And nothing glides or hesitates: where it is going to, it is at once, and what waits for hands to rest does not.
    """
    monkeypatch.setattr("textual.app.wait_for_idle", _all_is_quiet)
    monkeypatch.setattr("textual.pilot.wait_for_idle", _all_is_quiet)
    monkeypatch.setattr("textual.constants.TEXTUAL_ANIMATIONS", "none")
    monkeypatch.setattr("screens.start.form.PAUSE", 0.001)
    monkeypatch.setattr("screens.notify.toasts.SECONDS", HANG)  # what is told is there when a slow machine looks
    monkeypatch.setattr("screens.notify.toasts.ERROR_SECONDS", HANG)
    monkeypatch.setattr("screens.bulk.screen.LOOK_EVERY", 0.02)
    monkeypatch.setattr("screens.bulk_retry.PAUSES", Backoff(0.01, 5.0))


async def _all_is_quiet(*_: float) -> None:
    """Until all is dealt with and painted: no message waits, several turns of the loop in a row. At most for about a second."""
    app, quiet = active_app.get(), 0
    for turn in range(1200):
        quiet = quiet + 1 if _is_quiet(app) else 0
        if quiet == 2 and app.screen_stack:
            app.screen._on_timer_update()  # paints, where the screen's clock would some milliseconds later
        if quiet == 4:
            return
        await asyncio.sleep(0 if turn < 200 else 0.001)  # a message that takes its time


def _is_quiet(app: App[Any]) -> bool:
    if app._resize_event is not None or (isinstance(app, Monitor) and app.gate.is_settling):
        return False
    pumps = [app, *(node for screen in app.screen_stack for node in screen.walk_children(with_self=True))]
    return not any(pump.message_queue_size or pump._pending_message or pump._next_callbacks for pump in pumps)


async def until(pilot: Any, condition: Callable[[], Any], what: str = "") -> Any:
    """Let the application go on, and poll again and again, until the condition holds.

    Raises AssertionError, naming what was waited for and what the screen shows, when it never does.
    """
    monitor: Monitor = pilot.app
    deadline, pause = time.monotonic() + HANG, 0.0
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(in_vain(what or repr(condition), HANG, answer, lambda: shown(monitor)))
        await pilot.pause()
        if pause and monitor.data.generation == monitor.data.poller.generation:
            monitor.poll_now()
        await asyncio.sleep(pause)
        pause = min(0.05, pause * 1.5 + 0.001)
    await pilot.pause()
    return answer


async def polls(pilot: Any, count: int = 1) -> None:
    """Let so many polls come in, each begun after this was called."""
    monitor: Monitor = pilot.app
    for _ in range(count):
        begun = monitor.data.poller.generation
        monitor.poll_now()
        await until(pilot, functools.partial(_has_come, monitor, begun + 1), "a poll")


def _has_come(monitor: Monitor, generation: int) -> bool:
    return monitor.data.generation >= generation


def shown(monitor: Monitor) -> str:
    """What a person would see now, and what was told."""
    if not monitor.is_running or not monitor.screen_stack:
        return "the application has ended"
    return "\n".join([f"-- {monitor.screen!r}:", *screen_lines(monitor), "-- toasts:", *toasts(monitor)])


def screen_lines(monitor: Monitor) -> list[str]:
    """The screen's lines as text."""
    return [strip.text.rstrip() for strip in monitor.screen._compositor.render_strips()]


@contextlib.asynccontextmanager
async def running(monitor: Monitor, size: tuple[int, int] = (100, 30)) -> AsyncIterator[Any]:
    """The application runs, and at the end no thread of it is left."""
    try:
        async with monitor.run_test(size=size, notifications=True) as pilot:
            yield pilot
    finally:
        assert monitor.wait(HANG), "a thread of the application does not end"


def toasts(monitor: Monitor) -> list[str]:
    return [note.message for note in monitor._notifications]


@dataclass
class LiveHarness:
    """A real database with a tenant, users and a real queue, and screens on it."""

    db: Database
    dispatcher: Dispatcher
    users: dict[str, User]

    def backend(self, login: str) -> Backend:
        return make_backend(HarnessServices(self), self.users[login])


class HarnessServices(Services):
    """The harness's own database and dispatcher, with settings by which the screens poll when they are told to."""

    def __init__(self, harness: LiveHarness) -> None:
        super().__init__(Settings(poll_seconds=NEVER))
        self.db = harness.db
        self._harness = harness

    @property
    def dispatcher(self) -> Dispatcher:
        """The one that the harness has by now: tests put others in."""
        return self._harness.dispatcher


@pytest.fixture
def house(db: Database) -> Iterator[LiveHarness]:
    people.make_tenant(db, "contoso")
    people.make_tenant(db, "fabrikam")
    users = {
        "ann": people.make_user(db, "ann", contoso=Role.OPERATOR, fabrikam=Role.OPERATOR),
        "ron": people.make_user(db, "ron", contoso=Role.READONLY),
        "nob": people.make_user(db, "nob"),
    }
    queue = Queue(db, timeout=HANG)
    yield LiveHarness(db, Dispatcher(db, queue, Registry.of([probe, sync])), users)
    queue.close()
