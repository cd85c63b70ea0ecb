"""Preferences of users: JSON values by user and name, such as saved views and the time at which a user was last seen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from store.db.engine import Database
from store.model.tables import user_settings
from store.model.types import now_after

_setting = user_settings.c


def read(db: Database, user_id: int, name: str) -> Any:
    """The value of that name; None if there is none. Raises DatabaseAway."""
    with db.read_one() as connection:
        return connection.execute(_wanted(user_id, name)).scalar()


def change(db: Database, user_id: int, name: str, change: Callable[[Any], Any]) -> Any:
    """Replace the value of that name by `change(value)`, and return it; `change` gets None if there is none.

    The row is locked meanwhile, so that two sessions of a user do not overwrite each other's changes. Raises DatabaseAway.
    """
    with db.write() as connection:
        first = postgresql.insert(user_settings).values(user_id=user_id, name=name, value={})
        connection.execute(first.on_conflict_do_nothing())
        stored = connection.execute(_wanted(user_id, name).with_for_update()).scalar()
        new = change(stored or None)
        connection.execute(
            sa.update(user_settings)
            .where(_setting.user_id == user_id, _setting.name == name)
            .values(value=new, updated_at=now_after(_setting.updated_at))
        )
    return new


def _wanted(user_id: int, name: str) -> sa.Select[Any]:
    return sa.select(_setting.value).where(_setting.user_id == user_id, _setting.name == name)


_SEEN = "seen"


def seen_at(db: Database, user_id: int) -> dt.datetime | None:
    """When the user was last seen in any session; None if never. Raises DatabaseAway."""
    stored = read(db, user_id, _SEEN)
    try:
        at = dt.datetime.fromisoformat(stored["at"])
        return at.astimezone(dt.UTC) if at.tzinfo else at.replace(tzinfo=dt.UTC)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def mark_seen(db: Database, user_id: int, at: dt.datetime) -> None:
    """Store that the user was seen at this instant of the database's clock. Raises DatabaseAway."""
    change(db, user_id, _SEEN, lambda _: {"at": at.isoformat()})
