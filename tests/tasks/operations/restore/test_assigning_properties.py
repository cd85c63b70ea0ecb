"""Nothing is ever widened: over generated assignments and decisions, against a small model of who is reached."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from tasks.graph.resources import BY_NAME
from tasks.operations.restore.assigning import FilterDecision, GroupDecision, plan_assignments
from tasks.operations.restore.targets import FILTER_ID, FILTER_TYPE
from tests.support.properties import examples
from tests.tasks.operations.cases import Body, typed

GROUPS: Final = ("g1", "g2", "g3")
TARGET_GROUPS: Final = ("t1", "t2")
FILTERS: Final = ("f1", "f2")
TARGET_FILTERS: Final = ("tf1",)
INTENTS: Final = (None, "required", "available")
TYPES: Final = (
    "groupAssignmentTarget",
    "groupAssignmentTarget",
    "exclusionGroupAssignmentTarget",
    "allDevicesAssignmentTarget",
    "allLicensedUsersAssignmentTarget",
    "configurationManagerCollectionAssignmentTarget",
    "unheardOfAssignmentTarget",
)

# ---- the model


@dataclass(frozen=True, slots=True)
class Reachable:
    """A device or a user, with the groups it is in and the filters that match it."""

    is_user: bool
    groups: frozenset[str]
    filters: frozenset[str]


def _subsets(names: Iterable[str]) -> list[frozenset[str]]:
    names = sorted(names)
    return [frozenset(some) for size in range(len(names) + 1) for some in itertools.combinations(names, size)]


def universe(assignments: Iterable[Body]) -> list[Reachable]:
    """Everybody that these assignments can tell apart. A collection is as a group."""
    targets = [one["target"] for one in assignments]
    groups = {name for target in targets if (name := _group(target))}
    filters = {target[FILTER_ID] for target in targets if target.get(FILTER_ID)}
    return [
        Reachable(is_user, some, matched)
        for is_user in (False, True)
        for some in _subsets(groups)
        for matched in _subsets(filters)
    ]


def _group(target: Mapping[str, Any]) -> str:
    return str(target.get("groupId") or target.get("collectionId") or "").lower()


def _matches(target: Mapping[str, Any], one: Reachable) -> bool:
    type_ = target["@odata.type"].removeprefix("#microsoft.graph.")
    if type_ == "allDevicesAssignmentTarget":
        return not one.is_user
    if type_ == "allLicensedUsersAssignmentTarget":
        return one.is_user
    return _group(target) in one.groups


def _passes(target: Mapping[str, Any], one: Reachable) -> bool:
    how = target.get(FILTER_TYPE)
    if how in (None, "none"):
        return True
    return (target[FILTER_ID] in one.filters) is (how == "include")


def reach(assignments: list[Body], all_of: list[Reachable], intent: str | None, *, across: bool) -> set[Reachable]:
    """Whom the assignments reach with an intent. `across`: an exclusion counts for every intent, not only for its own.

    An exclusion counts without its filter, and a target of unknown type excludes everybody: so little is reached for certain.
    """
    included: set[Reachable] = set()
    excluded: set[Reachable] = set()
    for assignment in assignments:
        target, is_own = assignment["target"], assignment.get("intent") == intent
        if "unheardOf" in target["@odata.type"]:
            excluded |= set(all_of)
        elif "exclusion" in target["@odata.type"]:
            excluded |= {one for one in all_of if (is_own or across) and _matches(target, one)}
        elif is_own:
            included |= {one for one in all_of if _matches(target, one) and _passes(target, one)}
    return included - excluded


def renamed(one: Body, groups: Mapping[str, GroupDecision], filters: Mapping[str, FilterDecision]) -> Body:
    """The assignment of the backup, in the names of the target tenant; what has none there keeps its own."""
    target = dict(one["target"])
    if "groupId" in target:
        decision = groups.get(target["groupId"].lower())
        target["groupId"] = (decision.id if decision else "") or target["groupId"]
    if target.get(FILTER_TYPE) not in (None, "none"):
        other = filters.get(target[FILTER_ID].lower())
        target[FILTER_ID] = (other.id if other else "") or target[FILTER_ID].lower()
    else:
        target.pop(FILTER_ID, None)
    return {**one, "target": target}


# ---- what is generated


@st.composite
def assignments_(draw: st.DrawFn) -> Body:
    type_ = draw(st.sampled_from(TYPES))
    target = typed(type_)
    if "roup" in type_:
        target["groupId"] = draw(st.sampled_from((*GROUPS, "G1")))
    if "Collection" in type_:
        target["collectionId"] = "c1"
    how = draw(st.sampled_from(("none", "none", "include", "exclude", None)))
    target |= {FILTER_TYPE: how, FILTER_ID: draw(st.sampled_from((*FILTERS, "F1"))) if how else None}
    if "exclusion" in type_ and draw(st.integers(0, 3)):
        target |= {FILTER_TYPE: "none", FILTER_ID: None}
    source = draw(st.sampled_from(("direct", "direct", "direct", "policySets")))
    made: Body = {"id": draw(st.sampled_from(("a1", "a2"))), "source": source, "sourceId": "s1", "target": target}
    intent = draw(st.sampled_from(INTENTS))
    return made if intent is None else {**made, "intent": intent, "settings": {"kept": True}}


GROUP_DECISIONS: Final = st.sampled_from(
    [
        *(GroupDecision("mapped", id_) for id_ in (*TARGET_GROUPS, "T1", *TARGET_GROUPS)),
        GroupDecision("skipped"),
        GroupDecision("unresolved"),
    ]
)
FILTER_DECISIONS: Final = st.sampled_from(
    [
        *(FilterDecision("mapped", id_) for id_ in TARGET_FILTERS * 2),
        FilterDecision("skipped"),
        FilterDecision("failed", code="restore.filter_differs"),
    ]
)


@given(
    st.lists(assignments_(), max_size=6),
    st.dictionaries(st.sampled_from(GROUPS), GROUP_DECISIONS, min_size=2),
    st.dictionaries(st.sampled_from(FILTERS), FILTER_DECISIONS, min_size=1),
    st.sampled_from(("configuration_policies", "mobile_apps", "managed_app_policies")),
    st.booleans(),
)
@examples(250)
def test_nothing_is_widened_and_everything_is_accounted_for(
    assignments: list[Body],
    groups: dict[str, GroupDecision],
    filters: dict[str, FilterDecision],
    kind: str,
    same_tenant: bool,
) -> None:
    made = plan_assignments(BY_NAME[kind], assignments, groups, filters, same_tenant=same_tenant)
    backup = [renamed(one, groups, filters) for one in assignments]
    sent = [dict(one) for one in made.send]
    kept = [dict(one.sent) for one in made.outcomes if one.sent]
    all_of = universe([*backup, *sent])
    for intent in INTENTS:
        for across in (False, True):
            assert reach(sent, all_of, intent, across=across) <= reach(backup, all_of, intent, across=across)
            assert reach(sent, all_of, intent, across=across) == reach(kept, all_of, intent, across=across)
    assert [one.assignment for one in made.outcomes] == assignments
    assert sum(made.counts.values()) == len(assignments)
    for outcome in made.outcomes:
        assert (outcome.state == "kept") is (outcome.sent is not None) is (outcome.code == "")
    for one in sent:
        assert not {"id", "source", "sourceId"} & set(one)
        assert one["target"].get("groupId", "t1") in (*TARGET_GROUPS, "T1")
        assert one["target"][FILTER_ID] in (None, *TARGET_FILTERS)


@given(st.lists(st.sampled_from(GROUPS), unique=True), st.lists(st.sampled_from(INTENTS), min_size=3, max_size=3))
@examples(60)
def test_what_every_group_and_filter_is_mapped_for_is_sent_whole(names: list[str], intents: list[str | None]) -> None:
    assignments = [
        {"intent": intent, "target": typed("groupAssignmentTarget", groupId=name)}
        for name, intent in zip(names, intents, strict=False)
    ]
    groups = {name: GroupDecision("mapped", name.upper()) for name in GROUPS}
    made = plan_assignments(BY_NAME["mobile_apps"], assignments, groups, {}, same_tenant=True)
    assert [one["target"]["groupId"] for one in made.send] == [name.upper() for name in names]
