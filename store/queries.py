"""What is read of the runs. Every statement is bounded and walks an index; counts stop at a cap and say so.

A list of several tenants is the union of one bounded, ordered list per tenant: an IN over tenants would make the database
sort, or walk, everything that they have. To put such a statement together takes longer than to carry it out, and every poll
asks for the same one: hence the caches.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from store.access import Membership
from store.errors import NotFound
from store.filters import RunFilter
from store.records import Outcome, Run, Status
from store.rows import LISTED, run_columns, run_from
from store.tables import operation_runs, tenants
from store.types import seconds_ago

_run = operation_runs.c

#: Counts are exact up to here; above, they are "at least".
COUNT_CAP = 1000


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the list, newest first: the list goes on behind (created_at, id)."""

    created_at: dt.datetime
    id: int


#: The tabs of the list, with the outcomes that each shows. Active is what is not completed, and that is what pending means.
TABS: dict[str, tuple[Outcome, ...]] = {
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


def page(
    connection: sa.Connection,
    of: Sequence[Membership],
    user_id: int,
    wanted: RunFilter,
    limit: int,
    behind: Cursor | None = None,
) -> tuple[Run, ...]:
    """At most `limit` runs of these tenants, newest first, without their context."""
    within = _within(of, wanted)
    exact = _with_exact_types(connection, within, wanted)
    if not within or exact is None:
        return ()
    query = _page_query(within, user_id, exact, limit, behind)
    return tuple(run_from(dict(row)) for row in connection.execute(query).mappings())


@functools.lru_cache(maxsize=32)
def _page_query(
    within: tuple[int, ...], user_id: int, wanted: RunFilter, limit: int, behind: Cursor | None
) -> sa.Select[Any]:
    parts = [_part(tenant_id, user_id, wanted, behind).limit(limit) for tenant_id in within]
    listed = sa.union_all(*(sa.select(part.subquery()) for part in parts)).subquery("listed")
    query = sa.select(*run_columns(listed, context=False)).join(tenants, tenants.c.id == listed.c.tenant_id)
    return query.order_by(listed.c.created_at.desc(), listed.c.id.desc()).limit(limit)


def counts(connection: sa.Connection, of: Sequence[Membership], user_id: int, wanted: RunFilter) -> dict[str, int]:
    """For each tab the number of runs behind it, COUNT_CAP + 1 meaning more than COUNT_CAP."""
    within = _within(of, wanted)
    exact = _with_exact_types(connection, within, wanted)
    if not within or exact is None:
        return dict.fromkeys(TABS, 0)
    row = connection.execute(_counts_query(within, user_id, exact)).one()
    return dict(zip(TABS, map(int, row), strict=True))


@functools.lru_cache(maxsize=32)
def _counts_query(within: tuple[int, ...], user_id: int, wanted: RunFilter) -> sa.Select[Any]:
    columns: list[sa.ColumnElement[Any]] = [
        _count(within, user_id, wanted, outcomes).label(f"tab{number}") for number, outcomes in enumerate(TABS.values())
    ]
    return sa.select(*columns)


def _count(
    within: tuple[int, ...], user_id: int, wanted: RunFilter, outcomes: tuple[Outcome, ...]
) -> sa.ScalarSelect[int]:
    parts = []
    for tenant_id in within:
        part = sa.select(_run.id).where(*_conditions(tenant_id, user_id, wanted))
        if outcomes:
            part = part.where(_run.outcome.in_([outcome.value for outcome in outcomes]))
        # Ordered as the index is: without that, a planner may prefer to count through another one, or the whole table.
        part = part.order_by(_run.created_at.desc()).limit(COUNT_CAP + 1)
        parts.append(sa.select(part.subquery()))
    some = sa.union_all(*parts).subquery().select().limit(COUNT_CAP + 1).subquery()
    return sa.select(sa.func.count()).select_from(some).scalar_subquery()


def _within(of: Sequence[Membership], wanted: RunFilter) -> tuple[int, ...]:
    """The ids of the tenants that are wanted."""
    unknown = set(wanted.tenants) - {member.tenant.slug for member in of}
    if unknown:
        raise NotFound(f"no tenant '{min(unknown)}'", "'opsmon tenants list' shows yours")
    return tuple(member.tenant.id for member in of if not wanted.tenants or member.tenant.slug in wanted.tenants)


def _part(tenant_id: int, user_id: int, wanted: RunFilter, behind: Cursor | None) -> sa.Select[Any]:
    query = sa.select(*LISTED).where(*_conditions(tenant_id, user_id, wanted))
    if behind is not None:
        query = query.where(
            sa.tuple_(_run.created_at, _run.id)
            < sa.tuple_(sa.literal(behind.created_at, _run.created_at.type), behind.id)
        )
    return query.order_by(_run.created_at.desc(), _run.id.desc())


def _conditions(tenant_id: int, user_id: int, wanted: RunFilter) -> list[sa.ColumnElement[bool]]:
    conditions = [_run.tenant_id == tenant_id]
    conditions.append(_run.created_at > seconds_ago(sa.literal(wanted.since.total_seconds(), sa.Float)))
    if wanted.statuses:
        conditions.append(_run.status.in_([status.value for status in wanted.statuses]))
        if Status.COMPLETED not in wanted.statuses:
            conditions.append(_run.outcome == Outcome.PENDING.value)
    if wanted.outcomes:
        conditions.append(_run.outcome.in_([outcome.value for outcome in wanted.outcomes]))
    if wanted.types:
        conditions.append(_run.type.in_(wanted.types))
    if wanted.mine:
        conditions.append(_run.user_id == user_id)
    return conditions


def _with_exact_types(connection: sa.Connection, within: tuple[int, ...], wanted: RunFilter) -> RunFilter | None:
    """The filter with its globs replaced by the types that there are; None when no type matches.

    A LIKE that matches little would walk everything; types are few, and each is one step in the index.
    """
    if not any("*" in glob for glob in wanted.types):
        return wanted
    patterns = [re.compile(re.escape(glob).replace(r"\*", ".*"), re.DOTALL) for glob in wanted.types]
    there = {
        type_ for tenant_id in within for type_ in connection.execute(_TYPES, {"p_tenant_id": tenant_id}).scalars()
    }
    found = sorted(type_ for type_ in there if type_ and any(pattern.fullmatch(type_) for pattern in patterns))
    return replace(wanted, types=tuple(found)) if found else None


def _types_of_a_tenant() -> sa.Select[Any]:
    of_tenant = _run.tenant_id == sa.bindparam("p_tenant_id", type_=sa.BigInteger)
    known = sa.select(sa.func.min(_run.type).label("type")).where(of_tenant).cte("known", recursive=True)
    following = sa.select(sa.func.min(_run.type)).where(of_tenant, _run.type > known.c.type).correlate(known)
    known = known.union_all(sa.select(following.scalar_subquery()).where(known.c.type.is_not(None)))
    return sa.select(known.c.type)


_TYPES = _types_of_a_tenant()


def attempts(connection: sa.Connection, run: Run, limit: int = 20) -> tuple[Run, ...]:
    """The run, what it retries, back to the first, and what retries it; oldest first. Only within the run's tenant."""
    chain = sa.select(_run.id, _run.retry_of_id).where(_run.id == run.id).cte("chain", recursive=True)
    chain = chain.union_all(sa.select(_run.id, _run.retry_of_id).join(chain, _run.id == chain.c.retry_of_id))
    family = sa.or_(_run.id.in_(sa.select(chain.c.id)), _run.retry_of_id == run.id)
    query = sa.select(*run_columns(context=False)).join(tenants, tenants.c.id == _run.tenant_id)
    query = query.where(family, _run.tenant_id == run.tenant_id).order_by(_run.id.desc()).limit(limit)
    return tuple(reversed([run_from(dict(row)) for row in connection.execute(query).mappings()]))
