"""Formats restores as plain text and as JSON for the commands."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from opsmon.cli import colours
from opsmon.cli.kind_names import label
from opsmon.cli.run_text import run_line
from opsmon.listing import Column, Listing
from opsmon.output import as_json, cell, pairs, table
from screens.text.format import coarse_span, several
from store.intune.restore_records import Restore, RestoreItem, RestoreState
from store.model.records import Outcome, Status
from store.runs.restore_review import Review

#: Items that a text names unless all are asked for.
MAX_NAMED: Final = 200
_ACTIONS: Final = ("create", "update", "same", "exists", "blocked", "ambiguous", "left_out", "none")
_ACTION_WORDS: Final = {"left_out": "left out", "none": "without a preview"}
_RESULTS: Final = ("done", "skipped", "failed", "waiting", "left")
_MODES: Final = {"create": "create what is missing", "update": "create what is missing, update what differs"}


# ---- lists


def restores_listing(results: Mapping[int, Counter[str]]) -> Listing[Restore]:
    """The list of restores. `results` has how many items of each became what, by the restore's id."""

    def became(one: Restore) -> Counter[str]:
        return results.get(one.id, Counter())

    return Listing(
        (
            Column("id", "RESTORE", lambda one: one.id, is_number=True),
            Column("status", "STATE", state, paint=lambda one: colours.of_word(one.status.value)),
            Column("backup_set_id", "SET", lambda one: one.backup_set_id, drop=4, is_number=True),
            Column("backup_set", "NAME", lambda one: one.backup_set or "-", drop=6, is_name=True),
            Column("source_tenant", "FROM", lambda one: one.source_tenant, drop=2, is_name=True),
            Column("tenant", "TO", lambda one: one.tenant, drop=1, is_name=True),
            Column("initiator_name", "BY", lambda one: one.initiator_name, drop=7, is_name=True),
            Column("created_at", "PLANNED", lambda one: one.created_at, drop=5),
            Column("results", "RESULTS", lambda one: counted(became(one), _RESULTS), drop=3),
            Column("run_id", "RUN", lambda one: one.run_id, is_wide=True, is_number=True),
            Column("reason", "REASON", lambda one: one.reason, is_wide=True, is_name=True),
        ),
        lambda one: listed_as_json(one, became(one)),
        "No restores.",
        fields=tuple(one.name for one in dataclasses.fields(Restore)),
    )


def listed_as_json(one: Restore, results: Mapping[str, int]) -> dict[str, Any]:
    """A restore of a list as JSON, with how many of its items became what."""
    return {**as_json(one), "results": dict(results)}


def counted(numbers: Mapping[str, int], order: Iterable[str]) -> str:
    """Numbers in words, such as `3 create, 1 blocked`."""
    return ", ".join(f"{numbers[name]} {_ACTION_WORDS.get(name, name)}" for name in order if numbers.get(name)) or "-"


def state(found: Restore) -> str:
    """The state in words; a dry run is called one."""
    words = found.status.value.replace("_", " ")
    return f"{words} (dry run)" if _was_dry(found) else words


def _was_dry(found: Restore) -> bool:
    return found.dry_run and found.status in (*_ENDED, RestoreState.QUEUED, RestoreState.RUNNING)


_ENDED: Final = (RestoreState.COMPLETED, RestoreState.PARTIAL, RestoreState.FAILED)


def restore_name(found: Restore) -> str:
    """A restore in a sentence."""
    return f"restore {found.id}, {cell(found.source_tenant)} → {cell(found.tenant)}"


# ---- one restore


def review_as_json(review: Review, max_age: float) -> dict[str, Any]:
    """The restore with its items, counts and runs, as JSON."""
    return {
        **as_json(review.restore),
        "unresolved_groups": review.unresolved,
        "preview_age": review.preview_age,
        "actions": dict(review.actions),
        "results": dict(review.results),
        "wants": review.wanted,
        "next": coming(review, max_age),
        "runs": as_json(review.runs),
        "items": [item_as_json(one) for one in review.items],
    }


def item_as_json(one: RestoreItem) -> dict[str, Any]:
    """An item as JSON, with what the preview says of it. What was sent is not in it."""
    made: dict[str, Any] = as_json(one)
    del made["intent"]
    return made


def review_text(review: Review, max_age: float, *, every: bool) -> str:
    """How a restore stands, for people: with the items that want attention, or with all."""
    parts = [pairs(_facts(review))]
    if shown := list(review.items) if every else [one for one in review.items if _wants_attention(one)]:
        parts.append(_items_table(shown, len(shown) if every else MAX_NAMED))
    return "\n\n".join([*parts, coming(review, max_age)])


def _wants_attention(one: RestoreItem) -> bool:
    return one.result in ("failed", "waiting") or (one.result is None and not one.is_skipped and one.action in _STUCK)


_STUCK: Final = ("blocked", "ambiguous")


def _facts(review: Review) -> list[tuple[str, object]]:
    found = review.restore
    age = review.preview_age
    return [
        ("Restore", found.id),
        ("State", state(found)),
        ("Backup set", f"{found.backup_set_id} {found.backup_set or ''}".strip()),
        ("From", found.source_tenant),
        ("To", f"{found.tenant} ({found.tenant_name})"),
        ("Mode", _MODES[found.mode]),
        ("Reason", found.reason),
        ("By", found.initiator_name),
        ("Planned", found.created_at),
        ("Groups", f"{review.unresolved} unresolved" if review.unresolved else "decided on"),
        ("Preview", None if age is None else f"{coarse_span(age)} old"),
        ("Items", f"{len(review.items)}: {counted(review.actions, _ACTIONS)}"),
        ("Results", counted(review.results, _RESULTS)),
        ("Agreed to", ", ".join(found.ticks) or None),
        ("Wants", ", ".join(review.wanted) or None),
        ("Undo set", found.undo_set_id),
        *(("" if place else "Runs", run_line(one)) for place, one in enumerate(review.runs)),
    ]


def _items_table(items: Sequence[RestoreItem], most: int) -> str:
    rows = [
        (one.id, label(one.kind), one.name, "left out" if one.is_skipped else one.action, one.result, why(one))
        for one in items[:most]
    ]
    text = table(("ITEM", "KIND", "NAME", "ACTION", "RESULT", "WHY"), rows, right=[0])
    more = len(items) - most
    return f"{text}\n... and {more} more, which --all lists" if more > 0 else text


def why(one: RestoreItem) -> str:
    """Why an item is blocked or ambiguous, or what it failed with; `-` if neither."""
    if one.result_code:
        return f"{one.result_code}: {one.result_message or ''}".rstrip(": ")
    words = [f"{code}: {words}" for code, words in one.reasons]
    words += [f"could be {it['name']} ({it['id']})" for it in _objects(one, "candidates")]
    if one.needs:
        words.append(f"wants {', '.join(one.needs)}")
    return "; ".join(words) or "-"


# ---- one item


def item_text(one: RestoreItem) -> str:
    """One item with its differences and assignments."""
    parts = [pairs(_item_facts(one))]
    if found := _objects(one, "differences"):
        more = one.plan.get("more_differences")
        lines = [f"  {_difference(it)}" for it in found] + ([f"  ... and {more} more"] if more else [])
        parts.append("\n".join(["What differs", *lines]))
    if found := _objects(one, "assignments"):
        parts.append("\n".join(["Assignments", *(f"  {_assignment(it)}" for it in found)]))
    return "\n\n".join(parts)


def _item_facts(one: RestoreItem) -> list[tuple[str, object]]:
    return [
        ("Item", one.id),
        ("Kind", label(one.kind)),
        ("Name", one.name),
        ("Id in the backup", one.external_id),
        ("Id in the target", one.target_id),
        ("Action", one.action),
        ("Chosen", "left out" if one.is_skipped else one.chosen_id),
        ("Only assignments", True if one.plan.get("assignments_only") else None),
        ("Result", one.result),
        ("When", one.done_at),
        ("Request", one.request_id),
        ("Why", why(one)),
    ]


def _objects(one: RestoreItem, name: str) -> list[Mapping[str, Any]]:
    found = one.plan.get(name)
    return [it for it in found if isinstance(it, dict)] if isinstance(found, list) else []


def _difference(one: Mapping[str, Any]) -> str:
    if one.get("words"):
        return cell(one["words"])
    told = " → ".join("nothing" if one.get(name) is None else _value(one[name]) for name in ("old", "new"))
    return cell(f"{one.get('path')}: {told}")


def _value(given: object) -> str:
    return json.dumps(given, ensure_ascii=False)


def _assignment(one: Mapping[str, Any]) -> str:
    because = ": ".join(filter(None, [str(one.get("code") or ""), str(one.get("reason") or "")]))
    return cell(f"{one.get('state')}: {one.get('words')}{f' ({because})' if because else ''}")


# ---- what comes next


def coming(review: Review, max_age: float) -> str:
    """What comes next, in one line with the command. `max_age`: seconds for which a preview can be executed."""
    found = review.restore
    if found.status.is_under_way:
        return f"Run {found.run_id} carries it out: 'opsmon wait {found.run_id}' waits for it."
    if found.status is RestoreState.WAITING_FOR_APPROVAL:
        return f"Next, once it is approved: 'opsmon restore continue {found.id}'."
    if found.status is RestoreState.PREVIEWED:
        return _after_preview(review, max_age)
    return _after_the_end(review) if found.status in _ENDED else _before_preview(review)


def _before_preview(review: Review) -> str:
    id_, run = review.restore.id, review.preview_run
    if review.unresolved:
        return f"Next: 'opsmon restore map {id_}' lists the groups; --map, --skip or --skip-unresolved decides on them."
    if run and run.status is not Status.COMPLETED:
        return f"Run {run.id} previews it: 'opsmon wait {run.id}' waits for it."
    if run and run.outcome is Outcome.FAILED:
        return f"Its preview failed ('opsmon show {run.id}' says why). Next: 'opsmon restore preview {id_}'."
    return f"Next: 'opsmon restore preview {id_}'."


def _after_preview(review: Review, max_age: float) -> str:
    found = review.restore
    if (review.preview_age or 0) > max_age:
        return f"The preview is too old. Next: 'opsmon restore preview {found.id}'."
    if blocked := len(review.blocking):
        skip = f"'opsmon restore choose {found.id} --skip-blocked' leaves them out"
        return f"{several(blocked, 'object')} in the way. Next: {skip}, or mend it and preview again."
    if review.wanted:
        ticks = " ".join(sorted({*found.ticks, *review.wanted}))
        return f"It wants to be agreed to. Next: 'opsmon restore agree {found.id} {ticks}'."
    if not review.left:
        return "Every object is left out: there is nothing to restore."
    name = shlex.quote(cell(found.tenant_name))
    return f"Next: opsmon restore execute {found.id} --tenant-name {name} --reviewed (a dry run; --for-real writes)"


def _after_the_end(review: Review) -> str:
    found = review.restore
    again = f"'opsmon restore preview {found.id}'"
    if found.dry_run:
        return f"A dry run: nothing was written. Next: {again}, and then execute with --for-real."
    back = ""
    if found.undo_set_id is not None:
        command = f"opsmon restore plan {found.undo_set_id} --tenant {found.tenant} --update"
        back = f" The way back for what was overwritten: '{command}'."
    if any(one.result in (None, "failed") for one in review.items):
        return f"Not everything is done. Next: {again} looks at the rest.{back}"
    return f"It is done.{back}"


# ---- what an execution would do


def impact(review: Review) -> str:
    """What would be done, in one line."""
    left = Counter(one.action or "none" for one in review.left)
    done = counted(left, _ACTIONS)
    skipped = len([one for one in review.items if one.is_skipped])
    more = f", {skipped} left out" if skipped else ""
    return f"in {cell(review.restore.tenant_name)}: {done}{more}"
