"""Keyset pagination: one index range from a cursor on, and how far it is scanned."""

from __future__ import annotations

import datetime as dt
import functools
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from store.model.tables import operation_runs
from store.model.types import UtcTime, at_most
from store.search.plan import IndexRange, QueryPlan
from store.search.predicates import index_conditions, index_hint, residual_conditions

_run = operation_runs.c


class Cursor(NamedTuple):
    """A position in the list, which is ordered by (created_at, id), the newest first."""

    created_at: dt.datetime
    id: int


#: After every run.
THE_END: Final = Cursor(dt.datetime(1970, 1, 1, tzinfo=dt.UTC), 0)


def by_creation(columns: Any, newer: bool = False) -> tuple[sa.ColumnElement[Any], ...]:
    if newer:
        return columns.created_at.asc(), columns.id.asc()
    return columns.created_at.desc(), columns.id.desc()


_AT: Final = sa.tuple_(_run.created_at, _run.id)
_PLACE: Final = sa.tuple_(sa.bindparam("p_at", type_=UtcTime), sa.bindparam("p_id", type_=sa.BigInteger))
_BOUND: Final = sa.tuple_(sa.bindparam("p_bound_at", type_=UtcTime), sa.bindparam("p_bound_id", type_=sa.BigInteger))


def range_parameters(cursor: Cursor | None, scanned_to: Cursor | None) -> dict[str, Any]:
    """The bind parameters of `range_query` for a cursor and a scan limit."""
    at = {"p_at": cursor.created_at, "p_id": cursor.id} if cursor else {}
    return at | ({"p_bound_at": scanned_to.created_at, "p_bound_id": scanned_to.id} if scanned_to else {})


def range_query(
    plan: QueryPlan, range_: IndexRange, has_place: bool, has_bound: bool, newer: bool, *columns: sa.ColumnElement[Any]
) -> sa.Select[Any]:
    """The runs of one index range from the cursor to the scan limit, newest first; with `newer` the other way, oldest first."""
    query = sa.select(*columns).where(*index_conditions(plan, range_), *residual_conditions(plan))
    if index := index_hint(plan, range_):
        query = query.with_hint(operation_runs, f"INDEXED BY {index}", "sqlite")
    if has_place:
        query = query.where(_AT > _PLACE if newer else _AT < _PLACE)
    if has_bound:
        query = query.where(_AT <= _BOUND if newer else _AT >= _BOUND)
    # PostgreSQL does not treat IS NULL as an equality when it matches an ORDER BY to an index; without this redundant sort key it
    # would sort every run of the system.
    first = [_run.user_id.asc() if newer else _run.user_id.desc()] if range_.user == (None,) else []
    return query.order_by(*first, *by_creation(_run, newer))


def scan_limit_at(
    connection: sa.Connection, plan: QueryPlan, cursor: Cursor | None, *, newer: bool = False, scan: int | None = None
) -> Cursor | None:
    """The position at which a range reaches its share of `scan` runs; None if none does."""
    query = _bound_query(plan, cursor is not None, newer, scan or plan.scan)
    rows = [Cursor(*row) for row in connection.execute(query, range_parameters(cursor, None))]
    if not rows:
        return None
    return min(rows) if newer else max(rows)


@functools.lru_cache(maxsize=12)
def _bound_query(plan: QueryPlan, has_place: bool, newer: bool, scan: int) -> sa.CompoundSelect[Any]:
    along = None if plan.tests_acknowledged else plan.acknowledged
    bare = QueryPlan(plan.ranges, plan.since, plan.before, plan.ids, plan.retry_of, acknowledged=along)
    share = max(1, scan // len(plan.ranges))
    ranges = [
        range_query(bare, range_, has_place, False, newer, _run.created_at, _run.id)
        .offset(at_most(share - 1))
        .limit(at_most(1))
        for range_ in plan.ranges
    ]
    return sa.union_all(*(sa.select(range_.subquery()) for range_ in ranges))
