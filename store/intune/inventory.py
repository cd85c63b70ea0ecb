"""The inventory of policies: stores what a sync has seen, and marks the rest as missing."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from store.db.engine import Database
from store.model.tables import operation_runs, policies
from store.model.types import BigId, among, now_after

_policy = policies.c


@dataclass(frozen=True, slots=True)
class SeenPolicy:
    """A policy as read from Microsoft Graph."""

    #: Its id in Microsoft Graph.
    external_id: str
    name: str
    description: str | None
    #: What a list shows of it, as JSON.
    body: Mapping[str, Any]
    #: Its last change, as Microsoft Graph reports it.
    modified_at: dt.datetime | None
    #: Such as `windows10`; None if it has none.
    platform: str | None = None


#: A policy's kind and external id.
Key = tuple[str, str]
#: Policies by kind.
ByKind = Mapping[str, Sequence[SeenPolicy]]


def upsert(db: Database, tenant_id: int, run_id: int, seen: ByKind, complete: Collection[str] = ()) -> Counter[str]:
    """Insert or update policies, in one transaction. They are no longer marked as missing.

    `complete` are the kinds that the run has now read whole: see `mark_missing`, whose numbers are returned.
    """
    with db.write() as connection:
        put(connection, tenant_id, run_id, seen)
        return mark_missing(connection, tenant_id, run_id, complete)


def put(connection: sa.Connection, tenant_id: int, run_id: int, seen: ByKind) -> dict[Key, int]:
    """Insert or update policies, within a transaction of the caller's. Returns the ids of those that were there before."""
    values = [_values(tenant_id, run_id, kind, policy) for kind, policies_ in seen.items() for policy in policies_]
    latest = {(row["kind"], row["external_id"]): row for row in values}
    # In a fixed order, so that two runs that read the same kind cannot deadlock.
    rows = {key: latest[key] for key in sorted(latest)}
    there = find(connection, tenant_id, rows, _policy.listed_hash)
    # Most are as they were. To write them again would cost more than all the rest, and a database its space.
    same = {key for key, row in there.items() if row.listed_hash == rows[key]["listed_hash"]}
    if same:
        again = {"last_seen_at": _seen_now(run_id), "missing_since": sa.null()}
        ids = [there[key].id for key in same]
        connection.execute(sa.update(policies).where(among(_policy.id, ids)).values(**again))
    if changed := [row for key, row in rows.items() if key not in same]:
        # executemany: one statement with all rows would be compiled again for every page.
        connection.execute(_upsert(), [{**row, "run": run_id} for row in changed])
    return {key: row.id for key, row in there.items()}


def find(
    connection: sa.Connection, tenant_id: int, keys: Collection[Key], *columns: sa.ColumnElement[Any]
) -> dict[Key, sa.Row[Any]]:
    """Rows of policies by kind and external id, with `id` and these columns, locked until the transaction ends."""
    if not keys:
        return {}
    kinds, ids = {kind for kind, _ in keys}, {id_ for _, id_ in keys}
    query = (
        sa.select(_policy.id, _policy.kind, _policy.external_id, *columns)
        # Two short lists are planned much faster than one of pairs.
        .where(_policy.tenant_id == tenant_id, among(_policy.kind, kinds), among(_policy.external_id, ids))
        .order_by(_policy.kind, _policy.external_id)
        .with_for_update()
    )
    found = {(row.kind, row.external_id): row for row in connection.execute(query)}
    return {key: row for key, row in found.items() if key in keys}


def _seen_now(run_id: int | sa.BindParameter[int]) -> sa.ColumnElement[dt.datetime]:
    """When the run sees a policy again: never before the run started, even if the clock was set back meanwhile."""
    started = sa.select(operation_runs.c.started_at).where(operation_runs.c.id == run_id).scalar_subquery()
    before_it = _policy.last_seen_at < started
    return now_after(sa.case((before_it, started), else_=_policy.last_seen_at))


@functools.cache
def _upsert() -> postgresql.Insert:
    new = postgresql.insert(policies)
    changed: dict[str, Any] = {name: new.excluded[name] for name in _CHANGING}
    changed |= {"last_seen_at": _seen_now(sa.bindparam("run", type_=BigId)), "missing_since": sa.null()}
    return new.on_conflict_do_update(index_elements=["tenant_id", "kind", "external_id"], set_=changed)


#: What can differ from one sync to the next, and what goes with it.
_CHANGING: Final = ("name", "description", "platform", "body", "modified_at", "listed_hash", "changed_run_id")


def known(db: Database, tenant_id: int, kind: str) -> int:
    """How many policies of a kind the tenant had when it was last read."""
    query = sa.select(sa.func.count()).where(
        _policy.tenant_id == tenant_id, _policy.kind == kind, _policy.missing_since.is_(None)
    )
    with db.read_one() as connection:
        return int(connection.execute(query).scalar_one())


def kinds_of(db: Database, tenant_id: int, external_ids: Collection[str]) -> list[Key]:
    """The policies with these ids, as (kind, external id), missing ones included; unknown ids are left out."""
    ids = {*external_ids, *(id_.lower() for id_ in external_ids)}
    query = sa.select(_policy.kind, _policy.external_id).where(_policy.tenant_id == tenant_id)
    with db.read_one() as connection:
        return [(kind, id_) for kind, id_ in connection.execute(query.where(among(_policy.external_id, ids)))]


def mark_missing(connection: sa.Connection, tenant_id: int, run_id: int, kinds: Collection[str]) -> Counter[str]:
    """Mark the policies of these kinds that no run has seen since this one started; call it once the run has read the whole
    kind.

    Returns how many became missing, by kind. 'No run' rather than 'not this run': another run may read the same kind at the
    same time.
    """
    if not kinds:
        return Counter()
    run = sa.select(operation_runs.c.started_at).where(operation_runs.c.id == run_id).scalar_subquery()
    change = (
        sa.update(policies)
        .where(
            _policy.tenant_id == tenant_id,
            _policy.kind.in_(kinds),
            _policy.last_seen_at < run,
            _policy.missing_since.is_(None),
        )
        .values(missing_since=now_after(_policy.last_seen_at))
        .returning(_policy.kind)
    )
    return Counter(connection.execute(change).scalars())


def _values(tenant_id: int, run_id: int, kind: str, policy: SeenPolicy) -> dict[str, Any]:
    modified = _in_milliseconds(policy.modified_at)
    shown = {
        "external_id": policy.external_id,
        "name": policy.name,
        "description": policy.description,
        "body": policy.body,
        "platform": policy.platform,
    }
    # Turned into text once, as this is done for every policy of every read.
    text = json.dumps(shown)
    if _ODD.search(text):
        shown = _storable(shown)
        text = json.dumps(shown)
    return shown | {
        "tenant_id": tenant_id,
        "kind": kind,
        "modified_at": modified,
        "listed_hash": hashlib.sha256(f"{text} {modified}".encode()).hexdigest(),
        "changed_run_id": run_id,
    }


def _in_milliseconds(instant: dt.datetime | None) -> dt.datetime | None:
    """What both databases hold of an instant: it must equal itself when it is read again."""
    return instant and instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def storable(value: Any) -> Any:
    """`value` without what JSON allows and PostgreSQL cannot store: NUL, lone surrogates, NaN and infinity."""
    # Nearly everything is; the encoder finds out much faster than a walk.
    return _storable(value) if _ODD.search(json.dumps(value)) else value


#: As the encoder writes them, or words that look like them.
_ODD: Final = re.compile(r"\\u0000|\\ud[89a-f]|NaN|Infinity")


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "").encode(errors="replace").decode()
    if isinstance(value, Mapping):
        return {_storable(key): _storable(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return [_storable(item) for item in value] if isinstance(value, list) else value
