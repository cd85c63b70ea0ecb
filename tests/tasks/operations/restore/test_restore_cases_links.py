"""Cases from public reports: what a policy hangs on, and what only some of can be restored (O20 to O23, O31)."""

from __future__ import annotations

from typing import Any, Final

import pytest

from store.errors import InputInvalid
from store.intune.restore_records import RestoreState
from store.model.records import Outcome
from tasks.graph.simulator import Fault
from tasks.graph.simulator.tenants import DEFINITIONS
from tests.tasks.operations.cases import Body, settings, simple, typed
from tests.tasks.operations.restore.conftest import Restoring, settings_policy, to_group
from tests.tasks.operations.restore.plans import filtered
from tests.tasks.operations.restore.steps import CATALOG, again, by_name, previewed, skip, tick

CONFIGURATIONS: Final = "device_configurations"
#: A profile and what it hangs on: the names of the links.
CHAIN: Final = ("Root", "SCEP", "Wi-Fi")
HOME: Final[Body] = {"classType": "user", "displayName": "Home page", "categoryPath": "\\Acme\\Browser"}


def put_admx(at: Restoring, tenant: str, definition: str, presentation: str) -> None:
    shown = typed("groupPolicyPresentationTextBox", id=presentation, label="Address")
    at.put(tenant, DEFINITIONS, id=definition, presentations=[shown], **HOME)


def put_template(at: Restoring) -> None:
    """A template with a value for an uploaded definition; one of its elements does not say which it is."""
    shown = typed("groupPolicyPresentationTextBox", id="p1", label="Address")
    values = [
        typed("groupPolicyPresentationValueText", id="v1", value="https://example.com", presentation=shown),
        typed("groupPolicyPresentationValueText", id="v2", value="lost", presentation=None),
    ]
    definition = {"id": "d1x", "policyType": "admxIngested", **HOME}
    value = {"id": "dv", "enabled": True, "definition": definition, "presentationValues": values}
    at.put("contoso", "administrative_templates", displayName="ADMX", definitionValues=[value], assignments=[])


def put_chain(at: Restoring) -> dict[str, str]:
    """A root, a SCEP profile and a Wi-Fi profile, the last first. Returns their ids by name."""
    root = typed("windows81TrustedRootCertificate", id="c-root", displayName="Root", assignments=[])
    scep = typed("windows81SCEPCertificateProfile", id="b-scep", displayName="SCEP", rootCertificate=root)
    wifi = typed("windowsWifiEnterpriseEAPConfiguration", id="a-wifi", displayName="Wi-Fi")
    wifi |= {"rootCertificatesForServerValidation": [root], "identityCertificateForClientAuthentication": scep}
    bodies = [body | {"assignments": []} for body in (wifi, scep, root)]
    return {str(body["displayName"]): at.put("contoso", CONFIGURATIONS, **body) for body in bodies}


def baseline(name: str, template: str) -> Body:
    refer = {"settingInstanceTemplateReference": {"settingInstanceTemplateId": "i1"}}
    named = {"templateId": template, "templateFamily": "baseline", "templateDisplayName": "Windows"}
    body = settings_policy(name, templateReference=named, assignments=[])
    return {**body, "settings": settings(simple("device_x", "on") | refer)}


# ---- O20


def test_o20_a_value_is_bound_to_the_definition_that_the_target_has(restoring_: Restoring) -> None:
    at = restoring_
    put_admx(at, "contoso", "d1x", "p1")
    put_admx(at, "fabrikam", "d7", "q7")
    put_template(at)
    restore = previewed(at, "administrative_templates")
    assert at.execute(restore).outcome is Outcome.SUCCEEDED, at.items(restore)
    (made,) = at.there("administrative_templates")
    (value,) = made["definitionValues"]
    assert value["definition"]["id"] == "d7"
    assert [(one["value"], one["presentation"]["id"]) for one in value["presentationValues"]] == [
        ("https://example.com", "q7")
    ]


def test_o20_without_the_admx_file_the_policy_blocks_with_its_name(restoring_: Restoring) -> None:
    at = restoring_
    put_admx(at, "contoso", "d1x", "p1")
    put_template(at)
    restore = previewed(at, "administrative_templates")
    ((code, words),) = at.items(restore)["ADMX"].reasons
    assert code == "restore.dependency"
    assert '"Home page"' in words


# ---- O21


def test_o21_root_scep_and_wifi_are_bound_to_what_was_made(restoring_: Restoring) -> None:
    at = restoring_
    old = put_chain(at)
    restore = previewed(at, CONFIGURATIONS)
    assert tuple(at.items(restore)) == CHAIN
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    made = by_name(at, CONFIGURATIONS)
    new = {name: one["id"] for name, one in made.items()}
    assert not set(new.values()) & set(old.values())
    assert made["SCEP"]["rootCertificate"]["id"] == new["Root"]
    assert made["Wi-Fi"]["identityCertificateForClientAuthentication"]["id"] == new["SCEP"]
    assert [one["id"] for one in made["Wi-Fi"]["rootCertificatesForServerValidation"]] == [new["Root"]]


def test_o21_a_missing_one_blocks_with_its_name_and_one_that_is_there_is_taken(restoring_: Restoring) -> None:
    at = restoring_
    put_chain(at)
    restore = previewed(at, CONFIGURATIONS)
    skip(at, restore, "SCEP")
    at.preview(restore)
    items = at.items(restore)
    assert items["Root"].action == "create"
    ((code, words),) = items["Wi-Fi"].reasons
    assert (code, '"SCEP"' in words) == ("restore.dependency", True)
    theirs = at.put("fabrikam", CONFIGURATIONS, **typed("windows81SCEPCertificateProfile", displayName="SCEP"))
    assert again(at, restore).outcome is Outcome.SUCCEEDED
    assert by_name(at, CONFIGURATIONS)["Wi-Fi"]["identityCertificateForClientAuthentication"]["id"] == theirs


def test_what_hangs_on_something_blocked_is_blocked_by_its_name(restoring_: Restoring) -> None:
    """A variation of O21: the link could be made but for a value that blocks it."""
    at = restoring_
    put_chain(at)
    at.source.objects[CONFIGURATIONS]["b-scep"]["keySize"] = "unknownFutureValue"
    restore = previewed(at, CONFIGURATIONS)
    items = at.items(restore)
    assert {name: one.action for name, one in items.items()} == {
        "Root": "create",
        "SCEP": "blocked",
        "Wi-Fi": "blocked",
    }
    ((code, words),) = items["Wi-Fi"].reasons
    assert (code, '"SCEP"' in words) == ("restore.dependency", True)
    skip(at, restore, "SCEP", "Wi-Fi")
    assert at.now(restore).status is RestoreState.PREVIEWED
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    assert by_name(at, CONFIGURATIONS).keys() == {"Root"}


def test_leaving_out_what_another_item_hangs_on_wants_another_preview(restoring_: Restoring) -> None:
    at = restoring_
    more = {"platform": "unknownFutureValue", "rule": "x", "assignmentFilterManagementType": "devices"}
    at.put("contoso", "assignment_filters", id="f1", displayName="New", roleScopeTags=["0"], payloads=[], **more)
    at.put("contoso", CATALOG, **settings_policy("A", assignments=[filtered("g1", "f1")]))
    at.groups("contoso", g1="Sales")
    at.groups("fabrikam", x1="Sales")
    restore = previewed(at, CATALOG, "assignment_filters")
    assert [one["state"] for one in at.items(restore)["A"].plan["assignments"]] == ["failed"]
    skip(at, restore, "New")
    assert at.now(restore).status is RestoreState.CHECKED
    at.preview(restore)
    assert [one["state"] for one in at.items(restore)["A"].plan["assignments"]] == ["skipped"]
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    assert by_name(at, CATALOG)["A"]["assignments"] == []


def test_o21_a_profile_whose_link_failed_fails_itself_and_the_retry_goes_on(restoring_: Restoring) -> None:
    at = restoring_
    put_chain(at)
    restore = previewed(at, CONFIGURATIONS)
    at.faults(Fault("deviceConfigurations", method="POST", status=400, after=1))
    run = at.execute(restore)
    assert run.outcome is Outcome.PARTIALLY_SUCCEEDED
    results = {name: (one.result, one.result_code) for name, one in at.items(restore).items()}
    assert results["Root"] == ("done", None)
    assert results["SCEP"][0] == "failed"
    assert results["Wi-Fi"] == ("failed", "restore.dependency")
    at.faults()
    assert again(at, restore).outcome is Outcome.SUCCEEDED
    assert by_name(at, CONFIGURATIONS).keys() == set(CHAIN)
    assert len(at.there(CONFIGURATIONS)) == 3


# ---- O22


def test_o22_apps_are_made_where_that_is_possible_and_matched_elsewhere(restoring_: Restoring) -> None:
    at = restoring_
    there = to_group("g1") | {"intent": "required", "settings": None}

    def app(type_: str, name: str, tenant: str = "contoso", **more: Any) -> None:
        body = typed(type_, displayName=name, publisher="x", assignments=[there] if tenant == "contoso" else [])
        at.put(tenant, "mobile_apps", **{**body, "publishingState": "published", **more})

    app("win32LobApp", "Packed", committedContentVersion="2")
    app("win32LobApp", "Lost", committedContentVersion="2")
    app("winGetApp", "Store")
    app("iosVppApp", "Bought")
    app("win32LobApp", "Packed", "fabrikam", committedContentVersion="9")
    app("iosStoreApp", "Lost", "fabrikam")
    at.groups("contoso", g1="Sales")
    at.groups("fabrikam", x1="Sales")
    restore = previewed(at, "mobile_apps", mode="update")
    items = at.items(restore)
    assert {name: one.action for name, one in items.items()} == {
        "Packed": "update",
        "Lost": "blocked",
        "Store": "create",
        "Bought": "blocked",
    }
    assert items["Lost"].reasons == (("restore.not_makeable", "its package is not in the backup"),)
    skip(at, restore, "Lost", "Bought")
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    made = {(one["displayName"], one["@odata.type"]): one for one in at.there("mobile_apps")}
    assert len(made) == 3
    assert made["Packed", "#microsoft.graph.win32LobApp"]["committedContentVersion"] == "9"
    for name, type_ in (("Packed", "win32LobApp"), ("Store", "winGetApp")):
        (one,) = made[name, f"#microsoft.graph.{type_}"]["assignments"]
        assert (one["target"]["groupId"], one["intent"]) == ("x1", "required")


# ---- O23


def test_o23_a_baseline_of_another_version_becomes_a_plain_policy_only_when_asked(restoring_: Restoring) -> None:
    at = restoring_
    at.target.unknown_templates.add("t_1")
    at.put("contoso", CATALOG, **baseline("Old", "t_1"))
    at.put("contoso", CATALOG, **baseline("Known", "t_2"))
    restore = previewed(at, CATALOG)
    at.execute(restore)
    items = at.items(restore)
    assert (items["Old"].result, items["Old"].result_code) == ("failed", "restore.template_unknown")
    assert items["Known"].result == "done"
    at.preview(restore)
    assert at.items(restore)["Old"].needs == ("downgrade",)
    with pytest.raises(InputInvalid, match="downgrade"):
        at.execute(restore)
    tick(at, restore, "downgrade")
    assert again(at, restore).outcome is Outcome.SUCCEEDED
    made = by_name(at, CATALOG)
    assert made["Old"]["templateReference"]["templateId"] == ""
    assert made["Known"]["templateReference"]["templateId"] == "t_2"
    assert len(at.there(CATALOG)) == 2


def test_o23_what_was_made_plain_stays_plain_when_the_rest_is_tried_again(restoring_: Restoring) -> None:
    at = restoring_
    at.target.unknown_templates.add("t_1")
    at.put("contoso", CATALOG, **baseline("Old", "t_1") | {"assignments": [to_group("g1")]})
    at.groups("contoso", g1="Sales")
    at.groups("fabrikam", x1="Sales")
    restore = previewed(at, CATALOG)
    at.execute(restore)
    tick(at, restore, "downgrade")
    at.faults(Fault("/assign", method="POST", status=400))
    again(at, restore)
    assert (at.items(restore)["Old"].result, len(at.there(CATALOG))) == ("failed", 1)
    at.faults()
    assert again(at, restore).outcome is Outcome.SUCCEEDED, at.items(restore)
    (made,) = at.there(CATALOG)
    assert made["templateReference"]["templateId"] == ""
    assert [one["target"]["groupId"] for one in made["assignments"]] == ["x1"]


def test_a_role_is_not_given_to_fewer_groups_than_it_was(restoring_: Restoring) -> None:
    """A list of groups that says who has a role is kept whole, or the assignment blocks: less can mean more."""
    at = restoring_
    role = at.put("contoso", "role_definitions", displayName="Helpdesk", isBuiltIn=False, rolePermissions=[])
    more = {"roleDefinition": {"id": role, "displayName": "Helpdesk"}, "resourceScopes": []}
    for name, members in (("Both", ["g1", "g2"]), ("One", ["g1"])):
        at.put("contoso", "role_assignments", displayName=name, members=members, **more)
    at.groups("contoso", g1="Sales", g2="Pilot")
    at.groups("fabrikam", x1="Sales")
    restore = previewed(at, "role_definitions", "role_assignments")
    ((code, words),) = at.items(restore)["Both"].reasons
    assert (code, '"Pilot"' in words) == ("restore.dependency", True)
    skip(at, restore, "Both")
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    (made,) = at.there("role_assignments")
    (new,) = at.there("role_definitions")
    assert (made["members"], made["roleDefinition"]["id"]) == (["x1"], new["id"])


def test_a_policy_set_is_told_by_what_it_made(restoring_: Restoring) -> None:
    """O31: the direct assignment is sent, that of the policy set is not."""
    at = restoring_
    both = [to_group("g1"), to_group("g1") | {"id": "b", "source": "policySets", "sourceId": "ps1"}]
    only = [both[1]]
    at.put("contoso", CATALOG, **settings_policy("Both", assignments=both))
    at.put("contoso", CATALOG, **settings_policy("Only", assignments=only))
    at.groups("contoso", g1="Sales")
    at.groups("fabrikam", x1="Sales")
    restore = previewed(at, CATALOG)
    states = {name: [it["state"] for it in one.plan["assignments"]] for name, one in at.items(restore).items()}
    assert states == {"Both": ["kept", "skipped"], "Only": ["skipped"]}
    assert "comes from policy set ps1" in str(at.items(restore)["Only"].plan)
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    made = by_name(at, CATALOG)
    assert [one["target"]["groupId"] for one in made["Both"]["assignments"]] == ["x1"]
    assert made["Only"]["assignments"] == []
