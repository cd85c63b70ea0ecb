"""What tells the kind of an exported body, as data: types, contexts, shapes, and the folders of the tools.

Sources: types from Microsoft's OpenAPI file of beta; folders from Micke-K/IntuneManagement
`Extensions/EndpointManager.psm1`, almenscorner/IntuneCD `backup/Intune`, jseerden/IntuneBackupAndRestore.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

#: Types of one kind each, in lower case and without `#microsoft.graph.`.
TYPES: Final[Mapping[str, str]] = {
    "devicemanagementconfigurationpolicy": "configuration_policies",
    "devicemanagementcompliancepolicy": "linux_compliance_policies",
    "devicemanagementscript": "scripts",
    "deviceshellscript": "shell_scripts",
    "devicecustomattributeshellscript": "custom_attributes",
    "devicehealthscript": "health_scripts",
    "iosmanagedappprotection": "managed_app_policies",
    "androidmanagedappprotection": "managed_app_policies",
    "windowsmanagedappprotection": "managed_app_policies",
    "targetedmanagedappconfiguration": "managed_app_policies",
    "grouppolicyconfiguration": "administrative_templates",
    "deviceandappmanagementassignmentfilter": "assignment_filters",
    "rolescopetag": "scope_tags",
    "roledefinition": "role_definitions",
    "deviceandappmanagementroledefinition": "role_definitions",
    "roleassignment": "role_assignments",
    "deviceandappmanagementroleassignment": "role_assignments",
    "notificationmessagetemplate": "notification_templates",
    "devicemanagementreusablepolicysetting": "reusable_settings",
    "windows10enrollmentcompletionpageconfiguration": "enrollment_configurations",
    "devicecomanagementauthorityconfiguration": "enrollment_configurations",
    "windowsrestoredeviceenrollmentconfiguration": "enrollment_configurations",
    "windowsfeatureupdateprofile": "feature_update_profiles",
    "windowsqualityupdateprofile": "quality_update_profiles",
    "windowsdriverupdateprofile": "driver_update_profiles",
    "windowsqualityupdatepolicy": "quality_update_policies",
    "devicemanagementintent": "intents",
    "group": "groups",
}
#: Types that a family below would take, and that are of no kind here.
NOT_OURS: Final = re.compile(
    r"\w*mobileappconfiguration|\w*managedstoreappconfiguration|ioslobappprovisioningconfiguration|windows10x\w*"
    r"|windowssmodeconfiguration|applevpnalwaysonconfiguration|\w*managementapp|managedmobileapp|managedapppolicy\w*"
    r"|\w*(child|contained|homescreen|included|informationprotection|kiosk|reported)\w*app"
)
#: Families of types to which Microsoft adds members.
FAMILIES: Final = (
    (re.compile(r"deviceenrollment\w*configuration"), "enrollment_configurations"),
    (re.compile(r"(android|aosp|ios|macos|windows|default)\w*compliancepolicy"), "compliance_policies"),
    (
        re.compile(
            r"(android|aosp|apple|ios|macos|windows|sharedpc|editionupgrade|unsupporteddevice)\w*"
            r"(configuration|certificateprofile|certificateprofilebase|trustedrootcertificate)"
        ),
        "device_configurations",
    ),
    (
        re.compile(
            r"(android|ios|macos|managed|microsoftstore|office|web|win32|windows|winget)\w*"
            r"(app|appx|appxbundle|xap|webclip|mobilemsi)|webapp"
        ),
        "mobile_apps",
    ),
)
CONTEXT: Final = re.compile(
    r"[^#]*\$metadata#(?P<path>[A-Za-z]+(?:/[A-Za-z0-9]+)*)(?:/microsoft\.graph\.\w+)?(?:\([^']*\))?(?:/\$entity)?"
)
#: What a body has that says its kind: all keys of the first set, and one of the second unless that is empty. In order.
SHAPES: Final[tuple[tuple[frozenset[str], frozenset[str], str], ...]] = tuple(
    (frozenset(every.split()), frozenset(one.split()), kind)
    for every, one, kind in (
        ("displayName", "groupTypes securityEnabled membershipRule", "groups"),
        ("settings scheduledActionsForRule", "", "linux_compliance_policies"),
        ("settings technologies", "", "configuration_policies"),
        ("settingInstance settingDefinitionId", "", "reusable_settings"),
        ("displayName brandingOptions", "", "notification_templates"),
        ("detectionScriptContent", "", "health_scripts"),
        ("customAttributeName", "", "custom_attributes"),
        ("scriptContent", "executionFrequency retryCount blockExecutionNotifications", "shell_scripts"),
        ("scriptContent", "enforceSignatureCheck runAs32Bit", "scripts"),
        ("rule platform", "", "assignment_filters"),
        ("displayName", "definitionValues policyConfigurationIngestionType", "administrative_templates"),
        ("displayName", "permissions rolePermissions", "role_definitions"),
        ("members", "resourceScopes scopeMembers", "role_assignments"),
        ("displayName featureUpdateVersion", "", "feature_update_profiles"),
        ("displayName expeditedUpdateSettings", "", "quality_update_profiles"),
        ("displayName approvalType", "", "driver_update_profiles"),
        ("displayName", "hotpatchEnabled approvalSettings", "quality_update_policies"),
        ("displayName", "settingsDelta isMigratingToConfigurationPolicy", "intents"),
        ("displayName scheduledActionsForRule", "", "compliance_policies"),
        ("displayName omaSettings", "", "device_configurations"),
    )
)
#: What a scope tag has; nothing else looks like it, since it has nothing else.
TAG: Final = frozenset({"id", "displayName", "description", "isBuiltIn", "assignments"})
#: How ids of settings of Linux compliance begin: such a policy looks like one of the settings catalog otherwise.
LINUX_COMPLIANCE: Final = (
    "linux_customcompliance",
    "linux_deviceencryption",
    "linux_distribution",
    "linux_passwordpolicy",
)
#: Names of folders that the tools make, in lower case; None: of no kind here.
FOLDERS: Final[Mapping[str, str | None]] = {
    # IntuneManagement
    "deviceconfiguration": "device_configurations",
    "updatepolicies": "device_configurations",
    "endpointsecurity": "intents",
    "compliancepolicies": "compliance_policies",
    "compliancepoliciesv2": "linux_compliance_policies",
    "compliancescripts": None,
    "enrollmentstatuspage": "enrollment_configurations",
    "enrollmentrestrictions": "enrollment_configurations",
    "comanagementsettings": "enrollment_configurations",
    "administrativetemplates": "administrative_templates",
    "powershellscripts": "scripts",
    "macscripts": "shell_scripts",
    "maccustomattributes": "custom_attributes",
    "appprotection": "managed_app_policies",
    "appconfigurationmanagedapp": "managed_app_policies",
    "settingscatalog": "configuration_policies",
    "featureupdates": "feature_update_profiles",
    "qualityupdates": "quality_update_profiles",
    "driverupdateprofiles": "driver_update_profiles",
    "roledefinitions": "role_definitions",
    "scopetags": "scope_tags",
    "notifications": "notification_templates",
    "assignmentfilters": "assignment_filters",
    "devicehealthscripts": "health_scripts",
    "reusablesettings": "reusable_settings",
    # IntuneCD
    "applications": "mobile_apps",  # IntuneManagement, too
    "app protection": "managed_app_policies",
    "compliance policies/policies": "compliance_policies",
    "compliance policies/message templates": "notification_templates",
    "compliance policies/scripts": None,
    "custom attributes": "custom_attributes",
    "device configurations": "device_configurations",  # IntuneBackupAndRestore, too
    "driver updates": "driver_update_profiles",
    "enrollment configurations": "enrollment_configurations",
    "enrollment profiles/windows": None,
    "enrollment profiles/apple": None,
    "feature updates": "feature_update_profiles",
    "filters": "assignment_filters",
    "group policy configurations": "administrative_templates",
    "management intents": "intents",
    "proactive remediations": "health_scripts",
    "quality updates": "quality_update_profiles",
    "roles": "role_definitions",
    "scope tags": "scope_tags",
    "scripts/powershell": "scripts",
    "scripts/shell": "shell_scripts",
    "settings catalog": "configuration_policies",  # IntuneBackupAndRestore, too
    # IntuneBackupAndRestore
    "administrative templates": "administrative_templates",
    "app protection policies": "managed_app_policies",
    "client apps": "mobile_apps",
    "device compliance policies": "compliance_policies",
    "device health scripts": "health_scripts",
    "device management intents": "intents",
    "device management scripts": "scripts",
}
