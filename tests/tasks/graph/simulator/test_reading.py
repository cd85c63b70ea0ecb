"""The simulated Graph is as unkind as the real one: what lists leave out, what v1.0 lacks, what is refused, what is masked.

Each test gives an object whole, and says what a request is shown of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tasks.graph.simulator import SimulatedTenant, Simulator

Put = Callable[..., str]
GROUP = "0c2e3a41-0000-4000-8000-000000000001"


@pytest.fixture
def tenant() -> SimulatedTenant:
    return SimulatedTenant("contoso")


@pytest.fixture
def http(tenant: SimulatedTenant) -> Iterator[httpx.Client]:
    with Simulator([tenant], page_size=20) as simulator:
        simulator.tokens["t"] = tenant
        with httpx.Client(base_url=simulator.url, headers={"Authorization": "Bearer t"}) as client:
            yield client


def values(http: httpx.Client, path: str) -> list[dict[str, Any]]:
    answer = http.get(path)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["value"]
    return found


def catalog(settings: int) -> dict[str, Any]:
    return {
        "id": "p1",
        "name": "Defender",
        "platforms": "windows10",
        "settings": [{"id": str(number), "settingInstance": {"number": number}} for number in range(settings)],
    }


def test_contents_of_scripts_come_with_a_single_get_only(tenant: SimulatedTenant, http: httpx.Client) -> None:
    tenant.put("scripts", {"id": "s1", "displayName": "Map drives", "scriptContent": "V3JpdGUtSG9zdCAx"})
    tenant.put("health_scripts", {"id": "h1", "detectionScriptContent": "ZXhpdCAx", "remediationScriptContent": ""})
    path = "/beta/deviceManagement/deviceManagementScripts"
    assert values(http, path)[0]["scriptContent"] is None
    assert http.get(f"{path}/s1").json()["scriptContent"] == "V3JpdGUtSG9zdCAx"
    path = "/beta/deviceManagement/deviceHealthScripts"
    assert "detectionScriptContent" not in values(http, path)[0]
    assert http.get(f"{path}/h1").json()["remediationScriptContent"] == ""


def test_the_catalog_comes_by_25_without_its_settings(tenant: SimulatedTenant, http: httpx.Client) -> None:
    for number in range(30):
        tenant.put("configuration_policies", {**catalog(3), "id": f"p{number}"})
    path = "/beta/deviceManagement/configurationPolicies"
    first = http.get(path).json()
    assert len(first["value"]) == 25
    assert first["value"][0]["settingCount"] == 3
    assert "settings" not in first["value"][0]
    assert "p25" not in first["@odata.nextLink"].partition("?")[2], "a page token is opaque"
    assert len(values(http, first["@odata.nextLink"])) == 5
    assert len(values(http, f"{path}?$top=30")) == 30
    assert len(http.get(f"{path}/p1?$expand=settings").json()["settings"]) == 3


def test_settings_come_by_25_unless_more_are_asked_for(tenant: SimulatedTenant, http: httpx.Client) -> None:
    tenant.put("configuration_policies", catalog(61))
    path = "/beta/deviceManagement/configurationPolicies/p1/settings"
    pages = []
    link: str | None = path
    while link:
        answer = http.get(link).json()
        pages.append(len(answer["value"]))
        link = answer.get("@odata.nextLink")
    assert pages == [25, 25, 11]
    assert len(values(http, f"{path}?$top=1000")) == 61
    assert http.get(f"{path}?$top=1001").status_code == 400


def test_v1_lacks_filters_tags_and_most_types(tenant: SimulatedTenant, http: httpx.Client) -> None:
    target = {
        "@odata.type": "#microsoft.graph.groupAssignmentTarget",
        "groupId": GROUP,
        "deviceAndAppManagementAssignmentFilterId": "f1",
        "deviceAndAppManagementAssignmentFilterType": "include",
    }
    assignments = [{"id": "a", "target": target, "source": "policySets", "sourceId": "ps1"}]
    known = {"@odata.type": "#microsoft.graph.windows10GeneralConfiguration", "roleScopeTagIds": ["7"], "x": 1}
    tenant.put("device_configurations", {"id": "c1", **known, "assignments": assignments})
    tenant.put(
        "device_configurations", {"id": "c2", "@odata.type": "#microsoft.graph.windowsWifiConfiguration", "ssid": "x"}
    )
    path = "deviceManagement/deviceConfigurations?$expand=assignments"
    one, two = values(http, f"/v1.0/{path}")
    assert one["x"] == 1
    assert "roleScopeTagIds" not in one
    assert one["assignments"] == [
        {"id": "a", "target": {"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": GROUP}}
    ]
    assert "ssid" not in two
    one, two = values(http, f"/beta/{path}")
    assert one["roleScopeTagIds"] == ["7"]
    assert one["assignments"] == assignments
    assert two["ssid"] == "x"


def test_rules_of_a_compliance_policy_come_expanded_only(tenant: SimulatedTenant, http: httpx.Client) -> None:
    actions = [{"id": "a", "actionType": "block", "gracePeriodHours": 0}]
    rules = [{"id": "r", "ruleName": None, "scheduledActionConfigurations": actions}]
    tenant.put("compliance_policies", {"id": "c", "displayName": "x", "scheduledActionsForRule": rules})
    path = "/beta/deviceManagement/deviceCompliancePolicies"
    assert "scheduledActionsForRule" not in http.get(f"{path}/c").json()
    assert values(http, f"{path}/c/scheduledActionsForRule") == [{"id": "r", "ruleName": None}]
    assert values(http, f"{path}/c/scheduledActionsForRule?$expand=scheduledActionConfigurations") == rules
    (flat,) = values(http, f"{path}?$expand=scheduledActionsForRule")
    assert flat["scheduledActionsForRule"] == [{"id": "r", "ruleName": None}]
    (whole,) = values(
        http, f"{path}?$expand=scheduledActionsForRule($expand=scheduledActionConfigurations),assignments"
    )
    assert whole["scheduledActionsForRule"] == rules
    assert whole["assignments"] == []


def test_secrets_are_masked(tenant: SimulatedTenant, http: httpx.Client) -> None:
    oma = {"omaUri": "./Vendor/X/Key", "value": "plain-oma", "isEncrypted": True}
    tenant.put(
        "device_configurations", {"id": "c", "displayName": "x", "omaSettings": [oma], "preSharedKey": "plain-psk"}
    )
    secret = {
        "@odata.type": "#microsoft.graph.deviceManagementConfigurationSecretSettingValue",
        "value": "plain-catalog",
        "valueState": "notEncrypted",
    }
    tenant.put("configuration_policies", {"id": "p", "settings": [{"settingInstance": {"simpleSettingValue": secret}}]})
    configuration = http.get("/beta/deviceManagement/deviceConfigurations/c")
    (setting,) = configuration.json()["omaSettings"]
    assert setting["value"] == "****"
    assert configuration.json()["preSharedKey"] is None
    settings = http.get("/beta/deviceManagement/configurationPolicies/p/settings")
    value = settings.json()["value"][0]["settingInstance"]["simpleSettingValue"]
    assert value["valueState"] == "encryptedValueToken"
    for answer in (configuration, settings):
        assert "plain" not in answer.text
    plain = f"getOmaSettingPlainTextValue(secretReferenceValueId='{setting['secretReferenceValueId']}')"
    assert http.get(f"/beta/deviceManagement/deviceConfigurations/c/{plain}").json() == {"value": "plain-oma"}
    tenant.granted = frozenset({"DeviceManagementConfiguration.Read.All"})
    refused = http.get(f"/beta/deviceManagement/deviceConfigurations/c/{plain}")
    assert refused.status_code == 403
    assert "DeviceManagementConfiguration.ReadWrite.All" in refused.json()["error"]["message"]


def test_a_certificate_that_a_profile_uses_has_a_path_of_its_own(tenant: SimulatedTenant, http: httpx.Client) -> None:
    root = {"id": "root", "displayName": "Root CA"}
    type_ = "windows81SCEPCertificateProfile"
    tenant.put(
        "device_configurations", {"id": "s", "@odata.type": f"#microsoft.graph.{type_}", "rootCertificate": root}
    )
    path = "/beta/deviceManagement/deviceConfigurations/s"
    assert "rootCertificate" not in http.get(path).json()
    assert http.get(f"{path}/microsoft.graph.{type_}/rootCertificate").json()["displayName"] == "Root CA"
    assert http.get(f"{path}/microsoft.graph.{type_}/identityCertificate").status_code == 404


def test_app_protection_is_whole_at_the_path_of_its_type_only(tenant: SimulatedTenant, http: httpx.Client) -> None:
    apps = [{"id": "a", "mobileAppIdentifier": {"bundleId": "com.example"}}]
    ios = {"id": "m", "@odata.type": "#microsoft.graph.iosManagedAppProtection", "displayName": "MAM", "apps": apps}
    tenant.put("managed_app_policies", ios)
    base = "/beta/deviceAppManagement"
    assert "apps" not in http.get(f"{base}/managedAppPolicies/m").json()
    assert http.get(f"{base}/managedAppPolicies/m?$expand=apps").status_code == 400
    assert http.get(f"{base}/iosManagedAppProtections/m?$expand=apps,assignments").json()["apps"] == apps
    assert http.get(f"{base}/androidManagedAppProtections/m").status_code == 404


def test_administrative_templates_are_read_in_three_steps(tenant: SimulatedTenant, http: httpx.Client) -> None:
    presentation = {"id": "pv", "value": "x", "presentation": {"id": "p"}}
    value = {"id": "dv", "enabled": True, "definition": {"id": "d"}, "presentationValues": [presentation]}
    tenant.put("administrative_templates", {"id": "t", "displayName": "x", "definitionValues": [value]})
    path = "/beta/deviceManagement/groupPolicyConfigurations"
    assert "definitionValues" not in http.get(f"{path}/t").json()
    assert http.get(f"{path}?$expand=definitionValues").status_code == 400
    (seen,) = values(http, f"{path}/t/definitionValues?$expand=definition($select=id)")
    assert seen == {"id": "dv", "enabled": True, "definition": {"id": "d"}}
    (seen,) = values(http, f"{path}/t/definitionValues/dv/presentationValues?$expand=presentation")
    assert seen == presentation
    assert http.get(f"{path}/t/definitionValues/other/presentationValues").status_code == 404


def test_a_path_is_taken_in_any_spelling(tenant: SimulatedTenant, http: httpx.Client) -> None:
    tenant.put("scripts", {"id": "S-1", "displayName": "x"})
    for path in ("/devicemanagement/DEVICEMANAGEMENTSCRIPTS/s-1", "/deviceManagement/deviceManagementScripts('S-1')"):
        assert http.get(f"/beta{path}").json()["id"] == "S-1"


@pytest.mark.parametrize(
    "query",
    [
        "$skip=1",
        "$apply=x",
        "$expand=nothing",
        "$expand=assignments(",
        "$select=nobodyKnowsIt",
        "$filter=nobodyKnowsIt eq 'x'",
        "$filter=displayName",
        "$filter=" + " or ".join(["displayName eq 'x'"] * 16),
        "$top=0",
        "$top=x",
        "$skiptoken=25",
        "$search=x",
        "$orderby=displayName",
    ],
)
def test_what_is_not_understood_is_refused_and_never_ignored(
    tenant: SimulatedTenant, http: httpx.Client, query: str
) -> None:
    tenant.put("compliance_policies", {"id": "c", "displayName": "x"})
    answer = http.get(f"/beta/deviceManagement/deviceCompliancePolicies?{query}")
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "BadRequest" or "Too many" in error["message"]
    assert {"date", "request-id", "client-request-id"} == set(error["innerError"])


def test_lists_are_filtered_and_cut(tenant: SimulatedTenant, http: httpx.Client) -> None:
    for number, name in enumerate(["Alpha", "alpine", "Beta", "O'Fallon"]):
        tenant.put("role_definitions", {"id": str(number), "displayName": name, "isBuiltIn": number == 2})
    path = "/beta/deviceManagement/roleDefinitions"

    def found(filter_: str) -> list[str]:
        return [one["displayName"] for one in values(http, f"{path}?$filter={filter_}")]

    assert found("isBuiltIn eq false") == ["Alpha", "alpine", "O'Fallon"]
    assert found("startswith(displayName,'alp')") == ["Alpha", "alpine"]
    assert found("displayName eq 'O''Fallon'") == ["O'Fallon"]
    assert found("displayName eq 'Beta' or displayName eq 'ALPHA'") == ["Alpha", "Beta"]
    assert found("displayName ne 'Beta' and isBuiltIn eq false") == ["Alpha", "alpine", "O'Fallon"]
    assert values(http, f"{path}?$select=id&$top=1") == [{"id": "0"}]
    assert http.get(f"{path}?$count=true&$top=1").json()["@odata.count"] == 4


def test_what_other_clients_send_is_understood(tenant: SimulatedTenant, http: httpx.Client) -> None:
    """As almenscorner/IntuneCD does."""
    tenant.put("mobile_apps", {"id": "1", "displayName": "Built in", "appAvailability": "global"})
    tenant.put("mobile_apps", {"id": "2", "displayName": "Ours"})
    cast = "(microsoft.graph.managedApp/appAvailability)"
    query = f"$filter={cast} eq null or {cast} eq 'lineOfBusiness' or isAssigned eq true"
    path = "/beta/deviceAppManagement/mobileApps"
    assert [one["id"] for one in values(http, f"{path}?{query}")] == ["2"]
    assert values(http, f"{path}??$select=displayName&$top=1") == [{"id": "1", "displayName": "Built in"}]
    expanded = http.get(f"{path}/1?$expand=assignments").json()
    assert expanded["assignments@odata.context"].endswith("/assignments")
    tenant.put("reusable_settings", {"id": "r", "displayName": "x", "settingInstance": {"a": 1}})
    path = "/beta/deviceManagement/reusablePolicySettings"
    assert "settingInstance" not in values(http, path)[0]
    assert values(http, f"{path}?$select=id,settinginstance")[0]["settingInstance"] == {"a": 1}


def test_behind_a_tls_proxy_links_lead_back_to_it(tenant: SimulatedTenant, http: httpx.Client) -> None:
    for number in range(3):
        tenant.put("scope_tags", {"id": str(number)})
    headers = {"X-Forwarded-Proto": "https", "Host": "graph.microsoft.com"}
    page = http.get("/beta/deviceManagement/roleScopeTags?$top=1", headers=headers).json()
    assert page["@odata.nextLink"].startswith("https://graph.microsoft.com/beta/deviceManagement/roleScopeTags?")


def test_what_the_app_was_not_granted_is_refused_by_name(tenant: SimulatedTenant, http: httpx.Client) -> None:
    tenant.granted = frozenset({"DeviceManagementConfiguration.Read.All", "DeviceManagementRBAC.ReadWrite.All"})
    assert http.get("/beta/deviceManagement/configurationPolicies").status_code == 200
    assert http.get("/beta/deviceManagement/roleScopeTags").status_code == 200
    refused = http.get("/beta/deviceManagement/deviceShellScripts")
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "Forbidden"
    assert "DeviceManagementScripts.Read.All" in refused.json()["error"]["message"]


def test_what_does_not_exist_is_404_and_a_wrong_version_400(tenant: SimulatedTenant, http: httpx.Client) -> None:
    assert http.get("/beta/deviceManagement/nothing").status_code == 404
    assert http.get("/v1.0/deviceManagement/assignmentFilters").status_code == 404
    assert http.get("/beta/deviceManagement/roleScopeTags/17").status_code == 404
    assert http.get("/v2.0/deviceManagement/roleScopeTags").status_code == 400
