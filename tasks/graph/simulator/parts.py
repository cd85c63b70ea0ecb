"""What of an object is written by requests of its own, or by binds to other objects, as the real service takes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from tasks.graph.simulator.collections import LINKS
from tasks.graph.simulator.definitions import definitions_of, presentations_of
from tasks.graph.simulator.request import GraphError, Reply
from tasks.graph.simulator.tenants import DEFINITIONS as UPLOADED
from tasks.graph.simulator.tenants import SimulatedTenant

_BIND: Final = "@odata.bind"
_MESSAGES: Final = "localizedNotificationMessages"
_CHOSEN: Final = "selectedPublicApps"
#: OMA settings whose value Graph encrypts by itself: `isEncrypted` is read-only in Microsoft's documents.
_ENCRYPTED: Final = ("omasettingstring", "omasettingstringxml", "omasettingbase64")
#: Links that hold several profiles.
_SEVERAL: Final = frozenset({"rootCertificatesForServerValidation"})


def bad(message: str, code: str = "BadRequest") -> GraphError:
    """A refusal with status 400."""
    return GraphError(400, code, message)


def listed(body: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """A list of objects in the body of an action. Raises GraphError if it is missing."""
    given = body.get(key)
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise bad(f"Parameter expected: {key}")
    return given


# ---- binds


def bound(tenant: SimulatedTenant, kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with what it is bound to in place of its binds. Raises GraphError for one that leads nowhere."""
    made = {key: value for key, value in body.items() if not key.endswith(_BIND)}
    for key, value in body.items():
        if key.endswith(_BIND):
            made |= _resolved(tenant, kind, key.removesuffix(_BIND), value)
    if kind == "device_configurations" and isinstance(made.get("omaSettings"), list):
        made["omaSettings"] = [_encrypted(one) for one in made["omaSettings"]]
    return made


def _resolved(tenant: SimulatedTenant, kind: str, name: str, value: object) -> dict[str, Any]:
    if kind == "device_configurations" and name in LINKS:
        if isinstance(value, list) != (name in _SEVERAL):
            raise bad(f"'{name}' is bound to one object or to several.", "ModelValidationFailure")
        found = [_named(tenant, kind, "deviceConfigurations", one) for one in _each(value)]
        return {name: found if isinstance(value, list) else found[0]}
    if kind == "role_assignments" and name == "roleDefinition":
        role = _named(tenant, "role_definitions", "roleDefinitions", value)
        return {name: {key: role[key] for key in ("id", "displayName") if key in role}}
    if kind == "role_assignments" and name == "roleScopeTags" and isinstance(value, list):
        return {name: [_named(tenant, "scope_tags", "roleScopeTags", one) for one in value]}
    raise bad(f"The property '{name}' cannot be bound.", "ModelValidationFailure")


def _each(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _named(tenant: SimulatedTenant, kind: str, collection: str, url: object) -> dict[str, Any]:
    """The object at the URL of a bind, without its assignments."""
    match = re.fullmatch(rf"https?://[^/]+/beta/deviceManagement/{collection}(?:\('([^']+)'\)|/([^/]+))", str(url))
    item = tenant.objects[kind].get(match[1] or match[2]) if match else None
    if item is None:
        raise bad(f"The object at '{url}' was not found.", "ModelValidationFailure")
    return {key: value for key, value in item.items() if key != "assignments"}


def _encrypted(setting: Any) -> Any:
    type_ = str(setting.get("@odata.type", "")).lower() if isinstance(setting, dict) else ""
    return {**setting, "isEncrypted": True} if type_.endswith(_ENCRYPTED) else setting


# ---- administrative templates


def definition_values(
    tenant: SimulatedTenant, item: Mapping[str, Any], body: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The values of an administrative template after updateDefinitionValues. One bad value refuses all."""
    there = {str(one.get("id")): one for one in item.get("definitionValues") or []}
    for id_ in body.get("deletedIds") or []:
        if there.pop(id_, None) is None:
            raise bad(f"The value '{id_}' was not found.")
    for value in listed({"updated": [], **body}, "updated"):
        old = there.get(str(value.get("id")))
        if old is None:
            raise bad(f"The value '{value.get('id')}' was not found.")
        definition = str(old["definition"]["id"])
        there[str(value["id"])] = {**old, **_unbound(value), **_presented(tenant, value, definition)}
    for value in listed({"added": [], **body}, "added"):
        _add_value(tenant, there, value)
    return list(there.values())


def _add_value(tenant: SimulatedTenant, there: dict[str, dict[str, Any]], value: Mapping[str, Any]) -> None:
    match = re.search(r"groupPolicyDefinitions\('([^']+)'\)$", str(value.get(f"definition{_BIND}", "")))
    if not match:
        raise bad("definition@odata.bind is required.", "ModelValidationFailure")
    if any(one.get("definition", {}).get("id") == match[1] for one in there.values()):
        raise bad("The definition has a value already.")
    id_ = next(f"dv{number}" for number in range(len(there) + 1) if f"dv{number}" not in there)
    # The service has thousands that are built in: one that is not known here is taken for one of them.
    definition = definitions_of(tenant).get(match[1], {"id": match[1]})
    there[id_] = {**_unbound(value), "id": id_, "definition": definition, **_presented(tenant, value, match[1])}


def _presented(tenant: SimulatedTenant, value: Mapping[str, Any], definition: str) -> dict[str, Any]:
    """The presentation values of a value, each with its presentation; nothing if they are not given."""
    if "presentationValues" not in value:
        return {}
    known = {str(one.get("id")): one for one in presentations_of(tenant, definition)}
    made = []
    for number, one in enumerate(listed(value, "presentationValues")):
        url = str(one.get(f"presentation{_BIND}", ""))
        match = re.search(r"groupPolicyDefinitions\('([^']+)'\)/presentations\('([^']+)'\)$", url)
        if not match or match[1] != definition:
            raise bad("presentation@odata.bind is required.", "ModelValidationFailure")
        if definition in tenant.objects[UPLOADED] and match[2] not in known:
            raise bad(f"The presentation '{match[2]}' was not found.", "ModelValidationFailure")
        presentation = dict(known.get(match[2], {"id": match[2]}))
        made.append({**_unbound(one), "id": f"v{number}", "presentation": presentation})
    return {"presentationValues": made}


def _unbound(value: Mapping[str, Any]) -> dict[str, Any]:
    for name in ("definition", "presentation"):
        if name in value:
            raise bad(f"'{name}' is bound, not given.", "ModelValidationFailure")
    return {key: one for key, one in value.items() if not key.endswith(_BIND)}


# ---- app protection


def target_apps(item: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """The policy after targetApps. With a group of apps, the apps are the group's own: a list is refused."""
    apps = listed(body, "apps")
    group = body.get("appGroupType", item.get("appGroupType"))
    if apps and group not in (None, _CHOSEN):
        raise bad("Apps cannot be chosen with a group of apps.")
    if any(not isinstance(one.get("mobileAppIdentifier"), dict) for one in apps):
        raise bad("mobileAppIdentifier is required.", "ModelValidationFailure")
    made = {**item, "apps": [{**one, "id": _app_id(one["mobileAppIdentifier"])} for one in apps]}
    return made if group is None else {**made, "appGroupType": group}


def _app_id(identifier: Mapping[str, Any]) -> str:
    names = (("bundleId", "ios"), ("packageId", "android"), ("windowsAppId", "windows"))
    return next((f"{identifier[name]}.{end}" for name, end in names if name in identifier), "unknown")


# ---- notification templates


def write_message(
    tenant: SimulatedTenant, item: dict[str, Any], method: str, rest: list[str], body: dict[str, Any]
) -> Reply:
    """The reply to POST at the messages of a template, or PATCH or DELETE of one. Raises GraphError."""
    there: list[dict[str, Any]] = item.get(_MESSAGES) or []
    if method == "POST" and not rest:
        made = _new_message(item, there, body)
        _keep(tenant, item, [*there, made])
        return Reply(201, made)
    if method not in ("PATCH", "DELETE"):
        raise GraphError(405)
    old = next((one for one in there if rest and str(one.get("id")) == rest[0]), None)
    if old is None:
        raise GraphError(404, "ResourceNotFound", "The message was not found.")
    if old.get("isDefault") and (method == "DELETE" or body.get("isDefault") is False):
        raise bad("The default message can only be replaced by another default.")
    if "locale" in body or "id" in body:
        raise bad("The locale of a message is fixed.", "ModelValidationFailure")
    _keep(
        tenant, item, [{**one, **body} if one is old else one for one in there if one is not old or method == "PATCH"]
    )
    return Reply(200, {**old, **body}) if method == "PATCH" else Reply(204)


def _new_message(item: Mapping[str, Any], there: Iterable[Mapping[str, Any]], body: dict[str, Any]) -> dict[str, Any]:
    for name in ("locale", "subject", "messageTemplate"):
        if not body.get(name):
            raise bad(f"The property '{name}' is required.", "ModelValidationFailure")
    if "id" in body or "lastModifiedDateTime" in body:
        raise bad("A message's id is read-only.", "ModelValidationFailure")
    if any(str(one.get("locale")).lower() == body["locale"].lower() for one in there):
        raise GraphError(409, "Conflict", "There is a message in this language.")
    return {**body, "id": f"{item['id']}_{body['locale']}"}


def _keep(tenant: SimulatedTenant, item: dict[str, Any], messages: list[dict[str, Any]]) -> None:
    """Keep the messages; the last that says it is the default is, and no other."""
    default = next((one["locale"] for one in reversed(messages) if one.get("isDefault")), None)
    # A message that is changed to be the default stands where it stood: it is the one that was not before.
    before = {one["locale"] for one in item.get(_MESSAGES) or [] if one.get("isDefault")}
    default = next((one["locale"] for one in messages if one.get("isDefault") and one["locale"] not in before), default)
    kept = [{**one, "isDefault": one["locale"] == default} for one in messages]
    made = {**item, _MESSAGES: kept}
    tenant.put("notification_templates", made if default is None else {**made, "defaultLocale": default})
