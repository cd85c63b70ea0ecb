"""What the real Graph does with each collection of Intune: what its lists leave out, what may be expanded where, what
v1.0 lacks.

Written down from Microsoft's documents and OpenAPI files and from what people met, and on purpose apart from the table
that the client reads by (tasks/graph/resources.py): a mistake in one of the two then fails a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Collection:
    """One path that lists objects of a kind."""

    #: The kind under which a simulated tenant keeps the objects.
    kind: str
    path: str
    #: Properties that are left out unless they are expanded; each may have a path of its own, see `routes`.
    navigation: tuple[str, ...] = ()
    list_expands: tuple[str, ...] = ()
    item_expands: tuple[str, ...] = ()
    #: Navigation properties that `/{id}/{property}` answers.
    routes: tuple[str, ...] = ()
    #: Navigation properties of the elements of a route: (route, property of the element).
    nested: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: Properties that lists show as null.
    blank: tuple[str, ...] = ()
    #: Properties that lists do not have.
    absent: tuple[str, ...] = ()
    #: Objects a page without $top; None for the server's setting.
    page: int | None = None
    #: It exists in v1.0, too.
    v1: bool = False
    #: The end of the `@odata.type` of the objects that this path has, in lower case; empty for all of the kind.
    of_type: str = ""
    #: Lists refuse $filter.
    no_filter: bool = False


def _intune(kind: str, path: str, **more: object) -> Collection:
    return Collection(kind, f"/deviceManagement/{path}", **more)  # type: ignore[arg-type]


_ASSIGNED: Final = {"navigation": ("assignments",), "list_expands": ("assignments",), "item_expands": ("assignments",)}
_ASSIGNED_ROUTE: Final = {**_ASSIGNED, "routes": ("assignments",)}
_SCRIPT: Final = {**_ASSIGNED_ROUTE, "blank": ("scriptContent",)}
_APP_POLICY: Final = {
    "navigation": ("assignments", "apps"),
    "list_expands": ("assignments", "apps"),
    "item_expands": ("assignments", "apps"),
    "routes": ("assignments", "apps"),
    "v1": True,
}
LINKS: Final = (
    "rootCertificate",
    "rootCertificateForServerValidation",
    "rootCertificatesForServerValidation",
    "rootCertificateForClientValidation",
    "secondaryRootCertificateForClientValidation",
    "identityCertificate",
    "smimeSigningCertificate",
    "smimeEncryptionCertificate",
    "identityCertificateForClientAuthentication",
)


def _app_policy(path: str, of_type: str) -> Collection:
    return Collection("managed_app_policies", f"/deviceAppManagement/{path}", of_type=of_type, **_APP_POLICY)  # type: ignore[arg-type]


COLLECTIONS: Final = (
    _intune(
        "configuration_policies",
        "configurationPolicies",
        navigation=("assignments", "settings"),
        list_expands=("assignments",),
        item_expands=("assignments", "settings"),
        routes=("assignments", "settings"),
        page=25,
    ),
    _intune(
        "linux_compliance_policies",
        "compliancePolicies",
        navigation=("assignments", "settings", "scheduledActionsForRule"),
        list_expands=("assignments", "settings"),
        item_expands=("assignments", "settings", "scheduledActionsForRule"),
        routes=("assignments", "settings", "scheduledActionsForRule"),
        nested={"scheduledActionsForRule": ("scheduledActionConfigurations",)},
        page=25,
    ),
    _intune(
        "device_configurations",
        "deviceConfigurations",
        navigation=("assignments", *LINKS),
        list_expands=("assignments",),
        item_expands=("assignments",),
        routes=("assignments",),
        v1=True,
    ),
    _intune(
        "compliance_policies",
        "deviceCompliancePolicies",
        navigation=("assignments", "scheduledActionsForRule"),
        list_expands=("assignments", "scheduledActionsForRule"),
        item_expands=("assignments", "scheduledActionsForRule"),
        routes=("assignments", "scheduledActionsForRule"),
        nested={"scheduledActionsForRule": ("scheduledActionConfigurations",)},
        v1=True,
    ),
    _intune("scripts", "deviceManagementScripts", **_SCRIPT),
    _intune("shell_scripts", "deviceShellScripts", **_SCRIPT),
    _intune("custom_attributes", "deviceCustomAttributeShellScripts", **_SCRIPT),
    _intune(
        "health_scripts",
        "deviceHealthScripts",
        absent=("detectionScriptContent", "remediationScriptContent"),
        no_filter=True,
        **_ASSIGNED_ROUTE,
    ),
    Collection(
        "mobile_apps",
        "/deviceAppManagement/mobileApps",
        navigation=("assignments", "categories"),
        list_expands=("assignments", "categories"),
        item_expands=("assignments", "categories"),
        routes=("assignments", "categories"),
        blank=("largeIcon",),
        v1=True,
    ),
    Collection(
        "managed_app_policies", "/deviceAppManagement/managedAppPolicies", navigation=("assignments", "apps"), v1=True
    ),
    _app_policy("iosManagedAppProtections", "iosmanagedappprotection"),
    _app_policy("androidManagedAppProtections", "androidmanagedappprotection"),
    _app_policy("windowsManagedAppProtections", "windowsmanagedappprotection"),
    _app_policy("targetedManagedAppConfigurations", "targetedmanagedappconfiguration"),
    _intune(
        "administrative_templates",
        "groupPolicyConfigurations",
        navigation=("assignments", "definitionValues"),
        list_expands=("assignments",),
        item_expands=("assignments",),
        routes=("assignments", "definitionValues"),
        nested={"definitionValues": ("definition", "presentationValues"), "presentationValues": ("presentation",)},
    ),
    _intune("assignment_filters", "assignmentFilters", absent=("payloads",)),
    _intune("scope_tags", "roleScopeTags", **_ASSIGNED_ROUTE),
    _intune(
        "role_definitions",
        "roleDefinitions",
        navigation=("roleAssignments",),
        item_expands=("roleAssignments",),
        routes=("roleAssignments",),
        v1=True,
    ),
    _intune(
        "role_assignments",
        "roleAssignments",
        navigation=("roleDefinition",),
        list_expands=("roleDefinition",),
        item_expands=("roleDefinition",),
        v1=True,
    ),
    _intune(
        "notification_templates",
        "notificationMessageTemplates",
        navigation=("localizedNotificationMessages",),
        list_expands=("localizedNotificationMessages",),
        item_expands=("localizedNotificationMessages",),
        routes=("localizedNotificationMessages",),
        v1=True,
    ),
    _intune("reusable_settings", "reusablePolicySettings", absent=("settingInstance",)),
    _intune("enrollment_configurations", "deviceEnrollmentConfigurations", v1=True, **_ASSIGNED_ROUTE),
    _intune("feature_update_profiles", "windowsFeatureUpdateProfiles", **_ASSIGNED_ROUTE),
    _intune("quality_update_profiles", "windowsQualityUpdateProfiles", **_ASSIGNED_ROUTE),
    _intune("driver_update_profiles", "windowsDriverUpdateProfiles", **_ASSIGNED_ROUTE),
    _intune("quality_update_policies", "windowsQualityUpdatePolicies", **_ASSIGNED_ROUTE),
    _intune(
        "intents",
        "intents",
        navigation=("assignments", "settings"),
        routes=("assignments", "settings"),
        item_expands=("assignments",),
    ),
)

#: By path in lower case: segments of a URL are taken without regard to case.
BY_PATH: Final = {collection.path.lower(): collection for collection in COLLECTIONS}

#: The types of deviceConfiguration and so on that v1.0 has, for kinds of which it lacks many; it shows objects of
#: other types with the properties of the base type only.
V1_TYPES: Final[Mapping[str, frozenset[str]]] = {
    "device_configurations": frozenset(
        {
            "androidcustomconfiguration",
            "androidgeneraldeviceconfiguration",
            "androidworkprofilecustomconfiguration",
            "androidworkprofilegeneraldeviceconfiguration",
            "editionupgradeconfiguration",
            "ioscertificateprofile",
            "ioscustomconfiguration",
            "iosdevicefeaturesconfiguration",
            "iosgeneraldeviceconfiguration",
            "iosupdateconfiguration",
            "macoscustomconfiguration",
            "macosdevicefeaturesconfiguration",
            "macosgeneraldeviceconfiguration",
            "sharedpcconfiguration",
            "windows10customconfiguration",
            "windows10endpointprotectionconfiguration",
            "windows10enterprisemodernappmanagementconfiguration",
            "windows10generalconfiguration",
            "windows10secureassessmentconfiguration",
            "windows10teamgeneralconfiguration",
            "windows81generalconfiguration",
            "windowsdefenderadvancedthreatprotectionconfiguration",
            "windowsphone81customconfiguration",
            "windowsphone81generalconfiguration",
            "windowsupdateforbusinessconfiguration",
        }
    ),
    "compliance_policies": frozenset(
        {
            "androidcompliancepolicy",
            "androidworkprofilecompliancepolicy",
            "ioscompliancepolicy",
            "macoscompliancepolicy",
            "windows10compliancepolicy",
            "windows10mobilecompliancepolicy",
            "windows81compliancepolicy",
            "windowsphone81compliancepolicy",
        }
    ),
}
#: Types of mobileApp that v1.0 lacks.
V1_LACKS: Final = frozenset(["wingetapp", "officesuiteapp", "macospkgapp", "macosvppapp", "androidmanagedstoreapp"])
#: What the base type has.
V1_BASE: Final = frozenset(
    {"@odata.type", "id", "displayName", "description", "version", "createdDateTime", "lastModifiedDateTime"}
)
#: Properties that v1.0 lacks everywhere.
V1_ABSENT: Final = frozenset({"roleScopeTagIds", "isAssigned", "supportsScopeTags"})
#: Properties of an assignment's target and of an assignment that v1.0 lacks.
V1_TARGET_ABSENT: Final = frozenset(
    {"deviceAndAppManagementAssignmentFilterId", "deviceAndAppManagementAssignmentFilterType"}
)
V1_ASSIGNMENT_ABSENT: Final = frozenset({"source", "sourceId", "intent"})
