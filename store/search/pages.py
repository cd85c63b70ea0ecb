"""Pages of the list. Every statement is bounded and walks an index.

To put such a statement together takes longer than to carry it out, and every poll asks for the same one: hence the caches.
What changes from poll to poll is bound.
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
#: Runs in one window of the list, at most.
WINDOW: Final = 500


class Order(StrEnum):
    """What a list is sorted by. By creation it goes on through millions; the others sort the newest SCAN runs."""

    CREATED = "created"
    STARTED = "started"
    DURATION = "duration"
    TYPE = "type"


@dataclass(frozen=True, slots=True)
class Page:
    """Runs in their order. `scanned_to` is how far back was looked when that was not to the end of the window of time."""

    runs: tuple[Run, ...] = ()
    #: Whether there are newer and older ones that the page does not hold; older ones may be there unless this is False.
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
    """The first `limit` of the newest SCAN runs, in another order than that of their creation."""
    if not plan:
        return Page()
    scanned_to = scan_limit_at(connection, plan, None)
    query = _ordered_query(plan, order, limit, scanned_to is not None)
    runs = _runs(connection, query, range_parameters(None, scanned_to))
    return Page(runs, has_older=len(runs) == limit, scanned_to=scanned_to)


def _older(
    connection: sa.Connection, found: QueryPlan, limit: int, after: Cursor | None, cache: PollCache | None = None
) -> Page:
    scanned_to = scan_limit_at(connection, found, after) if found.has_residual else None
    shape, place = (found, limit + 1, after is not None, scanned_to is not None), range_parameters(after, scanned_to)
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


def _newer(connection: sa.Connection, found: QueryPlan, limit: int, before: Cursor) -> Page:
    scanned_to = scan_limit_at(connection, found, before, newer=True) if found.has_residual else None
    query = _page_query(found, limit + 1, True, scanned_to is not None, newer=True)
    runs = _runs(connection, query, range_parameters(before, scanned_to))
    return Page(runs[:limit][::-1], has_newer=len(runs) > limit or scanned_to is not None)


def _runs(connection: sa.Connection, query: sa.Select[Any], parameters: dict[str, Any]) -> tuple[Run, ...]:
    return runs_from(connection.execute(query, parameters))


@functools.lru_cache(maxsize=12)
def _page_query(found: QueryPlan, limit: int, has_place: bool, has_bound: bool, newer: bool = False) -> sa.Select[Any]:
    parts = [
        range_query(found, part, has_place, has_bound, newer, *LIST_COLUMNS).limit(at_most(limit))
        for part in found.parts
    ]
    listed = sa.union_all(*(sa.select(part.subquery()) for part in parts)).subquery("listed")
    query = sa.select(*run_columns(listed, context=False)).join(tenants, tenants.c.id == listed.c.tenant_id)
    return query.order_by(*by_creation(listed.c, newer)).limit(at_most(limit))


#: What tells that a run is as it was: every change of it moves `updated_at`.
_STATE: Final = (_run.created_at, _run.id, _run.updated_at, _run.status, _run.outcome)


@functools.lru_cache(maxsize=12)
def _state_query(found: QueryPlan, limit: int, has_place: bool, has_bound: bool) -> sa.Select[Any]:
    """The page's runs, and no more of each than tells whether it has changed: a small part of what reading it takes."""
    parts = [
        range_query(found, part, has_place, has_bound, False, *_STATE).limit(at_most(limit)) for part in found.parts
    ]
    listed = sa.union_all(*(sa.select(part.subquery()) for part in parts)).subquery("listed")
    return sa.select(listed).order_by(*by_creation(listed.c)).limit(at_most(limit))


@functools.lru_cache(maxsize=12)
def _ordered_query(found: QueryPlan, order: Order, limit: int, has_bound: bool) -> sa.Select[Any]:
    parts = [range_query(found, part, False, has_bound, False, *LIST_COLUMNS) for part in found.parts]
    listed = sa.union_all(*(sa.select(part.order_by(None).subquery()) for part in parts)).subquery("listed")
    query = sa.select(*run_columns(listed, context=False)).join(tenants, tenants.c.id == listed.c.tenant_id)
    return query.order_by(*_by(order, listed.c), *by_creation(listed.c)).limit(at_most(limit))


def _by(order: Order, columns: Any) -> list[sa.ColumnElement[Any]]:
    if order is Order.STARTED:
        return [columns.started_at.is_(None), columns.started_at.desc()]
    if order is Order.DURATION:
        return [columns.started_at.is_(None), duration(columns).desc()]
    return [columns.type] if order is Order.TYPE else []


def duration(columns: Any) -> sa.ColumnElement[float]:
    """Seconds that a run has taken, up to now while it runs."""
    return seconds_between(columns.started_at, sa.func.coalesce(columns.completed_at, utcnow()))
