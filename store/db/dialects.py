"""What each of the two databases is told when a connection is made."""

from __future__ import annotations

import functools
import sqlite3
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy.sql.compiler import SQLCompiler


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


def sqlite_compiler() -> type[SQLCompiler]:
    """SQLAlchemy's own leaves out, without a word, which index a statement wants (`Select.with_hint`)."""
    from sqlalchemy.dialects.sqlite.base import SQLiteCompiler

    class Hinted(SQLiteCompiler):
        def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
            return text

    return Hinted


#: Every statement sees the same instant.
POSTGRES_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
