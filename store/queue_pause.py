"""A queue that is paused: workers take no messages, runs in hand go on. At most one pause holds at a time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from store import audit
from store.access import require_owner
from store.database import Database
from store.records import User
from store.tables import queue_pauses, users
from store.types import now_after, wall_clock

_pause = queue_pauses.c
# In literals, as the partial index says it: with parameters neither database can tell that it may use it.
_HOLDS = sa.and_(_pause.queue == sa.literal_column("'opsmon'"), _pause.resumed_at.is_(None))

#: Whether the queue is paused, as an expression that any statement can ask along.
IS_PAUSED = sa.exists().where(_HOLDS)


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause that holds: who paused the queue, and when."""

    login: str
    name: str
    paused_at: dt.datetime


def current(connection: sa.Connection) -> Pause | None:
    """The pause that holds; None when workers take messages."""
    query = sa.select(users.c.login, users.c.name, _pause.paused_at).join_from(
        queue_pauses, users, users.c.id == _pause.user_id
    )
    row = connection.execute(query.where(_HOLDS)).mappings().first()
    return None if row is None else Pause(**row)


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
    change = sa.update(queue_pauses).where(_HOLDS).values(resumed_at=now_after(_pause.paused_at)).returning(_pause.id)
    return _change(db, user, change, audit.QUEUE_RESUMED)


def _change(db: Database, user: User, change: sa.UpdateBase, action: str) -> bool:
    with db.transaction() as connection:
        require_owner(connection, user)
        # Who ends the last pause, or has just ended it, comes first: no pause begins before the one ahead of it has ended.
        connection.execute(sa.select(_pause.id).order_by(_pause.id.desc()).limit(1).with_for_update())
        is_new = connection.execute(change).first() is not None
        if is_new:
            audit.record(connection, action, "opsmon", login=user.login, user_id=user.id)
    return is_new
