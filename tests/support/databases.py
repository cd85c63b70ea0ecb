"""Fresh databases, made by copying one that was migrated once, and one on PostgreSQL that is emptied instead."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import shutil
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from tests.support.postgres import Server
from tests.support.waiting import HANG

TEMPLATE = "opsmon_template"
SQLITE_FILE = "opsmon.db"

_numbers = itertools.count(1)

#: All that a test may change and that deleting rows does not put right: columns, defaults, indexes, rights, the revision.
_FINGERPRINT: Final = """
SELECT md5(
    (SELECT string_agg(format('%s %s %s %s', c.oid, c.relname, c.relkind, c.relacl), ',' ORDER BY c.oid) FROM pg_class c
     WHERE relnamespace = 'public'::regnamespace)
    || (SELECT string_agg(format('%s %s %s %s', attrelid, attname, atttypid, attnotnull), ',' ORDER BY attrelid, attnum)
        FROM pg_attribute WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace))
    || (SELECT string_agg(oid::text, ',' ORDER BY oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace)
    || (SELECT coalesce(string_agg(setconfig::text, ','), '') FROM pg_db_role_setting)
    || (SELECT string_agg(version_num, ',') FROM alembic_version)
)
"""
_DISCONNECT: Final = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_RESTART_IDS: Final = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) FROM pg_sequences
WHERE last_value IS NOT NULL
"""


def migrate(url: str) -> None:
    """Bring the database to the newest schema and leave no connection behind."""
    from store import schema
    from store.db.dialects import Timeouts
    from store.db.engine import Database

    db = Database(url, Timeouts.within(HANG))
    try:
        schema.upgrade(db)
    finally:
        db.close()


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / SQLITE_FILE}"


def make_sqlite_template(folder: Path) -> Path:
    """A folder that holds a migrated database and whatever lies beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    migrate(sqlite_url(folder))
    return folder


def copy_sqlite(template: Path, folder: Path) -> str:
    shutil.copytree(template, folder)
    return sqlite_url(folder)


def make_postgres_template(server: Server) -> str:
    migrate(server.create(TEMPLATE))
    return TEMPLATE


def unused_name() -> str:
    """A database name that no other test has, in this process or another one on the same server."""
    return f"test_{os.getpid()}_{next(_numbers)}"


class EmptiedDatabase:
    """A migrated database that is emptied for each test: making one takes ten times as long.

    Whoever is still connected is thrown out, ids begin at 1 again, and one whose schema a test has changed is made anew.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._name = ""
        self._made_with = ""
        self._connection: psycopg.Connection | None = None

    def url(self) -> str:
        """The database, empty."""
        if not self._name or not self._empty():
            self.drop()
            self._make()
        return self._server.url_of(self._name)

    def close(self) -> None:
        """Leave no connection behind."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def drop(self) -> None:
        self.close()
        if self._name:
            self._server.drop(self._name)
        self._name = ""

    def _make(self) -> None:
        self._name = unused_name()
        self._server.create(self._name, TEMPLATE)
        self._made_with = _answer(self._connected(), _FINGERPRINT)

    def _connected(self) -> psycopg.Connection:
        """The one connection, made anew when the server has been away."""
        with contextlib.suppress(psycopg.Error):
            if self._connection is not None:
                self._connection.execute("SELECT 1")
                return self._connection
        self.close()
        options = "-c lock_timeout=10s"
        self._connection = psycopg.connect(
            self._server.url_of(self._name), autocommit=True, connect_timeout=HANG, options=options
        )
        return self._connection

    def _empty(self) -> bool:
        """Whether it is as it was when it was made. What makes that doubtful is a reason to make another one."""
        try:
            connection = self._connected()
            connection.execute(_DISCONNECT)
            if _answer(connection, _FINGERPRINT) != self._made_with:
                return False
            # As a replica's writes, which no trigger refuses.
            connection.execute("SET session_replication_role = replica")
            connection.execute(_delete_all())
            connection.execute("SET session_replication_role = origin")
            connection.execute(_RESTART_IDS)
        except psycopg.Error:
            return False
        return True


@functools.cache
def _delete_all() -> sql.Composed:
    from store.model.tables import metadata

    names = [sql.Identifier(table.name) for table in reversed(metadata.sorted_tables)]
    names += [sql.Identifier(f"huey_{name}") for name in ("kv", "schedule", "task", "counter")]
    return sql.SQL(";").join(sql.SQL("DELETE FROM {}").format(name) for name in names)


def _answer(connection: psycopg.Connection, query: str) -> str:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return str(row[0])
