"""What a restore cannot make: packages that no backup has, and what the service or a store brings itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from tasks.graph.resource import GraphResource

#: Ends of the types of apps with a package, in lower case. Graph does not give packages out, and an app without one stays
#: unfinished and refuses assignments (Micke-K/IntuneManagement#276).
_PACKAGED: Final = (
    "lobapp",
    "pkgapp",
    "dmgapp",
    "win32catalogapp",
    "windowsuniversalappx",
    "windowsappx",
    "windowsphonexap",
    "windowsmobilemsi",
)
#: Ends of the types of apps that come from a store by its own synchronization.
_SYNCED: Final = (
    "vppapp",
    "androidmanagedstoreapp",
    "androidmanagedstorewebapp",
    "androidforworkapp",
    "microsoftstoreforbusinessapp",
    "microsoftstoreforbusinesscontainedapp",
)
#: The end of the id of an enrollment configuration that every tenant has, as `<tenant>_DefaultLimit`.
_DEFAULT: Final = re.compile(r"_(Default[A-Za-z0-9]+)$")


def why_not_makeable(kind: GraphResource, external_id: str, body: Mapping[str, Any]) -> str:
    """Why an object can be found in a tenant, but not be made or changed there; empty if it can be made."""
    if kind.name == "mobile_apps":
        return _why_no_app(body)
    if kind.name == "health_scripts" and body.get("isGlobalScript") is True:
        return "it is a script of Microsoft's own"
    if kind.name == "role_definitions" and is_built_in(body):
        return "it is a built-in role"
    if kind.name == "scope_tags" and (external_id == "0" or is_built_in(body)):
        return "it is the built-in scope tag"
    if default_of(kind, external_id, body):
        return "it is a default that every tenant has"
    return ""


def _why_no_app(body: Mapping[str, Any]) -> str:
    type_ = str(body.get("@odata.type", "")).lower()
    if type_.endswith(_PACKAGED) or body.get("committedContentVersion"):
        return "its package is not in the backup"
    if type_.endswith(_SYNCED):
        return "it is synchronized from a store"
    return "it is one of Intune's own apps" if body.get("appAvailability") == "global" else ""


def is_built_in(body: Mapping[str, Any]) -> bool:
    """Whether a role or a scope tag says that the service brings it."""
    return body.get("isBuiltIn") is True or body.get("isBuiltInRoleDefinition") is True


def default_of(kind: GraphResource, external_id: str, body: Mapping[str, Any]) -> str:
    """Which default of enrollment it is, such as `defaultlimit`; empty if it is none.

    The id says it, or the type of configuration where an export has no id.
    """
    if kind.name != "enrollment_configurations":
        return ""
    if found := _DEFAULT.search(external_id):
        return found[1].lower()
    type_ = str(body.get("deviceEnrollmentConfigurationType", "")).lower()
    return type_ if type_.startswith("default") else ""
