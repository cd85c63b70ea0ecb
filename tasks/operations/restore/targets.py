"""Whom a single assignment is for, and what is sent in its place. No shape of an assignment is an error."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from tasks.graph.canonical import bare, canonical_assignments
from tasks.graph.places import NO_ID

Assignment = Mapping[str, Any]
#: `unknown` may be an exclusion.
Role = Literal["group", "exclusion", "everybody", "collection", "unknown"]

FILTER_ID: Final = "deviceAndAppManagementAssignmentFilterId"
FILTER_TYPE: Final = "deviceAndAppManagementAssignmentFilterType"
#: The last part of a target's `@odata.type`, in lower case.
_ROLES: Final[Mapping[str, Role]] = {
    "groupassignmenttarget": "group",
    "exclusiongroupassignmenttarget": "exclusion",
    "alldevicesassignmenttarget": "everybody",
    "alllicensedusersassignmenttarget": "everybody",
    "configurationmanagercollectionassignmenttarget": "collection",
}
#: What the service gives an assignment, and a request must not carry.
_GIVEN: Final = ("id", "source", "sourceId")
#: What almenscorner/IntuneCD writes into a target about the source group. Graph does not know these properties.
_ABOUT_THE_GROUP: Final = ("groupName", "groupType", "membershipRule")


@dataclass(frozen=True, slots=True)
class UsedFilter:
    """What a target says of its filter."""

    #: `none`: it has no filter. `unclear`: it has one, but does not say which, or how it is used.
    state: Literal["none", "named", "unclear"]
    #: The filter's id in the source tenant, or its name where an export has that; empty unless `named`.
    id: str = ""


def target_of(assignment: Assignment) -> Mapping[str, Any]:
    """The target; empty if there is none."""
    target = assignment.get("target")
    return target if isinstance(target, Mapping) else {}


def role_of(assignment: Assignment) -> Role:
    """What the target does, by its type."""
    return _ROLES.get(_type_of(assignment), "unknown")


def group_of(assignment: Assignment) -> str:
    """The id of the group, or its name where an export has only that; empty if there is neither."""
    target = target_of(assignment)
    return next((one for key in ("groupId", "groupName") if isinstance(one := target.get(key), str) and one), "")


def filter_of(assignment: Assignment) -> UsedFilter:
    """The filter of the target. Type `none`, and nulls or the zero GUID without a type, mean that there is none."""
    target = target_of(assignment)
    type_, id_ = target.get(FILTER_TYPE), target.get(FILTER_ID)
    is_named = isinstance(id_, str) and id_ not in ("", NO_ID)
    if type_ == "none" or (type_ is None and not is_named):
        return UsedFilter("none")
    return UsedFilter("named", str(id_)) if is_named and isinstance(type_, str) else UsedFilter("unclear")


def to_send(assignment: Assignment, group: str, filter_: str) -> dict[str, Any]:
    """The assignment as it is sent, with the ids of the target tenant; an empty id stands for none.

    Everything else stays word for word: intent, settings, schedules, and what is not known here.
    """
    made = copy.deepcopy({key: value for key, value in bare(assignment).items() if key not in _GIVEN})
    target = made["target"]
    if group:
        for key in _ABOUT_THE_GROUP:
            target.pop(key, None)
        target["groupId"] = group
    if filter_:
        target[FILTER_ID] = filter_
    elif target.get(FILTER_ID) not in (None, NO_ID):
        target[FILTER_ID] = None  # the id of a filter that is not used means nothing in the target tenant
    return made


def audience_of(assignment: Assignment) -> tuple[str, str]:
    """Whom a target is for, filter aside: its kind, and the group or collection in lower case."""
    role = role_of(assignment)
    if role in ("group", "exclusion"):
        return "group", group_of(assignment).lower()
    return _type_of(assignment), str(target_of(assignment).get("collectionId", "")).lower()


def meaning_of(assignment: Assignment) -> str:
    """Equal for two assignments that come to the same."""
    return json.dumps(canonical_assignments({"assignments": [dict(assignment)]}), sort_keys=True)


def _type_of(assignment: Assignment) -> str:
    return str(target_of(assignment).get("@odata.type", "")).rpartition(".")[2].lower()
