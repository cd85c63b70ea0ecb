"""What a request is shown of an object: lists leave things out, v1.0 lacks things, secrets are masked. A simulated tenant
holds every object whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from tasks.graph.simulator.collections import (
    V1_ABSENT,
    V1_ASSIGNMENT_ABSENT,
    V1_BASE,
    V1_LACKS,
    V1_TARGET_ABSENT,
    V1_TYPES,
    Collection,
)
from tasks.graph.simulator.query import Query

MASK: Final = "****"
#: Passwords that Graph never gives back.
_NEVER: Final = frozenset({"presharedkey", "password", "passwordvalue"})
#: Kinds that say how many settings an object has.
_COUNTED: Final = frozenset({"configuration_policies", "linux_compliance_policies"})
_SECRET_TYPE: Final = "#microsoft.graph.deviceManagementConfigurationSecretSettingValue"  # noqa: S105 (a type)


def shown(
    collection: Collection, item: Mapping[str, Any], version: str, expand: Mapping[str, Query], *, listed: bool
) -> dict[str, Any]:
    """The object as `version` shows it, in a list or by itself, with the expanded properties."""
    seen = {key: value for key, value in item.items() if key not in collection.navigation}
    if listed:
        seen = {key: None if key in collection.blank else value for key, value in seen.items()}
        seen = {key: value for key, value in seen.items() if key not in collection.absent}
    if collection.kind in _COUNTED and "settingCount" not in seen and "settings" in item:
        seen["settingCount"] = len(item["settings"])
    if version == "v1.0":
        seen = _v1(collection.kind, seen)
    for name, query in expand.items():
        seen[f"{name}@odata.context"] = f"https://graph.microsoft.com/{version}/$metadata#{collection.path[1:]}/{name}"
        seen[name] = part(item, name, version, query)
    whole: dict[str, Any] = masked(seen, str(item.get("id", "")))
    return whole


def part(item: Mapping[str, Any], name: str, version: str, query: Query) -> Any:
    """A navigation property of an object: a list, or one object."""
    value = item.get(name)
    if name == "assignments":
        return [_assignment(one, version) for one in value or []]
    if isinstance(value, list):
        return [_element(one, query) for one in value]
    return value


def _element(element: Any, query: Query) -> Any:
    """An element of a part: its own navigation properties are left out, too, unless they are expanded."""
    if not isinstance(element, dict):
        return element
    inner = {"definition", "presentationValues", "presentation", "scheduledActionConfigurations"}
    expand = query.expanded(inner)
    seen = {key: value for key, value in element.items() if key not in inner}
    for name, options in expand.items():
        value = element.get(name)
        seen[name] = [_element(one, options) for one in value] if isinstance(value, list) else value
    return seen


def _assignment(assignment: Mapping[str, Any], version: str) -> dict[str, Any]:
    if version != "v1.0":
        return {"source": "direct", "sourceId": None, **assignment}
    cut = {key: value for key, value in assignment.items() if key not in V1_ASSIGNMENT_ABSENT}
    target = assignment.get("target")
    if isinstance(target, Mapping):
        cut["target"] = {key: value for key, value in target.items() if key not in V1_TARGET_ABSENT}
    return cut


def _v1(kind: str, item: Mapping[str, Any]) -> dict[str, Any]:
    type_ = str(item.get("@odata.type", "")).lower().rpartition(".")[2]
    known = V1_TYPES.get(kind)
    if type_ in V1_LACKS or (known is not None and type_ not in known):
        return {key: value for key, value in item.items() if key in V1_BASE}
    return {key: value for key, value in item.items() if key not in V1_ABSENT}


def masked(value: Any, owner: str) -> Any:
    """The value with its secrets masked as Graph masks them; `owner` is the id of the object that has it."""
    if isinstance(value, list):
        return [masked(one, owner) for one in value]
    if not isinstance(value, dict):
        return value
    seen = {key: None if key.lower() in _NEVER else masked(one, owner) for key, one in value.items()}
    if seen.get("isEncrypted") is True and "value" in seen:
        seen["value"] = MASK
        seen.setdefault("secretReferenceValueId", secret_reference(owner, seen))
    if seen.get("@odata.type") == _SECRET_TYPE and seen.get("valueState") != "encryptedValueToken":
        seen |= {"value": _token(owner, value), "valueState": "encryptedValueToken"}
    return seen


def secret_reference(owner: str, setting: Mapping[str, Any]) -> str:
    """The id under which the plain value of an OMA setting can be asked for."""
    return f"{owner}_{_digest(owner, setting.get('omaUri'))}"


def _token(owner: str, value: Mapping[str, Any]) -> str:
    return f"token-{_digest(owner, value.get('value'))}"


def _digest(*parts: object) -> str:
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:24]
