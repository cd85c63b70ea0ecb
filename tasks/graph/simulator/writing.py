"""Answers requests that change objects of Intune, and refuses what the real service refuses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tasks.graph.simulator.collections import Collection
from tasks.graph.simulator.reading import find_collection, find_item
from tasks.graph.simulator.request import GraphError, Reply, Request
from tasks.graph.simulator.tenants import SimulatedTenant
from tasks.graph.simulator.views import MASK, shown

_READ_ONLY: Final = frozenset(
    {
        "id",
        "createdDateTime",
        "lastModifiedDateTime",
        "modifiedDateTime",
        "version",
        "supportsScopeTags",
        "isAssigned",
        "assignments",
        "settingCount",
        "creationSource",
        "uploadState",
        "publishingState",
        "isGlobalScript",
        "highestAvailableVersion",
        "isBuiltIn",
        "isBuiltInRoleDefinition",
        "roleAssignments",
        "payloads",
        "policyConfigurationIngestionType",
        "deployedAppCount",
    }
)


@dataclass(frozen=True, slots=True)
class _Rules:
    """What a collection demands of a write."""

    #: Properties that a POST must have.
    required: tuple[str, ...] = ("displayName",)
    #: `@odata.type` must be sent.
    typed: bool = False
    #: Parts with requests of their own: a POST or PATCH that has one is refused.
    apart: tuple[str, ...] = ()
    #: Properties that are fixed at creation.
    fixed: tuple[str, ...] = ()
    #: The whole object is replaced by PUT.
    put: bool = False
    #: The key in the body of POST /assign; None if there is no such action.
    assign: str | None = "assignments"
    #: Actions that replace a part: {action: (key of the body, part)}.
    actions: Mapping[str, tuple[str, str]] | None = None


_CATALOG: Final = _Rules(required=("name", "settings", "platforms", "technologies"), put=True)
_SCRIPT_KEY: Final = "deviceManagementScriptAssignments"
_RULES: Final[Mapping[str, _Rules]] = {
    "configuration_policies": _CATALOG,
    "linux_compliance_policies": _Rules(
        required=_CATALOG.required,
        put=True,
        apart=("scheduledActionsForRule",),
        actions={"setScheduledActions": ("scheduledActions", "scheduledActionsForRule")},
    ),
    "device_configurations": _Rules(typed=True),
    "compliance_policies": _Rules(
        typed=True,
        actions={
            "scheduleActionsForRules": ("deviceComplianceScheduledActionForRules", "scheduledActionsForRule"),
        },
    ),
    "scripts": _Rules(required=("displayName", "scriptContent", "fileName"), assign=_SCRIPT_KEY),
    "shell_scripts": _Rules(required=("displayName", "scriptContent", "fileName"), assign=_SCRIPT_KEY),
    "custom_attributes": _Rules(
        required=("displayName", "scriptContent", "fileName", "customAttributeName"),
        fixed=("customAttributeName", "customAttributeType"),
        assign=_SCRIPT_KEY,
    ),
    "health_scripts": _Rules(
        required=("displayName", "detectionScriptContent"), assign="deviceHealthScriptAssignments"
    ),
    "mobile_apps": _Rules(typed=True, assign="mobileAppAssignments"),
    "managed_app_policies": _Rules(typed=True, apart=("apps",), actions={"targetApps": ("apps", "apps")}),
    "administrative_templates": _Rules(apart=("definitionValues",)),
    "assignment_filters": _Rules(
        required=("displayName", "platform", "rule"), fixed=("platform", "assignmentFilterManagementType"), assign=None
    ),
    "role_definitions": _Rules(assign=None),
    "role_assignments": _Rules(assign=None),
    "notification_templates": _Rules(apart=("localizedNotificationMessages", "defaultLocale"), assign=None),
    "reusable_settings": _Rules(required=("displayName", "settingInstance"), put=True, assign=None),
    "enrollment_configurations": _Rules(typed=True, assign="enrollmentConfigurationAssignments"),
    "intents": _Rules(actions={"updateSettings": ("settings", "settings")}),
}
#: Actions whose POST may be refused with the parts of a PATCH: rules of compliance have one of their own.
_PATCH_REFUSES: Final[Mapping[str, tuple[str, ...]]] = {
    "configuration_policies": ("settings",),
    "linux_compliance_policies": ("settings", "scheduledActionsForRule"),
    "compliance_policies": ("scheduledActionsForRule",),
}


def change(tenant: SimulatedTenant, request: Request) -> Reply:
    """The reply to POST, PUT, PATCH or DELETE. Raises GraphError."""
    collection, rest = find_collection(request)
    rules = _RULES.get(collection.kind, _Rules())
    if request.method == "DELETE" and len(rest) == 1:
        find_item(tenant, collection, rest[0])
        tenant.delete(collection.kind, rest[0])
        return Reply(204)
    body = request.body
    if not isinstance(body, dict):
        raise _bad("A JSON object is expected.")
    match request.method, rest:
        case "POST", []:
            return _create(tenant, collection, rules, request, body)
        case "PATCH", [id_]:
            return _patch(tenant, collection, rules, find_item(tenant, collection, id_), body)
        case "PUT", [id_] if rules.put:
            return _replace(tenant, collection, rules, find_item(tenant, collection, id_), body)
        case "POST", [id_, action]:
            return _act(tenant, collection, rules, find_item(tenant, collection, id_), action, body)
    raise GraphError(405)


def _bad(message: str, code: str = "BadRequest") -> GraphError:
    return GraphError(400, code, message)


def _create(
    tenant: SimulatedTenant, collection: Collection, rules: _Rules, request: Request, body: dict[str, Any]
) -> Reply:
    if collection.kind == "managed_app_policies" and not collection.of_type:
        raise GraphError(405)  # made at the path of its type only
    _check_body(collection, rules, body)
    for name in rules.required:
        if body.get(name) in (None, ""):
            raise _bad(f"The property '{name}' is required.", "ModelValidationFailure")
    for name in rules.apart:
        if name in body:
            raise _bad(f"The property '{name}' cannot be set here.", "ModelValidationFailure")
    if collection.kind == "compliance_policies":
        _check_actions(body.get("scheduledActionsForRule"))
    if collection.kind == "scope_tags":  # the service gives small numbers
        body = {
            **body,
            "id": str(1 + max((int(id_) for id_ in tenant.objects["scope_tags"] if id_.isdecimal()), default=0)),
        }
    id_ = tenant.put(collection.kind, {**body, "assignments": []} if rules.assign else body)
    item = tenant.objects[collection.kind][id_]
    return Reply(201, shown(collection, item, request.version, {}, listed=False))


def _patch(
    tenant: SimulatedTenant, collection: Collection, rules: _Rules, item: dict[str, Any], body: dict[str, Any]
) -> Reply:
    for name in (*_PATCH_REFUSES.get(collection.kind, ()), *rules.apart, *rules.fixed):
        if name in body:
            raise _bad(f"The property '{name}' cannot be changed by PATCH.")
    _check_body(collection, rules, body)
    tenant.put(collection.kind, {**item, **body, "version": _next(item)})
    return Reply(204)


def _replace(
    tenant: SimulatedTenant, collection: Collection, rules: _Rules, item: dict[str, Any], body: dict[str, Any]
) -> Reply:
    _check_body(collection, rules, body)
    for name in rules.required:
        if body.get(name) in (None, ""):
            raise _bad(f"The property '{name}' is required.", "ModelValidationFailure")
    kept = {key: value for key, value in item.items() if key in (*collection.navigation, "id", "createdDateTime")}
    tenant.put(collection.kind, {**kept, **body, "version": _next(item)})
    return Reply(204)


def _next(item: Mapping[str, Any]) -> int:
    version = item.get("version")
    return version + 1 if isinstance(version, int) else 1


def _check_body(collection: Collection, rules: _Rules, body: Mapping[str, Any]) -> None:
    for key in body:
        annotation = "@odata." in key and not key.endswith(("@odata.type", "@odata.bind"))
        if key in _READ_ONLY or key.startswith("#") or annotation or re.fullmatch(r".+@odata\.type", key):
            raise _bad(f"The property '{key}' is read-only.", "ModelValidationFailure")
    if rules.typed and not str(body.get("@odata.type", "")).startswith("#microsoft.graph."):
        raise _bad("Cannot create an abstract class.", "ModelValidationFailure")
    if any(_has_secret_reference(one) for one in body.get("omaSettings") or []):
        raise _bad("secretReferenceValueId is not supported.", "NotSupported")


def _has_secret_reference(setting: object) -> bool:
    return isinstance(setting, dict) and (
        setting.get("secretReferenceValueId") is not None or setting.get("value") == MASK
    )


def _check_actions(rules: object) -> None:
    configurations = [
        action
        for rule in (rules if isinstance(rules, list) else [])
        for action in rule.get("scheduledActionConfigurations") or []
    ]
    if sum(action.get("actionType") == "block" for action in configurations) != 1:
        raise _bad("A compliance policy needs exactly one block action.", "ModelValidationFailure")


def _act(
    tenant: SimulatedTenant,
    collection: Collection,
    rules: _Rules,
    item: dict[str, Any],
    action: str,
    body: dict[str, Any],
) -> Reply:
    name = action.lower().removeprefix("microsoft.graph.")
    if name == "assign" and rules.assign:
        made = _assignments(tenant, item, _listed(body, rules.assign))
        tenant.put(collection.kind, {**item, "assignments": made})
        return Reply(200, {"value": made}) if rules.assign == "assignments" else Reply(204)
    if name == "updatedefinitionvalues" and collection.kind == "administrative_templates":
        tenant.put(collection.kind, {**item, "definitionValues": _definitions(item, body)})
        return Reply(204)
    if name == "localizednotificationmessages" and collection.kind == "notification_templates":
        return _add_message(tenant, item, body)
    for known, (key, part) in (rules.actions or {}).items():
        if known.lower() == name:
            given = _listed(body, key)
            if part == "scheduledActionsForRule":
                _check_actions(given)
            tenant.put(collection.kind, {**item, part: given})
            return Reply(204)
    raise GraphError(404, "ResourceNotFound", f"Resource not found for the segment '{action}'.")


def _listed(body: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    given = body.get(key)
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise _bad(f"Parameter expected: {key}")
    return given


def _assignments(
    tenant: SimulatedTenant, item: Mapping[str, Any], given: Iterable[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The new set of assignments, which replaces the old one. One bad target refuses all."""
    made = []
    for assignment in given:
        target = assignment.get("target")
        if not isinstance(target, dict) or "@odata.type" not in target:
            raise _bad("A target is expected.", "ModelValidationFailure")
        filter_, how = (target.get(f"deviceAndAppManagementAssignmentFilter{end}") for end in ("Id", "Type"))
        if filter_ and how not in (None, "none"):
            if filter_ not in tenant.objects["assignment_filters"]:
                raise _bad("The assignment filter was not found.", "ModelValidationFailure")
            if "exclusion" in str(target["@odata.type"]).lower():
                raise _bad("An exclusion takes no filter.", "ModelValidationFailure")
        whom = target.get("groupId") or target["@odata.type"].rpartition(".")[2]
        made.append({"source": "direct", "sourceId": None, **assignment, "id": f"{item['id']}_{whom}"})
    if len({one["id"] for one in made}) != len(made):
        raise _bad("A group stands there twice.", "ModelValidationFailure")
    return made


def _definitions(item: Mapping[str, Any], body: Mapping[str, Any]) -> list[dict[str, Any]]:
    there = {one.get("id"): one for one in item.get("definitionValues") or []}
    for id_ in body.get("deletedIds") or []:
        there.pop(id_, None)
    for number, value in enumerate(_listed({"added": [], **body}, "added"), len(there)):
        bound = re.search(r"groupPolicyDefinitions\('([^']+)'\)", str(value.get("definition@odata.bind", "")))
        if not bound:
            raise _bad("definition@odata.bind is required.", "ModelValidationFailure")
        made = {key: one for key, one in value.items() if "@odata.bind" not in key}
        there[f"dv{number}"] = {**made, "id": f"dv{number}", "definition": {"id": bound[1]}}
    return list(there.values())


def _add_message(tenant: SimulatedTenant, item: dict[str, Any], body: dict[str, Any]) -> Reply:
    for name in ("locale", "subject", "messageTemplate"):
        if not body.get(name):
            raise _bad(f"The property '{name}' is required.", "ModelValidationFailure")
    there = item.get("localizedNotificationMessages") or []
    if any(one.get("locale") == body["locale"] for one in there):
        raise GraphError(409, "Conflict", "There is a message in this language.")
    made = {**body, "id": f"{item['id']}_{body['locale']}"}
    tenant.put("notification_templates", {**item, "localizedNotificationMessages": [*there, made]})
    return Reply(201, made)
