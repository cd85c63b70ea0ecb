"""Restores as people change them: planned, scoped, their groups mapped, executed, continued. restore_states.py has the states."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from store.db.engine import Database
from store.errors import InputInvalid, NotFound
from store.intune import backups, restore_mappings, restores
from store.intune.restore_mappings import Decision
from store.intune.restore_records import (
    TICKS,
    Mode,
    Restore,
    RestoreItem,
    RestoreState,
    Scope,
    blocking,
    left_to_do,
    ticks_wanted,
)
from store.intune.restores import RESTORE
from store.model.records import Run, Status, User
from store.model.tables import backup_sets, operation_runs, restore_items, restore_runs
from store.model.types import now_after, utcnow
from store.people import audit
from store.people.access import Right, member_tenants, require_right
from store.runs import lifecycle
from store.runs.restore_states import (
    ENDED,
    OPEN,
    PARAMETER,
    changing,
    new_run,
    nothing_left,
    put_scope,
    require_decided,
    step_back,
)

#: Seconds for which a preview can be executed, unless a setting says otherwise.
MAX_AGE: Final = 24 * 3600.0
#: Ticks that change what is previewed. What the others agree to is in the preview already.
WRITTEN: Final = frozenset({"downgrade"})

_item = restore_items.c


def plan(
    db: Database, user: User, set_id: int, tenant: str, scope: Scope, mode: Mode = "create", reason: str = ""
) -> Restore:
    """Plan the restore of a backup set, or of a part of it, into a tenant given by its slug. Groups are mapped as far as the
    cached directory suggests it. Raises NotFound, Forbidden and InputInvalid.
    """
    target = require_right(db, user, tenant, Right.RESTORE, RESTORE)
    source_id = _source_of(db, user, set_id)
    with db.write() as connection:
        restore_id = restores.insert(connection, user, target.id, source_id, set_id, reason)
        backups.seal(connection, source_id, set_id, f"restore {restore_id}")
        put_scope(connection, restore_id, (target.id, source_id, set_id), scope, mode)
        detail = {"backup_set": set_id, "mode": mode, "scope": scope.as_json()}
        _audit(connection, audit.RESTORE_PLANNED, user, restore_id, target.id, detail, reason)
    return restores.visible(db, user, restore_id)


def _source_of(db: Database, user: User, set_id: int) -> int:
    """The tenant of a set that the user may see. Raises NotFound."""
    query = sa.select(backup_sets.c.tenant_id).where(
        backup_sets.c.id == set_id, backup_sets.c.tenant_id.in_(member_tenants(user.id))
    )
    with db.read_one() as connection:
        found = connection.execute(query).scalar()
    if found is None:
        raise NotFound(f"no backup set {set_id}", "'opsmon backups list' shows them")
    return int(found)


def rescope(db: Database, user: User, restore_id: int, scope: Scope, mode: Mode) -> Restore:
    """Choose other items, or another mode. All that came later begins anew; decisions on groups stay. Raises as `plan`."""
    with changing(db, user, restore_id, OPEN) as (connection, found):
        step_back(connection, found, "its scope was changed")
        places = (found.tenant_id, found.source_tenant_id, found.backup_set_id)
        put_scope(connection, restore_id, places, scope, mode)
    return restores.visible(db, user, restore_id)


def decide(db: Database, user: User, restore_id: int, decisions: Sequence[Decision]) -> Restore:
    """Map groups, skip them, or leave them unresolved again. A preview has to be made anew. Raises NotFound, Forbidden and
    InputInvalid.
    """
    with changing(db, user, restore_id, (*OPEN, *ENDED)) as (connection, found):
        restore_mappings.decide(connection, restore_id, found.tenant_id, decisions, user.name)
        step_back(connection, found, "the mapping of its groups was changed")
    return restores.visible(db, user, restore_id)


def suggest(db: Database, user: User, restore_id: int) -> Restore:
    """Look for the groups that nobody decided on in the cached directory as it is now."""
    with changing(db, user, restore_id, (*OPEN, *ENDED)) as (connection, found):
        uses = restores.group_uses(connection, restore_id)
        restore_mappings.put(connection, restore_id, found.tenant_id, found.source_tenant_id, uses)
        step_back(connection, found, "its groups were looked for anew")
    return restores.visible(db, user, restore_id)


def choose(db: Database, user: User, restore_id: int, choices: Mapping[int, Mapping[str, Any]]) -> Restore:
    """Choose for items, by their ids: an object of the target (`{"target_id": …}`), to leave it out (`{"skip": True}`), or
    nothing any more (`{}`). To leave out what is blocked, and what nothing else refers to, changes nothing else; all other
    choices want another preview.
    """
    with changing(db, user, restore_id, (*OPEN, *ENDED)) as (connection, found):
        items = {one.id: one for one in restores.items_of(connection, restore_id, choices)}
        for id_, choice in choices.items():
            if id_ not in items or items[id_].result not in (None, "failed"):
                raise InputInvalid(
                    f"restore {restore_id} has no item {id_} to choose for",
                    f"'opsmon restore show {restore_id}' lists them",
                )
            _check_choice(items[id_], choice)
            change = sa.update(restore_items).where(_item.id == id_)
            connection.execute(change.values(choice=dict(choice) or None))
        wanted = restores.referred_to(connection, restore_id)
        if not all(_only_leaves_out(items[id_], choice, wanted) for id_, choice in choices.items()):
            step_back(connection, found, "somebody chose otherwise")
        restores.set_values(connection, restore_id)  # what a poll has counted does not hold any more
    return restores.visible(db, user, restore_id)


def leave_out_blocked(db: Database, user: User, restore_id: int) -> Restore:
    """Leave out everything that is blocked or ambiguous, as `choose` does. Without anything nothing is changed."""
    found = restores.changeable(db, user, restore_id)
    with db.read() as connection:
        blocked = [one for one in blocking(restores.items_of(connection, restore_id)) if one.action is not None]
    return choose(db, user, restore_id, {one.id: {"skip": True} for one in blocked}) if blocked else found


def _check_choice(item: RestoreItem, choice: Mapping[str, Any]) -> None:
    if "target_id" not in choice:
        return
    found = item.plan.get("candidates")
    ids = [one.get("id") for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    if choice["target_id"] not in ids:
        raise InputInvalid(
            f"{choice['target_id']} is none of the objects that item {item.id} could be",
            "choose one of those that the preview names",
        )


def _only_leaves_out(item: RestoreItem, choice: Mapping[str, Any], wanted: Collection[tuple[str, str]]) -> bool:
    """Whether it leaves out, or takes in again, what is blocked anyway, and nothing else goes by it."""
    is_wanted = (item.kind, item.external_id.lower()) in wanted
    leaves_out = choice.get("skip") is True or not choice
    return leaves_out and item.chosen_id is None and item.action in ("blocked", "ambiguous") and not is_wanted


def tick(db: Database, user: User, restore_id: int, ticks: Sequence[str]) -> Restore:
    """Agree to what wants a tick of its own, and to nothing else. Raises InputInvalid for a tick that there is not."""
    if unknown := set(ticks) - set(TICKS):
        raise InputInvalid(f"there is no tick '{min(unknown)}'", f"known are {', '.join(TICKS)}")
    with changing(db, user, restore_id, (*OPEN, *ENDED)) as (connection, found):
        restores.set_values(connection, restore_id, ticks=sorted(set(ticks)))
        if WRITTEN & (set(ticks) ^ set(found.ticks)):
            step_back(connection, found, "a tick was changed that another preview goes by")
    return restores.visible(db, user, restore_id)


def require_previewable(db: Database, user: User, restore_id: int) -> Restore:
    """The restore, if it can be previewed. Raises NotFound, Forbidden and InputInvalid."""
    with changing(db, user, restore_id, (*OPEN, *ENDED)) as (connection, found):
        require_decided(connection, found)
        if not restores.has_left(connection, restore_id):
            raise nothing_left(found)
    return found


def note_preview(db: Database, restore_id: int, run_id: int) -> None:
    """Note which run previews the restore, while it waits for a worker. Once one has taken it, `begin_preview` notes that."""
    run = operation_runs.c
    waits = sa.exists().where(run.id == run_id, run.status == Status.QUEUED.value)
    with db.write() as connection:
        change = sa.update(restore_runs).where(restore_runs.c.id == restore_id, waits)
        connection.execute(change.values(preview_run_id=run_id, updated_at=now_after(restore_runs.c.updated_at)))


def discard(db: Database, user: User, restore_id: int) -> Restore:
    """Give up a preview: its run is completed as failed with `restore.abandoned`. Without a preview nothing is changed."""
    with changing(db, user, restore_id, OPEN) as (connection, found):
        if found.status is RestoreState.PREVIEWED:
            step_back(connection, found, f"discarded by {user.name}")
    return restores.visible(db, user, restore_id)


def undo(db: Database, user: User, restore_id: int) -> Restore:
    """Plan a restore of all that a restore has overwritten, into the same tenant. Raises as `plan`, and InputInvalid if there is
    nothing.
    """
    found = restores.changeable(db, user, restore_id)
    if found.undo_set_id is None:
        raise InputInvalid(
            f"restore {restore_id} has overwritten nothing that could be brought back",
            "what it has created stays, and is listed",
        )
    return plan(db, user, found.undo_set_id, found.tenant, Scope(), "update", f"undo of restore {restore_id}")


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a person confirms before a restore is executed."""

    #: The tenant's name, as they typed it.
    tenant_name: str
    #: They have reviewed the impact.
    reviewed: bool
    dry_run: bool = True
    #: Of which preview they have seen the impact; None if they do not say.
    previewed_at: dt.datetime | None = None


def execute(db: Database, user: User, restore_id: int, confirmed: Confirmation, max_age: float = MAX_AGE) -> Run:
    """Let the run of a previewed restore wait for a worker, with the user as its initiator. The caller queues its message.

    Raises InputInvalid if it is not previewed, the preview is older than `max_age` seconds, something blocks it, or it is not
    confirmed.
    """
    with changing(db, user, restore_id, (RestoreState.PREVIEWED,)) as (connection, found):
        _require_fresh(connection, found, max_age)
        _require_unblocked(connection, found)
        _require_confirmed(found, confirmed)
        context = {"parameters": {PARAMETER: restore_id}, PARAMETER: restore_id, "dry_run": confirmed.dry_run}
        run = lifecycle.release(connection, found.run_id or 0, user, context)
        if run is None:
            raise InputInvalid(
                f"the run of restore {restore_id} is not there any more",
                f"'opsmon restore preview {restore_id}' makes another",
            )
        restores.set_values(connection, restore_id, dry_run=confirmed.dry_run)
        _audit(
            connection,
            audit.RESTORE_EXECUTED,
            user,
            restore_id,
            found.tenant_id,
            {"run": run.id, "dry_run": confirmed.dry_run},
            found.reason,
        )
    return run


def resume(db: Database, user: User, restore_id: int) -> Run:
    """Go on with what waited for approval: a new run, which sends the same requests with the codes of their approvals. The
    caller queues its message. Until a worker begins, the items wait: an approval outlives a queue that is away. Raises
    InputInvalid if nothing waits.
    """
    with changing(db, user, restore_id, (RestoreState.WAITING_FOR_APPROVAL,)) as (connection, found):
        run, created = lifecycle.create_or_attach_within(connection, new_run(found, user.id, user.name, held=False))
        if not created:
            raise InputInvalid(f"restore {restore_id} is under way", f"run {run.id} carries it out")
        restores.set_values(connection, restore_id, run_id=run.id, status=RestoreState.QUEUED.value)
        _audit(connection, audit.RESTORE_RESUMED, user, restore_id, found.tenant_id, {"run": run.id}, found.reason)
    return run


# ---- parts


def _require_fresh(connection: sa.Connection, found: Restore, max_age: float) -> None:
    now: dt.datetime = connection.execute(sa.select(utcnow())).scalar_one()
    age = (now - (found.previewed_at or now)).total_seconds()
    if age > max_age:
        raise InputInvalid(
            f"the preview is {age / 3600:.0f} h old", f"'opsmon restore preview {found.id}' makes another"
        )


def _require_unblocked(connection: sa.Connection, found: Restore) -> None:
    every = restores.items_of(connection, found.id)
    items, blocked = left_to_do(every), blocking(every)
    hint = f"'opsmon restore show {found.id}' lists them: mend it, choose, or skip them"
    if blocked:
        raise InputInvalid(f"{len(blocked)} of {len(items)} objects are blocked", hint)
    if wanted := ticks_wanted(found, every):
        agreed = " ".join(sorted({*found.ticks, *wanted}))
        raise InputInvalid(
            f"it wants to be agreed to: {', '.join(wanted)}", f"'opsmon restore agree {found.id} {agreed}' does"
        )
    if not items:
        raise InputInvalid("every object is skipped", "there is nothing to restore")


def _require_confirmed(found: Restore, confirmed: Confirmation) -> None:
    if not confirmed.reviewed:
        raise InputInvalid("the impact was not reviewed", "say that it was")
    if confirmed.tenant_name.strip() != found.tenant_name.strip():
        raise InputInvalid("that is not the name of the tenant", f"type {found.tenant_name}")
    if confirmed.previewed_at not in (None, found.previewed_at):
        raise InputInvalid("it was previewed again since", "review the impact once more")


def _audit(
    connection: sa.Connection,
    action: str,
    user: User,
    restore_id: int,
    tenant_id: int,
    detail: Mapping[str, Any],
    reason: str | None,
) -> None:
    audit.record(
        connection,
        action,
        f"restore {restore_id}",
        login=user.login,
        user_id=user.id,
        tenant_id=tenant_id,
        detail=dict(detail),
        reason=reason or None,
        run_id=detail.get("run"),
    )
