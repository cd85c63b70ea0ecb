"""All runs that match a filter, in bounded steps."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from store.db.engine import Database
from store.model.tables import operation_runs
from store.model.types import at_most
from store.people.access import Membership, read_memberships
from store.search.filter import RunFilter
from store.search.keyset import Cursor, by_creation, range_parameters, range_query, scan_limit_at
from store.search.plan import QueryPlan
from store.search.resolve import resolve_filter
from store.search.tabs import on_tab

_run = operation_runs.c


def matching(
    connection: sa.Connection,
    of: Sequence[Membership],
    user_id: int,
    wanted: RunFilter,
    limit: int,
    after: Cursor | None = None,
) -> tuple[list[Cursor], Cursor | None]:
    """The positions of at most `limit` matching runs, newest first, and the cursor to continue from; None at the end.

    One bounded scan: with a filter that no index serves it may return no position and still a cursor to continue from.
    """
    plan = resolve_filter(connection, of, user_id, wanted)
    if not plan:
        return [], None
    scanned_to = scan_limit_at(connection, plan, after) if plan.has_residual else None
    query = _matching_query(plan, limit, after is not None, scanned_to is not None)
    places = [Cursor(*row) for row in connection.execute(query, range_parameters(after, scanned_to))]
    return places, places[-1] if len(places) == limit else scanned_to


@dataclass(frozen=True, slots=True)
class Matching:
    """The ids of matching runs, newest first. `more`: there are, or may be, others."""

    ids: tuple[int, ...]
    more: bool


def all_matching(db: Database, user_id: int, wanted: RunFilter, tab: str, limit: int) -> Matching:
    """At most `limit` matching runs, in as many bounded scans as needed, each in a short transaction."""
    narrowed, ids, after = on_tab(wanted, tab), list[int](), None
    while narrowed and len(ids) < limit:
        with db.read() as connection:
            of = read_memberships(connection, user_id)
            places, after = matching(connection, of, user_id, narrowed, min(1000, limit - len(ids)), after)
        ids += [place.id for place in places]
        if after is None:
            break
    return Matching(tuple(ids), after is not None)


@functools.lru_cache(maxsize=8)
def _matching_query(plan: QueryPlan, limit: int, has_place: bool, has_bound: bool) -> sa.Select[Any]:
    ranges = [
        range_query(plan, range_, has_place, has_bound, False, _run.created_at, _run.id).limit(at_most(limit))
        for range_ in plan.ranges
    ]
    listed = sa.union_all(*(sa.select(range_.subquery()) for range_ in ranges)).subquery()
    return sa.select(listed.c.created_at, listed.c.id).order_by(*by_creation(listed.c)).limit(at_most(limit))
