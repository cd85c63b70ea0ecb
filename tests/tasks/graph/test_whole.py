"""Objects are read whole, over real HTTP: contents, parts and assignments, and what Graph does not give is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from store.errors import OperationFailed
from tasks.graph.client import GraphClient
from tasks.graph.gaps import Gap
from tasks.graph.resources import BY_NAME, KINDS
from tasks.graph.simulator import Fault, SimulatedTenant, Simulator, reading, synthetic
from tasks.graph.whole import WholeObject, read_whole

GROUP = {"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": "g1"}
ASSIGNED = [{"id": "a1", "source": "direct", "sourceId": None, "target": GROUP}]
Read = Callable[..., dict[str, WholeObject]]


@pytest.fixture
def tenant() -> SimulatedTenant:
    return SimulatedTenant("contoso")


@pytest.fixture
def simulator(tenant: SimulatedTenant) -> Iterator[Simulator]:
    with Simulator([tenant], page_size=20) as running:
        running.tokens["t"] = tenant
        yield running


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def read(simulator: Simulator, said: list[str]) -> Read:
    """Reads a kind whole; the objects by id."""

    def read(kind: str) -> dict[str, WholeObject]:
        with GraphClient(simulator.url, lambda force=False: "t", sleep=lambda seconds: None) as graph:
            found = [one for chunk in read_whole(graph, BY_NAME[kind], said.append) for one in chunk]
        assert len({one.listed["id"] for one in found}) == len(found), "an object was doubled"
        return {one.listed["id"]: one for one in found}

    return read


def test_every_object_of_every_kind_is_whole(simulator: Simulator, said: list[str]) -> None:
    """What a simulated tenant holds is what is read of it, secrets apart."""
    tenant = synthetic("fabrikam", 3, 230)
    simulator.tenants[tenant.directory] = tenant
    simulator.tokens["f"] = tenant
    with GraphClient(simulator.url, lambda force=False: "f", sleep=lambda seconds: None) as graph:
        for kind in KINDS:
            there = {one["id"]: one for one in tenant.listed(kind.name)}
            found = {one.listed["id"]: one for chunk in read_whole(graph, kind, said.append) for one in chunk}
            assert found.keys() == there.keys()
            for id_, one in found.items():
                held = {key: value for key, value in there[id_].items() if key not in kind.volatile}
                assert one.failure is None
                assert one.assignments == held.pop("assignments", [])
                if {gap.code for gap in one.gaps} - {"secret_unreadable"}:
                    pytest.fail(f"{kind.name}: {one.gaps}")
                if not one.gaps:
                    assert {key: one.body.get(key) for key in held} == held, kind.name
    assert said == []


def test_contents_that_are_null_are_a_gap_and_the_others_go_on(tenant: SimulatedTenant, read: Read) -> None:
    whole = {"displayName": "Map drives", "fileName": "map.ps1", "scriptContent": "V3JpdGUtSG9zdCAx"}
    tenant.put("scripts", {"id": "s1", **whole})
    tenant.put("scripts", {"id": "s2", **whole, "scriptContent": None})
    tenant.put("health_scripts", {"id": "h1", "detectionScriptContent": "ZXhpdCAx", "remediationScriptContent": ""})
    found = read("scripts")
    assert found["s1"].body["scriptContent"] == "V3JpdGUtSG9zdCAx"
    assert found["s1"].gaps == []
    assert found["s2"].gaps == [Gap("content_missing", "scriptContent: empty")]
    (health,) = read("health_scripts").values()
    assert (health.body["remediationScriptContent"], health.gaps) == ("", [])


def test_61_settings_are_61_and_50_of_61_are_a_gap(tenant: SimulatedTenant, simulator: Simulator, read: Read) -> None:
    settings = [{"id": str(number), "settingInstance": {}} for number in range(61)]
    tenant.put("configuration_policies", {"id": "p1", "name": "x", "settings": settings})
    tenant.put("configuration_policies", {"id": "p2", "name": "x", "settings": settings[:50], "settingCount": 61})
    simulator.faults.add(Fault("/settings", status=429))
    found = read("configuration_policies")
    assert [one["id"] for one in found["p1"].body["settings"]] == [str(number) for number in range(61)]
    assert found["p1"].gaps == []
    assert found["p2"].gaps == [Gap("content_missing", "settings: 50 of 61")]


def test_masked_secrets_are_a_gap(tenant: SimulatedTenant, read: Read) -> None:
    oma = {"@odata.type": "#microsoft.graph.omaSettingString", "omaUri": "./X", "value": "plain", "isEncrypted": True}
    plain = {**oma, "isEncrypted": False}
    custom = {"@odata.type": "#microsoft.graph.windows10CustomConfiguration", "displayName": "Kiosk"}
    tenant.put("device_configurations", {"id": "c1", **custom, "omaSettings": [oma, plain, oma]})
    tenant.put("device_configurations", {"id": "c2", **custom, "omaSettings": [plain]})
    wifi = {"@odata.type": "#microsoft.graph.windowsWifiConfiguration", "preSharedKey": "x"}
    tenant.put("device_configurations", {"id": "w1", **wifi, "wiFiSecurityType": "wpa2Personal"})
    tenant.put("device_configurations", {"id": "w2", **wifi, "wiFiSecurityType": "open"})
    secret = {
        "@odata.type": "#microsoft.graph.deviceManagementConfigurationSecretSettingValue",
        "value": "tok-9f",
        "valueState": "encryptedValueToken",
    }
    settings = [{"id": "0", "settingInstance": {"settingDefinitionId": "wifi_psk", "simpleSettingValue": secret}}]
    tenant.put("configuration_policies", {"id": "p1", "name": "x", "settings": settings})
    found = read("device_configurations")
    assert found["c1"].gaps == [Gap("secret_unreadable", "2 secret values not readable")]
    assert found["w1"].gaps == [Gap("secret_unreadable", "1 secret value not readable")]
    assert found["c2"].gaps == found["w2"].gaps == []
    assert read("configuration_policies")["p1"].gaps == [Gap("secret_unreadable", "1 secret value not readable")]


def test_what_nobody_knows_is_read_word_for_word(tenant: SimulatedTenant, read: Read) -> None:
    new = {
        "@odata.type": "#microsoft.graph.brandNewConfiguration2027",
        "displayName": "New",
        "nobodyKnowsThis": {"deep": [1, {"x": None}]},
        "platforms": "unknownFutureValue",
    }
    tenant.put("device_configurations", {"id": "n1", **new})
    body = read("device_configurations")["n1"].body
    assert {key: body[key] for key in new} == new


@pytest.mark.parametrize("kind", ["device_configurations", "compliance_policies", "configuration_policies", "scripts"])
def test_if_expanding_is_refused_each_object_is_asked(
    tenant: SimulatedTenant, simulator: Simulator, read: Read, said: list[str], kind: str
) -> None:
    rules = [{"id": "r", "ruleName": None, "scheduledActionConfigurations": [{"id": "c", "actionType": "block"}]}]
    body = {"displayName": "x", "scriptContent": "eA==", "assignments": ASSIGNED}
    for number in range(25):
        parts = {"scheduledActionsForRule": rules} if kind == "compliance_policies" else {"settings": []}
        tenant.put(kind, {"id": f"o{number}", **body, **parts})
    name = BY_NAME[kind].path.rpartition("/")[2]
    expanded = f"/{name}/" if kind == "scripts" else f"/{name}"
    simulator.faults.add(Fault(expanded, query="expand=assignments", status=400, count=None))
    simulator.faults.add(Fault(f"/{name}", query="expand=scheduledActionsForRule", status=400, count=1))
    found = read(kind)
    assert len(found) == 25
    for one in found.values():
        assert one.assignments == ASSIGNED
        assert one.gaps == []
        if kind == "compliance_policies":
            assert one.body["scheduledActionsForRule"] == rules
    assert said, "the fall back is said"
    assert len(said) == len(set(said)), "and said once"


def test_rules_that_graph_refuses_are_a_gap_and_never_none(
    tenant: SimulatedTenant, simulator: Simulator, read: Read
) -> None:
    tenant.put("compliance_policies", {"id": "c", "displayName": "x", "assignments": ASSIGNED})
    simulator.faults.add(Fault("deviceCompliancePolicies", query="expand", status=400, count=None))
    (one,) = read("compliance_policies").values()
    assert one.assignments == ASSIGNED
    assert [gap.code for gap in one.gaps] == ["content_missing"]
    assert "scheduledActionsForRule" not in one.body


def test_assignments_that_are_refused_are_unknown_and_never_none(
    tenant: SimulatedTenant, simulator: Simulator, read: Read
) -> None:
    for id_ in ("a", "b"):
        tenant.put("device_configurations", {"id": id_, "displayName": "x", "assignments": ASSIGNED})
    simulator.faults.add(Fault("deviceConfigurations", query="expand", status=400, count=None))
    simulator.faults.add(Fault("/a/assignments", status=403, count=None))
    found = read("device_configurations")
    assert (found["a"].assignments, found["b"].assignments) == (None, ASSIGNED)
    assert [gap.code for gap in found["a"].gaps] == ["assignments_unknown"]


def test_what_is_throttled_to_the_end_is_that_objects_failure(
    tenant: SimulatedTenant, simulator: Simulator, read: Read
) -> None:
    for id_ in ("o1", "o2", "o3"):
        tenant.put("scripts", {"id": id_, "displayName": "x", "scriptContent": "eA==", "assignments": ASSIGNED})
    simulator.faults.add(Fault("/o2", status=429, count=None))
    found = read("scripts")
    assert found["o1"].assignments == found["o3"].assignments == ASSIGNED
    failure = found["o2"].failure
    assert isinstance(failure, OperationFailed)
    assert failure.failure_code == "graph.throttled"
    assert found["o2"].assignments is None


def test_what_is_deleted_meanwhile_is_gone_and_no_failure(
    tenant: SimulatedTenant, simulator: Simulator, read: Read
) -> None:
    for id_ in ("o1", "o2"):
        tenant.put("scripts", {"id": id_, "displayName": "x", "scriptContent": "eA=="})
    simulator.faults.add(Fault("/o2", status=404, count=None))
    found = read("scripts")
    assert (found["o1"].gone, found["o2"].gone) == (False, True)
    assert found["o2"].failure is None


def test_links_to_certificates_are_read_and_a_lost_one_is_a_gap(
    tenant: SimulatedTenant, simulator: Simulator, read: Read
) -> None:
    scep = {"@odata.type": "#microsoft.graph.windows81SCEPCertificateProfile", "displayName": "SCEP"}
    root = {"@odata.type": "#microsoft.graph.windows81TrustedRootCertificate", "id": "r1", "displayName": "Root"}
    tenant.put("device_configurations", {"id": "s1", **scep, "rootCertificate": {**root, "more": 1}})
    tenant.put("device_configurations", {"id": "s2", **scep})
    tenant.put("device_configurations", {"id": "s3", **scep, "rootCertificate": root})
    simulator.faults.add(Fault("/s3/", status=403, count=None))
    found = read("device_configurations")
    assert found["s1"].body["rootCertificate"] == root
    assert found["s2"].gaps == []
    assert [gap.code for gap in found["s3"].gaps] == ["reference_lost"]


def test_the_list_form_has_no_parts(tenant: SimulatedTenant, read: Read) -> None:
    tenant.put("device_configurations", {"id": "c", "displayName": "x", "assignments": ASSIGNED})
    (one,) = read("device_configurations").values()
    assert "assignments" not in one.listed
    assert "assignments" not in one.body


def test_an_object_without_an_id_is_left_out(
    tenant: SimulatedTenant, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = [{"id": "1", "displayName": "x"}, {"displayName": "nobody"}, {"id": None}]
    monkeypatch.setattr(reading, "_list", lambda *_: {"value": page})
    assert list(read("scope_tags")) == ["1"]


def test_a_list_that_cannot_be_read_raises(simulator: Simulator, read: Read) -> None:
    simulator.faults.add(Fault("roleScopeTags", status=403, count=None))
    with pytest.raises(OperationFailed, match="DeviceManagementRBAC"):
        read("scope_tags")
