"""Counts for each tab, up to a cap."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from store.model.records import COUNT_CAP, Count, Outcome
from store.model.tables import operation_runs
from store.model.types import at_most
from store.search.keyset import range_parameters, range_query, scan_limit_at
from store.search.plan import QueryPlan
from store.search.poll_cache import PollCache
from store.search.tabs import TABS

_run = operation_runs.c


def counts(connection: sa.Connection, plan: QueryPlan | None, cache: PollCache | None = None) -> dict[str, Count]:
    """The number of runs behind each tab, by the tab's name.

    Held runs have the outcome pending and are no active work: they count for the tab All alone.

    With `cache`, an outcome that exceeded the cap in the last 30 seconds is not counted again.
    """
    if not plan:
        return dict.fromkeys(TABS, Count(0))
    scanned_to = scan_limit_at(connection, plan, None) if plan.has_residual else None
    bounded = scanned_to is not None
    full = cache.capped_outcomes(plan) if cache else frozenset[Outcome]()
    *row, held = connection.execute(_counts_query(plan, bounded, full), range_parameters(None, scanned_to)).one()
    by_outcome = {outcome: int(number) for outcome, number in zip(Outcome, row, strict=True)}
    if cache and not full:
        cache.remember_capped(plan, (outcome for outcome, number in by_outcome.items() if number > COUNT_CAP))
    return {
        tab: _count([*(by_outcome[outcome] for outcome in outcomes or Outcome), 0 if outcomes else held], bounded)
        for tab, outcomes in TABS.items()
    }


def _count(numbers: list[int], bounded: bool) -> Count:
    number = sum(numbers)
    return Count(COUNT_CAP, True) if number > COUNT_CAP else Count(number, bounded)


@functools.lru_cache(maxsize=8)
def _counts_query(plan: QueryPlan, has_bound: bool, full: frozenset[Outcome]) -> sa.Select[Any]:
    """The count of each outcome without held runs, then that of held runs. `full`: the outcomes known to exceed the cap."""
    columns: list[sa.ColumnElement[Any]] = [
        (at_most(COUNT_CAP + 1) if outcome in full else _count_of(plan, outcome, False, has_bound)).label(outcome.value)
        for outcome in Outcome
    ]
    return sa.select(*columns, _count_of(plan, Outcome.PENDING, True, has_bound).label("held"))


def _count_of(plan: QueryPlan, outcome: Outcome, held: bool, has_bound: bool) -> sa.ColumnElement[int]:
    narrowed = replace(plan.with_outcomes([outcome]), held=held)
    if not narrowed.ranges or (plan.held is not None and plan.held is not held):
        return sa.literal(0)
    # Ordered like the index: otherwise a planner may count along another index, or scan the whole table.
    ranges = [
        range_query(narrowed, range_, False, has_bound, False, _run.id).limit(at_most(COUNT_CAP + 1))
        for range_ in narrowed.ranges
    ]
    some = (
        sa.union_all(*(sa.select(range_.subquery()) for range_ in ranges))
        .subquery()
        .select()
        .limit(at_most(COUNT_CAP + 1))
    )
    return sa.select(sa.func.count()).select_from(some.subquery()).scalar_subquery()
