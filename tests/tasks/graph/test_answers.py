"""What a refusal of a policy because of its template means: a code of its own, and nothing of the service's text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from store.errors import OperationFailed
from tasks.graph.answers import TEMPLATE_UNKNOWN, Refused, is_template_error, refusal
from tasks.graph.client import GraphClient, RetryLimits
from tasks.graph.recreate import change, creation
from tasks.graph.resources import BY_NAME
from tasks.graph.simulator import SimulatedTenant, Simulator

TEMPLATE = "49b8320f-e179-472e-8e2c-2fde00289ca2_1"
#: As the service says it, in the words of public reports.
TEXT = (
    f"Info\nInvalid Reference id found in Policy  created from Template {TEMPLATE}\nPolicyId\n\nTemplateId\n{TEMPLATE}\n"
    "InvalidReferenceId\nf00bbe6f-591a-470d-b640-c707a10f32df - Url: https://fef.msuc03.manage.microsoft.com/Internal"
)
POLICY: dict[str, Any] = {
    "name": "Baseline",
    "platforms": "windows10",
    "technologies": "mdm",
    "templateReference": {"templateId": TEMPLATE},
    "settings": [
        {
            "id": "0",
            "settingInstance": {
                "settingDefinitionId": "a",
                "settingInstanceTemplateReference": {"settingInstanceTemplateId": "f00bbe6f"},
            },
        }
    ],
}


def answer(message: object, code: str = "BadRequest") -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, answer(TEXT), True),
        (400, answer(json.dumps({"_version": 3, "Message": TEXT})), True),
        (400, answer("INVALID REFERENCE ID"), True),
        (400, answer("InvalidReferenceId"), True),
        (500, answer(TEXT), False),
        (404, answer(TEXT), False),
        (400, answer("SecretReferenceValueId invalid for create."), False),
        (400, answer("The reference is invalid", "InvalidReferenceId"), False),
        (400, answer(None), False),
        (400, answer({"Message": TEXT}), False),
        (400, {"error": TEXT}, False),
        (400, {"error": None}, False),
        (400, [TEXT], False),
        (400, None, False),
    ],
)
def test_a_refusal_because_of_the_template_is_recognized(status: int, body: object, expected: bool) -> None:
    assert is_template_error(status, body) is expected
    found = refusal(status, {}, body)
    assert found.template is expected
    failed = found.failure()
    assert (failed.failure_code == TEMPLATE_UNKNOWN) is expected
    for words in (str(failed), repr(failed), repr(found)):
        assert "fef." not in words
        assert TEMPLATE not in words


@pytest.fixture
def tenant() -> SimulatedTenant:
    return SimulatedTenant("fabrikam", unknown_templates={TEMPLATE})


@pytest.fixture
def graph(tenant: SimulatedTenant) -> Iterator[GraphClient]:
    with Simulator([tenant]) as simulator:
        simulator.tokens["t"] = tenant
        with GraphClient(simulator.url, lambda force=False: "t", limits=RetryLimits(attempts=3)) as client:
            yield client


def test_the_tenant_refuses_a_template_of_another_version(graph: GraphClient, tenant: SimulatedTenant) -> None:
    kind = BY_NAME["configuration_policies"]
    (made,) = creation(kind, POLICY)
    with pytest.raises(Refused) as refused:
        graph.write(made.method, made.path, made.body)
    assert (refused.value.failure_code, refused.value.status) == (TEMPLATE_UNKNOWN, 400)
    assert str(refused.value) == "status 400 (BadRequest)"
    tenant.unknown_templates.clear()
    id_ = graph.write(made.method, made.path, made.body)["id"]
    tenant.unknown_templates.add(TEMPLATE)
    (changed,) = change(kind, POLICY, {"id": id_})
    with pytest.raises(Refused) as refused:
        graph.write(changed.method, changed.path, changed.body)
    assert refused.value.failure_code == TEMPLATE_UNKNOWN


def test_other_refusals_keep_their_codes(graph: GraphClient) -> None:
    plain = {**POLICY, "settings": [{"settingInstance": {"settingDefinitionId": "a"}}]}
    graph.write("POST", BY_NAME["configuration_policies"].path, plain)
    with pytest.raises(OperationFailed) as refused:
        graph.write("POST", BY_NAME["configuration_policies"].path, {"name": "x"})
    assert refused.value.failure_code == "operation.error"
