"""Notifications: one row per (run, kind), for the run's initiator only. The inbox reads, counts and marks them as read."""

from __future__ import annotations

import datetime as dt
import functools
from typing import Any

import sqlalchemy as sa

from store.db.engine import Database
from store.model.records import Notification, Outcome
from store.model.tables import IS_PAUSED, notifications, operation_runs
from store.model.types import at_most, now_after, only_reads, utcnow
from store.people.access import member_tenants

_note = notifications.c


def unread(connection: sa.Connection, user_id: int, limit: int = 100) -> tuple[Notification, ...]:
    """The newest `limit` unread notifications, newest first."""
    return _select(connection, _newest(user_id, limit, unread_only=True))


def inbox(connection: sa.Connection, user_id: int, limit: int = 200) -> tuple[Notification, ...]:
    """The newest `limit` notifications, read or not, newest first."""
    return _select(connection, _newest(user_id, limit))


def unread_now(connection: sa.Connection, user_id: int, cap: int = 100) -> tuple[int, dt.datetime, bool, bool]:
    """(number of unread notifications up to `cap`, the database's now, whether the queue is paused, whether it is read-only).

    The last one concerns the database. One statement, because every poll executes it, once a second.
    """
    number, now, is_paused, reads = connection.execute(_unread_count(user_id, cap)).one()
    return int(number), now, bool(is_paused), bool(reads)


@functools.lru_cache(maxsize=8)
def _unread_count(user_id: int, cap: int) -> sa.Select[Any]:
    unread_ones = sa.select(_note.id).where(_note.user_id == user_id, _note.read_at.is_(None), _is_visible(user_id))
    some = unread_ones.order_by(_note.id.desc()).limit(at_most(cap)).subquery()
    number = sa.select(sa.func.count()).select_from(some).scalar_subquery()
    return sa.select(number, utcnow(), IS_PAUSED, only_reads())


def mark_read(db: Database, user_id: int, *, run_id: int | None = None, up_to: int | None = None) -> int:
    """Mark the user's notifications as read: those of a run, or those with ids up to `up_to`. Returns how many became read."""
    change = sa.update(notifications).where(_note.user_id == user_id, _note.read_at.is_(None))
    change = change.values(read_at=now_after(_note.created_at))
    if run_id is not None:
        change = change.where(_note.run_id == run_id)
    if up_to is not None:
        change = change.where(_note.id <= up_to)
    with db.write_one() as connection:
        return connection.execute(change).rowcount


def _is_visible(user_id: int) -> sa.Exists:
    """Excludes notifications about runs of tenants that the user is no longer a member of."""
    visible = sa.select(operation_runs.c.id).where(
        operation_runs.c.id == _note.run_id, operation_runs.c.tenant_id.in_(member_tenants(user_id))
    )
    return visible.exists()


@functools.lru_cache(maxsize=8)
def _newest(user_id: int, limit: int, *, unread_only: bool = False) -> sa.Select[Any]:
    outcome = sa.select(operation_runs.c.outcome).where(operation_runs.c.id == _note.run_id).scalar_subquery()
    query = sa.select(notifications, outcome.label("outcome")).where(_note.user_id == user_id, _is_visible(user_id))
    if unread_only:
        query = query.where(_note.read_at.is_(None))
    return query.order_by(_note.id.desc()).limit(at_most(limit))


def _select(connection: sa.Connection, query: sa.Select[Any]) -> tuple[Notification, ...]:
    result = connection.execute(query)
    names = tuple(result.keys())
    return tuple(notification_from(dict(zip(names, row, strict=True))) for row in result)


def notification_from(row: dict[str, Any]) -> Notification:
    """Map a row of `notifications` with its run's outcome."""
    return Notification(**{**row, "outcome": Outcome(row["outcome"])})
