"""The conditions of a query plan as SQL."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any, Final, Self

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType

from store.model.json_columns import any_of
from store.model.records import UNREADABLE, Outcome
from store.model.tables import operation_runs
from store.model.types import UtcTime, seconds_ago
from store.search.filter import LONGEST_VALUE, FilterStatus, TimeBound
from store.search.globs import MOST_STARS
from store.search.plan import ACKNOWLEDGEABLE, ALL, IndexRange, QueryPlan

_run = operation_runs.c

#: Words that JSON does not escape.
_AS_IN_JSON: Final = re.compile(r"[a-z0-9 .,:;/_-]+")


class _is_open_outcome(FunctionElement[bool]):  # noqa: N801 (reads as the SQL that it is)
    """The first half of the condition of the indexes `ix_operation_runs_open…`, of an outcome that is known.

    SQLite uses such an index only if the statement has the condition's own words. PostgreSQL sees that it follows from the
    outcome, and would take the words for one more condition, which makes the index of all runs seem cheap.
    """

    type = sa.Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> Self:
        """As it is: SQLAlchemy would add `= 1` for SQLite."""
        return self


@compiles(_is_open_outcome, "postgresql")
def _open_outcome_postgresql(element: _is_open_outcome, compiler: SQLCompiler, **kw: Any) -> str:
    return "true"


@compiles(_is_open_outcome, "sqlite")
def _open_outcome_sqlite(element: _is_open_outcome, compiler: SQLCompiler, **kw: Any) -> str:
    return f"{compiler.process(element.clauses, **kw)} IN ('failed', 'partially_succeeded')"


def index_conditions(plan: QueryPlan, range_: IndexRange) -> list[sa.ColumnElement[bool]]:
    """The conditions that select the index range."""
    conditions = [_run.tenant_id == range_.tenant_id, _run.created_at > instant_of(plan.since)]
    if plan.before is not None:
        conditions.append(_run.created_at < instant_of(plan.before))
    if range_.outcome is not None:
        # A literal where the condition of a partial index has to follow from it.
        is_along = plan.acknowledged is not None and range_.outcome in ACKNOWLEDGEABLE
        value = sa.literal_column(f"'{range_.outcome.value}'") if is_along else sa.literal(range_.outcome.value)
        conditions.append(_run.outcome == value)
    if range_.user is not None:
        conditions.append(_run.user_id.is_(None) if range_.user[0] is None else _run.user_id == range_.user[0])
    if range_.type is not None:
        conditions.append(_run.type == range_.type)
    # A completed run is never held: its range need not read the column.
    if plan.held is not None and range_.outcome in (None, Outcome.PENDING):
        conditions.append(_is_held(plan.held))
    conditions += _acknowledged(plan, range_)
    if range_.failures:
        conditions.append(_run.failure_summary.is_not(None))
    if plan.ids:
        conditions.append(_run.id.in_(plan.ids))
    if plan.retry_of:
        conditions.append(_run.retry_of_id.in_(plan.retry_of))
    return conditions


def index_hint(plan: QueryPlan, range_: IndexRange) -> str | None:
    """The partial index that SQLite is told to use: without statistics it cannot tell these from the indexes of all runs."""
    if plan.retry_of:
        return "ix_operation_runs_retry_of_id"
    if plan.acknowledged is not None and not plan.ids and range_.outcome in ACKNOWLEDGEABLE:
        if plan.acknowledged:
            return "ix_operation_runs_acknowledged"
        by = "_user" if range_.user else "_type" if range_.type else ""
        return f"ix_operation_runs_open{by}"
    return "ix_operation_runs_failures" if range_.failures else None


def _acknowledged(plan: QueryPlan, range_: IndexRange) -> list[sa.ColumnElement[bool]]:
    """The conditions of the partial indexes, as these write them. Of runs that went well, none is acknowledged."""
    if plan.acknowledged:
        return [_run.acknowledged_at.is_not(None)]
    if plan.acknowledged is None or range_.outcome not in (None, *ACKNOWLEDGEABLE):
        return []
    is_open = _run.acknowledged_at.is_(None)
    return [is_open] if range_.outcome is None else [is_open, _is_open_outcome(_run.outcome)]


def residual_conditions(plan: QueryPlan) -> Iterator[sa.ColumnElement[bool]]:
    """The residual predicates, to be tested on each row."""
    if plan.statuses:
        yield _has_status(plan.statuses)
    if plan.outcomes != ALL:
        yield _run.outcome.in_([outcome.value for outcome in plan.outcomes])
    if plan.users is not None:
        yield _is_by(plan.users)
    if plan.types is not None:
        yield _run.type.in_(plan.types)
    if plan.codes:
        yield _has_code(plan.codes)
    yield from (_says(word) for word in plan.words)
    yield from _not_asked_for(plan)


def _is_held(held: bool) -> sa.ColumnElement[bool]:
    return _run.held == sa.literal_column("true" if held else "false")


def _has_status(statuses: tuple[FilterStatus, ...]) -> sa.ColumnElement[bool]:
    """A held run has the status queued, but for a filter it is a preview only."""
    among = _run.status.in_([status.value for status in statuses if status is not FilterStatus.PREVIEW])
    if FilterStatus.PREVIEW in statuses:
        return sa.or_(among, _is_held(True))
    return sa.and_(among, _is_held(False)) if FilterStatus.QUEUED in statuses else among


def _not_asked_for(plan: QueryPlan) -> Iterator[sa.ColumnElement[bool]]:
    without = plan.without
    if plan.without_users:
        yield sa.not_(_is_by(plan.without_users))
    if without.codes:
        yield sa.not_(_has_code(without.codes))
    if without.ids:
        yield _run.id.not_in(without.ids)
    if without.retry_of:
        yield sa.or_(_run.retry_of_id.is_(None), _run.retry_of_id.not_in(without.retry_of))
    yield from (sa.not_(_says(word)) for word in without.words)


def _is_by(initiators: tuple[int | None, ...]) -> sa.ColumnElement[bool]:
    ids = [id_ for id_ in initiators if id_ is not None]
    return sa.func.coalesce(_run.user_id, -1).in_([*ids, *([-1] if None in initiators else [])])


def _has_code(globs: tuple[str, ...]) -> sa.ColumnElement[bool]:
    return any_of(_run.failure_summary, "code", lambda code: sa.or_(*(like(code, glob) for glob in globs)))


def like(column: sa.ColumnElement[str], glob: str) -> sa.ColumnElement[bool]:
    """Whether the text matches the glob. A stored code that is too long or starry for a filter is compared as it is."""
    if "*" not in glob or glob.count("*") > MOST_STARS or len(glob) > LONGEST_VALUE:
        return column == glob
    escaped = re.sub(r"([\\%_])", r"\\\1", glob).replace("*", "%")
    return column.like(escaped, escape="\\")


def _says(word: str) -> sa.ColumnElement[bool]:
    """Whether the word occurs in the initiator's name, the operation or a failure, ignoring case."""

    def holds(text: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        return sa.func.lower(text).contains(word, autoescape=True)

    failure = sa.or_(*(any_of(_run.failure_summary, key, holds) for key in ("message", "code")))
    if _AS_IN_JSON.fullmatch(word) and word not in UNREADABLE:
        # Rules most rows out before their JSON is unfolded.
        failure = sa.and_(holds(sa.cast(_run.failure_summary, sa.Text)), failure)
    named = _run.initiator_name + " \n" + _run.type + " \n" + sa.func.coalesce(_run.label, "")
    return sa.or_(holds(named), sa.and_(_run.failure_summary.is_not(None), failure))


def instant_of(when: TimeBound) -> sa.ColumnElement[dt.datetime]:
    """The instant as SQL; a span counts back from the database's now."""
    if isinstance(when, dt.datetime):
        return sa.literal(when, UtcTime)
    return seconds_ago(sa.literal(when.total_seconds(), sa.Float))
