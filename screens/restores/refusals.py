"""Why something cannot be done with a restore, or with one of its items, as it stands. Pure functions.

The store checks the same again: this is for keys that are dimmed, and say why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from screens.restores import words
from store.intune.restore_mapping_poll import MappingFound
from store.intune.restore_page import ListedRestore, ListedRestoreItem
from store.intune.restore_records import Mapped, RestoreState

NO_RESTORE: Final = "There is no restore here."
_NO_ITEM: Final = "There is no object here."
#: Actions of keys that change something; of these, those that are about an item.
CHANGES: Final = frozenset({"preview", "skip", "skip_blocked", "choose", "discard", "undo", "go_on", "edit", "execute"})
#: States before an execution.
_OPEN: Final = (RestoreState.DRAFT, RestoreState.SCOPED, RestoreState.CHECKED, RestoreState.PREVIEWED)
_OF_ITEMS: Final = frozenset({"skip", "choose"})


def why_not(action: str, found: ListedRestore | None, item: ListedRestoreItem | None) -> str | None:
    """Why the action of a key cannot be done; None if it can, as far as the restore is concerned."""
    if action not in (*CHANGES, "run", "groups"):
        return None
    if found is None:
        return NO_RESTORE
    if action in _OF_ITEMS:
        return _NO_ITEM if item is None else _busy(found) or _ITEMS[action](item)
    return _RESTORES[action](found)


def _busy(found: ListedRestore) -> str | None:
    """Why nothing of it can be changed now."""
    restore = found.restore
    if restore.status.is_under_way:
        return f"Restore {restore.id} is under way: run {restore.run_id} carries it out."
    if words.is_previewing(found):
        return f"Restore {restore.id} is being previewed by run {restore.preview_run_id}."
    if restore.status is RestoreState.WAITING_FOR_APPROVAL:
        return f"Restore {restore.id} waits for approval: C goes on with it."
    return None


def _preview(found: ListedRestore) -> str | None:
    if busy := _busy(found):
        return busy
    if found.restore.status is RestoreState.SCOPED:
        return "Groups are undecided: m maps or skips them."
    return _nothing_left(found)


def _groups(found: ListedRestore) -> str | None:
    """Why its groups cannot be decided on now. Those of one that has ended can be looked at."""
    if found.restore.status is RestoreState.DRAFT:
        return "Nothing of the backup set was chosen yet."
    return _busy(found)


#: Actions of keys that decide on groups; of these, those that are about the group under the cursor.
DECIDES: Final = frozenset({"map", "skip_group", "unresolve", "skip_all", "find_again"})
_OF_GROUPS: Final = frozenset({"map", "skip_group", "unresolve"})


def why_not_decide(action: str, found: MappingFound | None, group: Mapped | None) -> str | None:
    """Why the action of a key that decides on groups cannot be done; None if it can, as far as the restore is concerned."""
    if action not in DECIDES:
        return None
    if found is None:
        return NO_RESTORE
    if reason := _groups(found.found) or _nothing_left(found.found):
        return reason
    if action in _OF_GROUPS:
        return _of_group(action, group)
    return "No group is unresolved." if action == "skip_all" and not found.page.unresolved else None


def _nothing_left(found: ListedRestore) -> str | None:
    return None if found.numbers.left else f"Restore {found.restore.id} has nothing left to do."


def _of_group(action: str, group: Mapped | None) -> str | None:
    if group is None:
        return "There is no group here."
    is_open = action == "unresolve" and group.decision == "unresolved"
    return "It is unresolved already." if is_open else None


def _discard(found: ListedRestore) -> str | None:
    is_there = found.restore.status is RestoreState.PREVIEWED
    return None if is_there else f"Restore {found.restore.id} has no preview to discard."


def _edit(found: ListedRestore) -> str | None:
    """Its scope and mode: only before it was executed."""
    if busy := _busy(found):
        return busy
    is_open = found.restore.status in _OPEN
    return None if is_open else f"Restore {found.restore.id} was executed: r on its backup set plans another one."


def _execute(found: ListedRestore) -> str | None:
    if found.restore.status is RestoreState.PREVIEWED:
        return None
    return _busy(found) or _preview(found) or f"Restore {found.restore.id} is not previewed: p previews it."


def _skip_blocked(found: ListedRestore) -> str | None:
    if busy := _busy(found):
        return busy
    return None if found.numbers.blocked else "Nothing is blocked or ambiguous."


def _undo(found: ListedRestore) -> str | None:
    if found.restore.undo_set_id is None:
        return f"Restore {found.restore.id} has overwritten nothing that could be brought back."
    if found.restore.status.is_under_way:
        return _busy(found)
    return None


def _go_on(found: ListedRestore) -> str | None:
    waits = found.restore.status is RestoreState.WAITING_FOR_APPROVAL
    return None if waits else f"Restore {found.restore.id} does not wait for approval."


def _run(found: ListedRestore) -> str | None:
    return None if run_of(found) else f"Restore {found.restore.id} has no run yet."


def run_of(found: ListedRestore) -> int | None:
    """The run that is looked at: that which previews it now, else that which carries it out, else the last preview's."""
    restore = found.restore
    if words.is_previewing(found):
        return restore.preview_run_id
    return restore.run_id or restore.preview_run_id


def _skip(item: ListedRestoreItem) -> str | None:
    if item.result in (None, "failed"):
        return None
    return f"It is {words.result(item.result, is_skipped=False).word} already."


def _choose(item: ListedRestoreItem) -> str | None:
    is_open = item.action == "ambiguous" and item.result is None
    return None if is_open else "There is nothing to choose: only what is ambiguous has several candidates."


_ITEMS: Final[Mapping[str, Callable[[ListedRestoreItem], str | None]]] = {"skip": _skip, "choose": _choose}
_RESTORES: Final[Mapping[str, Callable[[ListedRestore], str | None]]] = {
    "preview": _preview,
    "discard": _discard,
    "edit": _edit,
    "execute": _execute,
    "undo": _undo,
    "skip_blocked": _skip_blocked,
    "go_on": _go_on,
    "run": _run,
    "groups": _groups,
}
