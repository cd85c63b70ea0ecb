"""Words for restores: how they stand, what comes next, what is done with an item and what became of it. Pure functions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from screens.text import format as fmt
from screens.text.format import State
from screens.text.safe import clean
from screens.text.times import AGES, TimeStyle
from store.intune.restore_numbers import Numbers
from store.intune.restore_page import ListedRestore
from store.intune.restore_records import Restore, RestoreState
from store.model.records import Outcome

#: What went well is quiet, as are those of which nothing is expected.
_STATES: Final = {
    RestoreState.DRAFT: State("○", ".", "draft", "quiet"),
    RestoreState.SCOPED: State("○", ".", "groups undecided", "partial"),
    RestoreState.CHECKED: State("○", ".", "not previewed", "accent"),
    RestoreState.PREVIEWED: State("…", ".", "previewed", "warn"),
    RestoreState.QUEUED: State("○", ".", "queued", "accent"),
    RestoreState.RUNNING: State("●", "*", "running", "running"),
    RestoreState.WAITING_FOR_APPROVAL: State("!", "!", "waits for approval", "warn"),
    RestoreState.COMPLETED: State("✓", "+", "completed", "done"),
    RestoreState.PARTIAL: State("◐", "~", "partial", "partial"),
    RestoreState.FAILED: State("✗", "x", "failed", "failed"),
}
_PREVIEWING: Final = State("●", "*", "previewing", "running")
_ACTIONS: Final = {
    "create": State("+", "+", "create", "done"),
    "update": State("~", "~", "update", "partial"),
    "same": State("=", "=", "same", "quiet"),
    "exists": State("=", "=", "exists", "quiet"),
    "blocked": State("✗", "x", "blocked", "failed"),
    "ambiguous": State("?", "?", "ambiguous", "warn"),
}
_RESULTS: Final = {
    "done": State("✓", "+", "done", "quiet"),
    "skipped": State("\N{EN DASH}", "-", "skipped", "quiet"),
    "failed": State("✗", "x", "failed", "failed"),
    "waiting": State("!", "!", "waits", "warn"),
}
_LEFT_OUT: Final = State("\N{EN DASH}", "-", "left out", "quiet")
_NOT_PREVIEWED: Final = State("○", ".", "no preview", "accent")
_NOTHING: Final = State("", "", "", "")
_MODES: Final = {"create": "Creates what is missing", "update": "Creates what is missing, and updates what differs"}
_TICKS: Final = {
    "everybody": "assignments to all users or all devices",
    "no_actions": "compliance policies without actions of their own",
    "downgrade": "security baselines that become plain policies",
}


# ---- states


def state(found: ListedRestore) -> State:
    """How a restore stands, in a word."""
    return _PREVIEWING if is_previewing(found) else _STATES[found.restore.status]


def is_previewing(found: ListedRestore) -> bool:
    """Whether a run reads the target for a preview."""
    active = found.preview_run is not None and found.preview_run.is_active
    return active and not found.restore.status.is_under_way


def action(name: str | None) -> State:
    """What the preview says will be done with an item."""
    return _NOT_PREVIEWED if name is None else _ACTIONS.get(name, State("?", "?", name, "partial"))


def result(name: str | None, is_skipped: bool) -> State:
    """What became of an item; while nothing did, whether a person left it out."""
    if name is None:
        return _LEFT_OUT if is_skipped else _NOTHING
    return _RESULTS.get(name, State("?", "?", name, "partial"))


# ---- sentences


def set_name(restore: Restore) -> str:
    """The name of the backup set, cleaned."""
    return clean(restore.backup_set).strip() or "(without a name)"


def way(restore: Restore, ascii_only: bool) -> str:
    """From which tenant into which."""
    return f"{restore.source_tenant} {'->' if ascii_only else '→'} {restore.tenant}"


def is_dry(restore: Restore) -> bool:
    """Whether it was executed, and as a dry run: before that, nobody has decided."""
    return restore.dry_run and restore.status not in (
        RestoreState.DRAFT,
        RestoreState.SCOPED,
        RestoreState.CHECKED,
        RestoreState.PREVIEWED,
    )


def mode(restore: Restore) -> str:
    """What it does in a few words, for a column."""
    return f"{restore.mode}, dry run" if is_dry(restore) else restore.mode


def comes_next(found: ListedRestore, undecided: int = 0, missing_ticks: Mapping[str, int] | None = None) -> str:
    """How the restore stands and what comes next, in a sentence or two.

    `missing_ticks`: how many items want which tick that nobody gave; None where that was not read, as in a list.
    """
    restore, numbers = found.restore, found.numbers
    if is_previewing(found):
        return f"{_run(restore.preview_run_id)} reads {restore.tenant} for the preview."
    if restore.status is RestoreState.CHECKED:
        return _before_preview(found)
    if restore.status is RestoreState.PREVIEWED:
        return _previewed(restore, numbers, missing_ticks)
    groups = f"{fmt.several(undecided, 'group')} undecided" if undecided else "Some groups are undecided"
    waiting = fmt.several(numbers.results.get("waiting", 0), "object")
    told = {
        RestoreState.DRAFT: "Nothing of the backup set was chosen yet: e chooses.",
        RestoreState.SCOPED: f"{groups}: m maps or skips them.",
        RestoreState.QUEUED: f"{_run(restore.run_id)} waits for a worker.",
        RestoreState.RUNNING: f"{_run(restore.run_id)} carries it out: {_progress(numbers)}.",
        RestoreState.WAITING_FOR_APPROVAL: f"{waiting} waiting for approval in Microsoft Intune: C goes on once it is given.",
    }
    return told.get(restore.status) or _ended(restore, numbers)


def _before_preview(found: ListedRestore) -> str:
    failed = found.preview_run is not None and found.preview_run.outcome is Outcome.FAILED
    why = f"The preview failed: run {found.restore.preview_run_id} says why. " if failed else ""
    return f"{why}p has a worker read {found.restore.tenant} and preview it."


def _previewed(restore: Restore, numbers: Numbers, missing_ticks: Mapping[str, int] | None) -> str:
    if numbers.blocked:
        return f"{fmt.several(numbers.blocked, 'object')} blocked: mend it, choose (c), or leave out (x, all: A)."
    if missing_ticks is None:
        return "Nothing of it is blocked: enter shows what would be done."
    if missing_ticks:
        return f"E asks you to agree to {ticks(missing_ticks)}."
    return "Nothing blocks it: E shows the impact, and executes it."


def ticks(wanted: Mapping[str, int]) -> str:
    """What wants to be agreed to, each with the number of objects."""
    return ", and to ".join(f"{_TICKS.get(one, one)} ({number:,})" for one, number in sorted(wanted.items()))


def tick(name: str) -> str:
    """What one agrees to by a tick."""
    return _TICKS.get(name, name)


def ticks_named(names: Iterable[str]) -> str:
    """What one agrees to by several ticks."""
    return ", and to ".join(tick(one) for one in sorted(names))


def wants(needs: Iterable[str]) -> list[str]:
    """What an item wants to be agreed to."""
    return [_TICKS.get(one, one) for one in needs]


def _ended(restore: Restore, numbers: Numbers) -> str:
    failed = numbers.results.get("failed", 0)
    dry = "Dry run, nothing was written: " if restore.dry_run else ""
    if failed:
        return f"{dry}{fmt.several(failed, 'object')} failed: f shows them, p previews them again."
    if restore.status is RestoreState.COMPLETED:
        return f"{dry}{_progress(numbers)}, none failed."
    return f"{dry}{_progress(numbers)}: {_run(restore.run_id).lower()} says why."


def _progress(numbers: Numbers) -> str:
    done = sum(numbers.results.values()) - numbers.results.get("waiting", 0)
    return f"{done:,} of {fmt.several(numbers.objects, 'object')}"


def found_of(numbers: Numbers) -> str:
    """What the preview found: `40 objects: 30 create, 10 blocked`."""
    told = [f"{numbers.actions[name]:,} {name}" for name in _ACTIONS if numbers.actions.get(name)]
    return f"{fmt.several(numbers.objects, 'object')}: {', '.join(told) or 'not previewed'}"


def became_of(numbers: Numbers) -> str:
    """What became of the items: `12 done, 1 failed`; "" if nothing did, and none was left out."""
    told = [f"{numbers.results[name]:,} {one.word}" for name, one in _RESULTS.items() if numbers.results.get(name)]
    told += [f"{numbers.left_out:,} {_LEFT_OUT.word}"] if numbers.left_out else []
    return ", ".join(told)


def facts(
    found: ListedRestore, undo_set: str | None, now: dt.datetime, ascii_only: bool, times: TimeStyle = AGES
) -> Iterator[tuple[str, str]]:
    """All else that there is to say of a restore, as sentences with their styles."""
    restore = found.restore
    dry = " Dry run: all but writing." if is_dry(restore) else ""
    yield f"Backup set {restore.backup_set_id}, {set_name(restore)}, {way(restore, ascii_only)}.", ""
    yield f"{_MODES.get(restore.mode, restore.mode)}.{dry}", "accent" if dry else "quiet"
    became = became_of(found.numbers)
    yield f"{found_of(found.numbers)}.{f' {became}.' if became else ''}", ""
    yield made(restore, now, times), "quiet"
    if restore.ticks:
        yield f"Agreed to: {', '.join(_TICKS.get(one, one) for one in restore.ticks)}.", "quiet"
    if restore.reason:
        yield f"Reason: {restore.reason}", "quiet"
    if restore.undo_set_id is not None:
        name = clean(undo_set or "").strip()
        yield (
            f"What it overwrote is in backup set {restore.undo_set_id}{f', {name}' if name else ''}: u plans to bring it back.",
            "",
        )


def made(restore: Restore, now: dt.datetime, times: TimeStyle = AGES) -> str:
    """Who planned it and when, how old its preview is, and which run carries it out."""
    told = f"Planned {times.ago(restore.created_at, now)} by {restore.initiator_name}"
    if restore.previewed_at is not None and restore.status is not RestoreState.CHECKED:
        told += f", previewed {times.ago(restore.previewed_at, now)}"
    return f"{told}, run {restore.run_id}." if restore.run_id else f"{told}."


def _run(run_id: int | None) -> str:
    return f"Run {run_id}" if run_id else "A run"
