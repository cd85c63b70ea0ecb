"""The simulator itself: what it holds, how it is controlled, and the program that it is."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from tasks.graph.resources import KINDS
from tasks.graph.simulator import SimulatedTenant, Simulator, synthetic
from tasks.graph.simulator.__main__ import main
from tests.support.waiting import HANG


def test_a_seed_makes_the_same_tenant_again() -> None:
    first, second = synthetic("contoso", 7, 100), synthetic("contoso", 7, 100)
    assert first.objects == second.objects
    assert sum(map(len, first.objects.values())) == 100
    assert all(first.objects[kind.name] for kind in KINDS)
    assert synthetic("contoso", 8, 100).objects != first.objects


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
