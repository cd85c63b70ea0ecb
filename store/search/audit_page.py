"""Pages of the audit trail: newest first, bounded, and only what the user may see.

A user sees the events of the tenants that they are a member of, whatever their role, and what they did themselves. Events that
concern no single tenant (users, the queue's pauses) are for those who own a tenant, as what they tell is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from store.errors import NotFound
from store.model.tables import audit_events, tenants, users
from store.model.types import at_most
from store.people.access import Membership, Role
from store.people.audit import AuditEvent, event_columns, event_from
from store.search.audit_filter import AuditWanted
from store.search.predicates import instant_of, like
from store.search.resolve import users_named

#: The maximum number of events that are tested with what no index serves, in all ranges together.
SCAN: Final = 3_000
#: With more tenants, their events are found along the whole trail, within that bound.
MOST_RANGES: Final = 200
#: The maximum of a page.
MOST: Final = 1_000

_event = audit_events.c
_OF_NO_TENANT: Final = _event.tenant_id.is_(None)
Conditions = list[sa.ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Events, newest first."""

    wanted: AuditWanted
    events: tuple[AuditEvent, ...] = ()
    #: The `before` of the page after this one; None at the end.
    next_before: int | None = None
    #: When the oldest event was made that was looked at, if the search ended there: older ones may match, too.
    looked_back_to: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class _End:
    """The oldest event that is looked at."""

    id: int
    at: dt.datetime
    #: Whether older ones may match; not if they are older than what is wanted.
    goes_on: bool


def read(
    connection: sa.Connection, of: Sequence[Membership], user_id: int, wanted: AuditWanted | None
) -> AuditPage | None:
    """The page; None if none is wanted, or a tenant is named that is not among the memberships."""
    try:
        return None if wanted is None else page(connection, of, user_id, wanted)
    except NotFound:
        return None


def page(connection: sa.Connection, of: Sequence[Membership], user_id: int, wanted: AuditWanted) -> AuditPage:
    """The page. Raises NotFound for a tenant that is not among the memberships."""
    ranges = _ranges(of, user_id, wanted)
    if not ranges:
        return AuditPage(wanted)
    tested = _tested(connection, wanted)
    if len(ranges) > MOST_RANGES:
        ranges, tested = [[]], [*tested, sa.or_(*(sa.and_(*one) for one in ranges))]
    if wanted.runs:
        # Along the index of runs: a run has few events.
        visible = sa.or_(*(sa.and_(*one) for one in ranges)) if ranges != [[]] else sa.true()
        ranges, tested = [[_event.run_id.in_(wanted.runs)]], [*tested, visible]
    limit = max(1, min(MOST, wanted.limit))
    end = _end_of_scan(connection, ranges, wanted) if tested else None
    bound = [] if end is None else [_event.id >= end.id]
    parts = [_along(one, wanted, audit_events).where(*tested, *bound).limit(at_most(limit + 1)) for one in ranges]
    found = sa.union_all(*(sa.select(part.subquery()) for part in parts)).subquery("found")
    query = sa.select(*event_columns(found)).select_from(found)
    query = query.outerjoin(tenants, tenants.c.id == found.c.tenant_id).outerjoin(users, users.c.id == found.c.user_id)
    rows = connection.execute(query.order_by(found.c.id.desc()).limit(at_most(limit + 1))).all()
    return _page_of([event_from(row) for row in rows], limit, end, wanted)


def _page_of(found: list[AuditEvent], limit: int, end: _End | None, wanted: AuditWanted) -> AuditPage:
    if len(found) > limit:
        return AuditPage(wanted, tuple(found[:limit]), found[limit - 1].id)
    if end is None or not end.goes_on:
        return AuditPage(wanted, tuple(found))
    return AuditPage(wanted, tuple(found), end.id, end.at)


def _ranges(of: Sequence[Membership], user_id: int, wanted: AuditWanted) -> list[Conditions]:
    """The stretches of the index that the user may see: a tenant each, and what concerns no single one."""
    slugs = {one.tenant.slug for one in of}
    unknown = {*wanted.tenants, *wanted.exclude.tenants, *([wanted.within] if wanted.within else [])} - slugs
    if unknown:
        raise NotFound(f"no tenant '{min(unknown)}'", "'opsmon tenants list' shows yours")
    chosen = (set(wanted.tenants) or slugs) - set(wanted.exclude.tenants)
    if wanted.within:
        chosen &= {wanted.within}
    ranges: list[Conditions] = [[_event.tenant_id == one.tenant.id] for one in of if one.tenant.slug in chosen]
    if not wanted.tenants and not wanted.within:
        is_owner = any(one.role is Role.OWNER for one in of)
        ranges.append([_OF_NO_TENANT, *([] if is_owner else [_event.user_id == user_id])])
    return ranges


def _tested(connection: sa.Connection, wanted: AuditWanted) -> Conditions:
    """What no index serves."""
    tested: Conditions = []
    without = wanted.exclude
    if wanted.by:
        tested.append(_is_by(connection, wanted.by))
    if without.by:
        tested.append(sa.not_(_is_by(connection, without.by)))
    if wanted.actions:
        tested.append(_is_one_of(wanted.actions))
    if without.actions:
        tested.append(sa.not_(_is_one_of(without.actions)))
    if without.runs:
        tested.append(sa.or_(_event.run_id.is_(None), _event.run_id.not_in(without.runs)))
    if wanted.since is not None:
        tested.append(_event.at > instant_of(wanted.since))
    return tested


def _is_by(connection: sa.Connection, globs: tuple[str, ...]) -> sa.ColumnElement[bool]:
    """Whether the event's user, or the login of one who is no user, matches. True or false, never NULL: it may be negated."""
    ids = [id_ for id_ in users_named(connection, globs) if id_ is not None]
    logins = [like(sa.func.lower(_event.login), one) for one in globs]
    return sa.or_(*logins, sa.func.coalesce(_event.user_id, -1).in_(ids))


def _is_one_of(globs: tuple[str, ...]) -> sa.ColumnElement[bool]:
    return sa.or_(*(like(_event.action, one) for one in globs))


def _along(range_: Conditions, wanted: AuditWanted, *columns: Any) -> sa.Select[Any]:
    query = sa.select(*columns).where(*range_)
    if wanted.before is not None:
        query = query.where(_event.id < wanted.before)
    # PostgreSQL takes IS NULL for no equality when it matches an order to an index: without the first key it would walk the trail.
    first = [_event.tenant_id.desc()] if range_ and range_[0] is _OF_NO_TENANT else []
    return query.order_by(*first, _event.id.desc())


def _end_of_scan(connection: sa.Connection, ranges: Sequence[Conditions], wanted: AuditWanted) -> _End | None:
    """The newest of the events at which the ranges have used up their shares of SCAN; None if none has."""
    share = max(1, SCAN // len(ranges))
    goes_on = sa.true() if wanted.since is None else _event.at > instant_of(wanted.since)
    columns = _event.id, _event.at, goes_on.label("goes_on")
    ends = [_along(one, wanted, *columns).offset(at_most(share)).limit(at_most(1)) for one in ranges]
    rows = connection.execute(sa.union_all(*(sa.select(one.subquery()) for one in ends))).all()
    return max((_End(int(row[0]), row[1], bool(row[2])) for row in rows), key=lambda end: end.id, default=None)
