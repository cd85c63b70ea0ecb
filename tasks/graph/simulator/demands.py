"""What the real service demands of a write to each collection of Intune, and what it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

#: What only the service sets.
READ_ONLY: Final = frozenset(
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
class Rules:
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
    #: The segment, in lower case, at which messages are written one by one; empty if there are none.
    messages: str = ""


_CATALOG: Final = Rules(required=("name", "settings", "platforms", "technologies"), put=True)
_SCRIPT_KEY: Final = "deviceManagementScriptAssignments"
#: By kind.
RULES: Final[Mapping[str, Rules]] = {
    "configuration_policies": _CATALOG,
    "linux_compliance_policies": Rules(
        required=_CATALOG.required,
        put=True,
        apart=("scheduledActionsForRule",),
        actions={"setScheduledActions": ("scheduledActions", "scheduledActionsForRule")},
    ),
    "device_configurations": Rules(typed=True),
    "compliance_policies": Rules(
        typed=True,
        actions={
            "scheduleActionsForRules": ("deviceComplianceScheduledActionForRules", "scheduledActionsForRule"),
        },
    ),
    "scripts": Rules(required=("displayName", "scriptContent", "fileName"), assign=_SCRIPT_KEY),
    "shell_scripts": Rules(required=("displayName", "scriptContent", "fileName"), assign=_SCRIPT_KEY),
    "custom_attributes": Rules(
        required=("displayName", "scriptContent", "fileName", "customAttributeName"),
        fixed=("customAttributeName", "customAttributeType"),
        assign=_SCRIPT_KEY,
    ),
    "health_scripts": Rules(required=("displayName", "detectionScriptContent"), assign="deviceHealthScriptAssignments"),
    "mobile_apps": Rules(typed=True, assign="mobileAppAssignments"),
    "managed_app_policies": Rules(typed=True, apart=("apps",)),
    "administrative_templates": Rules(apart=("definitionValues",)),
    "assignment_filters": Rules(
        required=("displayName", "platform", "rule"), fixed=("platform", "assignmentFilterManagementType"), assign=None
    ),
    "role_definitions": Rules(assign=None),
    "role_assignments": Rules(required=("displayName", "roleDefinition@odata.bind"), assign=None),
    "notification_templates": Rules(
        apart=("localizedNotificationMessages", "defaultLocale"), assign=None, messages="localizednotificationmessages"
    ),
    "reusable_settings": Rules(required=("displayName", "settingInstance"), put=True, assign=None),
    "enrollment_configurations": Rules(typed=True, fixed=("priority",), assign="enrollmentConfigurationAssignments"),
    "intents": Rules(actions={"updateSettings": ("settings", "settings")}),
}
#: What the service gives an object of its own accord.
GIVEN: Final[Mapping[str, Mapping[str, Any]]] = {
    "health_scripts": {"isGlobalScript": False},
    "mobile_apps": {"categories": []},
    "role_definitions": {"isBuiltIn": False},
    "scope_tags": {"isBuiltIn": False},
}
#: Actions whose POST may be refused with the parts of a PATCH: rules of compliance have one of their own.
PATCH_REFUSES: Final[Mapping[str, tuple[str, ...]]] = {
    "configuration_policies": ("settings",),
    "linux_compliance_policies": ("settings", "scheduledActionsForRule"),
    "compliance_policies": ("scheduledActionsForRule",),
    "intents": ("settings", "templateId"),
}
