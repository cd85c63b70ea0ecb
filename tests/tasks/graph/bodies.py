"""Pieces of bodies as Graph writes them."""

from __future__ import annotations

from typing import Any

G1 = "0c2e3a41-0000-4000-8000-00000000000a"
G2 = "0c2e3a41-0000-4000-8000-00000000000b"
ZERO = "00000000-0000-0000-0000-000000000000"
FILTER_ID = "deviceAndAppManagementAssignmentFilterId"
FILTER_TYPE = "deviceAndAppManagementAssignmentFilterType"


def typed(name: str, /, **properties: Any) -> dict[str, Any]:
    return {"@odata.type": f"#microsoft.graph.{name}", **properties}


def to_group(id_: str, target: str = "groupAssignmentTarget", **properties: Any) -> dict[str, Any]:
    return {"target": typed(target, groupId=id_), **properties}
