"""What the tests of assignments share: assignments in short, and plans for groups and filters that are mapped."""

from __future__ import annotations

from typing import Any, Final

from tasks.graph.resources import BY_NAME
from tasks.operations.restore.assigning import AssignmentPlan, FilterDecision, GroupDecision, plan_assignments
from tasks.operations.restore.targets import FILTER_ID, FILTER_TYPE
from tests.tasks.operations.cases import Body, assigned, typed

CATALOG: Final = BY_NAME["configuration_policies"]
NONE: Final = {FILTER_ID: None, FILTER_TYPE: "none"}

MAPPED: Final = {f"g{number}": GroupDecision("mapped", f"t{number}") for number in range(1, 5)}
FILTERS: Final = {"f1": FilterDecision("mapped", "tf1"), "f2": FilterDecision("mapped", "tf2")}


def everybody(type_: str = "allDevices", filter_: str = "", how: str = "include", **more: Any) -> Body:
    chosen = {FILTER_ID: filter_, FILTER_TYPE: how} if filter_ else NONE
    return {"id": "a_all", "source": "direct", "target": typed(f"{type_}AssignmentTarget", **chosen), **more}


def filtered(group: str, filter_: str, how: str = "include", **more: Any) -> Body:
    one = assigned(group, **more)
    one["target"] |= {FILTER_ID: filter_, FILTER_TYPE: how}
    return one


def plan(
    *assignments: Body,
    kind: Any = CATALOG,
    groups: dict[str, GroupDecision] | None = None,
    filters: dict[str, FilterDecision] | None = None,
    same_tenant: bool = False,
) -> AssignmentPlan:
    return plan_assignments(
        kind, assignments, {**MAPPED, **(groups or {})}, filters or FILTERS, same_tenant=same_tenant
    )


def states(made: AssignmentPlan) -> list[tuple[str, str]]:
    return [(one.state, one.code) for one in made.outcomes]


def sent_groups(made: AssignmentPlan) -> list[str]:
    return [one["target"].get("groupId") for one in made.send]


KEPT: Final = ("kept", "")
