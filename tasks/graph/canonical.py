"""The canonical form of a body: two bodies that mean the same policy have the same one, and the same hash.

A body is what a JSON reader gives. Nothing here changes its argument. No JSON is an error, unless it nests hundreds of
levels deep: that raises RecursionError, as a JSON reader does. Policies nest some twenty.
"""

from __future__ import annotations

import decimal
import functools
import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

from tasks.graph.places import NO_ID, find
from tasks.graph.resource import GraphResource
from tasks.graph.resources import READ_ONLY

#: What stands for a secret. Graph shows a secret masked, as a token that changes, or not at all: only that there is one
#: can be compared.
SECRET: Final = "secret"  # noqa: S105 (stands for one)
#: How Graph masks the value of an OMA setting.
_MASK: Final = "****"
#: States of a secret of the settings catalog: as it is sent, and as it comes back with a token instead of the value.
_SECRET_STATES: Final = ("notEncrypted", "encryptedValueToken")

#: Ids of parts, which Graph gives anew when the policy is written.
_PART_IDS: Final = (
    "settings[].id",
    "scheduledActionsForRule[].id",
    "scheduledActionsForRule[].scheduledActionConfigurations[].id",
)
#: Lists without an order, of every kind.
_SETS: Final = ("roleScopeTagIds", "roleScopeTags")

_NAMESPACE: Final = "#microsoft.graph."
_CATALOG: Final = "deviceManagementConfiguration"
#: Types that the schema declares where they stand. Graph leaves such an `@odata.type` out, unless it is asked for all
#: metadata, as Micke-K/IntuneManagement does. Sources: microsoftgraph/msgraph-metadata, and SkipToTheEndpoint/
#: OpenIntuneBaseline, which has the same policies with all metadata and with little.
_DECLARED: Final = frozenset(
    _NAMESPACE + name
    for name in (
        f"{_CATALOG}Policy",
        f"{_CATALOG}PolicyTemplateReference",
        f"{_CATALOG}Setting",
        f"{_CATALOG}SettingInstanceTemplateReference",
        f"{_CATALOG}SettingValueTemplateReference",
        f"{_CATALOG}ChoiceSettingValue",
        f"{_CATALOG}GroupSettingValue",
        "deviceManagementCompliancePolicy",
        "deviceManagementComplianceScheduledActionForRule",
        "deviceManagementComplianceActionItem",
        "deviceComplianceScheduledActionForRule",
        "deviceComplianceActionItem",
        "deviceManagementReusablePolicySetting",
        "deviceManagementIntent",
        "deviceManagementScript",
        "deviceShellScript",
        "deviceCustomAttributeShellScript",
        "deviceHealthScript",
        "deviceAndAppManagementAssignmentFilter",
        "deviceAndAppManagementRoleAssignment",
        "groupPolicyConfiguration",
        "groupPolicyDefinitionValue",
        "groupPolicyDefinition",
        "localizedNotificationMessage",
        "notificationMessageTemplate",
        "managedMobileApp",
        "mobileAppCategory",
        "keyValuePair",
        "mimeContent",
        "roleScopeTag",
        "rolePermission",
        "resourceAction",
        "windowsDriverUpdateProfile",
        "windowsFeatureUpdateProfile",
        "windowsQualityUpdateProfile",
        "windowsQualityUpdatePolicy",
    )
)

_GUID: Final = re.compile("[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_GUID_LENGTH: Final = 36
_FILTER_ID: Final = "deviceAndAppManagementAssignmentFilterId"
_FILTER_TYPE: Final = "deviceAndAppManagementAssignmentFilterType"
#: What almenscorner/IntuneCD adds to a target about the group; it changes without the assignment.
_ABOUT_THE_GROUP: Final = ("groupType", "membershipRule")


# ---- the body as Graph gave it


def bare(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body word for word and in its order, without annotations and actions at any depth: this is what is kept."""
    return bare_and_hash(body)[0]


def bare_and_hash(body: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The bare body, and its `content_hash`."""
    top = {key: value for key, value in body.items() if not _is_annotation(key)}
    text = _json(top)
    # Most bodies have annotations at the top alone, and the encoder finds out much faster than a walk.
    if _ANNOTATED.search(text):
        top = _without_annotations(top)
        text = _json(top)
    return top, _sha256(text)


def _without_annotations(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _bare(value) for key, value in body.items() if not _is_annotation(key)}


#: A key that may be an annotation, or a text that looks like one.
_ANNOTATED: Final = re.compile(r'"(?:#|[^"]*@(?:odata|microsoft\.graph)\.)[^"]*":(?<!"@odata\.type":)')


def content_hash(body: Mapping[str, Any]) -> str:
    """The SHA-256, in hex, of the bare body. Annotations and the order of keys do not count, everything else does."""
    return bare_and_hash(body)[1]


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return _without_annotations(value)
    return [_bare(one) for one in value] if isinstance(value, list) else value


@functools.lru_cache(4096)
def _is_annotation(key: str) -> bool:
    """Whether a key says something about the answer instead of the policy: `x@odata.…`, `@microsoft.graph.…`, `#action`.

    `@odata.type` and `x@odata.bind` are part of the policy.
    """
    if key.startswith("#"):
        return True
    if "@" not in key or key == "@odata.type" or key.endswith("@odata.bind"):
        return False
    return "@odata." in key or "@microsoft.graph." in key


# ---- the body for comparing


def canonical(kind: GraphResource, body: Mapping[str, Any]) -> dict[str, Any]:
    """What two bodies of a kind are compared by. Assignments are no part of it: see canonical_assignments.

    - Properties that Graph sets, the volatile ones of the kind and ids of parts are left out.
    - A property that is null or an empty text is as if it were absent. An empty list or object is not.
    - Secrets are the text SECRET; neither their state nor the id they are asked for by counts.
    - Sets are sorted; all other lists keep their order, because it can mean something.
    - GUIDs are in lower case, texts and numbers as a database gives them back, types that are clear are left out.
    """
    made = _object({key: value for key, value in body.items() if key not in READ_ONLY})
    for place in (*kind.volatile, *_PART_IDS):
        for container, key in find(made, place):
            del container[key]
    for secret in kind.secrets:
        for container, key in find(made, secret):
            container[key] = SECRET
    for place in sets_of(kind.sets):
        for container, key in find(made, place):
            if isinstance(container[key], list):
                container[key].sort(key=_json)
    return made


def canonical_hash(kind: GraphResource, body: Mapping[str, Any]) -> str:
    """The SHA-256, in hex, of the canonical body."""
    return _hash(canonical(kind, body))


@functools.cache
def sets_of(own: tuple[str, ...]) -> tuple[str, ...]:
    """The sets of a kind, inner ones first: what they hold decides the order of those around them."""
    return tuple(sorted((*_SETS, *own), key=lambda path: -path.count(".")))


def _object(value: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, one in value.items():
        if key == "secretReferenceValueId" or _is_annotation(key):
            continue
        plain = _value(one)
        if plain is not None and plain != "":
            made[key] = plain
    type_ = made.get("@odata.type")
    if isinstance(type_, str) and type_ in _DECLARED:
        del made["@odata.type"]
    if made.get("valueState") in _SECRET_STATES:
        del made["valueState"]
        if "value" in made:
            made["value"] = SECRET
    return made


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return _object(value)
    if isinstance(value, list):
        return [_value(one) for one in value]
    return _number(value) if isinstance(value, float) else value


def _text(text: str) -> str:
    if not text.isascii() or "\x00" in text:
        # As the store keeps it, or a policy would differ from its own copy.
        text = text.replace("\x00", "").encode(errors="replace").decode()
    if len(text) == _GUID_LENGTH and _GUID.fullmatch(text):
        return text.lower()
    return SECRET if text == _MASK else text


def _number(number: float) -> float | int | None:
    """A number as a database gives it back: a whole one is an int, what is no number is null."""
    if not math.isfinite(number):
        return None
    # By its digits: int(1e23) is another number than 1e23 written out.
    return int(decimal.Decimal(repr(number))) if number.is_integer() else number


# ---- the assignments for comparing


def canonical_assignments(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the assignments of two bodies are compared by, sorted: each with `target`, and where it has them `intent`,
    `settings`, a schedule, `source` and `sourceId`.

    They are without ids. `source` is left out where it is direct, with its `sourceId`: that is the policy's own id. A
    target has its type, the group or collection in lower case, and a filter if it has one; the name of a group counts only
    where its id is missing.
    """
    given = body.get("assignments")
    elements = given if isinstance(given, list) else []
    return sorted((_assignment(one) for one in elements if isinstance(one, dict)), key=_json)


def assignments_hash(body: Mapping[str, Any]) -> str:
    """The SHA-256, in hex, of the canonical assignments."""
    given = body.get("assignments")
    elements = given if isinstance(given, list) else []
    texts = sorted(_json(_assignment(one)) for one in elements if isinstance(one, dict))
    # As _hash would of the list, with each element turned into text once.
    return _sha256(f"[{','.join(texts)}]")


def _assignment(assignment: dict[str, Any]) -> dict[str, Any]:
    # Its own type says only whose assignment it is.
    made = _object({key: value for key, value in assignment.items() if key not in ("id", "@odata.type")})
    if made.get("source") == "direct":
        del made["source"]
        made.pop("sourceId", None)
    if isinstance(made.get("target"), dict):
        made["target"] = _target(made["target"])
    return made


def _target(target: dict[str, Any]) -> dict[str, Any]:
    made = {key: value for key, value in target.items() if key not in _ABOUT_THE_GROUP}
    for key in ("groupId", "collectionId", _FILTER_ID):
        if isinstance(made.get(key), str):
            made[key] = made[key].lower()
    if "groupId" in made:
        made.pop("groupName", None)
    if made.get(_FILTER_ID) in (None, NO_ID) or made.get(_FILTER_TYPE) in (None, "none"):
        made.pop(_FILTER_ID, None)
        made.pop(_FILTER_TYPE, None)
    return made


# ---- hashes


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _hash(value: Any) -> str:
    return _sha256(_json(value))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
