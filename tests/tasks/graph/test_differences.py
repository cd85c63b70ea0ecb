"""Each change of a body is found once, where it is, and told by what people know it by. The cases are from public reports
on peers: noise (almenscorner/IntuneCD#163 and #174), masked values (microsoftgraph/powershell-intune-samples#179).
"""

from __future__ import annotations

from typing import Any

import pytest

from tasks.graph.differences import Difference, differences
from tasks.graph.resource import GraphResource
from tasks.graph.resources import BY_NAME

CATALOG = BY_NAME["configuration_policies"]
CONFIGURATIONS = BY_NAME["device_configurations"]
COMPLIANCE = BY_NAME["compliance_policies"]
LONG = "device_vendor_msft_policy_config_microsoft_edgev92~policy~microsoft_edge_{}_recommended_startpage"


def setting(name: str, value: object = 1) -> dict[str, Any]:
    return {"settingInstance": {"settingDefinitionId": name, "simpleSettingValue": {"value": value}}}


def oma(uri: str, value: object = 1, **properties: Any) -> dict[str, Any]:
    return {"omaUri": uri, "value": value, **properties}


def found(
    before: dict[str, Any], after: dict[str, Any], kind: GraphResource = CATALOG
) -> list[tuple[str, str, Any, Any]]:
    made = differences(kind, before, after)
    assert [one.words for one in made] == [""] * len(made)
    return [(one.change, one.path, one.old, one.new) for one in made]


def in_list(old: list[Any], new: list[Any]) -> list[tuple[str, str, Any, Any]]:
    return found({"list": old}, {"list": new})


# ---- objects


def test_a_change_is_found_as_deep_as_it_is() -> None:
    before = {"a": 1, "b": {"c": {"d": 1, "e": 2}, "gone": {"x": [1]}}, "t": "x"}
    after = {"a": 1, "b": {"c": {"d": 1, "e": 3}}, "new": {"y": []}, "t": {"z": 1}}
    assert differences(CATALOG, before, after) == [
        Difference("modified", "b.c.e", 2, 3),
        Difference("modified", "b.gone", {"x": [1]}, None),
        Difference("modified", "new", None, {"y": []}),
        Difference("modified", "t", "x", {"z": 1}),
    ]


@pytest.mark.parametrize(
    ("old", "new", "seen"),
    [
        (True, 1, (True, 1)),
        (0, False, (0, False)),
        (1, "1", (1, "1")),
        ({"b": 1}, [1], ({"b": 1}, [1])),
        (None, [], (None, [])),
        ("", {}, (None, {})),
        ("x", None, ("x", None)),
    ],
)
def test_values_of_two_types_are_one_difference(old: Any, new: Any, seen: tuple[Any, Any]) -> None:
    assert found({"a": old}, {"a": new}) == [("modified", "a", *seen)]


def test_noise_is_no_difference() -> None:
    before = {
        "id": "p1",
        "name": "A",
        "description": "",
        "roleScopeTagIds": ["0", "7"],
        "version": 3,
        "settings": [{"id": "0", **setting("a")}],
        "x": 1,
        "assignments": [{"id": "a1"}],
    }
    after = {
        "#microsoft.graph.assign": {},
        "x": 1.0,
        "id": "p2",
        "name": "A",
        "description": None,
        "version": 4,
        "roleScopeTagIds@odata.type": "#Collection(String)",
        "roleScopeTagIds": ["7", "0"],
        "settings": [{"@odata.id": "x", **setting("a")}],
    }
    assert found(before, after) == []


def test_keys_that_could_be_mistaken_stand_in_quotes() -> None:
    before: dict[str, Any] = {"a.b": 1, "a": {"b": 1, "@odata.type": "#x", "c@odata.bind": "x"}, "a[0]": 1, "\ud800": 1}
    after: dict[str, Any] = {"a.b": 2, "a": {"b": 2, "@odata.type": "#y", "c@odata.bind": "y"}, "a[0]": 2, "\ud800": 2}
    paths = [one.path for one in differences(CATALOG, before, after)]
    assert paths == ["a.@odata.type", "a.b", "a.c@odata.bind", '["a.b"]', '["a[0]"]', '["\\ud800"]']


# ---- lists with names


def test_settings_are_told_by_their_names_wherever_they_stand() -> None:
    before = {"settings": [setting("firewall_x", 1), setting("b"), setting("c")]}
    after = {"settings": [setting("new"), setting("firewall_x", 2), setting("c")]}
    assert found(before, after) == [
        ("modified", "settings[firewall_x].simpleSettingValue.value", 1, 2),
        ("modified", "settings[b]", setting("b"), None),
        ("modified", "settings[new]", None, setting("new")),
    ]


def test_a_setting_with_more_beside_its_instance_is_written_with_it() -> None:
    before, after = ({"settings": [{**setting("a", value), "more": 1}]} for value in (1, 2))
    assert found(before, after)[0][1] == "settings[a].settingInstance.simpleSettingValue.value"


@pytest.mark.parametrize(
    ("element", "name"),
    [
        ({"settingDefinitionId": "s", "name": "n"}, "s"),
        ({"definitionId": "d"}, "d"),
        ({"omaUri": "./Vendor/X", "displayName": "n"}, "./Vendor/X"),
        ({"definition": {"id": "d1"}}, "d1"),
        ({"presentation": {"id": "p1"}}, "p1"),
        ({"id": "i", "displayName": "n"}, "i"),
        ({"locale": "de-de"}, "de-de"),
        ({"name": "n.1"}, "n.1"),
        ({"displayName": "VPN: Köln"}, "VPN: Köln"),
        ({"key": "k"}, "k"),
        ({"actionType": "block"}, "block"),
        ({"name": "[Test] ü"}, '"[Test] ü"'),
        ({"name": "7"}, '"7"'),
        ({"name": "was 7"}, '"was 7"'),
        ({"name": 7}, "1"),
    ],
)
def test_what_names_an_element(element: dict[str, Any], name: str) -> None:
    before, after = ([{"other": 1}, {**element, "value": value}] for value in (1, 2))
    assert in_list(before, after) == [("modified", f"list[{name}].value", 1, 2)]


def test_an_order_is_one_difference_beside_those_inside() -> None:
    before = {"settings": [setting("a", 1), setting("b"), setting("c")]}
    after = {"settings": [setting("c"), setting("a", 2), setting("b")]}
    assert found(before, after) == [
        ("order", "settings", ["a", "b", "c"], ["c", "a", "b"]),
        ("modified", "settings[a].simpleSettingValue.value", 1, 2),
    ]


def test_an_order_is_that_of_the_elements_which_both_have() -> None:
    before = {"settings": [setting("a"), setting("gone"), setting("b")]}
    after = {"settings": [setting("b"), setting("a"), setting("new")]}
    assert [one[:2] for one in found(before, after)] == [
        ("order", "settings"),
        ("modified", "settings[gone]"),
        ("modified", "settings[new]"),
    ]
    assert found(before, after)[0][2:] == (["a", "b"], ["b", "a"])


def test_a_name_that_occurs_twice_names_nothing() -> None:
    before = [oma("./X", 1), oma("./X", 2), oma("./Y", 1)]
    after = [oma("./X", 1), oma("./Y", 2)]
    assert in_list(before, after) == [
        ("modified", "list[./Y].value", 1, 2),
        ("modified", "list[was 1]", oma("./X", 2), None),
    ]
    named = [oma("./X", 1, displayName="A"), oma("./X", 2, displayName="B")]
    changed = [oma("./X", 1, displayName="A"), oma("./X", 3, displayName="B")]
    assert in_list(named, changed) == [("modified", "list[B].value", 2, 3)]


def test_two_names_are_two_things_even_at_one_position() -> None:
    assert in_list([oma("./X")], [oma("./Y")]) == [
        ("modified", "list[./X]", oma("./X"), None),
        ("modified", "list[./Y]", None, oma("./Y")),
    ]
    assert in_list([{"id": "1", "name": "n"}], [{"name": "n"}]) == [("modified", "list[n].id", "1", None)]


def test_a_long_name_lacks_its_middle_unless_another_looks_like_it() -> None:
    long = LONG.format("x" * 20)
    assert len(long) > 80
    path = in_list([oma(long, 1)], [oma(long, 2)])[0][1]
    assert path == f"list[{long[:35]}…{long[-44:]}].value"
    # Two that differ in the middle alone.
    alike = [LONG.format("x" * 90 + letter + "y" * 90) for letter in "ab"]
    changes = in_list([oma(one, 1) for one in alike], [*(oma(one, 2) for one in alike)])
    assert [one[1] for one in changes] == ["list[0].value", "list[1].value"]
    assert [one[1] for one in in_list([oma(one) for one in alike], [oma(alike[1])])] == ["list[was 0]"]


# ---- lists without names


@pytest.mark.parametrize(
    ("old", "new", "seen"),
    [
        (["a", "b", "c"], ["a", "c"], [("modified", "list[was 1]", "b", None)]),
        (["a", "c"], ["a", "b", "c"], [("modified", "list[1]", None, "b")]),
        (["a", "b", "c"], ["a", "x", "c"], [("modified", "list[1]", "b", "x")]),
        (["b", "a", "b"], ["a", "b"], [("modified", "list[was 0]", "b", None)]),
        (["a", "b"], ["b", "a"], [("order", "list", ["a", "b"], ["b", "a"])]),
        ([[1], [2]], [[2], [1]], [("order", "list", [0, 1], [1, 0])]),
        ([[1], [2]], [[1, 3], [2]], [("modified", "list[0][1]", None, 3)]),
        ([True], [1], [("modified", "list[0]", True, 1)]),
        ([], [{}], [("modified", "list[0]", None, {})]),
        # The index of what is gone is told apart from that of what came.
        (
            ["x", "y", "a", "b"],
            ["a", "n", "b"],
            [
                ("modified", "list[was 0]", "x", None),
                ("modified", "list[was 1]", "y", None),
                ("modified", "list[1]", None, "n"),
            ],
        ),
        # What is inserted does not shift what is changed behind it.
        (
            [{"a": 1}, {"a": 2}, {"a": 3, "b": 1}],
            [{"a": 0}, {"a": 1}, {"a": 2}, {"a": 3, "b": 2}],
            [("modified", "list[3].b", 1, 2), ("modified", "list[0]", None, {"a": 0})],
        ),
    ],
)
def test_elements_without_names_are_told_by_what_they_are_then_by_position(
    old: list[Any], new: list[Any], seen: list[Any]
) -> None:
    assert in_list(old, new) == seen


def test_the_order_of_groups_of_settings_is_a_difference() -> None:
    rules = [{"children": [{"settingDefinitionId": "rule_name", "value": name}]} for name in ("A", "B", "C")]
    made = [
        {"settings": [{"settingInstance": {"settingDefinitionId": "rules", "groupSettingCollectionValue": order}}]}
        for order in (rules, [rules[2], rules[0], rules[1]])
    ]
    assert found(made[0], made[1]) == [("order", "settings[rules].groupSettingCollectionValue", [0, 1, 2], [2, 0, 1])]


# ---- sets and secrets


def test_a_set_of_plain_values_is_one_difference() -> None:
    before = {"roleScopeTagIds": ["7", "0"]}
    assert found(before, {"roleScopeTagIds": ["0", "7", "11"]}) == [
        ("modified", "roleScopeTagIds", ["0", "7"], ["0", "11", "7"])
    ]
    assert found(before, {"roleScopeTagIds": []}) == [("modified", "roleScopeTagIds", ["0", "7"], [])]


def test_a_set_deep_in_a_body_is_known() -> None:
    bodies = [
        {
            "scheduledActionsForRule": [
                {"scheduledActionConfigurations": [{"actionType": "notification", "notificationMessageCCList": cc}]}
            ]
        }
        for cc in (["b", "a"], ["a", "c"])
    ]
    path = "scheduledActionsForRule[0].scheduledActionConfigurations[notification].notificationMessageCCList"
    assert found(bodies[0], bodies[1], COMPLIANCE) == [("modified", path, ["a", "b"], ["a", "c"])]


def test_objects_of_a_set_have_no_order() -> None:
    """What changes in them changes where they are sorted to."""
    apps = [[{"x": 1, "bundle": "a"}, {"x": 1, "bundle": "b"}], [{"x": 1, "bundle": "b"}, {"x": 1, "bundle": "z"}]]
    kind = BY_NAME["managed_app_policies"]
    assert found({"apps": apps[0]}, {"apps": apps[1]}, kind) == [("modified", "apps[1].bundle", "a", "z")]
    messages = [
        [{"locale": "de", "a": 1}, {"locale": "en", "a": 2}],
        [{"locale": "de", "a": 3}, {"locale": "en", "a": 2}],
    ]
    bodies = [{"localizedNotificationMessages": one} for one in messages]
    assert found(bodies[0], bodies[1], BY_NAME["notification_templates"]) == [
        ("modified", "localizedNotificationMessages[de].a", 1, 3)
    ]


def test_no_secret_is_in_a_difference() -> None:
    encrypted = oma("./Vendor/X/Key", "hunter2", isEncrypted=True, secretReferenceValueId="c1_a")
    again = {**encrypted, "value": "****", "secretReferenceValueId": "c1_b"}
    assert found({"omaSettings": [encrypted]}, {"omaSettings": [again]}, CONFIGURATIONS) == []
    made = found({"omaSettings": [encrypted]}, {"omaSettings": [], "preSharedKey": "hunter2"}, CONFIGURATIONS)
    assert [one[1] for one in made] == ["omaSettings[./Vendor/X/Key]", "preSharedKey"]
    assert "hunter2" not in str(made)
    plain = {**encrypted, "isEncrypted": False, "value": "shown"}
    made = found({"omaSettings": [encrypted]}, {"omaSettings": [plain]}, CONFIGURATIONS)
    assert [one[1:] for one in made] == [
        ("omaSettings[./Vendor/X/Key].isEncrypted", True, False),
        ("omaSettings[./Vendor/X/Key].value", "secret", "shown"),
    ]


def test_arguments_are_left_as_they_are() -> None:
    before, after = {"roleScopeTagIds": ["7", "0"], "a": [3, 1]}, {"roleScopeTagIds": ["9", "0"], "a": [1, 3]}
    assert len(differences(CATALOG, before, after)) == 2
    assert (before, after) == (
        {"roleScopeTagIds": ["7", "0"], "a": [3, 1]},
        {"roleScopeTagIds": ["9", "0"], "a": [1, 3]},
    )
