"""What the screens show at one instant: one read transaction, a few bounded statements, frozen records."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from store.db.engine import Database
from store.errors import NotFound
from store.intune import backup_page, browse, directory_page, drift_page, restore_page, schedule_page, tenant_page
from store.intune.backup_page import BackupsFound, BackupsWanted
from store.intune.browsed import Found, PolicyDetail, Wanted
from store.intune.directory_page import Counted, Directory, DirectoryWanted
from store.intune.drift_page import DriftFound, DriftWanted
from store.intune.restore_mapping_poll import MappingFound, MappingWanted, read_mapping
from store.intune.restore_page import AnyRestoreFound, AnyRestoreWanted
from store.intune.schedule_page import Next, SchedulePage, SchedulesWanted
from store.intune.tenant_page import TenantDetail, TenantWanted
from store.model.records import Count, Notification, Run, Worker
from store.people import notifications
from store.people.access import Membership, read_memberships
from store.runs import detail as run_detail
from store.runs import watching
from store.runs.detail import RunDetail
from store.search import counts as tab_counts
from store.search import failure_groups, pages
from store.search.failure_groups import Groups
from store.search.filter import RunFilter
from store.search.keyset import Cursor
from store.search.pages import Order, Page
from store.search.plan import QueryPlan
from store.search.poll_cache import PollCache
from store.search.resolve import resolve, resolve_filter
from store.workers import heartbeats, load
from store.workers import pause as queue_pause
from store.workers.load import SystemLoad
from store.workers.pause import QueuePause
from store.workers.throughput import HourlyThroughput

if TYPE_CHECKING:
    from store.search.audit_filter import AuditWanted
    from store.search.audit_page import AuditPage

#: The number of notifications in every snapshot.
RECENT = 30


@dataclass(frozen=True, slots=True)
class Request:
    """What the screens show. The list is always read; everything else only when a screen shows it."""

    user_id: int
    wanted: RunFilter = field(default_factory=RunFilter)
    tab: str = "All"
    order: Order = Order.CREATED
    limit: int = 100
    #: The position in the list; None for its top.
    cursor: Cursor | None = None
    run_id: int | None = None
    inbox: bool = False
    #: The filter of the failure groups; None if no screen shows them.
    groups_of: RunFilter | None = None
    load: bool = False
    #: What is shown of the inventory; None if no screen shows any.
    inventory: Wanted | None = None
    #: What is searched in a tenant's cached directory; None if no screen shows it.
    directory: DirectoryWanted | None = None
    #: What is shown of drift; None if no screen shows any.
    drift: DriftWanted | None = None
    #: Which tenant's schedules of backups are shown; None if no screen shows them.
    schedules: SchedulesWanted | None = None
    #: What is shown of backup sets; None if no screen shows any.
    backups: BackupsWanted | None = None
    #: Which tenant's settings are shown; None if no screen shows any.
    tenant: TenantWanted | None = None
    #: What is shown of restores; None if no screen shows any.
    restores: AnyRestoreWanted | None = None
    #: Which restore's groups are mapped; None if no screen shows them.
    restore_mapping: MappingWanted | None = None
    #: Which page of the audit trail is shown; None if no screen shows it.
    audit: AuditWanted | None = None
    #: Seconds without a beat after which a worker counts as lost.
    lost_after: float = 30.0
    #: Seconds without a beat after which a worker counts as silent.
    silent_after: float = 10.0

    def only_list(self) -> Request:
        """The same list, and nothing of what is read only when a screen shows it."""
        bare = replace(self, run_id=None, inbox=False, groups_of=None, load=False, tenant=None, restore_mapping=None)
        return replace(
            bare, inventory=None, directory=None, backups=None, restores=None, schedules=None, drift=None, audit=None
        )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state at the instant `at` (the database's clock). `detail` is None also when there is no such run for the user."""

    request: Request
    at: dt.datetime
    memberships: tuple[Membership, ...]
    page: Page
    counts: Mapping[str, Count]
    #: The number of runs in the filter's tenants, whatever its other terms.
    total: Count
    workers: tuple[Worker, ...]
    #: The user's newest notifications, newest first. Screens find the new ones by their ids: these become visible out of order.
    recent_notifications: tuple[Notification, ...]
    unread: int
    detail: RunDetail | None = None
    inbox: tuple[Notification, ...] | None = None
    groups: Groups | None = None
    load: SystemLoad | None = None
    #: None also when what the request wants does not exist for the user.
    inventory: Found | None = None
    #: None also when there is no such tenant for the user.
    directory: Directory | None = None
    #: None also when what the request wants does not exist for the user.
    drift: DriftFound | None = None
    #: None also when there is no such tenant for the user.
    schedules: SchedulePage | None = None
    #: None also when what the request wants does not exist for the user.
    backups: BackupsFound | None = None
    #: None also when there is no such tenant for the user.
    tenant: TenantDetail | None = None
    #: None also when what the request wants does not exist for the user.
    restores: AnyRestoreFound | None = None
    #: None also when there is no such restore for the user.
    restore_mapping: MappingFound | None = None
    #: None also when a tenant is wanted that does not exist for the user.
    audit: AuditPage | None = None
    #: Of the runs that the user watches, those that have ended and of which they were not told, as if they were their own; at most
    #: 20. Whoever tells them of one calls `store.runs.watching.tell` first, which says whether another session has.
    ended_watches: tuple[Notification, ...] = ()
    #: For running runs of the list and of the schedules whose worker is silent: seconds since the worker's last beat, by run id.
    silences: Mapping[int, float] = field(default_factory=dict)
    #: The queue's pause; None while it is not paused.
    paused: QueuePause | None = None
    #: Whether the database refuses every change, as a standby does.
    only_reads: bool = False

    @property
    def runs(self) -> tuple[Run, ...]:
        """The runs of the list, in its order."""
        return self.page.runs


class SnapshotCache(PollCache):
    """What one poller has read before."""

    #: The last hours, read anew when they are no longer fresh.
    hours: HourlyThroughput | None = None
    #: Bodies of the policy that is shown, by their hashes: they may be large, and never change.
    bodies: Mapping[str, Any] = MappingProxyType({})
    #: How many groups the tenant has whose directory is shown: there may be many.
    counted_groups: Counted | None = None
    #: When the schedules that are shown fire next, by cron and zone.
    next_times: Mapping[tuple[str, str], Next] = MappingProxyType({})
    #: What was shown of backup sets.
    backups: BackupsFound | None = None
    #: What was shown of restores, and of the groups of one.
    restores: AnyRestoreFound | None = None
    restore_mapping: MappingFound | None = None


def take(db: Database, request: Request, cache: SnapshotCache | None = None) -> Snapshot:
    """Read what the request asks for. With the poller's `cache`, only what has changed since its last poll is read.

    Raises DatabaseAway or SchemaMismatch. A tenant that no longer exists gives an empty list.
    """
    with db.read() as connection:
        members = read_memberships(connection, request.user_id)
        page, counts, total = _list(connection, members, request, cache)
        unread, now, is_paused, only_reads = notifications.unread_now(connection, request.user_id)
        schedules = _schedules(connection, members, request, now, cache)
        ticked = schedules.runs if schedules else ()
        return Snapshot(
            request=request,
            at=now,
            memberships=members,
            page=page,
            counts=counts,
            total=total,
            workers=heartbeats.alive(connection, request.lost_after),
            recent_notifications=notifications.inbox(connection, request.user_id, limit=RECENT),
            unread=unread,
            detail=run_detail.read(
                connection, request.user_id, request.run_id, request.lost_after, request.silent_after
            ),
            inbox=notifications.inbox(connection, request.user_id) if request.inbox else None,
            groups=failure_groups.read(connection, members, request.user_id, request.groups_of)
            if request.groups_of
            else None,
            load=_load(connection, members, request, cache) if request.load else None,
            inventory=_inventory(connection, members, request, cache),
            directory=_directory(connection, members, request, now, cache),
            drift=drift_page.read(connection, members, request.drift),
            schedules=schedules,
            silences=heartbeats.silences(connection, (*page.runs, *ticked), request.silent_after),
            backups=_backups(connection, members, request, cache),
            tenant=tenant_page.read(connection, members, request.tenant),
            restores=_restores(connection, members, request, cache),
            restore_mapping=_restore_mapping(connection, members, request, now, cache),
            audit=_audit(connection, members, request) if request.audit else None,
            ended_watches=watching.ended(connection, request.user_id),
            paused=queue_pause.current(connection) if is_paused else None,
            only_reads=only_reads,
        )


def _audit(connection: sa.Connection, members: tuple[Membership, ...], request: Request) -> AuditPage | None:
    from store.search import audit_page  # not before the first paint

    return audit_page.read(connection, members, request.user_id, request.audit)


def _load(
    connection: sa.Connection, members: tuple[Membership, ...], request: Request, cache: SnapshotCache | None
) -> SystemLoad:
    found = load.read(connection, members, request.lost_after, cache.hours if cache else None)
    if cache:
        cache.hours = found.hours
    return found


def _inventory(
    connection: sa.Connection, members: tuple[Membership, ...], request: Request, cache: SnapshotCache | None
) -> Found | None:
    found = browse.read(connection, members, request.inventory, cache.bodies if cache else {})
    if cache:
        cache.bodies = found.bodies if isinstance(found, PolicyDetail) else {}
    return found


def _directory(
    connection: sa.Connection,
    members: tuple[Membership, ...],
    request: Request,
    now: dt.datetime,
    cache: SnapshotCache | None,
) -> Directory | None:
    counted = cache.counted_groups if cache else None
    found = directory_page.read(connection, members, request.directory, now, counted)
    if cache and found:
        cache.counted_groups = found.counted
    return found


def _schedules(
    connection: sa.Connection,
    members: tuple[Membership, ...],
    request: Request,
    now: dt.datetime,
    cache: SnapshotCache | None,
) -> SchedulePage | None:
    found = schedule_page.read(connection, members, request.schedules, now, cache.next_times if cache else None)
    if cache and found:
        cache.next_times = found.next_times
    return found


def _backups(
    connection: sa.Connection, members: tuple[Membership, ...], request: Request, cache: SnapshotCache | None
) -> BackupsFound | None:
    found = backup_page.read(connection, members, request.backups, cache.backups if cache else None)
    if cache:
        cache.backups = found
    return found


def _restores(
    connection: sa.Connection, members: tuple[Membership, ...], request: Request, cache: SnapshotCache | None
) -> AnyRestoreFound | None:
    found = restore_page.read(connection, members, request.restores, cache.restores if cache else None)
    if cache:
        cache.restores = found
    return found


def _restore_mapping(
    connection: sa.Connection,
    members: tuple[Membership, ...],
    request: Request,
    now: dt.datetime,
    cache: SnapshotCache | None,
) -> MappingFound | None:
    last = cache.restore_mapping if cache else None
    found = read_mapping(connection, members, request.restore_mapping, now, last)
    if cache:
        cache.restore_mapping = found
    return found


def _list(
    connection: sa.Connection, members: tuple[Membership, ...], request: Request, cache: PollCache | None
) -> tuple[Page, Mapping[str, Count], Count]:
    """The page, how many runs each tab has, and how many there are without the filter, but for its tenants."""
    bare = RunFilter(tenants=request.wanted.tenants, within=request.wanted.within)
    try:
        found = resolve(connection, members, request.user_id, request.wanted)
        every = None if request.wanted == bare else resolve_filter(connection, members, request.user_id, bare)
    except NotFound:
        found = every = None
    counts = tab_counts.counts(connection, found.plan() if found else None, cache)
    total = counts if request.wanted == bare else tab_counts.counts(connection, every, cache)
    return _page(connection, found.plan(request.tab) if found else None, request, cache), counts, total["All"]


def _page(connection: sa.Connection, plan: QueryPlan | None, request: Request, cache: PollCache | None) -> Page:
    if request.order is not Order.CREATED:
        return pages.sorted_page(connection, plan, request.order, pages.WINDOW)
    if request.cursor:
        return pages.page_around(connection, plan, request.cursor, pages.WINDOW)
    return pages.page(connection, plan, request.limit, cache=cache)
