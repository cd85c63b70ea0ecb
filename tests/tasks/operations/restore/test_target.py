"""The target tenant as a restore reads it: how often, and how much it costs to find something in it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest

from store.intune.backup_records import BackupItem
from store.intune.restore_records import Restore, RestoreItem, Work, WorkItem
from tasks.graph.auth import AppCredentials, AppToken
from tasks.graph.client import GraphClient
from tasks.graph.resource import GraphResource
from tasks.graph.resources import BY_NAME
from tasks.graph.simulator import CLIENT_ID, SimulatedTenant, Simulator, directory_id, secret
from tasks.operations.restore import matching, resolving
from tasks.operations.restore.matching import Match
from tasks.operations.restore.target import Target
from tests.tasks.operations.restore.conftest import settings_policy

CATALOG = BY_NAME["configuration_policies"]


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator([SimulatedTenant("fabrikam")], page_size=20) as simulator:
        yield simulator


@pytest.fixture
def graph(simulator: Simulator) -> Iterator[GraphClient]:
    token = AppToken(AppCredentials(directory_id("fabrikam"), CLIENT_ID, secret("fabrikam")), simulator.url)
    with closing(token), GraphClient(simulator.url, token) as graph:
        yield graph


def reads(simulator: Simulator) -> int:
    return sum("configurationPolicies" in path for _, path, _ in simulator.requests)


@pytest.mark.parametrize(("seconds", "reads_of_ten"), [(1.0, 1), (30.0, 2)])
def test_a_list_that_is_slow_is_not_read_for_every_object(
    simulator: Simulator, graph: GraphClient, seconds: float, reads_of_ten: int
) -> None:
    """The clock goes on by so many seconds each time that somebody looks at it: so a list takes as long."""
    simulator.tenant("fabrikam").put(CATALOG.name, dict(settings_policy("A")))
    ticks = itertools.count()
    target = Target(graph, clock=lambda: next(ticks) * seconds)
    for _ in range(10):
        assert [one["name"] for one in target.listed(CATALOG, fresh=True)] == ["A"]
    assert reads(simulator) == reads_of_ten


def test_objects_are_found_by_name_and_by_id(simulator: Simulator, graph: GraphClient) -> None:
    tenant = simulator.tenant("fabrikam")
    ids = [tenant.put(CATALOG.name, dict(settings_policy(name))) for name in ("A", "a", "A")]
    target = Target(graph)
    assert sorted(str(one["id"]) for one in target.named(CATALOG, "A")) == sorted([ids[0], ids[2]])
    assert target.named(CATALOG, "B") == []
    assert target.with_id(CATALOG, ids[1].upper()) == target.named(CATALOG, "a")[0]
    assert target.with_id(CATALOG, "nobody") is None


def test_to_find_many_items_among_many_objects_each_item_is_compared_with_its_namesakes_alone(
    simulator: Simulator, graph: GraphClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"Policy {number}" for number in range(60)]
    for name in names:
        simulator.tenant("fabrikam").put(CATALOG.name, dict(settings_policy(name)))
    compared: list[int] = []

    def match(kind: GraphResource, name: str, id_: str, body: Any, candidates: Sequence[Any], **more: Any) -> Match:
        compared.append(len(candidates))
        return matching.match(kind, name, id_, body, candidates, **more)

    monkeypatch.setattr(resolving, "match", match)
    resolver = resolving.Resolver(work(names), Target(graph), previewing=True)
    assert {one.state for one in resolver.matches.values()} == {"found"}
    assert compared == [1] * len(names)


def work(names: Sequence[str]) -> Work:
    """A restore of policies with these names from another tenant."""
    items = []
    for number, name in enumerate(names):
        backup = BackupItem(CATALOG.name, f"s{number}", name, None, dict(settings_policy(name)), "", "", [], "")
        values: dict[str, Any] = dict.fromkeys(RestoreItem.__dataclass_fields__)
        values |= {"id": number, "kind": CATALOG.name, "external_id": f"s{number}", "name": name}
        values |= {"plan": {}, "choice": {}, "intent": {}}
        items.append(WorkItem(RestoreItem(**values), backup))
    columns: dict[str, Any] = dict.fromkeys(Restore.__dataclass_fields__)
    columns |= {"tenant_id": 1, "source_tenant_id": 2, "mode": "create"}
    return Work(Restore(**columns), items, [])
