"""The requests that make, change and assign an object, rule by rule. See test_recreate_round_trip.py for their effect."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.graph.recreate import Write, assign, change, creation, sendable
from tasks.graph.resources import BY_NAME, KINDS
from tests.support.properties import examples
from tests.tasks.graph.bodies import FILTER_ID, FILTER_TYPE, G1, ZERO, to_group, typed

CONFIGURATIONS = "https://graph.microsoft.com/beta/deviceManagement/deviceConfigurations"
DEFINITION = "https://graph.microsoft.com/beta/deviceManagement/groupPolicyDefinitions('d7')"
SETTING = {"settingInstance": {"settingDefinitionId": "a"}}


def made(kind: str, **body: Any) -> list[Write]:
    return creation(BY_NAME[kind], body)


def changed(kind: str, target: dict[str, Any], **body: Any) -> list[Write]:
    return change(BY_NAME[kind], body, {"id": "t1", **target})


def told(writes: list[Write]) -> list[tuple[str, str, str, bool]]:
    return [(write.method, write.path, write.part, write.repeatable) for write in writes]


# ---- what a body may carry


def test_a_body_with_full_metadata_is_sent_without_it() -> None:
    full = {
        "@odata.context": "https://x",
        "@odata.type": "#microsoft.graph.windows10GeneralConfiguration",
        "id": "1",
        "createdDateTime": "2026-01-01T00:00:00Z",
        "createdDateTime@odata.type": "#DateTimeOffset",
        "lastModifiedDateTime": "2026-01-01T00:00:00Z",
        "version": 3,
        "supportsScopeTags": True,
        "isAssigned": True,
        "assignments": [to_group(G1)],
        "assignments@odata.navigationLink": "https://x",
        "#microsoft.graph.createCopy": {},
        "displayName": "x",
        "description": None,
        "nobodyKnowsThis": {"version": 4, "id": "mine", "deep@odata.type": "#String", "deep": ["a", {"#x": 1, "y": 2}]},
        "other@odata.bind": "https://x",
    }
    before = copy.deepcopy(full)
    assert sendable(BY_NAME["device_configurations"], full) == {
        "@odata.type": "#microsoft.graph.windows10GeneralConfiguration",
        "displayName": "x",
        "description": None,
        "nobodyKnowsThis": {"version": 4, "id": "mine", "deep": ["a", {"y": 2}]},
        "other@odata.bind": "https://x",
    }
    assert full == before


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abn", max_size=3), inner, max_size=3),
    max_leaves=12,
)


@examples(60)
@given(kind=st.sampled_from(KINDS), unknown=json)
def test_what_nobody_knows_is_sent_word_for_word(kind: Any, unknown: Any) -> None:
    body = {"displayName": "x", "nobodyKnowsThis": unknown, "id": "1"}
    assert sendable(kind, body) == {"displayName": "x", "nobodyKnowsThis": unknown}


@pytest.mark.parametrize(
    ("kind", "stripped"),
    [
        ("configuration_policies", {"settingCount": 1, "creationSource": "x", "priorityMetaData": None}),
        ("health_scripts", {"isGlobalScript": False, "highestAvailableVersion": "2"}),
        ("mobile_apps", {"publishingState": "published", "size": 1, "categories": [], "committedContentVersion": "2"}),
        ("mobile_apps", {"uploadState": 1, "dependentAppCount": 0, "supersedingAppCount": 0, "isFeatured": True}),
        ("managed_app_policies", {"deployedAppCount": 3, "apps": []}),
        ("administrative_templates", {"policyConfigurationIngestionType": "builtIn", "definitionValues": []}),
        ("assignment_filters", {"payloads": []}),
        ("scope_tags", {"isBuiltIn": False, "id": "11"}),
        ("role_definitions", {"isBuiltIn": False, "isBuiltInRoleDefinition": False, "roleAssignments": []}),
        ("notification_templates", {"defaultLocale": "de-de", "description": "x", "localizedNotificationMessages": []}),
        ("feature_update_profiles", {"deployableContentDisplayName": "x", "endOfSupportDate": "2026-01-01"}),
        ("intents", {"templateId": "t", "settings": [], "isMigratingToConfigurationPolicy": False}),
    ],
)
def test_what_a_kind_does_not_take_is_left_out(kind: str, stripped: dict[str, Any]) -> None:
    assert sendable(BY_NAME[kind], {"displayName": "x", **stripped}) == {"displayName": "x"}


def test_a_priority_that_is_none_is_left_out_and_another_is_not() -> None:
    kind = BY_NAME["configuration_policies"]
    assert sendable(kind, {"priorityMetaData": {"priority": 1}}) == {"priorityMetaData": {"priority": 1}}


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


def test_links_to_certificates_are_bound() -> None:
    root = typed("windows81TrustedRootCertificate", id="r1", displayName="Root")
    wifi = typed("windowsWifiEnterpriseEAPConfiguration", displayName="Wi-Fi")
    body = {
        **wifi,
        "rootCertificatesForServerValidation": [root, {**root, "id": "r2"}],
        "identityCertificateForClientAuthentication": {**root, "id": "s1"},
        "rootCertificateForServerValidation": None,
        "rootCertificateForClientValidation@odata.bind": "https://x",
    }
    kind = BY_NAME["device_configurations"]
    bound = {
        **wifi,
        "rootCertificatesForServerValidation@odata.bind": [f"{CONFIGURATIONS}('r1')", f"{CONFIGURATIONS}('r2')"],
        "identityCertificateForClientAuthentication@odata.bind": f"{CONFIGURATIONS}('s1')",
        "rootCertificateForClientValidation@odata.bind": "https://x",
    }
    assert sendable(kind, body) == bound
    assert change(kind, body, {"id": "t1", **wifi})[0].body == bound
    us = sendable(kind, {**wifi, "rootCertificate": root}, "https://graph.microsoft.us/")
    assert us["rootCertificate@odata.bind"].startswith("https://graph.microsoft.us/beta/deviceManagement/")
    assert sendable(kind, {**wifi, "rootCertificatesForServerValidation": []}) == wifi


def test_plain_oma_settings_are_sent_as_plain() -> None:
    setting = {"omaUri": "./X", "value": "plain", "isEncrypted": True, "secretReferenceValueId": "1_a"}
    body = sendable(BY_NAME["device_configurations"], {"omaSettings": [setting]})
    assert body["omaSettings"] == [{"omaUri": "./X", "value": "plain", "isEncrypted": False}]


SECRET = "deviceManagementConfigurationSecretSettingValue"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("device_configurations", {"omaSettings": [{"omaUri": "./X", "value": "****", "isEncrypted": True}]}),
        ("device_configurations", {"omaSettings": [{"omaUri": "./X", "value": "****"}]}),
        ("device_configurations", {"preSharedKey": "****"}),
        (
            "configuration_policies",
            {"settings": [{"x": typed(SECRET, value="tok-9f", valueState="encryptedValueToken")}]},
        ),
        ("reusable_settings", {"settingInstance": {"simpleSettingValue": typed(SECRET, value="****")}}),
    ],
)
def test_a_masked_secret_is_never_sent(kind: str, body: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="masked") as raised:
        creation(BY_NAME[kind], body)
    assert "tok-9f" not in str(raised.value)
    with pytest.raises(ValueError, match="masked"):
        change(BY_NAME[kind], body, {"id": "t1"})


def test_a_key_that_graph_never_gives_back_is_not_cleared() -> None:
    wifi = typed("windowsWifiConfiguration", displayName="x")
    (write,) = changed("device_configurations", wifi, **wifi, preSharedKey=None)
    assert write.body == wifi
    assert sendable(BY_NAME["device_configurations"], {**wifi, "preSharedKey": "given"})["preSharedKey"] == "given"


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


# ---- app protection

APPS = [{"id": "com.example.ios", "version": "-1", "mobileAppIdentifier": {"bundleId": "com.example"}}]
IOS = typed("iosManagedAppProtection", displayName="MAM")
PROTECTIONS = "/deviceAppManagement/iosManagedAppProtections"


def test_app_protection_is_made_at_the_path_of_its_type_and_then_given_its_apps() -> None:
    first, apps = made("managed_app_policies", **IOS, appGroupType="selectedPublicApps", apps=APPS)
    assert (first.path, first.body) == (PROTECTIONS, {**IOS, "appGroupType": "selectedPublicApps"})
    assert (apps.path, apps.part) == (f"{PROTECTIONS}/{{id}}/targetApps", "apps")
    chosen = [{"mobileAppIdentifier": {"bundleId": "com.example"}}]
    assert apps.body == {"apps": chosen, "appGroupType": "selectedPublicApps"}
    _, apps = changed("managed_app_policies", IOS, **IOS, apps=APPS)
    assert (apps.path, apps.body) == (f"{PROTECTIONS}/t1/targetApps", {"apps": chosen})


def test_a_group_of_apps_is_sent_instead_of_its_apps() -> None:
    for apps in ({"apps": APPS}, {}):
        _, write = made("managed_app_policies", **IOS, appGroupType="allMicrosoftApps", **apps)
        assert write.body == {"apps": [], "appGroupType": "allMicrosoftApps"}


def test_apps_that_were_not_read_are_not_sent() -> None:
    assert len(made("managed_app_policies", **IOS, appGroupType="selectedPublicApps")) == 1
    assert len(changed("managed_app_policies", {**IOS, "apps": APPS}, **IOS)) == 1


# ---- administrative templates


def value(**more: Any) -> dict[str, Any]:
    presented = {"id": "v1", "value": "x", "presentation": {"id": "p1", "label": "Home"}}
    lost = {"id": "v2", "value": "y", "presentation": None}
    own = {"id": "dv1", "enabled": True, "createdDateTime": "2026-01-01T00:00:00Z"}
    return {**own, "definition": {"id": "d7"}, "presentationValues": [presented, lost], **more}


BOUND = {
    "enabled": True,
    "definition@odata.bind": DEFINITION,
    "presentationValues": [{"value": "x", "presentation@odata.bind": f"{DEFINITION}/presentations('p1')"}],
}


def test_values_of_a_template_are_bound_and_sent_in_one_request() -> None:
    first, values = made("administrative_templates", displayName="x", definitionValues=[value()])
    assert first.body == {"displayName": "x"}
    assert values.path == "/deviceManagement/groupPolicyConfigurations/{id}/updateDefinitionValues"
    assert values.body == {"added": [BOUND], "updated": [], "deletedIds": []}
    assert (values.part, values.repeatable) == ("definitionValues", False)
    target = {"definitionValues": [{"id": "dv8"}, {"id": "dv9"}]}
    _, values = changed("administrative_templates", target, displayName="x", definitionValues=[value()])
    assert values.body == {"added": [BOUND], "updated": [], "deletedIds": ["dv8", "dv9"]}


def test_a_value_may_be_bound_already_and_without_a_definition_it_cannot_be_sent() -> None:
    for given_ in (BOUND, {**BOUND, "presentationValues": [{"value": "x", "presentation": {"id": "p1"}}]}):
        _, values = made("administrative_templates", displayName="x", definitionValues=[given_])
        assert values.body["added"] == [BOUND]
    with pytest.raises(ValueError, match="definition"):
        made("administrative_templates", displayName="x", definitionValues=[value(definition=None)])


def test_values_that_were_not_read_are_not_deleted() -> None:
    assert len(changed("administrative_templates", {"definitionValues": [{"id": "dv8"}]}, displayName="x")) == 1
    assert len(made("administrative_templates", displayName="x", definitionValues=[])) == 1


# ---- notification templates


def message(locale: str, **more: Any) -> dict[str, Any]:
    return {"id": f"m_{locale}", "locale": locale, "subject": "s", "messageTemplate": "t", "isDefault": False, **more}


TEMPLATES = "/deviceManagement/notificationMessageTemplates"


def test_messages_follow_their_template_the_default_one_last() -> None:
    messages = [message("de-de", isDefault=True), message("en-us"), message("fr-fr")]
    first, *rest = made(
        "notification_templates",
        displayName="x",
        description="x",
        defaultLocale="de-de",
        localizedNotificationMessages=messages,
    )
    assert first.body == {"displayName": "x"}
    path = f"{TEMPLATES}/{{id}}/localizedNotificationMessages"
    assert told(rest) == [
        ("POST", path, f"localizedNotificationMessages:{locale}", False) for locale in ("en-us", "fr-fr", "de-de")
    ]
    assert rest[2].body == {"locale": "de-de", "subject": "s", "messageTemplate": "t", "isDefault": True}


def test_messages_that_are_there_are_changed_the_others_made_and_those_too_many_deleted() -> None:
    target = {"localizedNotificationMessages": [message("de-DE"), message("it-it", isDefault=True)]}
    messages = [message("de-de", isDefault=True), message("en-us")]
    first, *rest = changed(
        "notification_templates", target, displayName="x", description="y", localizedNotificationMessages=messages
    )
    assert (first.method, first.body) == ("PATCH", {"displayName": "x", "description": "y"})
    path = f"{TEMPLATES}/t1/localizedNotificationMessages"
    assert told(rest) == [
        ("POST", path, "localizedNotificationMessages:en-us", False),
        ("PATCH", f"{path}/m_de-DE", "localizedNotificationMessages:de-de", True),
        ("DELETE", f"{path}/m_it-it", "localizedNotificationMessages:it-it", True),
    ]
    assert rest[1].body == {"subject": "s", "messageTemplate": "t", "isDefault": True}
    assert len(changed("notification_templates", target, displayName="x")) == 1, "they were not read"


# ---- roles, intents


def test_a_role_assignment_is_bound_to_its_role() -> None:
    role = "https://graph.microsoft.com/beta/deviceManagement/roleDefinitions('rd1')"
    body = {"displayName": "x", "members": [G1], "roleDefinition": {"id": "rd1"}, "roleScopeTags": [{"id": "4"}]}
    (write,) = made("role_assignments", **body)
    tags = ["https://graph.microsoft.com/beta/deviceManagement/roleScopeTags('4')"]
    bound = {"displayName": "x", "members": [G1], "roleScopeTags@odata.bind": tags}
    assert write.body == {**bound, "roleDefinition@odata.bind": role}
    assert changed("role_assignments", {"roleDefinition": {"id": "rd1"}}, **body)[0].body == bound
    assert "roleDefinition@odata.bind" in changed("role_assignments", {}, **body)[0].body


def test_an_intent_is_made_of_its_template_and_its_settings_are_changed_by_their_action() -> None:
    setting = {"definitionId": "d", "valueJson": "true"}
    body = {
        "displayName": "x",
        "templateId": "t/1",
        "isAssigned": False,
        "settings": [{"id": "s1", **setting}, {"id": "s2", **setting, "definitionId": "e"}],
    }
    (write,) = made("intents", **body)
    assert (write.path, write.repeatable) == ("/deviceManagement/templates/t%2F1/createInstance", False)
    assert write.body == {"displayName": "x", "settingsDelta": [setting, {**setting, "definitionId": "e"}]}
    patch, settings = changed("intents", {"settings": [{"id": "s9", "definitionId": "d"}]}, **body)
    assert (patch.method, patch.path, patch.body) == ("PATCH", "/deviceManagement/intents/t1", {"displayName": "x"})
    assert settings.path == "/deviceManagement/intents/t1/updateSettings"
    assert settings.body == {"settings": [{"id": "s9", **setting}, {**setting, "definitionId": "e"}]}
    with pytest.raises(ValueError, match="template"):
        made("intents", displayName="x", settings=[])


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
    write = assign(BY_NAME["managed_app_policies"], {"id": "1", **IOS}, [to_group(G1)])
    assert write is not None
    assert write.path == f"{PROTECTIONS}/1/assign"


def test_an_assignment_of_a_policy_set_does_not_become_a_direct_one() -> None:
    with pytest.raises(ValueError, match="policy set"):
        assign(BY_NAME["scripts"], {"id": "1"}, [{"source": "policySets", "sourceId": "ps1", **to_group(G1)}])
