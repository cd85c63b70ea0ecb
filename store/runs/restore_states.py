"""Takes restores from state to state, together with the runs that carry them out.

    draft ─scope─► scoped ─groups decided─► checked ─preview─► previewed ─execute─► queued ─► running ─► completed, partial,
      ▲                ▲                       ▲                   │                                      failed, or waiting
      └────────────────┴───── changed, discarded, too old ─────────┘                                     for approval

From `previewed` on a restore has a run: held until somebody executes the restore, and mirrored from then on (effects.py). Each
change is one transaction, which locks the restore first. Who changes a restore has the right to restore in its tenant, and is a
member of the tenant that the backup is of.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa

from store.db.engine import Database
from store.errors import InputInvalid
from store.intune import restore_mappings, restores
from store.intune.restore_records import MODES, Mode, Restore, RestoreState, Scope
from store.model.records import User
from store.model.tables import restore_items, restore_runs
from store.runs import lifecycle
from store.runs.identity import identity_hash

#: The operations, and their parameters: the restore's number. It is also the identity of `restore.execute`.
TYPE: Final = "restore.execute"
PARAMETER: Final = "restore_run_id"
LABEL: Final = "Restore policies"
PREVIEW: Final = "restore.preview"

_restore = restore_runs.c
_item = restore_items.c
#: States in which it can be changed, and those in which a run has carried it out.
OPEN: Final = (RestoreState.DRAFT, RestoreState.SCOPED, RestoreState.CHECKED, RestoreState.PREVIEWED)
ENDED: Final = (RestoreState.COMPLETED, RestoreState.PARTIAL, RestoreState.FAILED)


@contextmanager
def changing(
    db: Database, user: User, restore_id: int, allowed: Sequence[RestoreState]
) -> Iterator[tuple[sa.Connection, Restore]]:
    """A transaction that has locked the restore, which is in one of these states. Raises NotFound, Forbidden, InputInvalid."""
    restores.changeable(db, user, restore_id)
    with db.write() as connection:
        state = restores.lock(connection, restore_id)
        if state not in allowed:
            raise _refused(connection, restore_id, state, allowed)
        yield connection, restores.read_visible(connection, user.id, restore_id)


def _refused(
    connection: sa.Connection, restore_id: int, state: RestoreState, allowed: Sequence[RestoreState]
) -> InputInvalid:
    words = state.value.replace("_", " ")
    what = f"restore {restore_id} is {words}"
    if state.is_under_way:
        run_id = connection.execute(sa.select(_restore.run_id).where(_restore.id == restore_id)).scalar()
        return InputInvalid(what, f"wait for run {run_id}")
    if state is RestoreState.WAITING_FOR_APPROVAL:
        return InputInvalid(what, f"'opsmon restore continue {restore_id}' goes on once it is approved")
    if RestoreState.PREVIEWED in allowed and len(allowed) == 1:
        return InputInvalid(f"{what}, and not previewed", f"'opsmon restore preview {restore_id}' comes first")
    return InputInvalid(what, f"'opsmon restore show {restore_id}' says how it stands")


def put_scope(
    connection: sa.Connection, restore_id: int, places: tuple[int, int, int], scope: Scope, mode: Mode
) -> None:
    """`places`: the ids of the target tenant, of the source tenant and of the set."""
    if mode not in MODES:
        raise InputInvalid(f"'{mode}' is no mode", f"known are {', '.join(MODES)}")
    tenant_id, source_id, set_id = places
    restores.put_items(connection, restore_id, set_id, scope)
    restore_mappings.put(connection, restore_id, tenant_id, source_id, restores.group_uses(connection, restore_id))
    restores.set_values(
        connection, restore_id, scope=scope.as_json(), mode=mode, status=_checked(connection, restore_id)
    )


def _checked(connection: sa.Connection, restore_id: int) -> str:
    """The state of a restore that has a scope and no preview."""
    decided = restore_mappings.unresolved(connection, restore_id) == 0
    return (RestoreState.CHECKED if decided else RestoreState.SCOPED).value


def step_back(connection: sa.Connection, found: Restore, why: str) -> None:
    """To before the preview, because of `why`. What an ended restore has done stays done; what failed is tried again."""
    run_id = found.run_id
    if found.status is RestoreState.PREVIEWED and run_id is not None:
        given_up = lifecycle.abandon(connection, run_id, why)
        run_id = given_up.retry_of_id if given_up else run_id
    failed = sa.update(restore_items).where(_item.restore_id == found.id, _item.result == "failed")
    connection.execute(failed.values(result=None, done_at=None))
    restores.forget_preview(connection, found.id)
    if found.status is not RestoreState.DRAFT:
        values = {"status": _checked(connection, found.id), "run_id": run_id, "preview_run_id": None}
        restores.set_values(connection, found.id, **values)


def new_run(found: Restore, user_id: int | None, name: str, *, held: bool) -> lifecycle.NewRun:
    context: dict[str, Any] = {"parameters": {PARAMETER: found.id}, PARAMETER: found.id}
    return lifecycle.NewRun(
        tenant_id=found.tenant_id,
        user_id=user_id,
        initiator_name=name,
        type=TYPE,
        label=LABEL,
        run_identity_hash=identity_hash(found.tenant_id, TYPE, {PARAMETER: found.id}),
        context=context,
        retry_of_id=found.run_id,
        held=held,
    )


def require_decided(connection: sa.Connection, found: Restore) -> None:
    """Raises InputInvalid while groups are not decided on."""
    if many := restore_mappings.unresolved(connection, found.id):
        what = "1 group is" if many == 1 else f"{many} groups are"
        raise InputInvalid(f"{what} not decided on", f"'opsmon restore map {found.id}' maps or skips them")


def nothing_left(found: Restore) -> InputInvalid:
    """The error for a restore of which every item is done or skipped."""
    return InputInvalid(f"restore {found.id} has nothing left to do", "plan another one")
