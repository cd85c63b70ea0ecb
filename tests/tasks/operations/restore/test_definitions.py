"""O20: values of administrative templates find the definitions of uploaded ADMX files in the target tenant."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tasks.graph.client import GraphClient, RetryLimits
from tasks.graph.recreate import creation
from tasks.graph.resources import BY_NAME
from tasks.graph.simulator import SimulatedTenant, Simulator
from tasks.operations.restore.definitions import ingested, rebind_definitions, wanted_presentations
from tests.tasks.operations.cases import Body, typed

HOME: Body = {
    "id": "d1",
    "classType": "user",
    "displayName": "Home page",
    "categoryPath": "\\Acme\\Browser",
    "policyType": "admxIngested",
}
MISSING = '"Home page" in "\\\\Acme\\\\Browser"'
BUILT_IN = {**HOME, "id": "b1", "policyType": "admxBacked"}
TEXT, BOX = "groupPolicyPresentationText", "groupPolicyPresentationTextBox"


def shown(label: str | None, id_: str, type_: str = BOX) -> Body:
    return typed(type_, id=id_, label=label)


def value(definition: Body, *presentations: Body | None, **more: Any) -> Body:
    values = [{"value": f"v{number}", "presentation": one} for number, one in enumerate(presentations)]
    return {"enabled": True, "definition": definition, "presentationValues": values, **more}


def template(*values: Any) -> Body:
    return {"displayName": "ADMX", "definitionValues": list(values)}


def rebound(body: Body, theirs: Sequence[Body], **presentations: Sequence[Body]) -> tuple[Body, list[str]]:
    before = copy.deepcopy(body)
    made = rebind_definitions(body, theirs, presentations)
    assert body == before
    return made


def ids(body: Body) -> list[tuple[str, list[Any]]]:
    """The id of the definition of each value, and those of its presentations."""
    return [
        (one["definition"]["id"], [(shown["presentation"] or {}).get("id") for shown in one["presentationValues"]])
        for one in body["definitionValues"]
    ]


def test_a_definition_of_an_uploaded_file_is_found_and_a_built_in_one_stays() -> None:
    body = template(value(BUILT_IN, shown("A", "p1")), value(HOME, shown("A", "p1"), shown("B", "p2")))
    theirs = [{**HOME, "id": "d6", "classType": "machine"}, {**HOME, "id": "d7"}, {**BUILT_IN, "id": "d8"}]
    theirs[2]["displayName"] = "Other"
    assert ingested(body)
    assert wanted_presentations(body, theirs) == ["d7"]
    made, missing = rebound(body, theirs, d7=[shown("B", "q2"), shown("A", "q1")])
    assert (ids(made), missing) == ([("b1", ["p1"]), ("d7", ["q1", "q2"])], [])
    assert made["definitionValues"][1]["definition"] == {**HOME, "id": "d7"}


def test_presentations_may_come_with_the_definition() -> None:
    made, missing = rebound(
        template(value(HOME, shown("A", "p1"))), [{**HOME, "id": "d7", "presentations": [shown("A", "q")]}]
    )
    assert (ids(made), missing) == ([("d7", ["q"])], [])


def test_in_the_same_tenant_nothing_changes() -> None:
    body = template(value(HOME, shown("A", "p1")))
    assert wanted_presentations(body, [HOME]) == []
    assert rebound(body, [HOME]) == (body, [])


def test_what_is_missing_is_named_once() -> None:
    body = template(value(HOME, shown("A", "p1")), value({**HOME, "id": "d2"}))
    assert rebound(body, []) == (body, [MISSING])
    assert rebound(body, [{**HOME, "id": "d7", "categoryPath": "\\Acme"}])[1] == [MISSING]
    twice = [{**HOME, "id": "d7"}, {**HOME, "id": "d8"}]
    assert rebound(body, twice)[1] == [f"{MISSING}: the target has 2 of that name: d7, d8"]
    assert wanted_presentations(body, twice) == []


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        # by label, and by type where a text stands above its box
        ([shown("A", "p1")], [shown("A", "t", TEXT), shown("A", "q1")], ["q1"]),
        ([shown("A", "p1")], [{"id": "q1", "label": "A"}], ["q1"]),
        # by position, among those that are alike
        (
            [shown("A", "p1"), shown("", "p2"), shown("", "p3")],
            [shown("", "q2"), shown("", "q3"), shown("A", "q1")],
            ["q1", "q2", "q3"],
        ),
        ([{"id": "p1"}], [shown("A", "q1")], ["q1"]),
    ],
)
def test_a_presentation_is_found_by_its_label_or_its_position(
    ours: list[Body], theirs: list[Body], expected: list[str]
) -> None:
    made, missing = rebound(template(value(HOME, *ours)), [{**HOME, "id": "d7"}], d7=theirs)
    assert (ids(made), missing) == ([("d7", expected)], [])


@pytest.mark.parametrize(
    ("ours", "theirs", "element"),
    [
        ([shown("A", "p1")], [], '"A"'),
        ([shown("A", "p1")], [shown("B", "q1")], '"A"'),
        ([shown("A", "p1")], [shown("A", "q1"), shown("A", "q2")], '"A"'),
        ([shown("A", "p1")], [shown("A", "q1", TEXT)], '"A"'),
        ([{"id": "p1"}], [shown("A", "q1"), shown("B", "q2")], "1"),
        ([shown("A", "p1"), {"id": "p2"}], [shown("A", "q1"), shown("B", "q2")], "2"),
    ],
)
def test_a_presentation_is_never_guessed(ours: list[Body], theirs: list[Body], element: str) -> None:
    _, missing = rebound(template(value(HOME, *ours)), [{**HOME, "id": "d7"}], d7=theirs)
    assert missing == [f"{MISSING}: no element {element}"]


def test_a_bind_of_the_source_is_replaced() -> None:
    bound = value(HOME)
    bound["presentationValues"] = [{"value": "x", "presentation@odata.bind": "https://x/presentations('p1')"}]
    made, missing = rebound(template(bound), [{**HOME, "id": "d7"}], d7=[shown("A", "q1")])
    assert missing == []
    assert made["definitionValues"][0]["presentationValues"] == [{"value": "x", "presentation": {"id": "q1"}}]


def test_a_value_without_a_presentation_wants_none() -> None:
    body = template(value(HOME, None))
    assert wanted_presentations(body, [{**HOME, "id": "d7"}]) == []
    assert rebound(body, [{**HOME, "id": "d7"}])[1] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"definitionValues": None},
        template(None, {}, {"definition": "x"}),
        template(value(BUILT_IN)),
        template({"definition": {}}),
    ],
)
def test_other_bodies_stay_as_they_are(body: Body) -> None:
    assert not ingested(body)
    assert rebound(body, [{**HOME, "id": "d7"}]) == (body, [])


@pytest.fixture
def tenant() -> SimulatedTenant:
    return SimulatedTenant("fabrikam")


@pytest.fixture
def graph(tenant: SimulatedTenant) -> Iterator[GraphClient]:
    with Simulator([tenant]) as simulator:
        simulator.tokens["t"] = tenant
        limits = RetryLimits(attempts=1)
        with GraphClient(simulator.url, lambda force=False: "t", limits=limits) as client:
            yield client


def test_it_is_made_in_a_tenant_that_has_the_file(graph: GraphClient, tenant: SimulatedTenant) -> None:
    tenant.put("group_policy_definitions", {**HOME, "id": "d7", "presentations": [shown("A", "q1")]})
    body = template(value(HOME, shown("A", "p1"), None))
    path = "/deviceManagement/groupPolicyDefinitions"
    theirs = [one for page in graph.pages(path, {"$filter": "policyType eq 'admxIngested'"}) for one in page]
    assert [one["id"] for one in theirs] == ["d7"]
    presentations = {
        id_: [one for page in graph.pages(f"{path}/{id_}/presentations") for one in page]
        for id_ in wanted_presentations(body, theirs)
    }
    made, missing = rebind_definitions(body, theirs, presentations)
    assert missing == []
    first, second = creation(BY_NAME["administrative_templates"], made)
    id_ = graph.write(first.method, first.path, first.body)["id"]
    graph.write(second.method, second.path.replace("{id}", id_), second.body)
    (there,) = tenant.listed("administrative_templates")
    (kept,) = there["definitionValues"]
    assert kept["definition"] == {**HOME, "id": "d7"}
    assert [(one["value"], one["presentation"]) for one in kept["presentationValues"]] == [("v0", shown("A", "q1"))]
