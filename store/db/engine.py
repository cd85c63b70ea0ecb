"""The only place that makes connections, limits their time and translates the drivers' errors.

Every use of the database is one short transaction. A server that is frozen, or behind a dead link, does not answer, and its
statement time-out does not fire. So each transaction on PostgreSQL also has a deadline on the client: a daemon thread shuts
down the socket of an overdue connection, which ends the blocked call at once.
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

#: The default time-outs.
USUAL_TIMEOUTS = Timeouts()

#: The number of compiled statements to cache. A statement with many index ranges takes a megabyte.
STATEMENT_CACHE_SIZE = 150


class Database:
    """A database: its engine and its short transactions. `opsmon` (or a test) makes it once and passes it in.

    Transactions raise `DatabaseAway` (not reachable, no answer in time, locked), its subclasses `DatabaseReadOnly` and
    `DatabaseGone`, and `SchemaMismatch` (a table or column is missing). A violated constraint raises SQLAlchemy's
    IntegrityError.
    """

    def __init__(self, url: str | sa.URL, timeouts: Timeouts | None = None, pool_size: int = 5) -> None:
        self.url = parse_url(url) if isinstance(url, str) else url
        self.timeouts = timeouts or USUAL_TIMEOUTS
        self.is_sqlite = is_sqlite(self.url)
        self._file = SqliteFile(Path(self.url.database or "")) if self.is_sqlite else None
        self._watchdog = Watchdog()
        self._engine = self._make_engine(pool_size)
        # On SQLite a transaction that reads first and writes later fails at once if another one has written in between: so
        # writing transactions take the lock at BEGIN.
        writing, reading = ("BEGIN IMMEDIATE", "BEGIN") if self.is_sqlite else ("BEGIN", POSTGRES_READING)
        self._writing = self._engine.execution_options(begin=writing)
        self._reading = self._engine.execution_options(begin=reading)

    def _make_engine(self, pool_size: int) -> sa.Engine:
        pool = {"pool_size": pool_size, "max_overflow": 256, "pool_timeout": self.timeouts.connect}
        # The drivers would begin transactions implicitly, sqlite3 only at the first write: `_begin` does it explicitly. Without
        # it, each statement is a transaction by itself.
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
        """A name for people: kind and location, without credentials."""
        if self.is_sqlite:
            return f"sqlite {Path(self.url.database or '').name}"
        return f"postgresql {self.url.host or self.url.query.get('host') or 'localhost'}/{self.url.database}"

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that writes. On SQLite it holds the write lock from its start."""
        with self._guarded(self._writing) as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def write_one(self) -> Iterator[sa.Connection]:
        """A connection for one writing statement that is its own transaction: one round trip. On SQLite the same as `write`."""
        if self.is_sqlite:
            with self.write() as connection:
                yield connection
            return
        with self._guarded(self._engine) as connection:
            yield connection

    @contextlib.contextmanager
    def read_one(self) -> Iterator[sa.Connection]:
        """A connection for one statement that only reads: one round trip. On SQLite the same as `read`, which blocks no writer."""
        if self.is_sqlite:
            with self.read() as connection:
                yield connection
            return
        with self._guarded(self._engine) as connection:
            yield connection

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A read transaction: all its statements read the same snapshot."""
        with self._guarded(self._reading) as connection, connection.begin():
            yield connection

    def driver_connection(self) -> Any:
        """A raw connection of the driver, outside the pool, with the same time-outs; for Huey's storage.

        Its commits do not wait for the disk. A crash may lose a message, or bring one back: rescuers and claims handle both.
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
        """On SQLite: raises DatabaseGone if the file of a driver's connection was deleted, moved or replaced.

        The caller then closes the connection. The next one opens the file that is at the path.
        """
        if self._file is None:
            return
        try:
            self._file.require(connection)
        except DatabaseGone:
            self._engine.dispose()
            raise

    def close(self) -> None:
        """Close every connection (those in use when they are returned) and stop the watchdog.

        The object can be used again; it then opens new connections.
        """
        pool = self._engine.pool
        self._engine.dispose()
        pool.dispose()  # connections that were returned while the engine replaced its pool
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
                            connection.invalidate()  # by the next use the file may be writable, or have a -wal
                    return
                with self._watchdog.watching(connection.connection.driver_connection, self.timeouts.transaction):
                    yield connection
        finally:
            if pool is not self._engine.pool:
                pool.dispose()  # `close` was called meanwhile: nobody else closes the connection just returned

    @contextlib.contextmanager
    def our_errors(self) -> Iterator[None]:
        """Translate errors of SQLAlchemy and of the driver into opsmon's within this block."""
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
