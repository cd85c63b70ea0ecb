"""Cases from people's bug reports, as far as a backup keeps what belongs to a policy and has a path of its own: messages,
apps, definitions, certificates, assignments; and their names, which no folder may change.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from store.intune import backup_sets, backups
from store.intune.backup_records import BackupItem
from store.model.records import Outcome
from tasks.backup_folder import Manifest, read, write
from tasks.graph.simulator import Fault, SimulatedTenant, Simulator
from tests.tasks.operations.cases import Body, assigned, backed_up, gaps, items, told, typed
from tests.tasks.operations.conftest import Sync

DEVICES = "device_configurations"
PROTECTIONS = "managed_app_policies"
TEMPLATES = "notification_templates"
NAMES = (
    *("App/Device", "a\\b", "VPN: Köln", "[Test] 100 %", "🔒 Lock", "Trailing ", "trailing", "CON", "..", ".json"),
    *("x" * 230, "Wi-Fi", "Wi-Fi", "wi-fi", "tab\there", "../../up", "Köln", "Ko\u0308ln", "\u202egnp.exe", "🔒" * 200),
)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator([SimulatedTenant("contoso")], page_size=20) as simulator:
        yield simulator


def of_set(sync: Sync, set_id: int = 1) -> tuple[Manifest, list[BackupItem]]:
    with sync.stage.db.read() as connection:
        kinds = tuple(backups.kinds_of(connection, set_id).values())
    return Manifest("contoso", "Set", None, kinds), list(backup_sets.whole_items(sync.stage.db, set_id))


@pytest.mark.worker
def test_names_pass_through_a_set_and_a_folder_as_they_are(sync: Sync, tmp_path: Path) -> None:
    sync.worker()
    for number, name in enumerate(NAMES):
        sync.tenant.put("scope_tags", {"id": str(number + 1), "displayName": name})
    assert backed_up(sync, "scope_tags").outcome is Outcome.SUCCEEDED
    manifest, kept = of_set(sync)
    assert {item.external_id: item.name for item in kept} == {
        str(number + 1): name for number, name in enumerate(NAMES)
    }
    folder = tmp_path / "out" / "set"
    assert write(folder, manifest, kept).items == len(NAMES)
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file() and path.name != "backup.json"]
    assert {path.parent for path in files} == {folder / "scope_tags"}
    assert len({path.name.casefold() for path in files}) == len(NAMES)
    back = [one for one in read(folder) if isinstance(one, BackupItem)]
    assert {item.external_id: (item.name, item.body["displayName"]) for item in back} == {
        str(number + 1): (name, name) for number, name in enumerate(NAMES)
    }
    assert {item.external_id: item.content_hash for item in back} == {
        item.external_id: item.content_hash for item in kept
    }


@pytest.mark.worker
def test_all_messages_of_a_template_are_kept_or_missed_by_name(sync: Sync) -> None:
    """A list that cannot be expanded costs no message: they have a path of their own."""
    sync.worker()
    messages = [
        {"id": f"m{locale}", "locale": locale, "subject": "S", "messageTemplate": "Grüße\r\n ", "isDefault": not number}
        for number, locale in enumerate(("de-de", "en-us", "fr-fr"))
    ]
    for id_ in ("t1", "t2", "t3"):
        template = {"id": id_, "displayName": id_, "defaultLocale": "de-de"}
        sync.tenant.put(TEMPLATES, {**template, "localizedNotificationMessages": messages})
    sync.faults(
        Fault("/notificationMessageTemplates", query="expand", status=400),
        Fault("/t2", query="expand", status=400),
        Fault("/t3", query="expand", status=400),
        Fault("/t3/localizedNotificationMessages", status=403, count=None),
    )
    run = backed_up(sync, TEMPLATES)
    kept = items(sync)
    assert kept["t1"].body["localizedNotificationMessages"] == messages
    assert kept["t2"].body["localizedNotificationMessages"] == messages
    assert (kept["t1"].completeness, kept["t2"].completeness) == ("whole", "whole")
    assert kept["t3"].completeness == "content_missing"
    assert "localizedNotificationMessages" not in kept["t3"].body
    assert len(told(run)) == 1
    assert ": t3: localizedNotificationMessages: status 403" in told(run)[0]


@pytest.mark.worker
def test_app_protection_keeps_its_apps_and_one_that_has_none_costs_no_other(sync: Sync) -> None:
    sync.worker()
    apps = [
        {"id": f"app{number}", "mobileAppIdentifier": typed("iosMobileAppIdentifier", bundleId=f"com.x.{number}")}
        for number in range(40)
    ]
    groups = {"m000": ("allMicrosoftApps", apps), "m001": ("selectedPublicApps", apps[:2])}
    for number in range(120):
        id_ = f"m{number:03}"
        group, some = groups.get(id_, ("selectedPublicApps", apps[:1]))
        body = typed("iosManagedAppProtection", displayName=id_, appGroupType=group, apps=some)
        sync.tenant.put(PROTECTIONS, {"id": id_, **body, "assignments": [assigned("g1")]})
    sync.tenant.put("groups", {"id": "g1", "displayName": "Sales"})
    sync.faults(
        *(Fault(f"/{id_}", query="expand", status=400, count=None) for id_ in ("m001", "m002")),
        Fault("/m002/apps", status=501, count=None),
    )
    run = backed_up(sync, PROTECTIONS)
    assert [text.partition(" (")[0] for text in told(run)] == [
        "app protection and configuration policies: m002: apps: status 501"
    ]
    kept = items(sync)
    assert kept["m000"].body["apps"] == apps
    assert kept["m001"].body["apps"] == apps[:2]
    assert kept["m002"].completeness == "content_missing"
    assert "apps" not in kept["m002"].body
    assert all(len(row.assignments) == 1 for row in kept.values())
    others = {row.completeness for id_, row in kept.items() if id_ != "m002"}
    assert (len(kept), others) == (120, {"whole"})
    assert all(row.body["apps"] == apps[:1] for id_, row in kept.items() if id_ > "m002")


@pytest.mark.worker
def test_administrative_templates_say_which_settings_they_mean(sync: Sync) -> None:
    """By class, name and category: ids of uploaded ADMX files are others in every tenant."""
    sync.worker()
    definition = {"id": "d1", "classType": "user", "displayName": "Home page", "categoryPath": "\\Acme\\Browser"}
    definition |= {"policyType": "admxIngested", "groupPolicyCategoryId": "c1"}
    presentation = typed("groupPolicyPresentationTextBox", id="p1", label="URL")
    shown = typed("groupPolicyPresentationValueText", id="v1", value="https://x", presentation=presentation)
    value = {"id": "dv1", "enabled": True, "configurationType": "policy", "definition": definition}
    orphan = {**shown, "id": "v2", "presentation": None}
    for id_, some in (
        ("a1", [{**value, "presentationValues": [shown, orphan]}]),
        ("a2", []),
        ("a3", [{**value, "presentationValues": []}, {**value, "id": "dv2", "definition": None}]),
    ):
        sync.tenant.put("administrative_templates", {"id": id_, "displayName": id_, "definitionValues": some})
    run = backed_up(sync, "administrative_templates")
    assert told(run) == ["administrative templates: a3: definitions: 1 of 2"]
    kept = items(sync)
    (one,) = kept["a1"].body["definitionValues"]
    assert one["definition"] == definition
    assert [inner["presentation"] for inner in one["presentationValues"]] == [presentation, None]
    assert (kept["a1"].completeness, kept["a2"].body["definitionValues"]) == ("whole", [])


def references(row: Any) -> list[tuple[str, str, str | None]]:
    return sorted((one["kind"], one["id"], one["name"]) for one in row.references)


@pytest.mark.worker
def test_links_to_certificates_have_the_names_of_the_profiles(sync: Sync) -> None:
    """No GET of a profile has them. A network may trust several roots."""
    sync.worker()
    roots = [typed("windows81TrustedRootCertificate", id=f"r{n}", displayName=f"Root {n}") for n in (1, 2)]
    scep = typed("windows81SCEPCertificateProfile", id="s1", displayName="SCEP ")
    identity = {"identityCertificateForClientAuthentication": scep}
    several = {"rootCertificatesForServerValidation": [{**root, "trustedRootCertificate": "eA=="} for root in roots]}
    wifi = typed("windowsWifiEnterpriseEAPConfiguration", id="w1", displayName="Wi-Fi")
    ios = typed("iosEnterpriseWiFiConfiguration", id="w2", displayName="iOS Wi-Fi")
    mail = typed("iosEasEmailProfileConfiguration", id="e1", displayName="Mail")
    mac = typed("macOSEnterpriseWiFiConfiguration", id="w3", displayName="Mac Wi-Fi")
    objects: list[Body] = [*roots, {**scep, "rootCertificate": roots[0]}, {**wifi, **several, **identity}]
    objects.append({**mail, **dict.fromkeys(("smimeSigningCertificate", "smimeEncryptionCertificate"), scep)})
    objects += [ios, {**mac, "rootCertificateForServerValidation": roots[1]}]
    for one in objects:
        sync.tenant.put(DEVICES, one)
    sync.faults(Fault("/w2/microsoft.graph.", status=400, count=None))  # as for a segment that the type does not have
    assert backed_up(sync, DEVICES).outcome is Outcome.SUCCEEDED
    kept = items(sync)
    first, second, profile = ((DEVICES, *one) for one in (("r1", "Root 1"), ("r2", "Root 2"), ("s1", "SCEP ")))
    assert references(kept["s1"]) == [first]
    assert references(kept["w1"]) == [first, second, profile]
    assert kept["w1"].body["rootCertificatesForServerValidation"] == roots
    assert references(kept["w2"]) == []
    assert references(kept["e1"]) == [profile]
    assert references(kept["w3"]) == [second]
    assert {row.completeness for row in kept.values()} == {"whole"}
    sync.faults(Fault("/w1/", status=403, count=None), Fault("/w2/", status=403, count=None))
    backed_up(sync, DEVICES)
    lost = {code for code, _ in gaps(items(sync)["w1"])}
    assert lost == {"reference_lost"}


@pytest.mark.worker
def test_apps_are_kept_with_icon_and_version_and_assignments_with_their_source(sync: Sync) -> None:
    sync.worker()
    icon = {"type": "image/png", "value": "iVBORw0KGgo="}
    win32 = typed("win32LobApp", displayName="Agent", committedContentVersion="2", publishingState="published")
    winget = typed("winGetApp", displayName="Paint", packageIdentifier="9PCFS5B6T72H")
    vpp = typed("iosVppApp", displayName="Mail", bundleId="com.x.mail", vppTokenId="t1")
    by_set = assigned("g1", source="policySets", sourceId="ps1", intent="required")
    own = assigned("g1", intent="available", settings=typed("win32LobAppAssignmentSettings", notifications="hideAll"))
    for id_, app in (("a1", win32), ("a2", winget), ("a3", vpp)):
        sync.tenant.put("mobile_apps", {"id": id_, **app, "largeIcon": icon, "assignments": [own, by_set]})
    sync.tenant.put("groups", {"id": "g1", "displayName": "Sales"})
    assert backed_up(sync, "mobile_apps").outcome is Outcome.SUCCEEDED
    kept = items(sync)
    assert kept.keys() == {"a1", "a2", "a3"}
    assert kept["a1"].body["committedContentVersion"] == "2"
    assert kept["a2"].body["packageIdentifier"] == "9PCFS5B6T72H"
    assert kept["a3"].body["vppTokenId"] == "t1"
    for row in kept.values():
        assert row.body["largeIcon"] == icon
        assert [(one["source"], one.get("sourceId"), one["intent"]) for one in row.assignments] == [
            ("direct", None, "available"),
            ("policySets", "ps1", "required"),
        ]
        assert references(row) == [("groups", "g1", "Sales")]
