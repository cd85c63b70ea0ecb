"""Loads a simulated tenant from a folder of exported JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from store.errors import InputInvalid
from tasks.graph.simulator.tenants import SimulatedTenant, guid

#: Ends of @odata.type in lower case, and their kinds. None: not in the inventory, although a later ending would match.
_BY_TYPE: Final[tuple[tuple[str, str | None], ...]] = (
    ("enrollmentcompletionpageconfiguration", None),
    ("enrollmentrestrictionsconfiguration", None),
    ("enrollmentlimitconfiguration", None),
    ("devicemanagementconfigurationpolicy", "configuration_policies"),
    ("compliancepolicy", "compliance_policies"),
    ("devicemanagementscript", "scripts"),
    ("assignmentfilter", "assignment_filters"),
    ("rolescopetag", "scope_tags"),
    ("roledefinition", "role_definitions"),
    ("mobileappconfiguration", None),
    ("managedappconfiguration", None),
    ("app", "mobile_apps"),
    ("appx", "mobile_apps"),
    ("webclip", "mobile_apps"),
    ("mobilemsi", "mobile_apps"),
    ("configuration", "device_configurations"),
    ("certificateprofile", "device_configurations"),
    ("trustedrootcertificate", "device_configurations"),
)
#: Folder names in exports, without blanks and dashes. Linux compliance policies look like settings catalog policies.
_BY_FOLDER: Final = (
    ("compliance", "compliance_policies"),
    ("mobileapps", "mobile_apps"),
    ("scopetags", "scope_tags"),
    ("roledefinitions", "role_definitions"),
    ("deviceconfigurations", "device_configurations"),
)
_BY_SHAPE: Final = (
    ({"rule", "platform"}, "assignment_filters"),
    ({"scriptContent"}, "scripts"),
    ({"settings", "technologies"}, "configuration_policies"),
)


def from_folder(slug: str, folder: Path) -> SimulatedTenant:
    """Load a tenant from the policy bodies in the folder's *.json files. Skips everything that is not of a known kind.

    A body without an id gets one derived from its file's name and its position in the file, so other files do not
    change it. Raises InputInvalid, on one line, if the folder cannot be read, a file is not JSON, or no policy was
    found.
    """
    tenant = SimulatedTenant(slug)
    if not folder.is_dir():
        raise InputInvalid(f"{folder} is no folder", "give a folder of exported JSON")
    for path in sorted(folder.rglob("*.json")):
        within = path.relative_to(folder)
        for number, body in enumerate(_bodies(path)):
            if kind := kind_of(body, within):
                made = guid(slug, within.as_posix(), number)
                tenant.put(kind, {**body, "id": body.get("id") or made})
    if not any(tenant.objects.values()):
        raise InputInvalid(f"{folder} holds no policy of a known kind", "give a folder of exported JSON")
    return tenant


def _bodies(path: Path) -> Iterable[dict[str, Any]]:
    try:
        loaded = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InputInvalid(f"{path} is not JSON ({type(error).__name__})", "fix or remove it") from None
    found = loaded.get("value", loaded.get("filters", loaded)) if isinstance(loaded, dict) else loaded
    return [body for body in (found if isinstance(found, list) else [found]) if isinstance(body, dict)]


def kind_of(body: Mapping[str, Any], path: Path) -> str | None:
    """The kind of a body: by its @odata.type, else by the folder names in `path`, else by its keys.

    None if it is not of a kind in the inventory.
    """
    odata = str(body.get("@odata.type", "")).lower()
    for ending, kind in _BY_TYPE:
        if odata.endswith(ending):
            return kind
    folders = "/".join(path.parts[:-1]).lower().replace(" ", "").replace("_", "").replace("-", "")
    return next((known for name, known in _BY_FOLDER if name in folders), None) or _kind_by_shape(body)


def _kind_by_shape(body: Mapping[str, Any]) -> str | None:
    return next((kind for keys, kind in _BY_SHAPE if keys <= set(body)), None)
