"""Multi Admin Approval: what a protected kind answers to writes, over real HTTP."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tasks.graph.simulator import SimulatedTenant, Simulator

SCRIPTS = "/beta/deviceManagement/deviceManagementScripts"
ASKED = "/beta/deviceManagement/operationApprovalRequests"
BODY = {"displayName": "New", "scriptContent": "eA==", "fileName": "new.ps1"}


def justified(text: str = "Ticket 7: für Zürich") -> dict[str, str]:
    return {"x-msft-approval-justification": base64.b64encode(text.encode()).decode()}


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator([SimulatedTenant("contoso", protected={"scripts"})]) as running:
        running.tokens["t"] = running.tenant("contoso")
        running.tenant("contoso").put("scripts", {"id": "s1", "displayName": "Old"})
        yield running


@pytest.fixture
def http(simulator: Simulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=simulator.url, headers={"Authorization": "Bearer t"}) as client:
        yield client


def names(simulator: Simulator) -> list[str]:
    return [item["displayName"] for item in simulator.tenant("contoso").listed("scripts")]


def ask(http: httpx.Client) -> str:
    """The code under which a POST waits."""
    answer = http.post(SCRIPTS, json=BODY, headers=justified())
    assert answer.status_code == 412, answer.text
    assert answer.json()["error"]["code"] == "BadRequest"
    return answer.headers["x-msft-approval-code"]


def decide(http: httpx.Client, code: str, status: str = "approved") -> int:
    return http.post(f"/_simulator/contoso/approvals/{code}", json={"status": status}).status_code


def replay(http: httpx.Client, code: str, body: dict[str, Any] = BODY) -> int:
    return http.post(SCRIPTS, json=body, headers={"x-msft-approval-code": code}).status_code


@pytest.mark.parametrize(
    ("method", "path"), [("POST", ""), ("PATCH", "/s1"), ("DELETE", "/s1"), ("POST", "/s1/assign")]
)
def test_a_write_without_the_header_is_refused_by_its_name(
    simulator: Simulator, http: httpx.Client, method: str, path: str
) -> None:
    answer = http.request(method, SCRIPTS + path, json=BODY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")
    assert "x-msft-approval-justification" in answer.json()["error"]["message"]
    assert names(simulator) == ["Old"]
    assert http.get(ASKED).json()["value"] == []


def test_other_kinds_and_reads_are_not_touched(http: httpx.Client) -> None:
    assert http.get(f"{SCRIPTS}/s1").status_code == 200
    tag = {"displayName": "Tag"}
    assert http.post("/beta/deviceManagement/roleScopeTags", json=tag, headers=justified()).status_code == 201


@pytest.mark.parametrize(
    "value", ["", "not base64!", "//79", base64.b64encode(b"x" * 1025).decode(), base64.b64encode(b" ").decode()]
)
def test_a_justification_that_is_none_is_refused(simulator: Simulator, http: httpx.Client, value: str) -> None:
    answer = http.post(SCRIPTS, json=BODY, headers={"x-msft-approval-justification": value})
    assert answer.status_code == 400
    assert names(simulator) == ["Old"]


def test_a_long_justification_counts_as_decoded(http: httpx.Client) -> None:
    assert http.post(SCRIPTS, json=BODY, headers=justified("ü" * 1024)).status_code == 412


def test_a_justified_write_waits_and_is_listed(simulator: Simulator, http: httpx.Client) -> None:
    code = ask(http)
    assert names(simulator) == ["Old"]
    (asked,) = http.get(ASKED).json()["value"]
    assert (asked["id"], asked["status"]) == (code, "needsApproval")
    assert asked["requestJustification"] == "Ticket 7: für Zürich"
    decide(http, code, "rejected")
    assert http.get(f"{ASKED}/{code}").json()["status"] == "rejected"
    assert http.get(f"{ASKED}/other").status_code == 404
    assert http.get(f"{ASKED}?$filter=status eq 'approved'").json()["value"] == []
    assert http.post(ASKED, json={}).status_code == 405
    assert http.get(ASKED.replace("beta", "v1.0")).status_code == 404


def test_who_may_not_read_rbac_may_not_list_them(simulator: Simulator, http: httpx.Client) -> None:
    simulator.tenant("contoso").granted = frozenset({"DeviceManagementScripts.ReadWrite.All"})
    ask(http)
    assert http.get(ASKED).status_code == 403
    simulator.tenant("contoso").granted = frozenset({"DeviceManagementRBAC.Read.All"})
    assert http.get(ASKED).status_code == 200


def test_what_is_approved_is_carried_out_once(simulator: Simulator, http: httpx.Client) -> None:
    code = ask(http)
    assert decide(http, code) == 200
    assert replay(http, code.upper()) == 201
    assert replay(http, code) == 409
    assert names(simulator) == ["Old", "New"]


@pytest.mark.parametrize("status", ["needsApproval", "rejected", "cancelled", "expired"])
def test_what_is_not_approved_is_not_carried_out(simulator: Simulator, http: httpx.Client, status: str) -> None:
    code = ask(http)
    assert decide(http, code, status) == 200
    assert replay(http, code) == 409
    assert names(simulator) == ["Old"]


def test_a_code_is_good_for_the_request_that_was_approved_alone(simulator: Simulator, http: httpx.Client) -> None:
    code = ask(http)
    decide(http, code)
    assert decide(http, code, "nonsense") == 400
    header = {"x-msft-approval-code": code}
    assert replay(http, code, {**BODY, "displayName": "Other"}) == 400
    assert http.patch(f"{SCRIPTS}/s1", json=BODY, headers=header).status_code == 400
    assert http.post(f"{SCRIPTS}?x=1", json=BODY, headers=header).status_code == 400
    assert replay(http, "00000000-0000-0000-0000-000000000000") == 400
    assert names(simulator) == ["Old"]
    assert replay(http, code) == 201


def test_a_write_that_is_refused_for_itself_does_not_use_the_code_up(simulator: Simulator, http: httpx.Client) -> None:
    answer = http.delete(f"{SCRIPTS}/s2", headers=justified())
    code = answer.headers["x-msft-approval-code"]
    decide(http, code)
    assert http.delete(f"{SCRIPTS}/s2", headers={"x-msft-approval-code": code}).status_code == 404
    simulator.tenant("contoso").put("scripts", {"id": "s2", "displayName": "Late"})
    assert http.delete(f"{SCRIPTS}/s2", headers={"x-msft-approval-code": code}).status_code == 204
    assert names(simulator) == ["Old"]


def test_an_item_of_a_batch_waits_like_any_other(simulator: Simulator, http: httpx.Client) -> None:
    def send(**headers: str) -> dict[str, Any]:
        item = {"id": "1", "method": "POST", "url": SCRIPTS.removeprefix("/beta"), "body": BODY}
        whole = {**item, "headers": {"Content-Type": "application/json", **headers}}
        (answer,) = http.post("/beta/$batch", json={"requests": [whole]}).json()["responses"]
        return dict(answer)

    assert send()["status"] == 400
    waits = send(**justified())
    assert waits["status"] == 412
    code = waits["headers"]["x-msft-approval-code"]
    decide(http, code)
    assert send(**{"x-msft-approval-code": code})["status"] == 201
    assert names(simulator) == ["Old", "New"]


def test_kinds_are_protected_over_http(simulator: Simulator, http: httpx.Client) -> None:
    assert http.put("/_simulator/contoso/protected", json=["scope_tags"]).status_code == 200
    assert http.post(SCRIPTS, json=BODY).status_code == 201
    assert http.post("/beta/deviceManagement/roleScopeTags", json={"displayName": "Tag"}).status_code == 400
    assert simulator.tenant("contoso").listed("scope_tags") == []
