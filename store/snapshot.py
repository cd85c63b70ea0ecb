"""Everything that the screens show at one instant: one read transaction, a handful of bounded statements, frozen records."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from store.db.engine import Database
from store.errors import NotFound
from store.model.records import Count, Notification, Run, Worker
from store.people import notifications
from store.people.access import Membership, read_memberships
from store.runs import detail as run_detail
from store.runs.detail import RunDetail
from store.search import counts as tab_counts
from store.search import failure_groups, pages, tabs
from store.search.failure_groups import Groups
from store.search.filter import RunFilter
from store.search.keyset import Cursor
from store.search.pages import Order, Page
from store.search.poll_cache import PollCache
from store.workers import heartbeats, load
from store.workers import pause as queue_pause
from store.workers.load import SystemLoad
from store.workers.pause import QueuePause
from store.workers.throughput import HourlyThroughput

#: Notifications that every snapshot carries.
RECENT = 30


@dataclass(frozen=True, slots=True)
class Request:
    """What the screens want to see. The list is always read; a run, the inbox and the load only when a screen shows them."""

    user_id: int
    wanted: RunFilter = field(default_factory=RunFilter)
    tab: str = "All"
    order: Order = Order.CREATED
    limit: int = 100
    #: Where in the list one is; None at its top.
    cursor: Cursor | None = None
    run_id: int | None = None
    inbox: bool = False
    #: The filter of the failure groups, when they are wanted.
    groups_of: RunFilter | None = None
    load: bool = False
    #: The last hours as they were read before, of which the load makes use while they hold.
    known_hours: HourlyThroughput | None = None
    #: Seconds without a beat after which a worker counts as gone.
    lost_after: float = 30.0
    #: Seconds without a beat after which one is said to be silent.
    silent_after: float = 10.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What there was at `at` (the database's clock). `detail` is None also when the wanted run is not there (any more)."""

    request: Request
    at: dt.datetime
    memberships: tuple[Membership, ...]
    page: Page
    counts: Mapping[str, Count]
    #: How many there are without the filter, but for its tenants.
    total: Count
    workers: tuple[Worker, ...]
    #: The user's newest, newest first. Which of them are new to a screen, it finds out itself: ids become visible out of order.
    recent_notifications: tuple[Notification, ...]
    unread: int
    detail: RunDetail | None = None
    inbox: tuple[Notification, ...] | None = None
    groups: Groups | None = None
    load: SystemLoad | None = None
    #: Of the runs of the list, those that run while their worker is silent: seconds since the worker's last beat.
    silences: Mapping[int, float] = field(default_factory=dict)
    #: The pause of the queue that holds.
    paused: QueuePause | None = None
    #: Whether the database refuses every change, as a standby does.
    only_reads: bool = False
    generation: int = field(default=0, compare=False)

    @property
    def runs(self) -> tuple[Run, ...]:
        """The runs of the list, in its order."""
        return self.page.runs


def take(db: Database, request: Request, generation: int = 0, memory: PollCache | None = None) -> Snapshot:
    """Read what is asked for; with `memory`, that of the one who polls, no more than has changed since their last poll.

    Raises DatabaseAway or SchemaMismatch; a tenant that is gone is an empty list.
    """
    with db.read() as connection:
        members = read_memberships(connection, request.user_id)
        page, counts, total = _list(connection, members, request, memory)
        unread, now, is_paused, only_reads = notifications.unread_now(connection, request.user_id)
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
            load=load.read(connection, members, request.lost_after, request.known_hours) if request.load else None,
            silences=heartbeats.silences(connection, page.runs, request.silent_after),
            paused=queue_pause.current(connection) if is_paused else None,
            only_reads=only_reads,
            generation=generation,
        )


def _list(
    connection: sa.Connection, members: tuple[Membership, ...], request: Request, memory: PollCache | None
) -> tuple[Page, Mapping[str, Count], Count]:
    bare = RunFilter(tenants=request.wanted.tenants, within=request.wanted.within)
    try:
        counts = tab_counts.counts(connection, members, request.user_id, request.wanted, memory)
        total = (
            counts if request.wanted == bare else tab_counts.counts(connection, members, request.user_id, bare, memory)
        )
        wanted = tabs.on_tab(request.wanted, request.tab)
        return _page(connection, members, request, wanted, memory) if wanted else Page(), counts, total["All"]
    except NotFound:
        return Page(), dict.fromkeys(tabs.TABS, Count(0)), Count(0)


def _page(
    connection: sa.Connection,
    of: tuple[Membership, ...],
    request: Request,
    wanted: RunFilter,
    memory: PollCache | None,
) -> Page:
    if request.order is not Order.CREATED:
        return pages.sorted_page(connection, of, request.user_id, wanted, request.order, pages.WINDOW)
    if request.cursor:
        return pages.page_around(connection, of, request.user_id, wanted, request.cursor, pages.WINDOW)
    return pages.page(connection, of, request.user_id, wanted, request.limit, memory=memory)
