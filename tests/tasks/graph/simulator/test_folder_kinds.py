"""The kind of an exported body: its type first, its context second, its shape third, its folder last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasks.graph.simulator.folder_kinds import kind_of

FILTER = {"displayName": "VMs", "platform": "windows10AndLater", "rule": '(device.model -eq "Virtual Machine")'}
CATALOG = {"name": "Edge", "settings": [], "technologies": "mdm", "platforms": "windows10"}


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        ("deviceManagementConfigurationPolicy", "configuration_policies"),
        ("deviceManagementCompliancePolicy", "linux_compliance_policies"),
        ("macOSCompliancePolicy", "compliance_policies"),
        ("iosGeneralDeviceConfiguration", "device_configurations"),
        ("groupPolicyConfiguration", "administrative_templates"),
        ("deviceEnrollmentPlatformRestrictionsConfiguration", "enrollment_configurations"),
        ("windows10EnrollmentCompletionPageConfiguration", "enrollment_configurations"),
        ("windowsUniversalAppX", "mobile_apps"),
        ("androidManagedStoreApp", "mobile_apps"),
        ("windowsKioskSingleUWPApp", None),
        ("managedMobileApp", None),
        ("iosMobileAppConfiguration", None),
        ("androidManagedStoreAppConfiguration", None),
        ("targetedManagedAppConfiguration", "managed_app_policies"),
        ("conditionalAccessPolicy", None),
        ("deviceComplianceScript", None),
        ("macOSCustomAppConfiguration", "device_configurations"),
        ("windows81GeneralConfiguration", "device_configurations"),
        ("androidTrustedRootCertificate", "device_configurations"),
        ("deviceManagementScript", "scripts"),
        ("deviceAndAppManagementAssignmentFilter", "assignment_filters"),
        ("roleScopeTag", "scope_tags"),
        ("deviceAndAppManagementRoleDefinition", "role_definitions"),
    ],
)
@pytest.mark.parametrize("path", ["x.json", "Compliance/x.json", "Compliance Policies/Policies/x.json"])
def test_a_type_says_the_kind_wherever_the_file_lies(type_: str, kind: str | None, path: str) -> None:
    body = {"@odata.type": f"#microsoft.graph.{type_}", "displayName": "x", "rule": "r", "platform": "iOS"}
    assert kind_of(body, Path(path)) == kind


@pytest.mark.parametrize(
    ("context", "kind"),
    [
        ("deviceManagement/configurationPolicies/$entity", "configuration_policies"),
        ("deviceManagement/compliancePolicies(assignments(),settings())/$entity", "linux_compliance_policies"),
        ("deviceAppManagement/mobileApps/microsoft.graph.winGetApp/$entity", "mobile_apps"),
        ("deviceManagement/deviceConfigurations", "device_configurations"),
        ("groups/$entity", "groups"),
        ("deviceManagement/deviceConfigurations('1')/assignments", None),
        ("deviceAppManagement/mobileAppConfigurations/$entity", None),
        ("identity/conditionalAccess/policies/$entity", None),
    ],
)
def test_without_a_type_the_context_says_the_kind(context: str, kind: str | None) -> None:
    body = {"@odata.context": f"https://graph.microsoft.com/beta/$metadata#{context}", **FILTER}
    assert kind_of(body, Path("Scope Tags/x.json")) == kind


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (CATALOG, "configuration_policies"),
        ({**CATALOG, "scheduledActionsForRule": []}, "linux_compliance_policies"),
        (
            {
                **CATALOG,
                "settings": [{"settingInstance": {"settingDefinitionId": "linux_passwordpolicy_minimumlength"}}],
            },
            "linux_compliance_policies",
        ),
        ({"displayName": "y", "brandingOptions": "none"}, "notification_templates"),
        ({"detectionScriptContent": "", "remediationScriptContent": ""}, "health_scripts"),
        ({"detectionScriptContent": ""}, "health_scripts"),
        ({"scriptContent": "", "retryCount": 0}, "shell_scripts"),
        ({"scriptContent": "", "runAs32Bit": True}, "scripts"),
        ({"scriptContent": "", "customAttributeName": "a"}, "custom_attributes"),
        (FILTER, "assignment_filters"),
        ({"displayName": "x", "definitionValues": []}, "administrative_templates"),
        ({"displayName": "x", "isBuiltIn": False, "rolePermissions": []}, "role_definitions"),
        ({"displayName": "x", "isBuiltIn": True, "description": ""}, "scope_tags"),
        ({"displayName": "x", "conditions": {}, "grantControls": {}}, None),
        ({"displayName": "x"}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("path", ["x.json", "Compliance/x.json", "My Scope Tags/x.json"])
def test_then_the_shape_says_the_kind_and_no_word_in_a_folder(
    body: dict[str, Any], kind: str | None, path: str
) -> None:
    assert kind_of(body, Path(path)) == kind


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("Scope Tags/x.json", "scope_tags"),
        ("export/Scripts/Shell/x.json", "shell_scripts"),
        ("Scripts/Powershell/x.json", "scripts"),
        ("Compliance Policies/Message Templates/y.json", "notification_templates"),
        ("Compliance Policies/Scripts/y.json", None),
        ("Device Management Intents/MDM Baseline/z.json", "intents"),
        ("SettingsCatalog/z.json", "configuration_policies"),
        ("Conditional Access/z.json", None),
    ],
)
def test_last_a_known_folder_says_the_kind_of_what_has_a_name(path: str, kind: str | None) -> None:
    assert kind_of({"displayName": "x"}, Path(path)) == kind
    assert kind_of({"setting": "x"}, Path(path)) is None


def test_a_script_for_compliance_is_no_remediation() -> None:
    script = {"displayName": "x", "detectionScriptContent": ""}
    assert kind_of(script, Path("Compliance Policies/Scripts/x.json")) is None
    assert kind_of(script, Path("ComplianceScripts/x.json")) is None
