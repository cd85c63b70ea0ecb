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
from store.search.tabs import FAILED_TAB, TABS

_run = operation_runs.c


def counts(connection: sa.Connection, plan: QueryPlan | None, cache: PollCache | None = None) -> dict[str, Count]:
    """The number of runs behind each tab, by the tab's name.

    Held runs have the outcome pending and are no active work: they count for the tab All alone. The tab Failed counts what is
    not acknowledged, unless the filter says which of both it wants.

    With `cache`, an outcome that exceeded the cap in the last 30 seconds is not counted again.
    """
    if not plan:
        return dict.fromkeys(TABS, Count(0))
    scanned_to = scan_limit_at(connection, plan, None) if plan.has_residual else None
    bounded = scanned_to is not None
    full = cache.capped_outcomes(plan) if cache else frozenset[Outcome]()
    on_tab = (plan, FAILED_TAB)
    is_open_full = bool(cache and cache.capped_outcomes(on_tab))
    query = _counts_query(plan, bounded, full, is_open_full)
    *row, held, open_failed = connection.execute(query, range_parameters(None, scanned_to)).one()
    by_outcome = {outcome: int(number) for outcome, number in zip(Outcome, row, strict=True)}
    if cache and not full:
        cache.remember_capped(plan, (outcome for outcome, number in by_outcome.items() if number > COUNT_CAP))
    if cache and not is_open_full and open_failed > COUNT_CAP:
        cache.remember_capped(on_tab, [Outcome.FAILED])
    return {
        tab: _count(
            [open_failed]
            if tab == FAILED_TAB
            else [*(by_outcome[outcome] for outcome in outcomes or Outcome), 0 if outcomes else held],
            bounded,
        )
        for tab, outcomes in TABS.items()
    }


def _count(numbers: list[int], bounded: bool) -> Count:
    number = sum(numbers)
    return Count(COUNT_CAP, True) if number > COUNT_CAP else Count(number, bounded)


@functools.lru_cache(maxsize=8)
def _counts_query(
    plan: QueryPlan, has_bound: bool, full: frozenset[Outcome], is_open_full: bool = False
) -> sa.Select[Any]:
    """The count of each outcome without held runs, then that of held runs, then that of the failed runs on their tab.

    `full`: the outcomes known to exceed the cap; `is_open_full`: whether the tab Failed is.
    """
    columns: list[sa.ColumnElement[Any]] = [
        (at_most(COUNT_CAP + 1) if outcome in full else _count_of(plan, outcome, False, has_bound)).label(outcome.value)
        for outcome in Outcome
    ]
    columns.append(_count_of(plan, Outcome.PENDING, True, has_bound).label("held"))
    shown = replace(plan, acknowledged=False) if plan.acknowledged is None else plan
    opened = at_most(COUNT_CAP + 1) if is_open_full else _count_of(shown, Outcome.FAILED, False, has_bound)
    return sa.select(*columns, opened.label("open"))


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
