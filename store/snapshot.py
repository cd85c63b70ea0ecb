"""Everything that the screens show at one instant: one read transaction, a handful of bounded statements, frozen records."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from store import details, notifications, queries, workers
from store.access import Membership, read_memberships
from store.database import Database
from store.details import Detail
from store.errors import NotFound
from store.filters import RunFilter
from store.records import Notification, Run, Worker
from store.types import utcnow

#: Notifications that every snapshot carries.
RECENT = 50


@dataclass(frozen=True, slots=True)
class Request:
    """What the screens want to see. The list is always read; a run and the inbox only when a screen shows them."""

    user_id: int
    wanted: RunFilter = field(default_factory=RunFilter)
    tab: str = "All"
    limit: int = 100
    run_id: int | None = None
    inbox: bool = False
    #: Seconds without a beat after which a worker counts as gone.
    lost_after: float = 30.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What there was at `at` (the database's clock). `detail` is None also when the wanted run is not there (any more)."""

    request: Request
    at: dt.datetime
    memberships: tuple[Membership, ...]
    runs: tuple[Run, ...]
    counts: Mapping[str, int]
    workers: tuple[Worker, ...]
    #: The user's newest, newest first. Which of them are new to a screen, it finds out itself: ids become visible out of order.
    recent_notifications: tuple[Notification, ...]
    unread: int
    detail: Detail | None = None
    inbox: tuple[Notification, ...] | None = None
    generation: int = field(default=0, compare=False)


def take(db: Database, request: Request, generation: int = 0) -> Snapshot:
    """Read what is asked for. Raises DatabaseAway or SchemaMismatch; a tenant that is gone is an empty list."""
    with db.reading() as connection:
        members = read_memberships(connection, request.user_id)
        runs, counts = _list(connection, members, request)
        return Snapshot(
            request=request,
            at=connection.execute(sa.select(utcnow())).scalar_one(),
            memberships=members,
            runs=runs,
            counts=counts,
            workers=workers.alive(connection, request.lost_after),
            recent_notifications=notifications.inbox(connection, request.user_id, limit=RECENT),
            unread=notifications.unread_count(connection, request.user_id),
            detail=details.read(connection, request.user_id, request.run_id),
            inbox=notifications.inbox(connection, request.user_id) if request.inbox else None,
            generation=generation,
        )


def _list(
    connection: sa.Connection, members: tuple[Membership, ...], request: Request
) -> tuple[tuple[Run, ...], Mapping[str, int]]:
    try:
        counts = queries.counts(connection, members, request.user_id, request.wanted)
        wanted = queries.on_tab(request.wanted, request.tab)
        runs = queries.page(connection, members, request.user_id, wanted, request.limit) if wanted else ()
    except NotFound:
        return (), dict.fromkeys(queries.TABS, 0)
    return runs, counts
