"""What is made in another tenant, or changed there, is read there as it was: over real HTTP, for every kind."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tasks.graph.canonical import canonical
from tasks.graph.client import GraphClient, RetryLimits
from tasks.graph.places import find
from tasks.graph.recreate import NOT_GIVEN_BACK, Write, assign, change, creation
from tasks.graph.resource import GraphResource
from tasks.graph.resources import BY_NAME, KINDS
from tasks.graph.simulator import SimulatedTenant, Simulator, synthetic
from tasks.graph.whole import read_whole
from tests.tasks.graph.bodies import G1, ZERO, to_group, typed

#: A client that does not wait: the simulator takes any number of requests.
LIMITS = RetryLimits(attempts=1, reads=100_000, writes=100_000)
#: Types whose objects need contents that nobody has: whether an object can be made at all is asked elsewhere.
UNMADE = ("#microsoft.graph.win32LobApp",)
ROOT = typed("windows81TrustedRootCertificate", id="r1", displayName="Root")
SCEP = typed("windows81SCEPCertificateProfile", id="s1", displayName="SCEP")
APP = {
    "id": "com.example.mail.ios",
    "mobileAppIdentifier": typed("iosMobileAppIdentifier", bundleId="com.example.mail"),
}


def linked() -> SimulatedTenant:
    """A tenant with objects of every kind, and some that refer to others."""
    tenant = synthetic("contoso", 11, 120)
    put = tenant.put
    put("scope_tags", {"id": "90", "displayName": "Berlin", "description": "x", "isBuiltIn": False})
    put("device_configurations", ROOT)
    put("device_configurations", {**SCEP, "rootCertificate": ROOT, "roleScopeTagIds": ["0", "90"]})
    wifi = typed("windowsWifiEnterpriseEAPConfiguration", id="w1", displayName="Wi-Fi")
    wifi |= {"rootCertificatesForServerValidation": [ROOT], "identityCertificateForClientAuthentication": SCEP}
    put("device_configurations", wifi)
    put("notification_templates", template())
    put("compliance_policies", {**typed("iosCompliancePolicy", id="c1", displayName="iOS"), **told("n1")})
    catalog = {"name": "Linux", "platforms": "linux", "technologies": "linuxMdm", "settings": [{"id": "0"}]}
    put("linux_compliance_policies", {"id": "l1", **catalog, **told("n1")})
    group = {"displayName": "MAM", "appGroupType": "allMicrosoftApps", "apps": [APP]}
    put("managed_app_policies", {**typed("androidManagedAppProtection", id="m1"), **group})
    put("reusable_settings", {"id": "u1", "displayName": "Addresses", "settingInstance": {"settingDefinitionId": "a"}})
    refers = {"settingInstance": {"x": typed("deviceManagementConfigurationReferenceSettingValue", value="u1")}}
    put("configuration_policies", {"id": "p1", **catalog, "name": "Firewall", "settings": [refers]})
    return tenant


def template() -> dict[str, Any]:
    message = {"subject": "s", "messageTemplate": "t"}
    messages = [
        {"id": "1", "locale": "de-de", "isDefault": True, **message},
        {"id": "2", "locale": "en-us", "isDefault": False, **message},
    ]
    more = {"brandingOptions": "includeContactInformation", "defaultLocale": "de-de"}
    return {"id": "n1", "displayName": "Told", **more, "localizedNotificationMessages": messages}


def told(template_: str) -> dict[str, Any]:
    tell = {"actionType": "notification", "gracePeriodHours": 24, "notificationTemplateId": template_}
    block = {"actionType": "block", "gracePeriodHours": 0, "notificationTemplateId": ZERO}
    actions = [{"id": "1", **tell, "notificationMessageCCList": [G1]}, {"id": "2", **block}]
    return {"scheduledActionsForRule": [{"id": "0", "ruleName": None, "scheduledActionConfigurations": actions}]}


@dataclass
class Tenants:
    """Two tenants, and what was made of the objects of the first in the second."""

    simulator: Simulator
    source: GraphClient
    target: GraphClient
    #: The ids in the second, by kind and id in the first.
    ids: dict[tuple[str, str], str] = field(default_factory=dict)
    #: The bodies for the second, by kind and id there.
    bodies: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    def make(self, kind: GraphResource) -> None:
        held = self.simulator.tenant("contoso").objects[kind.name]
        made = self.bodies[kind.name] = {}
        for id_, given in _in_order(read(self.source, kind)):
            body = self._plain(given, held[id_])
            for reference in kind.references:
                for container, key in find(body, reference.place):
                    container[key] = self._mapped(reference.to, container[key])
            before = copy.deepcopy(body)
            new = send(self.target, creation(kind, body))
            assert body == before
            self.ids[kind.name, id_] = new
            made[new] = body

    def _mapped(self, to: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._mapped(to, one) for one in value]
        return self.ids.get((to, value), value)

    def _plain(self, body: dict[str, Any], held: Mapping[str, Any]) -> dict[str, Any]:
        """The body with its secrets, as somebody has to give them."""
        return body | copy.deepcopy({key: held[key] for key in ("settings", "omaSettings") if key in held})


def _in_order(objects: dict[str, dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Roots before SCEP before Wi-Fi: the profiles that others are linked to come first."""
    order = {"r1": 0, "s1": 1}
    makeable = [(id_, body) for id_, body in objects.items() if body.get("@odata.type") not in UNMADE]
    return sorted(makeable, key=lambda one: order.get(one[0], 2))


def read(graph: GraphClient, kind: GraphResource) -> dict[str, dict[str, Any]]:
    found = [one for chunk in read_whole(graph, kind, pytest.fail) for one in chunk]
    assert all(one.failure is None for one in found)
    return {one.body["id"]: one.body for one in found}


def send(graph: GraphClient, writes: list[Write]) -> str:
    """Send the writes. Returns the id of the object, if the first made one."""
    assert len({write.part for write in writes}) == len(writes)
    id_ = ""
    for write in writes:
        path = write.path.replace("{id}", id_)
        answer = graph.write(write.method, path, write.body or None, repeatable=write.repeatable)
        id_ = id_ or str(answer.get("id", ""))
    return id_


def told_again(kind: GraphResource, body: dict[str, Any]) -> dict[str, Any]:
    """The canonical form, without what is not given back."""
    made = canonical(kind, body)
    for name, key, _ in NOT_GIVEN_BACK:
        if name == kind.name and not (key == "apps" and made.get("appGroupType") == "selectedPublicApps"):
            made.pop(key, None)
    return made


@pytest.fixture(scope="module")
def tenants() -> Iterator[Tenants]:
    source, target = linked(), SimulatedTenant("fabrikam")
    with Simulator([source, target]) as simulator:
        simulator.tokens.update(s=source, t=target)
        with (
            GraphClient(simulator.url, lambda force=False: "s", limits=LIMITS) as reader,
            GraphClient(simulator.url, lambda force=False: "t", limits=LIMITS) as writer,
        ):
            made = Tenants(simulator, reader, writer)
            for kind in sorted(KINDS, key=lambda kind: kind.order):
                made.make(kind)
            yield made


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_is_made_is_what_it_was(tenants: Tenants, kind: GraphResource) -> None:
    there, bodies = read(tenants.target, kind), tenants.bodies[kind.name]
    assert there.keys() == bodies.keys()
    assert there, "a kind without an object proves nothing"
    for id_, body in bodies.items():
        assert told_again(kind, there[id_]) == told_again(kind, body)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_was_altered_is_changed_to_what_it_was(tenants: Tenants, kind: GraphResource) -> None:
    tenant = tenants.simulator.tenant("fabrikam")
    for id_ in tenants.bodies[kind.name]:
        tenant.put(kind.name, altered(kind, tenant.objects[kind.name][id_]))
    there = read(tenants.target, kind)
    for id_, body in tenants.bodies[kind.name].items():
        assert told_again(kind, there[id_]) != told_again(kind, body)
        for _ in range(2):  # a second change finds nothing that it cannot deal with
            now = read_one(tenants, kind, id_)
            before = copy.deepcopy((body, now))
            send(tenants.target, change(kind, body, now))
            assert (body, now) == before
        assert told_again(kind, read_one(tenants, kind, id_)) == told_again(kind, body)


def read_one(tenants: Tenants, kind: GraphResource, id_: str) -> dict[str, Any]:
    (chunk,) = read_whole(tenants.target, kind, pytest.fail, lambda item: item["id"] == id_)
    return chunk[0].body


def altered(kind: GraphResource, item: Mapping[str, Any]) -> dict[str, Any]:
    """The object as somebody may have changed it: its name, and something in each of its parts."""
    made: dict[str, Any] = copy.deepcopy({**item, kind.name_field: "Other"})
    for container, key in find(made, "scheduledActionsForRule[].scheduledActionConfigurations[].gracePeriodHours"):
        container[key] = 99
    for place in ("omaSettings[].value", "definitionValues[].presentationValues[].value", "scriptContent"):
        for container, key in find(made, place):
            container[key] = "T3RoZXI="
    for key, value in OTHER.items():
        if key in made:
            made[key] = value
    return made


#: Other values of properties and parts, for objects that have them.
OTHER: dict[str, Any] = {
    "description": "Other",
    "settings": [{"id": "s0", "definitionId": "simulated", "valueJson": "false"}],
    "apps": [APP],
    "appGroupType": "selectedPublicApps",
    "rootCertificate": SCEP,
    "rootCertificatesForServerValidation": [SCEP, SCEP],
    "roleScopeTagIds": ["0", "7"],
    "rule": "other",
    "rolePermissions": [{"resourceActions": []}],
    "members": [G1],
    "roleDefinition": {"id": "other", "displayName": "Other"},
    "settingInstance": {},
    "localizedNotificationMessages": [
        {"id": "o1", "locale": "it-it", "subject": "o", "messageTemplate": "o", "isDefault": True},
        {"id": "o2", "locale": "en-us", "subject": "o", "messageTemplate": "o", "isDefault": False},
    ],
    "defaultLocale": "it-it",
}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.assign], ids=lambda kind: kind.name)
def test_assignments_are_taken_by_every_kind(tenants: Tenants, kind: GraphResource) -> None:
    id_ = next(iter(tenants.bodies[kind.name]))
    item = read_one(tenants, kind, id_)
    write = assign(kind, item, [{"id": "a", "source": "direct", "sourceId": "1", "intent": "apply", **to_group(G1)}])
    assert write is not None
    send(tenants.target, [write])
    send(tenants.target, [write])
    (chunk,) = read_whole(tenants.target, kind, pytest.fail, lambda one: one["id"] == id_)
    assert [one["target"] for one in chunk[0].assignments or []] == [to_group(G1)["target"]]


def test_secrets_are_sent_once_and_masked_from_then_on(tenants: Tenants) -> None:
    held = tenants.simulator.tenant("fabrikam").listed("device_configurations")
    values = [one["value"] for item in held for one in item.get("omaSettings") or []]
    assert values
    assert set(values) == {"simulated-key"}
    kind = BY_NAME["device_configurations"]
    seen = [one for body in read(tenants.target, kind).values() for one in body.get("omaSettings") or []]
    assert {one["value"] for one in seen} == {"****"}
