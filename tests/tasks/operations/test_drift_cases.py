"""Cases from people's bug reports, as far as drift compares: noise is no finding, a secret is in none, and what was not read
is not gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from store.model.records import Outcome
from store.model.tables import backup_items, backup_sets, drift_findings
from tasks.graph.simulator import Fault, SimulatedTenant, Simulator
from tests.tasks.operations.cases import assigned, compared, settings, simple, typed
from tests.tasks.operations.conftest import Sync

CATALOG = "configuration_policies"
ADMX = "administrative_templates"
DEVICES = "device_configurations"
GROUP = "A1B2C3D4-0000-4000-8000-00000000000A"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator([SimulatedTenant("contoso")], page_size=20) as simulator:
        yield simulator


def changes(found: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [one[:3] for one in found]


@pytest.mark.worker
def test_noise_is_no_finding(sync: Sync) -> None:
    """The order of sets, the case of ids, annotations, actions, versions, and no text for an empty one."""
    sync.worker()
    part = settings(simple("a", "1"), simple("b", GROUP))
    body = {"id": "p1", "name": "A", "settings": part, "roleScopeTagIds": ["0", "7"], "version": 3, "description": ""}
    body |= {"assignments": [assigned(GROUP), assigned("g2")], "assignments@odata.context": "https://x/1"}
    sync.tenant.put(CATALOG, body)
    values = [{"id": f"v{n}", "enabled": True, "definition": {"id": f"d{n}", "displayName": "D"}} for n in range(3)]
    sync.tenant.put(ADMX, {"id": "a1", "displayName": "ADMX", "definitionValues": values})
    flat = [{"id": f"s{n}", "definitionId": f"d{n}", "valueJson": str(n)} for n in range(3)]
    sync.tenant.put("intents", {"id": "i1", "displayName": "Baseline", "settings": flat})
    device = typed("iosGeneralDeviceConfiguration", id="d1", displayName="iOS", assignments=[assigned("g2")])
    sync.tenant.put(DEVICES, device)
    kinds = (CATALOG, DEVICES, ADMX, "intents")
    sync.run("policy.sync", kinds=list(kinds))
    sync.tenant.put(ADMX, {"id": "a1", "displayName": "ADMX", "definitionValues": values[::-1]})
    sync.tenant.put("intents", {"id": "i1", "displayName": "Baseline", "settings": flat[::-1]})
    noisy = {key: body[key] for key in reversed(body)} | {"roleScopeTagIds": ["7", "0"], "version": 4}
    noisy |= {"assignments": [{**assigned("g2"), "id": "new"}, assigned(GROUP.lower())], "description": None}
    noisy |= {"assignments@odata.context": "https://x/2", "#microsoft.graph.assign": {"target": "https://x"}}
    noisy |= {"lastModifiedDateTime": "2027-01-01T00:00:00Z", "settingCount": 2}
    noisy["settings"] = [
        {**one, "id": f"1{one['id']}"} for one in settings(simple("a", "1"), simple("b", GROUP.lower()))
    ]
    sync.tenant.put(CATALOG, noisy)
    nothing = {"supportsScopeTags": True, "isAssigned": True, "description": None, "roleScopeTagIds@odata.type": "x"}
    filterless = assigned("g2")
    filterless["target"] |= {"deviceAndAppManagementAssignmentFilterType": "none"}
    sync.tenant.put(DEVICES, {**device, **nothing, "assignments": [filterless]})
    assert compared(sync, *kinds) == []
    sync.tenant.put(ADMX, {"id": "a1", "displayName": "ADMX", "definitionValues": [{**values[2], "enabled": False}]})
    assert changes(compared(sync, *kinds)) == [
        ("a1", "modified", "definitionValues[d0]"),
        ("a1", "modified", "definitionValues[d1]"),
        ("a1", "modified", "definitionValues[d2].enabled"),
    ]


@pytest.mark.worker
def test_another_order_in_an_ordered_list_is_one_finding(sync: Sync) -> None:
    """The order of settings, or of the rules in a group of them, can mean something."""
    sync.worker()

    def collection(*names: str) -> dict[str, Any]:
        rules = [{"children": [simple("rule_name", name), simple("rule_port", "443")]} for name in names]
        return typed(
            "deviceManagementConfigurationGroupSettingCollectionInstance",
            settingDefinitionId="rules",
            groupSettingCollectionValue=rules,
        )

    some = [simple("a", "1"), simple("b", "2"), simple("c", "3")]
    sync.tenant.put(CATALOG, {"id": "p1", "name": "A", "settings": settings(*some)})
    sync.tenant.put(CATALOG, {"id": "p2", "name": "B", "settings": settings(collection("x", "y", "z"))})
    sync.run("policy.sync", kinds=[CATALOG])
    sync.tenant.put(CATALOG, {"id": "p1", "name": "A", "settings": settings(*reversed(some))})
    sync.tenant.put(CATALOG, {"id": "p2", "name": "B", "settings": settings(collection("z", "x", "y"))})
    assert changes(compared(sync, CATALOG)) == [
        ("p1", "order", "settings"),
        ("p2", "order", "settings[rules].groupSettingCollectionValue"),
    ]


@pytest.mark.worker
def test_a_secret_is_in_no_finding(sync: Sync) -> None:
    """Tokens and reference ids change by themselves. That a value became a secret is told, with the word for one."""
    sync.worker()

    def oma(value: str, reference: str, *, encrypted: bool) -> dict[str, Any]:
        setting = typed("omaSettingString", displayName="Key", omaUri="./Vendor/X/Key", value=value)
        setting |= {"isEncrypted": encrypted, "secretReferenceValueId": reference if encrypted else None}
        return typed("windows10CustomConfiguration", displayName="Kiosk", omaSettings=[setting])

    def wifi(value: str) -> dict[str, Any]:
        psk = simple("wifi_psk", value, "SecretSettingValue", valueState="notEncrypted")
        return {"id": "w1", "name": "Wi-Fi", "settings": settings(psk)}

    sync.tenant.put(DEVICES, {"id": "c1", **oma("hush-1", "c1_a", encrypted=True)})
    sync.tenant.put(DEVICES, {"id": "c2", **oma("shown", "", encrypted=False)})
    sync.tenant.put(CATALOG, wifi("hush-1"))
    sync.run("policy.sync", kinds=[DEVICES, CATALOG])
    sync.tenant.put(DEVICES, {"id": "c1", **oma("hush-2", "c1_b", encrypted=True)})
    sync.tenant.put(CATALOG, wifi("hush-2"))
    assert compared(sync, DEVICES, CATALOG) == []
    sync.tenant.put(DEVICES, {"id": "c2", **oma("hush-3", "c2_a", encrypted=True)})
    found = compared(sync, DEVICES, CATALOG)
    assert [one[:5] for one in found] == [
        ("c2", "modified", "omaSettings[./Vendor/X/Key].isEncrypted", False, True),
        ("c2", "modified", "omaSettings[./Vendor/X/Key].value", "shown", "secret"),
    ]
    with sync.stage.db.read() as connection:
        assert "****" not in str(connection.execute(sa.select(drift_findings)).all())
    assert "hush" not in sync.stage.everything()


@pytest.mark.worker
def test_a_change_of_assignments_alone_is_told_in_words_with_the_groups_name(sync: Sync) -> None:
    sync.worker()
    sync.tenant.put("groups", {"id": GROUP, "displayName": "Sales"})
    filter_ = {"id": "f1", "displayName": "Berlin", "platform": "iOS"}
    sync.tenant.put("assignment_filters", filter_)
    policy = {"id": "p1", "name": "A", "settings": settings(simple("a", "1"))}
    target = typed("allDevicesAssignmentTarget")
    everybody = {"id": "all", "source": "direct", "target": target}
    nobody_knows = assigned("g-unknown")
    sync.tenant.put(CATALOG, {**policy, "assignments": [assigned(GROUP), everybody]})
    sync.tenant.put(CATALOG, {**policy, "id": "p2", "assignments": [nobody_knows]})
    sync.run("directory_groups.sync")
    sync.run("policy.sync", kinds=[CATALOG, "assignment_filters"])
    filtered = {
        "deviceAndAppManagementAssignmentFilterId": "f1",
        "deviceAndAppManagementAssignmentFilterType": "include",
    }
    narrowed = {**everybody, "target": {**target, **filtered}}
    sync.tenant.put(CATALOG, {**policy, "assignments": [narrowed, assigned(GROUP, exclude=True)]})
    sync.tenant.put(CATALOG, {**policy, "id": "p2", "assignments": []})
    found = compared(sync, CATALOG, "assignment_filters")
    assert [(one[0], one[1], one[2], one[5]) for one in found] == [
        ("p1", "assignment", f"assignments[{GROUP.lower()}]", "Sales: include → exclude"),
        ("p1", "assignment", "assignments[allDevices]", "All devices: filter none → include Berlin"),
        ("p2", "assignment", "assignments[g-unknown]", "g-unknown: removed (was include)"),
    ]


@pytest.mark.worker
def test_an_assignment_of_a_policy_set_is_apart_from_the_policys_own(sync: Sync) -> None:
    sync.worker()
    policy = {"id": "p1", "name": "A", "settings": []}
    by_set = assigned("g1", source="policySets", sourceId="ps1")
    sync.tenant.put("groups", {"id": "g1", "displayName": "Sales"})
    sync.tenant.put(CATALOG, {**policy, "assignments": [assigned("g1"), by_set]})
    sync.run("directory_groups.sync")
    sync.run("policy.sync", kinds=[CATALOG])
    sync.tenant.put(CATALOG, {**policy, "assignments": [by_set, assigned("g1")]})
    assert compared(sync, CATALOG) == []
    sync.tenant.put(CATALOG, {**policy, "assignments": [assigned("g1")]})
    assert [(one[2], one[5]) for one in compared(sync, CATALOG)] == [
        ("assignments[g1][policySets ps1]", "Sales (from policy set ps1): removed (was include)")
    ]


@pytest.mark.worker
def test_what_was_not_read_is_neither_gone_nor_changed(sync: Sync) -> None:
    """A kind that is forbidden, a policy that is throttled, assignments that are refused, parts that come by another way."""
    sync.worker()
    apps = [{"id": "app1", "mobileAppIdentifier": typed("iosMobileAppIdentifier", bundleId="com.x")}]
    protection = typed("iosManagedAppProtection", displayName="MAM", apps=apps, assignments=[assigned("g1")])
    sync.tenant.put("managed_app_policies", {"id": "m1", **protection})
    for id_ in ("d1", "d2"):
        device = typed("iosGeneralDeviceConfiguration", displayName=id_, assignments=[assigned("g1")])
        sync.tenant.put(DEVICES, {"id": id_, **device})
    sync.tenant.put("scripts", {"id": "s1", "displayName": "S", "scriptContent": "eA=="})
    kinds = ("managed_app_policies", DEVICES, "scripts")
    sync.run("policy.sync", kinds=list(kinds))
    sync.faults(
        Fault("/m1", query="expand", status=400, count=None),
        Fault("/deviceConfigurations", query="expand", status=400, count=None),
        Fault("/d1/assignments", status=429, retry_after="86400", count=None),
        Fault("/deviceManagementScripts", status=403, count=None),
    )
    assert compared(sync, *kinds) == []
    sync.faults(
        Fault("/deviceConfigurations", query="expand", status=400, count=None),
        Fault("/d2/assignments", status=403, count=None),
    )
    assert [(one[:3], one[5]) for one in compared(sync, *kinds)] == [
        (("d2", "assignment", "assignments"), "assignments were not read")
    ]
    assert sync.missing() == set()


@pytest.mark.worker
def test_a_set_differs_from_its_own_tenant_in_nothing(sync: Sync) -> None:
    """Whatever was masked, linked, throttled or unreadable when it was made."""
    sync.worker()
    root = typed("iosTrustedRootCertificate", id="r1", displayName="Root")
    wifi = typed("iosEnterpriseWiFiConfiguration", id="w1", displayName="Wi-Fi")
    second = typed("iosTrustedRootCertificate", id="r2", displayName="Root 2")
    for one in (root, second, {**wifi, "rootCertificatesForServerValidation": [root, second]}):
        sync.tenant.put(DEVICES, one)
    psk = simple("wifi_psk", "hush", "SecretSettingValue", valueState="notEncrypted")
    sync.tenant.put(CATALOG, {"id": "p1", "name": "A", "settings": settings(psk), "assignments": [assigned("g1")]})
    sync.run("backup_set.create", kinds=[DEVICES, CATALOG])
    sync.tenant.put(DEVICES, {**wifi, "rootCertificatesForServerValidation": [{**second, "version": 2}, root]})
    sync.run("policy.sync", kinds=[DEVICES, CATALOG])
    with sync.stage.db.read() as connection:
        set_id = connection.execute(sa.select(backup_sets.c.id)).scalar_one()
        assert len(connection.execute(sa.select(backup_items.c.id)).all()) == 4
    run = sync.run("drift.generate", backup_set=set_id)
    assert run.outcome is Outcome.SUCCEEDED
    with sync.stage.db.read() as connection:
        assert connection.execute(sa.select(drift_findings)).all() == []
