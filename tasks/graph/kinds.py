"""The kinds of policy that an inventory knows."""

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
class Kind:
    """Objects of one kind, listed at `path`. `label` is for people."""

    name: KindName
    label: str
    path: str


KINDS: Final = (
    Kind("configuration_policies", "configuration policies", "/deviceManagement/configurationPolicies"),
    Kind("device_configurations", "device configurations", "/deviceManagement/deviceConfigurations"),
    Kind("compliance_policies", "compliance policies", "/deviceManagement/deviceCompliancePolicies"),
    Kind("mobile_apps", "mobile apps", "/deviceAppManagement/mobileApps"),
    Kind("scripts", "device management scripts", "/deviceManagement/deviceManagementScripts"),
    Kind("assignment_filters", "assignment filters", "/deviceManagement/assignmentFilters"),
    Kind("scope_tags", "scope tags", "/deviceManagement/roleScopeTags"),
    Kind("role_definitions", "role definitions", "/deviceManagement/roleDefinitions"),
)


def name_of(item: Mapping[str, Any]) -> str:
    """The name that people know an object by: settings catalog policies have `name`, all others `displayName`."""
    return str(item.get("displayName") or item.get("name") or item["id"])
