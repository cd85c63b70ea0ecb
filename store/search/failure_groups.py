"""Groups failed runs by operation and failure code: what fails, how often, first when and last when."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from store.errors import NotFound
from store.model.json_columns import json_elements, told
from store.model.records import Outcome
from store.model.tables import operation_runs
from store.model.types import at_most
from store.people.access import Membership
from store.search import keyset, tabs
from store.search.filter import RunFilter
from store.search.keyset import Cursor
from store.search.plan import QueryPlan
from store.search.predicates import like
from store.search.resolve import resolve_filter

_run = operation_runs.c

#: The maximum number of failed runs that are grouped, the newest.
GROUPED: Final = 5_000
#: The maximum number of groups.
MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Group:
    """The failed runs of one type that have this code among their failures. `message` is one of theirs."""

    type: str
    code: str
    count: int
    first_at: dt.datetime
    last_at: dt.datetime
    message: str


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups, the largest first. `scanned_to` is the position back to which runs were read; None for the whole window."""

    groups: tuple[Group, ...] = ()
    scanned_to: Cursor | None = None


def narrow_to(wanted: RunFilter, group: Group) -> RunFilter:
    """The filter narrowed to the runs of a group: without what is acknowledged, unless the filter wants that."""
    of_group = replace(wanted, outcomes=(Outcome.FAILED,), types=(group.type,), codes=(group.code,))
    return tabs.unacknowledged(of_group)


def read(connection: sa.Connection, of: Sequence[Membership], user_id: int, wanted: RunFilter) -> Groups:
    """The groups of the failed runs that match the filter. If the filter names codes, only those codes have groups.

    The runs of a group are the ones that match `narrow_to` of it.
    """
    failed = tabs.on_tab(wanted, "Failed")
    try:
        found = resolve_filter(connection, of, user_id, failed) if failed else None
    except NotFound:
        found = None
    if not found:
        return Groups()
    scanned_to = keyset.scan_limit_at(connection, found, None, scan=GROUPED)
    rows = connection.execute(_query(found, scanned_to is not None), keyset.range_parameters(None, scanned_to))
    return Groups(tuple(Group(*row) for row in rows), scanned_to)


@functools.lru_cache(maxsize=4)
def _query(found: QueryPlan, has_bound: bool) -> sa.Select[Any]:
    columns = (_run.id, _run.type, _run.created_at, _run.failure_summary)
    parts = [keyset.range_query(found, part, False, has_bound, False, *columns) for part in found.ranges]
    failed = sa.union_all(*(sa.select(part.order_by(None).subquery()) for part in parts)).subquery("failed")
    one = json_elements(failed.c.failure_summary).table_valued("value").alias("one")
    code, message = (told(one.c.value, key) for key in ("code", "message"))
    count = sa.func.count(failed.c.id.distinct())
    first_at, last_at = sa.func.min(failed.c.created_at), sa.func.max(failed.c.created_at)
    query = sa.select(failed.c.type, code, count, first_at, last_at, sa.func.max(message))
    query = query.select_from(failed.join(one, sa.true())).group_by(failed.c.type, code)
    if found.codes:
        query = query.where(sa.or_(*(like(code, glob) for glob in found.codes)))
    return query.order_by(count.desc(), failed.c.type, code).limit(at_most(MOST))
