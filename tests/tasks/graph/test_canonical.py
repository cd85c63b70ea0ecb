"""The canonical form of a body: what is noise, what is a change, and that no secret is in it. The cases are from public
reports on peers: masked values (microsoftgraph/powershell-intune-samples#179), tokens (Microsoft365DSC PR#4962), noise
(almenscorner/IntuneCD#163 and #174).
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from tasks.graph.canonical import SECRET, assignments_hash, bare, canonical, canonical_hash, content_hash
from tasks.graph.client import GraphClient
from tasks.graph.resources import BY_NAME
from tasks.graph.simulator import Simulator
from tests.tasks.graph.bodies import G1, G2, to_group, typed

CATALOG = BY_NAME["configuration_policies"]
CONFIGURATIONS = BY_NAME["device_configurations"]


def setting(name: str, value: object = 1) -> dict[str, Any]:
    return {"settingInstance": {"settingDefinitionId": name, "simpleSettingValue": {"value": value}}}


# ---- what is kept


def test_a_bare_body_is_word_for_word_without_annotations_and_actions() -> None:
    body = {
        "b": None,
        "@odata.context": "https://x/1",
        "@odata.etag": "1",
        "@microsoft.graph.tips": "Use $select",
        "#microsoft.graph.assign": {"target": "https://x/assign"},
        "@odata.type": "#microsoft.graph.x",
        "a@odata.type": "#Collection(String)",
        "a": [
            {"id": "B", "c@odata.navigationLink": "https://x", "@odata.type": "#y", "c": ""},
            [{"@odata.id": "1"}],
            1.0,
        ],
        "root@odata.bind": "https://x/('1')",
        "a@odata.nextLink": "https://x",
        "a@odata.count": 3,
        "version": 3,
        "user@example.com": "a name with an at is no annotation",
    }
    before = copy.deepcopy(body)
    kept = bare(body)
    assert list(kept.items()) == [
        ("b", None),
        ("@odata.type", "#microsoft.graph.x"),
        ("a", [{"id": "B", "@odata.type": "#y", "c": ""}, [{}], 1.0]),
        ("root@odata.bind", "https://x/('1')"),
        ("version", 3),
        ("user@example.com", "a name with an at is no annotation"),
    ]
    assert body == before
    assert kept["a"] is not body["a"]
    assert bare(kept) == kept


def test_the_hash_of_a_content_is_that_of_its_sorted_json() -> None:
    expected = hashlib.sha256(b'{"a":[1,null],"b":"\\u00fc"}').hexdigest()
    assert (
        content_hash({"b": "ü", "a": [1, None]})
        == content_hash({"a": [1, None], "@odata.etag": "1", "b": "ü"})
        == expected
    )
    assert content_hash({"a": [None, 1], "b": "ü"}) != expected
    assert content_hash({"a": [1, None], "b": "ü", "c": None}) != expected


# ---- noise


FIRST: dict[str, Any] = {
    "id": "p1",
    "name": "A",
    "description": "",
    "roleScopeTagIds": ["0", "7"],
    "assignments": [to_group(G1.upper(), id=f"p1_{G1}"), to_group(G2, id=f"p1_{G2}")],
    "assignments@odata.context": "https://x/1",
    "version": 3,
    "settingCount": 2,
    "settings": [{"id": "0", **setting("a")}, {"id": "1", **setting("b")}],
}
SECOND: dict[str, Any] = {
    "#microsoft.graph.assign": {"target": "https://x/assign"},
    "@odata.etag": "another",
    "version": 4,
    "description": None,
    "name": "A",
    "id": "p2",
    "roleScopeTagIds@odata.type": "#Collection(String)",
    "roleScopeTagIds": ["7", "0"],
    "assignments": [to_group(G2, id=f"p2_{G2}"), to_group(G1, id=f"p2_{G1}", source="direct", sourceId="p2")],
    "settings": [{"@odata.id": "x", **setting("a")}, setting("b")],
}


def test_noise_is_no_change() -> None:
    assert content_hash(FIRST) != content_hash(SECOND)
    assert canonical_hash(CATALOG, FIRST) == canonical_hash(CATALOG, SECOND)
    assert assignments_hash(FIRST) == assignments_hash(SECOND)
    absent = {key: value for key, value in FIRST.items() if key != "description"}
    assert canonical_hash(CATALOG, absent) == canonical_hash(CATALOG, FIRST)


def test_the_order_of_settings_and_inside_their_groups_is_a_change() -> None:
    turned = {**FIRST, "settings": FIRST["settings"][::-1]}
    assert canonical_hash(CATALOG, turned) != canonical_hash(CATALOG, FIRST)
    groups = [{"children": [setting("a")]}, {"children": [setting("b")]}]
    bodies = [{"settings": [{"groupSettingCollectionValue": order}]} for order in (groups, groups[::-1])]
    assert canonical_hash(CATALOG, bodies[0]) != canonical_hash(CATALOG, bodies[1])


def test_a_change_of_assignments_alone_changes_their_hash_alone() -> None:
    excluded = [to_group(G1, "exclusionGroupAssignmentTarget"), to_group(G2)]
    after = {**FIRST, "assignments": excluded}
    assert canonical_hash(CATALOG, after) == canonical_hash(CATALOG, FIRST)
    assert assignments_hash(after) != assignments_hash(FIRST)


def test_sets_of_a_kind_are_sorted_after_what_is_in_them() -> None:
    kind = BY_NAME["notification_templates"]
    messages = [
        {"id": "1", "locale": "de", "isDefault": True, "subject": ""},
        {"id": "2", "locale": "en", "isDefault": False},
    ]
    turned = [{"isDefault": False, "locale": "en"}, {"id": "0", "subject": None, "isDefault": True, "locale": "de"}]
    hashes = {canonical_hash(kind, {"localizedNotificationMessages": one}) for one in (messages, turned)}
    assert len(hashes) == 1


def test_sets_in_sets_are_sorted_first() -> None:
    kind = dataclasses.replace(CATALOG, sets=("outer", "outer[].inner"))
    turned = ([["b", "c"], ["d", "a"]], [["a", "d"], ["c", "b"]])
    bodies = [{"outer": [{"inner": inner} for inner in outer]} for outer in turned]
    expected = {"outer": [{"inner": ["a", "d"]}, {"inner": ["b", "c"]}]}
    assert [canonical(kind, body) for body in bodies] == [expected, expected]


def test_a_linked_certificate_counts_by_its_id_and_contents() -> None:
    def wifi(**certificate: Any) -> dict[str, Any]:
        return {"identityCertificate": {"id": G1, "displayName": "Root", "roleScopeTagIds": ["0", "7"], **certificate}}

    noise = wifi(version=4, lastModifiedDateTime="2026-01-01T00:00:00Z", roleScopeTagIds=["7", "0"])
    seen = [canonical_hash(CONFIGURATIONS, body) for body in (wifi(), noise, wifi(id=G2), wifi(displayName="Old"))]
    assert seen[0] == seen[1]
    assert len(set(seen)) == 3


def test_values_of_administrative_templates_count_without_their_ids() -> None:
    def template(number: int, text: str) -> dict[str, Any]:
        shown = {"id": f"v{number}", "lastModifiedDateTime": number, "value": text, "presentation": {"id": "p1"}}
        return {"definitionValues": [{"id": f"d{number}", "enabled": True, "presentationValues": [shown]}]}

    kind = BY_NAME["administrative_templates"]
    seen = [canonical_hash(kind, body) for body in (template(1, "a"), template(2, "a"), template(1, "b"))]
    assert seen[0] == seen[1] != seen[2]


def test_a_guid_has_no_case_and_other_texts_have() -> None:
    assert canonical(CATALOG, {"a": {"b": [G1.upper()]}, "c": f"{G1.upper()}_1"}) == {
        "a": {"b": [G1]},
        "c": f"{G1.upper()}_1",
    }


def test_a_copy_from_a_database_is_no_change() -> None:
    body = {"a": "x\x00y", "b": 1.0, "c": float("nan"), "d": 1e23, "e": "\ud800", "f": ["\x00", float("inf")]}
    copied = {"a": "xy", "b": 1, "d": 10**23, "e": "?", "f": ["", None]}
    assert canonical(CATALOG, body) == canonical(CATALOG, copied) == copied
    assert canonical(CATALOG, {"a": True}) != canonical(CATALOG, {"a": 2})


def test_empty_lists_and_objects_are_not_nothing() -> None:
    assert canonical(CATALOG, {"a": [], "b": {}, "c": {"d": None}, "e": 0, "f": False}) == {
        "a": [],
        "b": {},
        "c": {},
        "e": 0,
        "f": False,
    }


# ---- secrets


def oma(**properties: Any) -> dict[str, Any]:
    return typed(
        "windows10CustomConfiguration",
        id="c1",
        displayName="Kiosk",
        omaSettings=[typed("omaSettingString", displayName="Key", omaUri="./Vendor/X/Key", **properties)],
    )


def test_a_masked_value_is_a_secret_and_its_reference_is_no_change() -> None:
    masked = oma(value="****", isEncrypted=True, secretReferenceValueId="c1_a_b")
    assert canonical(CONFIGURATIONS, masked)["omaSettings"] == [
        typed("omaSettingString", displayName="Key", omaUri="./Vendor/X/Key", value=SECRET, isEncrypted=True)
    ]
    others = [
        oma(value="****", isEncrypted=True, secretReferenceValueId="c1_a_c"),
        oma(value="a plain value", isEncrypted=True),
    ]
    assert {canonical_hash(CONFIGURATIONS, one) for one in others} == {canonical_hash(CONFIGURATIONS, masked)}
    assert content_hash(masked) != content_hash(others[0])
    public = [oma(value=value, isEncrypted=False) for value in ("a", "b")]
    assert len({canonical_hash(CONFIGURATIONS, one) for one in (*public, masked)}) == 3


def test_a_mask_is_a_secret_wherever_it_is() -> None:
    body = {"a": [{"b": "****", "secretReferenceValueId": "1"}, "****", "*****"]}
    assert canonical(CATALOG, body) == {"a": [{"b": SECRET}, SECRET, "*****"]}


@pytest.mark.parametrize("kind", [CATALOG, BY_NAME["linux_compliance_policies"], BY_NAME["reusable_settings"]])
def test_the_token_of_a_secret_is_no_change(kind: Any) -> None:
    def body(**value: Any) -> dict[str, Any]:
        secret = typed("deviceManagementConfigurationSecretSettingValue", **value)
        instance = typed("deviceManagementConfigurationSimpleSettingInstance", settingDefinitionId="wifi_psk")
        return {"settings": [{"settingInstance": {**instance, "simpleSettingValue": secret}}]}

    token = body(value="tok-9f", valueState="encryptedValueToken")
    value = canonical(kind, token)["settings"][0]["settingInstance"]["simpleSettingValue"]
    assert value == typed("deviceManagementConfigurationSecretSettingValue", value=SECRET)
    others = [
        body(value="tok-a0", valueState="encryptedValueToken"),
        body(value="as it was sent", valueState="notEncrypted"),
    ]
    assert {canonical_hash(kind, one) for one in others} == {canonical_hash(kind, token)}
    assert canonical_hash(kind, body(value=None, valueState="encryptedValueToken")) != canonical_hash(kind, token)


# ---- the same policy in two ways


def test_one_policy_with_all_metadata_and_as_intunecd_writes_it_has_one_hash() -> None:
    choice = typed("deviceManagementConfigurationChoiceSettingInstance", settingDefinitionId="d")
    graph = typed("deviceManagementConfigurationPolicy", **SECOND) | {
        "platforms@odata.type": "#microsoft.graph.deviceManagementConfigurationPlatforms",
        "platforms": "windows10",
        "priorityMetaData": None,
        "creationSource": None,
        "templateReference": typed(
            "deviceManagementConfigurationPolicyTemplateReference", templateId="", templateFamily="none"
        ),
        "settings@odata.navigationLink": "https://x/settings",
        "settings": [
            typed(
                "deviceManagementConfigurationSetting",
                id="0",
                settingInstance={
                    **choice,
                    "settingInstanceTemplateReference": None,
                    "choiceSettingValue@odata.type": "#x",
                    "choiceSettingValue": typed("deviceManagementConfigurationChoiceSettingValue", value="d_1"),
                },
            )
        ],
    }
    intunecd = {
        "assignments": [{"target": typed("groupAssignmentTarget", groupName="Sales")}],
        "description": "",
        "name": "A",
        "platforms": "windows10",
        "roleScopeTagIds": ["0", "7"],
        "settings": [{"settingInstance": {**choice, "choiceSettingValue": {"value": "d_1"}}}],
        "templateReference": {"templateFamily": "none", "templateId": ""},
    }
    assert canonical(CATALOG, graph) == canonical(CATALOG, intunecd)
    assert canonical_hash(CATALOG, graph) == canonical_hash(CATALOG, intunecd)


def test_what_graph_gives_is_the_policy_as_it_was_written(
    simulator: Simulator, client: Callable[..., GraphClient]
) -> None:
    """Over HTTP it comes masked and with annotations; the tenant holds it whole and plain."""
    graph, masked = client(), 0
    for kind, query in ((CATALOG, {"$expand": "settings,assignments"}), (CONFIGURATIONS, {"$expand": "assignments"})):
        for item in simulator.tenant("contoso").listed(kind.name):
            given = graph.get(f"{kind.path}/{item['id']}", query)
            masked += "****" in str(given) or "encryptedValueToken" in str(given)
            assert canonical_hash(kind, given) == canonical_hash(kind, item)
            assert assignments_hash(given) == assignments_hash(item)
            assert "simulated-" not in str(canonical(kind, item))
    assert masked > 2, "the test wants secrets"
