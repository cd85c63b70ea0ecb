"""The definitions of administrative templates: built-in ones that the simulator knows, whose ids are the same in every tenant,
and those of ADMX files that were uploaded to a tenant, with ids of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tasks.graph.simulator.tenants import DEFINITIONS as UPLOADED
from tasks.graph.simulator.tenants import SimulatedTenant

#: What `$expand=definition` gives, by id.
DEFINITIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "d1": {
        "id": "d1",
        "classType": "machine",
        "displayName": "Home page",
        "categoryPath": "\\Simulated\\Browser",
        "policyType": "admxBacked",
    },
}
#: What `$expand=presentation` gives, by the ids of the definition and of the presentation.
PRESENTATIONS: Final[Mapping[tuple[str, str], Mapping[str, Any]]] = {("d1", "p1"): {"id": "p1", "label": "Home page"}}


def definitions_of(tenant: SimulatedTenant) -> dict[str, dict[str, Any]]:
    """All definitions that a tenant has, without their presentations, by id."""
    uploaded = {id_: {"policyType": "admxIngested", **one} for id_, one in tenant.objects[UPLOADED].items()}
    made = {id_: dict(one) for id_, one in DEFINITIONS.items()} | uploaded
    return {id_: {key: value for key, value in one.items() if key != "presentations"} for id_, one in made.items()}


def presentations_of(tenant: SimulatedTenant, definition: str) -> list[dict[str, Any]]:
    """The elements of a definition that can have values, in their order."""
    uploaded = tenant.objects[UPLOADED].get(definition)
    if uploaded is not None:
        return list(uploaded.get("presentations") or [])
    return [dict(one) for (of, _), one in PRESENTATIONS.items() if of == definition]
