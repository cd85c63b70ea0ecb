"""New ids stand wherever a kind refers to other objects, and nowhere else."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tasks.graph.places import NO_ID
from tasks.graph.resources import BY_NAME
from tasks.operations.restore.rebinding import DROP, rebind
from tests.tasks.operations.cases import Body, assigned, typed

NEW = {
    ("scope_tags", "0"): "0",
    ("scope_tags", "11"): "4",
    ("notification_templates", "n1"): "m1",
    ("groups", "g1"): "h1",
    ("groups", "g2"): "h1",
    ("groups", "g8"): DROP,
    ("reusable_settings", "r1"): "s1",
    ("device_configurations", "root"): "root2",
}


def new_id(kind: str, id_: str) -> str | None:
    return NEW.get((kind, id_))


def rebound(kind: str, body: Body) -> tuple[Body, list[tuple[str, str]]]:
    before = copy.deepcopy(body)
    made = rebind(BY_NAME[kind], body, new_id)
    assert body == before
    return made


def compliance(template: Any, *groups: Any) -> Body:
    action = {"actionType": "notification", "notificationTemplateId": template, "notificationMessageCCList": [*groups]}
    return {"roleScopeTagIds": ["0", "11"], "scheduledActionsForRule": [{"scheduledActionConfigurations": [action]}]}


def of(body: Body) -> Body:
    action: Body = body["scheduledActionsForRule"][0]["scheduledActionConfigurations"][0]
    return action


def test_what_hangs_on_a_compliance_action_is_rebound() -> None:
    made, missing = rebound("compliance_policies", compliance("n1", "g1", "g8", "g2"))
    assert made["roleScopeTagIds"] == ["0", "4"]
    assert of(made)["notificationTemplateId"] == "m1"
    assert of(made)["notificationMessageCCList"] == ["h1"]
    assert missing == []


def test_no_template_stays_none() -> None:
    made, missing = rebound("compliance_policies", compliance(NO_ID))
    assert of(made)["notificationTemplateId"] == NO_ID
    assert of(made)["notificationMessageCCList"] == []
    assert missing == []


def test_what_has_no_new_id_is_told_once() -> None:
    body = compliance("n9", "g9", "g1", "g9") | {"roleScopeTagIds": ["12"]}
    made, missing = rebound("compliance_policies", body)
    assert missing == [("scope_tags", "12"), ("notification_templates", "n9"), ("groups", "g9")]
    assert of(made)["notificationMessageCCList"] == ["g9", "h1"]


def test_a_role_is_never_given_a_smaller_scope() -> None:
    _, missing = rebound("role_assignments", {"resourceScopes": ["g8"], "members": ["g1"]})
    assert missing == [("groups", "g8")]


def test_links_and_settings_at_any_depth_are_rebound() -> None:
    made, missing = rebound("device_configurations", {"rootCertificate": {"id": "root", "displayName": "Root"}})
    assert (made, missing) == ({"rootCertificate": {"id": "root2", "displayName": "Root"}}, [])
    reference = typed("deviceManagementConfigurationReferenceSettingValue", value="r1")
    other = typed("deviceManagementConfigurationStringSettingValue", value="r1")
    made, _ = rebound("configuration_policies", {"settings": [{"a": [reference, other]}]})
    assert [one["value"] for one in made["settings"][0]["a"]] == ["s1", "r1"]


def test_a_filter_has_its_tags_under_another_key() -> None:
    assert rebound("assignment_filters", {"roleScopeTags": ["11"]})[0] == {"roleScopeTags": ["4"]}


def test_assignments_stay_as_they_are() -> None:
    body = {"assignments": [assigned("g1")], "roleScopeTagIds": ["11"]}
    made, _ = rebound("configuration_policies", body)
    assert made == {"assignments": [assigned("g1")], "roleScopeTagIds": ["4"]}


@pytest.mark.parametrize("value", [None, "", 7, {}, [None, "", 7]])
def test_what_is_no_id_stays(value: Any) -> None:
    assert rebound("configuration_policies", {"roleScopeTagIds": value}) == ({"roleScopeTagIds": value}, [])
