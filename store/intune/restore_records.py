"""What a restore, its items and the decisions on its groups are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal

from store.intune.backup_records import BackupItem

#: Only what is missing is created; or what differs is updated, too.
Mode = Literal["create", "update"]
MODES: Final[tuple[Mode, ...]] = ("create", "update")
#: What a person agrees to by a tick of its own: what reaches everybody in another tenant, actions of a compliance policy
#: that the backup does not have, and a security baseline that becomes a plain policy.
Tick = Literal["everybody", "no_actions", "downgrade"]
TICKS: Final[tuple[Tick, ...]] = ("everybody", "no_actions", "downgrade")


class RestoreState(StrEnum):
    """The state of a restore. From QUEUED on it is that of the run that carries it out."""

    DRAFT = "draft"
    SCOPED = "scoped"
    CHECKED = "checked"
    PREVIEWED = "previewed"
    QUEUED = "queued"
    RUNNING = "running"
    WAITING_FOR_APPROVAL = "waiting_for_approval"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"

    @property
    def is_under_way(self) -> bool:
        """Whether a run carries it out, or is about to."""
        return self in (RestoreState.QUEUED, RestoreState.RUNNING)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which items of a backup set are restored."""

    #: Names of kinds; None for all.
    kinds: tuple[str, ...] | None = None
    #: Ids of items of the set; None for all.
    items: tuple[int, ...] | None = None

    def as_json(self) -> dict[str, Any]:
        """The value of the column `scope`."""
        kinds, items = self.kinds, self.items
        return {"kinds": None if kinds is None else sorted(kinds), "items": None if items is None else sorted(items)}


@dataclass(frozen=True, slots=True)
class Restore:
    """A restore of a backup set into a tenant."""

    id: int
    #: Where it writes: the tenant's id, slug and name.
    tenant_id: int
    tenant: str
    tenant_name: str
    #: Where the backup was made.
    source_tenant_id: int
    source_tenant: str
    backup_set_id: int
    backup_set: str
    status: RestoreState
    mode: Mode
    #: It does everything but write. Decided when it is executed.
    dry_run: bool
    #: As JSON: `kinds` and `items`.
    scope: Mapping[str, Any]
    ticks: tuple[str, ...]
    reason: str | None
    initiator_name: str
    #: The run that carries it out, or would, or did last.
    run_id: int | None
    #: The last run that read the target for a preview.
    preview_run_id: int | None
    previewed_at: dt.datetime | None
    #: The backup set of what it has overwritten, as it was before.
    undo_set_id: int | None
    created_at: dt.datetime
    updated_at: dt.datetime

    @property
    def is_same_tenant(self) -> bool:
        """Whether it writes to the tenant that the backup was made of."""
        return self.tenant_id == self.source_tenant_id


@dataclass(frozen=True, slots=True)
class RestoreItem:
    """One object of a restore."""

    id: int
    backup_item_id: int
    kind: str
    external_id: str
    name: str
    #: Its place in the order of the restore.
    position: int
    #: `create`, `update`, `same`, `exists`, `blocked` or `ambiguous`; None before the preview.
    action: str | None
    target_id: str | None
    #: The details of the preview (see tasks/operations/restore/planned.py); empty before it.
    plan: Mapping[str, Any]
    #: An object with `target_id`, or with `skip`; empty if nobody chose.
    choice: Mapping[str, Any]
    #: What is about to be sent, and what of it was carried out; empty if nothing is.
    intent: Mapping[str, Any]
    #: `done`, `skipped`, `failed` or `waiting`; None while nothing became of it.
    result: str | None
    result_code: str | None
    result_message: str | None
    request_id: str | None
    done_at: dt.datetime | None

    @property
    def is_skipped(self) -> bool:
        """Whether a person chose to leave it out."""
        return self.choice.get("skip") is True

    @property
    def chosen_id(self) -> str | None:
        """The object of the target tenant that a person chose."""
        chosen = self.choice.get("target_id")
        return chosen if isinstance(chosen, str) else None

    @property
    def needs(self) -> tuple[str, ...]:
        """The ticks that it wants."""
        needs = self.plan.get("needs")
        return tuple(one for one in needs if isinstance(one, str)) if isinstance(needs, list) else ()

    @property
    def reaches_everybody(self) -> bool:
        """Whether assignments to all users or all devices of the target tenant are kept."""
        return self.plan.get("everybody") is True or "everybody" in self.needs

    @property
    def reasons(self) -> tuple[tuple[str, str], ...]:
        """Why it is blocked or ambiguous, as (code, words)."""
        found = self.plan.get("reasons")
        objects = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
        return tuple((str(one.get("code", "")), str(one.get("words", ""))) for one in objects)


#: What can be executed.
_DOABLE: Final = ("create", "update", "same", "exists")


def left_to_do(items: Iterable[RestoreItem]) -> list[RestoreItem]:
    """The items that an execution would carry out: of which nothing became yet, and which nobody left out."""
    return [one for one in items if one.result is None and not one.is_skipped]


def blocking(items: Iterable[RestoreItem]) -> list[RestoreItem]:
    """The items because of which a restore cannot be executed: blocked, ambiguous or not previewed."""
    return [one for one in left_to_do(items) if one.action not in _DOABLE]


def ticks_wanted(restore: Restore, items: Iterable[RestoreItem]) -> list[str]:
    """The ticks that its items want and that nobody gave, sorted."""
    return sorted({need for one in left_to_do(items) for need in one.needs} - set(restore.ticks))


@dataclass(frozen=True, slots=True)
class Mapped:
    """The decision on a group of the source tenant."""

    #: Its id, in lower case, and the name that it had in the backup.
    source_id: str
    source_name: str | None
    #: In how many items of the restore it is named.
    uses: int
    #: `map`, `skip` or `unresolved`, which blocks.
    decision: Literal["map", "skip", "unresolved"]
    target_id: str | None = None
    target_name: str | None = None
    #: `id`, `name` or `choice`; None if it was not found.
    found_by: str | None = None
    decided_by: str | None = None
    decided_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class WorkItem:
    """An item with what the backup has of it: what a worker goes by."""

    item: RestoreItem
    backup: BackupItem


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """What a preview says of an item."""

    id: int
    position: int
    action: str
    target_id: str | None
    plan: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Work:
    """A restore as a worker carries it out: in the order of its items."""

    restore: Restore
    items: Sequence[WorkItem]
    groups: Sequence[Mapped]
    #: Items of the restore that are not among these: something became of them before.
    others: Sequence[RestoreItem] = ()
    #: All assignment filters of the backup set: what a filter matches tells whether the target has it.
    filters: Sequence[BackupItem] = ()
