"""Folders of exported JSON: how tools and people write them, and what becomes of each file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from store.errors import InputInvalid
from tasks.graph.simulator import Simulator, from_folder, secret
from tasks.graph.simulator.__main__ import tell
from tasks.graph.simulator.arguments import parse_tenant
from tasks.graph.simulator.folders import load_folder

BITLOCKER = {"@odata.type": "#microsoft.graph.windows10CompliancePolicy", "displayName": "BitLocker"}
FILTER = {"displayName": "VMs", "platform": "windows10AndLater", "rule": '(device.model -eq "Virtual Machine")'}
CATALOG = {"name": "Edge", "settings": [], "technologies": "mdm", "platforms": "windows10"}
TARGET = {"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": "g1"}
VALUE = {"enabled": True, "definition@odata.bind": "https://graph.microsoft.com/beta/x/groupPolicyDefinitions('d1')"}


def write(folder: Path, name: str, content: object) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(json.dumps(content), encoding="utf-8")


def one(folder: Path, kind: str) -> dict[str, Any]:
    (found,) = from_folder("f", folder).listed(kind)
    return found


def test_a_folder_is_loaded_with_ids_and_kinds(tmp_path: Path) -> None:
    write(tmp_path, "one.json", BITLOCKER)
    write(tmp_path, "deep/er/many.JSON", {"value": [FILTER, {"what": "else"}]})
    tenant, report = load_folder("f", tmp_path)
    (policy,), (filter_,) = tenant.listed("compliance_policies"), tenant.listed("assignment_filters")
    assert policy == {**BITLOCKER, "id": policy["id"]}
    assert filter_["id"]
    assert from_folder("f", tmp_path).objects == tenant.objects
    assert report.read == report.files == 2
    assert report.kept == {"compliance_policies": 1, "assignment_filters": 1}
    assert report.unknown == {"no type, keys what": 1}


def test_another_file_leaves_the_ids_of_a_folder_as_they_are(tmp_path: Path) -> None:
    write(tmp_path, "b.json", BITLOCKER)
    policy = one(tmp_path, "compliance_policies")
    write(tmp_path, "a.json", BITLOCKER)
    tenant, report = load_folder("f", tmp_path)
    assert policy in tenant.listed("compliance_policies")
    assert report.kept == {"compliance_policies": 2}
    assert report.doubled == {"compliance_policies": 1}


def test_of_one_id_found_twice_the_first_is_kept(tmp_path: Path) -> None:
    write(tmp_path, "a.json", {**BITLOCKER, "id": "1", "description": "first"})
    write(tmp_path, "b.json", {**BITLOCKER, "id": "1"})
    write(tmp_path, "c.json", {**FILTER, "id": "1"})
    tenant, report = load_folder("f", tmp_path)
    assert tenant.objects["compliance_policies"]["1"]["description"] == "first"
    assert report.kept == {"compliance_policies": 1, "assignment_filters": 1}
    assert report.doubled == {"compliance_policies": 1}


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(BITLOCKER).encode("utf-8-sig"),
        b"\xff\xfe" + json.dumps(BITLOCKER).encode("utf-16-le"),
        b"\xfe\xff" + json.dumps(BITLOCKER).encode("utf-16-be"),
        json.dumps(BITLOCKER).replace("}", ",\n}").encode(),
        b"// exported\n/* by\nhand */ [" + json.dumps(BITLOCKER).encode() + b", // last\n]",
    ],
)
def test_encodings_comments_and_trailing_commas(tmp_path: Path, data: bytes) -> None:
    write(tmp_path, "x.json", data)
    assert one(tmp_path, "compliance_policies")["displayName"] == "BitLocker"


def test_what_looks_like_a_comment_in_a_string_stays(tmp_path: Path) -> None:
    name = 'https://x /* y */ ,] \\ " //'
    write(tmp_path, "x.json", b"/* */" + json.dumps({**BITLOCKER, "displayName": name}).encode())
    assert one(tmp_path, "compliance_policies")["displayName"] == name


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{\n"a": /* x\n */ 1 2}', "not JSON at line 3"),
        (b"\xff\xfea", "not UTF-16-LE text"),
        (b'"\xe4"', "not UTF-8 text"),
        (b" \n", "empty"),
        (b"[" * 300 + b"]" * 300, "nested too deeply"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": NaN}', "a number that is none or too large"),
        (b'{"a": 1e999}', "a number that is none or too large"),
        (b'{"RAWJson": "{"}', "JSON text in a CIPP template: not JSON at line 1"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_named_failure(tmp_path: Path, data: bytes, reason: str) -> None:
    write(tmp_path, "good.json", BITLOCKER)
    write(tmp_path, "sub/bad.json", data)
    _, report = load_folder("f", tmp_path)
    assert report.failed == (("sub/bad.json", reason),)
    assert (report.files, report.read, report.kept) == (2, 1, {"compliance_policies": 1})


def test_a_link_that_leads_nowhere_is_a_failure(tmp_path: Path) -> None:
    write(tmp_path, "good.json", BITLOCKER)
    (tmp_path / "bad.json").symlink_to(tmp_path / "gone")
    assert load_folder("f", tmp_path)[1].failed == (("bad.json", "not a file"),)


def test_a_name_that_is_no_text_is_loaded_and_told(tmp_path: Path) -> None:
    path = tmp_path / "\udce4.json"
    try:
        path.write_text(json.dumps(BITLOCKER), encoding="utf-8")
    except OSError:
        pytest.skip("the file system takes no such name")
    assert one(tmp_path, "compliance_policies")["id"]


RAW = {"RAWJson": json.dumps(CATALOG), "Displayname": "Other", "Description": "why", "Type": "Catalog"}


@pytest.mark.parametrize("wrapped", [RAW, {"PartitionKey": "IntuneTemplate", "RowKey": "r", "JSON": json.dumps(RAW)}])
def test_a_cipp_template_is_unwrapped(tmp_path: Path, wrapped: dict[str, str]) -> None:
    write(tmp_path, "x.json", wrapped)
    policy = one(tmp_path, "configuration_policies")
    assert policy == {**CATALOG, "description": "why", "id": policy["id"]}


def test_a_cipp_template_gives_its_name_to_a_body_without(tmp_path: Path) -> None:
    raw = json.dumps({"added": [VALUE], "updated": [], "deletedIds": []})
    write(tmp_path, "x.json", {"RAWJson": raw, "Displayname": "Home page", "Type": "Admin"})
    policy = one(tmp_path, "administrative_templates")
    assert policy["displayName"] == "Home page"
    assert policy["definitionValues"] == [VALUE]


def test_other_rows_of_cipp_are_counted_by_their_name(tmp_path: Path) -> None:
    write(tmp_path, "x.json", [BITLOCKER, {"PartitionKey": "CATemplate", "JSON": "{}"}, 7])
    assert load_folder("f", tmp_path)[1].unknown == {"CIPP CATemplate": 1, "not an object": 1}


def test_a_body_of_intunecd_stays_as_it_is(tmp_path: Path) -> None:
    target = {"@odata.type": TARGET["@odata.type"], "groupName": "All", "groupType": "StaticMembership"}
    body = {**CATALOG, "roleScopeTagIds": ["Default"], "assignments": [{"source": "direct", "target": target}]}
    write(tmp_path, "Settings Catalog/Edge_mdm.json", body)
    policy = one(tmp_path, "configuration_policies")
    assert policy == {**body, "id": policy["id"]}


def test_a_body_of_intunemanagement_stays_as_it_is(tmp_path: Path) -> None:
    body = {
        "@odata.context": "https://graph.microsoft.com/beta/$metadata#deviceManagement/configurationPolicies"
        "(assignments(),settings())/$entity",
        "id": "c1",
        "assignments@odata.associationLink": "https://graph.microsoft.com/beta/x",
        "assignments": [{"id": "a1", "target": TARGET}],
        "name": "Edge",
    }
    write(tmp_path, "x.json", body)
    assert one(tmp_path, "configuration_policies") == body


TEMPLATE = {"@odata.type": "#microsoft.graph.groupPolicyConfiguration", "displayName": "Home page", "id": "t1"}
INTENT = {"@odata.type": "#microsoft.graph.deviceManagementIntent", "displayName": "Home page", "id": "t1"}


@pytest.mark.parametrize(
    ("body", "kind", "separate", "key", "value"),
    [
        (TEMPLATE, "administrative_templates", [VALUE], "definitionValues", [VALUE]),
        (TEMPLATE, "administrative_templates", VALUE, "definitionValues", [VALUE]),
        (INTENT, "intents", {"settings": [{"id": "s"}]}, "settings", [{"id": "s"}]),
    ],
)
def test_settings_in_a_file_of_their_own_are_joined(
    tmp_path: Path, body: object, kind: str, separate: object, key: str, value: object
) -> None:
    write(tmp_path, "x/Home page.json", body)
    write(tmp_path, "x/Home page_Settings.json", separate)
    write(tmp_path, "x/Gone_Settings.json", separate)
    tenant, report = load_folder("f", tmp_path)
    assert tenant.objects[kind]["t1"][key] == value
    assert report.failed == (("x/Gone_Settings.json", "settings that fit no policy"),)
    assert report.unknown == {}


def test_a_policy_may_be_called_settings(tmp_path: Path) -> None:
    write(tmp_path, "Edge_Settings.json", CATALOG)
    assert one(tmp_path, "configuration_policies")["name"] == "Edge"


def test_a_template_that_is_its_values_alone_is_named_by_its_file(tmp_path: Path) -> None:
    write(tmp_path, "Administrative Templates/Home page.json", [VALUE, VALUE])
    write(tmp_path, "Administrative Templates/Assignments/Home page.json", [{"target": TARGET}])
    policy = one(tmp_path, "administrative_templates")
    assert policy["displayName"] == "Home page"
    assert policy["definitionValues"] == [VALUE, VALUE]
    assert policy["assignments"] == [{"target": TARGET}]


@pytest.mark.parametrize(
    "name", ["Wi-Fi_ a.json", "Wi-Fi_a.json", "c1 - other.json", "c9 - Wi-Fi_ a.json", "file.json"]
)
@pytest.mark.parametrize("content", [[{"target": TARGET}], {"target": TARGET}, {"value": [{"target": TARGET}]}])
def test_assignments_are_joined_by_id_name_or_file(tmp_path: Path, name: str, content: object) -> None:
    write(tmp_path, "Settings Catalog/file.json", {**CATALOG, "id": "c1", "name": "Wi-Fi: a"})
    write(tmp_path, "Device Configurations/file.json", {"displayName": "Wi-Fi: a", "id": "c1", "omaSettings": []})
    write(tmp_path, f"Settings Catalog/Assignments/{name}", content)
    tenant, report = load_folder("f", tmp_path)
    assert report.failed == ()
    assert tenant.objects["configuration_policies"]["c1"].get("assignments") == [{"target": TARGET}]
    assert "assignments" not in tenant.objects["device_configurations"]["c1"]


def test_assignments_that_fit_none_or_two_are_named(tmp_path: Path) -> None:
    for number in range(2):
        write(tmp_path, f"Settings Catalog/{number}.json", CATALOG)
    for name in ("Edge", "None"):
        write(tmp_path, f"Settings Catalog/Assignments/{name}.json", [{"target": TARGET}])
    _, report = load_folder("f", tmp_path)
    assert dict(report.failed) == {
        "Settings Catalog/Assignments/Edge.json": "assignments that fit 2 policies",
        "Settings Catalog/Assignments/None.json": "assignments that fit no policy",
    }


def test_a_policy_keeps_its_own_assignments(tmp_path: Path) -> None:
    own = [{"id": "own", "target": TARGET}]
    write(tmp_path, "x/Edge.json", {**CATALOG, "assignments": own})
    write(tmp_path, "x/Assignments/Edge.json", [{"target": TARGET}])
    assert one(tmp_path, "configuration_policies")["assignments"] == own


def test_groups_go_to_the_groups(tmp_path: Path) -> None:
    write(tmp_path, "a.json", {"@odata.type": "#microsoft.graph.group", "displayName": "typed"})
    write(tmp_path, "b.json", {"displayName": "shaped", "securityEnabled": True})
    write(tmp_path, "c.json", {"groups": [{"displayName": "listed", "description": "static"}]})
    assert [group["displayName"] for group in from_folder("f", tmp_path).listed("groups")] == [
        "typed",
        "shaped",
        "listed",
    ]


@pytest.mark.parametrize("content", [b"{", b"[]", b'"text"', None])
def test_a_folder_without_policies_is_refused_in_one_line(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        write(tmp_path, "x\ny.json", content)
    with pytest.raises(InputInvalid) as caught:
        from_folder("f", tmp_path)
    assert "\n" not in str(caught.value)


def test_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputInvalid, match="is no folder"):
        load_folder("f", tmp_path / "gone")


def test_the_command_line_tells_what_was_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "a.json", [{**BITLOCKER, "id": "1"}, {**BITLOCKER, "id": "1"}])
    write(tmp_path, "b.json", {"@odata.type": "#microsoft.graph.iosMobileAppConfiguration\nx"})
    write(tmp_path, "c.json", b"{")
    tell(parse_tenant(f"f=folder:{tmp_path}"))
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "simulator: f: read: 2 of 3 files",
        "simulator: f: kept: 1 (1 compliance policies)",
        "simulator: f: found twice: 1 (1 compliance policies)",
        "simulator: f: not known: 1 (1 iosMobileAppConfiguration?x)",
        "simulator: f: failed: c.json: not JSON at line 1",
    ]


def test_a_loaded_folder_is_served(tmp_path: Path) -> None:
    write(tmp_path, "Settings Catalog/Edge.json", CATALOG)
    tenant = from_folder("f", tmp_path)
    with Simulator([tenant]) as simulator:
        form = {"grant_type": "client_credentials", "client_id": "opsmon", "client_secret": secret("f")}
        form["scope"] = "https://graph.microsoft.com/.default"
        token = httpx.post(f"{simulator.url}/{tenant.directory}/oauth2/v2.0/token", data=form).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.get(f"{simulator.url}/beta/deviceManagement/configurationPolicies", headers=headers)
    assert [policy["name"] for policy in answer.json()["value"]] == ["Edge"]
