"""Delta rounds of groups, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from store.errors import OperationFailed
from tasks.graph.answers import SyncExpired
from tasks.graph.client import GraphClient
from tasks.graph.delta import DeltaRound
from tasks.graph.simulator import Fault, Simulator

Make = Callable[..., GraphClient]
PATH = "/groups/delta"
SELECT = {"$select": "id,displayName"}


@pytest.fixture
def groups(simulator: Simulator) -> Simulator:
    tenant = simulator.tenant("contoso")
    tenant.objects["groups"].clear()
    for number in range(90):
        tenant.put("groups", {"id": f"g{number}", "displayName": f"Group {number} ", "members": [{"id": "u1"}]})
    return simulator


def read(graph: GraphClient, link: str = "", select: dict[str, str] | None = None) -> tuple[list[dict[str, Any]], str]:
    round_ = DeltaRound(graph, PATH, SELECT if select is None else select, link)
    return [one for page in round_.pages() for one in page], round_.link


def test_the_first_round_brings_all_and_the_next_what_changed(groups: Simulator, client: Make) -> None:
    graph, tenant = client(), groups.tenant("contoso")
    first, link = read(graph)
    assert {one["id"] for one in first} == {f"g{number}" for number in range(90)}
    assert len(first) == 91, "one comes twice"
    assert {key for one in first for key in one} == {"id", "displayName"}
    assert read(graph, link)[0] == []
    tenant.put("groups", {"id": "g1", "displayName": "Neu "})
    tenant.delete("groups", "g2", "changed")
    tenant.delete("groups", "g3")
    changed, later = read(graph, link)
    assert changed == [
        {"id": "g1", "displayName": "Neu "},
        {"id": "g2", "@removed": {"reason": "changed"}},
        {"id": "g3", "@removed": {"reason": "deleted"}},
        {"id": "g1", "displayName": "Neu "},
    ]
    assert read(graph, later)[0] == []
    assert read(graph, link)[0] == changed, "a link can be used again"


def test_without_select_the_members_come_along(groups: Simulator, client: Make) -> None:
    first, _ = read(client(), select={})
    assert first[0]["members@delta"] == [{"id": "u1"}]


@pytest.mark.parametrize("status", [400, 410])
def test_a_link_that_ended_is_told_apart(groups: Simulator, client: Make, status: int) -> None:
    graph = client()
    _, link = read(graph)
    groups.tenant("contoso").end_deltas(status)
    with pytest.raises(SyncExpired):
        read(graph, link)
    assert len(read(graph)[0]) == 91


def test_a_link_to_elsewhere_is_not_followed(groups: Simulator, client: Make) -> None:
    with pytest.raises(OperationFailed, match="another host"):
        read(client(), "https://example.com/v1.0/groups/delta?$deltatoken=x")


def test_an_answer_that_leads_no_further_is_not_the_end(
    groups: Simulator, client: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round that breaks off in the middle must not pass for a whole one."""
    groups.faults.add(Fault(PATH, break_off=True, after=2, count=2))
    first, link = read(client())
    assert len(first) == 91
    assert link
    groups.faults.add(Fault(PATH, status=200, after=1, count=None))  # a body without value and links
    with pytest.raises(OperationFailed, match="not whole"):
        read(client(attempts=2))


@pytest.mark.parametrize("query", ["$top=5", "$orderby=displayName", "$expand=members", "$deltatoken=nonsense"])
def test_what_a_delta_does_not_take_is_refused(groups: Simulator, client: Make, query: str) -> None:
    with pytest.raises(OperationFailed, match="400"):
        client().get(f"{PATH}?{query}")


def test_a_list_of_groups_is_searched_with_its_header_only(groups: Simulator, client: Make) -> None:
    graph = client()
    assert [one["id"] for page in graph.pages("/groups", {"$filter": "displayName eq 'Group 7 '"}) for one in page] == [
        "g7"
    ]
    with pytest.raises(OperationFailed, match="400"):
        graph.get("/groups", {"$search": '"displayName:Group 7"'})
    found = graph.write("POST", "/directoryObjects/getByIds", {"ids": ["g1", "nobody"], "types": ["group"]})
    assert [one["id"] for one in found["value"]] == ["g1"]
