"""`backup_set.create` and `.add_policies` in a real worker, over real HTTP: policies as they are, with the names of what
they refer to, and sets that say what is not in them.
"""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from store.intune import backups
from store.model.records import Counts, Outcome, Run
from store.model.tables import backup_items, backup_set_kinds, backup_sets, contents
from tasks.graph.resources import KINDS
from tasks.graph.simulator import Fault
from tasks.operations.tenant_graph import AT_LEAST_EVERY
from tests.support.waiting import wait_for
from tests.tasks.conftest import assert_failed
from tests.tasks.operations.conftest import POLICIES, Sync, codes

GROUP = {"@odata.type": "#microsoft.graph.groupAssignmentTarget"}


def rows(sync: Sync, table: sa.Table) -> list[sa.Row[Any]]:
    with sync.stage.db.read() as connection:
        return list(connection.execute(sa.select(table).order_by(*table.primary_key)))


def items(sync: Sync) -> dict[str, Any]:
    query = sa.select(backup_items, contents.c.body).join(
        contents, contents.c.content_hash == backup_items.c.content_hash
    )
    with sync.stage.db.read() as connection:
        return {row.external_id: row for row in connection.execute(query)}


def assigned(group: str, **more: Any) -> dict[str, Any]:
    return {"id": f"a_{group}", "source": "direct", "target": {**GROUP, "groupId": group, **more}}


def retried(sync: Sync, run: Run) -> Run:
    started = sync.stage.dispatcher().retry(sync.stage.user, run.id)
    return sync.stage.completed(started.run.id)


def assert_invalid(run: Run, message: str) -> None:
    assert_failed(run, "input.invalid")
    assert message in run.failure_summary[0].message


@pytest.mark.worker
def test_everything_is_kept_whole_and_once(sync: Sync) -> None:
    sync.worker()
    first = sync.run("backup_set.create", name="Before the change")
    assert (first.outcome, first.summary_counts, codes(first)) == (Outcome.SUCCEEDED, Counts(POLICIES, POLICIES), [])
    kept = rows(sync, backup_items)
    assert {(row.kind, row.external_id) for row in kept} == sync.actual()
    for row in items(sync).values():
        held = sync.tenant.objects[row.kind][row.external_id]
        assert row.assignments == held.get("assignments", [])
        assert row.name == (held.get("name") or held.get("displayName"))
        for part in ("settings", "scheduledActionsForRule", "scriptContent", "apps", "definitionValues"):
            if part in held and row.completeness == "whole":
                assert row.body[part] == held[part]
    bodies = len(rows(sync, contents))
    for number in range(10):
        policy = sync.tenant.listed("configuration_policies")[number]
        sync.tenant.put("configuration_policies", {**policy, "description": f"Changed {number}"})
    assert sync.run("backup_set.create", name="After it").outcome is Outcome.SUCCEEDED
    assert len(rows(sync, contents)) == bodies + 10
    assert len(rows(sync, backup_items)) == 2 * POLICIES
    before, after = rows(sync, backup_sets)
    assert (before.name, before.source, before.sealed_at) == ("Before the change", "graph", None)
    assert before.completed_at is not None
    assert after.run_id != first.id
    assert first.context is not None
    assert first.context["backup_set_id"] == before.id
    assert {row.kind for row in rows(sync, backup_set_kinds)} == {kind.name for kind in KINDS}
    assert all(
        row.kept == row.found and not row.narrowed and row.failure_code is None for row in rows(sync, backup_set_kinds)
    )
    for secret in ("simulated-psk", "simulated-key"):
        assert secret not in sync.stage.everything()


@pytest.mark.worker
def test_references_have_the_names_that_they_had(sync: Sync) -> None:
    """Also when the group is called otherwise, or gone, later; a name that ends with a blank keeps it."""
    sync.worker()
    tenant = sync.tenant
    tenant.put("groups", {"id": "g-pilot", "displayName": "Pilot "})
    tenant.put("assignment_filters", {"id": "f-berlin", "displayName": "Berlin", "platform": "windows10AndLater"})
    tenant.put("scope_tags", {"id": "11", "displayName": "Hamburg"})
    script = {**tenant.listed("scripts")[0], "roleScopeTagIds": ["0", "11"]}
    filtered = {
        "deviceAndAppManagementAssignmentFilterId": "f-berlin",
        "deviceAndAppManagementAssignmentFilterType": "include",
    }
    script["assignments"] = [assigned("g-pilot", **filtered), assigned("g-gone")]
    tenant.put("scripts", script)
    run = sync.run("backup_set.create", kinds=["scripts"])
    assert run.outcome is Outcome.SUCCEEDED
    tenant.put("groups", {"id": "g-pilot", "displayName": "Renamed"})
    row = items(sync)[script["id"]]
    assert sorted((one["kind"], one["id"], one["name"]) for one in row.references) == [
        ("assignment_filters", "f-berlin", "Berlin"),
        ("groups", "g-gone", None),
        ("groups", "g-pilot", "Pilot "),
        ("scope_tags", "0", "Default"),
        ("scope_tags", "11", "Hamburg"),
    ]
    assert row.completeness == "reference_lost"
    assert [gap["detail"] for gap in row.gaps] == ["group g-gone is not there any more"]


@pytest.mark.worker
def test_names_that_may_not_be_read_are_unknown_and_nothing_is_called_lost(sync: Sync) -> None:
    sync.worker()
    tenant = sync.tenant
    tenant.put("groups", {"id": "g-cached", "displayName": "Cached"})
    script = {**tenant.listed("scripts")[0], "roleScopeTagIds": ["11"], "assignments": [assigned("g-cached")]}
    tenant.put("scripts", script)
    assert sync.run("directory_groups.sync").outcome is Outcome.SUCCEEDED
    sync.faults(Fault("/groups/", status=403, count=None), Fault("roleScopeTags", status=403, count=None))
    run = sync.run("backup_set.create", kinds=["scripts"])
    assert run.outcome is Outcome.SUCCEEDED
    row = items(sync)[script["id"]]
    assert sorted((one["kind"], one["name"]) for one in row.references) == [("groups", "Cached"), ("scope_tags", None)]
    assert row.completeness == "whole"
    told = sync.stage.everything()
    assert "the names of groups could not be read" in told
    assert "the names of scope tags could not be read" in told


@pytest.mark.worker
def test_what_is_not_in_the_set_is_said_with_its_reason_and_a_retry_adds_it(sync: Sync) -> None:
    sync.worker()
    scripts = sync.tenant.listed("scripts")
    empty, denied = scripts[0], scripts[1]
    sync.tenant.put("scripts", {**empty, "scriptContent": None})
    sync.faults(Fault(f"/{denied['id']}", status=403, count=None), Fault("roleDefinitions", status=403, count=None))
    run = sync.run("backup_set.create", kinds=["scripts", "role_definitions", "scope_tags"])
    assert run.outcome is Outcome.PARTIALLY_SUCCEEDED
    assert set(codes(run)) == {"policy.incomplete", "graph.forbidden"}
    kinds = {row.kind: row for row in rows(sync, backup_set_kinds)}
    assert (kinds["scripts"].found, kinds["scripts"].kept) == (len(scripts), len(scripts) - 1)
    assert kinds["role_definitions"].failure_code == "graph.forbidden"
    assert "DeviceManagementRBAC.Read.All" in kinds["role_definitions"].failure_message
    assert kinds["scope_tags"].failure_code is None
    assert items(sync)[empty["id"]].completeness == "content_missing"
    assert denied["id"] not in items(sync)
    assert "not looked at: configuration policies, " in sync.stage.everything()
    sync.faults()
    again = retried(sync, run)
    assert again.outcome is Outcome.SUCCEEDED
    assert again.summary_counts is not None
    assert again.summary_counts.success == 1 + len(sync.tenant.listed("role_definitions"))
    assert len(rows(sync, backup_sets)) == 1
    assert denied["id"] in items(sync)
    assert items(sync)[empty["id"]].completeness == "content_missing", "an item never changes"
    assert all(row.failure_code is None for row in rows(sync, backup_set_kinds))


@pytest.mark.worker
def test_single_policies_and_a_filter_choose(sync: Sync) -> None:
    sync.worker()
    sync.run("inventory.sync")
    one, two, *_ = sync.tenant.listed("configuration_policies")
    app = sync.tenant.listed("mobile_apps")[0]
    run = sync.run("backup_set.create", policies=[one["id"], app["id"].upper()])
    assert (run.outcome, run.summary_counts) == (Outcome.SUCCEEDED, Counts(2, 2))
    assert items(sync).keys() == {one["id"], app["id"]}
    assert {(row.kind, row.narrowed) for row in rows(sync, backup_set_kinds)} == {
        ("configuration_policies", True),
        ("mobile_apps", True),
    }
    (made,) = rows(sync, backup_sets)
    sync.tenant.put("configuration_policies", {**two, "name": "VPN: Köln"})
    more = sync.run("backup_set.add_policies", backup_set=made.id, kinds=["configuration_policies"], filter="vpn:*")
    assert (more.outcome, more.summary_counts) == (Outcome.SUCCEEDED, Counts(1, 1))
    assert items(sync).keys() == {one["id"], app["id"], two["id"]}
    unknown = sync.run("backup_set.create", policies=[one["id"], "00000000-0000-0000-0000-00000000000f"])
    assert_invalid(unknown, "the inventory has no policy 00000000-0000-0000-0000-00000000000f")
    sync.tenant.delete("mobile_apps", app["id"])
    gone = sync.run("backup_set.create", policies=[one["id"], app["id"]])
    assert (gone.outcome, codes(gone)) == (Outcome.PARTIALLY_SUCCEEDED, ["graph.not_found"])


@pytest.mark.worker
def test_a_set_that_something_stands_on_takes_no_more(sync: Sync) -> None:
    sync.worker()
    sync.run("backup_set.create", kinds=["scope_tags"])
    (made,) = rows(sync, backup_sets)
    with sync.stage.db.write() as connection:
        backups.seal(connection, made.tenant_id, made.id, "drift run 9")
    run = sync.run("backup_set.add_policies", backup_set=made.id, kinds=["scripts"])
    assert_invalid(run, f"backup set {made.id} takes no more: drift run 9 stands on it")
    assert_invalid(sync.run("backup_set.add_policies", backup_set=4711), "no backup set 4711")


@pytest.mark.worker
@pytest.mark.kill
def test_a_killed_worker_leaves_a_set_that_says_so_and_a_retry_ends_it(sync: Sync) -> None:
    worker = sync.worker()
    # What is at hand is stored after a while; then the reading stops.
    sync.faults(Fault("deviceManagementScripts", slow=AT_LEAST_EVERY + 0.1), Fault("mobileApps", slow=3600))
    run = sync.stage.start("backup_set.create")
    wait_for(lambda: sync.stage.run(run.id).context and rows(sync, backup_items), "the first items to be stored")
    worker.kill()
    sync.stage.silence(worker)
    half = len(rows(sync, backup_items))
    (left,) = rows(sync, backup_sets)
    assert left.completed_at is None
    sync.faults()
    sync.worker()
    lost = sync.stage.completed(run.id)
    assert_failed(lost, "worker.lost")
    more = sync.run("backup_set.add_policies", backup_set=left.id, kinds=["scripts"])
    assert_invalid(more, f"backup set {left.id} is not finished")
    assert rows(sync, backup_sets)[0].completed_at is None
    again = retried(sync, run)
    assert again.outcome is Outcome.SUCCEEDED
    assert again.summary_counts is not None
    assert half + again.summary_counts.success == POLICIES
    (ended,) = rows(sync, backup_sets)
    assert (ended.id, ended.run_id) == (left.id, again.id)
    assert ended.completed_at is not None
    kept = [(row.kind, row.external_id) for row in rows(sync, backup_items)]
    assert len(kept) == len(set(kept)) == POLICIES
