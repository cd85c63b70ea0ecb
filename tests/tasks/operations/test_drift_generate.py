"""`drift.generate` in a real worker: what changed between two syncs over real HTTP, or since a backup, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from store.model.records import Outcome, Run
from store.model.tables import backup_sets, drift_findings, drift_reports
from tasks.graph.simulator import Fault
from tests.tasks.conftest import assert_failed
from tests.tasks.operations.conftest import POLICIES, Sync, codes

CATALOG = "configuration_policies"
SALES = {"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": "G-Sales"}
EXCLUDED = {"@odata.type": "#microsoft.graph.exclusionGroupAssignmentTarget", "groupId": "G-Sales"}
Found = tuple[str, str, str, Any, Any, str | None]


def rows(sync: Sync, table: sa.Table) -> list[sa.Row[Any]]:
    with sync.stage.db.read() as connection:
        return list(connection.execute(sa.select(table).order_by(*table.primary_key)))


def findings(sync: Sync, run: Run) -> list[tuple[Any, ...]]:
    """(policy, change, path, old, new, words), in an order."""
    found = [row for row in rows(sync, drift_findings) if row.run_id == run.id]
    told = [(row.external_id, row.change, row.path, row.old, row.new, row.words) for row in found]
    return sorted(told, key=lambda one: one[:3])


def report(sync: Sync, run: Run) -> dict[str, dict[str, Any]]:
    (row,) = (row for row in rows(sync, drift_reports) if row.run_id == run.id)
    return {one["kind"]: one for one in row.kinds}


def drift(sync: Sync, **parameters: object) -> Run:
    return sync.run("drift.generate", **parameters)


@pytest.mark.worker
def test_an_unchanged_tenant_has_no_finding_whatever_the_noise(sync: Sync) -> None:
    sync.worker()
    assert sync.run("policy.sync").outcome is Outcome.SUCCEEDED
    for kind, id_ in sorted(sync.actual()):
        held = sync.tenant.objects[kind][id_]
        noisy = {key: held[key] for key in reversed(held)} | {
            "version": 9,
            "lastModifiedDateTime": "2027-01-01T00:00:00Z",
        }
        if isinstance(held.get("assignments"), list):
            noisy["assignments"] = [{**one, "id": f"new-{one.get('id')}"} for one in reversed(held["assignments"])]
        for tags in ("roleScopeTagIds", "roleScopeTags"):
            if isinstance(held.get(tags), list):
                noisy[tags] = [*reversed(held[tags])]
        for setting in noisy.get("omaSettings") or ():
            if "secretReferenceValueId" in setting:
                setting["secretReferenceValueId"] = "another"
        sync.tenant.put(kind, noisy)
    assert sync.run("policy.sync").outcome is Outcome.SUCCEEDED
    run = drift(sync)
    assert (run.outcome, findings(sync, run)) == (Outcome.SUCCEEDED, [])
    assert run.summary_counts is not None
    assert run.summary_counts.success == POLICIES
    assert all(one["findings"] == 0 for one in report(sync, run).values())


@pytest.mark.worker
def test_each_change_is_found_once_at_its_path(sync: Sync) -> None:
    sync.worker()
    tenant = sync.tenant
    tenant.put("groups", {"id": "g-sales", "displayName": "Sales"})
    changed, assigned, gone, *_ = tenant.listed(CATALOG)
    tenant.put(CATALOG, {**assigned, "assignments": [{"id": "a", "source": "direct", "target": SALES}]})
    sync.run("directory_groups.sync")
    sync.run("policy.sync", kinds=[CATALOG])
    tenant.put(CATALOG, {**changed, "description": "Changed", "roleScopeTagIds": ["0", "9"]})
    tenant.put(CATALOG, {**assigned, "assignments": [{"id": "b", "source": "direct", "target": EXCLUDED}]})
    tenant.delete(CATALOG, gone["id"])
    tenant.put(CATALOG, {**gone, "id": "fresh"})
    sync.run("policy.sync", kinds=[CATALOG])
    run = drift(sync, kinds=[CATALOG])
    assert run.outcome is Outcome.SUCCEEDED
    assert findings(sync, run) == sorted(
        [
            (changed["id"], "modified", "description", changed["description"], "Changed", None),
            (changed["id"], "modified", "roleScopeTagIds", changed["roleScopeTagIds"], ["0", "9"], None),
            (assigned["id"], "assignment", "assignments[g-sales]", *_sides(sync, run), "Sales: include → exclude"),
            (gone["id"], "removed", "", None, None, None),
            ("fresh", "added", "", None, None, None),
        ],
        key=lambda one: one[:3],
    )
    assert report(sync, run)[CATALOG]["findings"] == 5


def _sides(sync: Sync, run: Run) -> tuple[Any, Any]:
    (one,) = (one for one in findings(sync, run) if one[1] == "assignment")
    assert one[3]["target"]["@odata.type"] != one[4]["target"]["@odata.type"]
    return one[3], one[4]


@pytest.mark.worker
def test_a_kind_without_two_reads_is_named_and_a_run_without_any_is_refused(sync: Sync) -> None:
    sync.worker()
    refused = drift(sync)
    assert_failed(refused, "input.invalid")
    assert "there is nothing to compare: never read whole" in refused.failure_summary[0].message
    sync.run("policy.sync", kinds=["scripts", "scope_tags"])
    assert "read whole once" in drift(sync, kinds=["scripts"]).failure_summary[0].message
    sync.faults(Fault("roleScopeTags", status=403, count=None))
    sync.run("policy.sync", kinds=["scripts", "scope_tags"])
    run = drift(sync, kinds=["scripts", "scope_tags", "intents"])
    assert run.outcome is Outcome.SUCCEEDED
    kinds = report(sync, run)
    assert kinds["scope_tags"] == {"kind": "scope_tags", "reason": "read whole once"}
    assert kinds["intents"]["reason"] == "never read whole"
    assert kinds["scripts"]["findings"] == 0
    assert "not compared: " in sync.stage.everything()


@pytest.mark.worker
def test_a_policy_that_went_and_came_back_is_found_each_time(sync: Sync) -> None:
    sync.worker()
    script = sync.tenant.listed("scripts")[0]
    sync.run("policy.sync", kinds=["scripts"])
    sync.tenant.delete("scripts", script["id"])
    sync.run("policy.sync", kinds=["scripts"])
    assert [one[:2] for one in findings(sync, drift(sync, kinds=["scripts"]))] == [(script["id"], "removed")]
    sync.tenant.put("scripts", script)
    sync.run("policy.sync", kinds=["scripts"])
    assert [one[:2] for one in findings(sync, drift(sync, kinds=["scripts"]))] == [(script["id"], "added")]


@pytest.mark.worker
def test_a_body_that_was_not_read_is_not_compared(sync: Sync) -> None:
    """A list has no script's content: drift would call it deleted."""
    sync.worker()
    script = sync.tenant.listed("scripts")[0]
    sync.run("policy.sync", kinds=["scripts"])
    sync.tenant.put("scripts", {**script, "scriptContent": None})
    sync.run("policy.sync", kinds=["scripts"])
    run = drift(sync, kinds=["scripts"])
    assert (run.outcome, codes(run), findings(sync, run)) == (Outcome.PARTIALLY_SUCCEEDED, ["policy.incomplete"], [])
    assert "its content was not read now" in run.failure_summary[0].message


@pytest.mark.worker
def test_a_set_is_compared_with_the_newest_sync_and_takes_no_more(sync: Sync) -> None:
    sync.worker()
    one, two, *_ = sync.tenant.listed("scripts")
    sync.run("backup_set.create", kinds=["scripts"])
    (made,) = rows(sync, backup_sets)
    early = drift(sync, backup_set=made.id)
    assert_failed(early, "input.invalid")
    assert "not read whole since the backup" in early.failure_summary[0].message
    sync.tenant.put("scripts", {**one, "description": "Changed"})
    sync.tenant.put("scripts", {**two, "id": "fresh"})
    sync.run("policy.sync", kinds=["scripts", "intents"])
    run = drift(sync, backup_set=made.id)
    assert [one[:3] for one in findings(sync, run)] == sorted(
        [("fresh", "added", ""), (one["id"], "modified", "description")]
    )
    assert report(sync, run)["intents"]["reason"] == f"not in backup set {made.id}"
    assert rows(sync, backup_sets)[0].sealed_by == f"drift run {run.id}"
    assert_failed(sync.run("backup_set.add_policies", backup_set=made.id, kinds=["intents"]), "input.invalid")


@pytest.mark.worker
def test_what_a_set_took_after_the_last_sync_is_not_compared_with_that(sync: Sync) -> None:
    """Else the sync would be told as what the policies became, and it is what they were before."""
    sync.worker()
    sync.run("backup_set.create", kinds=["scope_tags"])
    sync.run("policy.sync", kinds=["scope_tags", "scripts"])
    sync.run("backup_set.add_policies", backup_set=1, kinds=["scripts"])
    refused = drift(sync, backup_set=1, kinds=["scripts"])
    assert_failed(refused, "input.invalid")
    assert "not read whole since the backup" in refused.failure_summary[0].message
    run = drift(sync, backup_set=1, kinds=["scope_tags", "scripts"])
    assert report(sync, run)["scripts"]["reason"] == "not read whole since the backup"
    assert "reason" not in report(sync, run)["scope_tags"]


@pytest.mark.worker
def test_of_a_set_with_chosen_policies_none_is_called_added(sync: Sync) -> None:
    sync.worker()
    sync.run("inventory.sync", kinds=["scripts"])
    one, two, *_ = sync.tenant.listed("scripts")
    sync.run("backup_set.create", policies=[one["id"], two["id"]])
    sync.tenant.delete("scripts", two["id"])
    sync.run("policy.sync", kinds=["scripts"])
    run = drift(sync, backup_set=rows(sync, backup_sets)[0].id)
    assert [one[:2] for one in findings(sync, run)] == [(two["id"], "removed")]
