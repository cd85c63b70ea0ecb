"""The kinds of Intune object that opsmon knows, as data: how each is read whole, what in it means what, how it is
written, and which permissions that takes. The columns are explained in resource.py.

Sources: Microsoft's OpenAPI files of beta (2025-10), microsoftgraph/microsoft-graph-docs-contrib, and the practice of
Micke-K/IntuneManagement and almenscorner/IntuneCD.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tasks.graph.resource import Child, Create, GraphResource, KindName, Place, Reference, Update

#: Properties of every kind that Graph sets, and a POST must not carry. Beside them: keys that begin with `#`, and
#: annotations (`…@odata.…`) other than `@odata.type` and `…@odata.bind`.
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
    }
)
#: What every kind with assignments refers to.
ASSIGNED_TO: Final = (
    Reference(Place("assignments[].target.groupId"), "groups"),
    Reference(Place("assignments[].target.deviceAndAppManagementAssignmentFilterId"), "assignment_filters"),
)
_TAGS: Final = Reference(Place("roleScopeTagIds"), "scope_tags")

_CONFIGURATION: Final = "DeviceManagementConfiguration"
_SCRIPTS: Final = "DeviceManagementScripts"  # since the middle of 2025; DeviceManagementConfiguration before
_APPS: Final = "DeviceManagementApps"
_RBAC: Final = "DeviceManagementRBAC"
_SERVICE: Final = "DeviceManagementServiceConfig"

#: The service pages settings by 25 unless it is asked for more.
_SETTINGS: Final = Child("settings", "/settings?$top=1000")
_CATALOG_VOLATILE: Final = ("settingCount", "creationSource", "settings[].id")
_SECRET_SETTING: Final = Place("**.value", of_type="deviceManagementConfigurationSecretSettingValue")
_REUSABLE: Final = Reference(
    Place("**.value", of_type="deviceManagementConfigurationReferenceSettingValue"), "reusable_settings"
)
_RULES: Final = "scheduledActionsForRule($expand=scheduledActionConfigurations)"
_RULE_REFERENCES: Final = (
    Reference(
        Place("scheduledActionsForRule[].scheduledActionConfigurations[].notificationTemplateId"),
        "notification_templates",
    ),
    Reference(Place("scheduledActionsForRule[].scheduledActionConfigurations[].notificationMessageCCList"), "groups"),
)
_CC_LISTS: Final = "scheduledActionsForRule[].scheduledActionConfigurations[].notificationMessageCCList"


def _link(key: str, *of_types: str, single: bool = True) -> Child:
    """A certificate profile that a profile uses: no GET of the profile itself has it."""
    return Child(key, f"/microsoft.graph.{{type}}/{key}", single, of_types)


_NETWORKS: Final = ("enterprisewificonfiguration", "wifienterpriseeapconfiguration", "wirednetworkconfiguration")
_LINKS: Final = (
    _link("rootCertificate", "scepcertificateprofile", "pkcscertificateprofile", "importedpfxcertificateprofile"),
    _link("rootCertificateForServerValidation", *_NETWORKS),
    _link("rootCertificatesForServerValidation", *_NETWORKS, single=False),
    _link("identityCertificateForClientAuthentication", *_NETWORKS),
    _link("rootCertificateForClientValidation", "wifienterpriseeapconfiguration", "windowswirednetworkconfiguration"),
    _link("secondaryRootCertificateForClientValidation", "windowswirednetworkconfiguration"),
    _link("identityCertificate", "vpnconfiguration", "easemailprofileconfiguration"),
    _link("smimeSigningCertificate", "easemailprofileconfiguration"),
    _link("smimeEncryptionCertificate", "easemailprofileconfiguration"),
)


def _linked(link: Child) -> str:
    """The place of the linked profiles."""
    return link.key if link.single else f"{link.key}[]"


def _script(
    name: KindName,
    label: str,
    path: str,
    key: str,
    *contents: str,
    strip: tuple[str, ...] = (),
    fixed: tuple[str, ...] = (),
) -> GraphResource:
    return GraphResource(
        name,
        label,
        f"/deviceManagement/{path}",
        _SCRIPTS,
        200,
        item_expand="assignments",
        assign=key,
        contents=contents,
        references=(_TAGS,),
        strip=strip,
        update=Update(without=fixed),
    )


def _update_profile(name: KindName, label: str, path: str) -> GraphResource:
    return GraphResource(
        name,
        label,
        f"/deviceManagement/{path}",
        _CONFIGURATION,
        300,
        list_expand="assignments",
        references=(_TAGS,),
        volatile=("deployableContentDisplayName", "endOfSupportDate", "releaseDateDisplayName"),
    )


KINDS: Final = (
    GraphResource(
        "configuration_policies",
        "configuration policies",
        "/deviceManagement/configurationPolicies",
        _CONFIGURATION,
        300,
        name_field="name",
        list_expand="assignments",
        children=(_SETTINGS,),
        secrets=(_SECRET_SETTING,),
        volatile=_CATALOG_VOLATILE,
        references=(_TAGS, _REUSABLE),
        # PATCH refuses the navigation property `settings`.
        update=Update("PUT"),
    ),
    GraphResource(
        "linux_compliance_policies",
        "Linux compliance policies",
        "/deviceManagement/compliancePolicies",
        _CONFIGURATION,
        300,
        name_field="name",
        item_expand=f"{_RULES},assignments",
        children=(_SETTINGS,),
        volatile=_CATALOG_VOLATILE,
        sets=(_CC_LISTS,),
        references=(_TAGS, _REUSABLE, *_RULE_REFERENCES),
        create=Create(afterwards=("scheduledActionsForRule",)),
        update=Update("PUT", actions=(("scheduledActionsForRule", "setScheduledActions", "scheduledActions"),)),
    ),
    GraphResource(
        "device_configurations",
        "device configurations",
        "/deviceManagement/deviceConfigurations",
        _CONFIGURATION,
        300,
        list_expand="assignments",
        children=_LINKS,
        secrets=(Place("omaSettings[].value", flag="isEncrypted"), Place("preSharedKey")),
        volatile=(
            "omaSettings[].secretReferenceValueId",
            # A link comes as the whole certificate profile.
            *(f"{_linked(link)}.{key}" for link in _LINKS for key in sorted(READ_ONLY - {"id"})),
        ),
        sets=(
            *(f"{_linked(link)}.roleScopeTagIds" for link in _LINKS),
            *(link.key for link in _LINKS if not link.single),
        ),
        references=(
            _TAGS,
            *(Reference(Place(f"{_linked(link)}.id"), "device_configurations") for link in _LINKS),
        ),
        create=Create(typed=True),
        # What an update ring is doing just now is no part of what it says.
        update=Update(
            without=tuple(
                f"{updates}Updates{what}"
                for updates in ("quality", "feature")
                for what in (
                    "PauseStartDate",
                    "PauseExpiryDateTime",
                    "WillBeRolledBack",
                    "RollbackStartDateTime",
                )
            )
        ),
    ),
    GraphResource(
        "compliance_policies",
        "compliance policies",
        "/deviceManagement/deviceCompliancePolicies",
        _CONFIGURATION,
        300,
        list_expand=f"{_RULES},assignments",
        sets=(_CC_LISTS,),
        references=(_TAGS, *_RULE_REFERENCES),
        create=Create(typed=True),
        update=Update(
            without=("scheduledActionsForRule",),
            actions=(
                ("scheduledActionsForRule", "scheduleActionsForRules", "deviceComplianceScheduledActionForRules"),
            ),
        ),
    ),
    _script(
        "scripts",
        "device management scripts",
        "deviceManagementScripts",
        "deviceManagementScriptAssignments",
        "scriptContent",
    ),
    _script(
        "shell_scripts", "shell scripts", "deviceShellScripts", "deviceManagementScriptAssignments", "scriptContent"
    ),
    _script(
        "custom_attributes",
        "custom attributes",
        "deviceCustomAttributeShellScripts",
        "deviceManagementScriptAssignments",
        "scriptContent",
        fixed=("customAttributeName", "customAttributeType"),
    ),
    _script(
        "health_scripts",
        "remediations",
        "deviceHealthScripts",
        "deviceHealthScriptAssignments",
        "detectionScriptContent",
        "remediationScriptContent",
        strip=("isGlobalScript", "highestAvailableVersion"),
    ),
    GraphResource(
        "mobile_apps",
        "mobile apps",
        "/deviceAppManagement/mobileApps",
        _APPS,
        60,
        item_expand="assignments,categories",
        assign="mobileAppAssignments",
        volatile=(
            "uploadState",
            "publishingState",
            "dependentAppCount",
            "supersedingAppCount",
            "supersededAppCount",
            "isFeatured",
            "categories[].lastModifiedDateTime",
        ),
        sets=("categories",),
        references=(_TAGS,),
        strip=("committedContentVersion", "size", "categories"),
        create=Create(typed=True),
    ),
    GraphResource(
        "managed_app_policies",
        "app protection and configuration policies",
        "/deviceAppManagement/managedAppPolicies",
        _APPS,
        300,
        item_expand="apps,assignments",
        typed_paths={
            "iosmanagedappprotection": "/deviceAppManagement/iosManagedAppProtections",
            "androidmanagedappprotection": "/deviceAppManagement/androidManagedAppProtections",
            "windowsmanagedappprotection": "/deviceAppManagement/windowsManagedAppProtections",
            "targetedmanagedappconfiguration": "/deviceAppManagement/targetedManagedAppConfigurations",
        },
        volatile=("deployedAppCount",),
        sets=("apps",),
        references=(_TAGS,),
        strip=("apps",),
        create=Create(typed=True, afterwards=("apps",)),
        update=Update(without=("apps",), actions=(("apps", "targetApps", "apps"),)),
    ),
    GraphResource(
        "administrative_templates",
        "administrative templates",
        "/deviceManagement/groupPolicyConfigurations",
        _CONFIGURATION,
        300,
        list_expand="assignments",
        children=(
            Child(
                "definitionValues",
                "/definitionValues?$expand=definition($select=id,classType,displayName,categoryPath,policyType,groupPolicyCategoryId)",
                children=(Child("presentationValues", "/presentationValues?$expand=presentation"),),
            ),
        ),
        volatile=(
            "policyConfigurationIngestionType",
            "definitionValues[].id",
            "definitionValues[].createdDateTime",
            "definitionValues[].lastModifiedDateTime",
            "definitionValues[].presentationValues[].id",
            "definitionValues[].presentationValues[].createdDateTime",
            "definitionValues[].presentationValues[].lastModifiedDateTime",
        ),
        sets=("definitionValues", "definitionValues[].presentationValues"),
        references=(_TAGS,),
        strip=("definitionValues",),
        create=Create(afterwards=("definitionValues",)),
        update=Update(
            without=("definitionValues",), actions=(("definitionValues", "updateDefinitionValues", "added"),)
        ),
    ),
    GraphResource(
        "assignment_filters",
        "assignment filters",
        "/deviceManagement/assignmentFilters",
        _CONFIGURATION,
        15,
        assign=None,
        volatile=("payloads",),
        sets=("roleScopeTags",),
        references=(Reference(Place("roleScopeTags"), "scope_tags"),),
        update=Update(without=("platform", "assignmentFilterManagementType")),
    ),
    GraphResource(
        "scope_tags",
        "scope tags",
        "/deviceManagement/roleScopeTags",
        _RBAC,
        10,
        list_expand="assignments",
        strip=("isBuiltIn",),
    ),
    GraphResource(
        "role_definitions",
        "role definitions",
        "/deviceManagement/roleDefinitions",
        _RBAC,
        20,
        assign=None,
        sets=(
            "permissions[].actions",
            "rolePermissions[].actions",
            "rolePermissions[].resourceActions[].allowedResourceActions",
            "rolePermissions[].resourceActions[].notAllowedResourceActions",
        ),
        references=(_TAGS,),
        strip=("isBuiltIn", "isBuiltInRoleDefinition", "roleAssignments"),
    ),
    GraphResource(
        "role_assignments",
        "role assignments",
        "/deviceManagement/roleAssignments",
        _RBAC,
        400,
        list_expand="roleDefinition",
        assign=None,
        sets=("members", "resourceScopes", "scopeMembers"),
        references=(
            Reference(Place("roleDefinition.id"), "role_definitions"),
            Reference(Place("members"), "groups"),
            Reference(Place("resourceScopes"), "groups"),
            Reference(Place("scopeMembers"), "groups"),
        ),
        strip=("roleDefinition",),
    ),
    GraphResource(
        "notification_templates",
        "notification templates",
        "/deviceManagement/notificationMessageTemplates",
        _SERVICE,
        40,
        list_expand="localizedNotificationMessages",
        assign=None,
        volatile=("localizedNotificationMessages[].id", "localizedNotificationMessages[].lastModifiedDateTime"),
        sets=("localizedNotificationMessages",),
        references=(_TAGS,),
        strip=("defaultLocale", "localizedNotificationMessages", "description"),
        create=Create(afterwards=("localizedNotificationMessages",)),
        update=Update(without=("localizedNotificationMessages",)),
    ),
    GraphResource(
        "reusable_settings",
        "reusable settings",
        "/deviceManagement/reusablePolicySettings",
        _CONFIGURATION,
        250,
        item_expand="",
        assign=None,
        secrets=(_SECRET_SETTING,),
        volatile=("referencingConfigurationPolicyCount",),
        update=Update("PUT"),
    ),
    GraphResource(
        "enrollment_configurations",
        "enrollment configurations",
        "/deviceManagement/deviceEnrollmentConfigurations",
        _SERVICE,
        300,
        list_expand="assignments",
        assign="enrollmentConfigurationAssignments",
        references=(_TAGS,),
        create=Create(typed=True),
        update=Update(without=("priority",)),
    ),
    _update_profile("feature_update_profiles", "feature update profiles", "windowsFeatureUpdateProfiles"),
    _update_profile("quality_update_profiles", "quality update profiles", "windowsQualityUpdateProfiles"),
    _update_profile("driver_update_profiles", "driver update profiles", "windowsDriverUpdateProfiles"),
    _update_profile("quality_update_policies", "quality update policies", "windowsQualityUpdatePolicies"),
    GraphResource(
        "intents",
        "security baselines and other intents",
        "/deviceManagement/intents",
        _CONFIGURATION,
        300,
        children=(Child("settings", "/settings"),),
        volatile=("settings[].id", "isMigratingToConfigurationPolicy"),
        sets=("settings",),
        references=(_TAGS,),
        strip=("settings", "templateId"),
        create=Create(path="/deviceManagement/templates/{templateId}/createInstance", afterwards=("settings",)),
        update=Update(without=("settings",), actions=(("settings", "updateSettings", "settings"),)),
    ),
)

#: What else Intune and its surroundings have, by name, with the path of each: opsmon does not look at it. Not
#: complete. Source: microsoftgraph/microsoft-graph-docs-contrib, api-reference/beta.
NOT_READ: Final[Mapping[str, str]] = {
    "conditional access policies": "/identity/conditionalAccess/policies",
    "Autopilot profiles": "/deviceManagement/windowsAutopilotDeploymentProfiles",
    "policy sets": "/deviceAppManagement/policySets",
    "app configurations for managed devices": "/deviceAppManagement/mobileAppConfigurations",
    "device categories": "/deviceManagement/deviceCategories",
    "terms and conditions": "/deviceManagement/termsAndConditions",
    "certificate connectors": "/deviceManagement/ndesConnectors",
    "scripts of custom compliance": "/deviceManagement/deviceComplianceScripts",
    "branding": "/deviceManagement/intuneBrandingProfiles",
    "uploaded ADMX files": "/deviceManagement/groupPolicyUploadedDefinitionFiles",
}

BY_NAME: Final[Mapping[str, GraphResource]] = {kind.name: kind for kind in KINDS}


def name_of(item: Mapping[str, Any]) -> str:
    """The display name of an object. Settings catalog policies have `name`, all others `displayName`; falls back to the id."""
    return str(item.get("displayName") or item.get("name") or item["id"])


#: Beginnings of `@odata.type`s, in lower case, and their platforms, as settings catalog policies name them.
_PLATFORMS: Final = (
    ("windows", "windows10"),
    ("win32", "windows10"),
    ("winget", "windows10"),
    ("officesuite", "windows10"),
    ("sharedpc", "windows10"),
    ("editionupgrade", "windows10"),
    ("ios", "iOS"),
    ("macos", "macOS"),
    ("android", "android"),
    ("aosp", "android"),
    ("managedandroid", "android"),
    ("managedios", "iOS"),
)


def platform_of(kind: GraphResource, item: Mapping[str, Any]) -> str | None:
    """The platform that an object is for, such as `windows10`: as it says itself, else by its type; None if it has none."""
    given = item.get("platforms") or item.get("platform") or kind.platform
    if given:
        return str(given)
    type_ = str(item.get("@odata.type", "")).lower().rpartition(".")[2]
    return next((platform for start, platform in _PLATFORMS if type_.startswith(start)), None)


def resource_at(path: str) -> GraphResource | None:
    """The kind that a path belongs to; None for a path of none. The path may begin with a version."""
    plain = path.lower().removeprefix("/beta").removeprefix("/v1.0")
    for kind in KINDS:
        made_at = kind.create.path.partition("/{")[0] or kind.path
        for own in (kind.path, *kind.typed_paths.values(), made_at):
            if plain == own.lower() or plain.startswith((f"{own.lower()}/", f"{own.lower()}(")):
                return kind
    return None


def permission_for(path: str, *, writing: bool) -> str:
    """The application permission that a request needs; empty if that is not known."""
    if kind := resource_at(path):
        return kind.write_permission if writing else kind.read_permission
    return "GroupMember.Read.All" if "/groups" in path.lower() and not writing else ""
