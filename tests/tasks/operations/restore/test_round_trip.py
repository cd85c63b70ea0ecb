"""A whole tenant, backed up, wiped and restored: into itself, and into another one that has half of its groups."""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from store.intune import restore_mappings
from store.intune.restore_records import Restore, RestoreItem
from store.model.records import Outcome
from store.runs import restoring
from tasks.graph.canonical import canonical, canonical_assignments
from tasks.graph.recreate import NOT_GIVEN_BACK
from tasks.graph.resources import BY_NAME, KINDS
from tasks.graph.simulator import SimulatedTenant, Simulator, synthetic
from tasks.operations.restore.assigning import FilterDecision, GroupDecision
from tasks.operations.restore.targets import FILTER_ID, FILTER_TYPE
from tests.tasks.conftest import WorkerHarness
from tests.tasks.operations.cases import Body, typed
from tests.tasks.operations.restore.conftest import Restoring, make_restoring
from tests.tasks.operations.restore.test_assigning_properties import reach, renamed, universe

POLICIES: Final = 300
#: What cannot be made, and why; everything else must be.
BLOCKED: Final = {
    "restore.not_makeable": "an app's package is in no backup",
    "restore.secret_unreadable": "Graph gives a secret masked",
}
#: Within the limits of Intune a restore of this size takes minutes; the simulator has none.
UNLIMITED: Final = {"graph_reads": "100000", "graph_writes": "100000"}
INTENTS: Final = ("required", "available", "uninstall")

#: App protection and scope tags are for groups.
ONLY_GROUPS: Final = ("managed_app_policies", "scope_tags")

Objects = Mapping[str, Mapping[str, Body]]


@pytest.fixture
def at(stage: WorkerHarness) -> Iterator[Restoring]:
    with Simulator([varied(), SimulatedTenant("fabrikam")], page_size=100) as simulator:
        yield make_restoring(stage, simulator)


def varied() -> SimulatedTenant:
    """A generated tenant; some of its policies reach everybody, with a filter or without, and its apps have intents."""
    tenant, chance = synthetic("contoso", 7, POLICIES), random.Random(7)
    filters = list(tenant.objects["assignment_filters"])
    for kind in KINDS:
        for body in tenant.objects[kind.name].values() if kind.assign else ():
            if kind.name not in ONLY_GROUPS and chance.random() < 0.3:
                body["assignments"].append(everybody(chance, filters))
            for one in body["assignments"] if kind.name == "mobile_apps" else ():
                one |= {"intent": chance.choice(INTENTS), "settings": None}
    return tenant


def everybody(chance: random.Random, filters: list[str]) -> Body:
    type_ = chance.choice(("allDevicesAssignmentTarget", "allLicensedUsersAssignmentTarget"))
    how = chance.choice(("none", "include", "exclude"))
    chosen = {FILTER_ID: None if how == "none" else chance.choice(filters), FILTER_TYPE: how}
    return {"id": "all", "source": "direct", "sourceId": None, "target": typed(type_, **chosen)}


def backed_up(at: Restoring) -> tuple[int, Objects]:
    """Back the source up. Returns the number of the set, and what the tenant had."""
    at.groups("contoso", **{id_: str(one["displayName"]) for id_, one in at.source.objects["groups"].items()})
    at.worker(**UNLIMITED)
    return at.backup(), copy.deepcopy(at.source.objects)


def wipe(tenant: SimulatedTenant) -> None:
    """Delete everything but the groups."""
    for kind in KINDS:
        for id_ in list(tenant.objects[kind.name]):
            tenant.delete(kind.name, id_)


def leave_out_blocked(at: Restoring, restore: Restore) -> Counter[str]:
    """Leave out what is blocked. Returns how many there are of each reason."""
    blocked = [one for one in at.items(restore).values() if one.action == "blocked"]
    restoring.choose(at.stage.db, at.stage.user, restore.id, {one.id: {"skip": True} for one in blocked})
    return Counter(code for one in blocked for code, _ in one.reasons)


def in_names_of(value: Any, ids: Mapping[str, str]) -> Any:
    """A value with the ids of the target in place of those of the source."""
    if isinstance(value, str):
        return ids.get(value.lower(), value)
    if isinstance(value, dict):
        return {key: in_names_of(one, ids) for key, one in value.items()}
    return [in_names_of(one, ids) for one in value] if isinstance(value, list) else value


def new_ids(items: Mapping[str, RestoreItem]) -> dict[str, str]:
    return {one.external_id.lower(): one.target_id for one in items.values() if one.target_id}


def told(one: RestoreItem, body: Body) -> Body:
    """The canonical form without what Graph does not give back."""
    made = canonical(BY_NAME[one.kind], body)
    for kind, key, _ in NOT_GIVEN_BACK:
        if kind == one.kind and not (key == "apps" and made.get("appGroupType") == "selectedPublicApps"):
            made.pop(key, None)
    return {key: value for key, value in made.items() if key != "assignments"}


def test_a_wiped_tenant_is_what_it_was(at: Restoring) -> None:
    set_id, before = backed_up(at)
    wipe(at.source)
    restore = at.plan(set_id, "contoso")
    assert at.preview(restore).outcome is Outcome.SUCCEEDED
    assert at.actions(restore).keys() == {"create", "blocked"}
    reasons = leave_out_blocked(at, restore)
    assert reasons == {"restore.not_makeable": 7, "restore.secret_unreadable": 12}
    assert reasons.keys() == BLOCKED.keys()
    run = at.execute(restore)
    assert run.outcome is Outcome.SUCCEEDED, run.failure_summary

    items = at.items(restore)
    assert at.results(restore) == {"done": POLICIES - 19, "skipped": 19}
    ids = new_ids(items)
    for one in items.values():
        if one.result == "done":
            was = in_names_of(before[one.kind][one.external_id], ids)
            now = at.source.objects[one.kind][ids[one.external_id.lower()]]
            assert told(one, now) == told(one, was), one
            assert canonical_assignments(now) == canonical_assignments(was), one

    again = at.plan(set_id, "contoso", "update")
    assert at.preview(again).outcome is Outcome.SUCCEEDED
    assert at.actions(again) == {"same": POLICIES - 19, "blocked": 19}


def test_another_tenant_gets_what_is_mapped_and_nothing_more(at: Restoring) -> None:
    set_id, before = backed_up(at)
    wanted = sorted((str(one["displayName"]), id_) for id_, one in before["groups"].items())[::2]
    at.groups("fabrikam", **{f"f-{id_}": name for name, id_ in wanted})
    restore = at.skip_unresolved(at.plan(set_id))
    assert at.preview(restore).outcome is Outcome.SUCCEEDED
    leave_out_blocked(at, restore)
    restoring.tick(at.stage.db, at.stage.user, restore.id, ["everybody"])
    at.execute(restore)

    items = at.items(restore)
    assert_accounted_for(items, before)
    there = json.dumps({kind.name: at.there(kind.name) for kind in KINDS}).lower()
    assert [id_ for id_ in before["groups"] if f'"{id_}"' in there] == []
    ids = new_ids(items)
    groups = decisions(at, restore)
    filters = {id_: FilterDecision("mapped", ids[id_]) for id_ in before["assignment_filters"]}
    written = [one for one in items.values() if one.target_id and BY_NAME[one.kind].assign]
    assert len(written) > POLICIES / 3
    for one in written:
        was = [renamed(it, groups, filters) for it in before[one.kind][one.external_id]["assignments"]]
        assert_not_widened(was, at.target.objects[one.kind][one.target_id or ""]["assignments"])


def decisions(at: Restoring, restore: Restore) -> dict[str, GroupDecision]:
    with at.stage.db.read() as connection:
        mapped = restore_mappings.mapped(connection, restore.id)
    return {one.source_id: GroupDecision("mapped", one.target_id) for one in mapped if one.target_id}


def assert_accounted_for(items: Mapping[str, RestoreItem], before: Objects) -> None:
    """Every assignment of what was written is kept, skipped or failed, and some are of each but the last."""
    states: Counter[str] = Counter()
    for one in items.values():
        if one.action == "create":
            planned = Counter(it["state"] for it in one.plan["assignments"])
            assert planned.total() == len(before[one.kind][one.external_id].get("assignments") or ()), one
            assert one.result == ("failed" if planned["failed"] else "done"), (
                one.result_code,
                one.result_message,
                planned,
            )
            states += planned
    assert states["kept"] > states["failed"]
    assert states["skipped"] > states["failed"]


def assert_not_widened(was: list[Body], now: list[Body]) -> None:
    everyone = universe([*was, *now])
    for intent in (None, *INTENTS):
        for across in (False, True):
            assert reach(now, everyone, intent, across=across) <= reach(was, everyone, intent, across=across)
