"""The one place where connections are made, bounded in time, and where a driver's errors become ours.

Every use of the database is one short transaction. A server that is frozen, or behind a dead link, never answers and its own
statement time-out never fires, so each transaction on PostgreSQL also has a deadline on this side: a daemon thread shuts down
the socket of a connection that is overdue, which ends the waiting call at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import TimeoutError as PoolTimeout

from store.db.dialects import POSTGRES_READING, Timeouts, postgres_options, sqlite_compiler, sqlite_pragmas
from store.db.errors import translate
from store.db.sqlite_file import Opened, SqliteFile
from store.db.url import is_sqlite, parse_url
from store.db.watchdog import Watchdog
from store.errors import DatabaseAway, DatabaseGone, DatabaseReadOnly
from store.model.lenient import loads

#: What a database has that is given no others.
USUAL_TIMEOUTS = Timeouts()

#: Statements that are kept compiled. Those of a filter with many parts take a megabyte each.
STATEMENT_CACHE_SIZE = 150


class Database:
    """A database: its engine and its short transactions. Made once by the front door (or a test) and passed in.

    The errors that leave a transaction are `DatabaseAway` (cannot be reached, did not answer in time, is locked), its kinds
    `DatabaseReadOnly` and `DatabaseGone`, and `SchemaMismatch` (a table or column is missing); a violated constraint stays
    SQLAlchemy's IntegrityError.
    """

    def __init__(self, url: str | sa.URL, timeouts: Timeouts | None = None, pool_size: int = 5) -> None:
        self.url = parse_url(url) if isinstance(url, str) else url
        self.timeouts = timeouts or USUAL_TIMEOUTS
        self.is_sqlite = is_sqlite(self.url)
        self._file = SqliteFile(Path(self.url.database or "")) if self.is_sqlite else None
        self._watchdog = Watchdog()
        self._engine = self._make_engine(pool_size)
        # On SQLite a transaction that reads first and writes later fails at once when another writer came in between: so
        # writers say so.
        writing, reading = ("BEGIN IMMEDIATE", "BEGIN") if self.is_sqlite else ("BEGIN", POSTGRES_READING)
        self._writing = self._engine.execution_options(begin=writing)
        self._reading = self._engine.execution_options(begin=reading)

    def _make_engine(self, pool_size: int) -> sa.Engine:
        pool = {"pool_size": pool_size, "max_overflow": 256, "pool_timeout": self.timeouts.connect}
        # The drivers would begin transactions of their own accord, SQLite's late: BEGIN is ours to say. Where nobody says it, a
        # statement is a transaction by itself.
        if self.is_sqlite:
            arguments = {"isolation_level": None, "check_same_thread": False, "timeout": self.timeouts.busy}
            engine = sa.create_engine(
                self.url, connect_args=arguments, query_cache_size=STATEMENT_CACHE_SIZE, json_deserializer=loads, **pool
            )
            engine.dialect.statement_compiler = sqlite_compiler()
            event.listen(engine, "do_connect", lambda dialect, record, given, more: self._connect_sqlite(given, more))
        else:
            arguments = postgres_options(self.timeouts)
            engine = sa.create_engine(
                self.url,
                connect_args=arguments,
                isolation_level="AUTOCOMMIT",
                pool_recycle=1800,
                query_cache_size=STATEMENT_CACHE_SIZE,
                json_deserializer=loads,
                **pool,
            )
        event.listen(engine, "begin", _begin)
        return engine

    @property
    def name(self) -> str:
        """The database for people: kind and place, without credentials."""
        if self.is_sqlite:
            return f"sqlite {Path(self.url.database or '').name}"
        return f"postgresql {self.url.host or self.url.query.get('host') or 'localhost'}/{self.url.database}"

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that writes. On SQLite it is the only writer from its first statement on."""
        with self._guarded(self._writing) as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def write_one(self) -> Iterator[sa.Connection]:
        """For one statement that writes and is a transaction by itself: one round trip. On SQLite the same as `write`."""
        if self.is_sqlite:
            with self.write() as connection:
                yield connection
            return
        with self._guarded(self._engine) as connection:
            yield connection

    @contextlib.contextmanager
    def read_one(self) -> Iterator[sa.Connection]:
        """For one statement that only reads: one round trip, and on SQLite no writer is kept waiting."""
        if self.is_sqlite:
            with self.read() as connection:
                yield connection
            return
        with self._guarded(self._engine) as connection:
            yield connection

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A read transaction: every statement in it sees the same instant."""
        with self._guarded(self._reading) as connection, connection.begin():
            yield connection

    def driver_connection(self) -> Any:
        """A connection of the driver's own, outside the pool, with the same time-outs: what Huey's storage works with.

        It does not wait for the disk: a message that a crash took away, or brought back, is what rescuers and claims are for.
        """
        if self.is_sqlite:
            options: dict[str, Any] = {
                "timeout": self.timeouts.busy,
                "isolation_level": None,
                "check_same_thread": False,
            }
            return self._connect_sqlite([self.url.database], options)
        import psycopg

        conninfo = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        settings = postgres_options(self.timeouts)
        return psycopg.connect(conninfo, **settings | {"options": settings["options"] + " -c synchronous_commit=off"})

    def _connect_sqlite(self, arguments: Sequence[Any], options: Mapping[str, Any]) -> Opened:
        assert self._file
        connection = self._file.connect(arguments, options)
        try:
            sqlite_pragmas(connection, self.timeouts, connection.only_reads)
        except BaseException:
            connection.close()
            raise
        return connection

    def require_its_file(self, connection: Any) -> None:
        """On SQLite: raises DatabaseGone when a connection of the driver's is to a file that was deleted, moved or replaced.

        Whoever holds it closes it then; the next one is to what is at the path.
        """
        if self._file is None:
            return
        try:
            self._file.require(connection)
        except DatabaseGone:
            self._engine.dispose()
            raise

    def close(self) -> None:
        """Close every connection, those in use once they are given back, and end the watchdog.

        The object may be used again; it then connects anew.
        """
        pool = self._engine.pool
        self._engine.dispose()
        pool.dispose()  # what was given back to it between its end and the beginning of the next one
        self._watchdog.stop()

    @contextlib.contextmanager
    def _guarded(self, engine: sa.Engine) -> Iterator[sa.Connection]:
        pool = self._engine.pool
        try:
            with self.our_errors(), engine.connect() as connection:
                if self.is_sqlite:
                    driver: Any = connection.connection.driver_connection
                    self.require_its_file(driver)
                    try:
                        yield connection
                    finally:
                        if driver.only_reads:
                            connection.invalidate()  # the next one may write, or there is a -wal by then
                    return
                with self._watchdog.watching(connection.connection.driver_connection, self.timeouts.transaction):
                    yield connection
        finally:
            if pool is not self._engine.pool:
                pool.dispose()  # closed meanwhile: nobody else would close what has just been given back to it

    @contextlib.contextmanager
    def our_errors(self) -> Iterator[None]:
        """Within this block SQLAlchemy's errors become ours, and so do those of a connection of the driver's own."""
        try:
            yield
        except PoolTimeout:
            raise DatabaseAway("the database does not answer", "all connections are waiting for it") from None
        except (sa.exc.DBAPIError, self._driver.Error) as error:
            ours = translate(error, self._driver, self.timeouts.lock, self.timeouts.busy)
            if ours is None:
                raise
            if self._file and isinstance(ours, DatabaseReadOnly):
                ours = self._file.only_reads()
            raise ours from error

    @property
    def _driver(self) -> Any:
        return self._engine.dialect.loaded_dbapi


def _begin(connection: sa.Connection) -> None:
    begin = connection.get_execution_options().get("begin")
    if begin:
        connection.exec_driver_sql(begin)
