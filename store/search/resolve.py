"""Turns a filter into a query plan: names become ids, globs become existing types."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from store.errors import NotFound
from store.model.records import Outcome
from store.model.tables import operation_runs, users
from store.people.access import SYSTEM, Membership
from store.search.filter import FilterStatus, RunFilter, Terms
from store.search.globs import matches
from store.search.plan import ACKNOWLEDGEABLE, ALL, MAX_RANGES, IndexRange, QueryPlan
from store.search.tabs import ACTIVE_TAB, FAILED_TAB, TABS

_run = operation_runs.c
_WORK: Final = frozenset((FilterStatus.QUEUED, FilterStatus.RUNNING))
_PENDING: Final = _WORK | {FilterStatus.PREVIEW}


@dataclass(frozen=True, slots=True)
class ResolvedFilter:
    """A filter with every name looked up. `plan` needs no further query."""

    #: The plan without index ranges and statuses: its window of time and its other residual predicates.
    base: QueryPlan
    statuses: frozenset[FilterStatus]
    #: Ids of tenants.
    within: tuple[int, ...]
    outcomes: tuple[Outcome, ...]
    #: Ids of users, the system's being None; None for anybody.
    initiators: tuple[int | None, ...] | None
    #: None for any.
    types: tuple[str, ...] | None

    def plan(self, tab: str = "All") -> QueryPlan | None:
        """The plan for a tab; None if no run can match both filter and tab."""
        statuses = self.statuses - {FilterStatus.PREVIEW} if tab == ACTIVE_TAB else self.statuses
        on_tab = (one for one in self.outcomes if not TABS[tab] or one in TABS[tab])
        outcomes = tuple(one for one in on_tab if _is_possible(one, statuses))
        if not outcomes:
            return None
        base = replace(self.base, held=_held(statuses), statuses=_tested_statuses(statuses))
        if tab == FAILED_TAB and base.acknowledged is None:
            base = replace(base, acknowledged=False)
        return _driven(base, self.within, outcomes, self.initiators, self.types)


def resolve_filter(
    connection: sa.Connection, of: Sequence[Membership], user_id: int, wanted: RunFilter
) -> QueryPlan | None:
    """The plan of a filter for the tab All. None if no run can match. Raises NotFound like `resolve`."""
    found = resolve(connection, of, user_id, wanted)
    return found.plan() if found else None


def resolve(
    connection: sa.Connection, of: Sequence[Membership], user_id: int, wanted: RunFilter
) -> ResolvedFilter | None:
    """Look up the names in a filter. None if no run can match. Raises NotFound for a tenant outside the memberships `of`."""
    within = _within(of, wanted)
    outcomes = _outcomes(wanted)
    initiators = _users(connection, user_id, wanted)
    types = _types(connection, within, wanted)
    if not within or not outcomes or initiators == () or types == ():
        return None
    base = QueryPlan(
        ranges=(),
        since=wanted.since,
        before=wanted.before,
        ids=wanted.ids,
        retry_of=wanted.retry_of,
        codes=wanted.codes,
        words=wanted.words,
        acknowledged=wanted.acknowledged,
        without=_asked(wanted.exclude),
        without_users=_users(connection, user_id, wanted.exclude) or (),
    )
    return ResolvedFilter(base, _statuses(wanted), within, outcomes, initiators, types)


def _driven(
    found: QueryPlan,
    within: tuple[int, ...],
    outcomes: tuple[Outcome, ...],
    initiators: tuple[int | None, ...] | None,
    types: tuple[str, ...] | None,
) -> QueryPlan:
    """The plan with ranges of the most selective index; what that index does not cover becomes a residual predicate."""
    if found.acknowledged and len(within) * len(outcomes) <= MAX_RANGES:
        ranges = [IndexRange(t, o) for t, o in itertools.product(within, outcomes)]
        return replace(found, ranges=tuple(ranges), users=initiators, types=types)
    if initiators is not None and len(within) * len(outcomes) * len(initiators) <= MAX_RANGES:
        ranges = [IndexRange(t, o, (u,)) for t, o, u in itertools.product(within, outcomes, initiators)]
        return replace(found, ranges=tuple(ranges), types=types)
    if initiators is None and types is not None and len(within) * len(outcomes) * len(types) <= MAX_RANGES:
        ranges = [IndexRange(t, o, type=type_) for t, o, type_ in itertools.product(within, outcomes, types)]
        return replace(found, ranges=tuple(ranges))
    if found.codes and len(within) * len(outcomes) <= MAX_RANGES:
        ranges = [IndexRange(t, o, failures=True) for t, o in itertools.product(within, outcomes)]
        return replace(found, ranges=tuple(ranges), users=initiators, types=types)
    # What is acknowledged, or not, is told by the index only of runs with an outcome that is known.
    is_narrow = len(outcomes) < len(ALL) or found.acknowledged is not None
    if is_narrow and len(within) * len(outcomes) <= MAX_RANGES:
        ranges = [IndexRange(t, o) for t, o in itertools.product(within, outcomes)]
        return replace(found, ranges=tuple(ranges), users=initiators, types=types)
    ranges = [IndexRange(t) for t in within]
    return replace(found, ranges=tuple(ranges), users=initiators, types=types, outcomes=outcomes)


def _within(of: Sequence[Membership], wanted: RunFilter) -> tuple[int, ...]:
    """The ids of the tenants that the filter selects."""
    known = {member.tenant.slug for member in of}
    unknown = (set(wanted.tenants) | set(wanted.exclude.tenants)) - known
    if unknown:
        raise NotFound(f"no tenant '{min(unknown)}'", "'opsmon tenants list' shows yours")
    chosen = (set(wanted.tenants) or known) - set(wanted.exclude.tenants)
    if wanted.within is not None:
        chosen &= {wanted.within}
    return tuple(member.tenant.id for member in of if member.tenant.slug in chosen)


def _outcomes(wanted: RunFilter) -> tuple[Outcome, ...]:
    statuses = _statuses(wanted)
    possible = set(wanted.outcomes or ALL) - set(wanted.exclude.outcomes)
    if wanted.acked:
        possible = set() if wanted.exclude.acked else possible & set(ACKNOWLEDGEABLE)
    return tuple(outcome for outcome in ALL if outcome in possible and _is_possible(outcome, statuses))


def _is_possible(outcome: Outcome, statuses: frozenset[FilterStatus]) -> bool:
    """Whether a run of one of these statuses can have the outcome."""
    return bool(statuses & _PENDING) if outcome is Outcome.PENDING else FilterStatus.COMPLETED in statuses


def _statuses(wanted: RunFilter) -> frozenset[FilterStatus]:
    return frozenset(wanted.statuses or FilterStatus) - set(wanted.exclude.statuses)


def _held(statuses: frozenset[FilterStatus]) -> bool | None:
    """`QueryPlan.held` if that alone tells the pending runs of these statuses from the others; None otherwise."""
    if statuses == {FilterStatus.PREVIEW}:
        return True
    return False if statuses & _PENDING == _WORK else None


def _tested_statuses(statuses: frozenset[FilterStatus]) -> tuple[FilterStatus, ...]:
    """Statuses to test on each row: the outcome tells completed runs from pending ones, `held` previews from active ones."""
    pending = statuses & _PENDING
    is_told = not pending or pending == _PENDING or _held(statuses) is not None
    return () if is_told else tuple(sorted(statuses))


def _asked(unwanted: Terms) -> Terms:
    """The exclusions to test on each row; the others already narrow the ranges."""
    return replace(unwanted, statuses=(), outcomes=(), types=(), tenants=(), by=(), mine=False, acked=False)


# -- names that are looked up ---------------------------------------------------------------------------------------------


def _users(connection: sa.Connection, user_id: int, values: Terms) -> tuple[int | None, ...] | None:
    """The user ids behind `by:` and `mine` (None: the system). None if neither is given, () if nobody matches both."""
    if not values.by and not values.mine:
        return None
    named = users_named(connection, values.by) if values.by else None
    if not values.mine:
        return named
    return (user_id,) if named is None or user_id in named else ()


def users_named(connection: sa.Connection, globs: tuple[str, ...]) -> tuple[int | None, ...]:
    """The ids of the users whose login or name matches one of the globs, which are lower-case; None for the system."""
    rows = connection.execute(sa.select(users.c.id, users.c.login, users.c.name)).all()
    found: list[int | None] = [
        id_ for id_, *names in rows if any(matches(glob, name.lower()) for glob in globs for name in names)
    ]
    if any(matches(glob, SYSTEM.lower()) for glob in globs):
        found.append(None)
    return tuple(found)


def _types(connection: sa.Connection, within: tuple[int, ...], wanted: RunFilter) -> tuple[str, ...] | None:
    """The types that the filter selects; None for all. A glob becomes the few existing types that match, a step in the index each.

    A LIKE that matches few rows would scan everything.
    """
    globs, unwanted = wanted.types, wanted.exclude.types
    if not unwanted and not any("*" in glob for glob in globs):
        return tuple(sorted(set(globs))) or None
    there = {
        type_ for tenant_id in within for type_ in connection.execute(_TYPES, {"p_tenant_id": tenant_id}).scalars()
    }
    known = sorted(type_ for type_ in there if type_)
    return tuple(
        type_
        for type_ in known
        if (not globs or any(matches(glob, type_) for glob in globs))
        and not any(matches(glob, type_) for glob in unwanted)
    )


def _types_of_a_tenant() -> sa.Select[Any]:
    of_tenant = _run.tenant_id == sa.bindparam("p_tenant_id", type_=sa.BigInteger)
    known = sa.select(sa.func.min(_run.type).label("type")).where(of_tenant).cte("known", recursive=True)
    following = sa.select(sa.func.min(_run.type)).where(of_tenant, _run.type > known.c.type).correlate(known)
    known = known.union_all(sa.select(following.scalar_subquery()).where(known.c.type.is_not(None)))
    return sa.select(known.c.type)


_TYPES: Final = _types_of_a_tenant()
