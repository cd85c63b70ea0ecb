"""Backup sets for the screens to look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from screens.backend import Backend
from store.intune.backup_page import BackupItemDetail, BackupsFound, BackupsWanted, ItemWanted
from store.intune.backup_records import BackupItem, BackupKind, ItemReference
from store.intune.backup_sets import BackupSet, BackupSetDetail, BackupSets, ListedItem, Place, SetsWanted, SetWanted
from store.people.access import Membership, Role
from tasks.dispatch import Dispatcher
from tasks.operations.backup_set import add_policies, create
from tasks.sdk.registry import Registry
from tests.screens.conftest import CONTOSO, HOSTILE, FakeBackend, OnlyARegistry, ago
from tests.screens.inventory.stage import BODY, DAY, EMOJI, HEBREW, LONG, TARGETS, target

REGISTRY = Registry.of([create, add_policies])
KINDS = next(one.choices for one in REGISTRY.get("backup_set.create").parameters if one.name == "kinds")


class HasBackups(OnlyARegistry):
    registry = REGISTRY


class BackupsBackend(FakeBackend):
    """A backend that knows the operations on backup sets."""

    def backend(self, dispatcher: Callable[[], Dispatcher] | None = None) -> Backend:
        return super().backend(dispatcher or _dispatcher)


def _dispatcher() -> Any:
    return HasBackups()


def a_set(id_: int, name: str = "", **changed: Any) -> BackupSet:
    """A complete set of all kinds."""
    made = BackupSet(
        id_, 1, "contoso", name or f"Nightly {id_}", "graph", "System", 900 + id_, False, 3, {"kinds": list(KINDS)},
        ago(DAY * (20 - id_)), ago(DAY * (20 - id_) - 90), None, {"whole": 412}, len(KINDS), 0,
    )  # fmt: skip
    return replace(made, **changed)


COMPLETE = a_set(12, "Before the change", initiator_name="Ann Alba", schedule_id=None, sealed_by="drift run 12")
LACKING = a_set(13, items={"whole": 409, "secret_unreadable": 2, "content_missing": 1})
INCOMPLETE = a_set(14, items={"whole": 1_398, "reference_lost": 6}, failed_kinds=2, created_at=ago(4 * 3600))
UNFINISHED = a_set(15, completed_at=None, items={"whole": 20}, kinds=3, created_at=ago(3 * 3600))
MAKING = a_set(16, "Only scripts", completed_at=None, is_active=True, kinds=1, items={}, created_at=ago(20))
NARROW = a_set(
    11, EMOJI, kinds=2, items={"whole": 3}, selection={"kinds": ["scripts"], "filter": "VPN*"}, initiator_name="Bob"
)
IMPORTED = a_set(10, HEBREW, source="import", run_id=None, schedule_id=None, selection={}, sealed_by="restore run 4")
ODD = a_set(9, HOSTILE, initiator_name=HOSTILE, sealed_by=HOSTILE, items={"whole": 1_234_567})
BIG = a_set(8, LONG, run_id=None)
SETS = BackupSets(
    CONTOSO, (MAKING, UNFINISHED, INCOMPLETE, LACKING, COMPLETE, NARROW, IMPORTED, ODD, BIG), has_more=False
)

SALES = {"kind": "groups", "id": "g1", "name": "Sales"}
GAPS = ({"code": "content_missing", "detail": "settings: 50 of 61"}, {"code": "secret_unreadable", "detail": "psk"})


def listed(id_: int, name: str = "", *targets: dict[str, Any], **changed: Any) -> ListedItem:
    made = ListedItem(
        id_, "configuration_policies", f"id {id_}", name or f"Policy {id_}", "windows10", "whole", (), targets, (SALES,)
    )
    return replace(made, **changed)


ITEMS = (
    listed(1, "BitLocker", *TARGETS),
    listed(2, "Defender", target("allDevices"), completeness="content_missing", gaps=GAPS),
    listed(3, EMOJI, target("group", "g1"), completeness="secret_unreadable", gaps=GAPS[1:], platform="iOS"),
    listed(4, HEBREW, completeness="assignments_unknown", assignments=None, platform=None, kind="mobile_apps"),
    listed(
        5, HOSTILE, target("group", "g1"), kind=f"z {HOSTILE}", completeness="reference_lost",
        gaps=({"code": "reference_lost", "detail": HOSTILE},), platform=HOSTILE,
    ),
    listed(6, LONG, target("group", "g9"), kind="scripts"),
    listed(7, "Wi-Fi", kind="scripts", platform="androidWorkProfile"),
)  # fmt: skip
REFUSED = "Microsoft Graph refused: DeviceManagementScripts.Read.All is missing"
STATES = (
    BackupKind("configuration_policies", 5, 5),
    BackupKind("mobile_apps", 900, 812, "graph.unreadable", "88 objects could not be read"),
    BackupKind("scripts", 0, 0, "graph.forbidden", REFUSED),
    BackupKind("health_scripts", 0, 0, "graph.forbidden", REFUSED),
)
DETAIL = BackupSetDetail(replace(INCOMPLETE, kinds=4, failed_kinds=3), STATES, ITEMS, has_more=False)
WHOLE = BackupSetDetail(COMPLETE, tuple(BackupKind(kind, 3, 3) for kind in KINDS), ITEMS[:1], has_more=False)

ITEM = BackupItem(
    "configuration_policies",
    "0f0e8a1c-0000-4000-8000-000000000001",
    "BitLocker",
    "windows10",
    BODY,
    "content",
    "canonical",
    list(TARGETS),
    "hash",
    (
        ItemReference("groups", "g1", "Sales"),
        ItemReference("groups", "g2", HOSTILE),
        ItemReference("groups", "unknown-group-id"),
        ItemReference("assignment_filters", "f1", "Corporate devices"),
    ),
    [("content_missing", "settings: 50 of 61"), ("reference_lost", "the group unknown-group-id")],
)
ONE = BackupItemDetail(2, INCOMPLETE, ITEM)


def stage(*more: tuple[BackupsWanted, BackupsFound | None], **changed: Any) -> BackupsBackend:
    """A backend with these sets. `more` replaces what is found, or with None takes it away."""
    found: dict[BackupsWanted, Any] = {
        SetsWanted("contoso"): SETS,
        **{SetWanted(one.id): replace(DETAIL, found=one, kinds=WHOLE.kinds) for one in SETS.sets},
        SetWanted(14): DETAIL,
        SetWanted(12): WHOLE,
        **{ItemWanted(id_): replace(ONE, id=id_) for id_ in range(1, 8)},
        **dict(more),
    }
    member = changed.pop("members", (Membership(CONTOSO, Role.OWNER),))
    return BackupsBackend(backups={wanted: one for wanted, one in found.items() if one}, members=member, **changed)


def pages(count: int) -> tuple[tuple[BackupsWanted, BackupsFound], ...]:
    """So many pages of three items each, of set 14."""
    found: list[tuple[BackupsWanted, BackupsFound]] = []
    after: Place | None = None
    for number in range(count):
        ids = range(10 * number + 1, 10 * number + 4)
        following = ("configuration_policies", f"policy {ids[-1]}", ids[-1]) if number < count - 1 else None
        page = BackupSetDetail(INCOMPLETE, STATES, tuple(map(listed, ids)), following is not None, following)
        found.append((SetWanted(14, after=after), page))
        after = following
    return tuple(found)
