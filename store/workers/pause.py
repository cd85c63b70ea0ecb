"""A queue that is paused: workers take no messages, runs in hand go on. At most one pause holds at a time."""

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
    """A pause that holds: who paused the queue, and when."""

    login: str
    name: str
    paused_at: dt.datetime


def current(connection: sa.Connection) -> QueuePause | None:
    """The pause that holds; None when workers take messages."""
    query = sa.select(users.c.login, users.c.name, _pause.paused_at).join_from(
        queue_pauses, users, users.c.id == _pause.user_id
    )
    row = connection.execute(query.where(PAUSE_HOLDS)).mappings().first()
    return None if row is None else QueuePause(**row)


def pause(db: Database, user: User) -> bool:
    """Have workers take no more messages, from their next beat on. Returns whether that is new.

    A queue that is paused already stays so, in the name of who did it first. Raises Forbidden for who owns no tenant.
    """
    new = (
        postgresql.insert(queue_pauses)
        .values(user_id=user.id, paused_at=wall_clock())
        .on_conflict_do_nothing()
        .returning(_pause.id)
    )
    return _change(db, user, new, audit.QUEUE_PAUSED)


def resume(db: Database, user: User) -> bool:
    """Have workers take messages again, from their next beat on. Returns whether a pause held.

    Raises Forbidden for who owns no tenant.
    """
    change = (
        sa.update(queue_pauses).where(PAUSE_HOLDS).values(resumed_at=now_after(_pause.paused_at)).returning(_pause.id)
    )
    return _change(db, user, change, audit.QUEUE_RESUMED)


def _change(db: Database, user: User, change: sa.UpdateBase, action: str) -> bool:
    with db.write() as connection:
        require_owner(connection, user)
        # Who ends the last pause, or has just ended it, comes first: no pause begins before the one ahead of it has ended.
        connection.execute(sa.select(_pause.id).order_by(_pause.id.desc()).limit(1).with_for_update())
        is_new = connection.execute(change).first() is not None
        if is_new:
            audit.record(connection, action, "opsmon", login=user.login, user_id=user.id)
    return is_new
