"""The cached directory of a tenant: groups as delta rounds bring them, without members.

A round brings only what changed, so silence means nothing: a group is removed when a round says so, or when a complete
round did not bring it. Removed groups keep their last name for 90 days, for backups that refer to them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from store.db.engine import Database
from store.intune.folding import words_of
from store.intune.inventory import storable
from store.model.tables import directory_group_words, directory_groups, directory_state
from store.model.types import now_after, seconds_ago, utcnow

_group = directory_groups.c
_state = directory_state.c
_word = directory_group_words.c

#: Days until a removed group is forgotten.
KEPT_DAYS: Final = 90
#: Graph ends a delta link after 7 days (directory objects); a day before, a complete round is due.
LINK_DAYS: Final = 6
#: Properties of a group in Graph, and the columns that hold them.
PROPERTIES: Final[Mapping[str, str]] = {
    "displayName": "display_name",
    "description": "description",
    "groupTypes": "group_types",
    "securityEnabled": "security_enabled",
    "mailEnabled": "mail_enabled",
    "membershipRule": "membership_rule",
    "onPremisesSyncEnabled": "synced",
}
_FLAGS: Final = frozenset({"security_enabled", "mail_enabled", "synced"})


@dataclass(frozen=True, slots=True)
class DirectoryState:
    """How far the cache of a tenant is."""

    #: Where the next round goes on; empty if it has to begin from the beginning.
    link: str = ""
    #: Number of rounds that began from the beginning.
    round: int = 0
    #: The end of the last round; None if there was none.
    read_at: dt.datetime | None = None
    #: The end of the last complete round.
    complete_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What a page changed: numbers of groups that are there, and of groups that were removed."""

    there: int = 0
    removed: int = 0

    def __add__(self, other: Changes) -> Changes:
        return Changes(self.there + other.there, self.removed + other.removed)


def state(db: Database, tenant_id: int) -> DirectoryState:
    """How far the cache is. A link that is older than LINK_DAYS is left out."""
    with db.read_one() as connection:
        return read_state(connection, tenant_id)


def read_state(connection: sa.Connection, tenant_id: int) -> DirectoryState:
    """The same within a transaction."""
    fresh = _state.delta_link_at > seconds_ago(LINK_DAYS * 86_400)
    link = sa.case((fresh, _state.delta_link))
    query = sa.select(link, _state.round, _state.read_at, _state.complete_at).where(_state.tenant_id == tenant_id)
    row = connection.execute(query).one_or_none()
    return DirectoryState() if row is None else DirectoryState(row[0] or "", row[1], row[2], row[3])


def begin_round(db: Database, tenant_id: int, run_id: int) -> int:
    """Begin from the beginning: forget the link. Returns the number of the round, for `apply` and `end_round`."""
    new = postgresql.insert(directory_state).values(tenant_id=tenant_id, round=1, run_id=run_id)
    begun = {"round": _state.round + 1, "delta_link": None, "delta_link_at": None, "run_id": run_id}
    statement = new.on_conflict_do_update(index_elements=["tenant_id"], set_=begun).returning(_state.round)
    with db.write() as connection:
        return int(connection.execute(statement).scalar_one())


def apply(db: Database, tenant_id: int, round_: int, page: Sequence[Mapping[str, Any]]) -> Changes:
    """Take over a page of a round, in one transaction. A property that is absent did not change; of an object that comes
    twice the last counts.
    """
    merged: dict[str, dict[str, Any]] = {}
    for item in page:
        if id_ := str(item.get("id") or ""):
            earlier = merged.get(id_, {})
            # Removed and there again, or the other way round: what came last counts alone.
            apart = "@removed" in item or "@removed" in earlier
            merged[id_] = dict(item) if apart else {**earlier, **item}
    removed = {id_: item for id_, item in merged.items() if "@removed" in item}
    there = {id_: item for id_, item in merged.items() if id_ not in removed}
    with db.write() as connection:
        _put(connection, tenant_id, round_, there)
        gone = _remove(connection, tenant_id, removed)
    return Changes(len(there), gone)


def _put(connection: sa.Connection, tenant_id: int, round_: int, there: Mapping[str, Mapping[str, Any]]) -> None:
    if not there:
        return
    known = connection.execute(
        sa.select(_group.group_id, _group.id, *(_group[column] for column in PROPERTIES.values()))
        .where(_group.tenant_id == tenant_id, _group.group_id.in_(there))
        .order_by(_group.id)
        .with_for_update()
    )
    before = {row.group_id: row for row in known}
    rows = [_values(tenant_id, round_, id_, there[id_], before.get(id_)) for id_ in sorted(there)]
    new = postgresql.insert(directory_groups)
    changed: dict[str, Any] = {name: new.excluded[name] for name in PROPERTIES.values()}
    # Never back: a run that was given up for lost may still write, and the later one would take the group for unseen.
    later = new.excluded.seen_round > _group.seen_round
    changed["seen_round"] = sa.case((later, new.excluded.seen_round), else_=_group.seen_round)
    changed |= {"changed_at": now_after(_group.changed_at), "removed_at": sa.null(), "removed_reason": sa.null()}
    connection.execute(new.on_conflict_do_update(index_elements=["tenant_id", "group_id"], set_=changed), rows)
    renamed = [
        row["group_id"]
        for row in rows
        if row["group_id"] not in before or before[row["group_id"]].display_name != row["display_name"]
    ]
    if renamed:
        _index_names(connection, tenant_id, renamed)


def _values(
    tenant_id: int, round_: int, id_: str, item: Mapping[str, Any], before: sa.Row[Any] | None
) -> dict[str, Any]:
    old = {column: getattr(before, column) if before is not None else None for column in PROPERTIES.values()}
    new = {column: item[name] for name, column in PROPERTIES.items() if name in item}
    values = {**old, **new}
    values |= {flag: bool(values[flag]) for flag in _FLAGS}
    values["display_name"] = id_ if values["display_name"] is None else str(values["display_name"])
    values["group_types"] = values["group_types"] if isinstance(values["group_types"], list) else []
    return {"tenant_id": tenant_id, "group_id": id_, "seen_round": round_, **storable(values)}


def _index_names(connection: sa.Connection, tenant_id: int, group_ids: Sequence[str]) -> None:
    rows = connection.execute(
        sa.select(_group.id, _group.display_name)
        .where(_group.tenant_id == tenant_id, _group.group_id.in_(group_ids))
        .order_by(_group.id)
    ).all()
    connection.execute(sa.delete(directory_group_words).where(_word.group_row_id.in_([row.id for row in rows])))
    words = [
        {"tenant_id": tenant_id, "word": word, "group_row_id": row.id}
        for row in rows
        for word in words_of(row.display_name)
    ]
    if words:
        connection.execute(sa.insert(directory_group_words), words)


def _remove(connection: sa.Connection, tenant_id: int, removed: Mapping[str, Mapping[str, Any]]) -> int:
    """Mark groups as removed. Groups that were never known are left out. Returns how many were there before."""
    gone = 0
    for reason in ("changed", "deleted"):
        ids = [id_ for id_, item in removed.items() if _reason(item) == reason]
        if ids:
            change = sa.update(directory_groups).where(
                _group.tenant_id == tenant_id, _group.group_id.in_(ids), _group.removed_at.is_(None)
            )
            gone += connection.execute(change.values(removed_at=utcnow(), removed_reason=reason)).rowcount
    return gone


def _reason(item: Mapping[str, Any]) -> str:
    removed = item["@removed"]
    return "changed" if isinstance(removed, Mapping) and removed.get("reason") == "changed" else "deleted"


def end_round(db: Database, tenant_id: int, run_id: int, round_: int, link: str, *, complete: bool) -> int:
    """Keep the link of a round that came to its end. After a `complete` one, what it did not bring is removed.

    Returns how many groups were removed for that reason.
    """
    now: dict[str, Any] = {"delta_link": link, "delta_link_at": utcnow(), "read_at": utcnow(), "run_id": run_id}
    if complete:
        now["complete_at"] = utcnow()
    unseen = (_group.tenant_id == tenant_id, _group.seen_round < round_, _group.removed_at.is_(None))
    with db.write() as connection:
        # A run that was given up for lost, and comes back, must not put its link over that of a later one.
        kept = connection.execute(
            sa.update(directory_state)
            .where(_state.tenant_id == tenant_id, _state.round == round_, _state.run_id <= run_id)
            .values(**now)
        ).rowcount
        if not (kept and complete):
            return 0
        change = sa.update(directory_groups).where(*unseen).values(removed_at=utcnow(), removed_reason="unseen")
        return connection.execute(change).rowcount


def purge(db: Database, tenant_id: int, days: int = KEPT_DAYS) -> int:
    """Forget groups that were removed more than `days` ago. Returns how many."""
    old = sa.delete(directory_groups).where(
        _group.tenant_id == tenant_id, _group.removed_at < seconds_ago(days * 86_400)
    )
    with db.write() as connection:
        return connection.execute(old).rowcount
