"""Backup sets: begun, filled and ended by runs and imports, sealed by what stands on them, removed as a whole.

An item never changes. A set that was not ended says so by having no `completed_at`; a retry of its run goes on with it.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from store.db.engine import Database
from store.errors import InputInvalid, NotFound
from store.intune import content_store
from store.intune.backup_records import BackupItem, BackupKind, NewSet
from store.intune.content_store import Content
from store.intune.inventory import storable
from store.model.tables import IS_ACTIVE, backup_items, backup_set_kinds, backup_sets, operation_runs
from store.model.types import now_after, utcnow

_set = backup_sets.c
_kind = backup_set_kinds.c
_item = backup_items.c

#: Characters of a set's name.
MAX_NAME: Final = 200


def begin(db: Database, tenant_id: int, new: NewSet, run_id: int | None = None, retry_of_id: int | None = None) -> int:
    """Begin a set, and return its id; or go on with the one of the run that is retried, if that is not complete, takes more,
    and was asked for the same: it would be called complete with less, or with something else. Raises DatabaseAway.
    """
    with db.write() as connection:
        if retry_of_id is not None and (found := _unfinished(connection, tenant_id, retry_of_id, new)):
            again = {"run_id": run_id, "completed_at": sa.null()}
            connection.execute(sa.update(backup_sets).where(_set.id == found).values(**again))
            return found
        values = {
            "tenant_id": tenant_id,
            "name": storable(new.name.strip()[:MAX_NAME]).strip() or _instant(connection),
            "source": new.source,
            "initiator_name": new.initiator_name,
            "run_id": run_id,
            "schedule_id": new.schedule_id,
            "selection": storable(dict(new.selection)),
        }
        return int(connection.execute(sa.insert(backup_sets).values(**values).returning(_set.id)).scalar_one())


def _instant(connection: sa.Connection) -> str:
    """The name of a set that nobody named."""
    now: dt.datetime = connection.execute(sa.select(utcnow())).scalar_one()
    return f"{now:%Y-%m-%d %H:%M} UTC"


def _unfinished(connection: sa.Connection, tenant_id: int, run_id: int, new: NewSet) -> int | None:
    failed = sa.exists().where(_kind.set_id == _set.id, _kind.failure_code.is_not(None))
    query = sa.select(_set.id, _set.selection).where(
        _set.tenant_id == tenant_id,
        _set.run_id == run_id,
        _set.sealed_at.is_(None),
        sa.or_(_set.completed_at.is_(None), failed),
    )
    # Locked: it may be about to be removed.
    row = connection.execute(query.order_by(_set.id.desc()).limit(1).with_for_update()).first()
    return row.id if row and row.selection == storable(dict(new.selection)) else None


def take_more(db: Database, tenant_id: int, set_id: int, run_id: int, retry_of_id: int | None = None) -> None:
    """Let a run add to a set that is finished, or to one that the run which it repeats did not finish: nobody else knows what
    the set still lacks, and would call it complete.

    Raises NotFound for a set that the tenant does not have, and InputInvalid if it takes no more, or is not finished.
    """
    with db.write() as connection:
        row = _require_open(connection, tenant_id, set_id)
        if row.completed_at is None and (row.run_id is None or row.run_id != retry_of_id):
            raise _unfinished_set(set_id, row.run_id)
        connection.execute(
            sa.update(backup_sets).where(_set.id == set_id).values(run_id=run_id, completed_at=sa.null())
        )


def _require_open(connection: sa.Connection, tenant_id: int, set_id: int) -> sa.Row[Any]:
    columns: list[sa.Column[Any]] = [_set.sealed_by, _set.completed_at, _set.run_id]
    query = sa.select(*columns).where(_set.id == set_id, _set.tenant_id == tenant_id).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"no backup set {set_id}", "'opsmon backups list' shows them")
    if row.sealed_by is not None:
        raise InputInvalid(f"backup set {set_id} takes no more: {row.sealed_by} stands on it", "make another set")
    return row


def kept(db: Database, set_id: int) -> tuple[dict[str, set[str]], dict[str, BackupKind]]:
    """The external ids that are in a set already, by kind; and the kinds that were looked at."""
    ids: dict[str, set[str]] = defaultdict(set)
    with db.read() as connection:
        for kind, id_ in connection.execute(sa.select(_item.kind, _item.external_id).where(_item.set_id == set_id)):
            ids[kind].add(id_)
        return ids, kinds_of(connection, set_id)


def hashes(db: Database, set_id: int) -> dict[tuple[str, str], str]:
    """The state of each item of a set, by kind and id in lower case: the hashes of its canonical body and of its assignments, with
    a blank between.
    """
    query = sa.select(_item.kind, _item.external_id, _item.canonical_hash, _item.assignments_hash)
    with db.read() as connection:
        rows = connection.execute(query.where(_item.set_id == set_id))
        return {(row.kind, row.external_id.lower()): f"{row.canonical_hash} {row.assignments_hash}" for row in rows}


def kinds_of(connection: sa.Connection, set_id: int) -> dict[str, BackupKind]:
    """How far each kind of a set is, by name."""
    columns = (_kind.kind, _kind.found, _kind.kept, _kind.failure_code, _kind.failure_message, _kind.narrowed)
    rows = connection.execute(sa.select(*columns).where(_kind.set_id == set_id).order_by(_kind.kind))
    return {row.kind: BackupKind(*row) for row in rows}


@dataclass(frozen=True, slots=True)
class SetKinds:
    """When a set was begun, and how far each kind is in it."""

    created_at: dt.datetime
    kinds: Mapping[str, BackupKind]


def of_tenant(connection: sa.Connection, tenant_id: int, set_id: int) -> SetKinds | None:
    """For operations, which have no user: the set if it is the tenant's."""
    query = sa.select(_set.created_at).where(_set.id == set_id, _set.tenant_id == tenant_id)
    row = connection.execute(query).first()
    return SetKinds(row.created_at, kinds_of(connection, set_id)) if row else None


def add(
    db: Database,
    tenant_id: int,
    set_id: int,
    items: Sequence[BackupItem],
    kinds: Iterable[BackupKind] = (),
    *,
    again: bool = False,
) -> None:
    """Add items to a set, in one transaction, and note how far these kinds are. Items that are there stay as they are.

    A kind that was not complete stays so if only some of it were asked for now, and not the same ones `again`: they say
    nothing of what it lacked.

    Raises NotFound and InputInvalid if the set was removed or takes no more, and DatabaseAway.
    """
    with db.write() as connection:
        _require_open(connection, tenant_id, set_id)
        if items:
            content_store.put(connection, {one.content_hash: Content(one.canonical_hash, one.body) for one in items})
            connection.execute(
                postgresql.insert(backup_items).on_conflict_do_nothing(
                    index_elements=["set_id", "kind", "external_id"]
                ),
                [_values(set_id, one) for one in items],
            )
        _note(connection, set_id, kinds, again=again)


def _values(set_id: int, item: BackupItem) -> dict[str, Any]:
    made = {
        "kind": item.kind,
        "external_id": item.external_id,
        "name": item.name,
        "platform": item.platform,
        "assignments": None if item.assignments is None else list(item.assignments),
        "references": [{"kind": one.kind, "id": one.id, "name": one.name} for one in item.references],
        "gaps": [{"code": code, "detail": detail} for code, detail in item.gaps],
    }
    return {
        **storable(made),
        "set_id": set_id,
        "content_hash": item.content_hash,
        "canonical_hash": item.canonical_hash,
        "assignments_hash": item.assignments_hash,
        "completeness": item.completeness,
    }


def _note(connection: sa.Connection, set_id: int, kinds: Iterable[BackupKind], *, again: bool) -> None:
    """Note how far these kinds are. That a few policies of a kind were added does not mend what failed of it before."""
    rows: dict[bool, list[dict[str, Any]]] = {}
    for kind in kinds:
        row = {
            "set_id": set_id,
            "kind": kind.kind,
            "found": kind.found,
            "kept": kind.kept,
            "narrowed": kind.narrowed,
            "failure_code": kind.failure_code,
            "failure_message": kind.failure_message and storable(kind.failure_message),
        }
        rows.setdefault(kind.narrowed and kind.is_complete and not again, []).append(row)
    for keeps_failure, some in rows.items():
        connection.execute(_noted(keeps_failure), some)


@functools.cache
def _noted(keeps_failure: bool) -> postgresql.Insert:
    new = postgresql.insert(backup_set_kinds)
    failure = _kind if keeps_failure else new.excluded
    return new.on_conflict_do_update(
        index_elements=["set_id", "kind"],
        set_={
            "found": new.excluded.found,
            "kept": new.excluded.kept,
            "failure_code": failure.failure_code,
            "failure_message": failure.failure_message,
            # Once all of the kind was asked for, it was.
            "narrowed": sa.and_(_kind.narrowed, new.excluded.narrowed),
        },
    )


def end(db: Database, set_id: int, run_id: int | None = None) -> None:
    """Note that everything that was asked for has been looked at. A run that is given, and is not the last one that writes to
    the set, changes nothing: it was given up for lost, and its retry is not at the end yet.
    """
    with db.write() as connection:
        note_end(connection, set_id, run_id)


def note_end(connection: sa.Connection, set_id: int, run_id: int | None = None) -> None:
    """The same within a transaction."""
    change = sa.update(backup_sets).where(_set.id == set_id)
    if run_id is not None:
        change = change.where(_set.run_id == run_id)
    connection.execute(change.values(completed_at=now_after(_set.created_at)))


def _unfinished_set(set_id: int, run_id: int | None) -> InputInvalid:
    what_to_do = f"wait for run {run_id}, or retry it" if run_id is not None else "make another set"
    return InputInvalid(f"backup set {set_id} is not finished", what_to_do)


def seal(connection: sa.Connection, tenant_id: int, set_id: int, by: str) -> None:
    """Let the set take no more, because of `by` (such as `drift run 12`). Raises NotFound, and InputInvalid for a set that
    is not ended. A set that is sealed stays so, by whom it was.
    """
    row = connection.execute(
        sa.select(_set.completed_at, _set.run_id)
        .where(_set.id == set_id, _set.tenant_id == tenant_id)
        .with_for_update()
    ).first()
    if row is None:
        raise NotFound(f"no backup set {set_id}", "'opsmon backups list' shows them")
    if row.completed_at is None:
        raise _unfinished_set(set_id, row.run_id)
    unsealed = sa.update(backup_sets).where(_set.id == set_id, _set.sealed_at.is_(None))
    connection.execute(unsealed.values(sealed_at=utcnow(), sealed_by=by))


def keep_last(db: Database, schedule_id: int, number: int) -> int:
    """Remove the sets of a schedule that are older than its newest `number` complete ones; returns how many.

    A set that is not complete counts for none: it must not push out a good one. Of those, as many stay as are newest: where
    a kind is refused night after night, none is ever complete. What something stands on stays. So does a set that a run
    still writes to, such as one that is retried: the next backup removes it.
    """
    failed = sa.exists().where(_kind.set_id == _set.id, _kind.failure_code.is_not(None))
    mine = _set.schedule_id == schedule_id
    is_good = sa.and_(_set.completed_at.is_not(None), ~failed)
    good, lacking = (
        sa.select(_set.id).where(mine, which).order_by(_set.id.desc()).limit(1).offset(number - 1).scalar_subquery()
        for which in (is_good, ~is_good)
    )
    is_old = sa.or_(_set.id < good, sa.and_(~is_good, _set.id < lacking))
    old = sa.select(_set.id).where(mine, is_old, *_NEEDED_BY_NOBODY).order_by(_set.id)
    with db.read() as connection:
        ids = connection.execute(old).scalars().all()
    # A transaction each: others may store bodies in between.
    removed = 0
    for id_ in ids:
        with db.write() as connection:
            removed += _remove_unneeded(connection, id_)
    return removed


#: Nothing stands on a set, and no run writes to it.
_NEEDED_BY_NOBODY: Final = (
    _set.sealed_at.is_(None),
    ~sa.exists().where(operation_runs.c.id == _set.run_id, IS_ACTIVE),
)


def _remove_unneeded(connection: sa.Connection, set_id: int) -> bool:
    # First the lock, then the question: a retry that has taken the set over meanwhile is seen.
    connection.execute(sa.select(_set.id).where(_set.id == set_id).with_for_update())
    if connection.execute(sa.select(_set.id).where(_set.id == set_id, *_NEEDED_BY_NOBODY)).first() is None:
        return False
    remove(connection, set_id)
    return True


def remove(connection: sa.Connection, set_id: int) -> None:
    """Remove a set with its items, and the bodies that nothing else refers to."""
    hashes = set(connection.execute(sa.select(_item.content_hash).where(_item.set_id == set_id)).scalars())
    connection.execute(sa.delete(backup_sets).where(_set.id == set_id))
    content_store.forget(connection, hashes)
