"""Words for the groups of a restore: what stands for each, how it was found, what to beware of. Pure functions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

from screens.text import format as fmt
from screens.text import group_words
from screens.text.format import State
from screens.text.times import AGES, TimeStyle
from store.intune.directory_page import Directory
from store.intune.group_search import DirectoryGroup
from store.intune.restore_mapping_page import MappedGroup, MappingPage
from store.intune.restore_mapping_poll import MappingFound
from store.intune.restore_mappings import known_name
from store.intune.restore_records import Mapped, RestoreState

#: What blocks the restore is loud, what is mapped is quiet.
_DECISIONS: Final = {
    "map": State("✓", "+", "mapped", "quiet"),
    "skip": State("\N{EN DASH}", "-", "skipped", "quiet"),
    "unresolved": State("✗", "x", "unresolved", "failed"),
}
_BEWARE: Final = State("!", "!", "mapped", "warn")
_FOUND: Final = {"id": "same id", "name": "same name", "choice": "chosen"}
_UNREAD: Final = "not read"
#: Cells of a name in a question, so that the rest of it stays visible.
_NAME: Final = 40


# ---- a group in its row


def state(group: MappedGroup) -> State:
    """How a group stands; one that is mapped and has a warning is told apart."""
    return _BEWARE if group.warnings else _DECISIONS[group.decision.decision]


def source_name(group: Mapped) -> str:
    """The name in the backup; the id of a group without one."""
    name = known_name(group)
    return group.source_id if name is None else group_words.name(name)


def types(given: Sequence[str] | None) -> str:
    """What a group is; that it is not known where the cached directory does not have it."""
    return _UNREAD if given is None else group_words.types(given)


def target(group: MappedGroup, ascii_only: bool) -> tuple[str, str, str]:
    """What stands for it in the tenant, what that is, and how it was found; else why nothing does."""
    found = group.decision
    if found.decision == "unresolved":
        return group.why or "", "", ""
    if found.decision == "skip":
        return "nothing: assignments to it are left out", "", ""
    arrow = "->" if ascii_only else "→"
    return f"{arrow} {_target_name(found)}", types(group.target_types), _FOUND.get(found.found_by or "", "")


def _target_name(group: Mapped) -> str:
    return group_words.name(group.target_name) if group.target_name else group.target_id or ""


def in_full(
    group: MappedGroup, now: dt.datetime, ascii_only: bool, times: TimeStyle = AGES
) -> Iterator[tuple[str, str]]:
    """All that there is to say of the group under the cursor, the most important first, with styles."""
    found = group.decision
    if group.why:
        yield f"Unresolved: {group.why}.", "failed"
    if group.warnings:
        yield f"Beware: {'; '.join(group.warnings)}.", "warn"
    if found.decided_by and found.decided_at:
        yield (
            f"{_DECISIONS[found.decision].word.capitalize()} by {found.decided_by}, {times.ago(found.decided_at, now)}.",
            "quiet",
        )
    arrow = "->" if ascii_only else "→"
    what = f"{found.source_id}, {types(group.source_types)}"
    if found.decision == "map":
        yield f"{what} {arrow} {found.target_id}, {types(group.target_types)}.", "quiet"
    else:
        yield f"{what}.", "quiet"


# ---- sentences above


def directory(page: MappingPage, now: dt.datetime, *, may_sync: bool, ascii_only: bool, times: TimeStyle = AGES) -> str:
    """From what the groups are taken, how old that is, and what refreshes it."""
    sync, tenant = f"Sync groups{' (s)' if may_sync else ''}", page.restore.tenant
    if page.read_at is None:
        return f"Cached directory of {tenant}, never read to its end. {sync} reads it."
    whole = "" if page.complete_at else ", never to its end"
    many = _groups(fmt.count(page.counted.many, ascii_only))
    return f"Cached directory of {tenant}, {many}, read {times.ago(page.read_at, now)}{whole}. {sync} refreshes it."


def told(page: MappingPage, only_unresolved: bool) -> str:
    """The line above the table."""
    every, left = fmt.several(len(page.groups), "group"), page.unresolved
    if not page.groups:
        return "The objects of this restore name no groups."
    if only_unresolved:
        return (
            f"{left:,} unresolved of {every}. esc shows all."
            if left
            else f"None of {every} is unresolved. esc shows all."
        )
    return f"{every}, {left:,} unresolved: that blocks the restore." if left else f"{every}, all decided."


def searched(found: Directory, text: str, ascii_only: bool) -> str:
    """The line above what a search found."""
    many = _groups(fmt.count(found.counted.many, ascii_only))
    if not found.counted.many.number:
        return f"No group of {found.tenant.slug} was read: Sync groups reads them."
    if not found.groups:
        return f"None of {many} has a name with these words. ctrl+u clears them." if text else f"None of {many}."
    first = "The first " if found.has_more else ""
    return f"{first}{len(found.groups):,} of {many}."


def _groups(number: str) -> str:
    return f"{number} {'group' if number == '1' else 'groups'}"


# ---- questions


def costs(found: MappingFound) -> str:
    """What the first decision undoes; "" if nothing."""
    if found.found.restore.status is RestoreState.PREVIEWED:
        return "Another preview is needed then."
    if found.found.restore.status in (RestoreState.COMPLETED, RestoreState.PARTIAL, RestoreState.FAILED):
        return "What failed is tried again then, after another preview."
    return ""


def short(name: str) -> str:
    """A name for a question or a message."""
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"


def chosen_name(group: DirectoryGroup) -> str:
    """The name of a group that was found; the id of one without a name."""
    return group_words.name(group.name) if group.name else group.group_id
