"""Filters of assignments (O27): no target is ever sent without the filter that it had."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tasks.graph.places import NO_ID
from tasks.operations.restore.assigning import FilterDecision, read_without_filters
from tasks.operations.restore.targets import FILTER_ID, FILTER_TYPE
from tests.tasks.operations.cases import Body, assigned, typed
from tests.tasks.operations.restore.plans import KEPT, NONE, everybody, filtered, plan, sent_groups, states

FAILED: Final = {
    "none of that name": FilterDecision("failed"),
    "another rule": FilterDecision("failed", code="restore.filter_differs", words='its rule is "b", in the backup "a"'),
    "another platform": FilterDecision("failed", code="restore.filter_differs", words='its platform is "iOS"'),
    "two of the name": FilterDecision("failed", code="restore.filter_ambiguous", words="the target has 2 of that name"),
}


@pytest.mark.parametrize("decision", FAILED.values(), ids=FAILED.keys())
@pytest.mark.parametrize("one", [everybody(filter_="F1"), filtered("g1", "f1", "exclude")], ids=["all", "group"])
def test_no_target_is_sent_without_the_filter_that_it_had(one: Body, decision: FilterDecision) -> None:
    made = plan(one, assigned("g2"), filters={"f1": decision})
    assert states(made) == [("failed", decision.code), KEPT]
    assert decision.words in made.outcomes[0].words
    assert sent_groups(made) == ["t2"]
    assert not made.everybody


def test_a_filter_that_a_person_left_out_skips_its_assignments() -> None:
    made = plan(everybody(filter_="f1"), filters={"f1": FilterDecision("skipped", name="Pilot ")})
    assert states(made) == [("skipped", "restore.filter_missing")]
    assert '"Pilot "' in made.outcomes[0].words
    assert made.send == []


def test_a_mapped_filter_is_sent_with_its_use() -> None:
    made = plan(everybody(filter_="F1"), filtered("g1", "f2", "exclude"))
    assert [(one["target"][FILTER_ID], one["target"][FILTER_TYPE]) for one in made.send] == [
        ("tf1", "include"),
        ("tf2", "exclude"),
    ]


def test_a_filter_without_a_decision_is_missing() -> None:
    assert states(plan(everybody(filter_="f9"))) == [("failed", "restore.filter_missing")]


@pytest.mark.parametrize(
    "keys", [NONE, {FILTER_ID: NO_ID, FILTER_TYPE: "none"}, {FILTER_ID: None, FILTER_TYPE: None}, {FILTER_TYPE: "none"}]
)
def test_no_filter_is_sent_as_it_was(keys: Body) -> None:
    one = assigned("g1")
    one["target"] |= keys
    [sent] = plan(one).send
    assert sent["target"] == {**one["target"], "groupId": "t1"}


def test_the_id_of_a_filter_that_is_not_used_is_not_sent() -> None:
    [sent] = plan(filtered("g1", "f1", "none")).send
    assert sent["target"] | NONE == sent["target"]


@pytest.mark.parametrize("keys", [(NO_ID, "include"), (None, "exclude"), ("f1", None)])
def test_a_filter_that_is_unclear_is_no_filter_that_can_be_kept(keys: tuple[Any, Any]) -> None:
    [outcome] = plan(filtered("g1", *keys)).outcomes
    assert (outcome.state, outcome.code) == ("failed", "restore.filter_missing")
    assert "does not say which" in outcome.words


def test_what_was_read_through_v1_is_told() -> None:
    assert read_without_filters([{"target": typed("allDevicesAssignmentTarget")}])
    assert read_without_filters([filtered("g1", "f1"), assigned("g2")])
    assert not read_without_filters([filtered("g1", "f1"), assigned("g2", exclude=True), everybody()])
    assert not read_without_filters([])
