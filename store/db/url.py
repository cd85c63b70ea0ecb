"""Parses database URLs."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from store.errors import InputInvalid


def parse_url(text: str) -> sa.URL:
    """Parse a database URL for SQLAlchemy; `postgresql://` selects psycopg. Raises InputInvalid, without the password."""
    try:
        url = sa.make_url(text)
    except (ArgumentError, ValueError):
        raise InputInvalid(
            "the database URL cannot be read", "give sqlite:///FILE or postgresql://USER@HOST/NAME"
        ) from None
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite":
        url = url.set(drivername="sqlite+pysqlite")
    if url.drivername not in ("postgresql+psycopg", "sqlite+pysqlite"):
        raise InputInvalid(
            f"databases of kind '{url.drivername}' are not supported",
            "give sqlite:///FILE or postgresql://USER@HOST/NAME",
        )
    if url.drivername == "sqlite+pysqlite" and url.database in (None, "", ":memory:"):
        raise InputInvalid("an SQLite database in memory cannot be shared with a worker", "give sqlite:///FILE")
    return url


def is_sqlite(url: sa.URL) -> bool:
    """Whether the URL is one of SQLite; otherwise it is one of PostgreSQL."""
    return url.get_backend_name() == "sqlite"
