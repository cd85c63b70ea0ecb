"""Column types and SQL expressions that mean the same on PostgreSQL and SQLite."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    Dialect,
    Float,
    Integer,
    String,
    TypeDecorator,
    literal_column,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from store.model.records import NO_TIME

#: Primary keys are 64 bits wide. SQLite counts up by itself only for a column that is exactly INTEGER.
BigId = BigInteger().with_variant(Integer(), "sqlite")

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

_SQLITE_FORMAT = "%Y-%m-%d %H:%M:%f"


class UtcTime(TypeDecorator[dt.datetime]):
    """An instant. timestamptz on PostgreSQL; on SQLite the text `YYYY-MM-DD HH:MM:SS.mmm` in UTC, which sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String())
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if isinstance(value, str):
            return _instant(value)
        return value.astimezone(dt.UTC) if isinstance(value, dt.datetime) else NO_TIME


def _instant(text: str) -> dt.datetime:
    """The instant that SQLite holds as text; NO_TIME for what is none: nothing but the program keeps others out of a column."""
    try:
        found = dt.datetime.fromisoformat(text)
        return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return NO_TIME


class utcnow(FunctionElement[dt.datetime]):  # noqa: N801 (reads as the SQL function that it is)
    """The database server's clock, never a client's. SQLite's CURRENT_TIMESTAMP has whole seconds only."""

    type = UtcTime()
    inherit_cache = True


@compiles(utcnow, "postgresql")
def _utcnow_postgresql(element: utcnow, compiler: SQLCompiler, **kw: Any) -> str:
    return "now()"


@compiles(utcnow, "sqlite")
def _utcnow_sqlite(element: utcnow, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(strftime('{_SQLITE_FORMAT}', 'now'))"


class now_after(FunctionElement[dt.datetime]):  # noqa: N801
    """The instant of a change: the database's now, or the first instant after another one where now is not later.

    On PostgreSQL now is when the transaction began. One that has waited for a row's lock finds in the row what was written
    after that, and a clock may be set back. All columns of a statement get the same instant.
    """

    type = UtcTime()
    inherit_cache = True


@compiles(now_after, "postgresql")
def _now_after_postgresql(element: now_after, compiler: SQLCompiler, **kw: Any) -> str:
    return f"GREATEST(now(), {compiler.process(element.clauses, **kw)} + interval '1 microsecond')"


@compiles(now_after, "sqlite")
def _now_after_sqlite(element: now_after, compiler: SQLCompiler, **kw: Any) -> str:
    # What is no instant is none to come after; for max() it would make all NULL.
    other = f"coalesce(strftime('{_SQLITE_FORMAT}', {compiler.process(element.clauses, **kw)}, '+0.001 seconds'), '')"
    return f"max(strftime('{_SQLITE_FORMAT}', 'now'), {other})"


class wall_clock(FunctionElement[dt.datetime]):  # noqa: N801
    """The database server's clock at this very moment, within a transaction that has waited for a lock, too.

    It differs from row to row and from column to column, and no index can be searched with it.
    """

    type = UtcTime()
    inherit_cache = True


@compiles(wall_clock, "postgresql")
def _wall_clock_postgresql(element: wall_clock, compiler: SQLCompiler, **kw: Any) -> str:
    return "clock_timestamp()"


@compiles(wall_clock, "sqlite")
def _wall_clock_sqlite(element: wall_clock, compiler: SQLCompiler, **kw: Any) -> str:
    return _utcnow_sqlite(utcnow(), compiler, **kw)


class only_reads(FunctionElement[bool]):  # noqa: N801
    """Whether this connection would be refused every change: by a standby, or a default that somebody set.

    `transaction_read_only` would be no answer: it is on wherever a transaction is begun to read.
    """

    type = Boolean()
    inherit_cache = True


@compiles(only_reads, "postgresql")
def _only_reads_postgresql(element: only_reads, compiler: SQLCompiler, **kw: Any) -> str:
    return "(current_setting('default_transaction_read_only')::boolean OR pg_is_in_recovery())"


@compiles(only_reads, "sqlite")
def _only_reads_sqlite(element: only_reads, compiler: SQLCompiler, **kw: Any) -> str:
    return "(SELECT query_only FROM pragma_query_only)"


class seconds_ago(FunctionElement[dt.datetime]):  # noqa: N801
    """The instant that many seconds (a number or a bound parameter) before the database server's now."""

    type = UtcTime()
    inherit_cache = True


@compiles(seconds_ago, "postgresql")
def _seconds_ago_postgresql(element: seconds_ago, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(now() - make_interval(secs => {compiler.process(element.clauses, **kw)}))"


@compiles(seconds_ago, "sqlite")
def _seconds_ago_sqlite(element: seconds_ago, compiler: SQLCompiler, **kw: Any) -> str:
    return f"strftime('{_SQLITE_FORMAT}', 'now', '-' || {compiler.process(element.clauses, **kw)} || ' seconds')"


class seconds_between(FunctionElement[float]):  # noqa: N801
    """From the first instant to the second, in seconds."""

    type = Float()
    inherit_cache = True


@compiles(seconds_between, "postgresql")
def _seconds_between_postgresql(element: seconds_between, compiler: SQLCompiler, **kw: Any) -> str:
    first, second = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"extract(epoch FROM {second} - {first})"


@compiles(seconds_between, "sqlite")
def _seconds_between_sqlite(element: seconds_between, compiler: SQLCompiler, **kw: Any) -> str:
    first, second = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"((julianday({second}) - julianday({first})) * 86400.0)"


class hour_of(FunctionElement[dt.datetime]):  # noqa: N801
    """The beginning of the hour, in UTC, in which an instant lies."""

    type = UtcTime()
    inherit_cache = True


@compiles(hour_of, "postgresql")
def _hour_of_postgresql(element: hour_of, compiler: SQLCompiler, **kw: Any) -> str:
    return f"date_trunc('hour', {compiler.process(element.clauses, **kw)}, 'UTC')"


@compiles(hour_of, "sqlite")
def _hour_of_sqlite(element: hour_of, compiler: SQLCompiler, **kw: Any) -> str:
    return f"strftime('%Y-%m-%d %H:00:00.000', {compiler.process(element.clauses, **kw)})"


def at_most(number: int) -> ColumnElement[int]:
    """A limit that the planner sees. Bound, it would count as a tenth of everything in a plan that is kept for any value."""
    return literal_column(str(int(number)), Integer)
