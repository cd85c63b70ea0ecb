"""Parts of objects and binds between them: the simulated Graph takes and refuses them as the real one does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tasks.graph.simulator import SimulatedTenant, Simulator
from tests.tasks.graph.simulator.test_writing import CATALOG, POLICY, made


@pytest.fixture
def tenant() -> SimulatedTenant:
    return SimulatedTenant("contoso")


@pytest.fixture
def http(tenant: SimulatedTenant) -> Iterator[httpx.Client]:
    with Simulator([tenant]) as simulator:
        simulator.tokens["t"] = tenant
        with httpx.Client(base_url=simulator.url, headers={"Authorization": "Bearer t"}) as client:
            yield client


def test_values_of_a_template_are_added_changed_and_deleted_by_what_is_there(
    http: httpx.Client, tenant: SimulatedTenant
) -> None:
    path = "/beta/deviceManagement/groupPolicyConfigurations"
    action = f"{path}/{made(http, path, {'displayName': 'x'})}/updateDefinitionValues"
    d1, d7 = (
        f"https://graph.microsoft.com/beta/deviceManagement/groupPolicyDefinitions('{id_}')" for id_ in ("d1", "d7")
    )

    def update(**body: Any) -> int:
        return http.post(action, json={"added": [], "updated": [], "deletedIds": [], **body}).status_code

    def value(definition: str, presentation: object, **more: Any) -> dict[str, Any]:
        presented = {"value": "x", "presentation@odata.bind": presentation}
        return {"enabled": True, "definition@odata.bind": definition, "presentationValues": [presented], **more}

    for wrong in (None, f"{d7}/presentations('p1')", d1):
        assert update(added=[value(d1, wrong)]) == 400
    assert update(added=[{**value(d1, f"{d1}/presentations('p1')"), "definition": {"id": "d1"}}]) == 400
    assert update(added=[value(d1, f"{d1}/presentations('p1')"), {"definition@odata.bind": d7}]) == 204
    assert update(added=[{"definition@odata.bind": d7}]) == 400, "it has a value already"
    (item,) = tenant.listed("administrative_templates")
    first, second = item["definitionValues"]
    assert (first["definition"]["displayName"], second["definition"]) == ("Home page", {"id": "d7"})
    assert first["presentationValues"][0]["presentation"] == {"id": "p1", "label": "Home page"}
    assert update(updated=[{"id": first["id"], "enabled": False}], deletedIds=[second["id"]]) == 204
    (item,) = tenant.listed("administrative_templates")
    assert item["definitionValues"] == [{**first, "enabled": False}]
    assert update(deletedIds=[second["id"]]) == update(updated=[{"id": second["id"]}]) == 400


ACME: dict[str, Any] = {"classType": "user", "displayName": "Home page", "categoryPath": "\\Acme"}


def test_definitions_of_uploaded_files_are_a_tenants_own_and_built_in_ones_are_everywhere(
    http: httpx.Client, tenant: SimulatedTenant
) -> None:
    box = {"id": "q1", "label": "Home page"}
    assert http.put("/_simulator/contoso/group_policy_definitions/d7", json={**ACME, "presentations": [box]}).is_success
    path = "/beta/deviceManagement/groupPolicyDefinitions"

    def listed(query: str = "") -> list[str]:
        return [one["id"] for one in http.get(f"{path}{query}").json()["value"]]

    assert listed() == ["d1", "d7"]
    assert listed("?$filter=policyType eq 'admxIngested'") == ["d7"]
    assert listed("?$filter=displayName eq 'Home page' and classType eq 'machine'&$select=id") == ["d1"]
    first = http.get(f"{path}?$top=1").json()
    assert [one["id"] for one in http.get(first["@odata.nextLink"]).json()["value"]] == ["d7"]
    seen = http.get(f"{path}('d7')").json()
    assert {key: seen[key] for key in ACME} == ACME
    assert "presentations" not in seen
    assert http.get(f"{path}/d7/presentations").json()["value"] == [box]
    assert http.get(f"{path}/d1/presentations").json()["value"] == [{"id": "p1", "label": "Home page"}]
    for wrong in (f"{path}/d8", f"{path}/d8/presentations", f"{path}/d7/other", path.replace("beta", "v1.0")):
        assert http.get(wrong).status_code == 404
    assert http.get(f"{path}?$expand=presentations").status_code == 400
    assert http.post(path, json=ACME).status_code == 405
    tenant.granted = frozenset({"DeviceManagementApps.Read.All"})
    assert http.get(path).status_code == 403


def test_a_value_is_for_a_presentation_of_its_definition(http: httpx.Client, tenant: SimulatedTenant) -> None:
    tenant.put("group_policy_definitions", {**ACME, "id": "d7", "presentations": [{"id": "q1", "label": "x"}]})
    path = "/beta/deviceManagement/groupPolicyConfigurations"
    action = f"{path}/{made(http, path, {'displayName': 'x'})}/updateDefinitionValues"
    d7 = "https://graph.microsoft.com/beta/deviceManagement/groupPolicyDefinitions('d7')"

    def add(presentation: str) -> int:
        bound = {"value": "x", "presentation@odata.bind": f"{d7}/presentations('{presentation}')"}
        value = {"definition@odata.bind": d7, "presentationValues": [bound]}
        return http.post(action, json={"added": [value]}).status_code

    assert add("p1") == 400
    assert add("q1") == 204
    (item,) = tenant.listed("administrative_templates")
    (value,) = item["definitionValues"]
    assert value["definition"] == {**ACME, "id": "d7", "policyType": "admxIngested"}
    assert value["presentationValues"][0]["presentation"] == {"id": "q1", "label": "x"}


def test_messages_are_changed_one_by_one_and_the_default_is_only_replaced(
    http: httpx.Client, tenant: SimulatedTenant
) -> None:
    path = "/beta/deviceManagement/notificationMessageTemplates"
    messages = f"{path}/{made(http, path, {'displayName': 'x'})}/localizedNotificationMessages"
    text = {"subject": "s", "messageTemplate": "t"}
    german = made(http, messages, {"locale": "de-de", "isDefault": True, **text})
    english = made(http, messages, {"locale": "en-us", "isDefault": False, **text})

    def patch(id_: str, **body: Any) -> int:
        return http.patch(f"{messages}/{id_}", json=body).status_code

    assert patch(german, isDefault=False) == patch(german, locale="fr-fr") == 400
    assert http.delete(f"{messages}/{german}").status_code == 400
    assert patch("none", subject="s") == http.delete(f"{messages}/none").status_code == 404
    assert http.put(f"{messages}/{german}", json=text).status_code == 405
    assert patch(english, isDefault=True, subject="new") == 200
    (item,) = tenant.listed("notification_templates")
    assert [(one["locale"], one["isDefault"], one["subject"]) for one in item["localizedNotificationMessages"]] == [
        ("de-de", False, "s"),
        ("en-us", True, "new"),
    ]
    assert item["defaultLocale"] == "en-us"
    assert http.delete(f"{messages}/{german}").status_code == 204
    (item,) = tenant.listed("notification_templates")
    assert [one["id"] for one in item["localizedNotificationMessages"]] == [english]


def test_certificates_are_bound_and_a_bind_that_leads_nowhere_is_refused(
    http: httpx.Client, tenant: SimulatedTenant
) -> None:
    path = "/beta/deviceManagement/deviceConfigurations"
    url = "https://graph.microsoft.com/beta/deviceManagement/deviceConfigurations"
    root = {"@odata.type": "#microsoft.graph.windows81TrustedRootCertificate", "displayName": "Root"}
    scep = {"@odata.type": "#microsoft.graph.windows81SCEPCertificateProfile", "displayName": "SCEP"}
    id_ = made(http, path, root)
    for wrong in (f"{url}('none')", f"{url}", [f"{url}('{id_}')"], "x"):
        assert http.post(path, json={**scep, "rootCertificate@odata.bind": wrong}).status_code == 400
    assert http.post(path, json={**scep, "rootCertificate": {"id": id_}}).status_code == 400
    assert http.post(path, json={**scep, "nobody@odata.bind": f"{url}('{id_}')"}).status_code == 400
    bound = made(http, path, {**scep, "rootCertificate@odata.bind": f"{url}('{id_}')"})
    seen = http.get(f"{path}/{bound}/microsoft.graph.windows81SCEPCertificateProfile/rootCertificate").json()
    assert (seen["id"], seen["displayName"]) == (id_, "Root")
    assert "rootCertificate" not in http.get(f"{path}/{bound}").json()


def test_a_role_assignment_needs_its_role(http: httpx.Client, tenant: SimulatedTenant) -> None:
    tenant.put("role_definitions", {"id": "rd1", "displayName": "Helpdesk"})
    path = "/beta/deviceManagement/roleAssignments"
    url = "https://graph.microsoft.com/beta/deviceManagement/roleDefinitions"
    assert http.post(path, json={"displayName": "x"}).status_code == 400
    assert http.post(path, json={"displayName": "x", "roleDefinition@odata.bind": f"{url}('none')"}).status_code == 400
    made(http, path, {"displayName": "x", "roleDefinition@odata.bind": f"{url}('rd1')"})
    (item,) = tenant.listed("role_assignments")
    assert item["roleDefinition"] == {"id": "rd1", "displayName": "Helpdesk"}


def test_an_intent_is_made_of_a_template(http: httpx.Client, tenant: SimulatedTenant) -> None:
    path = "/beta/deviceManagement/templates/t1/createInstance"
    setting = {"definitionId": "d", "valueJson": "true"}
    assert http.post(path, json={"displayName": "x"}).status_code == 400
    assert http.post(path, json={"displayName": "x", "settingsDelta": [], "settings": []}).status_code == 400
    assert http.post(path, json={"settingsDelta": []}).status_code == 400
    assert http.get(path).status_code == 404
    id_ = made(http, path, {"displayName": "x", "settingsDelta": [setting]})
    assert tenant.objects["intents"][id_]["templateId"] == "t1"
    (seen,) = http.get(f"/beta/deviceManagement/intents/{id_}/settings").json()["value"]
    assert {key: seen[key] for key in setting} == setting
    assert http.patch(f"/beta/deviceManagement/intents/{id_}", json={"settings": []}).status_code == 400
    tenant.granted = frozenset({"DeviceManagementConfiguration.Read.All"})
    assert http.post(path, json={"displayName": "y", "settingsDelta": []}).status_code == 403


def test_annotations_are_refused_at_any_depth(http: httpx.Client) -> None:
    annotations: tuple[dict[str, Any], ...] = (
        {"a@odata.context": "x"},
        {"#microsoft.graph.x": {}},
        {"b@odata.type": "#String"},
    )
    for wrong in annotations:
        assert http.post(CATALOG, json={**POLICY, "settings": [{"settingInstance": wrong}]}).status_code == 400
    made(http, CATALOG, {**POLICY, "settings": [{"settingInstance": {"@odata.type": "#x", "y@odata.bind": "z"}}]})


def test_values_of_oma_settings_are_encrypted(http: httpx.Client) -> None:
    path = "/beta/deviceManagement/deviceConfigurations"
    body = {"@odata.type": "#microsoft.graph.windows10CustomConfiguration", "displayName": "x"}
    types = ("omaSettingString", "omaSettingInteger")
    settings = [{"@odata.type": f"#microsoft.graph.{type_}", "omaUri": type_, "value": 1} for type_ in types]
    id_ = made(http, path, {**body, "omaSettings": settings})
    assert [one["value"] for one in http.get(f"{path}/{id_}").json()["omaSettings"]] == ["****", 1]
