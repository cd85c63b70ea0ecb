"""Which assignments are sent: the written cases (O29 to O31), and each rule with its reason."""

from __future__ import annotations

import copy
import dataclasses
from typing import Final

import pytest

from tasks.graph.resources import BY_NAME
from tasks.operations.restore.assigning import GroupDecision
from tasks.operations.restore.planning import Plan
from tasks.operations.restore.targets import FILTER_ID, FILTER_TYPE
from tests.tasks.operations.cases import Body, assigned, typed
from tests.tasks.operations.restore.plans import KEPT, NONE, everybody, filtered, plan, sent_groups, states

APPS: Final = BY_NAME["mobile_apps"]
PROTECTION: Final = BY_NAME["managed_app_policies"]


# ---- O29: groups


def test_groups_go_by_their_ids_whatever_their_case() -> None:
    [sent] = plan(assigned("G1")).send
    assert sent == {"target": typed("groupAssignmentTarget", groupId="t1")}


def test_an_unresolved_group_fails_with_its_name_and_the_reason() -> None:
    groups = {"g1": GroupDecision("unresolved", name="Sales", words="the target has two groups of that name")}
    made = plan(assigned("g1"), assigned("g2"), assigned("g9"), groups=groups)
    assert states(made) == [("failed", "restore.unresolved_group"), KEPT, ("failed", "restore.unresolved_group")]
    assert (
        made.outcomes[0].words
        == 'the group "Sales" is not resolved in the target: the target has two groups of that name'
    )
    assert '"g9"' in made.outcomes[2].words
    assert sent_groups(made) == ["t2"]


def test_a_group_left_out_by_a_person_is_skipped() -> None:
    made = plan(assigned("g1"), assigned("g2"), groups={"g1": GroupDecision("skipped", name="Pilot ")})
    assert states(made) == [("skipped", "restore.skipped_group"), KEPT]
    assert '"Pilot "' in made.outcomes[0].words


def test_names_that_differ_in_a_blank_are_two_groups() -> None:
    named = [{"target": typed("groupAssignmentTarget", groupName=name, groupType="x")} for name in ("Pilot ", "Pilot")]
    groups = {"pilot ": GroupDecision("mapped", "t1"), "pilot": GroupDecision("mapped", "t2")}
    made = plan(*named, groups=groups)
    assert made.send == [{"target": typed("groupAssignmentTarget", groupId=one)} for one in ("t1", "t2")]


def test_two_groups_that_become_one_are_sent_once() -> None:
    made = plan(assigned("g1"), assigned("g2"), groups={"g2": GroupDecision("mapped", "T1")})
    assert states(made) == [KEPT, KEPT]
    assert sent_groups(made) == ["t1"]


@pytest.mark.parametrize(
    "second", [filtered("g2", "f1"), assigned("g2", intent="available"), assigned("g2", settings={"x": 1})]
)
def test_the_first_of_two_that_contradict_each_other_is_kept(second: Body) -> None:
    made = plan(assigned("g1"), second, groups={"g2": GroupDecision("mapped", "t1")})
    assert states(made) == [KEPT, ("failed", "restore.not_kept")]
    assert made.send == [{"target": typed("groupAssignmentTarget", groupId="t1")}]


def test_a_group_that_is_included_and_excluded_is_excluded() -> None:
    made = plan(assigned("g1"), assigned("g2", exclude=True), groups={"g2": GroupDecision("mapped", "T1")})
    assert states(made) == [("failed", "restore.not_kept"), KEPT]
    assert [one["target"]["@odata.type"] for one in made.send] == ["#microsoft.graph.exclusionGroupAssignmentTarget"]


# ---- exclusions

LOST: Final = {
    "skipped": (assigned("g4", exclude=True), "skipped", "skipped"),
    "unresolved": (assigned("g9", exclude=True), "failed", "failed"),
    "of no group": ({"target": typed("exclusionGroupAssignmentTarget")}, "failed", "failed"),
    "filtered": (filtered("g1", "f1", exclude=True), "failed", "failed"),
    "of an unknown type": ({"target": typed("someOtherTarget", groupId="g1")}, "failed", "failed"),
    "without a target": ({"target": None}, "failed", "failed"),
    "of a policy set": (
        assigned("g1", exclude=True) | {"source": "policySets", "sourceId": "ps1"},
        "skipped",
        "failed",
    ),
}


@pytest.mark.parametrize(("lost", "own", "others"), LOST.values(), ids=LOST.keys())
def test_no_include_is_kept_without_an_exclusion(lost: Body, own: str, others: str) -> None:
    made = plan(
        assigned("g2"),
        lost,
        everybody("allLicensedUsers"),
        assigned("g3", exclude=True),
        groups={"g4": GroupDecision("skipped")},
    )
    gone = (others, "restore.exclusion_not_kept")
    assert states(made)[0] == states(made)[2] == gone
    assert [one.state for one in made.outcomes] == [others, own, others, "kept"]
    assert made.outcomes[1].words in made.outcomes[0].words
    assert sent_groups(made) == ["t3"]
    assert not made.everybody


def test_a_skip_is_no_excuse_where_another_exclusion_failed() -> None:
    made = plan(
        assigned("g1", exclude=True),
        assigned("g9", exclude=True),
        assigned("g2"),
        groups={"g1": GroupDecision("skipped")},
    )
    assert [one.state for one in made.outcomes] == ["skipped", "failed", "failed"]
    assert made.outcomes[1].words in made.outcomes[2].words


def test_an_exclusion_of_a_policy_set_counts_as_kept_if_the_policy_has_the_same() -> None:
    of_set = assigned("g1", exclude=True) | {"source": "policySets", "sourceId": "ps1"}
    assert states(plan(of_set, assigned("g1", exclude=True), assigned("g2"))) == [
        ("skipped", "restore.policy_set"),
        KEPT,
        KEPT,
    ]
    other = assigned("g1", exclude=True, intent="uninstall")
    assert states(plan(of_set, other, assigned("g2"))) == [
        ("skipped", "restore.policy_set"),
        KEPT,
        ("failed", "restore.exclusion_not_kept"),
    ]


# ---- O30: all users, all devices


@pytest.mark.parametrize("type_", ["allDevices", "allLicensedUsers"])
@pytest.mark.parametrize("same_tenant", [False, True])
def test_everybody_stays_everybody_and_is_told(type_: str, same_tenant: bool) -> None:
    made = plan(everybody(type_), same_tenant=same_tenant)
    assert made.send == [{"target": typed(f"{type_}AssignmentTarget", **NONE)}]
    assert made.everybody
    assert not plan(assigned("g1"), same_tenant=same_tenant).everybody


# ---- O31: policy sets


def test_what_a_policy_set_made_is_skipped() -> None:
    of_set = assigned("g1") | {"source": "policySets", "sourceId": "ps1"}
    made = plan(assigned("g1"), of_set)
    assert states(made) == [KEPT, ("skipped", "restore.policy_set")]
    assert made.outcomes[1].words == "comes from policy set ps1"
    assert sent_groups(made) == ["t1"]
    assert plan(of_set).send == []


# ---- kinds and targets


@pytest.mark.parametrize("same_tenant", [False, True])
def test_a_collection_of_configuration_manager_stays_in_its_tenant(same_tenant: bool) -> None:
    target = typed("configurationManagerCollectionAssignmentTarget", collectionId="SMS1", **NONE)
    made = plan({"target": target}, assigned("g1"), same_tenant=same_tenant)
    assert states(made) == [KEPT if same_tenant else ("failed", "restore.not_kept"), KEPT]
    assert ({"target": target} in made.send) is same_tenant


def test_app_protection_takes_groups_only() -> None:
    made = plan(everybody(), assigned("g1"), assigned("g2", exclude=True), kind=PROTECTION)
    assert states(made) == [("failed", "restore.not_kept"), KEPT, KEPT]


def test_a_kind_without_assignments_sends_none() -> None:
    made = plan(assigned("g1"), kind=BY_NAME["assignment_filters"])
    assert states(made) == [("failed", "restore.not_kept")]


def test_the_rest_is_sent_word_for_word_and_nothing_is_changed_in_place() -> None:
    rest: Body = {
        "@odata.type": "#microsoft.graph.mobileAppAssignment",
        "intent": "required",
        "settings": {"notifications": "hideAll", "x": [None, {"id": "kept"}]},
        "runSchedule": {"interval": 1},
        "unknown": None,
    }
    one = filtered("g1", "f1", **rest) | {"sourceId": "p1"}
    before, groups = copy.deepcopy(one), {"g1": GroupDecision("mapped", "T1")}
    made = plan(one, kind=APPS, groups=groups)
    target = typed("groupAssignmentTarget", groupId="T1", **{FILTER_ID: "tf1", FILTER_TYPE: "include"})
    assert made.send == [{**rest, "target": target}]
    assert one == before
    assert made.outcomes[0].assignment is one
    made.send[0]["settings"]["x"].append("mine")
    assert one == before


def test_a_plan_counts_everything() -> None:
    made = plan(assigned("g1"), assigned("g9"), assigned("g2"), groups={"g2": GroupDecision("skipped")})
    assert made.counts == {"kept": 1, "skipped": 1, "failed": 1}
    assert plan().counts == {"kept": 0, "skipped": 0, "failed": 0}


def test_words_are_one_line() -> None:
    group = dataclasses.replace(GroupDecision("unresolved"), name="a\nb\x1b[31m")
    [outcome] = plan(assigned("g1"), groups={"g1": group}).outcomes
    assert outcome.words.isprintable()


@pytest.mark.parametrize("same_tenant", [True, False])
def test_a_plan_says_whether_all_users_or_devices_are_reached_in_the_same_tenant_too(same_tenant: bool) -> None:
    for assignment, reaches in ((everybody(), True), (assigned("g1"), False), (everybody(filter_="f9"), False)):
        made = plan(assignment, same_tenant=same_tenant)
        assert Plan("create", assignments=made).as_json({})["everybody"] is reaches
