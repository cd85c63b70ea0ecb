"""The simulated Graph refuses what the real one refuses, and keeps what it accepts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tasks.graph.simulator import Fault, SimulatedTenant, Simulator

CATALOG = "/beta/deviceManagement/configurationPolicies"
COMPLIANCE = "/beta/deviceManagement/deviceCompliancePolicies"
POLICY: dict[str, Any] = {
    "name": "Defender",
    "description": "x",
    "platforms": "windows10",
    "technologies": "mdm",
    "roleScopeTagIds": ["0"],
    "settings": [{"settingInstance": {"settingDefinitionId": "a"}}],
}
WINDOWS: dict[str, Any] = {"@odata.type": "#microsoft.graph.windows10CompliancePolicy", "displayName": "x"}
GROUP = {"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": "g1"}


def rules(*types: str) -> list[dict[str, Any]]:
    return [{"ruleName": None, "scheduledActionConfigurations": [{"actionType": type_} for type_ in types]}]


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator([SimulatedTenant("contoso")]) as running:
        running.tokens["t"] = running.tenant("contoso")
        yield running


@pytest.fixture
def tenant(simulator: Simulator) -> SimulatedTenant:
    return simulator.tenant("contoso")


@pytest.fixture
def http(simulator: Simulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=simulator.url, headers={"Authorization": "Bearer t"}) as client:
        yield client


def made(http: httpx.Client, path: str, body: dict[str, Any]) -> str:
    answer = http.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_setting_references_of_a_template_of_another_version_are_refused(
    http: httpx.Client, tenant: SimulatedTenant
) -> None:
    tenant.unknown_templates.add("t_1")
    template = {"templateReference": {"templateId": "t_1"}}
    reference = {"settingInstanceTemplateReference": {"settingInstanceTemplateId": "i1"}}
    referring = {**POLICY, "settings": [{"settingInstance": {"settingDefinitionId": "a", **reference}}]}
    refused = http.post(CATALOG, json={**referring, **template})
    assert refused.status_code == 400
    assert "Invalid Reference id found in Policy" in refused.json()["error"]["message"]
    for fine in ({**POLICY, **template}, referring, {**referring, "templateReference": {"templateId": "t_2"}}):
        id_ = made(http, CATALOG, fine)
    assert http.put(f"{CATALOG}/{id_}", json={**referring, **template}).status_code == 400


def test_a_policy_is_made_and_read_again(http: httpx.Client) -> None:
    id_ = made(http, CATALOG, POLICY)
    seen = http.get(f"{CATALOG}/{id_}?$expand=settings,assignments").json()
    assert {key: seen[key] for key in POLICY} == POLICY
    assert seen["assignments"] == []


@pytest.mark.parametrize(
    "more",
    [
        {"id": "x"},
        {"createdDateTime": "2026-01-01T00:00:00Z"},
        {"createdDateTime@odata.type": "#DateTimeOffset"},
        {"version": 3},
        {"supportsScopeTags": True},
        {"settingCount": 1},
        {"isAssigned": False},
        {"assignments": []},
        {"assignments@odata.navigationLink": "https://x"},
        {"#microsoft.graph.createCopy": {}},
    ],
)
def test_a_post_with_a_read_only_property_is_refused(http: httpx.Client, more: dict[str, Any]) -> None:
    answer = http.post(CATALOG, json={**POLICY, **more})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "ModelValidationFailure")
    assert http.get(CATALOG).json()["value"] == []


@pytest.mark.parametrize("missing", ["name", "settings", "platforms", "technologies"])
def test_a_post_without_what_is_required_is_refused(http: httpx.Client, missing: str) -> None:
    body = {key: value for key, value in POLICY.items() if key != missing}
    assert http.post(CATALOG, json=body).status_code == 400


def test_settings_are_replaced_by_put_and_refused_by_patch(http: httpx.Client, tenant: SimulatedTenant) -> None:
    id_ = made(http, CATALOG, POLICY)
    assert http.post(f"{CATALOG}/{id_}/assign", json={"assignments": [{"target": GROUP}]}).status_code == 200
    assert http.patch(f"{CATALOG}/{id_}", json={"settings": []}).status_code == 400
    assert http.patch(f"{CATALOG}/{id_}", json={"name": "New"}).is_success
    assert http.put(f"{CATALOG}/{id_}", json={**POLICY, "name": "Newer", "settings": [{"x": 1}]}).is_success
    assert http.put(f"{CATALOG}/{id_}", json={"name": "Newer"}).status_code == 400
    item = tenant.objects["configuration_policies"][id_]
    assert (item["name"], item["settings"]) == ("Newer", [{"x": 1}])
    assert len(item["assignments"]) == 1, "PUT leaves the assignments alone"


def test_a_compliance_policy_has_exactly_one_block_action(http: httpx.Client, tenant: SimulatedTenant) -> None:
    for wrong in (None, [], rules("notification"), rules("block", "block")):
        body = WINDOWS if wrong is None else {**WINDOWS, "scheduledActionsForRule": wrong}
        assert http.post(COMPLIANCE, json=body).status_code == 400
    id_ = made(http, COMPLIANCE, {**WINDOWS, "scheduledActionsForRule": rules("block", "notification")})
    assert http.patch(f"{COMPLIANCE}/{id_}", json={"scheduledActionsForRule": rules("block")}).status_code == 400
    action = f"{COMPLIANCE}/{id_}/scheduleActionsForRules"
    assert http.post(action, json={"deviceComplianceScheduledActionForRules": rules("block")}).is_success
    assert http.post(action, json={"scheduledActions": rules("block")}).status_code == 400
    assert tenant.objects["compliance_policies"][id_]["scheduledActionsForRule"] == rules("block")


def test_an_abstract_kind_wants_its_type_and_no_masked_secret(http: httpx.Client) -> None:
    path = "/beta/deviceManagement/deviceConfigurations"
    body = {"@odata.type": "#microsoft.graph.windows10CustomConfiguration", "displayName": "x"}
    assert http.post(path, json={"displayName": "x"}).status_code == 400
    for secret in ({"value": "****"}, {"value": "x", "secretReferenceValueId": "c1_a"}):
        refused = http.post(path, json={**body, "omaSettings": [secret]})
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "NotSupported")
    made(http, path, {**body, "omaSettings": [{"value": "plain", "isEncrypted": False}]})


def test_assign_replaces_the_whole_set_or_changes_nothing(http: httpx.Client, tenant: SimulatedTenant) -> None:
    tenant.put("assignment_filters", {"id": "f1", "displayName": "VMs"})
    id_ = made(http, CATALOG, POLICY)

    def assign(*targets: dict[str, Any], key: str = "assignments") -> int:
        return http.post(f"{CATALOG}/{id_}/assign", json={key: [{"target": one} for one in targets]}).status_code

    everybody = {"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"}
    assert assign(GROUP, everybody) == 200
    assert assign({**GROUP, "groupId": "g2"}) == 200
    assert [one["target"]["groupId"] for one in tenant.objects["configuration_policies"][id_]["assignments"]] == ["g2"]
    filtered = {
        "deviceAndAppManagementAssignmentFilterId": "f1",
        "deviceAndAppManagementAssignmentFilterType": "include",
    }
    assert assign({**everybody, **filtered}) == 200
    before = tenant.objects["configuration_policies"][id_]["assignments"]
    unknown = {**filtered, "deviceAndAppManagementAssignmentFilterId": "f2"}
    exclusion = {"@odata.type": "#microsoft.graph.exclusionGroupAssignmentTarget", "groupId": "g3"}
    assert assign(GROUP, {**everybody, **unknown}) == 400
    assert assign({**exclusion, **filtered}) == 400
    assert assign(GROUP, GROUP) == 400
    assert assign(GROUP, key="deviceConfigurationAssignments") == 400
    assert tenant.objects["configuration_policies"][id_]["assignments"] == before


def test_scope_tags_get_small_numbers(http: httpx.Client) -> None:
    path = "/beta/deviceManagement/roleScopeTags"
    assert [made(http, path, {"displayName": name}) for name in ("Berlin", "Porto")] == ["1", "2"]
    assert http.delete(f"{path}/2").is_success
    assert made(http, path, {"displayName": "Wien"}) == "3", "an id is given once"


def test_the_id_of_what_was_deleted_is_not_given_again(http: httpx.Client) -> None:
    path, body = "/beta/deviceManagement/assignmentFilters", {"platform": "windows10AndLater", "rule": "x"}
    first = made(http, path, {"displayName": "VMs", **body})
    assert http.delete(f"{path}/{first}").is_success
    assert made(http, path, {"displayName": "VMs", **body}) != first


def test_a_filter_keeps_its_platform(http: httpx.Client) -> None:
    path = "/beta/deviceManagement/assignmentFilters"
    id_ = made(http, path, {"displayName": "VMs", "platform": "windows10AndLater", "rule": "x"})
    assert http.patch(f"{path}/{id_}", json={"platform": "iOS"}).status_code == 400
    assert http.patch(f"{path}/{id_}", json={"rule": "y"}).is_success


def test_a_notification_template_is_made_in_two_steps(http: httpx.Client, tenant: SimulatedTenant) -> None:
    path = "/beta/deviceManagement/notificationMessageTemplates"
    assert http.post(path, json={"displayName": "x", "localizedNotificationMessages": []}).status_code == 400
    id_ = made(http, path, {"displayName": "x", "brandingOptions": "none"})
    message = {"locale": "de-de", "subject": "Hallo", "messageTemplate": "Text", "isDefault": True}
    assert http.post(f"{path}/{id_}/localizedNotificationMessages", json=message).status_code == 201
    assert http.post(f"{path}/{id_}/localizedNotificationMessages", json=message).status_code == 409
    assert http.post(f"{path}/{id_}/localizedNotificationMessages", json={"locale": "en-us"}).status_code == 400
    assert len(tenant.objects["notification_templates"][id_]["localizedNotificationMessages"]) == 1


def test_app_protection_is_made_at_the_path_of_its_type(http: httpx.Client, tenant: SimulatedTenant) -> None:
    body = {"@odata.type": "#microsoft.graph.iosManagedAppProtection", "displayName": "MAM"}
    assert http.post("/beta/deviceAppManagement/managedAppPolicies", json=body).status_code == 405
    path = "/beta/deviceAppManagement/iosManagedAppProtections"
    id_ = made(http, path, body)
    assert http.post(f"{path}/{id_}/targetApps", json={"appGroupType": "selectedPublicApps"}).status_code == 400
    apps = [{"mobileAppIdentifier": {"bundleId": "com.example"}}]
    assert http.post(f"{path}/{id_}/targetApps", json={"apps": apps}).is_success
    assert tenant.objects["managed_app_policies"][id_]["apps"] == [{**apps[0], "id": "com.example.ios"}]
    group = {"appGroupType": "allMicrosoftApps"}
    assert http.post(f"{path}/{id_}/targetApps", json={"apps": apps, **group}).status_code == 400
    assert http.post(f"{path}/{id_}/targetApps", json={"apps": [], **group}).is_success
    assert tenant.objects["managed_app_policies"][id_]["appGroupType"] == "allMicrosoftApps"


def test_values_of_a_template_are_bound_to_definitions(http: httpx.Client, tenant: SimulatedTenant) -> None:
    path = "/beta/deviceManagement/groupPolicyConfigurations"
    id_ = made(http, path, {"displayName": "x"})
    bind = "https://graph.microsoft.com/beta/deviceManagement/groupPolicyDefinitions('d7')"
    action = f"{path}/{id_}/updateDefinitionValues"
    assert http.post(action, json={"added": [{"enabled": True}]}).status_code == 400
    added = [{"enabled": True, "definition@odata.bind": bind}]
    assert http.post(action, json={"added": added, "updated": [], "deletedIds": []}).is_success
    (value,) = tenant.objects["administrative_templates"][id_]["definitionValues"]
    assert value["definition"] == {"id": "d7"}


def test_reading_is_not_enough_to_write(http: httpx.Client, tenant: SimulatedTenant) -> None:
    tenant.granted = frozenset({"DeviceManagementConfiguration.Read.All"})
    answer = http.post(CATALOG, json=POLICY)
    assert answer.status_code == 403
    assert "DeviceManagementConfiguration.ReadWrite.All" in answer.json()["error"]["message"]


def test_it_is_carried_out_and_then_broken_off(simulator: Simulator, http: httpx.Client) -> None:
    simulator.faults.add(Fault("configurationPolicies", method="POST", break_off=True))
    with pytest.raises(httpx.HTTPError):
        http.post(CATALOG, json=POLICY)
    assert [one["name"] for one in http.get(CATALOG).json()["value"]] == ["Defender"]


@pytest.mark.parametrize("body", ["[]", "{", '"x"', ""])
def test_a_write_without_an_object_is_refused(http: httpx.Client, body: str) -> None:
    answer = http.post(CATALOG, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_deleting_and_wrong_methods(http: httpx.Client) -> None:
    id_ = made(http, CATALOG, POLICY)
    assert http.post(f"{CATALOG}/{id_}/nonsense", json={}).status_code == 404
    assert http.put(CATALOG, json=POLICY).status_code == 405
    assert http.delete(f"{CATALOG}/{id_}").status_code == 204
    assert http.delete(f"{CATALOG}/{id_}").status_code == 404


def test_a_batch_is_checked_before_its_items(http: httpx.Client) -> None:
    one = {"id": "1", "method": "GET", "url": "/deviceManagement/roleScopeTags"}
    assert http.post("/beta/$batch", json={"requests": [one, {**one, "id": "1"}]}).status_code == 400
    many = [{**one, "id": str(number)} for number in range(21)]
    assert http.post("/beta/$batch", json={"requests": many}).status_code == 400
    write = {"id": "2", "method": "POST", "url": CATALOG.removeprefix("/beta"), "body": POLICY}
    second = {**one, "id": "3", "dependsOn": ["2"]}
    answers = http.post("/beta/$batch", json={"requests": [write, second]}).json()["responses"]
    assert {answer["id"]: answer["status"] for answer in answers} == {"2": 400, "3": 424}
    write["headers"] = {"Content-Type": "application/json"}
    answers = http.post("/beta/$batch", json={"requests": [write, second]}).json()["responses"]
    assert {answer["id"]: answer["status"] for answer in answers} == {"2": 201, "3": 200}
    beta_only = http.post("/v1.0/$batch", json={"requests": [one]}).json()["responses"]
    assert beta_only[0]["status"] == 404
