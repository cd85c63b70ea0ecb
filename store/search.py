"""From a filter to SQL: what drives the walk along an index, and what is asked of each run that is met on the way.

A list is the union of ordered walks ("parts"), each along one index: an IN would make the database sort, or walk, everything.
Tenants, initiators, types and outcomes drive. What no index knows (words, failure codes, negations) is asked of the runs on the
way, and of no more than SCAN of them: how far back that was is part of the answer. So no filter costs more than a bounded walk.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from store.access import SYSTEM, Membership
from store.errors import NotFound
from store.filters import LONGEST_VALUE, RunFilter, Values, When
from store.globs import MOST_STARS, matches
from store.jsonlists import any_of
from store.records import UNREADABLE, Outcome, Status
from store.tables import operation_runs, users
from store.types import UtcTime, seconds_ago

_run = operation_runs.c

#: At most so many runs are looked at for what no index knows.
SCAN: Final = 1_500
#: Of these, when words are looked for in them: that takes longer.
SCAN_FOR_WORDS: Final = 300
#: More parts than this are not worth their planning; the filter is then asked of each run on the way.
MAX_PARTS: Final = 200
ALL: Final = tuple(Outcome)
NOTHING: Final = Values()
_ACTIVE: Final = frozenset((Status.QUEUED, Status.RUNNING))


@dataclass(frozen=True, slots=True)
class Part:
    """One walk: a tenant's runs, those of one initiator or of one type, with one outcome, or any (None)."""

    tenant_id: int
    outcome: Outcome | None = None
    #: (None,) is the system.
    user: tuple[int | None] | None = None
    type: str | None = None
    #: Only runs with failures.
    failures: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """A filter with every name looked up. The same for every poll, so that its statements can be kept."""

    parts: tuple[Part, ...]
    since: When
    before: When | None = None
    ids: tuple[int, ...] = ()
    retry_of: tuple[int, ...] = ()
    #: What is asked of each run on the way.
    outcomes: tuple[Outcome, ...] = ALL
    statuses: tuple[Status, ...] = ()
    users: tuple[int | None, ...] | None = None
    types: tuple[str, ...] | None = None
    codes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    without: Values = NOTHING
    without_users: tuple[int | None, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether there is anything to ask of each run on the way: then the walk has a bound."""
        asked = (self.statuses, self.codes, self.words, self.without_users, self.without != NOTHING)
        return any(asked) or self.users is not None or self.types is not None or self.outcomes != ALL

    @property
    def scan(self) -> int:
        """How many runs are looked at, at most, for what no index knows."""
        return min(SCAN, SCAN_FOR_WORDS) if self.words or self.without.words else SCAN

    def with_outcomes(self, outcomes: Iterable[Outcome]) -> Search:
        """Narrowed to these outcomes, each with its parts."""
        chosen = tuple(outcomes)
        parts = {
            replace(part, outcome=outcome)
            for part in self.parts
            for outcome in chosen
            if part.outcome in (None, outcome) and outcome in self.outcomes
        }
        return replace(self, parts=tuple(sorted(parts, key=repr)), outcomes=ALL)


def search(connection: sa.Connection, of: Sequence[Membership], user_id: int, wanted: RunFilter) -> Search | None:
    """Look up what the filter names. None when no run can match. Raises NotFound for a tenant that is not one of `of`."""
    within = _within(of, wanted)
    outcomes = _outcomes(wanted)
    initiators = _initiators(connection, user_id, wanted)
    types = _types(connection, within, wanted)
    if not within or not outcomes or initiators == () or types == ():
        return None
    found = Search(
        parts=(),
        since=wanted.since,
        before=wanted.before,
        ids=wanted.ids,
        retry_of=wanted.retry_of,
        statuses=_asked_statuses(wanted),
        codes=wanted.codes,
        words=wanted.words,
        without=_asked(wanted.unwanted),
        without_users=_users(connection, user_id, wanted.unwanted) or (),
    )
    return _driven(found, within, outcomes, initiators, types)


def _driven(
    found: Search,
    within: tuple[int, ...],
    outcomes: tuple[Outcome, ...],
    initiators: tuple[int | None, ...] | None,
    types: tuple[str, ...] | None,
) -> Search:
    """With the parts of the narrowest index that there is; what that one does not know is asked on the way."""
    if initiators is not None and len(within) * len(outcomes) * len(initiators) <= MAX_PARTS:
        parts = [Part(t, o, (u,)) for t, o, u in itertools.product(within, outcomes, initiators)]
        return replace(found, parts=tuple(parts), types=types)
    if initiators is None and types is not None and len(within) * len(outcomes) * len(types) <= MAX_PARTS:
        parts = [Part(t, o, type=type_) for t, o, type_ in itertools.product(within, outcomes, types)]
        return replace(found, parts=tuple(parts))
    if found.codes and len(within) * len(outcomes) <= MAX_PARTS:
        parts = [Part(t, o, failures=True) for t, o in itertools.product(within, outcomes)]
        return replace(found, parts=tuple(parts), users=initiators, types=types)
    if len(outcomes) < len(ALL) and len(within) * len(outcomes) <= MAX_PARTS:
        parts = [Part(t, o) for t, o in itertools.product(within, outcomes)]
        return replace(found, parts=tuple(parts), users=initiators, types=types)
    parts = [Part(t) for t in within]
    return replace(found, parts=tuple(parts), users=initiators, types=types, outcomes=outcomes)


def _within(of: Sequence[Membership], wanted: RunFilter) -> tuple[int, ...]:
    """The ids of the tenants that are wanted."""
    known = {member.tenant.slug for member in of}
    unknown = (set(wanted.tenants) | set(wanted.unwanted.tenants)) - known
    if unknown:
        raise NotFound(f"no tenant '{min(unknown)}'", "'opsmon tenants list' shows yours")
    chosen = (set(wanted.tenants) or known) - set(wanted.unwanted.tenants)
    if wanted.within is not None:
        chosen &= {wanted.within}
    return tuple(member.tenant.id for member in of if member.tenant.slug in chosen)


def _outcomes(wanted: RunFilter) -> tuple[Outcome, ...]:
    statuses = _statuses(wanted)
    possible = set(wanted.outcomes or ALL) - set(wanted.unwanted.outcomes)
    if not statuses & _ACTIVE:
        possible.discard(Outcome.PENDING)
    if Status.COMPLETED not in statuses:
        possible &= {Outcome.PENDING}
    return tuple(outcome for outcome in ALL if outcome in possible)


def _statuses(wanted: RunFilter) -> frozenset[Status]:
    return frozenset(wanted.statuses or Status) - set(wanted.unwanted.statuses)


def _asked_statuses(wanted: RunFilter) -> tuple[Status, ...]:
    """The outcome tells the completed ones from the others; which of the others, it does not."""
    statuses = _statuses(wanted)
    return tuple(sorted(statuses)) if len(statuses & _ACTIVE) == 1 else ()


def _asked(unwanted: Values) -> Values:
    """What of the unwanted has to be asked of each run: the rest narrows what drives."""
    return replace(unwanted, statuses=(), outcomes=(), types=(), tenants=(), by=(), mine=False)


# -- names that are looked up ---------------------------------------------------------------------------------------------


def _initiators(connection: sa.Connection, user_id: int, wanted: RunFilter) -> tuple[int | None, ...] | None:
    """The ids of who is wanted; None when anybody is, () when nobody is both."""
    return _users(connection, user_id, wanted)


def _users(connection: sa.Connection, user_id: int, values: Values) -> tuple[int | None, ...] | None:
    """The ids behind `by:` and `mine`, the system's being None."""
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
    globs, unwanted = wanted.types, wanted.unwanted.types
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


#: Words that JSON writes as they are.
_AS_IN_JSON: Final = re.compile(r"[a-z0-9 .,:;/_-]+")


def _types_of_a_tenant() -> sa.Select[Any]:
    of_tenant = _run.tenant_id == sa.bindparam("p_tenant_id", type_=sa.BigInteger)
    known = sa.select(sa.func.min(_run.type).label("type")).where(of_tenant).cte("known", recursive=True)
    following = sa.select(sa.func.min(_run.type)).where(of_tenant, _run.type > known.c.type).correlate(known)
    known = known.union_all(sa.select(following.scalar_subquery()).where(known.c.type.is_not(None)))
    return sa.select(known.c.type)


_TYPES: Final = _types_of_a_tenant()


# -- conditions -----------------------------------------------------------------------------------------------------------


def driving(found: Search, part: Part) -> list[sa.ColumnElement[bool]]:
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


def asking(found: Search) -> Iterator[sa.ColumnElement[bool]]:
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


def _not_asked_for(found: Search) -> Iterator[sa.ColumnElement[bool]]:
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


def _instant(when: When) -> sa.ColumnElement[dt.datetime]:
    if isinstance(when, dt.datetime):
        return sa.literal(when, UtcTime)
    return seconds_ago(sa.literal(when.total_seconds(), sa.Float))
