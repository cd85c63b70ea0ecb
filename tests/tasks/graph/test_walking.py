"""Every value of a body is found with the path that a comparison would give it."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tasks.graph.differences import differences
from tasks.graph.resources import BY_NAME
from tasks.graph.walking import values_of
from tests.support.properties import examples
from tests.tasks.operations.cases import settings, simple


def test_every_value_has_its_path() -> None:
    body = {"name": "x", "settings": settings(simple("wifi", "k")), "omaSettings": [{"omaUri": "./A", "value": [1]}]}
    found = dict(values_of(body))
    assert found[""] == body
    assert found["name"] == "x"
    assert found["settings[wifi].simpleSettingValue.value"] == "k"
    assert found["omaSettings[./A].value[0]"] == 1
    assert len(found) == len(list(values_of(body))) == 14


def test_an_element_with_more_than_its_setting_does_not_stand_for_it() -> None:
    found = dict(values_of({"settings": [{"settingInstance": {"settingDefinitionId": "a", "x": 1}, "more": 2}]}))
    assert found["settings[a].settingInstance.x"] == 1
    assert found["settings[a].more"] == 2


leaves = st.sampled_from(["a", "b", 1, True])
bodies = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b.c", "omaUri", "displayName", "settingInstance"]), inner, max_size=3)
    ),
    max_leaves=12,
)


def leaves_of(value: Any) -> list[tuple[Any, Any]]:
    """(container, key) of each plain value, in the order of the body."""
    steps = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    found: list[tuple[Any, Any]] = []
    for key, inner in steps:
        found += leaves_of(inner) if isinstance(inner, dict | list) else [(value, key)]
    return found


@examples(60)
@given(body=st.dictionaries(st.sampled_from(["x", "y", "z"]), bodies, max_size=3), index=st.integers(0, 50))
def test_a_comparison_finds_a_value_that_changes_no_name_at_the_same_path(body: dict[str, Any], index: int) -> None:
    plain = [(path, value) for path, value in values_of(body) if not isinstance(value, dict | list)]
    places = leaves_of(body)
    assert [value for _, value in plain] == [container[key] for container, key in places]
    assert len({path for path, _ in plain}) == len(plain)
    if not places:
        return
    at = index % len(places)
    container, key = places[at]
    after = copy.deepcopy(body)
    inner, _ = leaves_of(after)[at]
    if isinstance(container, list) or key in ("omaUri", "displayName"):
        return  # a plain element, or a name: these are compared as what they are
    inner[key] = "other"
    found = differences(BY_NAME["device_configurations"], body, after)
    assert plain[at][0] in {one.path for one in found} or any(plain[at][0].startswith(one.path) for one in found)
