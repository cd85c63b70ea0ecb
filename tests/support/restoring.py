"""Restores without a worker: a backup set, the directory of a tenant, and the preview that a worker would have made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from store.db.engine import Database
from store.intune import backups, directory
from store.intune.backup_records import BackupItem, BackupKind, ItemReference, NewSet
from store.intune.restore_records import PlannedItem, Restore
from store.model.records import Run, User
from store.people import access
from store.runs import lifecycle, restore_states, restore_work
from tests.support import people

PREVIEWED: Mapping[str, Any] = {"reasons": [], "needs": [], "candidates": [], "differences": [], "assignments": []}


def naming(item: BackupItem, **groups: str | None) -> BackupItem:
    """The item, which names these groups: ids and the names that they had."""
    return replace(item, references=[ItemReference("groups", id_, name) for id_, name in groups.items()])


def backup(db: Database, user: User, tenant: str, items: Sequence[BackupItem], name: str = "nightly") -> int:
    """A finished backup set. Returns its number."""
    found = access.require_right(db, user, tenant, access.Right.VIEW)
    set_id = backups.begin(db, found.id, NewSet(name, {}, user.name))
    kinds = {one.kind: sum(it.kind == one.kind for it in items) for one in items}
    backups.add(db, found.id, set_id, items, [BackupKind(kind, many, many) for kind, many in kinds.items()])
    backups.end(db, set_id)
    return set_id


def see_groups(db: Database, user: User, tenant: str, *, complete: bool = True, **groups: str) -> None:
    """The cached directory of a tenant has these groups: ids and names."""
    found = access.require_right(db, user, tenant, access.Right.VIEW)
    run = people.start_run(db, found)
    page = [{"id": id_, "displayName": name, "securityEnabled": True} for id_, name in groups.items()]
    round_ = directory.begin_round(db, found.id, run.id)
    directory.apply(db, found.id, round_, page)
    directory.end_round(db, found.id, run.id, round_, "link", complete=complete)
    people.end_run(db, run)


def preview_run(db: Database, user: User, restore: Restore) -> Run:
    """A run that previews the restore, as a worker has claimed it."""
    found = access.require_right(db, user, restore.tenant, access.Right.RESTORE)
    run = people.open_run(db, found, user, type=restore_states.PREVIEW)
    claimed = lifecycle.claim(db, run.id, people.make_worker(db))
    assert claimed
    return claimed


def previewed(db: Database, user: User, restore: Restore, **plans: Mapping[str, Any] | str) -> Run:
    """The held run of a preview that has found `plans`, by the names of items: actions, or objects with an `action`.

    All other items are created.
    """
    run = preview_run(db, user, restore)
    work = restore_work.begin_preview(db, run.id, restore.tenant_id, restore.id)
    planned = []
    for place, one in enumerate(work.items):
        given = plans.get(one.item.name, "create")
        plan = {"action": given} if isinstance(given, str) else dict(given)
        action, target = plan.pop("action"), plan.pop("target_id", None)
        planned.append(PlannedItem(one.item.id, place, action, target, {**PREVIEWED, **plan}))
    held = restore_work.end_preview(db, run.id, restore.id, planned)
    people.end_run(db, run)
    return held
