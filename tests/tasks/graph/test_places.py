"""Places in bodies: found wherever they are, in the order of the body, and nowhere else."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.graph.places import NO_ID, find, references_of
from tasks.graph.resource import Place
from tasks.graph.resources import BY_NAME, KINDS

SECRET = "#microsoft.graph.deviceManagementConfigurationSecretSettingValue"
TAG = "11111111-0000-4000-8000-00000000000a"
GROUP = "22222222-0000-4000-8000-00000000000a"
FILTER = "33333333-0000-4000-8000-00000000000a"
REUSED = "44444444-0000-4000-8000-00000000000a"


def values(body: Any, place: Place | str) -> list[Any]:
    return [container[key] for container, key in find(body, place)]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a", [{"b": [{"c": 1}, {"d": 2}, {"c": 3}, "c", None, [{"c": 4}]]}]),
        ("a.b", [[{"c": 1}, {"d": 2}, {"c": 3}, "c", None, [{"c": 4}]]]),
        ("a.b[].c", [1, 3]),
        ("a.b[].d", [2]),
        ("a.b[]", [{"c": 1}, {"d": 2}, {"c": 3}, "c", None, [{"c": 4}]]),
        ("**.c", [1, 3, 4]),
        ("a[].b", []),
        ("a.b.c", []),
        ("a.b[].c.d", []),
        ("c", []),
    ],
)
def test_a_place_is_found_in_the_order_of_the_body(path: str, found: list[Any]) -> None:
    body = {"a": {"b": [{"c": 1}, {"d": 2}, {"c": 3}, "c", None, [{"c": 4}]]}}
    assert values(body, path) == values(body, Place(path)) == found


def test_null_is_a_value_and_absence_is_none() -> None:
    assert values({"a": None}, "a") == [None]
    assert values({}, "a") == []


def test_a_type_counts_by_its_end_without_regard_to_case() -> None:
    place = Place("**.value", of_type="deviceManagementConfigurationSecretSettingValue")
    body = {
        "value": 0,
        "x": {"@odata.type": SECRET, "value": 1},
        "y": [{"@odata.type": SECRET.upper(), "value": 2}, {"@odata.type": f"{SECRET}s", "value": 3}],
        "z": {"@odata.type": None, "value": {"@odata.type": SECRET, "value": 4}},
    }
    assert values(body, place) == [1, 2, 4]


def test_a_flag_counts_where_it_is_true_itself() -> None:
    settings = [{"value": number, "isEncrypted": flag} for number, flag in enumerate([True, False, None, 1, "true"])]
    assert values({"s": [*settings, {"value": 9}]}, Place("s[].value", flag="isEncrypted")) == [0]


def test_elements_of_a_list_have_neither_type_nor_flag() -> None:
    assert values({"s": [1]}, Place("s[]", flag="isEncrypted")) == []


def test_what_is_found_can_be_replaced_and_deleted_on_the_way() -> None:
    body = {"value": {"value": 1}, "s": [{"id": 1, "value": 2}, {"id": 2}]}
    for container, key in find(body, "**.value"):
        container[key] = "replaced"
    for container, key in find(body, "s[].id"):
        del container[key]
    assert body == {"value": "replaced", "s": [{"value": "replaced"}, {}]}


def test_references_are_told_with_where_they_stand() -> None:
    reused = "#microsoft.graph.deviceManagementConfigurationReferenceSettingValue"
    body = {
        "roleScopeTagIds": ["0", TAG],
        "settings": [{"settingInstance": {"simpleSettingValue": {"@odata.type": reused, "value": REUSED}}}],
        "assignments": [
            {"target": {"groupId": GROUP, "deviceAndAppManagementAssignmentFilterId": FILTER}},
            {"target": {"deviceAndAppManagementAssignmentFilterId": NO_ID}},
            {"target": {"groupId": None, "deviceAndAppManagementAssignmentFilterId": ""}},
        ],
    }
    found = [(reference.to, id_) for reference, id_ in references_of(BY_NAME["configuration_policies"], body)]
    assert found == [
        ("scope_tags", "0"),
        ("scope_tags", TAG),
        ("reusable_settings", REUSED),
        ("groups", GROUP),
        ("assignment_filters", FILTER),
    ]


def test_actions_refer_to_templates_and_groups_unless_there_is_none() -> None:
    none = {"notificationTemplateId": NO_ID, "notificationMessageCCList": []}
    one = {"notificationTemplateId": TAG, "notificationMessageCCList": [GROUP, ""]}
    body = {"scheduledActionsForRule": [{"scheduledActionConfigurations": [none, one]}, {}]}
    found = [(reference.to, id_) for reference, id_ in references_of(BY_NAME["compliance_policies"], body)]
    assert found == [("notification_templates", TAG), ("groups", GROUP)]


def test_a_kind_without_assignments_refers_to_no_group() -> None:
    body = {"assignments": [{"target": {"groupId": GROUP}}], "roleScopeTags": ["0"]}
    found = [(reference.to, id_) for reference, id_ in references_of(BY_NAME["assignment_filters"], body)]
    assert found == [("scope_tags", "0")]


def test_what_is_deleted_is_never_an_element_of_a_list() -> None:
    """The indices of the elements after it would change on the way."""
    assert not [place for kind in KINDS for place in kind.volatile if place.endswith("[]")]


KEYS = st.sampled_from(["a", "b", "settings", "value", "@odata.type", "isEncrypted"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just(SECRET),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_any_depth_is_every_object_that_has_the_key(body: Any) -> None:
    def every(value: Any) -> list[Any]:
        below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        own = [value["value"]] if isinstance(value, dict) and "value" in value else []
        return own + [found for one in below for found in every(one)]

    before = copy.deepcopy(body)
    assert values(body, "**.value") == every(body)
    for kind in KINDS:
        assert all(isinstance(id_, str) for _, id_ in references_of(kind, body))
    assert body == before
