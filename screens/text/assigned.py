"""To whom a policy is assigned, in words. Pure functions of the assignments as Microsoft Graph gives them.

A target that is not understood is named as such, and never left out: the reader would take the rest for the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from screens.text.safe import clean

UNKNOWN: Final = "unknown"
NOBODY: Final = "nobody"
#: Characters of a group's name in the short form: what comes after it must have room, too.
_SHORT_NAME: Final = 24
_EVERYBODY: Final = {"alldevicesassignmenttarget": "all devices", "alllicensedusersassignmenttarget": "all users"}
_EXCLUSION: Final = "exclusiongroupassignmenttarget"
_GROUPS: Final = ("groupassignmenttarget", _EXCLUSION)
_COLLECTION: Final = "configurationmanagercollectionassignmenttarget"
_FILTER_ID: Final = "deviceAndAppManagementAssignmentFilterId"
_FILTER_TYPE: Final = "deviceAndAppManagementAssignmentFilterType"
#: Exports write the zero GUID for no filter, too.
_NO_FILTER: Final = ("", "none", "00000000-0000-0000-0000-000000000000")


@dataclass(frozen=True, slots=True)
class Assigned:
    """One assignment. `whom` names a group by its name, or by its id if the cached directory does not know it."""

    whom: str
    is_excluded: bool = False
    is_group: bool = False
    #: Such as `filter include: Corporate devices`; "" without one.
    filter: str = ""
    #: Such as `required`, of apps; "" for other kinds.
    intent: str = ""
    is_understood: bool = True


def assigned(
    assignments: Sequence[Any], groups: Mapping[str, str], filters: Mapping[str, str] | None = None
) -> list[Assigned]:
    """All assignments, includes before excludes, each in the order in which Microsoft Graph gave them."""
    found = [_one(one, groups, filters or {}) for one in assignments]
    return sorted(found, key=lambda one: one.is_excluded)


def short(assignments: Sequence[Any] | None, groups: Mapping[str, str]) -> str:
    """In one short line: `all devices, Sales, not 2 groups, filtered`. None: they are unknown."""
    if assignments is None:
        return UNKNOWN
    found = assigned(assignments, groups)
    return ", ".join(_parts(found)) or NOBODY


def _parts(found: Sequence[Assigned]) -> Iterator[str]:
    yield from dict.fromkeys(one.whom for one in found if not one.is_group)
    if included := [one.whom for one in found if one.is_group and not one.is_excluded]:
        yield _groups(included)
    if excluded := [one.whom for one in found if one.is_excluded]:
        yield f"not {_groups(excluded)}"
    if any(one.filter for one in found):
        yield "filtered"


def _groups(names: Sequence[str]) -> str:
    if len(names) > 1:
        return f"{len(names)} groups"
    return names[0] if len(names[0]) <= _SHORT_NAME else names[0][: _SHORT_NAME - 1].rstrip() + "…"


def _one(assignment: Any, groups: Mapping[str, str], filters: Mapping[str, str]) -> Assigned:
    target = assignment.get("target") if isinstance(assignment, Mapping) else None
    if not isinstance(target, Mapping):
        return Assigned("a target that is not understood", is_understood=False)
    type_ = str(target.get("@odata.type", "")).lower().rpartition(".")[2]
    intent = assignment.get("intent")
    known = intent if isinstance(intent, str) else ""
    return replace(_whom(type_, target, groups), filter=_filter(target, filters), intent=clean(known))


def _whom(type_: str, target: Mapping[str, Any], groups: Mapping[str, str]) -> Assigned:
    group = target.get("groupId")
    if isinstance(group, str) and type_ in ("", *_GROUPS):
        return Assigned(clean(groups.get(group, group)), is_excluded=type_ == _EXCLUSION, is_group=True)
    if type_ in _EVERYBODY:
        return Assigned(_EVERYBODY[type_])
    if type_ == _COLLECTION:
        return Assigned(f"collection {clean(str(target.get('collectionId')))}")
    return Assigned(f"a target that is not understood ({clean(type_) or 'no type'})", is_understood=False)


def _filter(target: Mapping[str, Any], filters: Mapping[str, str]) -> str:
    id_, mode = str(target.get(_FILTER_ID) or ""), str(target.get(_FILTER_TYPE) or "")
    if id_ in _NO_FILTER or mode.lower() == "none":
        return ""
    return f"filter {clean(mode) or 'of unknown mode'}: {clean(filters.get(id_, id_))}"
