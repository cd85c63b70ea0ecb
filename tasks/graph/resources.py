"""The kinds of policy in the inventory, and the Graph paths that list them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

KindName = Literal[
    "configuration_policies",
    "device_configurations",
    "compliance_policies",
    "mobile_apps",
    "scripts",
    "assignment_filters",
    "scope_tags",
    "role_definitions",
]


@dataclass(frozen=True, slots=True)
class GraphResource:
    """One kind of object: its internal name, its label for people, and the Graph path that lists it (without a version)."""

    name: KindName
    label: str
    path: str


KINDS: Final = (
    GraphResource("configuration_policies", "configuration policies", "/deviceManagement/configurationPolicies"),
    GraphResource("device_configurations", "device configurations", "/deviceManagement/deviceConfigurations"),
    GraphResource("compliance_policies", "compliance policies", "/deviceManagement/deviceCompliancePolicies"),
    GraphResource("mobile_apps", "mobile apps", "/deviceAppManagement/mobileApps"),
    GraphResource("scripts", "device management scripts", "/deviceManagement/deviceManagementScripts"),
    GraphResource("assignment_filters", "assignment filters", "/deviceManagement/assignmentFilters"),
    GraphResource("scope_tags", "scope tags", "/deviceManagement/roleScopeTags"),
    GraphResource("role_definitions", "role definitions", "/deviceManagement/roleDefinitions"),
)


def name_of(item: Mapping[str, Any]) -> str:
    """The display name of an object. Settings catalog policies have `name`, all others `displayName`; falls back to the id."""
    return str(item.get("displayName") or item.get("name") or item["id"])
