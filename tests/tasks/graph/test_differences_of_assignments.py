"""Changes of assignments in words, each once and with a path of its own."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.graph.differences import Difference, assignment_differences
from tests.tasks.graph.bodies import FILTER_ID, FILTER_TYPE, G1, G2, to_group, typed

F1, F2 = "f1000000-0000-4000-8000-000000000001", "f1000000-0000-4000-8000-000000000002"
NAMES = {G1: "Sales", F1: "Filter A", F2: "Filter A", "ps1": "Laptops"}
EXCLUDED = "exclusionGroupAssignmentTarget"


def to(target: str, **properties: Any) -> dict[str, Any]:
    return {"target": typed(f"{target}AssignmentTarget", **properties)}


def filtered(filter_: str, type_: str = "include", **properties: Any) -> dict[str, Any]:
    return {
        "target": typed("groupAssignmentTarget", groupId=G1, **{FILTER_ID: filter_, FILTER_TYPE: type_}),
        **properties,
    }


def found(before: list[Any] | None, after: list[Any] | None) -> list[tuple[str, str]]:
    made = assignment_differences(before, after, NAMES)
    assert {one.change for one in made} <= {"assignment"}
    return [(one.path, one.words) for one in made]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (None, to_group(G1), "Sales: added as include"),
        (None, to_group(G1, EXCLUDED), "Sales: added as exclude"),
        (
            None,
            filtered(F1, "exclude", intent="required"),
            "Sales: added as include, required, filter exclude Filter A",
        ),
        (to_group(G1), None, "Sales: removed (was include)"),
        (to_group(G1, intent="required"), None, "Sales: removed (was include, required)"),
        (to_group(G1.upper()), to_group(G1, EXCLUDED), "Sales: include → exclude"),
        (to_group(G1), filtered(F1), "Sales: filter none → include Filter A"),
        (filtered(F1), filtered(F1, "exclude"), "Sales: filter include Filter A → exclude Filter A"),
        (filtered(F1), filtered(F2), f"Sales: filter include {F1} → include {F2}"),
        (to_group(G1, intent="available"), to_group(G1, intent="required"), "Sales: intent available → required"),
        (to_group(G1), to_group(G1, intent="required"), "Sales: intent none → required"),
        (to_group(G1, settings={"a": 1}), to_group(G1, settings={"a": 2}), "Sales: settings changed"),
        (
            to_group(G1, intent="available"),
            to_group(G1, EXCLUDED, intent="required", x=1),
            "Sales: include → exclude, intent available → required, settings changed",
        ),
        (to_group(G2), None, f"{G2}: removed (was include)"),
    ],
)
def test_a_change_of_one_group_in_words(old: Any, new: Any, words: str) -> None:
    path = f"assignments[{G2 if old == to_group(G2) else G1}]"
    assert found([old] if old else [], [new] if new else []) == [(path, words)]


@pytest.mark.parametrize(
    ("assignment", "path", "words"),
    [
        (to("allDevices"), "allDevices", "All devices: added as include"),
        (to("allLicensedUsers"), "allLicensedUsers", "All users: added as include"),
        (to("configurationManagerCollection", collectionId="SMS01"), "sms01", "sms01: added as include"),
        (to("group", groupName="Team [x]"), '"Team [x]"', "Team [x]: added as include"),
        (to("fleet2027", x=1), "fleet2027", "fleet2027: added as fleet2027"),
        ({"target": 7}, "unknown target", "unknown target: added as unknown target"),
        ({}, "unknown target", "unknown target: added as unknown target"),
        (
            to_group(G1, source="policySets", sourceId="PS1"),
            f"{G1}][policySets PS1",
            "Sales (from policy set Laptops): added as include",
        ),
    ],
)
def test_whom_an_assignment_is_for(assignment: dict[str, Any], path: str, words: str) -> None:
    assert found([], [assignment]) == [(f"assignments[{path}]", words)]


def test_a_difference_has_the_assignments() -> None:
    assert assignment_differences([to_group(G1.upper(), id="x")], [to_group(G1, EXCLUDED)], {}) == [
        Difference(
            "assignment",
            f"assignments[{G1}]",
            to_group(G1),
            to_group(G1, EXCLUDED),
            f"{G1}: include → exclude",
        )
    ]


def test_noise_is_no_difference() -> None:
    before = [to_group(G1.upper(), id="p1_1"), to_group(G2, intent=None)]
    after = [to_group(G2, id="p2_1", source="direct", sourceId="p2"), to_group(G1)]
    assert found(before, after) == []
    assert found([], []) == found(None, None) == []


def test_what_was_not_read_is_one_difference() -> None:
    assert found(None, []) == [("assignments", "assignments were not read before")]
    assert found([to_group(G1)], None) == [("assignments", "assignments were not read")]
    assert assignment_differences([to_group(G1)], None, {})[0].old == [to_group(G1)]


def test_assignments_of_one_group_are_told_apart() -> None:
    before = [filtered(F1, intent="available"), filtered(F2, intent="required")]
    after = [filtered(F2, "exclude", intent="required"), filtered(F1, "exclude", intent="available")]
    words = "Sales: filter include Filter A → exclude Filter A"
    assert found(before, after) == [(f"assignments[{G1}][available]", words), (f"assignments[{G1}][required]", words)]
    assert found(before, [before[0]]) == [
        (f"assignments[{G1}][required]", "Sales: removed (was include, required, filter include Filter A)")
    ]
    without_intent = found([filtered(F1), filtered(F2)], [])
    assert [path for path, _ in without_intent] == [f"assignments[{G1}]", f"assignments[{G1}][#2]"]


def test_once_more_is_a_difference() -> None:
    assert found([to_group(G1)], [to_group(G1)] * 2) == [(f"assignments[{G1}]", "Sales: added as include")]


def test_what_another_source_made_is_another_assignment() -> None:
    from_set = to_group(G1, source="policySets", sourceId="ps1")
    assert found([to_group(G1), from_set], [to_group(G1, EXCLUDED), from_set]) == [
        (f"assignments[{G1}]", "Sales: include → exclude")
    ]
