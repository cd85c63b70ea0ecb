"""Pausing the queue: workers take no messages; runs in flight continue. At most one pause is in effect."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from store.db.engine import Database
from store.model.records import User
from store.model.tables import PAUSE_HOLDS, queue_pauses, users
from store.model.types import now_after, wall_clock
from store.people import audit
from store.people.access import require_owner

_pause = queue_pauses.c


@dataclass(frozen=True, slots=True)
class QueuePause:
    """The pause in effect."""

    #: The login and the name of the user who paused the queue.
    login: str
    name: str
    #: When, by the database's clock.
    paused_at: dt.datetime


def current(connection: sa.Connection) -> QueuePause | None:
    """The pause in effect; None if workers take messages."""
    query = sa.select(users.c.login, users.c.name, _pause.paused_at).join_from(
        queue_pauses, users, users.c.id == _pause.user_id
    )
    row = connection.execute(query.where(PAUSE_HOLDS)).mappings().first()
    return None if row is None else QueuePause(**row)


def pause(db: Database, user: User) -> bool:
    """Pause the queue: workers take no messages from their next heartbeat on. Returns whether that changed anything.

    If the queue is paused already, the pause remains the one of the user who was first. Raises Forbidden if the user owns no
    tenant.
    """
    new = (
        postgresql.insert(queue_pauses)
        .values(user_id=user.id, paused_at=wall_clock())
        .on_conflict_do_nothing()
        .returning(_pause.id)
    )
    return _change(db, user, new, audit.QUEUE_PAUSED)


def resume(db: Database, user: User) -> bool:
    """Resume the queue: workers take messages again from their next heartbeat on. Returns whether it was paused.

    Raises Forbidden if the user owns no tenant.
    """
    change = (
        sa.update(queue_pauses).where(PAUSE_HOLDS).values(resumed_at=now_after(_pause.paused_at)).returning(_pause.id)
    )
    return _change(db, user, change, audit.QUEUE_RESUMED)


def _change(db: Database, user: User, change: sa.UpdateBase, action: str) -> bool:
    with db.write() as connection:
        require_owner(connection, user)
        # Lock the last pause: wait for a transaction that is ending it, so that no pause begins before the previous one has ended.
        connection.execute(sa.select(_pause.id).order_by(_pause.id.desc()).limit(1).with_for_update())
        is_new = connection.execute(change).first() is not None
        if is_new:
            audit.record(connection, action, "opsmon", login=user.login, user_id=user.id)
    return is_new
