"""The connection settings of PostgreSQL and SQLite."""

from __future__ import annotations

import functools
import sqlite3
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy.sql.compiler import SQLCompiler


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Time-outs in seconds."""

    #: Until a connection is made, or one of the pool becomes free.
    connect: float = 3.0
    #: PostgreSQL: for one statement.
    statement: float = 5.0
    #: PostgreSQL: until a lock is granted.
    lock: float = 3.0
    #: For a transaction as a whole, which may take longer than one statement; enforced on PostgreSQL only.
    transaction: float = 8.0
    #: SQLite: until another writer is done.
    busy: float = 15.0

    @classmethod
    def within(cls, seconds: float) -> Timeouts:
        """Time-outs with `transaction` set to `seconds`, and the others scaled by the same factor."""
        usual = cls()
        share = seconds / usual.transaction
        return cls(
            usual.connect * share, usual.statement * share, usual.lock * share, usual.transaction * share,
            usual.busy * share,
        )  # fmt: skip


def postgres_options(timeouts: Timeouts) -> dict[str, Any]:
    """libpq's connection parameters, with the time-outs that the server and the kernel can enforce."""
    milliseconds = {"statement_timeout": timeouts.statement, "lock_timeout": timeouts.lock}
    milliseconds["idle_in_transaction_session_timeout"] = 2 * timeouts.transaction
    options = " ".join(f"-c {name}={int(seconds * 1000)}" for name, seconds in milliseconds.items())
    return {
        "connect_timeout": max(2, round(timeouts.connect)),
        # No JIT: compiling takes longer than any of our statements should. Generic plans: planning a poll, always the same
        # statements, takes longer than executing it.
        "options": options + " -c timezone=UTC -c jit=off -c plan_cache_mode=force_generic_plan",
        "application_name": "opsmon",
        "keepalives_idle": 15,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": int(timeouts.transaction * 1000),
    }


_AS_TEXT = functools.partial(str, encoding="utf-8", errors="replace")


def sqlite_pragmas(connection: sqlite3.Connection, timeouts: Timeouts, only_reads: bool = False) -> None:
    """Set the pragmas of a new connection.

    WAL lets screens read while a worker writes. With `synchronous = NORMAL`, a crash of the program loses nothing; a power cut
    may lose the last commits, but does not damage the file.
    """
    connection.execute(f"PRAGMA busy_timeout = {int(timeouts.busy * 1000)}")
    if only_reads:
        connection.execute("PRAGMA query_only = ON")
    else:
        _use_wal(connection, timeouts)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    # As on PostgreSQL: without it, LIKE takes `a` for `A`, while = does not.
    connection.execute("PRAGMA case_sensitive_like = ON")
    # SQLite stores any bytes as text. One text that is not UTF-8 would make the whole statement raise.
    connection.text_factory = _AS_TEXT


def _use_wal(connection: sqlite3.Connection, timeouts: Timeouts) -> None:
    """Switch the file to WAL, once for good. SQLite's busy time-out does not cover this while another process does it: retry."""
    deadline = time.monotonic() + timeouts.busy
    while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def sqlite_compiler() -> type[SQLCompiler]:
    """A compiler that renders index hints (`Select.with_hint`); SQLAlchemy's own compiler for SQLite silently drops them."""
    from sqlalchemy.dialects.sqlite.base import SQLiteCompiler

    class Hinted(SQLiteCompiler):
        def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
            return text

    return Hinted


#: Every statement of the transaction reads the same snapshot.
POSTGRES_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
