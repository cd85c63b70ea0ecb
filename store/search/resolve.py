"""From a filter to a query plan: names become ids, globs become the types that there are."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from store.errors import NotFound
from store.model.records import Outcome, Status
from store.model.tables import operation_runs, users
from store.people.access import SYSTEM, Membership
from store.search.filter import RunFilter, Terms
from store.search.globs import matches
from store.search.plan import ALL, MAX_PARTS, IndexRange, QueryPlan
from store.search.tabs import TABS

_run = operation_runs.c
_ACTIVE: Final = frozenset((Status.QUEUED, Status.RUNNING))


@dataclass(frozen=True, slots=True)
class ResolvedFilter:
    """A filter with every name looked up: it is planned for each tab without asking the database again."""

    #: The plan without index ranges: its window of time and its residual predicates.
    base: QueryPlan
    #: Ids of tenants.
    within: tuple[int, ...]
    outcomes: tuple[Outcome, ...]
    #: Ids of users, the system's being None; None for anybody.
    initiators: tuple[int | None, ...] | None
    #: None for any.
    types: tuple[str, ...] | None

    def plan(self, tab: str = "All") -> QueryPlan | None:
        """The plan of what the tab shows; None when no run can be both."""
        outcomes = tuple(one for one in self.outcomes if not TABS[tab] or one in TABS[tab])
        return _driven(self.base, self.within, outcomes, self.initiators, self.types) if outcomes else None


def resolve_filter(
    connection: sa.Connection, of: Sequence[Membership], user_id: int, wanted: RunFilter
) -> QueryPlan | None:
    """The plan of a filter on all tabs. None when no run can match. Raises NotFound as `resolve` does."""
    found = resolve(connection, of, user_id, wanted)
    return found.plan() if found else None


def resolve(
    connection: sa.Connection, of: Sequence[Membership], user_id: int, wanted: RunFilter
) -> ResolvedFilter | None:
    """Look up what the filter names. None when no run can match. Raises NotFound for a tenant that is not one of `of`."""
    within = _within(of, wanted)
    outcomes = _outcomes(wanted)
    initiators = _users(connection, user_id, wanted)
    types = _types(connection, within, wanted)
    if not within or not outcomes or initiators == () or types == ():
        return None
    base = QueryPlan(
        parts=(),
        since=wanted.since,
        before=wanted.before,
        ids=wanted.ids,
        retry_of=wanted.retry_of,
        statuses=_asked_statuses(wanted),
        codes=wanted.codes,
        words=wanted.words,
        without=_asked(wanted.exclude),
        without_users=_users(connection, user_id, wanted.exclude) or (),
    )
    return ResolvedFilter(base, within, outcomes, initiators, types)


def _driven(
    found: QueryPlan,
    within: tuple[int, ...],
    outcomes: tuple[Outcome, ...],
    initiators: tuple[int | None, ...] | None,
    types: tuple[str, ...] | None,
) -> QueryPlan:
    """With the parts of the narrowest index that there is; what that one does not know is asked on the way."""
    if initiators is not None and len(within) * len(outcomes) * len(initiators) <= MAX_PARTS:
        parts = [IndexRange(t, o, (u,)) for t, o, u in itertools.product(within, outcomes, initiators)]
        return replace(found, parts=tuple(parts), types=types)
    if initiators is None and types is not None and len(within) * len(outcomes) * len(types) <= MAX_PARTS:
        parts = [IndexRange(t, o, type=type_) for t, o, type_ in itertools.product(within, outcomes, types)]
        return replace(found, parts=tuple(parts))
    if found.codes and len(within) * len(outcomes) <= MAX_PARTS:
        parts = [IndexRange(t, o, failures=True) for t, o in itertools.product(within, outcomes)]
        return replace(found, parts=tuple(parts), users=initiators, types=types)
    if len(outcomes) < len(ALL) and len(within) * len(outcomes) <= MAX_PARTS:
        parts = [IndexRange(t, o) for t, o in itertools.product(within, outcomes)]
        return replace(found, parts=tuple(parts), users=initiators, types=types)
    parts = [IndexRange(t) for t in within]
    return replace(found, parts=tuple(parts), users=initiators, types=types, outcomes=outcomes)


def _within(of: Sequence[Membership], wanted: RunFilter) -> tuple[int, ...]:
    """The ids of the tenants that are wanted."""
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
    if not statuses & _ACTIVE:
        possible.discard(Outcome.PENDING)
    if Status.COMPLETED not in statuses:
        possible &= {Outcome.PENDING}
    return tuple(outcome for outcome in ALL if outcome in possible)


def _statuses(wanted: RunFilter) -> frozenset[Status]:
    return frozenset(wanted.statuses or Status) - set(wanted.exclude.statuses)


def _asked_statuses(wanted: RunFilter) -> tuple[Status, ...]:
    """The outcome tells the completed ones from the others; which of the others, it does not."""
    statuses = _statuses(wanted)
    return tuple(sorted(statuses)) if len(statuses & _ACTIVE) == 1 else ()


def _asked(unwanted: Terms) -> Terms:
    """What of the unwanted has to be asked of each run: the rest narrows what drives."""
    return replace(unwanted, statuses=(), outcomes=(), types=(), tenants=(), by=(), mine=False)


# -- names that are looked up ---------------------------------------------------------------------------------------------


def _users(connection: sa.Connection, user_id: int, values: Terms) -> tuple[int | None, ...] | None:
    """The ids behind `by:` and `mine`, the system's being None. None when neither is given, () when nobody is both."""
    if not values.by and not values.mine:
        return None
    named = _named(connection, values.by) if values.by else None
    if not values.mine:
        return named
    return (user_id,) if named is None or user_id in named else ()


def _named(connection: sa.Connection, globs: tuple[str, ...]) -> tuple[int | None, ...]:
    rows = connection.execute(sa.select(users.c.id, users.c.login, users.c.name)).all()
    found: list[int | None] = [
        id_ for id_, *names in rows if any(matches(glob, name.lower()) for glob in globs for name in names)
    ]
    if any(matches(glob, SYSTEM.lower()) for glob in globs):
        found.append(None)
    return tuple(found)


def _types(connection: sa.Connection, within: tuple[int, ...], wanted: RunFilter) -> tuple[str, ...] | None:
    """The types that are wanted; None when all are. A glob becomes the types that there are: few, each a step in the index.

    A LIKE that matches little would walk everything.
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
