"""Searching the cached directory while somebody types: by the beginnings of words of a group's name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from store.db.engine import Database
from store.intune.folding import words_of
from store.model.records import Count
from store.model.tables import directory_group_words, directory_groups
from store.model.tables.directory import MAX_GROUP_NAME, NAMED
from store.model.types import among

_group = directory_groups.c
_word = directory_group_words.c

#: Rows of the words' index that are counted to find the rarest beginning, and that are looked at in all.
_COUNTED: Final = 2_000
_LOOKED_AT: Final = 20_000
#: Sorts behind every word with the same beginning: a word has no character behind it.
_LAST: Final = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class DirectoryGroup:
    """A cached group."""

    id: int
    #: Its id in the directory.
    group_id: str
    #: As it is in the directory: names are not unique, and may end with a blank.
    name: str
    description: str | None
    #: What it is: some of `microsoft365`, `dynamic` and `synced`, else `assigned`.
    types: tuple[str, ...]
    mail_enabled: bool
    security_enabled: bool
    changed_at: dt.datetime
    #: When it was found to be removed; None while it is there.
    removed_at: dt.datetime | None
    #: By which rule a dynamic group has its members; None if it has none.
    membership_rule: str | None = None
    #: When a round brought it first.
    first_seen_at: dt.datetime | None = None


_COLUMNS: Final[tuple[sa.Column[Any], ...]] = (
    _group.id,
    _group.group_id,
    _group.display_name,
    _group.description,
    _group.group_types,
    _group.synced,
    _group.membership_rule,
    _group.first_seen_at,
    _group.mail_enabled,
    _group.security_enabled,
    _group.changed_at,
    _group.removed_at,
)


def search(connection: sa.Connection, tenant_id: int, text: str, limit: int = 100) -> list[DirectoryGroup]:
    """At most `limit` groups that are there, each word of `text` the beginning of a word of its name, by that word.

    Without a word, groups in the order of their names' words. Looks at a bounded number of names: of two beginnings that
    are both frequent and never meet, it may find less than there is.
    """
    beginnings = words_of(text) or [""]  # accents alone are no word
    rarest = min(beginnings, key=lambda word: _count(connection, tenant_id, word)) if beginnings[1:] else beginnings[0]
    found = _candidates(tenant_id, rarest, [word for word in beginnings if word != rarest], limit)
    ids = list(dict.fromkeys(connection.execute(found).scalars()))[:limit]
    rows = connection.execute(sa.select(*_COLUMNS).where(_group.id.in_(ids)))
    groups = {row.id: _group_from(row) for row in rows}
    return [groups[id_] for id_ in ids if id_ in groups]


@dataclass(frozen=True, slots=True)
class SameName:
    """The groups that are there and have one name."""

    many: int
    #: The one with the first id: the only one, if there are not several.
    group_id: str


def by_names(connection: sa.Connection, tenant_id: int, names: Collection[str]) -> dict[str, SameName]:
    """The groups that are there, by exactly these names: case, accents and outer blanks count. Names that none has are left
    out, and so are names that are longer than Microsoft Graph allows.
    """
    searched = {name for name in names if len(name) <= MAX_GROUP_NAME}
    query = (
        sa.select(_group.display_name, sa.func.count(), sa.func.min(_group.group_id))
        # In the words of the index, which is not used otherwise.
        .where(_group.tenant_id == tenant_id, sa.text(NAMED), among(_group.display_name, searched))
        .group_by(_group.display_name)
    )
    return {name: SameName(many, first) for name, many, first in connection.execute(query)} if searched else {}


def by_group_ids(connection: sa.Connection, tenant_id: int, group_ids: Collection[str]) -> dict[str, DirectoryGroup]:
    """The groups with these ids, removed ones included; unknown ids are left out."""
    query = sa.select(*_COLUMNS).where(_group.tenant_id == tenant_id, among(_group.group_id, group_ids))
    return {row.group_id: _group_from(row) for row in connection.execute(query)}


def names_of(db: Database, tenant_id: int, group_ids: Collection[str]) -> dict[str, str]:
    """The names of the groups with these ids, removed ones included; unknown ids are left out."""
    query = sa.select(_group.group_id, _group.display_name).where(_group.tenant_id == tenant_id)
    with db.read_one() as connection:
        found = connection.execute(query.where(among(_group.group_id, group_ids)))
        return {row.group_id: row.display_name for row in found}


def count(connection: sa.Connection, tenant_id: int, cap: int) -> Count:
    """How many groups are there; beyond `cap` they are not counted."""
    there = sa.select(sa.literal(1)).where(_group.tenant_id == tenant_id, _group.removed_at.is_(None))
    counted = sa.select(sa.func.count()).select_from(there.limit(cap + 1).subquery())
    many = int(connection.execute(counted).scalar_one())
    return Count(min(many, cap), many > cap)


def _starts(tenant_id: int, word: str) -> tuple[sa.ColumnElement[bool], ...]:
    in_tenant = _word.tenant_id == tenant_id
    return (in_tenant, _word.word >= word, _word.word < word + _LAST) if word else (in_tenant,)


def _count(connection: sa.Connection, tenant_id: int, word: str) -> int:
    some = sa.select(sa.literal(1)).where(*_starts(tenant_id, word)).limit(_COUNTED).subquery()
    return int(connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one())


def _candidates(tenant_id: int, rarest: str, others: Sequence[str], limit: int) -> sa.Select[int]:
    """Rows of groups along the index of words, a group once for each of its words that fits."""
    order = (_word.word, _word.group_row_id)
    looked_at = (
        sa.select(_word.word, _word.group_row_id).where(*_starts(tenant_id, rarest)).order_by(*order).limit(_LOOKED_AT)
    ).subquery()
    other = directory_group_words.alias("other")
    fits = [
        sa.exists().where(
            other.c.group_row_id == looked_at.c.group_row_id, other.c.word >= word, other.c.word < word + _LAST
        )
        for word in others
    ]
    return (
        sa.select(looked_at.c.group_row_id)
        .join(directory_groups, _group.id == looked_at.c.group_row_id)
        .where(_group.removed_at.is_(None), *fits)
        .order_by(looked_at.c.word, looked_at.c.group_row_id)
        # A group may stand there once for each of its words.
        .limit(limit * 3)
    )


def _group_from(row: sa.Row[Any]) -> DirectoryGroup:
    known = row.group_types if isinstance(row.group_types, list) else []
    kinds = {"microsoft365": "Unified" in known, "dynamic": "DynamicMembership" in known, "synced": bool(row.synced)}
    types = tuple(name for name, given in kinds.items() if given) or ("assigned",)
    return DirectoryGroup(
        row.id,
        row.group_id,
        row.display_name,
        row.description,
        types,
        bool(row.mail_enabled),
        bool(row.security_enabled),
        row.changed_at,
        row.removed_at,
        row.membership_rule,
        row.first_seen_at,
    )
