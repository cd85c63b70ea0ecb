"""Assignments for comparing: no filter and no change are written in many ways; all else in an assignment is a change."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.graph.canonical import assignments_hash, canonical_assignments
from tests.tasks.graph.bodies import FILTER_ID, FILTER_TYPE, G1, G2, ZERO, to_group, typed


def test_assignments_are_without_ids_and_sorted() -> None:
    assignments = [to_group(G2, id=f"p1_{G2}"), to_group(G1.upper(), id=f"p1_{G1}")]
    assert canonical_assignments({"assignments": assignments}) == [
        {"target": typed("groupAssignmentTarget", groupId=G1)},
        {"target": typed("groupAssignmentTarget", groupId=G2)},
    ]


@pytest.mark.parametrize(
    "filter_",
    [
        {},
        {FILTER_ID: None, FILTER_TYPE: None},
        {FILTER_ID: ZERO, FILTER_TYPE: "none"},
        {FILTER_ID: ZERO, FILTER_TYPE: "include"},
        {FILTER_ID: G2, FILTER_TYPE: "none"},
        {FILTER_ID: "", FILTER_TYPE: "include"},
        {FILTER_ID: G2},
        {FILTER_TYPE: "none"},
    ],
)
def test_no_filter_is_written_in_many_ways(filter_: dict[str, Any]) -> None:
    target = typed("allDevicesAssignmentTarget", **filter_)
    assert canonical_assignments({"assignments": [{"target": target}]}) == [
        {"target": typed("allDevicesAssignmentTarget")}
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"target": typed("groupAssignmentTarget", groupId=G2)},
        {"target": typed("exclusionGroupAssignmentTarget", groupId=G1)},
        {"target": typed("groupAssignmentTarget", groupId=G1, **{FILTER_ID: G2, FILTER_TYPE: "include"})},
        {"target": typed("groupAssignmentTarget", groupId=G1, **{FILTER_ID: G2, FILTER_TYPE: "exclude"})},
        {"target": typed("groupAssignmentTarget", groupName="Sales")},
        {"target": typed("groupAssignmentTarget", groupName="Marketing")},
        {"target": typed("configurationManagerCollectionAssignmentTarget", collectionId="A1")},
        {"intent": "required"},
        {"settings": typed("winGetAppAssignmentSettings", notifications="hideAll")},
        {"runSchedule": typed("deviceHealthScriptDailySchedule", interval=2)},
        {"source": "policySets", "sourceId": "s1"},
        {"source": "policySets", "sourceId": "s2"},
        {"aPropertyOf2027": True},
    ],
)
def test_all_else_in_an_assignment_is_a_change(change: dict[str, Any]) -> None:
    seen = [assignments_hash({"assignments": [{**to_group(G1), **one}]}) for one in ({}, change)]
    assert seen[0] != seen[1]


@pytest.mark.parametrize(
    "noise",
    [
        {"id": "1", "@odata.type": "#microsoft.graph.deviceConfigurationAssignment", "intent": None},
        {"source": "direct", "sourceId": "p1", "target@odata.context": "https://x"},
        {"target": typed("groupAssignmentTarget", groupId=G1.upper(), collectionId=None)},
        {"target": typed("groupAssignmentTarget", groupId=G1, groupName="Sales", groupType="StaticMembership")},
    ],
)
def test_what_tools_and_graph_add_to_an_assignment_is_no_change(noise: dict[str, Any]) -> None:
    assert assignments_hash({"assignments": [{**to_group(G1), **noise}]}) == assignments_hash(
        {"assignments": [to_group(G1)]}
    )


def test_the_name_of_a_group_counts_where_its_id_is_missing() -> None:
    names = [{"assignments": [{"target": typed("groupAssignmentTarget", groupName=name)}]} for name in ("A", "B")]
    assert assignments_hash(names[0]) != assignments_hash(names[1])


def test_a_collection_has_no_case() -> None:
    target = "configurationManagerCollectionAssignmentTarget"
    written = [{"assignments": [{"target": typed(target, collectionId=id_)}]} for id_ in ("SMS00a1", "sms00A1")]
    assert assignments_hash(written[0]) == assignments_hash(written[1])


def test_twice_is_not_once_and_none_is_none() -> None:
    once, twice = ({"assignments": [to_group(G1)] * count} for count in (1, 2))
    assert assignments_hash(once) != assignments_hash(twice)
    nothing: list[Any] = [{}, {"assignments": None}, {"assignments": []}, {"assignments": "x"}, {"assignments": [None]}]
    assert [canonical_assignments(one) for one in nothing] == [[]] * len(nothing)
