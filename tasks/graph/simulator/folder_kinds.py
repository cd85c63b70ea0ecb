"""Says which kind an exported body is of: its type first, its context second, its shape third, its folder last.

A body is never sorted in by a word in a folder's name: only names that the exporting tools give their folders count, and
only for bodies that say nothing themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.graph.resources import resource_at
from tasks.graph.simulator.folder_tables import (
    CONTEXT,
    FAMILIES,
    FOLDERS,
    LINUX_COMPLIANCE,
    NOT_OURS,
    SHAPES,
    TAG,
    TYPES,
)


def kind_of(body: Mapping[str, Any], path: Path, hint: str = "") -> str | None:
    """The kind of a body; None if it is of none that a tenant keeps.

    `path`: the file's, within the export. `hint`: the kind that its wrapper says, which counts more than the folder.
    """
    type_ = type_of(body)
    if kind := _kind_of_type(type_):
        return kind
    if NOT_OURS.fullmatch(type_):
        return None
    if context := str(body.get("@odata.context", "")):
        return _kind_of_context(context)
    if type_:  # what names itself is not sorted in by its looks
        return None
    return _kind_of_shape(body, path) or _kind_of_place(body, path, hint)


def why_not(body: Mapping[str, Any]) -> str:
    """What a body of no kind is, in a few words."""
    if "@odata.type" in body:
        return str(body["@odata.type"]).removeprefix("#microsoft.graph.")
    if "@odata.context" in body:
        return str(body["@odata.context"]).rpartition("$metadata#")[2]
    if {"conditions", "grantControls"} <= set(body):
        return "conditional access policy"
    return f"no type, keys {', '.join(sorted(body)[:4])}" if body else "empty object"


def type_of(body: Mapping[str, Any]) -> str:
    """The `@odata.type` in lower case, without `#microsoft.graph.`; empty without one."""
    return str(body.get("@odata.type", "")).lower().removeprefix("#").removeprefix("microsoft.graph.")


def kind_of_folder(path: Path) -> str | None:
    """The kind that the nearest folder of one of the tools is for; None for other folders, and those of no kind."""
    folder = _tool_folder(path)
    return FOLDERS[folder] if folder else None


def _tool_folder(path: Path) -> str | None:
    names = [part.lower() for part in path.parts[:-1]]
    for end in range(len(names), 0, -1):
        for name in ("/".join(names[max(end - 2, 0) : end]), names[end - 1]):
            if name in FOLDERS:
                return name
    return None


def _kind_of_type(type_: str) -> str | None:
    if kind := TYPES.get(type_):
        return kind
    if NOT_OURS.fullmatch(type_):
        return None
    return next((kind for family, kind in FAMILIES if family.fullmatch(type_)), None)


def _kind_of_context(context: str) -> str | None:
    found = CONTEXT.fullmatch(context)
    if not found:
        return None
    if found["path"].lower() == "groups":
        return "groups"
    kind = resource_at(f"/{found['path']}")
    # A longer path is that of a part, such as the assignments of a policy.
    return kind.name if kind and found["path"].count("/") == 1 else None


def _kind_of_shape(body: Mapping[str, Any], path: Path) -> str | None:
    keys = set(body)
    found = next((kind for every, one, kind in SHAPES if every <= keys and (not one or one & keys)), None)
    if found == "configuration_policies" and _is_linux_compliance(body):
        return "linux_compliance_policies"
    if found == "health_scripts" and "remediationScriptContent" not in keys:
        # A script for custom compliance has a detection, too, and is of no kind here.
        return kind_of_folder(path) if _tool_folder(path) else found
    if not found and "isBuiltIn" in keys and keys <= TAG:
        return "scope_tags"
    return found


def _is_linux_compliance(body: Mapping[str, Any]) -> bool:
    settings = body["settings"] if isinstance(body["settings"], list) else []
    instances = [one.get("settingInstance") for one in settings if isinstance(one, dict)]
    ids = [str(one.get("settingDefinitionId")) for one in instances if isinstance(one, dict)]
    return any(id_.startswith(LINUX_COMPLIANCE) for id_ in ids)


def _kind_of_place(body: Mapping[str, Any], path: Path, hint: str) -> str | None:
    # Without a name it is no policy, but something that lies beside them.
    if not (body.get("displayName") or body.get("name")):
        return None
    return hint or kind_of_folder(path)
