"""Keyset pagination: one index range from a cursor on, and how far it is scanned."""

from __future__ import annotations

import datetime as dt
import functools
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from store.model.tables import operation_runs
from store.model.types import UtcTime, at_most
from store.search.plan import IndexRange, QueryPlan
from store.search.predicates import index_conditions, residual_conditions

_run = operation_runs.c


class Cursor(NamedTuple):
    """A place in the list, newest first: before or behind (created_at, id)."""

    created_at: dt.datetime
    id: int


#: Behind every run that there is.
THE_END: Final = Cursor(dt.datetime(1970, 1, 1, tzinfo=dt.UTC), 0)


def by_creation(columns: Any, newer: bool = False) -> tuple[sa.ColumnElement[Any], ...]:
    if newer:
        return columns.created_at.asc(), columns.id.asc()
    return columns.created_at.desc(), columns.id.desc()


_AT: Final = sa.tuple_(_run.created_at, _run.id)
_PLACE: Final = sa.tuple_(sa.bindparam("p_at", type_=UtcTime), sa.bindparam("p_id", type_=sa.BigInteger))
_BOUND: Final = sa.tuple_(sa.bindparam("p_bound_at", type_=UtcTime), sa.bindparam("p_bound_id", type_=sa.BigInteger))


def range_parameters(cursor: Cursor | None, scanned_to: Cursor | None) -> dict[str, Any]:
    """The parameters of a walk from the place to the bound."""
    at = {"p_at": cursor.created_at, "p_id": cursor.id} if cursor else {}
    return at | ({"p_bound_at": scanned_to.created_at, "p_bound_id": scanned_to.id} if scanned_to else {})


def range_query(
    found: QueryPlan, part: IndexRange, has_place: bool, has_bound: bool, newer: bool, *columns: sa.ColumnElement[Any]
) -> sa.Select[Any]:
    """One part's runs from the place on, no further than the bound; newest first, or oldest first to find the newer ones."""
    query = sa.select(*columns).where(*index_conditions(found, part), *residual_conditions(found))
    # Without statistics SQLite sees no difference to the indexes of all runs.
    if part.failures or found.retry_of:
        index = "ix_operation_runs_retry_of_id" if found.retry_of else "ix_operation_runs_failures"
        query = query.with_hint(operation_runs, f"INDEXED BY {index}", "sqlite")
    if has_place:
        query = query.where(_AT > _PLACE if newer else _AT < _PLACE)
    if has_bound:
        query = query.where(_AT <= _BOUND if newer else _AT >= _BOUND)
    # PostgreSQL takes no IS NULL for an equality: it would sort all runs of the system, if it were not told that they are sorted.
    first = [_run.user_id.asc() if newer else _run.user_id.desc()] if part.user == (None,) else []
    return query.order_by(*first, *by_creation(_run, newer))


def scan_limit_at(
    connection: sa.Connection, found: QueryPlan, cursor: Cursor | None, *, newer: bool = False, scan: int | None = None
) -> Cursor | None:
    """How far one looks from the place: where a part has come to its share of `scan` (SCAN) runs. None when none does."""
    query = _bound_query(found, cursor is not None, newer, scan or found.scan)
    rows = [Cursor(*row) for row in connection.execute(query, range_parameters(cursor, None))]
    if not rows:
        return None
    return min(rows) if newer else max(rows)


@functools.lru_cache(maxsize=12)
def _bound_query(found: QueryPlan, has_place: bool, newer: bool, scan: int) -> sa.CompoundSelect[Any]:
    bare = QueryPlan(found.parts, found.since, found.before, found.ids, found.retry_of)
    share = max(1, scan // len(found.parts))
    parts = [
        range_query(bare, part, has_place, False, newer, _run.created_at, _run.id)
        .offset(at_most(share - 1))
        .limit(at_most(1))
        for part in found.parts
    ]
    return sa.union_all(*(sa.select(part.subquery()) for part in parts))
