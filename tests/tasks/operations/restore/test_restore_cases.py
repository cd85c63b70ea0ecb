"""Cases from public reports (C: restoring policies), each over real HTTP from the backup to what the target then has."""

from __future__ import annotations

from typing import Any, Final

import pytest

from store.errors import InputInvalid
from store.intune import restores
from store.model.records import Outcome
from store.runs import restoring
from tasks.graph.places import NO_ID
from tasks.graph.simulator import Fault
from tests.tasks.operations.cases import Body, settings, simple, typed
from tests.tasks.operations.restore.conftest import Restoring, settings_policy
from tests.tasks.operations.restore.steps import CATALOG, again, by_name, previewed, skip, tick

BLOCK: Final[Body] = {
    "actionType": "block",
    "gracePeriodHours": 0,
    "notificationTemplateId": NO_ID,
    "notificationMessageCCList": [],
}


def tell(template: str, *groups: str) -> Body:
    more = {"notificationTemplateId": template, "notificationMessageCCList": list(groups)}
    return {"actionType": "notification", "gracePeriodHours": 24, **more}


def rules(*actions: Body) -> list[Body]:
    return [{"ruleName": None, "scheduledActionConfigurations": list(actions)}]


def compliance(at: Restoring, name: str, tenant: str = "contoso", **more: Any) -> str:
    body = typed("iosCompliancePolicy", displayName=name, roleScopeTagIds=["0"], assignments=[], **more)
    return at.put(tenant, "compliance_policies", **body)


def actions_of(body: Body) -> list[Body]:
    return [action for rule in body["scheduledActionsForRule"] for action in rule["scheduledActionConfigurations"]]


# ---- O13


def test_o13_the_same_set_twice_makes_one(restoring_: Restoring) -> None:
    at = restoring_
    at.put("contoso", CATALOG, **settings_policy("A", assignments=[]))
    at.put("contoso", CATALOG, **settings_policy("a", assignments=[]))
    at.worker()
    set_id = at.backup(CATALOG)
    first, _ = at.restored(set_id)
    assert by_name(at, CATALOG).keys() == {"A", "a"}
    second, run = at.restored(set_id)
    assert (at.actions(second), run.outcome) == ({"exists": 2}, Outcome.SUCCEEDED)
    third, _ = at.restored(set_id, mode="update")
    assert at.actions(third) == {"same": 2}
    # The first has nothing left: it can neither be previewed nor executed again.
    with pytest.raises(InputInvalid, match="nothing left"):
        at.preview(first)
    with pytest.raises(InputInvalid, match="not previewed"):
        at.execute(first)
    assert len(at.there(CATALOG)) == 2


def test_o13_of_two_with_its_name_somebody_chooses_one(restoring_: Restoring) -> None:
    at = restoring_
    at.put("contoso", CATALOG, **settings_policy("A", "new", assignments=[]))
    ids = [at.put("fabrikam", CATALOG, **settings_policy("A", value, assignments=[])) for value in ("x", "y")]
    restore = previewed(at, CATALOG, mode="update")
    item = at.items(restore)["A"]
    assert (item.action, [one["id"] for one in item.plan["candidates"]]) == ("ambiguous", ids)
    with pytest.raises(InputInvalid, match="1 of 1 objects are blocked"):
        at.execute(restore)
    with pytest.raises(InputInvalid, match="none of the objects"):
        restoring.choose(at.stage.db, at.stage.user, restore.id, {item.id: {"target_id": "another"}})
    restoring.choose(at.stage.db, at.stage.user, restore.id, {item.id: {"target_id": ids[1]}})
    assert again(at, restore).outcome is Outcome.SUCCEEDED
    values = [one["settings"][0]["settingInstance"]["simpleSettingValue"]["value"] for one in at.there(CATALOG)]
    assert values == ["x", "new"]


def test_o13_two_policies_of_one_name_stay_two(restoring_: Restoring) -> None:
    at = restoring_
    for value in ("x", "y"):
        at.put("contoso", CATALOG, **settings_policy("A", value, assignments=[]))
    restore = previewed(at, CATALOG)
    at.faults(Fault("configurationPolicies", method="POST", status=400, after=1))
    assert at.execute(restore).outcome is Outcome.PARTIALLY_SUCCEEDED
    at.faults()
    assert again(at, restore).outcome is Outcome.SUCCEEDED
    made = at.there(CATALOG)
    values = [one["settings"][0]["settingInstance"]["simpleSettingValue"]["value"] for one in made]
    assert values == ["x", "y"]
    second = at.plan(restore.backup_set_id, mode="update")
    at.preview(second)
    with at.stage.db.read() as connection:
        items = restores.items_of(connection, second.id)
    assert [one.action for one in items] == ["ambiguous", "ambiguous"]
    chosen = {item.id: {"target_id": one["id"]} for item, one in zip(items, made, strict=True)}
    restoring.choose(at.stage.db, at.stage.user, second.id, chosen)
    assert again(at, second).outcome is Outcome.SUCCEEDED
    assert at.there(CATALOG) == made


# ---- O15


def test_o15_nothing_that_only_graph_sets_is_sent_and_nothing_else_is_dropped(restoring_: Restoring) -> None:
    """The simulator refuses a POST with such a property."""
    at = restoring_
    given = {"createdDateTime": "2026-01-01T00:00:00Z", "lastModifiedDateTime": "2026-01-02T00:00:00Z", "version": 7}
    given |= {"supportsScopeTags": True, "isAssigned": True, "brandNew": {"id": "7", "version": 2}}
    body = typed("brandNewConfiguration2027", displayName="x", assignments=[], **given)
    at.put("contoso", "device_configurations", **body)
    at.worker()
    restore, run = at.restored(at.backup("device_configurations"))
    assert run.outcome is Outcome.SUCCEEDED, at.items(restore)
    (made,) = at.there("device_configurations")
    assert made["@odata.type"] == "#microsoft.graph.brandNewConfiguration2027"
    assert made["brandNew"] == {"id": "7", "version": 2}
    assert "supportsScopeTags" not in made


def test_a_dry_run_writes_nothing_and_leaves_all_of_it_to_do(restoring_: Restoring) -> None:
    at = restoring_
    at.put("contoso", "scope_tags", id="11", displayName="Berlin", description="", isBuiltIn=False)
    at.put("contoso", CATALOG, **settings_policy("New", roleScopeTagIds=["11"], assignments=[]))
    at.put("contoso", CATALOG, **settings_policy("Changed", "new", assignments=[]))
    at.put("fabrikam", CATALOG, **settings_policy("Changed", "old", assignments=[]))
    restore = previewed(at, CATALOG, "scope_tags", mode="update")
    before = (at.there(CATALOG), at.there("scope_tags"))
    assert at.execute(restore, dry_run=True).outcome is Outcome.SUCCEEDED
    assert (at.there(CATALOG), at.there("scope_tags")) == before
    assert {method for method, path, _ in at.simulator.requests if "deviceManagement" in path} <= {"GET"}
    assert (at.now(restore).undo_set_id, at.results(restore)) == (None, {None: 3})
    assert again(at, restore).outcome is Outcome.SUCCEEDED
    assert by_name(at, CATALOG).keys() == {"New", "Changed"}
    assert at.now(restore).undo_set_id is not None


# ---- O16, O17


def test_o16_actions_for_compliance_are_never_invented_silently(restoring_: Restoring) -> None:
    at = restoring_
    compliance(at, "a")
    compliance(at, "b", scheduledActionsForRule=None)
    compliance(at, "c", scheduledActionsForRule=rules(BLOCK, BLOCK))
    compliance(at, "d", scheduledActionsForRule=rules(BLOCK, tell(NO_ID)))
    restore = previewed(at, "compliance_policies")
    items = at.items(restore)
    assert {name: (one.action, one.needs) for name, one in items.items()} == {
        "a": ("create", ("no_actions",)),
        "b": ("create", ("no_actions",)),
        "c": ("blocked", ()),
        "d": ("create", ()),
    }
    assert items["c"].reasons == (("restore.actions", "2 block actions: exactly one is wanted"),)
    skip(at, restore, "c")
    with pytest.raises(InputInvalid, match="no_actions"):
        at.execute(restore)
    tick(at, restore, "no_actions")
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    made = by_name(at, "compliance_policies")
    assert made.keys() == {"a", "b", "d"}
    assert [one["actionType"] for one in actions_of(made["a"])] == ["block"]
    assert [one["actionType"] for one in actions_of(made["d"])] == ["block", "notification"]


def test_o16_a_policy_that_has_the_actions_already_is_the_same_with_the_tick(restoring_: Restoring) -> None:
    """The preview says what the tick makes of it, before it is given."""
    at = restoring_
    compliance(at, "a")
    compliance(at, "a", "fabrikam", scheduledActionsForRule=rules(BLOCK))
    restore = previewed(at, "compliance_policies", mode="update")
    assert (at.items(restore)["a"].action, at.items(restore)["a"].needs) == ("same", ("no_actions",))
    tick(at, restore, "no_actions")
    assert at.execute(restore).outcome is Outcome.SUCCEEDED


def test_o16_an_update_goes_through_the_action_for_rules(restoring_: Restoring) -> None:
    at = restoring_
    compliance(at, "d", scheduledActionsForRule=rules(BLOCK | {"gracePeriodHours": 48}))
    compliance(at, "d", "fabrikam", scheduledActionsForRule=rules(BLOCK))
    restore = previewed(at, "compliance_policies", mode="update")
    assert at.actions(restore) == {"update": 1}
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    assert [one["gracePeriodHours"] for one in actions_of(at.there("compliance_policies")[0])] == [48]
    assert any(path.endswith("/scheduleActionsForRules") for _, path, _ in at.simulator.requests)


def test_o17_what_hangs_on_an_action_is_mapped(restoring_: Restoring) -> None:
    at = restoring_
    message = {"id": "m", "locale": "de-de", "subject": "s", "messageTemplate": "t", "isDefault": True}
    messages = {"localizedNotificationMessages": [message], "defaultLocale": "de-de"}
    template = at.put("contoso", "notification_templates", displayName="Told", brandingOptions="none", **messages)
    compliance(at, "x", scheduledActionsForRule=rules(tell(template, "g9", "g8"), BLOCK))
    at.groups("contoso", g9="Helpdesk", g8="Nobody")
    at.groups("fabrikam", t9="Helpdesk")
    restore = previewed(at, "compliance_policies", "notification_templates")
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    told, block = actions_of(at.there("compliance_policies")[0])
    (new,) = at.there("notification_templates")
    assert (told["notificationTemplateId"], told["notificationMessageCCList"]) == (new["id"], ["t9"])
    assert new["id"] != template
    assert block["notificationTemplateId"] == NO_ID


def test_o17_without_its_template_the_policy_blocks_with_the_templates_name(restoring_: Restoring) -> None:
    at = restoring_
    template = at.put("contoso", "notification_templates", displayName="Told", localizedNotificationMessages=[])
    compliance(at, "x", scheduledActionsForRule=rules(tell(template), BLOCK))
    restore = previewed(at, "compliance_policies", "notification_templates")
    skip(at, restore, "Told")
    at.preview(restore)
    (reason,) = at.items(restore)["x"].reasons
    assert reason[0] == "restore.dependency"
    assert '"Told"' in reason[1]


# ---- O18, O19


def test_o18_a_message_that_failed_is_added_by_the_retry(restoring_: Restoring) -> None:
    at = restoring_
    messages = [
        {"id": one, "locale": one, "subject": one, "messageTemplate": "t", "isDefault": one == "de-de"}
        for one in ("de-de", "en-us", "fr-fr")
    ]
    more = {"brandingOptions": "none", "defaultLocale": "de-de", "localizedNotificationMessages": messages}
    at.put("contoso", "notification_templates", displayName="Told", **more)
    restore = previewed(at, "notification_templates")
    at.faults(Fault("localizedNotificationMessages", method="POST", status=400, after=1))
    run = at.execute(restore)
    item = at.items(restore)["Told"]
    assert (run.outcome, item.result) == (Outcome.FAILED, "failed")
    assert item.target_id == at.there("notification_templates")[0]["id"]
    at.faults()
    before = len(at.simulator.requests)
    assert again(at, restore).outcome is Outcome.SUCCEEDED
    (made,) = at.there("notification_templates")
    assert {one["locale"]: one["isDefault"] for one in made["localizedNotificationMessages"]} == {
        "en-us": False,
        "fr-fr": False,
        "de-de": True,
    }
    posted = [path for method, path, _ in at.simulator.requests[before:] if method == "POST" and "Messages" in path]
    assert len(posted) == 2  # the one that failed, and the one that was never sent


def test_o19_app_protection_is_for_a_group_of_apps_or_for_a_list(restoring_: Restoring) -> None:
    at = restoring_
    bundles = [{"mobileAppIdentifier": typed("iosMobileAppIdentifier", bundleId=f"com.example.{n}")} for n in (1, 2)]
    for name, group in (("group", "allMicrosoftApps"), ("list", "selectedPublicApps")):
        more = {"appGroupType": group, "apps": bundles, "assignments": []}
        at.put("contoso", "managed_app_policies", **typed("iosManagedAppProtection", displayName=name, **more))
    restore = previewed(at, "managed_app_policies")
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    made = by_name(at, "managed_app_policies")
    assert made["group"]["appGroupType"] == "allMicrosoftApps"
    assert [one["mobileAppIdentifier"]["bundleId"] for one in made["list"]["apps"]] == [
        "com.example.1",
        "com.example.2",
    ]


# ---- O24


def test_o24_an_update_of_the_settings_catalog_is_a_put_of_all_settings(restoring_: Restoring) -> None:
    at = restoring_
    two = settings(simple("device_x", "new"), simple("device_y", "1"))
    at.put("contoso", CATALOG, **settings_policy("A", settings=two, assignments=[]))
    id_ = at.put("fabrikam", CATALOG, **settings_policy("A", "old", assignments=[]))
    restore = previewed(at, CATALOG, mode="update")
    assert at.items(restore)["A"].action == "update"
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    written = [(method, path) for method, path, _ in at.simulator.requests if method not in ("GET", "POST")]
    assert [method for method, _ in written] == ["PUT"]
    assert id_ in written[0][1]
    assert len(at.there(CATALOG)[0]["settings"]) == 2
