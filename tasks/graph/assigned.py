"""What one canonical assignment says: whom it is for, where it comes from, and how; and its changes in words for people.

An assignment is as canonical_assignments gives it (canonical.py). No shape of it is an error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from tasks.graph.paths import in_brackets

#: Targets without an id, by their type: a tenant has each once.
_EVERYBODY: Final = {"allDevices": "All devices", "allLicensedUsers": "All users"}
#: What a target does, by its type; all others are named by the type.
_MODES: Final = {
    "group": "include",
    "exclusionGroup": "exclude",
    "configurationManagerCollection": "include",
    **dict.fromkeys(_EVERYBODY, "include"),
}
_FILTER_ID: Final = "deviceAndAppManagementAssignmentFilterId"
_FILTER_TYPE: Final = "deviceAndAppManagementAssignmentFilterType"
#: What names a target, the stronger first. The name of a group stands only where its id is missing.
_IDS: Final = ("groupId", "collectionId", "groupName")
_SAID: Final = frozenset({"@odata.type", _FILTER_ID, _FILTER_TYPE, *_IDS})

Assignment = Mapping[str, Any]


def identity(assignment: Assignment) -> str:
    """Whom an assignment is for and where it comes from, for comparing: a group included is the same as excluded."""
    family, id_ = _who(assignment)
    return json.dumps([family, id_, assignment.get("source"), assignment.get("sourceId")], sort_keys=True)


def path_of(assignment: Assignment, *, with_intent: bool) -> str:
    """The path of an assignment: `assignments[<id of the group>]`, `assignments[allDevices]`.

    Its source follows in brackets if that is not the policy itself, and with `with_intent` its intent.
    """
    family, id_ = _who(assignment)
    further = [_source(assignment), _plain(assignment.get("intent")) if with_intent else ""]
    return "assignments" + "".join(f"[{in_brackets(one)}]" for one in [id_ or family, *further] if one)


def likeness(old: Assignment, new: Assignment) -> int:
    """How much two assignments of one identity have in common: 0 to 4."""
    return 4 - len(_changes(old, new, {}))


def words(old: Assignment | None, new: Assignment | None, names: Mapping[str, str]) -> str:
    """A change for people: "Sales: include → exclude", "Sales: added as include". None is an assignment that is absent."""
    if old is not None and new is not None:
        said = ", ".join(_changes(old, new, names)) or "settings changed"
    elif new is not None:
        said = f"added as {_summary(new, names)}"
    else:
        said = f"removed (was {_summary(old or {}, names)})"
    return f"{_whom(new or old or {}, names)}: {said}"


def description(assignment: Assignment, names: Mapping[str, str]) -> str:
    """An assignment for people, as in "Sales: include, filter include Windows"."""
    return f"{_whom(assignment, names)}: {_summary(assignment, names)}"


# ---- parts


def _target(assignment: Assignment) -> Mapping[str, Any]:
    target = assignment.get("target")
    return target if isinstance(target, dict) else {}


def _type(assignment: Assignment) -> str:
    """The type of the target, in short."""
    type_ = _plain(_target(assignment).get("@odata.type")) or "unknown target"
    return type_.removeprefix("#microsoft.graph.").removesuffix("AssignmentTarget")


def _who(assignment: Assignment) -> tuple[str, str]:
    """What names the target and its id there; for a target without an id its type and an empty text."""
    target = _target(assignment)
    key = next((key for key in _IDS if key in target), None)
    return (key, _plain(target[key])) if key else (_type(assignment), "")


def _mode(assignment: Assignment) -> str:
    type_ = _type(assignment)
    return _MODES.get(type_, type_)


def _source(assignment: Assignment) -> str:
    return " ".join(_plain(assignment[key]) for key in ("source", "sourceId") if key in assignment)


def _filter(assignment: Assignment, names: Mapping[str, str]) -> str:
    """As in "include Filter A"; an empty text for none."""
    target = _target(assignment)
    if _FILTER_ID not in target:
        return ""
    return f"{_plain(target.get(_FILTER_TYPE))} {_name(target[_FILTER_ID], names)}"


def _rest(assignment: Assignment) -> list[Any]:
    """All that has no words of its own: settings, schedules, and what nobody knows yet."""
    target = assignment.get("target")
    kept = {key: value for key, value in assignment.items() if key not in ("target", "intent", "source", "sourceId")}
    if not isinstance(target, dict):
        return [kept, target]
    return [kept, {key: value for key, value in target.items() if key not in _SAID}]


# ---- words


def _whom(assignment: Assignment, names: Mapping[str, str]) -> str:
    family, id_ = _who(assignment)
    name = _name(id_, names) if id_ else _EVERYBODY.get(family, family)
    source, from_ = assignment.get("source"), assignment.get("sourceId")
    if source is None and from_ is None:
        return name
    kind = "policy set" if source == "policySets" else _plain(source)
    return f"{name} (from {' '.join(one for one in (kind, _name(from_, names)) if one)})"


def _summary(assignment: Assignment, names: Mapping[str, str]) -> str:
    filter_ = _filter(assignment, names)
    parts = [_mode(assignment), _plain(assignment.get("intent")), f"filter {filter_}" if filter_ else ""]
    return ", ".join(part for part in parts if part)


def _changes(old: Assignment, new: Assignment, names: Mapping[str, str]) -> list[str]:
    """Each aspect that differs, in words."""
    filters = [_filter(one, names) for one in (old, new)]
    if filters[0] == filters[1]:  # two filters may have one name
        filters = [_filter(one, {}) for one in (old, new)]
    changes = [
        ("", _mode(old), _mode(new), ""),
        ("intent ", _plain(old.get("intent")), _plain(new.get("intent")), "none"),
        ("filter ", *filters, "none"),
    ]
    said = [f"{what}{was or none} → {is_ or none}" for what, was, is_, none in changes if was != is_]
    rest = (json.dumps(_rest(one), sort_keys=True) for one in (old, new))
    return said if next(rest) == next(rest) else [*said, "settings changed"]


def _name(id_: Any, names: Mapping[str, str]) -> str:
    text = _plain(id_)
    return names.get(text.lower(), text)


def _plain(value: Any) -> str:
    """A text as it is, no value as an empty one, all else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
