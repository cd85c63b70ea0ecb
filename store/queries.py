"""What is read of the runs. Every statement is bounded and walks an index; counts stop at a cap and say so.

How a filter becomes walks along indexes is store/search.py. To put such a statement together takes longer than to carry it
out, and every poll asks for the same one: hence the caches. What changes from poll to poll is bound.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from store.access import Membership, read_memberships
from store.database import Database
from store.filters import RunFilter
from store.memory import Memory
from store.records import Outcome, Run
from store.rows import LISTED, run_columns, run_from, runs_from
from store.search import Part, Search, asking, driving, search
from store.tables import operation_runs, tenants
from store.types import UtcTime, at_most, seconds_between, utcnow

_run = operation_runs.c

#: Counts are exact up to here; above, they are "at least".
COUNT_CAP: Final = 1000
#: Runs in one window of the list, at most.
WINDOW: Final = 500


class Cursor(NamedTuple):
    """A place in the list, newest first: before or behind (created_at, id)."""

    created_at: dt.datetime
    id: int


#: Behind every run that there is.
THE_END: Final = Cursor(dt.datetime(1970, 1, 1, tzinfo=dt.UTC), 0)


class Order(StrEnum):
    """What a list is sorted by. By creation it goes on through millions; the others sort the newest SCAN runs."""

    CREATED = "created"
    STARTED = "started"
    DURATION = "duration"
    TYPE = "type"


class Count(NamedTuple):
    """How many: exactly, or at least."""

    number: int
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Runs in their order. `reached` is how far back was looked when that was not to the end of the window of time."""

    runs: tuple[Run, ...] = ()
    #: Whether there are newer and older ones that the page does not hold; older ones may be there unless this is False.
    above: bool = False
    below: bool = False
    reached: Cursor | None = None


#: The tabs of the list, with the outcomes that each shows. Active is what is not completed, and that is what pending means.
TABS: Final[dict[str, tuple[Outcome, ...]]] = {
    "All": (),
    "Active": (Outcome.PENDING,),
    "Succeeded": (Outcome.SUCCEEDED,),
    "Partial": (Outcome.PARTIALLY_SUCCEEDED,),
    "Failed": (Outcome.FAILED,),
}


def on_tab(wanted: RunFilter, tab: str) -> RunFilter | None:
    """The filter narrowed to what the tab shows; None when no run can be both."""
    if not TABS[tab]:
        return wanted
    both = tuple(outcome for outcome in TABS[tab] if not wanted.outcomes or outcome in wanted.outcomes)
    return replace(wanted, outcomes=both) if both else None


# -- pages ----------------------------------------------------------------------------------------------------------------


def page(
    connection: sa.Connection,
    of: Sequence[Membership],
    user_id: int,
    wanted: RunFilter,
    limit: int,
    behind: Cursor | None = None,
    memory: Memory | None = None,
) -> Page:
    """At most `limit` runs of these tenants, newest first, without their context. With `memory` only what has changed is read."""
    found = search(connection, of, user_id, wanted)
    return _older(connection, found, limit, behind, memory) if found else Page()


def around(
    connection: sa.Connection, of: Sequence[Membership], user_id: int, wanted: RunFilter, place: Cursor, limit: int
) -> Page:
    """A window of at most `limit` runs: half of them newer than `place`, half of them there or older."""
    found = search(connection, of, user_id, wanted)
    if not found:
        return Page()
    newer = _newer(connection, found, limit // 2, place)
    older = _older(connection, found, limit - limit // 2, place._replace(id=place.id + 1))
    return Page(newer.runs + older.runs, newer.above, older.below, older.reached)


def ordered(
    connection: sa.Connection, of: Sequence[Membership], user_id: int, wanted: RunFilter, order: Order, limit: int
) -> Page:
    """The first `limit` of the newest SCAN runs, in another order than that of their creation."""
    found = search(connection, of, user_id, wanted)
    if not found:
        return Page()
    reached = bound(connection, found, None)
    query = _ordered_query(found, order, limit, reached is not None)
    runs = _runs(connection, query, place_of(None, reached))
    return Page(runs, below=len(runs) == limit, reached=reached)


def _older(
    connection: sa.Connection, found: Search, limit: int, behind: Cursor | None, memory: Memory | None = None
) -> Page:
    reached = bound(connection, found, behind) if found.asks else None
    shape, place = (found, limit + 1, behind is not None, reached is not None), place_of(behind, reached)
    if memory is None:
        runs = _runs(connection, _page_query(*shape), place)
    else:
        of, state = (*shape, behind, reached), connection.execute(_state_query(*shape), place).all()
        known = memory.page(of, state)
        runs = _runs(connection, _page_query(*shape), place) if known is None else known
        memory.keep(of, state, runs)
    if len(runs) > limit:
        return Page(runs[:limit], below=True)
    return Page(runs, below=reached is not None, reached=reached)


def _newer(connection: sa.Connection, found: Search, limit: int, before: Cursor) -> Page:
    reached = bound(connection, found, before, newer=True) if found.asks else None
    query = _page_query(found, limit + 1, True, reached is not None, newer=True)
    runs = _runs(connection, query, place_of(before, reached))
    return Page(runs[:limit][::-1], above=len(runs) > limit or reached is not None)


def _runs(connection: sa.Connection, query: sa.Select[Any], parameters: dict[str, Any]) -> tuple[Run, ...]:
    return runs_from(connection.execute(query, parameters))


@functools.lru_cache(maxsize=12)
def _page_query(found: Search, limit: int, has_place: bool, has_bound: bool, newer: bool = False) -> sa.Select[Any]:
    parts = [part_of(found, part, has_place, has_bound, newer, *LISTED).limit(at_most(limit)) for part in found.parts]
    listed = sa.union_all(*(sa.select(part.subquery()) for part in parts)).subquery("listed")
    query = sa.select(*run_columns(listed, context=False)).join(tenants, tenants.c.id == listed.c.tenant_id)
    return query.order_by(*_by_creation(listed.c, newer)).limit(at_most(limit))


#: What tells that a run is as it was: every change of it moves `updated_at`.
_STATE: Final = (_run.created_at, _run.id, _run.updated_at, _run.status, _run.outcome)


@functools.lru_cache(maxsize=12)
def _state_query(found: Search, limit: int, has_place: bool, has_bound: bool) -> sa.Select[Any]:
    """The page's runs, and no more of each than tells whether it has changed: a small part of what reading it takes."""
    parts = [part_of(found, part, has_place, has_bound, False, *_STATE).limit(at_most(limit)) for part in found.parts]
    listed = sa.union_all(*(sa.select(part.subquery()) for part in parts)).subquery("listed")
    return sa.select(listed).order_by(*_by_creation(listed.c)).limit(at_most(limit))


@functools.lru_cache(maxsize=12)
def _ordered_query(found: Search, order: Order, limit: int, has_bound: bool) -> sa.Select[Any]:
    parts = [part_of(found, part, False, has_bound, False, *LISTED) for part in found.parts]
    listed = sa.union_all(*(sa.select(part.order_by(None).subquery()) for part in parts)).subquery("listed")
    query = sa.select(*run_columns(listed, context=False)).join(tenants, tenants.c.id == listed.c.tenant_id)
    return query.order_by(*_by(order, listed.c), *_by_creation(listed.c)).limit(at_most(limit))


def _by(order: Order, columns: Any) -> list[sa.ColumnElement[Any]]:
    if order is Order.STARTED:
        return [columns.started_at.is_(None), columns.started_at.desc()]
    if order is Order.DURATION:
        return [columns.started_at.is_(None), duration(columns).desc()]
    return [columns.type] if order is Order.TYPE else []


def duration(columns: Any) -> sa.ColumnElement[float]:
    """Seconds that a run has taken, up to now while it runs."""
    return seconds_between(columns.started_at, sa.func.coalesce(columns.completed_at, utcnow()))


def _by_creation(columns: Any, newer: bool = False) -> tuple[sa.ColumnElement[Any], ...]:
    if newer:
        return columns.created_at.asc(), columns.id.asc()
    return columns.created_at.desc(), columns.id.desc()


# -- one walk -------------------------------------------------------------------------------------------------------------

_AT: Final = sa.tuple_(_run.created_at, _run.id)
_PLACE: Final = sa.tuple_(sa.bindparam("p_at", type_=UtcTime), sa.bindparam("p_id", type_=sa.BigInteger))
_BOUND: Final = sa.tuple_(sa.bindparam("p_bound_at", type_=UtcTime), sa.bindparam("p_bound_id", type_=sa.BigInteger))


def place_of(place: Cursor | None, reached: Cursor | None) -> dict[str, Any]:
    """The parameters of a walk from the place to the bound."""
    at = {"p_at": place.created_at, "p_id": place.id} if place else {}
    return at | ({"p_bound_at": reached.created_at, "p_bound_id": reached.id} if reached else {})


def part_of(
    found: Search, part: Part, has_place: bool, has_bound: bool, newer: bool, *columns: sa.ColumnElement[Any]
) -> sa.Select[Any]:
    """One part's runs from the place on, no further than the bound; newest first, or oldest first to find the newer ones."""
    query = sa.select(*columns).where(*driving(found, part), *asking(found))
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
    return query.order_by(*first, *_by_creation(_run, newer))


def bound(
    connection: sa.Connection, found: Search, place: Cursor | None, *, newer: bool = False, scan: int | None = None
) -> Cursor | None:
    """How far one looks from the place: where a part has come to its share of `scan` (SCAN) runs. None when none does."""
    query = _bound_query(found, place is not None, newer, scan or found.scan)
    rows = [Cursor(*row) for row in connection.execute(query, place_of(place, None))]
    if not rows:
        return None
    return min(rows) if newer else max(rows)


@functools.lru_cache(maxsize=12)
def _bound_query(found: Search, has_place: bool, newer: bool, scan: int) -> sa.CompoundSelect[Any]:
    bare = Search(found.parts, found.since, found.before, found.ids, found.retry_of)
    share = max(1, scan // len(found.parts))
    parts = [
        part_of(bare, part, has_place, False, newer, _run.created_at, _run.id)
        .offset(at_most(share - 1))
        .limit(at_most(1))
        for part in found.parts
    ]
    return sa.union_all(*(sa.select(part.subquery()) for part in parts))


# -- counts ---------------------------------------------------------------------------------------------------------------


def counts(
    connection: sa.Connection,
    of: Sequence[Membership],
    user_id: int,
    wanted: RunFilter,
    memory: Memory | None = None,
) -> dict[str, Count]:
    """For each tab the number of runs behind it. With `memory`, what was "at least" a moment ago is not counted again."""
    found = search(connection, of, user_id, wanted)
    if not found:
        return dict.fromkeys(TABS, Count(0))
    reached = bound(connection, found, None) if found.asks else None
    full = memory.full(found) if memory else frozenset[Outcome]()
    row = connection.execute(_counts_query(found, reached is not None, full), place_of(None, reached)).one()
    by_outcome = {outcome: int(number) for outcome, number in zip(Outcome, row, strict=True)}
    if memory and not full:
        memory.counted(found, (outcome for outcome, number in by_outcome.items() if number > COUNT_CAP))
    return {
        tab: _count([by_outcome[outcome] for outcome in outcomes or Outcome], reached is not None)
        for tab, outcomes in TABS.items()
    }


def _count(numbers: list[int], bounded: bool) -> Count:
    number = sum(numbers)
    return Count(COUNT_CAP, True) if number > COUNT_CAP else Count(number, bounded)


@functools.lru_cache(maxsize=8)
def _counts_query(found: Search, has_bound: bool, full: frozenset[Outcome]) -> sa.Select[Any]:
    """`full` are the outcomes of which there are more than are counted, as is known."""
    columns: list[sa.ColumnElement[Any]] = [
        (at_most(COUNT_CAP + 1) if outcome in full else _count_of(found, outcome, has_bound)).label(outcome.value)
        for outcome in Outcome
    ]
    return sa.select(*columns)


def _count_of(found: Search, outcome: Outcome, has_bound: bool) -> sa.ColumnElement[int]:
    narrowed = found.with_outcomes([outcome])
    if not narrowed.parts:
        return sa.literal(0)
    # Ordered as the index is: without that, a planner may prefer to count through another one, or the whole table.
    parts = [
        part_of(narrowed, part, False, has_bound, False, _run.id).limit(at_most(COUNT_CAP + 1))
        for part in narrowed.parts
    ]
    some = (
        sa.union_all(*(sa.select(part.subquery()) for part in parts)).subquery().select().limit(at_most(COUNT_CAP + 1))
    )
    return sa.select(sa.func.count()).select_from(some.subquery()).scalar_subquery()


# -- all that match -------------------------------------------------------------------------------------------------------


def matching(
    connection: sa.Connection,
    of: Sequence[Membership],
    user_id: int,
    wanted: RunFilter,
    limit: int,
    behind: Cursor | None = None,
) -> tuple[list[Cursor], Cursor | None]:
    """At most `limit` places of runs that match, newest first, and where to go on; None at the end.

    One bounded walk: with a filter that no index knows it may find nothing and still say where to go on.
    """
    found = search(connection, of, user_id, wanted)
    if not found:
        return [], None
    reached = bound(connection, found, behind) if found.asks else None
    query = _matching_query(found, limit, behind is not None, reached is not None)
    places = [Cursor(*row) for row in connection.execute(query, place_of(behind, reached))]
    return places, places[-1] if len(places) == limit else reached


@dataclass(frozen=True, slots=True)
class Matching:
    """The ids of runs that match, newest first; `more` when there are others that match, or may."""

    ids: tuple[int, ...]
    more: bool


def all_matching(db: Database, user_id: int, wanted: RunFilter, tab: str, limit: int) -> Matching:
    """At most `limit` runs that match, in as many walks as it takes, each a short transaction of its own."""
    narrowed, ids, behind = on_tab(wanted, tab), list[int](), None
    while narrowed and len(ids) < limit:
        with db.reading() as connection:
            of = read_memberships(connection, user_id)
            places, behind = matching(connection, of, user_id, narrowed, min(1000, limit - len(ids)), behind)
        ids += [place.id for place in places]
        if behind is None:
            break
    return Matching(tuple(ids), behind is not None)


@functools.lru_cache(maxsize=8)
def _matching_query(found: Search, limit: int, has_place: bool, has_bound: bool) -> sa.Select[Any]:
    parts = [
        part_of(found, part, has_place, has_bound, False, _run.created_at, _run.id).limit(at_most(limit))
        for part in found.parts
    ]
    listed = sa.union_all(*(sa.select(part.subquery()) for part in parts)).subquery()
    return sa.select(listed.c.created_at, listed.c.id).order_by(*_by_creation(listed.c)).limit(at_most(limit))


def attempts(connection: sa.Connection, run: Run, limit: int = 20) -> tuple[Run, ...]:
    """The run, what it retries, back to the first, and what retries it, with their context; oldest first.

    Only within the run's tenant. Of more than `limit`, the run and the one that it retries are among those that are told, and
    then the newest.
    """
    step = sa.literal(1).label("step")
    chain = sa.select(_run.id, _run.retry_of_id, step).where(_run.id == run.id).cte("chain", recursive=True)
    former = sa.select(_run.id, _run.retry_of_id, chain.c.step + 1).join(chain, _run.id == chain.c.retry_of_id)
    chain = chain.union_all(former.where(chain.c.step < limit))
    # One list of ids: with an OR a planner would try every run.
    family = _run.id.in_(sa.select(chain.c.id).union(sa.select(_run.id).where(_run.retry_of_id == run.id)))
    query = sa.select(*run_columns()).join(tenants, tenants.c.id == _run.tenant_id)
    nearest = sa.case((_run.id == run.id, 0), (_run.id == run.retry_of_id, 1), else_=2)
    query = query.where(family, _run.tenant_id == run.tenant_id).order_by(nearest, _run.id.desc()).limit(at_most(limit))
    found = [run_from(dict(row)) for row in connection.execute(query).mappings()]
    return tuple(sorted(found, key=lambda attempt: attempt.id))
