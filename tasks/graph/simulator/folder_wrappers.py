"""Takes the bodies out of what exports wrap around them: lists, pages of Graph, and the templates of CIPP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tasks.graph.simulator.folder_decoding import UnreadableError, parse

#: Keys under which files hold a list of bodies, and the kind that the key says.
_LISTS: Final[Mapping[str, str]] = {"value": "", "filters": "assignment_filters", "groups": "groups"}
#: The `Type` of a CIPP template, in lower case, and its kind.
_CIPP_TYPES: Final[Mapping[str, str]] = {
    "admin": "administrative_templates",
    "appprotection": "managed_app_policies",
    "catalog": "configuration_policies",
    "device": "device_configurations",
    "devicecompliancepolicies": "compliance_policies",
    "windowsdriverupdateprofiles": "driver_update_profiles",
    "windowsfeatureupdateprofiles": "feature_update_profiles",
    "windowsqualityupdatepolicies": "quality_update_policies",
    "windowsqualityupdateprofiles": "quality_update_profiles",
}
#: Wrappers in wrappers that are followed.
_DEEPEST: Final = 8


@dataclass(frozen=True, slots=True)
class Found:
    """One thing in a file: a body, or None and the reason why there is none. `hint`: the kind that its wrapper says."""

    body: dict[str, Any] | None
    hint: str = ""
    reason: str = ""
    #: It is a wrapper whose JSON text cannot be read.
    broken: bool = False


def unwrap(loaded: object, hint: str = "", depth: int = 0) -> Iterator[Found]:
    """Everything in a file, without its wrappers, in the file's order."""
    if isinstance(loaded, list) and depth < _DEEPEST:
        for one in loaded:
            yield from unwrap(one, hint, depth + 1)
    elif not isinstance(loaded, dict):
        yield Found(None, reason="not an object")
    elif (key := _list_key(loaded)) and depth < _DEEPEST:
        yield from unwrap(loaded[key], _LISTS[key] or hint, depth + 1)
    elif _is_cipp(loaded):
        yield _cipp(loaded)
    else:
        yield Found(loaded, hint)


def _list_key(loaded: Mapping[str, Any]) -> str | None:
    """The key of a page. An object that has a type, such as a setting with a `value`, is no page."""
    if "@odata.type" in loaded:
        return None
    return next((key for key in _LISTS if isinstance(loaded.get(key), list)), None)


def _lower(loaded: Mapping[str, Any]) -> dict[str, Any]:
    return {key.lower(): value for key, value in loaded.items()}  # CIPP writes Displayname and displayName


def _is_cipp(loaded: Mapping[str, Any]) -> bool:
    keys = _lower(loaded)
    return "rawjson" in keys or ("partitionkey" in keys and "json" in keys)


def _cipp(loaded: Mapping[str, Any]) -> Found:
    keys = _lower(loaded)
    try:
        if "rawjson" not in keys:
            if keys["partitionkey"] != "IntuneTemplate":
                return Found(None, reason=f"CIPP {keys['partitionkey']}")
            keys = _lower(_object(keys["json"]))
        body = _object(keys.get("rawjson"))
    except UnreadableError as error:
        return Found(None, reason=f"JSON text in a CIPP template: {error}", broken=True)
    hint = _CIPP_TYPES.get(str(keys.get("type", "")).lower(), "")
    return Found(_named(_definition_values(body), keys, hint), hint)


def _object(text: object) -> dict[str, Any]:
    loaded = parse(text) if isinstance(text, str) else text
    if not isinstance(loaded, dict):
        raise UnreadableError("not an object")
    return loaded


def _definition_values(body: dict[str, Any]) -> dict[str, Any]:
    """An administrative template: CIPP keeps the body of its action `updateDefinitionValues`, and not the policy."""
    if {"added", "updated", "deletedIds"} <= set(body) and isinstance(body["added"], list):
        return {"definitionValues": body["added"]}
    return body


def _named(body: dict[str, Any], wrapper: Mapping[str, Any], hint: str) -> dict[str, Any]:
    """The body with the name and the description of its wrapper where it has none."""
    made = dict(body)
    if not (body.get("displayName") or body.get("name")) and isinstance(wrapper.get("displayname"), str):
        catalog = hint == "configuration_policies" or {"settings", "technologies"} <= set(body)
        made["name" if catalog else "displayName"] = wrapper["displayname"]
    if "description" not in body and isinstance(wrapper.get("description"), str):
        made["description"] = wrapper["description"]
    return made
