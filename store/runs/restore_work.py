"""Restores as workers carry them out: what is to be previewed or written, what the preview says, and what became of each item.

What a worker notes is refused once its run is over: one that was given up for lost and comes back must not go on writing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from store.db.engine import Database
from store.errors import InputInvalid, NotFound, RunEnded
from store.intune import restore_mappings, restores
from store.intune.inventory import storable
from store.intune.restore_records import PlannedItem, Restore, RestoreState, Work
from store.model.records import Run, Status, User
from store.model.tables import operation_runs, restore_items, restore_runs
from store.model.types import at_most, now_after, seconds_ago, utcnow
from store.people import access
from store.runs import lifecycle
from store.runs.restore_states import ENDED, OPEN, changing, new_run, nothing_left, require_decided, step_back
from store.runs.restoring import MAX_AGE
from store.sanitizer.sanitize import sanitize

_restore = restore_runs.c
_item = restore_items.c
_run = operation_runs.c


def begin_preview(db: Database, run_id: int, tenant_id: int, restore_id: int) -> Work:
    """What is to be previewed: the items of which nothing became yet, or which failed. A preview that is there is given up.

    Raises InputInvalid if the restore is not one of this tenant and of the run's initiator, is under way, has groups that are not
    decided on, or has nothing left.
    """
    user = _initiator(db, run_id)
    try:
        with changing(db, user, restore_id, (*OPEN, *ENDED)) as (connection, found):
            if found.tenant_id != tenant_id:
                raise NotFound(f"no restore {restore_id} in this tenant", "'opsmon restore list' shows yours")
            # A group that was chosen may have been removed since, and another one may be there now.
            uses = restores.group_uses(connection, restore_id)
            restore_mappings.put(connection, restore_id, tenant_id, found.source_tenant_id, uses)
            require_decided(connection, found)
            step_back(connection, found, "it is previewed anew")
            restores.set_values(connection, restore_id, preview_run_id=run_id)
            return _work(connection, found)
    except NotFound as error:
        raise InputInvalid(error.message, error.hint) from None


def _initiator(db: Database, run_id: int) -> User:
    user = access.user_of_run(db, run_id)
    if user is None:
        raise InputInvalid("a restore is somebody's, and not the system's", "start it as a user")
    return user


def end_preview(db: Database, run_id: int, restore_id: int, planned: Sequence[PlannedItem]) -> Run:
    """Store a preview, and open the run that would carry it out: held, until somebody executes the restore.

    Raises InputInvalid if the restore was changed while it was read.
    """
    with db.write() as connection:
        state = restores.lock(connection, restore_id)
        row = connection.execute(restores.select_restores().where(_restore.id == restore_id)).mappings().one()
        found = restores.restore_from_row(row)
        is_running = connection.execute(_is_running(run_id)).first() is not None
        if state is not RestoreState.CHECKED or found.preview_run_id != run_id or not is_running:
            raise InputInvalid(f"restore {restore_id} was changed while it was previewed", "preview it again")
        restores.store_preview(connection, planned)
        columns = (operation_runs.c.user_id, operation_runs.c.initiator_name)
        who = connection.execute(sa.select(*columns).where(operation_runs.c.id == run_id)).one()
        run, _ = lifecycle.create_or_attach_within(
            connection, new_run(found, who.user_id, who.initiator_name, held=True)
        )
        values = {"status": RestoreState.PREVIEWED.value, "run_id": run.id, "previewed_at": utcnow()}
        restores.set_values(connection, restore_id, **values)
    return run


def begin_execution(db: Database, run_id: int, tenant_id: int, restore_id: int) -> Work:
    """What a run carries out; what waited for an approval is tried again. Raises InputInvalid for a run that is not the
    restore's, and NotFound or Forbidden if its initiator may not restore there any more.
    """
    restores.changeable(db, _initiator(db, run_id), restore_id)
    waiting = sa.update(restore_items).where(_item.restore_id == restore_id, _item.result == "waiting", _owned(run_id))
    with db.write() as connection:
        connection.execute(waiting.values(result=None, done_at=None))
    with db.read() as connection:
        query = restores.select_restores().where(_restore.id == restore_id, _restore.run_id == run_id)
        row = connection.execute(query.where(_restore.tenant_id == tenant_id)).mappings().first()
        if row is None:
            raise InputInvalid(f"restore {restore_id} is not carried out by this run", "execute it from the restore")
        return _work(connection, restores.restore_from_row(row))


def _work(connection: sa.Connection, found: Restore) -> Work:
    left = sa.select(_item.id).where(_item.restore_id == found.id, _item.result.is_(None))
    ids = connection.execute(left).scalars().all()
    if not ids:
        raise nothing_left(found)
    items = restores.work_items(connection, found.id, ids)
    taken = set(ids)
    others = [one for one in restores.items_of(connection, found.id) if one.id not in taken]
    groups = restore_mappings.mapped(connection, found.id)
    return Work(found, items, groups, others, restores.filters_of(connection, found.backup_set_id))


def abandon_old(db: Database, max_age: float = MAX_AGE, limit: int = 100) -> list[int]:
    """Give up previews that are older than `max_age` seconds; returns the numbers of their restores. Raises DatabaseAway."""
    too_old = _restore.previewed_at < _seconds_before(max_age)
    # As a literal, like the condition of the index.
    is_previewed = _restore.status == sa.literal_column("'previewed'")
    query = sa.select(_restore.id).where(is_previewed, too_old)
    with db.read_one() as connection:
        old = connection.execute(query.order_by(_restore.id).limit(at_most(limit))).scalars().all()
    return [id_ for id_ in old if _abandon_one(db, id_, max_age)]


def _seconds_before(seconds: float) -> sa.ColumnElement[dt.datetime]:
    return seconds_ago(sa.literal(seconds, sa.Float))


def _abandon_one(db: Database, restore_id: int, max_age: float) -> bool:
    with db.write() as connection:
        restores.lock(connection, restore_id)
        query = restores.select_restores().where(
            _restore.id == restore_id, _restore.previewed_at < _seconds_before(max_age)
        )
        row = connection.execute(query.where(_restore.status == RestoreState.PREVIEWED.value)).mappings().first()
        if row is None:
            return False
        step_back(connection, restores.restore_from_row(row), "its preview is too old")
    return True


def _is_running(run_id: int) -> sa.Select[Any]:
    run = operation_runs.c
    return sa.select(run.id).where(run.id == run_id, run.status == Status.RUNNING.value)


# ---- what became of items


@dataclass(frozen=True, slots=True)
class Became:
    """What became of an item."""

    result: Literal["done", "skipped", "failed", "waiting"]
    code: str | None = None
    #: For people; it is sanitized.
    message: str | None = None
    request_id: str | None = None


def note_intent(
    db: Database, run_id: int, item_id: int, intent: Mapping[str, Any] | None, target_id: str | None = None
) -> None:
    """Note what is about to be sent, and what of it was carried out, before the next request. Raises RunEnded if the run is not
    running (any more), or is not the restore's: then nothing may be sent.
    """
    values: dict[str, Any] = {"intent": None if intent is None else storable(dict(intent))}
    _note(db, run_id, item_id, values | ({"target_id": target_id} if target_id is not None else {}))


def note_result(db: Database, run_id: int, item_id: int, became: Became) -> None:
    """Note what became of an item. Raises RunEnded as `note_intent`."""
    values = {
        "result": became.result,
        "result_code": became.code,
        "result_message": None if became.message is None else sanitize(became.message, MAX_MESSAGE),
        "request_id": became.request_id,
        "done_at": utcnow(),
    }
    _note(db, run_id, item_id, values)


#: Characters of an item's message.
MAX_MESSAGE = 500


def _note(db: Database, run_id: int, item_id: int, values: Mapping[str, Any]) -> None:
    change = sa.update(restore_items).where(_item.id == item_id, _owned(run_id)).values(values)
    with db.write() as connection:
        if connection.execute(change).rowcount != 1:
            raise RunEnded("the run is over")


def _owned(run_id: int) -> sa.ColumnElement[bool]:
    """Whether the run, which is running, is the one that carries out the item's restore."""
    return sa.exists().where(
        _restore.id == _item.restore_id,
        _restore.run_id == run_id,
        _run.id == _restore.run_id,
        _run.status == Status.RUNNING.value,
    )


def note_undo(db: Database, run_id: int, restore_id: int, set_id: int) -> None:
    """Note the backup set of what a run is about to overwrite. Raises RunEnded as `note_intent`."""
    change = sa.update(restore_runs).where(
        _restore.id == restore_id, _restore.run_id == run_id, _is_running(run_id).exists()
    )
    with db.write() as connection:
        done = connection.execute(change.values(undo_set_id=set_id, updated_at=now_after(_restore.updated_at)))
        if done.rowcount != 1:
            raise RunEnded("the run is over")
