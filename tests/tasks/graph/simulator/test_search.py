"""Searching groups in the simulator, as unkind as Graph is."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tasks.graph.simulator import Fault, SimulatedTenant, Simulator

HEADERS = {"Authorization": "Bearer t", "ConsistencyLevel": "eventual"}
PREFER = {"Prefer": "legacySearch=false"}


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    tenant = SimulatedTenant("contoso")
    tenant.put("groups", {"displayName": 'The "inner" circle & friends'})
    with Simulator([tenant]) as running:
        running.tokens["t"] = tenant
        yield running


def ask(simulator: Simulator, search: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{simulator.url}/v1.0/groups", params={"$search": search}, headers={**HEADERS, **headers})


@pytest.mark.parametrize(
    ("search", "many"),
    [
        ('"displayName:circ"', 1),
        ('"displayName:friends inn"', 1),
        ('"displayName:\\"inner\\""', 1),
        ('"displayName:\\\\"', 1),  # no word is in every name
        ('"displayName:ircle"', 0),
    ],
)
def test_a_clause_is_words_that_begin_so(simulator: Simulator, search: str, many: int) -> None:
    assert len(ask(simulator, search).json()["value"]) == many


@pytest.mark.parametrize(
    "search", ["displayName:x", '"displayName:a"b"', '"displayName:a\\"', '"displayName:\\a"', '"x"']
)
def test_what_is_no_clause_is_refused(simulator: Simulator, search: str) -> None:
    assert ask(simulator, search).status_code == 400


def test_an_ampersand_needs_the_newer_search(simulator: Simulator) -> None:
    assert ask(simulator, '"displayName:& friends"').status_code == 400
    assert len(ask(simulator, '"displayName:& friends"', **PREFER).json()["value"]) == 1


def test_a_search_needs_eventual_consistency(simulator: Simulator) -> None:
    assert ask(simulator, '"displayName:circ"', ConsistencyLevel="").status_code == 400


def test_tokens_end_early_and_conditional_access_asks_for_more(simulator: Simulator) -> None:
    simulator.faults.add(Fault("/groups", status=401, code="insufficient_claims"))
    assert 'claims="' in ask(simulator, '"displayName:circ"').headers["www-authenticate"]
    assert ask(simulator, '"displayName:circ"').status_code == 200
    simulator.sign_in.end_tokens("fabrikam")
    assert ask(simulator, '"displayName:circ"').status_code == 200
    simulator.sign_in.end_tokens("contoso")
    answer = ask(simulator, '"displayName:circ"')
    assert (answer.status_code, "www-authenticate" in answer.headers) == (401, False)
