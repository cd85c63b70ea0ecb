"""Pages of the list. Every statement is bounded and walks an index.

Compiling such a statement takes longer than executing it, and every poll needs the same one: hence the caches. Values that
change from poll to poll are bind parameters.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from store.model.records import Run
from store.model.row_mapping import LIST_COLUMNS, run_columns, runs_from
from store.model.tables import operation_runs, tenants
from store.model.types import at_most, seconds_between, utcnow
from store.search.keyset import Cursor, by_creation, range_parameters, range_query, scan_limit_at
from store.search.plan import QueryPlan
from store.search.poll_cache import PollCache

_run = operation_runs.c
#: The maximum number of runs in one window of the list.
WINDOW: Final = 500


class Order(StrEnum):
    """The order of a list. By creation it pages through millions of runs; the other orders sort the newest SCAN runs."""

    CREATED = "created"
    STARTED = "started"
    DURATION = "duration"
    TYPE = "type"


@dataclass(frozen=True, slots=True)
class Page:
    """Runs in order. `scanned_to`: the oldest position examined when the scan limit was hit; None if the whole window was."""

    runs: tuple[Run, ...] = ()
    #: Whether newer and older runs exist outside the page. `has_older` is True also when that is not known.
    has_newer: bool = False
    has_older: bool = False
    scanned_to: Cursor | None = None


def page(
    connection: sa.Connection,
    plan: QueryPlan | None,
    limit: int,
    after: Cursor | None = None,
    cache: PollCache | None = None,
) -> Page:
    """At most `limit` runs, newest first, without their context. Without a plan there are none.

    With `cache` only what has changed since the last poll is read.
    """
    return _older(connection, plan, limit, after, cache) if plan else Page()


def page_around(connection: sa.Connection, plan: QueryPlan | None, cursor: Cursor, limit: int) -> Page:
    """A window of at most `limit` runs: half of them newer than `cursor`, half of them there or older."""
    if not plan:
        return Page()
    newer = _newer(connection, plan, limit // 2, cursor)
    older = _older(connection, plan, limit - limit // 2, cursor._replace(id=cursor.id + 1))
    return Page(newer.runs + older.runs, newer.has_newer, older.has_older, older.scanned_to)


def sorted_page(connection: sa.Connection, plan: QueryPlan | None, order: Order, limit: int) -> Page:
    """The first `limit` of the newest SCAN runs in an order other than creation."""
    if not plan:
        return Page()
    scanned_to = scan_limit_at(connection, plan, None)
    query = _ordered_query(plan, order, limit, scanned_to is not None)
    runs = _runs(connection, query, range_parameters(None, scanned_to))
    return Page(runs, has_older=len(runs) == limit, scanned_to=scanned_to)


def _older(
    connection: sa.Connection, plan: QueryPlan, limit: int, after: Cursor | None, cache: PollCache | None = None
) -> Page:
    scanned_to = scan_limit_at(connection, plan, after) if plan.has_residual else None
    shape, place = (plan, limit + 1, after is not None, scanned_to is not None), range_parameters(after, scanned_to)
    if cache is None:
        runs = _runs(connection, _page_query(*shape), place)
    else:
        of, state = (*shape, after, scanned_to), connection.execute(_state_query(*shape), place).all()
        known = cache.page(of, state)
        runs = _runs(connection, _page_query(*shape), place) if known is None else known
        cache.store(of, state, runs)
    if len(runs) > limit:
        return Page(runs[:limit], has_older=True)
    return Page(runs, has_older=scanned_to is not None, scanned_to=scanned_to)


def _newer(connection: sa.Connection, plan: QueryPlan, limit: int, before: Cursor) -> Page:
    scanned_to = scan_limit_at(connection, plan, before, newer=True) if plan.has_residual else None
    query = _page_query(plan, limit + 1, True, scanned_to is not None, newer=True)
    runs = _runs(connection, query, range_parameters(before, scanned_to))
    return Page(runs[:limit][::-1], has_newer=len(runs) > limit or scanned_to is not None)


def _runs(connection: sa.Connection, query: sa.Select[Any], parameters: dict[str, Any]) -> tuple[Run, ...]:
    return runs_from(connection.execute(query, parameters))


@functools.lru_cache(maxsize=12)
def _page_query(plan: QueryPlan, limit: int, has_place: bool, has_bound: bool, newer: bool = False) -> sa.Select[Any]:
    ranges = [
        range_query(plan, range_, has_place, has_bound, newer, *LIST_COLUMNS).limit(at_most(limit))
        for range_ in plan.ranges
    ]
    listed = sa.union_all(*(sa.select(range_.subquery()) for range_ in ranges)).subquery("listed")
    query = sa.select(*run_columns(listed, context=False)).join(tenants, tenants.c.id == listed.c.tenant_id)
    return query.order_by(*by_creation(listed.c, newer)).limit(at_most(limit))


#: A run is unchanged if these are: every change moves `updated_at`, but for an acknowledgement, which is no change of the run.
_STATE: Final = (_run.created_at, _run.id, _run.updated_at, _run.status, _run.outcome, _run.acknowledged_at)


@functools.lru_cache(maxsize=12)
def _state_query(plan: QueryPlan, limit: int, has_place: bool, has_bound: bool) -> sa.Select[Any]:
    """Of each run on the page only the columns that show whether it has changed: far cheaper than reading the page."""
    ranges = [
        range_query(plan, range_, has_place, has_bound, False, *_STATE).limit(at_most(limit)) for range_ in plan.ranges
    ]
    listed = sa.union_all(*(sa.select(range_.subquery()) for range_ in ranges)).subquery("listed")
    return sa.select(listed).order_by(*by_creation(listed.c)).limit(at_most(limit))


@functools.lru_cache(maxsize=12)
def _ordered_query(plan: QueryPlan, order: Order, limit: int, has_bound: bool) -> sa.Select[Any]:
    ranges = [range_query(plan, range_, False, has_bound, False, *LIST_COLUMNS) for range_ in plan.ranges]
    listed = sa.union_all(*(sa.select(range_.order_by(None).subquery()) for range_ in ranges)).subquery("listed")
    query = sa.select(*run_columns(listed, context=False)).join(tenants, tenants.c.id == listed.c.tenant_id)
    return query.order_by(*_by(order, listed.c), *by_creation(listed.c)).limit(at_most(limit))


def _by(order: Order, columns: Any) -> list[sa.ColumnElement[Any]]:
    if order is Order.STARTED:
        return [columns.started_at.is_(None), columns.started_at.desc()]
    if order is Order.DURATION:
        return [columns.started_at.is_(None), duration(columns).desc()]
    return [columns.type] if order is Order.TYPE else []


def duration(columns: Any) -> sa.ColumnElement[float]:
    """The seconds that a run has taken; while it runs, up to now."""
    return seconds_between(columns.started_at, sa.func.coalesce(columns.completed_at, utcnow()))
