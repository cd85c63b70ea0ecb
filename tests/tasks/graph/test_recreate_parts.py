"""The requests for what of an object is not written with it, rule by rule."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tasks.graph.bodies import G1, typed
from tests.tasks.graph.test_recreate import changed, made, told

DEFINITION = "https://graph.microsoft.com/beta/deviceManagement/groupPolicyDefinitions('d7')"

# ---- app protection

APPS = [{"id": "com.example.ios", "version": "-1", "mobileAppIdentifier": {"bundleId": "com.example"}}]
IOS = typed("iosManagedAppProtection", displayName="MAM")
PROTECTIONS = "/deviceAppManagement/iosManagedAppProtections"


def test_app_protection_is_made_at_the_path_of_its_type_and_then_given_its_apps() -> None:
    first, apps = made("managed_app_policies", **IOS, appGroupType="selectedPublicApps", apps=APPS)
    assert (first.path, first.body) == (PROTECTIONS, {**IOS, "appGroupType": "selectedPublicApps"})
    assert (apps.path, apps.part) == (f"{PROTECTIONS}/{{id}}/targetApps", "apps")
    chosen = [{"mobileAppIdentifier": {"bundleId": "com.example"}}]
    assert apps.body == {"apps": chosen, "appGroupType": "selectedPublicApps"}
    _, apps = changed("managed_app_policies", IOS, **IOS, apps=APPS)
    assert (apps.path, apps.body) == (f"{PROTECTIONS}/t1/targetApps", {"apps": chosen})


def test_a_group_of_apps_is_sent_instead_of_its_apps() -> None:
    for apps in ({"apps": APPS}, {}):
        _, write = made("managed_app_policies", **IOS, appGroupType="allMicrosoftApps", **apps)
        assert write.body == {"apps": [], "appGroupType": "allMicrosoftApps"}


def test_apps_that_were_not_read_are_not_sent() -> None:
    assert len(made("managed_app_policies", **IOS, appGroupType="selectedPublicApps")) == 1
    assert len(changed("managed_app_policies", {**IOS, "apps": APPS}, **IOS)) == 1


# ---- administrative templates


def value(**more: Any) -> dict[str, Any]:
    presented = {"id": "v1", "value": "x", "presentation": {"id": "p1", "label": "Home"}}
    lost = {"id": "v2", "value": "y", "presentation": None}
    own = {"id": "dv1", "enabled": True, "createdDateTime": "2026-01-01T00:00:00Z"}
    return {**own, "definition": {"id": "d7"}, "presentationValues": [presented, lost], **more}


BOUND = {
    "enabled": True,
    "definition@odata.bind": DEFINITION,
    "presentationValues": [{"value": "x", "presentation@odata.bind": f"{DEFINITION}/presentations('p1')"}],
}


def test_values_of_a_template_are_bound_and_sent_in_one_request() -> None:
    first, values = made("administrative_templates", displayName="x", definitionValues=[value()])
    assert first.body == {"displayName": "x"}
    assert values.path == "/deviceManagement/groupPolicyConfigurations/{id}/updateDefinitionValues"
    assert values.body == {"added": [BOUND], "updated": [], "deletedIds": []}
    assert (values.part, values.repeatable) == ("definitionValues", False)
    target = {"definitionValues": [{"id": "dv8"}, {"id": "dv9"}]}
    _, values = changed("administrative_templates", target, displayName="x", definitionValues=[value()])
    assert values.body == {"added": [BOUND], "updated": [], "deletedIds": ["dv8", "dv9"]}


def test_a_value_may_be_bound_already_and_without_a_definition_it_cannot_be_sent() -> None:
    for given_ in (BOUND, {**BOUND, "presentationValues": [{"value": "x", "presentation": {"id": "p1"}}]}):
        _, values = made("administrative_templates", displayName="x", definitionValues=[given_])
        assert values.body["added"] == [BOUND]
    with pytest.raises(ValueError, match="definition"):
        made("administrative_templates", displayName="x", definitionValues=[value(definition=None)])


def test_values_that_were_not_read_are_not_deleted() -> None:
    assert len(changed("administrative_templates", {"definitionValues": [{"id": "dv8"}]}, displayName="x")) == 1
    assert len(made("administrative_templates", displayName="x", definitionValues=[])) == 1


# ---- notification templates


def message(locale: str, **more: Any) -> dict[str, Any]:
    return {"id": f"m_{locale}", "locale": locale, "subject": "s", "messageTemplate": "t", "isDefault": False, **more}


TEMPLATES = "/deviceManagement/notificationMessageTemplates"


def test_messages_follow_their_template_the_default_one_last() -> None:
    messages = [message("de-de", isDefault=True), message("en-us"), message("fr-fr")]
    first, *rest = made(
        "notification_templates",
        displayName="x",
        description="x",
        defaultLocale="de-de",
        localizedNotificationMessages=messages,
    )
    assert first.body == {"displayName": "x"}
    path = f"{TEMPLATES}/{{id}}/localizedNotificationMessages"
    described, *rest = rest
    assert told([described]) == [("PATCH", f"{TEMPLATES}/{{id}}", "description", True)]
    assert described.body == {"description": "x"}
    assert told(rest) == [
        ("POST", path, f"localizedNotificationMessages:{locale}", False) for locale in ("en-us", "fr-fr", "de-de")
    ]
    assert rest[2].body == {"locale": "de-de", "subject": "s", "messageTemplate": "t", "isDefault": True}


def test_messages_that_are_there_are_changed_the_others_made_and_those_too_many_deleted() -> None:
    target = {"localizedNotificationMessages": [message("de-DE"), message("it-it", isDefault=True)]}
    messages = [message("de-de", isDefault=True), message("en-us")]
    first, *rest = changed(
        "notification_templates", target, displayName="x", description="y", localizedNotificationMessages=messages
    )
    assert (first.method, first.body) == ("PATCH", {"displayName": "x", "description": "y"})
    path = f"{TEMPLATES}/t1/localizedNotificationMessages"
    assert told(rest) == [
        ("POST", path, "localizedNotificationMessages:en-us", False),
        ("PATCH", f"{path}/m_de-DE", "localizedNotificationMessages:de-de", True),
        ("DELETE", f"{path}/m_it-it", "localizedNotificationMessages:it-it", True),
    ]
    assert rest[1].body == {"subject": "s", "messageTemplate": "t", "isDefault": True}
    assert len(changed("notification_templates", target, displayName="x")) == 1, "they were not read"


def test_that_a_message_is_no_default_is_never_said_of_one_that_is_there() -> None:
    """It ends when another becomes the default: the service refuses it of the one that is."""
    target = {"localizedNotificationMessages": [message("de-de", isDefault=True)]}
    messages = [message("de-de"), message("en-us", isDefault=True)]
    _, german, english = changed(
        "notification_templates", target, displayName="x", localizedNotificationMessages=messages
    )
    assert german.body == {"subject": "s", "messageTemplate": "t"}
    assert english.body["isDefault"] is True


# ---- roles, intents


def test_a_role_assignment_is_bound_to_its_role() -> None:
    role = "https://graph.microsoft.com/beta/deviceManagement/roleDefinitions('rd1')"
    body = {"displayName": "x", "members": [G1], "roleDefinition": {"id": "rd1"}, "roleScopeTags": [{"id": "4"}]}
    (write,) = made("role_assignments", **body)
    tags = ["https://graph.microsoft.com/beta/deviceManagement/roleScopeTags('4')"]
    bound = {"displayName": "x", "members": [G1], "roleScopeTags@odata.bind": tags}
    assert write.body == {**bound, "roleDefinition@odata.bind": role}
    assert changed("role_assignments", {"roleDefinition": {"id": "rd1"}}, **body)[0].body == bound
    assert "roleDefinition@odata.bind" in changed("role_assignments", {}, **body)[0].body


def test_an_intent_is_made_of_its_template_and_its_settings_are_changed_by_their_action() -> None:
    setting = {"definitionId": "d", "valueJson": "true"}
    body = {
        "displayName": "x",
        "templateId": "t/1",
        "isAssigned": False,
        "settings": [{"id": "s1", **setting}, {"id": "s2", **setting, "definitionId": "e"}],
    }
    (write,) = made("intents", **body)
    assert (write.path, write.repeatable) == ("/deviceManagement/templates/t%2F1/createInstance", False)
    assert write.body == {"displayName": "x", "settingsDelta": [setting, {**setting, "definitionId": "e"}]}
    patch, settings = changed("intents", {"settings": [{"id": "s9", "definitionId": "d"}]}, **body)
    assert (patch.method, patch.path, patch.body) == ("PATCH", "/deviceManagement/intents/t1", {"displayName": "x"})
    assert settings.path == "/deviceManagement/intents/t1/updateSettings"
    assert settings.body == {"settings": [{"id": "s9", **setting}, {**setting, "definitionId": "e"}]}
    with pytest.raises(ValueError, match="template"):
        made("intents", displayName="x", settings=[])
