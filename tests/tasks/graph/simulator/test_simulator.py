"""The simulator itself: what it holds, how it is controlled, and the program that it is."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Iterator

import httpx
import pytest

from tasks.graph.resources import KINDS
from tasks.graph.simulator import SimulatedTenant, Simulator, synthetic
from tasks.graph.simulator.__main__ import main
from tasks.graph.simulator.arguments import parse_tenant
from tasks.graph.simulator.synthetic import GROUPS, group_id
from tests.support.waiting import HANG


@pytest.fixture
def http(simulator: Simulator) -> Iterator[httpx.Client]:
    simulator.tokens["t"] = simulator.tenant("contoso")
    with httpx.Client(base_url=simulator.url, headers={"Authorization": "Bearer t"}) as client:
        yield client


def test_a_seed_makes_the_same_tenant_again() -> None:
    first, second = synthetic("contoso", 7, 100), synthetic("contoso", 7, 100)
    assert first.objects == second.objects
    assert sum(len(first.objects[kind.name]) for kind in KINDS) == 100
    assert all(first.objects[kind.name] for kind in KINDS)
    assert synthetic("contoso", 8, 100).objects != first.objects


@pytest.mark.parametrize("number", [1, 2, 5, 24, 40])
def test_every_assignment_leads_to_a_group(number: int) -> None:
    tenant = synthetic("contoso", 7, 100, groups=number)
    policies = [item for kind in KINDS for item in tenant.listed(kind.name)]
    targets = [[one["target"]["groupId"] for one in policy.get("assignments", [])] for policy in policies]
    assert {id_ for ids in targets for id_ in ids} <= {group["id"] for group in tenant.listed("groups")}
    assert any(targets)
    assert all(len(set(ids)) == len(ids) for ids in targets), "no group twice"
    assert len(tenant.listed("groups")) == number


def test_without_groups_nothing_is_assigned() -> None:
    tenant = synthetic("contoso", 7, 100, groups=0)
    assert not any(item.get("assignments") for kind in KINDS for item in tenant.listed(kind.name))


def test_groups_are_of_every_type_and_named_as_people_name_them() -> None:
    groups = synthetic("contoso", 7, 0).listed("groups")
    assert groups == synthetic("contoso", 7, 0).listed("groups")
    assert [group["id"] for group in groups] == [group_id("contoso", number) for number in range(24)]
    types = {(*group["groupTypes"], group["onPremisesSyncEnabled"]) for group in groups}
    assert types == {(None,), ("DynamicMembership", None), (True,), ("Unified", None)}
    assert all(bool(one["membershipRule"]) == ("DynamicMembership" in one["groupTypes"]) for one in groups)
    names = [group["displayName"] for group in groups]
    assert len(set(names)) < len(names)
    assert any(name.endswith(" ") for name in names)
    assert {unicodedata.is_normalized("NFC", name) for name in names} == {True, False}
    assert not all(map(str.isascii, names))


def test_a_new_object_replaces_no_other() -> None:
    tenant = SimulatedTenant("f")
    first, last = (tenant.put("scripts", {"displayName": str(number)}) for number in range(2))
    tenant.delete("scripts", first)
    tenant.put("scripts", {"displayName": "new"})
    assert {item["displayName"] for item in tenant.listed("scripts")} == {"1", "new"}
    assert tenant.objects["scripts"][last]["displayName"] == "1"


def test_without_a_token_nothing_is_told(simulator: Simulator) -> None:
    answer = httpx.get(f"{simulator.url}/beta/deviceManagement/configurationPolicies")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "InvalidAuthenticationToken"


def test_it_is_controlled_over_http(simulator: Simulator) -> None:
    control = f"{simulator.url}/_simulator"
    assert httpx.post(f"{control}/faults", json={"path": "token", "status": 503}).status_code == 200
    assert httpx.post(f"{simulator.url}/x/oauth2/v2.0/token").status_code == 503
    assert httpx.post(f"{control}/faults", json={"pathh": "x"}).status_code == 400
    assert httpx.put(f"{control}/contoso/scope_tags/17", json={"displayName": "new"}).status_code == 200
    assert simulator.tenant("contoso").objects["scope_tags"]["17"] == {"displayName": "new", "id": "17"}
    assert httpx.delete(f"{control}/contoso/scope_tags/17").status_code == 200
    assert "17" not in simulator.tenant("contoso").objects["scope_tags"]
    assert any(path.endswith("token") for _, path, _ in httpx.get(f"{control}/requests").json())


def test_permissions_are_set_over_http(simulator: Simulator, http: httpx.Client) -> None:
    address = f"{simulator.url}/_simulator/contoso/permissions"
    assert httpx.put(address, json=["DeviceManagementRBAC.Read.All"]).status_code == 200
    assert http.get("/beta/deviceManagement/roleScopeTags").status_code == 200
    assert http.get("/beta/deviceManagement/deviceManagementScripts").status_code == 403
    assert httpx.put(address, content="null").status_code == 200
    assert http.get("/beta/deviceManagement/deviceManagementScripts").status_code == 200


@pytest.mark.parametrize(("body", "status"), [({}, 400), ({"status": 400}, 400), ({"status": 410}, 410)])
def test_deltas_are_ended_over_http(simulator: Simulator, http: httpx.Client, body: object, status: int) -> None:
    simulator.page_size = 100
    link = http.get("/v1.0/groups/delta?$select=id").json()["@odata.deltaLink"]
    assert http.get(link).status_code == 200
    assert httpx.post(f"{simulator.url}/_simulator/contoso/deltas", json=body).status_code == 200
    assert http.get(link).status_code == status


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "nobody/scope_tags/1", {}, 400),
        ("PUT", "contoso/nonsense/1", {}, 400),
        ("PUT", "contoso/scope_tags/1", [1], 400),
        ("PUT", "contoso/permissions", [1], 400),
        ("PUT", "contoso/permissions", {}, 400),
        ("PUT", "contoso/protected", ["nonsense"], 400),
        ("POST", "contoso/deltas", {"status": 404}, 400),
        ("POST", "contoso/deltas", [410], 400),
        ("POST", "contoso/deltas", {"code": 410}, 400),
        ("POST", "contoso/approvals/a1", {"status": "approved"}, 400),
        ("PUT", "contoso/device_code", {"answers": "success"}, 400),
        ("PUT", "contoso/device_code", {"interval": -1}, 400),
        ("PUT", "contoso/device_code", {"nonsense": 1}, 400),
        ("POST", "contoso/nonsense", {}, 404),
        ("PATCH", "contoso/scope_tags/1", {}, 404),
        ("GET", "faults", None, 404),
        ("GET", "", None, 404),
    ],
)
def test_a_control_that_cannot_be_is_refused(
    simulator: Simulator, method: str, path: str, body: object, status: int
) -> None:
    before = simulator.tenant("contoso").sequence
    assert httpx.request(method, f"{simulator.url}/_simulator/{path}", json=body).status_code == status
    assert simulator.tenant("contoso").sequence == before
    assert simulator.tenant("contoso").delta_epoch == 0
    assert simulator.tenant("contoso").granted is None


@pytest.mark.parametrize(
    "wrong",
    [{"path": 5}, {"slow": True}, {"status": 7}, {"count": -1}, {"retry_after": "a\r\nb: c"}, {"after": "x"}, [1]],
)
def test_a_fault_that_cannot_be_is_refused(simulator: Simulator, wrong: object) -> None:
    assert httpx.post(f"{simulator.url}/_simulator/faults", json=wrong).status_code == 400
    assert httpx.get(f"{simulator.url}/_simulator/requests").status_code == 200


def test_nonsense_is_answered_and_the_connection_lives(simulator: Simulator) -> None:
    simulator.tokens["t"] = simulator.tenant("contoso")
    with httpx.Client(base_url=simulator.url, headers={"Authorization": "Bearer t"}) as http:
        assert http.get("/beta/deviceManagement/configurationPolicies?$top=x").status_code == 400
        assert http.post("/x/oauth2/v2.0/token", content=b"\xff").status_code == 400
        assert http.get("/v1.0/deviceManagement/configurationPolicies").status_code == 404
        assert http.get("/beta/deviceManagement/configurationPolicies?$skiptoken=-5").status_code == 400
        page = http.get("/beta/deviceManagement/configurationPolicies?$top=2").json()["value"]
        there = simulator.tenant("contoso").listed("configuration_policies")[:2]
        assert [policy["id"] for policy in page] == [policy["id"] for policy in there]


def test_the_program_serves_until_its_input_closes() -> None:
    command = [sys.executable, "-m", "tasks.graph.simulator"]
    command += ["--tenant", "contoso=seed:7,policies:9", "--until-stdin-closes"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdin
        ready = json.loads(process.stdout.readline())
        assert httpx.get(f"{ready['url']}/_simulator/requests").json() == []
        process.stdin.close()
        assert process.wait(HANG) == 0


def test_a_tenant_is_made_as_its_argument_says() -> None:
    tenant = parse_tenant("contoso=seed:7,policies:30,groups:9,cloud:gcc_high").tenant
    assert tenant.objects == synthetic("contoso", 7, 30, groups=9).objects
    assert tenant.cloud == "gcc_high"
    assert len(parse_tenant("contoso=").tenant.listed("groups")) == GROUPS


@pytest.fixture
def signals_as_they_were() -> Iterator[None]:
    """The program listens to them."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--tenant", "=seed:7"],
        ["--tenant", "contoso=seeds:7"],
        ["--tenant", "contoso=seed:x"],
        ["--tenant", "contoso=policies:-1"],
        ["--tenant", "contoso=groups:-1"],
        ["--tenant", "contoso=cloud:moon"],
        ["--tenant", "Not a slug=seed:7"],
        ["--tenant", "c=folder:/nowhere/at/all"],
        ["--tenant", "a=", "--tenant", "a="],
        ["--port", "99999"],
        ["--port", "x"],
        ["--page-size", "0"],
        ["--fault", '{"path": 5}'],
        ["--nonsense"],
    ],
)
@pytest.mark.usefixtures("signals_as_they_were")
def test_the_program_refuses_nonsense_in_one_line(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["simulator", *arguments])
    with pytest.raises(SystemExit) as left:
        sys.exit(main())
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("simulator: ")
    assert said.count("\n") == 1
