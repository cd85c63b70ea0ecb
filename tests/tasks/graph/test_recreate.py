"""The requests that make, change and assign an object, rule by rule. See test_recreate_parts.py for those of its parts, and
test_recreate_round_trip.py for their effect.
"""

from __future__ import annotations

from typing import Any

import pytest

from tasks.graph.recreate import Write, assign, change, creation
from tasks.graph.resources import BY_NAME, KINDS
from tests.tasks.graph.bodies import FILTER_ID, FILTER_TYPE, G1, ZERO, to_group, typed

SETTING = {"settingInstance": {"settingDefinitionId": "a"}}


def made(kind: str, **body: Any) -> list[Write]:
    return creation(BY_NAME[kind], body)


def changed(kind: str, target: dict[str, Any], **body: Any) -> list[Write]:
    return change(BY_NAME[kind], body, {"id": "t1", **target})


def told(writes: list[Write]) -> list[tuple[str, str, str, bool]]:
    return [(write.method, write.path, write.part, write.repeatable) for write in writes]


# ---- settings catalog, reusable settings, Linux


def test_a_settings_catalog_policy_goes_whole_at_once_and_is_replaced_by_put() -> None:
    body = {"name": "x", "platforms": "windows10", "technologies": "mdm", "settings": [{"id": "0", **SETTING}]}
    (write,) = made("configuration_policies", **body)
    assert write == Write(
        "POST", "/deviceManagement/configurationPolicies", {**body, "settings": [SETTING]}, "", repeatable=False
    )
    (put,) = changed("configuration_policies", {"settings": []}, **body)
    assert (put.method, put.path, put.body) == ("PUT", "/deviceManagement/configurationPolicies/t1", write.body)
    (put,) = changed("reusable_settings", {}, displayName="x", settingInstance={})
    assert (put.method, put.path) == ("PUT", "/deviceManagement/reusablePolicySettings/t1")


def rules(**action: Any) -> list[dict[str, Any]]:
    element = {"id": "c", "actionType": "block", "notificationTemplateId": ZERO, **action}
    return [{"id": "r", "ruleName": None, "scheduledActionConfigurations": [element]}]


CLEAN = [
    {
        "ruleName": None,
        "scheduledActionConfigurations": [
            {"actionType": "block", "notificationTemplateId": ZERO, "notificationMessageCCList": []}
        ],
    }
]


def test_actions_of_linux_follow_when_it_is_made_and_when_it_is_changed() -> None:
    body = {"name": "x", "settings": [SETTING], "scheduledActionsForRule": rules(notificationMessageCCList=None)}
    first, actions = made("linux_compliance_policies", **body)
    assert "scheduledActionsForRule" not in first.body
    assert actions.path == "/deviceManagement/compliancePolicies/{id}/setScheduledActions"
    assert (actions.body, actions.part) == ({"scheduledActions": CLEAN}, "scheduledActionsForRule")
    assert actions.repeatable
    assert told(changed("linux_compliance_policies", {}, **body)) == [
        ("PUT", "/deviceManagement/compliancePolicies/t1", "", True),
        ("POST", "/deviceManagement/compliancePolicies/t1/setScheduledActions", "scheduledActionsForRule", True),
    ]


def test_rules_of_compliance_are_made_with_the_policy_and_changed_by_their_action() -> None:
    windows = typed("windows10CompliancePolicy", displayName="x")
    body = {**windows, "scheduledActionsForRule": rules(notificationMessageCCList=None)}
    (write,) = made("compliance_policies", **body)
    assert write.body == {**windows, "scheduledActionsForRule": CLEAN}
    patch, actions = changed("compliance_policies", windows, **body)
    assert (patch.method, patch.body) == ("PATCH", windows)
    assert actions.path == "/deviceManagement/deviceCompliancePolicies/t1/scheduleActionsForRules"
    assert actions.body == {"deviceComplianceScheduledActionForRules": CLEAN}


def test_lists_of_rules_that_are_null_are_empty_and_no_action_is_invented() -> None:
    windows = typed("windows10CompliancePolicy", displayName="x")
    (write,) = made("compliance_policies", **windows, scheduledActionsForRule=None)
    assert write.body["scheduledActionsForRule"] == []
    without = [{"ruleName": "x", "scheduledActionConfigurations": None}]
    (write,) = made("compliance_policies", **windows, scheduledActionsForRule=without)
    assert write.body["scheduledActionsForRule"] == [{"ruleName": "x", "scheduledActionConfigurations": []}]
    (write,) = made("compliance_policies", **windows)
    assert "scheduledActionsForRule" not in write.body
    assert len(changed("compliance_policies", windows, **windows)) == 1, "rules that were not read are left alone"


# ---- device configurations


def test_a_change_of_an_update_ring_neither_pauses_nor_rolls_back() -> None:
    ring = typed("windowsUpdateForBusinessConfiguration", displayName="x")
    states = {
        f"{updates}Updates{what}": "x"
        for updates in ("quality", "feature")
        for what in ("PauseStartDate", "PauseExpiryDateTime", "WillBeRolledBack", "RollbackStartDateTime")
    }
    (write,) = changed("device_configurations", ring, **ring, **states, qualityUpdatesDeferralPeriodInDays=3)
    assert write.body == {**ring, "qualityUpdatesDeferralPeriodInDays": 3}


def test_an_object_keeps_its_type() -> None:
    ios = typed("iosGeneralDeviceConfiguration", displayName="x")
    with pytest.raises(ValueError, match="another type"):
        changed("device_configurations", typed("windows10GeneralConfiguration"), **ios)
    (write,) = changed("device_configurations", typed("iosGeneralDeviceConfiguration"), displayName="x")
    assert write.body == ios


# ---- scripts, filters, enrollment


@pytest.mark.parametrize(
    ("kind", "fixed"),
    [
        ("custom_attributes", {"customAttributeName": "a", "customAttributeType": "string"}),
        ("assignment_filters", {"platform": "iOS", "assignmentFilterManagementType": "devices"}),
        ("enrollment_configurations", {"priority": 2}),
    ],
)
def test_what_is_fixed_at_creation_is_not_changed(kind: str, fixed: dict[str, Any]) -> None:
    body = {"displayName": "x", **fixed}
    (write,) = made(kind, **body)
    assert write.body == body
    (patch,) = changed(kind, {}, **body)
    assert patch.body == {"displayName": "x"}


# ---- assignments


def test_one_request_replaces_the_assignments() -> None:
    filtered = {FILTER_ID: "f1", FILTER_TYPE: "include"}
    given_ = [
        {"id": "a1", "source": "direct", "sourceId": "1", "intent": "apply", **to_group(G1, **filtered)},
        {"target": typed("exclusionGroupAssignmentTarget", groupId="g2", **{FILTER_ID: ZERO, FILTER_TYPE: "none"})},
        {"target": typed("allDevicesAssignmentTarget", **{FILTER_ID: None, FILTER_TYPE: "none"})},
        {"target": typed("groupAssignmentTarget", groupId="g3", groupName="Pilot", groupType="StaticMembership")},
    ]
    write = assign(BY_NAME["configuration_policies"], {"id": "1"}, given_)
    assert write is not None
    assert told([write]) == [("POST", "/deviceManagement/configurationPolicies/1/assign", "assignments", True)]
    assert write.body["assignments"] == [
        {"intent": "apply", **to_group(G1, **filtered)},
        {"target": typed("exclusionGroupAssignmentTarget", groupId="g2")},
        {"target": typed("allDevicesAssignmentTarget")},
        to_group("g3"),
    ]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_key_of_the_assignments_is_that_of_the_kind(kind: Any) -> None:
    write = assign(kind, {"id": "1"}, [])
    assert (write and dict(write.body)) == ({kind.assign: []} if kind.assign else None)


def test_an_app_is_assigned_with_intent_and_settings_and_protection_at_the_path_of_its_type() -> None:
    app = typed("mobileAppAssignment", intent="required", settings=typed("winGetAppAssignmentSettings"), **to_group(G1))
    write = assign(BY_NAME["mobile_apps"], {"id": "1"}, [{"id": "a", **app}])
    assert write is not None
    assert write.body == {"mobileAppAssignments": [app]}
    write = assign(BY_NAME["managed_app_policies"], {"id": "1", **typed("iosManagedAppProtection")}, [to_group(G1)])
    assert write is not None
    assert write.path == "/deviceAppManagement/iosManagedAppProtections/1/assign"


def test_an_assignment_of_a_policy_set_does_not_become_a_direct_one() -> None:
    with pytest.raises(ValueError, match="policy set"):
        assign(BY_NAME["scripts"], {"id": "1"}, [{"source": "policySets", "sourceId": "ps1", **to_group(G1)}])
