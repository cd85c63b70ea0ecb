"""Reading in batches, over real HTTP: each item is throttled, refused and paged by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import OperationFailed
from tasks.graph import batch
from tasks.graph.batch import Reading
from tasks.graph.client import GraphClient, RetryLimits
from tasks.graph.simulator import Fault, SimulatedTenant, Simulator
from tests.support.properties import examples
from tests.tasks.graph.conftest import there

Make = Callable[..., GraphClient]
CATALOG = "/deviceManagement/configurationPolicies"


def read(graph: GraphClient, readings: Iterable[Reading]) -> dict[Any, dict[str, Any] | OperationFailed]:
    found: dict[Any, dict[str, Any] | OperationFailed] = {}
    for reading, answer in batch.read(graph, readings):
        assert reading.key not in found, "an answer was doubled"
        found[reading.key] = answer
    return found


def batches(simulator: Simulator) -> int:
    return sum(path.endswith("$batch") for _, path, _ in simulator.requests)


def settings_of(simulator: Simulator) -> dict[str, int]:
    return {one["id"]: len(one["settings"]) for one in simulator.tenant("contoso").listed("configuration_policies")}


def test_twenty_are_asked_at_once_and_every_page_of_each_is_read(simulator: Simulator, client: Make) -> None:
    wanted = settings_of(simulator)
    assert any(number > 25 for number in wanted.values()), "the test wants several pages"
    found = read(client(), [Reading(id_, f"{CATALOG}/{id_}/settings", collection=True) for id_ in wanted])
    assert {id_: len(body["value"]) for id_, body in found.items() if isinstance(body, dict)} == wanted
    pages = sum((number + 24) // 25 for number in wanted.values())
    assert batches(simulator) <= pages // 20 + 3


def test_61_settings_are_61_also_when_the_second_page_is_throttled(client: Make, simulator: Simulator) -> None:
    settings = [{"id": str(number)} for number in range(61)]
    simulator.tenant("contoso").put("configuration_policies", {"id": "p1", "name": "x", "settings": settings})
    simulator.faults.add(Fault("/p1/settings", query="skiptoken", status=429))
    graph = client()
    (answer,) = read(graph, [Reading("p1", f"{CATALOG}/p1/settings", collection=True)]).values()
    assert isinstance(answer, dict)
    assert [one["id"] for one in answer["value"]] == [one["id"] for one in settings]
    alone = [one["id"] for page in graph.pages(f"{CATALOG}/p1/settings") for one in page]
    assert alone == [one["id"] for one in settings]


def test_only_what_was_throttled_is_asked_again_and_never_sooner_than_told(
    simulator: Simulator, client: Make, slept: list[float]
) -> None:
    ids = list(settings_of(simulator))[:20]
    for id_ in ids[:3]:
        simulator.faults.add(Fault(f"/{id_}", status=429))
    simulator.faults.add(Fault(f"/{ids[3]}", status=429, retry_after="12"))
    simulator.faults.add(Fault(f"/{ids[4]}", status=503, count=2))
    found = read(client(first_wait=1.0), [Reading(id_, f"{CATALOG}/{id_}") for id_ in ids])
    assert all(isinstance(answer, dict) and answer["id"] == id_ for id_, answer in found.items())
    assert set(found) == set(ids)
    assert batches(simulator) == 3
    assert slept[0] == 12
    assert 0 <= slept[1] <= 2


def test_one_item_that_is_refused_is_that_items_failure(simulator: Simulator, client: Make) -> None:
    ids = list(settings_of(simulator))[:3]
    simulator.faults.add(Fault(f"/{ids[1]}", status=403, count=None))
    found = read(client(), [Reading(id_, f"{CATALOG}/{id_}") for id_ in [*ids, "nobody"]])
    assert isinstance(found[ids[0]], dict)
    assert isinstance(found[ids[2]], dict)
    for key, code in ((ids[1], "graph.forbidden"), ("nobody", "graph.not_found")):
        failure = found[key]
        assert isinstance(failure, OperationFailed)
        assert failure.failure_code == code
    assert "DeviceManagementConfiguration.Read.All" in str(found[ids[1]])


def test_throttling_that_does_not_end_fails_the_items_it_concerns(simulator: Simulator, client: Make) -> None:
    ids = list(settings_of(simulator))[:3]
    simulator.faults.add(Fault(f"/{ids[1]}", status=429, count=None))
    found = read(client(attempts=3), [Reading(id_, f"{CATALOG}/{id_}") for id_ in ids])
    failure = found[ids[1]]
    assert isinstance(failure, OperationFailed)
    assert failure.failure_code == "graph.throttled"
    assert batches(simulator) == 3
    assert sum(isinstance(answer, dict) for answer in found.values()) == 2


def test_versions_go_into_batches_of_their_own(simulator: Simulator, client: Make) -> None:
    simulator.tenant("contoso").put("groups", {"id": "g1", "displayName": "Sales "})
    id_ = next(iter(settings_of(simulator)))
    found = read(client(), [Reading("group", "/groups/g1"), Reading("policy", f"{CATALOG}/{id_}")])
    assert all(isinstance(answer, dict) for answer in found.values())
    paths = sorted(path for _, path, _ in simulator.requests if path.endswith("$batch"))
    assert paths == ["/beta/$batch", "/v1.0/$batch"]


def test_a_batch_that_is_refused_as_a_whole_is_an_error(simulator: Simulator, client: Make) -> None:
    simulator.faults.add(Fault("$batch", status=403, count=None))
    with pytest.raises(OperationFailed) as caught:
        read(client(), [Reading("x", f"{CATALOG}/x")])
    assert caught.value.failure_code == "graph.forbidden"


FAULTS = st.builds(
    Fault,
    path=st.sampled_from(["$batch", "/settings", CATALOG]),
    status=st.sampled_from([0, 429, 500, 503, 504]),
    retry_after=st.sampled_from([None, "0", "3"]),
    break_off=st.booleans(),
    after=st.integers(0, 25),
    count=st.integers(1, 3),
)


@examples(15)
@given(faults=st.lists(FAULTS, max_size=3), sizes=st.lists(st.integers(0, 60), min_size=1, max_size=30))
def test_whatever_breaks_on_the_way_every_item_is_whole_or_failed(faults: list[Fault], sizes: list[int]) -> None:
    tenant = SimulatedTenant("contoso")
    for number, size in enumerate(sizes):
        settings = [{"id": str(one)} for one in range(size)]
        tenant.put("configuration_policies", {"id": str(number), "name": "x", "settings": settings})
    with Simulator([tenant]) as simulator:
        simulator.tokens["t"] = tenant
        for fault in faults:
            simulator.faults.add(fault)
        readings = [Reading(number, f"{CATALOG}/{number}/settings", collection=True) for number in range(len(sizes))]
        limits = RetryLimits(attempts=12, reads=100_000)
        with GraphClient(simulator.url, lambda force=False: "t", limits=limits, sleep=lambda seconds: None) as graph:
            found = read(graph, readings)
    assert {number: len(body["value"]) for number, body in found.items() if isinstance(body, dict)} == dict(
        enumerate(sizes)
    )


def test_what_is_read_is_what_the_list_has(simulator: Simulator, client: Make) -> None:
    readings = [Reading(id_, f"{CATALOG}/{id_}") for id_ in there(simulator)]
    assert sorted(read(client(), readings)) == sorted(there(simulator))
