"""Column types and SQL expressions with the same meaning on PostgreSQL and SQLite."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection
from typing import Any, Self

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
    Text,
    TypeDecorator,
    bindparam,
    literal_column,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeEngine

from store.model.records import NO_TIME

#: Primary keys have 64 bits. SQLite generates ids only for a column whose type is exactly INTEGER.
BigId = BigInteger().with_variant(Integer(), "sqlite")

#: Text that is compared and sorted byte by byte, whatever language the database is set to: beginnings are index ranges.
BytewiseText = Text().with_variant(Text(collation="C"), "postgresql")

#: JSON text on SQLite, jsonb on PostgreSQL. None is stored as NULL.
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

_SQLITE_FORMAT = "%Y-%m-%d %H:%M:%f"


class UtcTime(TypeDecorator[dt.datetime]):
    """An instant: timestamptz on PostgreSQL; on SQLite the text `YYYY-MM-DD HH:MM:SS.mmm` in UTC, which sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Text on SQLite, timestamptz on PostgreSQL."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String())
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> Any:
        """The value for the driver: on SQLite, text in UTC, cut to milliseconds."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:
        """An aware datetime in UTC; NO_TIME for a value that is not an instant."""
        if value is None:
            return None
        if isinstance(value, str):
            return _instant(value)
        return value.astimezone(dt.UTC) if isinstance(value, dt.datetime) else NO_TIME


def _instant(text: str) -> dt.datetime:
    """Parse an instant from SQLite; NO_TIME if the text is not one: SQLite does not check what a column holds."""
    try:
        found = dt.datetime.fromisoformat(text)
        return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return NO_TIME


class utcnow(FunctionElement[dt.datetime]):  # noqa: N801 (reads as the SQL function that it is)
    """The database server's clock, never a client's. (SQLite's own CURRENT_TIMESTAMP has only whole seconds.)"""

    type = UtcTime()
    inherit_cache = True


@compiles(utcnow, "postgresql")
def _utcnow_postgresql(element: utcnow, compiler: SQLCompiler, **kw: Any) -> str:
    return "now()"


@compiles(utcnow, "sqlite")
def _utcnow_sqlite(element: utcnow, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(strftime('{_SQLITE_FORMAT}', 'now'))"


class now_after(FunctionElement[dt.datetime]):  # noqa: N801
    """The instant of a change: the database's now, or just after the given instant if now is not later than that.

    On PostgreSQL, now() is the start of the transaction: a transaction that waited for a row's lock may find later instants in
    the row. A clock may also be set back. All columns of a statement get the same instant.
    """

    type = UtcTime()
    inherit_cache = True


@compiles(now_after, "postgresql")
def _now_after_postgresql(element: now_after, compiler: SQLCompiler, **kw: Any) -> str:
    return f"GREATEST(now(), {compiler.process(element.clauses, **kw)} + interval '1 microsecond')"


@compiles(now_after, "sqlite")
def _now_after_sqlite(element: now_after, compiler: SQLCompiler, **kw: Any) -> str:
    # A value that is not an instant is ignored; as NULL it would make max() return NULL.
    other = f"coalesce(strftime('{_SQLITE_FORMAT}', {compiler.process(element.clauses, **kw)}, '+0.001 seconds'), '')"
    return f"max(strftime('{_SQLITE_FORMAT}', 'now'), {other})"


class wall_clock(FunctionElement[dt.datetime]):  # noqa: N801
    """The database server's clock at the moment of evaluation, also in a transaction that waited for a lock.

    On PostgreSQL it differs from row to row and from column to column, and cannot be used to search an index.
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
    """Whether the database refuses every change on this connection: a standby, or a read-only default.

    `transaction_read_only` cannot be used: it is also on in our own read transactions.
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
    """The instant a number of seconds before the database server's now. The argument is a literal or a bind parameter."""

    type = UtcTime()
    inherit_cache = True


@compiles(seconds_ago, "postgresql")
def _seconds_ago_postgresql(element: seconds_ago, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(now() - make_interval(secs => {compiler.process(element.clauses, **kw)}))"


@compiles(seconds_ago, "sqlite")
def _seconds_ago_sqlite(element: seconds_ago, compiler: SQLCompiler, **kw: Any) -> str:
    return f"strftime('{_SQLITE_FORMAT}', 'now', '-' || {compiler.process(element.clauses, **kw)} || ' seconds')"


class seconds_between(FunctionElement[float]):  # noqa: N801
    """The seconds from the first instant to the second."""

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
    """The start of an instant's hour, in UTC."""

    type = UtcTime()
    inherit_cache = True


@compiles(hour_of, "postgresql")
def _hour_of_postgresql(element: hour_of, compiler: SQLCompiler, **kw: Any) -> str:
    return f"date_trunc('hour', {compiler.process(element.clauses, **kw)}, 'UTC')"


@compiles(hour_of, "sqlite")
def _hour_of_sqlite(element: hour_of, compiler: SQLCompiler, **kw: Any) -> str:
    return f"strftime('%Y-%m-%d %H:00:00.000', {compiler.process(element.clauses, **kw)})"


class five_minutes_of(FunctionElement[dt.datetime]):  # noqa: N801
    """The start of the five minutes of the clock in which an instant lies, in UTC."""

    type = UtcTime()
    inherit_cache = True


@compiles(five_minutes_of, "postgresql")
def _five_minutes_of_postgresql(element: five_minutes_of, compiler: SQLCompiler, **kw: Any) -> str:
    return f"date_bin('5 minutes', {compiler.process(element.clauses, **kw)}, '2000-01-01 00:00:00+00')"


@compiles(five_minutes_of, "sqlite")
def _five_minutes_of_sqlite(element: five_minutes_of, compiler: SQLCompiler, **kw: Any) -> str:
    instant = compiler.process(element.clauses, **kw)
    minute = f"printf('%02d', strftime('%M', {instant}) / 5 * 5)"
    return f"strftime('%Y-%m-%d %H:', {instant}) || {minute} || ':00.000'"


class _ManyValues(TypeDecorator[Any]):
    """One parameter that holds many values: an array on PostgreSQL, JSON text on SQLite."""

    impl = Text()
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """An array on PostgreSQL, text on SQLite."""
        return dialect.type_descriptor(ARRAY(self.item) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """The values for the driver."""
        return list(value) if dialect.name == "postgresql" else json.dumps(list(value))


class _IsAmong(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> Self:
        """As it is: SQLAlchemy would add `= 1` for SQLite, with which no index can be used, and whole tables are walked."""
        return self


def among(column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """Whether the column has one of these texts or numbers. The statement has one parameter for all of them: with `in_`,
    which has one for each, preparing a statement of 200 takes longer than carrying it out.
    """
    return _IsAmong(column, bindparam(None, values, type_=_ManyValues(column.type)))


@compiles(_IsAmong, "postgresql")
def _is_among_postgresql(element: _IsAmong, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({column} = ANY ({values}))"


@compiles(_IsAmong, "sqlite")
def _is_among_sqlite(element: _IsAmong, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({column} IN (SELECT value FROM json_each({values})))"  # noqa: S608 (column and parameter, compiled)


def at_most(number: int) -> ColumnElement[int]:
    """A LIMIT as a literal, visible to the planner. For a bind parameter, a generic plan assumes a tenth of all rows."""
    return literal_column(str(int(number)), Integer)
