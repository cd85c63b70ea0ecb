"""Tenants made from a seed, with objects of every kind as beta gives them: assignments with filters and exclusions,
settings, secrets, scope tags; and with the groups that they are assigned to.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Mapping
from typing import Any, Final

from tasks.graph.resources import KINDS
from tasks.graph.simulator.definitions import DEFINITIONS, PRESENTATIONS
from tasks.graph.simulator.synthetic_groups import make_group
from tasks.graph.simulator.tenants import SimulatedTenant, guid

#: Weights of the kinds in a generated tenant; every other kind has weight 1.
_SHARES: Final[Mapping[str, int]] = {
    "configuration_policies": 18,
    "device_configurations": 8,
    "compliance_policies": 5,
    "mobile_apps": 6,
    "scripts": 2,
    "administrative_templates": 2,
}
_PLACES: Final = ("Berlin", "Kraków", "Zürich", "Århus", "Porto", "Tallinn", "O'Fallon", "São Paulo")
_SUBJECTS: Final = (
    "BitLocker",
    "Defender",
    "Firewall",
    "Wi-Fi",
    "VPN",
    "Edge",
    "OneDrive",
    "Passcode",
    "Updates",
    "Kiosk",
)
_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "device_configurations": (
        "windows10GeneralConfiguration",
        "iosGeneralDeviceConfiguration",
        "windows10CustomConfiguration",
        "windowsWifiConfiguration",
        "macOSGeneralDeviceConfiguration",
    ),
    "compliance_policies": ("windows10CompliancePolicy", "iosCompliancePolicy", "androidDeviceOwnerCompliancePolicy"),
    "mobile_apps": ("winGetApp", "win32LobApp", "iosStoreApp", "officeSuiteApp"),
    "managed_app_policies": ("iosManagedAppProtection", "androidManagedAppProtection"),
    "scripts": ("deviceManagementScript",),
    "shell_scripts": ("deviceShellScript",),
    "custom_attributes": ("deviceCustomAttributeShellScript",),
    "health_scripts": ("deviceHealthScript",),
    "assignment_filters": ("deviceAndAppManagementAssignmentFilter",),
    "scope_tags": ("roleScopeTag",),
    "role_definitions": ("deviceAndAppManagementRoleDefinition",),
    "role_assignments": ("deviceAndAppManagementRoleAssignment",),
    "notification_templates": ("notificationMessageTemplate",),
    "enrollment_configurations": ("deviceEnrollmentPlatformRestrictionsConfiguration",),
}
_WITHOUT_TAGS: Final = frozenset({"scope_tags", "assignment_filters", "role_assignments", "role_definitions"})
_ATTRIBUTE: Final = {"customAttributeName": "simulated", "customAttributeType": "string"}
GROUPS: Final = 24


def synthetic(slug: str, seed: int, policies: int, groups: int = GROUPS) -> SimulatedTenant:
    """Generate a tenant with `policies` objects across all kinds, and groups beside them, which every assignment leads to.

    Equal arguments give equal tenants.
    """
    chance = random.Random(f"{slug}/{seed}")  # noqa: S311 (reproducible, not secret)
    tenant = SimulatedTenant(slug)
    for number in range(groups):
        tenant.put("groups", make_group(slug, seed, number, group_id(slug, number)))
    for number in range(policies):
        kind = _pick_kind(chance, number)
        tenant.put(kind, _object(chance, tenant, kind, number))
    return tenant


def group_id(slug: str, number: int) -> str:
    """The id of a generated group."""
    return guid(slug, "groups", number)


def _pick_kind(chance: random.Random, number: int) -> str:
    if number < len(KINDS):  # every kind has at least one
        return KINDS[number].name
    rest: list[str] = [kind.name for kind in KINDS if kind.name not in _SHARES]
    return chance.choice([name for name, share in _SHARES.items() for _ in range(share)] + rest)


def _object(chance: random.Random, tenant: SimulatedTenant, kind: str, number: int) -> dict[str, Any]:
    resource = next(one for one in KINDS if one.name == kind)
    name = f"{chance.choice(_SUBJECTS)} {chance.choice(_PLACES)} {number:04}"
    stamp = f"2026-{chance.randint(1, 10):02}-{chance.randint(1, 28):02}T{chance.randint(0, 23):02}:00:00Z"
    id_ = str(number) if kind == "scope_tags" else guid(tenant.slug, kind, number)
    made: dict[str, Any] = {"id": id_, resource.name_field: name, "description": f"Simulated: {name}"}
    if types := _TYPES.get(kind):
        made = {"@odata.type": f"#microsoft.graph.{chance.choice(types)}", **made}
    made |= {"createdDateTime": stamp, "lastModifiedDateTime": stamp}
    if kind not in _WITHOUT_TAGS:
        made["roleScopeTagIds"] = ["0"]
    if make := _BODIES.get(kind):
        made |= make(chance, made)
    if kind == "role_assignments":
        role = next(iter(tenant.objects["role_definitions"].values()))
        made["roleDefinition"] = {key: role[key] for key in ("id", "displayName")}
    if resource.assign:
        count = min(chance.randint(0, 3), len(tenant.objects["groups"]))
        made["assignments"] = [_assignment(chance, tenant, id_, place) for place in range(count)]
    return made


def _assignment(chance: random.Random, tenant: SimulatedTenant, owner: str, place: int) -> dict[str, Any]:
    groups = len(tenant.objects["groups"])
    number = (chance.randrange(groups) // 4) * 4 + place  # no group twice: each place has numbers of its own
    group = group_id(tenant.slug, number if number < groups else place)
    type_ = "exclusionGroupAssignmentTarget" if place and chance.random() < 0.3 else "groupAssignmentTarget"
    filters = list(tenant.objects["assignment_filters"])
    filtered = filters and type_ == "groupAssignmentTarget" and chance.random() < 0.2
    return {
        "id": f"{owner}_{group}",
        "source": "direct",
        "sourceId": None,
        "target": {
            "@odata.type": f"#microsoft.graph.{type_}",
            "deviceAndAppManagementAssignmentFilterId": chance.choice(filters) if filtered else None,
            "deviceAndAppManagementAssignmentFilterType": "include" if filtered else "none",
            "groupId": group,
        },
    }


def _setting(number: int) -> dict[str, Any]:
    return {
        "id": str(number),
        "settingInstance": {
            "@odata.type": "#microsoft.graph.deviceManagementConfigurationChoiceSettingInstance",
            "settingDefinitionId": f"device_vendor_msft_policy_config_simulated_{number}",
            "settingInstanceTemplateReference": None,
            "choiceSettingValue": {
                "settingValueTemplateReference": None,
                "value": f"device_vendor_msft_policy_config_simulated_{number}_{number % 2}",
                "children": [],
            },
        },
    }


def _secret_setting() -> dict[str, Any]:
    return {
        "id": "0",
        "settingInstance": {
            "@odata.type": "#microsoft.graph.deviceManagementConfigurationSimpleSettingInstance",
            "settingDefinitionId": "device_vendor_msft_wifi_psk",
            "settingInstanceTemplateReference": None,
            "simpleSettingValue": {
                "@odata.type": "#microsoft.graph.deviceManagementConfigurationSecretSettingValue",
                "value": "simulated-psk",
                "valueState": "notEncrypted",
            },
        },
    }


def _catalog(chance: random.Random, made: Mapping[str, Any]) -> dict[str, Any]:
    settings = [_setting(number) for number in range(chance.randint(1, 60))]
    if chance.random() < 0.1:
        settings[0] = _secret_setting()
    return {
        "platforms": chance.choice(("windows10", "windows10", "macOS", "iOS")),
        "technologies": "mdm",
        "templateReference": {"templateId": "", "templateFamily": "none"},
        "settings": settings,
    }


def _linux(chance: random.Random, made: Mapping[str, Any]) -> dict[str, Any]:
    return {"platforms": "linux", "technologies": "linuxMdm", "settings": [_setting(0)], **_compliance(chance, made)}


def _compliance(chance: random.Random, made: Mapping[str, Any]) -> dict[str, Any]:
    block: dict[str, Any] = {
        "id": guid(made["id"], "actions", 0),
        "actionType": "block",
        "gracePeriodHours": chance.choice((0, 24)),
        "notificationTemplateId": "00000000-0000-0000-0000-000000000000",
        "notificationMessageCCList": [],
    }
    rule = {"id": guid(made["id"], "rules", 0), "ruleName": None, "scheduledActionConfigurations": [block]}
    return {"scheduledActionsForRule": [rule]}


def _configuration(chance: random.Random, made: Mapping[str, Any]) -> dict[str, Any]:
    if not made["@odata.type"].endswith("windows10CustomConfiguration"):
        return {"version": chance.randint(1, 9)}
    setting = {
        "@odata.type": "#microsoft.graph.omaSettingString",
        "displayName": "Key",
        "description": None,
        "omaUri": "./Vendor/Simulated/Key",
        "value": "simulated-key",
        "isEncrypted": True,
    }
    return {"version": 1, "omaSettings": [setting]}


def _text(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _script(chance: random.Random, made: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "fileName": "simulated.ps1",
        "runAsAccount": "system",
        "scriptContent": _text(f"Write-Host {chance.random()}"),
    }


def _health(chance: random.Random, made: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "publisher": "Simulated",
        "isGlobalScript": False,
        "detectionScriptContent": _text(f"exit {chance.randint(0, 1)}"),
        "remediationScriptContent": "",
    }


def _app(chance: random.Random, made: Mapping[str, Any]) -> dict[str, Any]:
    icon = {"type": "image/png", "value": _text("simulated icon")}
    made_of = {"publisher": "Simulated", "publishingState": "published", "displayVersion": "1.0"}
    return {**made_of, "largeIcon": icon, "categories": []}


def _app_policy(chance: random.Random, made: Mapping[str, Any]) -> dict[str, Any]:
    bundle = {"@odata.type": "#microsoft.graph.iosMobileAppIdentifier", "bundleId": "com.example.simulated"}
    return {
        "appGroupType": "selectedPublicApps",
        "apps": [{"id": "com.example.simulated.ios", "mobileAppIdentifier": bundle}],
    }


def _template(chance: random.Random, made: Mapping[str, Any]) -> dict[str, Any]:
    presentation = {
        "@odata.type": "#microsoft.graph.groupPolicyPresentationValueText",
        "id": "v1",
        "value": "https://example.com",
        "presentation": dict(PRESENTATIONS["d1", "p1"]),
    }
    value = {"id": "dv1", "enabled": True, "definition": dict(DEFINITIONS["d1"]), "presentationValues": [presentation]}
    return {"policyConfigurationIngestionType": "builtIn", "definitionValues": [value]}


def _filter(chance: random.Random, made: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "platform": "windows10AndLater",
        "rule": '(device.model -eq "Virtual Machine")',
        "assignmentFilterManagementType": "devices",
        "roleScopeTags": ["0"],
        "payloads": [],
    }


def _notification(chance: random.Random, made: Mapping[str, Any]) -> dict[str, Any]:
    message = {
        "id": f"{made['id']}_en-us",
        "locale": "en-us",
        "subject": "Simulated",
        "messageTemplate": "Simulated",
        "isDefault": True,
    }
    return {"defaultLocale": "en-us", "brandingOptions": "none", "localizedNotificationMessages": [message]}


_BODIES: Final[Mapping[str, Callable[[random.Random, Mapping[str, Any]], dict[str, Any]]]] = {
    "configuration_policies": _catalog,
    "linux_compliance_policies": _linux,
    "device_configurations": _configuration,
    "compliance_policies": _compliance,
    "scripts": _script,
    "shell_scripts": _script,
    "custom_attributes": lambda chance, made: {**_script(chance, made), **_ATTRIBUTE},
    "health_scripts": _health,
    "mobile_apps": _app,
    "managed_app_policies": _app_policy,
    "administrative_templates": _template,
    "assignment_filters": _filter,
    "role_definitions": lambda chance, made: {"isBuiltIn": False, "rolePermissions": []},
    "role_assignments": lambda chance, made: {"members": [], "resourceScopes": []},
    "scope_tags": lambda chance, made: {"isBuiltIn": False},
    "notification_templates": _notification,
    "reusable_settings": lambda chance, made: {"settingDefinitionId": "simulated", "settingInstance": _setting(0)},
    "enrollment_configurations": lambda chance, made: {"priority": 1, "version": 1},
    "intents": lambda chance, made: {
        "templateId": guid(made["id"], "template", 0),
        "settings": [{"id": "s1", "definitionId": "simulated", "valueJson": "true"}],
    },
}
