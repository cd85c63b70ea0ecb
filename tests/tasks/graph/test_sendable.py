"""What of a body is sent: all that nobody knows, nothing that only Graph sets, no mask in place of a secret."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.graph.recreate import change, creation, sendable
from tasks.graph.resources import BY_NAME, KINDS
from tests.support.properties import examples
from tests.tasks.graph.bodies import G1, to_group, typed

CONFIGURATIONS = "https://graph.microsoft.com/beta/deviceManagement/deviceConfigurations"


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


@pytest.mark.parametrize("kind", ["configuration_policies", "managed_app_policies"])
def test_settings_of_any_kind_go_without_the_ids_that_graph_gives(kind: str) -> None:
    settings = [{"id": "0", "settingInstance": {"settingDefinitionId": "a"}}]
    assert sendable(BY_NAME[kind], {"settings": settings}) == {
        "settings": [{"settingInstance": {"settingDefinitionId": "a"}}]
    }


def test_a_priority_that_is_none_is_left_out_and_another_is_not() -> None:
    kind = BY_NAME["configuration_policies"]
    assert sendable(kind, {"priorityMetaData": {"priority": 1}}) == {"priorityMetaData": {"priority": 1}}


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


def test_a_token_is_sent_only_where_it_is_asked_for() -> None:
    kind, token = BY_NAME["configuration_policies"], typed(SECRET, value="tok-9f", valueState="encryptedValueToken")
    body = {"name": "x", "settings": [{"id": "0", "x": token}]}
    for writes in (creation(kind, body, tokens=True), change(kind, body, {"id": "t1"}, tokens=True)):
        assert [write.body for write in writes] == [{"name": "x", "settings": [{"x": token}]}]
    masked = {"settings": [{"x": {**token, "value": "****"}}]}
    for wrong in (masked, {"settings": [{"x": {**token, "value": "****", "valueState": "notEncrypted"}}]}):
        with pytest.raises(ValueError, match="masked"):
            creation(kind, wrong, tokens=True)
    with pytest.raises(ValueError, match="masked"):
        sendable(BY_NAME["device_configurations"], {"preSharedKey": "****"}, tokens=True)


def test_a_key_that_graph_never_gives_back_is_not_cleared() -> None:
    wifi = typed("windowsWifiConfiguration", displayName="x")
    kind = BY_NAME["device_configurations"]
    (write,) = change(kind, {**wifi, "preSharedKey": None}, {"id": "t1", **wifi})
    assert write.body == wifi
    assert sendable(kind, {**wifi, "preSharedKey": "given"})["preSharedKey"] == "given"
