"""Who is told what: one row per (run, kind), for the run's initiator alone. The inbox: read, count, mark as read."""

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
    """The newest unread ones, newest first."""
    return _select(connection, _newest(user_id, limit, unread_only=True))


def inbox(connection: sa.Connection, user_id: int, limit: int = 200) -> tuple[Notification, ...]:
    """The newest ones, read or not, newest first."""
    return _select(connection, _newest(user_id, limit))


def unread_now(connection: sa.Connection, user_id: int, cap: int = 100) -> tuple[int, dt.datetime, bool, bool]:
    """How many are unread, counted up to `cap`; the database's clock; whether the queue is paused; whether the database only reads.

    In one statement: each of a poll's is paid for every second.
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
    """The user opened the run, or cleared the inbox up to what they saw. Returns how many became read."""
    change = sa.update(notifications).where(_note.user_id == user_id, _note.read_at.is_(None))
    change = change.values(read_at=now_after(_note.created_at))
    if run_id is not None:
        change = change.where(_note.run_id == run_id)
    if up_to is not None:
        change = change.where(_note.id <= up_to)
    with db.write_one() as connection:
        return connection.execute(change).rowcount


def _is_visible(user_id: int) -> sa.Exists:
    """A notification about a run of a tenant that the user has left is not theirs to see any more."""
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
    """A row of `notifications`, together with its run's outcome."""
    return Notification(**{**row, "outcome": Outcome(row["outcome"])})
