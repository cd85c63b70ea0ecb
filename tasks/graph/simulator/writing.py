"""Answers requests that change objects of Intune, and refuses what the real service refuses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tasks.graph.places import find
from tasks.graph.simulator.collections import LINKS, Collection
from tasks.graph.simulator.demands import GIVEN, PATCH_REFUSES, READ_ONLY, RULES, Rules
from tasks.graph.simulator.parts import bad, bound, definition_values, listed, target_apps, write_message
from tasks.graph.simulator.reading import find_collection, find_item, is_template
from tasks.graph.simulator.request import GraphError, Reply, Request
from tasks.graph.simulator.tenants import SimulatedTenant
from tasks.graph.simulator.views import MASK, shown


def change(tenant: SimulatedTenant, request: Request) -> Reply:
    """The reply to POST, PUT, PATCH or DELETE. Raises GraphError."""
    collection, rest = find_collection(request)
    if request.method == "DELETE" and len(rest) == 1:
        find_item(tenant, collection, rest[0])
        tenant.delete(collection.kind, rest[0])
        return Reply(204)
    body = {} if request.method == "DELETE" and request.body is None else request.body
    if not isinstance(body, dict):
        raise bad("A JSON object is expected.")
    if is_template(request):
        return _instance(tenant, collection, request, body)
    return _write(tenant, collection, request, rest, body)


def _write(
    tenant: SimulatedTenant, collection: Collection, request: Request, rest: list[str], body: dict[str, Any]
) -> Reply:
    rules = RULES.get(collection.kind, Rules())
    item = find_item(tenant, collection, rest[0]) if rest else {}
    match request.method, rest:
        case "POST", []:
            return _create(tenant, collection, rules, request, body)
        case "PATCH", [_]:
            return _patch(tenant, collection, rules, item, body)
        case "PUT", [_] if rules.put:
            return _replace(tenant, collection, rules, item, body)
        case method, [_, part, *which] if part.lower() == rules.messages:
            return write_message(tenant, item, method, which, body)
        case "POST", [_, action]:
            return _act(tenant, collection, rules, item, action, body)
    raise GraphError(405)


def _create(
    tenant: SimulatedTenant, collection: Collection, rules: Rules, request: Request, body: dict[str, Any]
) -> Reply:
    if collection.kind == "managed_app_policies" and not collection.of_type:
        raise GraphError(405)  # made at the path of its type only
    _check_body(tenant, collection, rules, body)
    for name in rules.required:
        if body.get(name) in (None, ""):
            raise bad(f"The property '{name}' is required.", "ModelValidationFailure")
    for name in rules.apart:
        if name in body:
            raise bad(f"The property '{name}' cannot be set here.", "ModelValidationFailure")
    if collection.kind == "compliance_policies":
        _check_actions(body.get("scheduledActionsForRule"))
    if collection.kind == "scope_tags":
        body = {**body, "id": _next_number(tenant, "scope_tags")}
    made = {**GIVEN.get(collection.kind, {}), **bound(tenant, collection.kind, body)}
    return _made(tenant, collection, rules, request, made)


def _next_number(tenant: SimulatedTenant, kind: str) -> str:
    """The id of a new object where the service gives small numbers, each once."""
    removed = [id_ for of_kind, id_ in tenant.removed if of_kind == kind]
    return str(1 + max((int(id_) for id_ in (*tenant.objects[kind], *removed) if id_.isdecimal()), default=0))


def _made(
    tenant: SimulatedTenant, collection: Collection, rules: Rules, request: Request, body: dict[str, Any]
) -> Reply:
    id_ = tenant.put(collection.kind, {**body, "assignments": []} if rules.assign else body)
    item = tenant.objects[collection.kind][id_]
    return Reply(201, shown(collection, item, request.version, {}, listed=False))


def _instance(tenant: SimulatedTenant, collection: Collection, request: Request, body: dict[str, Any]) -> Reply:
    """An intent, made of a template (Micke-K/IntuneManagement, EndpointManager.psm1)."""
    if request.method != "POST":
        raise GraphError(405)
    for name in body:
        if name not in ("displayName", "description", "settingsDelta", "roleScopeTagIds"):
            raise bad(f"The parameter '{name}' is unknown.")
    if not body.get("displayName"):
        raise bad("Parameter expected: displayName")
    settings = [{**setting, "id": f"s{number}"} for number, setting in enumerate(listed(body, "settingsDelta"))]
    rest = {key: value for key, value in body.items() if key != "settingsDelta"}
    made = {**rest, "templateId": request.parts[2], "settings": settings}
    return _made(tenant, collection, RULES["intents"], request, made)


def _patch(
    tenant: SimulatedTenant, collection: Collection, rules: Rules, item: dict[str, Any], body: dict[str, Any]
) -> Reply:
    for name in (*PATCH_REFUSES.get(collection.kind, ()), *rules.apart, *rules.fixed):
        if name in body:
            raise bad(f"The property '{name}' cannot be changed by PATCH.")
    _check_body(tenant, collection, rules, body)
    tenant.put(collection.kind, {**item, **bound(tenant, collection.kind, body), "version": _next(item)})
    return Reply(204)


def _replace(
    tenant: SimulatedTenant, collection: Collection, rules: Rules, item: dict[str, Any], body: dict[str, Any]
) -> Reply:
    _check_body(tenant, collection, rules, body)
    for name in rules.required:
        if body.get(name) in (None, ""):
            raise bad(f"The property '{name}' is required.", "ModelValidationFailure")
    kept = {key: value for key, value in item.items() if key in (*collection.navigation, "id", "createdDateTime")}
    tenant.put(collection.kind, {**kept, **body, "version": _next(item)})
    return Reply(204)


def _next(item: Mapping[str, Any]) -> int:
    version = item.get("version")
    return version + 1 if isinstance(version, int) else 1


def _check_body(tenant: SimulatedTenant, collection: Collection, rules: Rules, body: Mapping[str, Any]) -> None:
    for key in body:
        if key in READ_ONLY or _is_annotation(key):
            raise bad(f"The property '{key}' is read-only.", "ModelValidationFailure")
    for key in LINKS if collection.kind == "device_configurations" else ():
        if key in body:
            raise bad(f"The property '{key}' is bound, not given.", "ModelValidationFailure")
    if _has_annotations([value for value in body.values() if isinstance(value, dict | list)]):
        raise bad("An annotation is read-only.", "ModelValidationFailure")
    if rules.typed and not str(body.get("@odata.type", "")).startswith("#microsoft.graph."):
        raise bad("Cannot create an abstract class.", "ModelValidationFailure")
    if any(_has_secret_reference(one) for one in body.get("omaSettings") or []):
        raise bad("secretReferenceValueId is not supported.", "NotSupported")
    if forbidden := tenant.forbidden_tags & set(body.get("roleScopeTagIds") or ()):
        raise bad(f"Added a tag which is not allowed by the current role: {min(forbidden)}")
    if collection.kind == "configuration_policies":
        _check_template(tenant, body)


def _check_template(tenant: SimulatedTenant, body: Mapping[str, Any]) -> None:
    """Refuse references to settings of a template that the tenant has in another version, in the words of the service
    (Micke-K/IntuneManagement#209, #241).
    """
    reference = body.get("templateReference")
    template = reference.get("templateId") if isinstance(reference, dict) else None
    found = next((container[key] for container, key in find(body, "**.settingInstanceTemplateReference")), None)
    if template in tenant.unknown_templates and isinstance(found, dict):
        named = f"PolicyId\n\nTemplateId\n{template}\nInvalidReferenceId\n{found.get('settingInstanceTemplateId')}"
        raise bad(f"Info\nInvalid Reference id found in Policy  created from Template {template}\n{named}")


def _is_annotation(key: str) -> bool:
    bind_or_type = key == "@odata.type" or key.endswith("@odata.bind")
    return key.startswith("#") or ("@odata." in key and not bind_or_type)


def _has_annotations(value: Any) -> bool:
    """Whether an annotation of an answer stands anywhere in the value."""
    if isinstance(value, list):
        return any(map(_has_annotations, value))
    if not isinstance(value, dict):
        return False
    return any(_is_annotation(key) or _has_annotations(inner) for key, inner in value.items())


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
        raise bad("A compliance policy needs exactly one block action.", "ModelValidationFailure")


def _act(
    tenant: SimulatedTenant,
    collection: Collection,
    rules: Rules,
    item: dict[str, Any],
    action: str,
    body: dict[str, Any],
) -> Reply:
    name = action.lower().removeprefix("microsoft.graph.")
    if name == "assign" and rules.assign:
        made = _assignments(tenant, item, listed(body, rules.assign))
        tenant.put(collection.kind, {**item, "assignments": made})
        return Reply(200, {"value": made}) if rules.assign == "assignments" else Reply(204)
    if name == "updatedefinitionvalues" and collection.kind == "administrative_templates":
        tenant.put(collection.kind, {**item, "definitionValues": definition_values(tenant, item, body)})
        return Reply(204)
    if name == "targetapps" and collection.kind == "managed_app_policies":
        tenant.put(collection.kind, target_apps(item, body))
        return Reply(204)
    for known, (key, part) in (rules.actions or {}).items():
        if known.lower() == name:
            given = listed(body, key)
            if part == "scheduledActionsForRule":
                _check_actions(given)
            tenant.put(collection.kind, {**item, part: given})
            return Reply(204)
    raise GraphError(404, "ResourceNotFound", f"Resource not found for the segment '{action}'.")


def _assignments(
    tenant: SimulatedTenant, item: Mapping[str, Any], given: Iterable[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The new set of assignments, which replaces the old one. One bad target refuses all."""
    made = []
    for assignment in given:
        target = assignment.get("target")
        if not isinstance(target, dict) or "@odata.type" not in target:
            raise bad("A target is expected.", "ModelValidationFailure")
        filter_, how = (target.get(f"deviceAndAppManagementAssignmentFilter{end}") for end in ("Id", "Type"))
        if filter_ and how not in (None, "none"):
            if filter_ not in tenant.objects["assignment_filters"]:
                raise bad("The assignment filter was not found.", "ModelValidationFailure")
            if "exclusion" in str(target["@odata.type"]).lower():
                raise bad("An exclusion takes no filter.", "ModelValidationFailure")
        whom = target.get("groupId") or target["@odata.type"].rpartition(".")[2]
        made.append({"source": "direct", "sourceId": None, **assignment, "id": f"{item['id']}_{whom}"})
    if len({one["id"] for one in made}) != len(made):
        raise bad("A group stands there twice.", "ModelValidationFailure")
    return made
