"""Assignments in words, and differences: nothing is left out, whatever Microsoft Graph gave."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screens.inventory import difference
from screens.inventory.difference import Difference
from screens.text import assigned
from store.model.tables import COMPLETENESS
from tests.screens.conftest import HOSTILE
from tests.screens.inventory.stage import FILTERS, GROUPS, LONG, TARGETS, target, version
from tests.screens.test_pure import DANGEROUS

#: What exports write for no filter, too.
ZEROS = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("assignments", "words"),
    [
        (None, "unknown"),
        ((), "nobody"),
        (TARGETS, "all devices, 2 groups, not Interns, filtered"),
        ((target("allLicensedUsers"), target("allDevices")), "all users, all devices"),
        ((target("group", "g4"), target("exclusionGroup", "g2")), f"{LONG[:23]}…, not Interns"),
        ((target("exclusionGroup", "g1"), target("exclusionGroup", "g2")), "not 2 groups"),
        (({"target": {"groupId": "g1"}},), "Sales"),
        ((target("configurationManagerCollection"),), "collection None"),
        (
            (target("moon"), 7),
            "a target that is not understood (moonassignmenttarget), a target that is not understood",
        ),
    ],
)
def test_to_whom_in_short(assignments: Any, words: str) -> None:
    assert assigned.short(assignments, GROUPS) == words


def test_filters_and_intents_are_told_with_their_mode() -> None:
    told = [(one.whom, one.is_excluded, one.filter) for one in assigned.assigned(TARGETS, GROUPS, FILTERS)]
    assert told == [
        ("Sales", False, "filter include: Corporate devices"),
        ("all devices", False, "filter exclude: f9"),
        ("unknown-group-id", False, ""),
        ("Interns", True, ""),
    ]
    (app,) = assigned.assigned([target("allDevices", intent="required")], {})
    assert app.intent == "required"
    for none in (target("allDevices", filter_="f1", mode="none"), target("allDevices", filter_=ZEROS)):
        assert assigned.assigned([none], GROUPS, FILTERS)[0].filter == ""


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.sampled_from([HOSTILE]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["target", "groupId", "@odata.type", "intent", HOSTILE]), inner, max_size=4)
    ),
    max_leaves=9,
)


@given(st.lists(ANY_JSON, max_size=4))
def test_any_json_is_told_and_is_safe(assignments: list[Any]) -> None:
    found = assigned.assigned(assignments, GROUPS, FILTERS)
    assert len(found) == len(assignments), "none is left out"
    told = "".join(one.whom + one.filter + one.intent for one in found)
    assert not any(char in DANGEROUS for char in told)
    assert assigned.short(assignments, GROUPS)


def between(old: Any, new: Any, **more: Any) -> Difference:
    return difference.difference(version(1, old), version(2, new, **more))


def test_lines_that_changed_have_a_sign() -> None:
    found = between({"a": 1, "b": [1, 2]}, {"b": [1, 3], "a": 1})
    assert [line for line in found.lines if line[0] in "+-"] == [("-", "      2"), ("+", "      3")]
    assert (found.added, found.removed, found.is_cut) == (1, 1, False)


def test_the_order_of_keys_and_of_assignments_is_no_change() -> None:
    assert between({"a": 1, "b": 2}, {"b": 2, "a": 1}, assignments=TARGETS[::-1]) == Difference((), 0, 0)


def test_assignments_and_gaps_are_compared_too() -> None:
    gap = {"code": COMPLETENESS[-1], "detail": "settings"}
    lines = between({}, {}, assignments=None, gaps=(gap,)).lines
    assert ("+", '  "assignments": null,') in lines
    assert any(sign == "+" and "settings" in line for sign, line in lines)


def test_a_line_that_begins_like_a_sign_is_what_it_is() -> None:
    assert ("+", '    "@@": "++"') in between({}, {"@@": "++"}).lines


def test_what_is_too_long_is_cut_and_said() -> None:
    found = between({"a": []}, {"a": list(range(difference.COMPARED + 9))})
    assert found.is_cut
    assert len(found.lines) == difference.KEPT
