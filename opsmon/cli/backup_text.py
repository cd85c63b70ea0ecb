"""Formats backup sets as plain text and as JSON for the commands."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from opsmon.cli import colours
from opsmon.cli.kind_names import label
from opsmon.listing import Column, Listing
from opsmon.output import as_json, cell, pairs, table
from store.intune.backup_records import BackupKind
from store.intune.backup_sets import BackupSet, ListedItem

#: Items with something missing that a text names; JSON has all.
MAX_NAMED: Final = 200
_STATES: Final = {
    "making": "making: its run is still active",
    "unfinished": "unfinished: not everything that was asked for was looked at",
    "incomplete": "incomplete: not everything that was asked for could be read",
    "complete": "complete",
}


@dataclass(frozen=True, slots=True)
class ShownSet:
    """A set as `opsmon backups show` shows it: all of it, or one kind."""

    found: BackupSet
    kinds: Sequence[BackupKind]
    #: Names of the kinds that were not looked at.
    not_looked_at: Sequence[str]
    items: Sequence[ListedItem]


def set_as_json(found: BackupSet) -> dict[str, Any]:
    """The set as JSON, with its state."""
    made: dict[str, Any] = as_json(found)
    return made | {"state": found.state}


def gaps_in(found: BackupSet) -> int:
    """How many of its items are not whole."""
    return sum(number for completeness, number in found.items.items() if completeness != "whole")


#: The list of backup sets.
SETS: Final[Listing[BackupSet]] = Listing(
    (
        Column("id", "SET", lambda one: one.id, is_number=True),
        Column("tenant", "TENANT", lambda one: one.tenant, drop=1, is_name=True),
        Column("name", "NAME", lambda one: one.name or "-", drop=5, is_name=True),
        Column("state", "STATE", lambda one: one.state, paint=lambda one: colours.of_word(one.state)),
        Column("items", "ITEMS", lambda one: sum(one.items.values()), drop=3, is_number=True),
        Column("not_whole", "NOT WHOLE", gaps_in, drop=4, is_number=True),
        Column("created_at", "MADE", lambda one: one.created_at, drop=2),
        Column("completed_at", "FINISHED", lambda one: one.completed_at, is_wide=True),
        Column("initiator_name", "BY", lambda one: one.initiator_name, drop=6, is_name=True),
        Column("sealed_by", "STANDS ON IT", lambda one: one.sealed_by, drop=7, is_name=True),
        Column("source", "SOURCE", lambda one: one.source, is_wide=True),
        Column("run_id", "RUN", lambda one: one.run_id, is_wide=True, is_number=True),
        Column("schedule_id", "SCHEDULE", lambda one: one.schedule_id, is_wide=True, is_number=True),
    ),
    set_as_json,
    "No backup sets.",
    fields=(*(one.name for one in dataclasses.fields(BackupSet)), "state"),
)


def shown_as_json(shown: ShownSet) -> dict[str, Any]:
    """The set, its kinds, and all its items, as JSON. `items` are objects here, and `numbers` how many of each completeness."""
    whole = set_as_json(shown.found)
    numbers = {"numbers": whole.pop("items"), "looked_at": whole.pop("kinds")}
    kinds = [{**as_json(one), "label": label(one.kind)} for one in shown.kinds]
    return {
        **whole,
        **numbers,
        "kinds": kinds,
        "not_looked_at": list(shown.not_looked_at),
        "items": as_json(shown.items),
    }


def shown_text(shown: ShownSet) -> str:
    """The same as text for people."""
    parts = [pairs(_facts(shown.found))]
    if shown.kinds:
        parts.append(_kinds_table(shown.kinds))
    if shown.not_looked_at:
        parts.append("Not looked at\n  " + ", ".join(map(label, shown.not_looked_at)))
    if missing := [one for one in shown.items if one.completeness != "whole"]:
        parts.append(_missing(missing))
    return "\n\n".join(parts)


def _facts(found: BackupSet) -> list[tuple[str, object]]:
    return [
        ("Backup set", found.id),
        ("Name", found.name or "-"),
        ("Tenant", found.tenant),
        ("State", _STATES[found.state]),
        ("Items", _numbers(found)),
        ("From", "a folder" if found.source == "import" else "Microsoft Graph"),
        ("Made", found.created_at),
        ("Finished", found.completed_at),
        ("By", found.initiator_name),
        ("Run", found.run_id),
        ("Schedule", found.schedule_id),
        ("Stands on it", found.sealed_by),
    ]


def _numbers(found: BackupSet) -> str:
    gaps = gaps_in(found)
    return f"{sum(found.items.values())}, not whole: {gaps}" if gaps else str(sum(found.items.values()))


def _kinds_table(kinds: Sequence[BackupKind]) -> str:
    rows = [(label(one.kind), one.found, one.kept, _asked(one), _failure(one)) for one in kinds]
    return table(("KIND", "FOUND", "KEPT", "ASKED FOR", "FAILURE"), rows, right=[1, 2])


def _asked(kind: BackupKind) -> str:
    return "chosen" if kind.narrowed else "all"


def _failure(kind: BackupKind) -> str:
    return f"{kind.failure_code}: {kind.failure_message or ''}" if kind.failure_code else ""


def _missing(items: Sequence[ListedItem]) -> str:
    rows = [(label(one.kind), one.name, one.external_id, _reasons(one)) for one in items[:MAX_NAMED]]
    more = len(items) - MAX_NAMED
    text = table(("NOT WHOLE", "NAME", "ID", "WHY"), rows)
    return f"{text}\n... and {more} more, which --json lists" if more > 0 else text


def _reasons(item: ListedItem) -> str:
    """What is missing of it: codes with details, of which one item may have many."""
    texts = [": ".join(filter(None, _words(gap))) for gap in item.gaps if isinstance(gap, dict)]
    return cell("; ".join(texts) or item.completeness)


def _words(gap: dict[str, Any]) -> tuple[str, str]:
    return str(gap.get("code") or "").replace("_", " "), str(gap.get("detail") or "")
