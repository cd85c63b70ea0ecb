"""What executing a restore would do, in numbers and in sentences, and what is still missing before it may. Pure functions."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from screens.restores import words
from screens.text import format as fmt
from screens.text.safe import clean
from screens.text.times import AGES, TimeStyle
from store.intune.restore_records import Restore, RestoreItem, RestoreState, blocking, left_to_do

#: Actions that write an object.
_WRITES: Final = ("create", "update")


@dataclass(frozen=True, slots=True)
class Impact:
    """Numbers of objects, by what becomes of them, and of the assignments of those that are written."""

    made: int = 0
    changed: int = 0
    #: The same already, or there already while only what is missing is made.
    as_they_are: int = 0
    #: A person left them out.
    skipped: int = 0
    blocked: int = 0
    #: Something became of them before.
    ended: int = 0
    #: By `kept`, `skipped` and `failed`.
    assignments: Mapping[str, int] = field(default_factory=dict)
    #: How many of them are for all users or all devices.
    everybody: int = 0
    #: Which objects are written, as (id, action).
    written: frozenset[tuple[int, str | None]] = frozenset()
    #: How many objects want which tick that nobody gave.
    wanted: Mapping[str, int] = field(default_factory=dict)

    @property
    def left(self) -> int:
        """What an execution would carry out."""
        return self.made + self.changed + self.as_they_are


def impact_of(restore: Restore, items: Sequence[RestoreItem]) -> Impact:
    """The impact of executing a restore that has these items."""
    left, blocked = left_to_do(items), blocking(items)
    actions = Counter(one.action for one in left)
    written = [one for one in left if one.action in _WRITES]
    return Impact(
        made=actions["create"],
        changed=actions["update"],
        as_they_are=actions["same"] + actions["exists"],
        skipped=sum(one.is_skipped and one.result is None for one in items),
        blocked=len(blocked),
        ended=sum(one.result is not None for one in items),
        assignments=Counter(state for one in written for state in _states(one)),
        everybody=sum(one.reaches_everybody for one in written),
        written=frozenset((one.id, one.action) for one in written),
        wanted=Counter(need for one in left for need in set(one.needs) - set(restore.ticks)),
    )


def is_another(before: tuple[Restore, Impact], now: tuple[Restore, Impact]) -> bool:
    """Whether what was reviewed before is not what would be executed now. Who gives a tick changes nothing of it."""
    (old, old_impact), (new, new_impact) = before, now
    was, is_ = (replace(one, wanted={}) for one in (old_impact, new_impact))
    return (old.previewed_at, old.status, was) != (new.previewed_at, new.status, is_)


def _states(item: RestoreItem) -> Iterator[str]:
    """What becomes of each assignment of an item."""
    found = item.plan.get("assignments")
    for one in found if isinstance(found, list) else []:
        if isinstance(one, dict):
            yield str(one.get("state"))


# ---- sentences


def lines(
    restore: Restore, impact: Impact, now: dt.datetime, ascii_only: bool, times: TimeStyle = AGES
) -> Iterator[tuple[str, str]]:
    """What executing the restore would do, as sentences with their styles."""
    name = clean(restore.tenant_name).strip()
    yield f"Restore {restore.id}: {words.set_name(restore)}, {words.way(restore, ascii_only)} ({name}).", "bold"
    yield f"{_objects(impact)}.", "failed" if impact.blocked else ""
    yield f"Assignments: {_assignments(impact)}.", "partial" if impact.assignments.get("failed") else ""
    yield _everybody(impact, name), "warn" if impact.everybody else ""
    yield _first(impact), ""
    yield words.made(restore, now, times), "quiet"


def _objects(impact: Impact) -> str:
    told = [f"{impact.made:,} will be made", f"{impact.changed:,} changed", f"{impact.as_they_are:,} left as they are"]
    told += [f"{impact.skipped:,} skipped", f"{impact.blocked:,} blocked"]
    return ", ".join([*told, *([f"{impact.ended:,} done before"] if impact.ended else [])])


def _assignments(impact: Impact) -> str:
    return ", ".join(f"{impact.assignments.get(state, 0):,} {state}" for state in ("kept", "skipped", "failed"))


def _everybody(impact: Impact, tenant: str) -> str:
    if not impact.everybody:
        return f"Reaches everybody in {tenant}: no."
    return f"Reaches everybody in {tenant}: yes, {fmt.several(impact.everybody, 'object')}."


def _first(impact: Impact) -> str:
    if not impact.changed:
        return "It overwrites nothing."
    return f"Before the first write, a backup set is made of the {fmt.several(impact.changed, 'object')} it overwrites."


def meaning(tick: str, number: int, tenant: str) -> str:
    """What one agrees to by a tick that so many objects want."""
    many = fmt.several(number, "object")
    told = {
        "everybody": f"{many} will reach all users or all devices of {tenant}.",
        "no_actions": f"{many}: without actions in the backup, so 'mark as not compliant' at once.",
        "downgrade": f"{many}: made as a plain policy, since {tenant} does not know the template.",
    }
    return told.get(tick, many)


# ---- what is missing


@dataclass(frozen=True, slots=True)
class Given:
    """What a person has ticked and typed so far."""

    ticks: frozenset[str] = frozenset()
    reviewed: bool = False
    tenant_name: str = ""
    dry_run: bool = True


def is_named(restore: Restore, typed: str) -> bool:
    """Whether that is the name of the target tenant, as it is or as a screen shows it."""
    return bool(typed.strip()) and typed.strip() in (restore.tenant_name.strip(), clean(restore.tenant_name).strip())


def in_the_way(restore: Restore, impact: Impact, now: dt.datetime, max_age: float) -> str | None:
    """Why the restore cannot be executed as it stands; None if it can. `max_age`: seconds that a preview holds."""
    if restore.status is not RestoreState.PREVIEWED:
        state = restore.status.value.replace("_", " ")
        return f"Restore {restore.id} is {state}, and not previewed any more."
    age = (now - (restore.previewed_at or now)).total_seconds()
    if age > max_age:
        return f"The preview is {age / 3600:.0f} h old: esc, and p makes another."
    if impact.blocked:
        return f"{fmt.several(impact.blocked, 'object')} blocked: esc, and b shows them."
    return None if impact.left else "Every object is left out: there is nothing to restore."


def missing(restore: Restore, impact: Impact, given: Given) -> str | None:
    """What a person has still to tick or to type; None if nothing."""
    if open_ := set(impact.wanted) - given.ticks:
        what = "the tick that it wants" if len(open_) == 1 else f"the {len(open_)} ticks that it wants"
        return f"Give {what}, or leave these objects out."
    if not given.reviewed:
        return "Tick 'I reviewed the impact'."
    if not is_named(restore, given.tenant_name):
        return "Type the name of the tenant exactly."
    return None
