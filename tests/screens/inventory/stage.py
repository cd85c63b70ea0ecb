"""An inventory for the screens to look at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from store.intune.browsed import (
    Found,
    Kinds,
    KindState,
    KindsWanted,
    ListedPolicy,
    Place,
    PoliciesWanted,
    PolicyDetail,
    PolicyPage,
    PolicyWanted,
    Version,
    VersionState,
    Wanted,
)
from store.model.records import Count
from store.people.access import Membership, Role
from tests.screens.conftest import CONTOSO, HOSTILE, FakeBackend, ago

KIND = "configuration_policies"
DAY = 86_400
#: 230 letters, right-to-left letters, an emoji.
LONG = "Baseline " + "x" * 221
HEBREW = "מדיניות ציות"
EMOJI = "🔒 BitLocker 👩‍💻"
GROUPS = {"g1": "Sales", "g2": "Interns", "g3": HOSTILE, "g4": LONG}
FILTERS = {"f1": "Corporate devices"}


def target(type_: str, group: str = "", filter_: str = "", mode: str = "include", **more: Any) -> dict[str, Any]:
    """An assignment as Microsoft Graph gives it."""
    made: dict[str, Any] = {"@odata.type": f"#microsoft.graph.{type_}AssignmentTarget"}
    if group:
        made["groupId"] = group
    if filter_:
        made["deviceAndAppManagementAssignmentFilterId"] = filter_
        made["deviceAndAppManagementAssignmentFilterType"] = mode
    return {"id": f"{type_}{group}", "target": made, **more}


TARGETS = (
    target("group", "g1", "f1"),
    target("exclusionGroup", "g2"),
    target("allDevices", filter_="f9", mode="exclude"),
    target("group", "unknown-group-id"),
)
KINDS = Kinds(
    CONTOSO,
    (
        KindState(KIND, 412, 3, ago(240)),
        KindState("scripts", 17, 0, ago(240)),
        KindState("mobile_apps", 1_204, 0, ago(3 * DAY)),
        KindState(f"z {HOSTILE}", 1, 1, ago(40 * DAY)),
    ),
)


def listed(id_: int, name: str = "", *targets: dict[str, Any], **changed: Any) -> ListedPolicy:
    made = ListedPolicy(id_, name or f"Policy {id_}", "windows10", ago(240), None, "whole", targets)
    return replace(made, **changed)


POLICIES = (
    listed(1, "BitLocker", *TARGETS),
    listed(2, "Defender", target("allDevices"), completeness="secret_unreadable"),
    listed(3, EMOJI, target("group", "g1"), completeness="content_missing", platform="iOS"),
    listed(4, HEBREW, completeness="assignments_unknown", assignments=None, platform=None),
    listed(5, HOSTILE, target("group", "g3"), completeness="reference_lost", platform=HOSTILE),
    listed(6, LONG, target("group", "g4"), target("exclusionGroup", "g2")),
    listed(7, "Only listed", completeness=None, assignments=None),
    listed(8, "Old VPN", target("group", "g1"), missing_since=ago(30 * DAY), last_seen_at=ago(31 * DAY)),
    listed(9, "Wi-Fi"),
)
PAGE = PolicyPage(CONTOSO, POLICIES, Count(len(POLICIES)), None, GROUPS)

BODY = {
    "@odata.type": "#microsoft.graph.deviceManagementConfigurationPolicy",
    "name": "BitLocker",
    "platforms": "windows10",
    "settings": [{"id": "0", "settingInstance": {"value": "on"}}, {"id": "1", "settingInstance": {"value": HOSTILE}}],
    HOSTILE: LONG,
}


def version(id_: int, body: Any = None, **changed: Any) -> Version:
    state = VersionState(id_, ago((10 - id_) * DAY), ago((10 - id_) * DAY - 600), changed.pop("completeness", "whole"))
    return replace(Version(state, f"hash {id_}", TARGETS, (), body), **changed)


GAPS = ({"code": "content_missing", "detail": "settings: 50 of 61"}, {"code": "secret_unreadable", "detail": HOSTILE})
OLD = {**BODY, "settings": BODY["settings"][:1], "description": "old"}
NEWEST = version(7, BODY, gaps=GAPS, completeness="content_missing")
BEFORE = version(6, OLD, assignments=TARGETS[:1])


def policy(*versions: Version, **changed: Any) -> PolicyDetail:
    """A policy; `versions` are the newest first. The first one is shown."""
    shown, before = [*versions, None, None][:2]
    made = PolicyDetail(
        CONTOSO, 1, KIND, "0f0e8a1c-0000-4000-8000-000000000001", "BitLocker", "Encrypts what is carried about.",
        "windows10", {"id": "1", "name": "BitLocker"}, ago(2 * DAY), ago(9 * DAY), ago(240), None,
        tuple(one.state for one in versions), False, shown, replace(before, body=None) if before else None, GROUPS, FILTERS,
    )  # fmt: skip
    return replace(made, **changed)


MANY = tuple(version(id_, BODY) for id_ in range(5, 0, -1))
POLICY = policy(NEWEST, BEFORE, *MANY)


def stage(*more: tuple[Wanted, Found | None], **changed: Any) -> FakeBackend:
    """A backend with this inventory. `more` replaces what is found, or with None takes it away."""
    found: dict[Wanted, Any] = {
        KindsWanted("contoso"): KINDS,
        PoliciesWanted("contoso", KIND): PAGE,
        PolicyWanted(1): POLICY,
        PolicyWanted(1, compared=True): replace(POLICY, before=BEFORE),
        PolicyWanted(1, 6): policy(BEFORE, *MANY, versions=POLICY.versions),
        PolicyWanted(1, 6, True): replace(policy(BEFORE, *MANY, versions=POLICY.versions), before=MANY[0]),
        **dict(more),
    }
    member = changed.pop("members", (Membership(CONTOSO, Role.OWNER),))
    return FakeBackend(inventory={wanted: one for wanted, one in found.items() if one}, members=member, **changed)


def pages(count: int) -> tuple[tuple[Wanted, Found], ...]:
    """So many pages of three policies each."""
    found: list[tuple[Wanted, Found]] = []
    after: Place | None = None
    for number in range(count):
        ids = range(10 * number + 1, 10 * number + 4)
        following = Place(f"policy {ids[-1]}", ids[-1]) if number < count - 1 else None
        page = PolicyPage(CONTOSO, tuple(map(listed, ids)), Count(3 * count), following)
        found.append((PoliciesWanted("contoso", KIND, after=after), page))
        after = following
    return tuple(found)
