"""What a restore will overwrite, kept before the first write: a restore of that backup set is the way back."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from store.errors import InputInvalid, OperationFailed
from store.intune import backups
from store.intune.backup_records import NewSet
from store.intune.restore_records import Restore, WorkItem
from store.runs import restore_work
from tasks.graph.resources import BY_NAME
from tasks.operations.backup_set import Selection, fill
from tasks.sdk.context import RunContext


class _Quiet:
    """The context of a run for a part of it that counts nothing: its items are not those of the run."""

    def __init__(self, run: RunContext) -> None:
        self._run = run
        self.failures: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._run, name)

    def success(self, items: int = 1) -> None:
        self._run.check()

    def failed(self, code: str, message: str = "", items: int = 1) -> None:
        self._run.check()
        self.failures.append(message or code)


def keep(run: RunContext, restore: Restore, items: Sequence[WorkItem]) -> None:
    """Make a backup set of the objects that these items will overwrite.

    What an object was before the restore is what the first attempt found: a further one adds to its set. An object that somebody
    has changed between two attempts is kept once more, in a set of its own. Raises OperationFailed if one of them cannot be
    kept: then nothing is written.
    """
    known = backups.hashes(run.tools.db, restore.undo_set_id) if restore.undo_set_id is not None else {}
    new, changed = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for one in items:
        if (id_ := one.item.target_id) is None:
            continue
        before = known.get((one.backup.kind, id_.lower()))
        if before is None:
            new[one.backup.kind].add(id_.lower())
        elif before != one.item.plan.get("state"):
            changed[one.backup.kind].add(id_.lower())
    if new:
        _fill(run, new, _set_for(run, restore, _selection(new)))
    if changed:
        _fill(run, changed, _another(run, restore, _selection(changed)))


def _selection(ids: Mapping[str, Collection[str]]) -> Selection:
    return Selection([BY_NAME[name] for name in sorted(ids)], ids)


def _fill(run: RunContext, ids: Mapping[str, Collection[str]], set_id: int) -> None:
    quiet = _Quiet(run)
    fill(quiet, set_id, _selection(ids), again=False)  # type: ignore[arg-type]
    kept, _ = backups.kept(run.tools.db, set_id)
    missing = sum(len(set(some) - {id_.lower() for id_ in kept.get(name, ())}) for name, some in ids.items())
    if missing:
        what = f"{missing} of the objects that it overwrites could not be kept"
        raise OperationFailed("restore.no_undo", f"{what}: {quiet.failures[0]}" if quiet.failures else what)
    run.log(f"what it overwrites is kept in backup set {set_id}: a restore of that is the way back")


def _set_for(run: RunContext, restore: Restore, selection: Selection) -> int:
    """The set of what was there before the restore."""
    if restore.undo_set_id is not None:
        # Somebody may have planned the way back already: that set takes no more.
        with contextlib.suppress(InputInvalid):
            backups.take_more(run.tools.db, run.tenant.id, restore.undo_set_id, run.id, run.retry_of_id)
            return restore.undo_set_id
        return _another(run, restore, selection)
    new = NewSet(f"before restore {restore.id}", selection.told(), run.initiator)
    set_id = backups.begin(run.tools.db, run.tenant.id, new, run.id)
    restore_work.note_undo(run.tools.db, run.id, restore.id, set_id)
    return set_id


def _another(run: RunContext, restore: Restore, selection: Selection) -> int:
    """A further set. The restore names the first; the log of this run, and the set's own name, tell of this one."""
    new = NewSet(f"before restore {restore.id}, run {run.id}", selection.told(), run.initiator)
    return backups.begin(run.tools.db, run.tenant.id, new, run.id)
