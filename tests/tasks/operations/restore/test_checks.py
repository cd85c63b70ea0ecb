"""What blocks an item of a restore, or wants a tick, by its backup alone. The numbers are those of the cases."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.intune.backup_records import BackupItem
from tasks.graph.client import GraphClient, RetryLimits
from tasks.graph.places import NO_ID
from tasks.graph.recreate import change, creation
from tasks.graph.resources import BY_NAME, KINDS
from tasks.graph.simulator import SimulatedTenant, Simulator
from tasks.operations.restore.checks import Checked, check
from tests.support.properties import examples
from tests.tasks.operations.cases import Body, assigned, settings, simple, typed

SECRET = "restore.secret_unreadable"
UNKNOWN = "restore.unknown_value"
INCOMPLETE = "policy.incomplete"
BLOCK = {
    "actionType": "block",
    "gracePeriodHours": 0,
    "notificationTemplateId": NO_ID,
    "notificationMessageCCList": [],
}
TELL = {"actionType": "notification", "gracePeriodHours": 24, "notificationTemplateId": "n1"}
RULES = [{"ruleName": None, "scheduledActionConfigurations": [BLOCK]}]


def item(
    kind: str,
    body: Body,
    assignments: Sequence[Body] | None = (),
    gaps: Sequence[tuple[str, str]] = (),
) -> BackupItem:
    return BackupItem(kind, "1", "x", None, body, "", "", assignments, "", (), gaps)


def checked(
    kind: str, body: Body, *ticks: str, same_tenant: bool = False, template_unknown: bool = False, **more: Any
) -> Checked:
    backup, before = item(kind, body, **more), copy.deepcopy(body)
    made = check(BY_NAME[kind], backup, same_tenant=same_tenant, ticks=ticks, template_unknown=template_unknown)
    assert body == before
    return made


def catalog(*instances: Body, **more: Any) -> Body:
    return {"name": "x", "settings": settings(*instances), **more}


# ---- whole


def test_a_whole_policy_goes_as_it_is() -> None:
    body = catalog(simple("a", "b"), templateReference={"templateId": "t_1"}, nobodyKnowsThis=["****x"])
    made = checked("configuration_policies", body, "no_actions", "downgrade", assignments=[])
    assert made == Checked(body, (), ())
    made.body["settings"].clear()
    assert body["settings"], "the backup is never changed"


@pytest.mark.parametrize("code", ["content_missing", "assignments_unknown"])
def test_o1_o2_o7_what_was_not_read_blocks(code: str) -> None:
    made = checked("scripts", {"displayName": "x"}, gaps=[("reference_lost", "a"), (code, "settings: 50 of 61")])
    assert made.reasons == ((INCOMPLETE, "settings: 50 of 61"),)


def test_a_reference_or_a_secret_that_was_lost_does_not_block_by_its_gap() -> None:
    gaps = [("reference_lost", "a"), ("secret_unreadable", "1 secret value not readable")]
    assert checked("scripts", {"displayName": "x"}, gaps=gaps).reasons == ()


def test_assignments_that_were_not_read_block_once_and_only_where_there_can_be_some() -> None:
    assert checked("scripts", {}, assignments=None).reasons == ((INCOMPLETE, "assignments: not read"),)
    told = [("assignments_unknown", "assignments: status 400")]
    assert checked("scripts", {}, assignments=None, gaps=told).reasons == ((INCOMPLETE, "assignments: status 400"),)
    assert checked("assignment_filters", {}, assignments=None).reasons == ()


def test_o27_assignments_without_filters_block() -> None:
    filters = "deviceAndAppManagementAssignmentFilter"
    beta = assigned("g1")
    beta["target"] |= {f"{filters}Id": None, f"{filters}Type": "none"}
    (reason,) = checked("scripts", {}, assignments=[beta, assigned("g1")]).reasons
    assert reason == ("restore.no_filters", "read without filters, as through v1.0: they would be lost")
    assert checked("scripts", {}, assignments=[beta, assigned("g2", exclude=True)]).reasons == ()


# ---- secrets


def oma(value: Any, **more: Any) -> Body:
    return typed("omaSettingString", omaUri="./Vendor/X/Key", value=value, **more)


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        (oma("****", displayName="Key", isEncrypted=True, secretReferenceValueId="c1_a_b"), '"Key"'),
        (oma("****"), '"./Vendor/X/Key"'),
        (oma("****", displayName=""), '"./Vendor/X/Key"'),
        (oma(None, isEncrypted=True), '"./Vendor/X/Key"'),
        (oma(None, isEncrypted=False, secretReferenceValueId="c1_a_b"), '"./Vendor/X/Key"'),
        (oma("****", displayName="A\nB "), '"A\\nB "'),
    ],
)
def test_o3_a_masked_value_blocks_by_its_name(setting: Body, name: str) -> None:
    body = typed("windows10CustomConfiguration", displayName="Kiosk", omaSettings=[oma("plain"), setting])
    for same_tenant in (True, False):
        made = checked("device_configurations", body, same_tenant=same_tenant)
        assert made.reasons == ((SECRET, f"1 secret value is not in the backup: {name}"),)


def test_o3_several_are_told_together() -> None:
    body = typed("windows10CustomConfiguration", omaSettings=[oma("****", displayName="A"), oma("****")])
    (reason,) = checked("device_configurations", body).reasons
    assert reason == (SECRET, '2 secret values are not in the backup: "A", "./Vendor/X/Key"')


def test_o3_a_value_that_was_given_in_plain_is_restored() -> None:
    given = oma("plain", isEncrypted=True, secretReferenceValueId="c1_a_b")
    made = checked("device_configurations", typed("windows10CustomConfiguration", omaSettings=[given]))
    assert made.reasons == ()
    (write,) = creation(BY_NAME["device_configurations"], made.body)
    assert write.body["omaSettings"] == [oma("plain", isEncrypted=False)]


@pytest.mark.parametrize(
    ("body", "blocked"),
    [
        ({"wiFiSecurityType": "wpa2Personal", "preSharedKey": None}, True),
        ({"wifiSecurityType": "wpaPersonal", "preSharedKey": None}, True),
        ({"wiFiSecurityType": "wep"}, True),
        ({"wiFiSecurityType": "open", "preSharedKey": "****"}, True),
        ({"wiFiSecurityType": "open", "preSharedKey": None}, False),
        ({"wiFiSecurityType": "wpaEnterprise", "preSharedKey": None}, False),
        ({"wiFiSecurityType": "wpa2Personal", "preSharedKey": "given"}, False),
        ({"preSharedKey": None}, False),
    ],
)
def test_o3_a_key_blocks_if_the_network_needs_it(body: Body, blocked: bool) -> None:
    reasons = checked("device_configurations", {"displayName": "Wi-Fi", **body}).reasons
    assert reasons == (((SECRET, "1 secret value is not in the backup: preSharedKey"),) if blocked else ())


def token(value: Any = "tok-9f", state: str = "encryptedValueToken") -> Body:
    return simple("wifi_psk", value, "SecretSettingValue", valueState=state)


def test_o4_a_token_goes_back_to_its_tenant_and_to_no_other() -> None:
    body = catalog(simple("a", "b"), token())
    (reason,) = checked("configuration_policies", body).reasons
    assert reason == (SECRET, "1 secret value is not in the backup: settings[wifi_psk].simpleSettingValue.value")
    assert "tok-9f" not in str(reason)
    made = checked("configuration_policies", body, same_tenant=True)
    assert made == Checked(body, (), ())
    (write,) = creation(BY_NAME["configuration_policies"], made.body, tokens=True)
    assert write.body["settings"][1]["settingInstance"] == token()


def untyped(value: Any) -> Body:
    return {"settingDefinitionId": "a", "simpleSettingValue": {"value": value, "valueState": "encryptedValueToken"}}


@pytest.mark.parametrize(
    "secret",
    [token("****"), token(None), token("****", "notEncrypted"), token(None, "invalid"), untyped(None), untyped("****")],
)
def test_o4_what_is_no_token_goes_nowhere(secret: Body) -> None:
    (reason,) = checked("configuration_policies", catalog(secret), same_tenant=True).reasons
    assert reason[0] == SECRET


def test_o4_a_secret_is_found_at_any_depth_and_in_any_kind() -> None:
    group = {"settingDefinitionId": "group", "groupSettingCollectionValue": [{"children": [token()]}]}
    path = "settings[group].groupSettingCollectionValue[0].children[wifi_psk].simpleSettingValue.value"
    for kind in ("configuration_policies", "linux_compliance_policies"):
        reasons = checked(kind, {**catalog(group), "scheduledActionsForRule": RULES}).reasons
        assert reasons == ((SECRET, f"1 secret value is not in the backup: {path}"),)
    (reason,) = checked("reusable_settings", {"settingInstance": token()}).reasons
    assert reason[1].endswith(": settingInstance.simpleSettingValue.value")
    assert checked("configuration_policies", catalog(token("plain", "notEncrypted"))).reasons == ()


def test_a_mask_anywhere_is_a_secret() -> None:
    made = checked("device_configurations", {"proxy": {"password": "****", "pins": ["****", "a"]}, "version": "****"})
    assert made.reasons == ((SECRET, "2 secret values are not in the backup: proxy.password, proxy.pins"),)


leaves = st.sampled_from(["****", "x", None, 1, True])
deep = st.recursive(
    leaves | st.builds(oma, leaves, isEncrypted=leaves, secretReferenceValueId=leaves) | st.builds(token, leaves),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "value", "preSharedKey", "secretReferenceValueId"]), inner, max_size=3)
    ),
    max_leaves=10,
)


@examples(60)
@given(kind=st.sampled_from(KINDS), name=st.sampled_from(["omaSettings", "settings", "preSharedKey", "x"]), one=deep)
def test_no_body_that_is_sent_holds_a_mask_or_a_reference_to_a_secret(kind: Any, name: str, one: Any) -> None:
    body = {"id": "1", "displayName": "x", "templateId": "t", name: [one] if name.endswith("Settings") else one}
    for same_tenant in (True, False):
        made = check(kind, item(kind.name, body), same_tenant=same_tenant, ticks=())
        if SECRET in dict(made.reasons):
            continue
        # Whatever else is wrong: a secret is no reason to refuse what is sent now.
        writes = [*creation(kind, made.body, tokens=same_tenant), *change(kind, made.body, body, tokens=same_tenant)]
        sent = json.dumps([write.body for write in writes])
        assert '"****"' not in sent
        if kind.name != "intents":  # settings of intents and parts are entities of their own
            assert "secretReferenceValueId" not in sent


# ---- values that nobody knows


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"platforms": "unknownFutureValue"}, "platforms"),
        ({"platforms": "windows10,unknownFutureValue"}, "platforms"),
        ({"a": {"b": [{"name": "n", "c": "x, unknownFutureValue ,y"}]}}, "a.b[n].c"),
        ({"list": ["x", "unknownFutureValue"]}, "list[1]"),
        (catalog(simple("a", "unknownFutureValue")), "settings[a].simpleSettingValue.value"),
        ({"a b": {"c.d": "UnknownFutureValue"}}, 'a b["c.d"]'),
    ],
)
def test_o7_a_value_that_was_not_known_blocks_with_its_path(body: Body, path: str) -> None:
    assert checked("configuration_policies", body).reasons == ((UNKNOWN, f"{path} is unknownFutureValue"),)


@pytest.mark.parametrize(
    "body",
    [
        {"@odata.type": "#microsoft.graph.brandNewConfiguration2027", "nobodyKnowsThis": {"a": [1, None]}},
        {"description": "unknownFutureValue", "displayName": "unknownFutureValue"},
        {"omaUri": "./unknownFutureValue", "text": "it says unknownFutureValue, and more words"},
        {"unknownFutureValue": "x"},
        {"assignments": [{"intent": "unknownFutureValue"}], "supportsScopeTags": "unknownFutureValue"},
    ],
)
def test_o7_what_is_only_unknown_to_us_does_not_block(body: Body) -> None:
    assert checked("device_configurations", body) == Checked(body, (), ())


def test_o7_what_is_not_sent_does_not_block_and_what_is_sent_apart_does() -> None:
    body = {"publishingState": "unknownFutureValue", "largeIcon": None}
    assert checked("mobile_apps", body).reasons == ()
    messages = [{"locale": "de-de", "isDefault": True, "tone": "unknownFutureValue"}]
    (reason,) = checked("notification_templates", {"localizedNotificationMessages": messages}).reasons
    assert reason == (UNKNOWN, "localizedNotificationMessages[de-de].tone is unknownFutureValue")


# ---- compliance


COMPLIANCE = ("compliance_policies", "linux_compliance_policies")


@pytest.mark.parametrize("kind", COMPLIANCE)
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"scheduledActionsForRule": None},
        {"scheduledActionsForRule": []},
        {"scheduledActionsForRule": [{"ruleName": None, "scheduledActionConfigurations": None}]},
        {"scheduledActionsForRule": [{"ruleName": "x"}, {"ruleName": "y", "scheduledActionConfigurations": [None]}]},
    ],
)
def test_o16_no_action_at_all_wants_a_tick_and_is_never_invented_without(kind: str, body: Body) -> None:
    asked = checked(kind, body, "everybody", "downgrade")
    assert asked == Checked(body, (), ("no_actions",))
    ticked = checked(kind, body, "no_actions")
    assert ticked == Checked({"scheduledActionsForRule": RULES}, (), ("no_actions",))
    ticked.body["scheduledActionsForRule"][0]["scheduledActionConfigurations"][0]["gracePeriodHours"] = 9
    assert checked(kind, body, "no_actions").body == {"scheduledActionsForRule": RULES}


@pytest.mark.parametrize("kind", COMPLIANCE)
@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([[BLOCK, BLOCK]], "2 block actions: exactly one is wanted"),
        ([[BLOCK], [BLOCK], [TELL, BLOCK]], "3 block actions: exactly one is wanted"),
        ([[TELL]], "no block action: exactly one is wanted"),
        ([[BLOCK, TELL]], ""),
        ([[], [TELL], [BLOCK]], ""),
    ],
)
def test_o16_exactly_one_block_action(kind: str, rules: list[list[Body]], words: str) -> None:
    body = {"scheduledActionsForRule": [{"scheduledActionConfigurations": one} for one in rules]}
    reasons = (("restore.actions", words),) if words else ()
    assert checked(kind, body, "no_actions") == Checked(body, reasons, ())


def test_o16_other_kinds_have_no_actions() -> None:
    assert checked("device_configurations", {}, "no_actions") == Checked({}, (), ())


# ---- app protection


@pytest.mark.parametrize(
    ("body", "blocked"),
    [
        ({"appGroupType": "allMicrosoftApps"}, False),
        ({"appGroupType": "allMicrosoftApps", "apps": None}, False),
        ({"appGroupType": "selectedPublicApps", "apps": [{}]}, False),
        ({"appGroupType": "selectedPublicApps", "apps": []}, False),
        ({"appGroupType": "selectedPublicApps"}, True),
        ({"appGroupType": "selectedPublicApps", "apps": None}, True),
        ({"appGroupType": None}, True),
        ({}, True),
        ({"apps": []}, False),
    ],
)
@pytest.mark.parametrize("type_", ["iosManagedAppProtection", "targetedManagedAppConfiguration"])
def test_o19_app_protection_needs_its_apps(type_: str, body: Body, blocked: bool) -> None:
    reasons = (("restore.no_apps", "no target apps in the backup"),) if blocked else ()
    assert checked("managed_app_policies", typed(type_, **body)).reasons == reasons


def test_o19_information_protection_and_other_kinds_have_no_such_apps() -> None:
    assert checked("managed_app_policies", typed("mdmWindowsInformationProtectionPolicy")).reasons == ()
    assert checked("mobile_apps", {}).reasons == ()


# ---- templates


def baseline() -> Body:
    refer = {"settingInstanceTemplateReference": {"settingInstanceTemplateId": "i1"}}
    inner = simple("b", "y", settingValueTemplateReference={"settingValueTemplateId": "v1"})
    group = {"settingDefinitionId": "g", "groupSettingCollectionValue": [{"children": [{**inner, **refer}]}], **refer}
    return catalog({**simple("a", "x"), **refer}, group, templateReference={"templateId": "t_1"})


def test_o23_a_template_of_another_version_wants_a_tick() -> None:
    body = baseline()
    assert checked("configuration_policies", body, "no_actions", template_unknown=True) == Checked(
        body, (), ("downgrade",)
    )
    assert checked("configuration_policies", body, "downgrade") == Checked(body, (), ())


def test_o23_with_the_tick_it_becomes_a_plain_policy_and_keeps_its_settings() -> None:
    made = checked("configuration_policies", baseline(), "downgrade", template_unknown=True)
    assert (made.reasons, made.needs) == ((), ("downgrade",))
    group = {"settingDefinitionId": "g", "groupSettingCollectionValue": [{"children": [simple("b", "y")]}]}
    assert made.body["settings"] == settings(simple("a", "x"), group)
    assert made.body["templateReference"]["templateId"] == ""
    assert made.body["templateReference"]["templateFamily"] == "none"


@pytest.mark.parametrize("kind", ["intents", "linux_compliance_policies"])
def test_o23_what_is_nothing_without_its_template_blocks(kind: str) -> None:
    body = {"templateId": "t1", "scheduledActionsForRule": RULES}
    made = checked(kind, body, "downgrade", template_unknown=True)
    assert made.body == body
    assert [code for code, _ in made.reasons] == ["restore.template_unknown"]
    assert made.needs == ()


# ---- all together


def test_every_reason_is_told() -> None:
    body = typed("windows10CompliancePolicy", a="****", b="unknownFutureValue")
    body["scheduledActionsForRule"] = [{"scheduledActionConfigurations": [TELL]}]
    made = checked("compliance_policies", body, assignments=[assigned("g1")], gaps=[("content_missing", "x: empty")])
    codes = [code for code, _ in made.reasons]
    assert codes == [INCOMPLETE, "restore.no_filters", UNKNOWN, SECRET, "restore.actions"]


# ---- over HTTP


@pytest.fixture
def tenant() -> SimulatedTenant:
    return SimulatedTenant("fabrikam", unknown_templates={"t_1"})


@pytest.fixture
def graph(tenant: SimulatedTenant) -> Iterator[GraphClient]:
    with Simulator([tenant]) as simulator:
        simulator.tokens["t"] = tenant
        with GraphClient(simulator.url, lambda force=False: "t", limits=RetryLimits(attempts=1)) as client:
            yield client


def test_what_the_ticks_make_of_a_body_is_taken(graph: GraphClient, tenant: SimulatedTenant) -> None:
    kind = BY_NAME["configuration_policies"]
    body = {**baseline(), "platforms": "windows10", "technologies": "mdm"}
    body["settings"] += settings(token())
    plain = checked(kind.name, body, "downgrade", template_unknown=True, same_tenant=True)
    compliance = BY_NAME["compliance_policies"]
    ruled = checked(compliance.name, typed("iosCompliancePolicy", displayName="iOS"), "no_actions")
    for of, made in ((kind, plain), (compliance, ruled)):
        assert made.reasons == ()
        (write,) = creation(of, made.body, tokens=True)[:1]
        graph.write(write.method, write.path, write.body)
    (policy,) = tenant.listed(kind.name)
    assert policy["settings"][-1] == {"settingInstance": token()}
    assert tenant.listed(compliance.name)[0]["scheduledActionsForRule"] == RULES
