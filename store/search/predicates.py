"""The conditions of a query plan as SQL."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa

from store.model.json_columns import any_of
from store.model.records import UNREADABLE
from store.model.tables import operation_runs
from store.model.types import UtcTime, seconds_ago
from store.search.filter import LONGEST_VALUE, TimeBound
from store.search.globs import MOST_STARS
from store.search.plan import ALL, IndexRange, QueryPlan

_run = operation_runs.c

#: Words that JSON writes as they are.
_AS_IN_JSON: Final = re.compile(r"[a-z0-9 .,:;/_-]+")


def index_conditions(found: QueryPlan, part: IndexRange) -> list[sa.ColumnElement[bool]]:
    """What an index knows of this part."""
    conditions = [_run.tenant_id == part.tenant_id, _run.created_at > _instant(found.since)]
    if found.before is not None:
        conditions.append(_run.created_at < _instant(found.before))
    if part.outcome is not None:
        conditions.append(_run.outcome == part.outcome.value)
    if part.user is not None:
        conditions.append(_run.user_id.is_(None) if part.user[0] is None else _run.user_id == part.user[0])
    if part.type is not None:
        conditions.append(_run.type == part.type)
    if part.failures:
        conditions.append(_run.failure_summary.is_not(None))
    if found.ids:
        conditions.append(_run.id.in_(found.ids))
    if found.retry_of:
        conditions.append(_run.retry_of_id.in_(found.retry_of))
    return conditions


def residual_conditions(found: QueryPlan) -> Iterator[sa.ColumnElement[bool]]:
    """What is asked of each run on the way."""
    if found.statuses:
        yield _run.status.in_([status.value for status in found.statuses])
    if found.outcomes != ALL:
        yield _run.outcome.in_([outcome.value for outcome in found.outcomes])
    if found.users is not None:
        yield _is_by(found.users)
    if found.types is not None:
        yield _run.type.in_(found.types)
    if found.codes:
        yield _has_code(found.codes)
    yield from (_says(word) for word in found.words)
    yield from _not_asked_for(found)


def _not_asked_for(found: QueryPlan) -> Iterator[sa.ColumnElement[bool]]:
    without = found.without
    if found.without_users:
        yield sa.not_(_is_by(found.without_users))
    if without.codes:
        yield sa.not_(_has_code(without.codes))
    if without.ids:
        yield _run.id.not_in(without.ids)
    if without.retry_of:
        yield sa.or_(_run.retry_of_id.is_(None), _run.retry_of_id.not_in(without.retry_of))
    yield from (sa.not_(_says(word)) for word in without.words)


def _is_by(initiators: tuple[int | None, ...]) -> sa.ColumnElement[bool]:
    ids = [id_ for id_ in initiators if id_ is not None]
    return sa.func.coalesce(_run.user_id, -1).in_([*ids, *([-1] if None in initiators else [])])


def _has_code(globs: tuple[str, ...]) -> sa.ColumnElement[bool]:
    return any_of(_run.failure_summary, "code", lambda code: sa.or_(*(like(code, glob) for glob in globs)))


def like(column: sa.ColumnElement[str], glob: str) -> sa.ColumnElement[bool]:
    """Whether the text is as the glob says; what no filter can be is taken as it is (a code that is in the database)."""
    if "*" not in glob or glob.count("*") > MOST_STARS or len(glob) > LONGEST_VALUE:
        return column == glob
    escaped = re.sub(r"([\\%_])", r"\\\1", glob).replace("*", "%")
    return column.like(escaped, escape="\\")


def _says(word: str) -> sa.ColumnElement[bool]:
    """The word is in the initiator's name, the operation or a failure, whatever the letters' case."""

    def holds(text: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        return sa.func.lower(text).contains(word, autoescape=True)

    failure = sa.or_(*(any_of(_run.failure_summary, key, holds) for key in ("message", "code")))
    if _AS_IN_JSON.fullmatch(word) and word not in UNREADABLE:
        # Most failures are out of the question before they are unfolded.
        failure = sa.and_(holds(sa.cast(_run.failure_summary, sa.Text)), failure)
    named = _run.initiator_name + " \n" + _run.type + " \n" + sa.func.coalesce(_run.label, "")
    return sa.or_(holds(named), sa.and_(_run.failure_summary.is_not(None), failure))


def _instant(when: TimeBound) -> sa.ColumnElement[dt.datetime]:
    if isinstance(when, dt.datetime):
        return sa.literal(when, UtcTime)
    return seconds_ago(sa.literal(when.total_seconds(), sa.Float))
