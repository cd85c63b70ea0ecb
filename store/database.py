"""The one place where connections are made, bounded in time, and where a driver's errors become ours.

Every use of the database is one short transaction. A server that is frozen, or behind a dead link, never answers and its own
statement time-out never fires, so each transaction on PostgreSQL also has a deadline on this side: a daemon thread shuts down
the socket of a connection that is overdue, which ends the waiting call at once.
"""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.sql.compiler import SQLCompiler

from store.errors import DatabaseAway, DatabaseGone, DatabaseReadOnly, InputInvalid
from store.lenient import loads
from store.sqlite_file import Opened, SqliteFile
from store.translation import translate


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. A transaction as a whole may take longer than one statement, never longer than `transaction`."""

    connect: float = 3.0
    statement: float = 5.0
    lock: float = 3.0
    transaction: float = 8.0
    #: SQLite: how long a writer waits for another one.
    busy: float = 15.0

    @classmethod
    def within(cls, seconds: float) -> Timeouts:
        """Those of which a transaction may take so long, and the others in the usual proportion."""
        usual = cls()
        share = seconds / usual.transaction
        return cls(
            usual.connect * share, usual.statement * share, usual.lock * share, usual.transaction * share,
            usual.busy * share,
        )  # fmt: skip


#: What a database has that is given no others.
USUAL_TIMEOUTS = Timeouts()


def parse_url(text: str) -> sa.URL:
    """A database URL as SQLAlchemy takes it; `postgresql://` means psycopg. Raises InputInvalid, never showing the password."""
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
    return url.get_backend_name() == "sqlite"


def postgres_options(timeouts: Timeouts) -> dict[str, Any]:
    """libpq's connection parameters with every time-out that the server and the kernel can keep for us."""
    milliseconds = {"statement_timeout": timeouts.statement, "lock_timeout": timeouts.lock}
    milliseconds["idle_in_transaction_session_timeout"] = 2 * timeouts.transaction
    options = " ".join(f"-c {name}={int(seconds * 1000)}" for name, seconds in milliseconds.items())
    return {
        "connect_timeout": max(2, round(timeouts.connect)),
        # Compiling a statement takes longer than any of ours should run; so does planning a poll, which is the same each time.
        "options": options + " -c timezone=UTC -c jit=off -c plan_cache_mode=force_generic_plan",
        "application_name": "opsmon",
        "keepalives_idle": 15,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": int(timeouts.transaction * 1000),
    }


_AS_TEXT = functools.partial(str, encoding="utf-8", errors="replace")


def sqlite_pragmas(connection: sqlite3.Connection, timeouts: Timeouts, only_reads: bool = False) -> None:
    """WAL lets screens read while a worker writes.

    NORMAL keeps the file whole through a crash of the program; a power cut may cost the last commits.
    """
    connection.execute(f"PRAGMA busy_timeout = {int(timeouts.busy * 1000)}")
    if only_reads:
        connection.execute("PRAGMA query_only = ON")
    else:
        _use_wal(connection, timeouts)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    # SQLite keeps any bytes as text. One that is not UTF-8 would keep all others from being read.
    connection.text_factory = _AS_TEXT


def _use_wal(connection: sqlite3.Connection, timeouts: Timeouts) -> None:
    """A file that is in this mode stays in it. While somebody else sets it, SQLite waits for nobody: so we do."""
    deadline = time.monotonic() + timeouts.busy
    while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _sqlite_compiler() -> type[SQLCompiler]:
    """SQLAlchemy's own leaves out, without a word, which index a statement wants (`Select.with_hint`)."""
    from sqlalchemy.dialects.sqlite.base import SQLiteCompiler

    class Hinted(SQLiteCompiler):
        def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
            return text

    return Hinted


#: Statements that are kept compiled. Those of a filter with many parts take a megabyte each.
STATEMENTS = 150
#: Every statement sees the same instant.
POSTGRES_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


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
                self.url, connect_args=arguments, query_cache_size=STATEMENTS, json_deserializer=loads, **pool
            )
            engine.dialect.statement_compiler = _sqlite_compiler()
            event.listen(engine, "do_connect", lambda dialect, record, given, more: self._connect_sqlite(given, more))
        else:
            arguments = postgres_options(self.timeouts)
            engine = sa.create_engine(
                self.url,
                connect_args=arguments,
                isolation_level="AUTOCOMMIT",
                pool_recycle=1800,
                query_cache_size=STATEMENTS,
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
    def transaction(self) -> Iterator[sa.Connection]:
        """A transaction that writes. On SQLite it is the only writer from its first statement on."""
        with self._guarded(self._writing) as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def statement(self) -> Iterator[sa.Connection]:
        """For one statement that writes and is a transaction by itself: one round trip. On SQLite the same as `transaction`."""
        if self.is_sqlite:
            with self.transaction() as connection:
                yield connection
            return
        with self._guarded(self._engine) as connection:
            yield connection

    @contextlib.contextmanager
    def query(self) -> Iterator[sa.Connection]:
        """For one statement that only reads: one round trip, and on SQLite no writer is kept waiting."""
        if self.is_sqlite:
            with self.reading() as connection:
                yield connection
            return
        with self._guarded(self._engine) as connection:
            yield connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
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


class Watchdog:
    """Ends calls on connections that are overdue, by shutting their socket down under them."""

    _TICK = 0.5

    def __init__(self) -> None:
        self._watched: dict[int, tuple[DBAPIConnection, float]] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def watching(self, connection: Any, seconds: float) -> Iterator[None]:
        """Within this block the connection has `seconds` to live."""
        key = id(connection)
        with self._lock:
            self._watched[key] = (connection, time.monotonic() + seconds)
            self._start()
        try:
            yield
        finally:
            with self._lock:
                self._watched.pop(key, None)

    def stop(self) -> None:
        with self._lock:
            self._stop.set()
            self._thread = None

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():  # it does not survive a fork
            self._stop = threading.Event()
            self._thread = threading.Thread(target=self._run, args=(self._stop,), name="database-watchdog", daemon=True)
            self._thread.start()

    def _run(self, stop: threading.Event) -> None:
        while not stop.wait(self._TICK):
            with self._lock:
                now = time.monotonic()
                overdue = [key for key, (_, deadline) in self._watched.items() if deadline < now]
                for key in overdue:
                    _shut_down(self._watched.pop(key)[0])


def _shut_down(connection: Any) -> None:
    # A duplicate of the descriptor: closing our socket object must not close the driver's.
    with contextlib.suppress(Exception):
        duplicate = os.dup(connection.fileno())
        with socket.socket(fileno=duplicate) as ours:
            ours.shutdown(socket.SHUT_RDWR)
