"""`policy.sync` in a real worker, over real HTTP: every policy whole, a version of each that changed, and nothing that was
not read passes for something that is not there.
"""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from store.model.records import Counts, Outcome
from store.model.tables import contents, policies, policy_versions
from tasks.graph.simulator import Fault
from tests.tasks.conftest import assert_failed
from tests.tasks.operations.conftest import POLICIES, Sync, codes

CATALOG = "/deviceManagement/configurationPolicies"


def versions(sync: Sync, id_: str | None = None) -> list[sa.Row[Any]]:
    query = (
        sa.select(policies.c.kind, policies.c.external_id, policy_versions, contents.c.body)
        .join(policies, policies.c.id == policy_versions.c.policy_id)
        .join(contents, contents.c.content_hash == policy_versions.c.content_hash)
        .order_by(policy_versions.c.id)
    )
    with sync.stage.db.read() as connection:
        return [row for row in connection.execute(query) if id_ in (None, row.external_id)]


@pytest.mark.worker
def test_every_policy_is_read_whole_and_a_second_sync_makes_no_version(sync: Sync) -> None:
    sync.worker()
    first = sync.run("policy.sync")
    assert (first.outcome, first.summary_counts, codes(first)) == (Outcome.SUCCEEDED, Counts(POLICIES, POLICIES), [])
    assert sync.known() == sorted(sync.actual())
    found = {(row.kind, row.external_id): row for row in versions(sync)}
    assert found.keys() == sync.actual()
    for (kind, id_), row in found.items():
        held = sync.tenant.objects[kind][id_]
        assert row.assignments == held.get("assignments", [])
        for part in ("settings", "scheduledActionsForRule", "scriptContent", "apps", "definitionValues"):
            if part in held and row.completeness == "whole":
                assert row.body[part] == held[part]
    assert {row.completeness for row in found.values()} == {"whole", "secret_unreadable"}
    second = sync.run("policy.sync")
    assert (second.outcome, second.summary_counts) == (Outcome.SUCCEEDED, Counts(POLICIES, POLICIES))
    assert len(versions(sync)) == POLICIES
    assert sync.stage.told(first.id) == sync.stage.told(second.id) == ["queued", "completed"]
    for secret in ("simulated-psk", "simulated-key"):
        assert secret not in sync.stage.everything()


@pytest.mark.worker
def test_a_change_makes_one_version_and_noise_makes_none(sync: Sync) -> None:
    sync.worker()
    sync.run("policy.sync", kinds=["configuration_policies"])
    one, two, three = sync.tenant.listed("configuration_policies")[:3]
    sync.tenant.put("configuration_policies", {**one, "lastModifiedDateTime": "2027-01-01T00:00:00Z", "version": 9})
    sync.tenant.put("configuration_policies", {**two, "description": "Changed"})
    exclude = {"@odata.type": "#microsoft.graph.exclusionGroupAssignmentTarget", "groupId": "g9"}
    sync.tenant.put("configuration_policies", {**three, "assignments": [{"id": "x", "target": exclude}]})
    run = sync.run("policy.sync", kinds=["configuration_policies"])
    assert "2 changed" in sync.stage.everything()
    assert run.outcome is Outcome.SUCCEEDED
    assert [len(versions(sync, item["id"])) for item in (one, two, three)] == [1, 2, 2]
    assert versions(sync, two["id"])[-1].body["description"] == "Changed"
    assert versions(sync, three["id"])[-1].assignments[0]["target"] == exclude


@pytest.mark.worker
def test_what_could_not_be_read_is_named_and_the_rest_goes_on(sync: Sync) -> None:
    sync.worker()
    broken, short, *_ = sync.tenant.listed("configuration_policies")
    sync.tenant.put("configuration_policies", {**short, "settings": [{"id": "0"}], "settingCount": 61})
    script = sync.tenant.listed("scripts")[0]
    sync.tenant.put("scripts", {**script, "scriptContent": None})
    sync.faults(
        Fault(f"/{broken['id']}/settings", status=403, count=None), Fault("roleScopeTags", status=403, count=None)
    )
    run = sync.run("policy.sync", kinds=["configuration_policies", "scripts", "scope_tags"])
    assert run.outcome is Outcome.PARTIALLY_SUCCEEDED
    told = " ".join(failure.message for failure in run.failure_summary)
    assert set(codes(run)) == {"policy.incomplete", "graph.forbidden"}
    for word in ("settings: 1 of 61", "scriptContent: empty", "DeviceManagementRBAC.Read.All", short["name"]):
        assert word in told
    assert run.summary_counts is not None
    assert run.summary_counts.failed == 4
    assert versions(sync, broken["id"])[0].completeness == "content_missing"
    assert versions(sync, short["id"])[0].completeness == "content_missing"
    sync.faults()
    assert (
        sync.run("policy.sync", kinds=["configuration_policies"]).outcome is Outcome.PARTIALLY_SUCCEEDED
    )  # still 1 of 61
    assert versions(sync, broken["id"])[-1].completeness in ("whole", "secret_unreadable")


@pytest.mark.worker
def test_throttled_assignments_are_never_stored_as_none(sync: Sync) -> None:
    sync.worker()
    assigned = next(item for item in sync.tenant.listed("scripts") if item["assignments"])
    sync.run("policy.sync", kinds=["scripts"])
    (before,) = versions(sync, assigned["id"])
    sync.faults(Fault(f"/{assigned['id']}", status=403, count=None))
    run = sync.run("policy.sync", kinds=["scripts"])
    assert (run.outcome, codes(run)) == (Outcome.PARTIALLY_SUCCEEDED, ["graph.forbidden"])
    (after,) = versions(sync, assigned["id"])
    assert after.assignments == before.assignments == assigned["assignments"]
    assert sync.missing() == set()


@pytest.mark.worker
def test_a_kind_that_fails_says_how_many_it_last_had(sync: Sync) -> None:
    sync.worker()
    sync.run("policy.sync", kinds=["mobile_apps"])
    apps = len(sync.tenant.listed("mobile_apps"))
    sync.faults(Fault("mobileApps", status=403, count=None))
    for type_ in ("policy.sync", "inventory.sync"):
        run = sync.run(type_, kinds=["mobile_apps", "scope_tags"])
        assert run.outcome is Outcome.PARTIALLY_SUCCEEDED
        assert f"it last had {apps}" in run.failure_summary[0].message
        assert run.summary_counts is not None
        assert run.summary_counts.failed == apps
    assert sync.missing() == set()


@pytest.mark.worker
def test_what_is_gone_is_missing_and_keeps_its_versions(sync: Sync) -> None:
    sync.worker()
    sync.run("policy.sync", kinds=["scripts"])
    gone = sync.tenant.listed("scripts")[0]["id"]
    sync.tenant.delete("scripts", gone)
    assert sync.run("policy.sync", kinds=["scripts"]).outcome is Outcome.SUCCEEDED
    assert sync.missing() == {("scripts", gone)}
    assert len(versions(sync, gone)) == 1


@pytest.mark.worker
def test_throttling_and_breaks_lose_and_double_nothing(sync: Sync) -> None:
    sync.worker()
    sync.faults(
        Fault("configurationPolicies", status=429, retry_after="0.2", after=1, count=2),
        Fault("/settings", status=429, retry_after="0", after=3, count=3),
        Fault("/settings", status=503, retry_after="0", after=20, count=2),
        Fault("$batch", break_off=True, after=2),
    )
    run = sync.run("policy.sync", kinds=["configuration_policies"])
    there = sync.tenant.listed("configuration_policies")
    assert (run.outcome, run.summary_counts) == (Outcome.SUCCEEDED, Counts(len(there), len(there)))
    assert run.context is not None
    assert run.context["throttled"]["times"] >= 2
    assert {row.external_id: len(row.body["settings"]) for row in versions(sync)} == {
        item["id"]: len(item["settings"]) for item in there
    }


@pytest.mark.worker
def test_a_wrong_secret_ends_the_run(sync: Sync) -> None:
    sync.worker(client_secret="abc8Q~wrongwrongwrongwrongwrong")
    assert_failed(sync.run("policy.sync"), "graph.unauthorized")
    assert versions(sync) == []
