"""The Graph client against the simulator, over real HTTP."""

from __future__ import annotations

import base64
import datetime as dt
import email.utils
import random
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import OperationFailed
from tasks.graph.answers import ApprovalRequired, OutcomeUnknown, refusal
from tasks.graph.auth import AppCredentials, AppToken
from tasks.graph.client import GraphClient, RetryLimits
from tasks.graph.resources import KINDS
from tasks.graph.simulator import CLIENT_ID, Fault, Simulator, directory_id, reading, secret, synthetic
from tests.support.properties import examples
from tests.tasks.graph.conftest import there

PATH = "/deviceManagement/configurationPolicies"
Make = Callable[..., GraphClient]


def ids(graph: GraphClient, path: str = PATH) -> list[str]:
    return [item["id"] for page in graph.pages(path) for item in page]


def test_every_page_is_read_once(simulator: Simulator, client: Make) -> None:
    graph = client()
    for kind in KINDS:
        assert ids(graph, kind.path) == there(simulator, kind.name)
    assert len(there(simulator)) > 2 * simulator.page_size, "the test wants several pages"


FAULTS = st.builds(
    Fault,
    path=st.just(PATH),
    status=st.sampled_from([0, 200, 408, 429, 500, 503, 504]),
    retry_after=st.sampled_from([None, "0", "3", "soon"]),
    break_off=st.booleans(),
    after=st.integers(0, 4),
    count=st.integers(1, 2),
)


@examples(20)
@given(faults=st.lists(FAULTS, max_size=3), page_size=st.sampled_from([1, 7, 20, 64, 1000]))
def test_whatever_breaks_on_the_way_nothing_is_lost_or_doubled(faults: list[Fault], page_size: int) -> None:
    with Simulator([synthetic("contoso", 7, 60)], page_size=page_size) as simulator:
        for fault in faults:
            simulator.faults.add(fault)
        token = AppToken(AppCredentials(directory_id("contoso"), CLIENT_ID, secret("contoso")), simulator.url)
        with GraphClient(simulator.url, token, sleep=lambda seconds: None) as graph:
            assert ids(graph) == there(simulator)
        token.close()


@pytest.mark.parametrize("given_wait", ["7", "http-date"])
def test_retry_after_is_honoured(simulator: Simulator, client: Make, slept: list[float], given_wait: str) -> None:
    until = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(seconds=59)
    if given_wait == "http-date":
        given_wait = email.utils.format_datetime(until, usegmt=True)
    simulator.faults.add(Fault(PATH, status=429, retry_after=given_wait))
    assert ids(client()) == there(simulator)
    (wait,) = slept
    assert wait == 7 if given_wait == "7" else (until - dt.datetime.now(dt.UTC)).total_seconds() <= wait <= 59


def test_without_retry_after_the_waits_grow_with_jitter(simulator: Simulator, client: Make, slept: list[float]) -> None:
    simulator.faults.add(Fault(PATH, status=429, count=5))
    assert ids(client(first_wait=1.0, longest_wait=8.0)) == there(simulator)
    assert len(slept) == len(set(slept)) == 5
    for wait, longest in zip(slept, [1, 2, 4, 8, 8], strict=True):
        assert 0 <= wait <= longest


def test_the_jitter_is_full(
    simulator: Simulator, client: Make, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[float, float]] = []

    def longest(low: float, high: float) -> float:
        asked.append((low, high))
        return high

    monkeypatch.setattr(random, "uniform", longest)
    simulator.faults.add(Fault(PATH, status=503, count=5))
    assert ids(client(first_wait=1.0, longest_wait=8.0)) == there(simulator)
    assert asked == [(0, 1), (0, 2), (0, 4), (0, 8), (0, 8)]
    assert slept == [1, 2, 4, 8, 8]


@pytest.mark.parametrize("given_wait", ["soon", "-5", "1e9", "Mon, 32 Foo 2020"])
def test_a_retry_after_that_makes_no_sense_is_as_good_as_none(
    simulator: Simulator, client: Make, slept: list[float], given_wait: str
) -> None:
    simulator.faults.add(Fault(PATH, status=429, retry_after=given_wait))
    assert ids(client()) == there(simulator)
    assert len(slept) == 1
    assert slept[0] <= 1


@pytest.mark.parametrize("given_wait", ["99999", "Fri, 31 Dec 9999 23:59:59 -1200"])
def test_a_retry_after_beyond_the_limit_is_not_waited_for(
    simulator: Simulator, client: Make, slept: list[float], given_wait: str
) -> None:
    simulator.faults.add(Fault(PATH, status=429, retry_after=given_wait))
    with pytest.raises(OperationFailed) as caught:
        ids(client())
    assert caught.value.failure_code == "graph.throttled"
    assert slept == []


def test_throttling_that_does_not_end_is_told_as_such(simulator: Simulator, client: Make, slept: list[float]) -> None:
    simulator.faults.add(Fault(PATH, status=429, count=None))
    with pytest.raises(OperationFailed) as caught:
        ids(client(attempts=4))
    assert caught.value.failure_code == "graph.throttled"
    assert len(slept) == 3


def test_the_sum_of_waits_is_bounded(simulator: Simulator, client: Make, slept: list[float]) -> None:
    simulator.faults.add(Fault(PATH, status=503, retry_after="40", count=None))
    with pytest.raises(OperationFailed) as caught:
        ids(client(total_wait=100))
    assert caught.value.failure_code == "graph.unavailable"
    assert sum(slept) == 80


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "operation.error"), (403, "graph.forbidden"), (404, "graph.not_found"), (503, "graph.unavailable")],
)
def test_errors_become_our_codes_and_never_show_graphs_blob(
    simulator: Simulator, client: Make, status: int, code: str
) -> None:
    simulator.faults.add(Fault(PATH, status=status, count=None))
    with pytest.raises(OperationFailed) as caught:
        ids(client(attempts=2))
    assert caught.value.failure_code == code
    assert str(status) in str(caught.value)
    for inside in ("manage.microsoft.com", "Operation ID", "{"):
        assert inside not in str(caught.value)


def test_a_token_that_ended_is_renewed_once(simulator: Simulator, client: Make) -> None:
    graph = client()
    pages = graph.pages(PATH)
    read = [item["id"] for item in next(pages)]
    simulator.tokens.clear()
    read += [item["id"] for page in pages for item in page]
    assert read == there(simulator)
    assert len(simulator.tokens) == 1


def test_a_new_token_that_is_refused_ends_it(simulator: Simulator, client: Make, slept: list[float]) -> None:
    simulator.faults.add(Fault(PATH, status=401, count=None))
    with pytest.raises(OperationFailed) as caught:
        ids(client())
    assert caught.value.failure_code == "graph.unauthorized"
    assert slept == []
    assert sum(path.startswith("/beta") for _, path, _ in simulator.requests) == 2


def test_a_server_that_is_not_there_is_unavailable(token: AppToken) -> None:
    token()
    slept: list[float] = []
    with (
        GraphClient("http://127.0.0.1:9", token, sleep=slept.append) as graph,
        pytest.raises(OperationFailed) as caught,
    ):
        ids(graph)
    assert caught.value.failure_code == "graph.unavailable"
    assert slept


def test_the_token_is_sent_to_graph_alone(simulator: Simulator, token: AppToken) -> None:
    with Simulator([], page_size=1) as other, GraphClient(simulator.url, token) as graph:
        with pytest.raises(OperationFailed):
            graph.link(other.url + "/beta/deviceManagement/configurationPolicies?$skiptoken=1")
        assert other.requests == []


def test_an_answer_without_its_list_never_passes_for_an_empty_collection(simulator: Simulator, client: Make) -> None:
    simulator.faults.add(Fault(PATH, status=200, after=1, count=2))
    assert ids(client()) == there(simulator)
    simulator.faults.add(Fault(PATH, status=200, count=None))
    with pytest.raises(OperationFailed, match="not whole") as caught:
        ids(client(attempts=3))
    assert caught.value.failure_code == "graph.unavailable"


@pytest.mark.parametrize("link", ["{self}", "http://[", "{host}/\a", "{host}/" + "x" * 70_000, "nowhere", 5])
def test_links_that_lead_nowhere_end_the_reading(
    simulator: Simulator, client: Make, monkeypatch: pytest.MonkeyPatch, link: object
) -> None:
    if isinstance(link, str):
        path = f"{simulator.url}/beta{PATH}"
        link = link.replace("{self}", path).replace("{host}", simulator.url)
    monkeypatch.setattr(reading, "_list", lambda *_: {"value": [{"id": "1"}], "@odata.nextLink": link})
    with pytest.raises(OperationFailed) as caught:
        ids(client())
    assert caught.value.failure_code == "graph.unavailable"
    assert len(str(caught.value)) < 100


def test_a_proxy_is_not_asked_the_way_to_this_machine(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    token = AppToken(AppCredentials(directory_id("contoso"), CLIENT_ID, secret("contoso")), simulator.url)
    with GraphClient(simulator.url, token) as graph:
        assert ids(graph) == there(simulator)
    token.close()


def test_a_sleep_that_ends_the_run_ends_the_call(simulator: Simulator, token: AppToken) -> None:
    class RunIsOver(Exception):
        pass

    def sleep(seconds: float) -> None:
        raise RunIsOver

    simulator.faults.add(Fault(PATH, status=429, retry_after="60"))
    with GraphClient(simulator.url, token, sleep=sleep) as graph, pytest.raises(RunIsOver):
        ids(graph)


# ---- writing

POLICY = {"name": "New", "platforms": "windows10", "technologies": "mdm", "settings": [{"settingInstance": {}}]}


def named(simulator: Simulator, name: str) -> int:
    return sum(one.get("name") == name for one in simulator.tenant("contoso").listed("configuration_policies"))


@pytest.mark.parametrize("status", [429, 503])
def test_a_post_that_was_refused_is_sent_again(
    simulator: Simulator, client: Make, slept: list[float], status: int
) -> None:
    simulator.faults.add(Fault(PATH, method="POST", status=status, retry_after="7"))
    answer = client().write("POST", PATH, POLICY)
    assert answer["name"] == "New"
    assert named(simulator, "New") == 1
    assert slept == [7]


@pytest.mark.parametrize(
    "fault",
    [
        {"break_off": True},
        {"status": 500},
        {"status": 502},
        {"status": 504},
        {"status": 408},
    ],
)
def test_a_post_whose_answer_was_lost_is_not_sent_again(
    simulator: Simulator, client: Make, slept: list[float], fault: dict[str, Any]
) -> None:
    simulator.faults.add(Fault(PATH, method="POST", **fault))
    with pytest.raises(OutcomeUnknown) as caught:
        client().write("POST", PATH, POLICY)
    assert caught.value.failure_code == "graph.unknown"
    assert named(simulator, "New") == (1 if "break_off" in fault else 0)
    assert sum(method == "POST" and path.endswith("Policies") for method, path, _ in simulator.requests) == 1
    assert slept == []


def test_what_may_be_repeated_is(simulator: Simulator, client: Make) -> None:
    graph = client()
    id_ = there(simulator)[0]
    for method, path, body, repeatable in (
        ("PUT", f"{PATH}/{id_}", {**POLICY, "name": "Put"}, None),
        ("PATCH", f"{PATH}/{id_}", {"name": "Patched"}, None),
        ("POST", f"{PATH}/{id_}/assign", {"assignments": []}, True),
    ):
        simulator.faults.add(Fault(PATH, method=method, break_off=True))
        simulator.faults.add(Fault(PATH, method=method, status=504))
        graph.write(method, path, body, repeatable=repeatable)  # type: ignore[arg-type]
    assert named(simulator, "Patched") == 1


def test_a_server_that_is_not_there_was_sent_nothing(token: AppToken) -> None:
    token()
    slept: list[float] = []
    limits = RetryLimits(attempts=3)
    with (
        GraphClient("http://127.0.0.1:9", token, sleep=slept.append, limits=limits) as graph,
        pytest.raises(OperationFailed) as caught,
    ):
        graph.write("POST", PATH, POLICY)
    assert caught.value.failure_code == "graph.unavailable"
    assert len(slept) == 2


def test_an_approval_that_is_waited_for_is_an_answer_of_its_own() -> None:
    answer = refusal(412, {"X-MSFT-Approval-Code": "a1"}, {"error": {"code": "BadRequest"}})
    failure = answer.failure(repeatable=False)
    assert isinstance(failure, ApprovalRequired)
    assert failure.approval_code == "a1"
    assert not answer.may_repeat(True)
    assert not isinstance(refusal(412, {}, None).failure(), ApprovalRequired)


def test_a_403_names_the_permission_of_our_table(simulator: Simulator, client: Make) -> None:
    simulator.tenant("contoso").granted = frozenset({"DeviceManagementConfiguration.Read.All"})
    graph = client()
    for path, permission in (
        ("/deviceManagement/deviceShellScripts", "DeviceManagementScripts.Read.All"),
        ("/deviceAppManagement/mobileApps", "DeviceManagementApps.Read.All"),
    ):
        with pytest.raises(OperationFailed, match=permission) as caught:
            ids(graph, path)
        assert caught.value.failure_code == "graph.forbidden"
        assert "scopes" not in str(caught.value)
    with pytest.raises(OperationFailed, match=r"DeviceManagementConfiguration\.ReadWrite\.All"):
        graph.write("POST", PATH, POLICY)


def test_writes_and_reads_have_budgets_of_their_own(simulator: Simulator, token: AppToken) -> None:
    slept: list[float] = []

    class Enough(Exception):
        pass

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        raise Enough

    limits = RetryLimits(reads=3, writes=2)
    id_ = there(simulator)[0]
    with GraphClient(simulator.url, token, limits=limits, sleep=sleep) as graph:
        for number in range(2):
            graph.write("PATCH", f"{PATH}/{id_}", {"description": str(number)})
        for _ in range(3):
            graph.get(f"{PATH}/{id_}")
        with pytest.raises(Enough):
            graph.write("PATCH", f"{PATH}/{id_}", {"description": "x"})
        with pytest.raises(Enough):
            graph.get(f"{PATH}/{id_}")
    assert len(slept) == 2
    assert all(0 < wait <= 20 for wait in slept)


def test_a_change_that_waits_for_a_person_is_sent_again_with_its_code(simulator: Simulator, client: Make) -> None:
    tenant = simulator.tenant("contoso")
    tenant.protected = {"configuration_policies"}
    graph = client()
    with pytest.raises(OperationFailed, match="400"):
        graph.write("POST", PATH, POLICY)
    reason = {"x-msft-approval-justification": base64.b64encode("Für Berlin".encode()).decode()}
    with pytest.raises(ApprovalRequired) as caught:
        graph.write("POST", PATH, POLICY, headers=reason)
    assert named(simulator, "New") == 0
    code = caught.value.approval_code
    with pytest.raises(OperationFailed):
        graph.write("POST", PATH, POLICY, headers={"x-msft-approval-code": code})
    httpx.post(f"{simulator.url}/_simulator/contoso/approvals/{code}", json={"status": "approved"})
    assert graph.write("POST", PATH, POLICY, headers={"x-msft-approval-code": code})["name"] == "New"
    assert named(simulator, "New") == 1
