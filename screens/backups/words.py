"""Words for backup sets: how they stand, who made them, what is missing of them. Pure functions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from screens.text import format as fmt
from screens.text import policy_words
from screens.text.format import State
from screens.text.safe import clean
from screens.text.times import AGES, TimeStyle
from store.intune.backup_records import BackupKind
from store.intune.backup_sets import BackupSet, ListedItem

#: By the state of a set in the store. What went well is quiet.
_STATES: Final = {
    "complete": State("✓", "+", "complete", "quiet"),
    "incomplete": State("◐", "~", "incomplete", "partial"),
    "unfinished": State("✗", "x", "unfinished", "failed"),
    "making": State("●", "*", "making", "running"),
}


def state(found: BackupSet) -> State:
    """How a set stands, in a word."""
    return _STATES.get(found.state, State("?", "?", found.state, "partial"))


def items_of(found: BackupSet) -> int:
    """How many items a set has."""
    return sum(found.items.values())


def not_whole(found: BackupSet) -> int:
    """How many items of a set are not whole."""
    return items_of(found) - found.items.get("whole", 0)


def name(found: BackupSet) -> str:
    """The set's name, cleaned."""
    return clean(found.name).strip() or "(without a name)"


def kinds(found: BackupSet, known: int) -> str:
    """How many kinds were looked at: `23`, or `3 of 23` if not all were. `known` is the number of all, 0 if unknown."""
    return f"{found.kinds} of {known}" if found.kinds < known else str(found.kinds)


def sentence(found: BackupSet) -> str:
    """How a set stands, in one sentence."""
    many, lacking = items_of(found), not_whole(found)
    number = fmt.several(many, "item")
    match found.state:
        case "making":
            return f"{_run(found)} makes it: {number} so far."
        case "unfinished":
            what = f"retry run {found.run_id} to go on with it" if found.run_id else "its run is gone"
            return f"Unfinished: {what}. {number} so far."
        case "incomplete":
            of = fmt.several(found.failed_kinds, "kind")
            return f"Incomplete: {of} not read to the end. {number}{_lacking(lacking)}."
    return f"Complete: {number}{_lacking(lacking) or ', all of them whole' if many else number}."


def _lacking(number: int) -> str:
    return f", {number:,} not whole" if number else ""


def made(found: BackupSet, now: dt.datetime, times: TimeStyle = AGES) -> str:
    """When and by whom a set was made, and what stands on it."""
    how = "Imported" if found.source == "import" else "Made"
    schedule = f" for schedule {found.schedule_id}" if found.schedule_id else ""
    run = f", run {found.run_id}" if found.run_id else ""
    told = f"{how} {times.ago(found.created_at, now)} by {found.initiator_name}{schedule}{run}."
    return f"{told} {_capitalised(found.sealed_by)} stands on it." if found.sealed_by else told


def asked_for(selection: Any) -> str:
    """How the policies were chosen; "" if all of the kinds were asked for."""
    chosen = selection if isinstance(selection, Mapping) else {}
    pattern, some = chosen.get("filter"), chosen.get("policies")
    number = sum(len(ids) for ids in some.values() if isinstance(ids, list)) if isinstance(some, Mapping) else 0
    parts = [f"{fmt.several(number, 'chosen policy', 'chosen policies')}"] if number else []
    parts += [f"policies with a name like {clean(str(pattern))}"] if pattern else []
    return f"Asked for only: {', and of them '.join(parts)}." if parts else ""


def unread(found: Sequence[BackupKind], label: Callable[[str], str]) -> Iterator[str]:
    """The kinds that could not be read to their end, each reason once."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for kind in found:
        if kind.failure_code is not None:
            part = f" ({kind.kept} of {kind.found})" if kind.kept else ""
            reasons.setdefault((kind.failure_code, kind.failure_message or ""), []).append(label(kind.kind) + part)
    for (code, message), labels in reasons.items():
        yield f"Not read: {', '.join(labels)}: {message or code}"


def not_looked_at(found: Sequence[BackupKind], known: Sequence[str], label: Callable[[str], str]) -> str:
    """The names of the kinds that the set says nothing of; "" if there is none. `known` are all kinds."""
    seen = {kind.kind for kind in found}
    return ", ".join(label(kind) for kind in known if kind not in seen)


def lacks(item: ListedItem, ascii_only: bool) -> str:
    """What is missing of an item, in one line; "" of one that is whole."""
    told = []
    for gap in item.gaps:
        known = gap if isinstance(gap, Mapping) else {"code": "unreadable", "detail": str(gap)}
        one = policy_words.completeness(str(known.get("code")))
        told.append(f"{policy_words.with_glyph(one, ascii_only)}: {known.get('detail') or 'no reason given'}")
    return clean("; ".join(told))


def _run(found: BackupSet) -> str:
    return f"Run {found.run_id}" if found.run_id else "A run"


def _capitalised(text: str) -> str:
    return clean(text[:1].upper() + text[1:])
